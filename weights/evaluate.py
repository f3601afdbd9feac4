"""What the shipped models do, measured: the figures of the model card.

    python weights/evaluate.py --images DIR [--data-range NAME=R …]      # DIR/set5, DIR/val, DIR/mammograms

writes weights/results.json, weights/curve.png, and the tables between the markers of weights/README.md. Of the
folders that are not there, the rows are left out and named.

Photographs: luma 0.299 R + 0.587 G + 0.114 B in full range, rounded to 8 bits; the low-resolution input is its 2×2
binning (3×3 at ×3, 4×4 at ×4), not quantised; the output is rounded to 8 bits; as many pixels as the scale are cut at
the border; PSNR per image, then the mean.
Mammograms: the original against SR of its own 2×2 binning, at its native depth, on the pixels above 2 % of the range
(the breast, not the black around it). PIQE is of the stored values, enlarged in their own class: integers are rounded
by the network once at its end, by bicubic after each of its two passes, as MATLAB's `imresize` does with a class.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import fsrcnn_np
from card import insert, table
from fsrcnn_np import files
from fsrcnn_np.convert import shipped
from fsrcnn_np.drawing import import_matplotlib
from fsrcnn_np.images.binning import bin2x2, bin_by
from fsrcnn_np.images.imresize import imresize
from fsrcnn_np.images.quality import psnr, ssim
from fsrcnn_np.images.value_range import ValueRange, normalise, to_integers
from fsrcnn_np.network.checkerboard import LIMIT, checkerboard
from fsrcnn_np.pipeline import picture_range
from fsrcnn_np.study.compare import bicubic, export_8_bit, native_piqe
from piqe_np import piqe

HERE = Path(__file__).parent
PICTURES = {".bmp", ".png", ".jpg", ".jpeg", ".tif", ".dcm"}
BICUBIC = "bicubic"
Model = fsrcnn_np.Weights | str  # a str is BICUBIC
NAMED_RANGE = "a file's value range, where it does not declare its own"


def named_range(text: str) -> tuple[str, float]:
    """NAME=R of the command line."""
    name, _, number = text.rpartition("=")
    return name, float(number)


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES)


def luma8(path: Path, scale: int) -> np.ndarray:
    """8-bit full-range luma, cut to sides that the scale divides."""
    pixels = files.read(path).pixels
    if pixels.ndim == 3:
        pixels = to_integers(pixels.astype(np.float64) @ [0.299, 0.587, 0.114], np.uint8)
    return pixels[: pixels.shape[0] // scale * scale, : pixels.shape[1] // scale * scale]


def at_scale(models: dict, scale: int) -> dict:
    """The models of that scale, and bicubic interpolation, which is at every one."""
    return {name: m for name, m in models.items() if isinstance(m, str) or m.architecture.scale == scale}


def enlarge(low: np.ndarray, model: Model, scale: int = 2) -> np.ndarray:
    """A plane in [0, 1] at `scale` times its size, by a model or by bicubic interpolation."""
    return imresize(low, scale) if isinstance(model, str) else fsrcnn_np.forward(low, model)


def photographs(paths: list[Path], models: dict, scale: int = 2) -> dict:
    """Mean PSNR in dB of each model, all of that scale, on the binned photographs."""
    inside = (slice(scale, -scale),) * 2
    found: dict[str, list[float]] = {name: [] for name in models}
    for path in tqdm(paths, paths[0].parent.name, disable=None):
        truth = luma8(path, scale)
        low = (bin_by(truth, scale) / 255).astype(np.float32)
        for name, model in models.items():
            result = to_integers(enlarge(low, model, scale) * np.float32(255), np.uint8)
            found[name].append(psnr(result[inside], truth[inside], data_range=255))
    return {name: float(np.mean(values)) for name, values in found.items()}


def mammogram(path: Path, models: dict, ranges: dict[str, float]) -> dict:
    """Binned back: PSNR and SSIM; and PIQE of the original and of its ×2, at 8-bit export and at native depth."""
    picture = files.read(path)
    bounds = picture_range(picture, ranges.get(path.name))
    pixels = picture.pixels
    original = normalise(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2], bounds)
    low = bin2x2(original).astype(np.float32)
    inside = original > 0.02
    scores = {"original": both_piqe(pixels, bounds)}
    back = {}
    for name, model in models.items():
        again = enlarge(low, model)
        back[name] = {
            "psnr": psnr(again[inside], original[inside], data_range=1),
            "ssim": ssim(again, original, data_range=1),
        }
        started = time.perf_counter()
        large = enlarge_stored(pixels, model, bounds)
        scores[name] = both_piqe(large, bounds) | {"seconds": time.perf_counter() - started}
    return {"range": str(bounds), "shape": pixels.shape, "binned_back": back, "piqe": scores}


def enlarge_stored(pixels: np.ndarray, model: Model, bounds: ValueRange) -> np.ndarray:
    """×2 of stored values, of their own dtype, as `fsrcnn-np compare` makes it."""
    if isinstance(model, str):
        return bicubic(files.Frame(pixels), 2, bounds)
    return fsrcnn_np.upscale(pixels, weights=model, data_range=(bounds.low, bounds.high))


def both_piqe(pixels: np.ndarray, bounds: ValueRange) -> dict:
    """Scores of stored values, as `fsrcnn-np compare` gives them: of the 8-bit export, and at native depth."""
    return {"8 bits": piqe(export_8_bit(pixels, bounds)).score, "native": native_piqe(pixels, bounds).score}


def checkerboards(models: dict) -> dict:
    """What each model draws on flat fields (`fsrcnn_np.network.checkerboard`)."""
    return {name: checkerboard(model).facts() for name, model in models.items() if not isinstance(model, str)}


def curve(models: dict, path: Path) -> None:
    """Validation loss over the epochs of every model that carries its history."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, model in models.items():
        history = [] if isinstance(model, str) else model.provenance.get("history", [])
        if history:
            epochs = [h["epoch"] for h in history]
            (line,) = axes.plot(epochs, [h["validation_loss"] for h in history], label=f"{name}, validation")
            losses = [h["training_loss"] for h in history]
            axes.plot(epochs, losses, ":", color=line.get_color(), label=f"{name}, training")
            best = next(h for h in history if h["epoch"] == model.provenance["best_epoch"])
            axes.plot(best["epoch"], best["validation_loss"], "o", color=line.get_color())
    axes.set(xlabel="epoch", ylabel="mean squared error, range 0 to 1", yscale="log")
    axes.set_title("Loss; a dot marks the epoch that ships")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(path, dpi=110)


def tables(results: dict) -> str:
    """The Markdown of the model card."""
    parts = []
    for scale, sets in results["photographs"].items():
        parts += [f"PSNR in dB on photographs, from their {scale}×{scale} binning."]
        names = list(next(iter(sets.values())))
        parts += [table(["", *sets], [[name, *(f"{sets[s][name]:.3f}" for s in sets)] for name in names])]
    if found := results["mammograms"]:
        parts += ["Mammograms against the ×2 of their own 2×2 binning: PSNR in dB inside the breast / SSIM of all."]
        back = {file: each["binned_back"] for file, each in found.items()}
        names = list(next(iter(back.values())))
        rows = [[f, *(f"{b[n]['psnr']:.2f} / {b[n]['ssim']:.4f}" for n in names)] for f, b in back.items()]
        parts += [table(["", *names], rows)]
        parts += [
            "PIQE of mammograms and of their ×2, as `fsrcnn-np compare` gives it: 8-bit export / native depth. "
            "Lower is taken for better."
        ]
        scores = {file: each["piqe"] for file, each in found.items()}
        columns = ["original", *names]
        parts += [
            table(
                ["", *columns],
                [[f, *(f"{s[n]['8 bits']:.2f} / {s[n]['native']:.2f}" for n in columns)] for f, s in scores.items()],
            )
        ]
    parts += [
        "Checkerboard: the largest deviation of a phase on flat fields in % of the range, and of its gain in % of the "
        f"signal ({100 * LIMIT:g} is the limit, docs/piqe-claim.md); and the amplitude at the pixel grid's frequencies "
        "that white noise of σ 10 % has after SR and after bicubic, in % of the range."
    ]
    boards = results["checkerboard"].items()
    keys = ("offset_amplitude", "gain_amplitude", "noise_sr", "noise_bicubic")
    head = ["", "offset", "gain", "noise, SR", "noise, bicubic"]
    parts += [table(head, [[name, *(f"{100 * found[key]:.3f}" for key in keys)] for name, found in boards])]
    parts += [f"WARNING, {name}: {found['warning']}" for name, found in boards if found["warning"]]
    return "\n\n".join([*parts, f"Measured with {results['software']}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder with set5, val and mammograms")
    parser.add_argument("--model", nargs="*", default=[], help="further weights files")
    parser.add_argument("--data-range", type=named_range, nargs="*", default=[], metavar="NAME=R", help=NAMED_RANGE)
    parser.add_argument("-o", "--output", type=Path, default=HERE, help="folder of results.json, curve.png, README.md")
    options = parser.parse_args()
    try:
        import_matplotlib("plot")
    except fsrcnn_np.FileError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    names = [*shipped(), *options.model]
    models: dict = {BICUBIC: BICUBIC}
    models |= {Path(name).stem: fsrcnn_np.load_weights(name) for name in names}
    results: dict = {
        "models": {name: None if model == BICUBIC else model.sha256 for name, model in models.items()},
        "photographs": {},
        "mammograms": {},
        "checkerboard": checkerboards(models),
        "software": f"fsrcnn-np {fsrcnn_np.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    }
    for title, name, count in (("Set5", "set5", None), ("ImageNet validation", "val", 24)):
        if paths := pictures(options.images / name)[:count]:
            for scale in sorted({m.architecture.scale for m in models.values() if not isinstance(m, str)}):
                sets = results["photographs"].setdefault(str(scale), {})
                sets[f"{title}, {len(paths)} images"] = photographs(paths, at_scale(models, scale), scale)
        else:
            print(f"{options.images / name}: no pictures, its row is left out")
    for path in tqdm(pictures(options.images / "mammograms"), "mammograms", disable=None):
        results["mammograms"][path.name] = mammogram(path, at_scale(models, 2), dict(options.data_range))
    files.write_text(options.output / "results.json", json.dumps(results, indent=1) + "\n", overwrite=True)
    curve(models, options.output / "curve.png")
    insert(tables(results), "weights/evaluate.py", options.output / "README.md")
    print(tables(results))


if __name__ == "__main__":
    main()
