"""The paper's claim, examined: what decides whether super-resolution lowers PIQE on a mammogram.

    python weights/examine_piqe.py --images DIR/mammograms [--model FILE …] [--checkpoints RUN] [--data-range NAME=R …]

Honjo et al. 2022, Table 3: 12.36 before and 3.20 after, pixel class and scaling not given. Here the same mammogram is
scored under one change at a time:

- the model: bicubic, the shipped ones, any others given, and a training run's snapshots (epochN.pt) for its length;
- its border (replicate, zero);
- what is scored: the 8-bit export, the native depth with its range, 12 bits taken for 16 (no range given), a window
  on the tissue, floats that were never rounded, class double without im2double;
- textures at the scale of one pixel, laid over the enlarged picture (textures.py): a checkerboard, white noise, an
  unsharp mask; over SR of one model (`--textured`), and over bicubic;
- the picture's own noise: smoothed before (Gaussian, σ 1 pixel), as it is, and with noise added (σ 1 % of the range,
  seed 0).

Pictures are enlarged in the class that they are stored in, as `fsrcnn-np compare` does it (see evaluate.py).
A cell is score (share of active blocks; of these artifact, noisy; in %), so that one sees which term moved.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from checkpoint import model_of
from scipy import ndimage
from tqdm import tqdm

import fsrcnn_np
from card import insert, table
from evaluate import BICUBIC, HERE, NAMED_RANGE, Model, at_scale, enlarge_stored, named_range, pictures
from fsrcnn_np import files
from fsrcnn_np.convert import shipped
from fsrcnn_np.images.value_range import ValueRange, denormalise, normalise, to_integers, value_range
from fsrcnn_np.network.weights import Weights
from fsrcnn_np.pipeline import picture_range
from fsrcnn_np.study.compare import export_8_bit, native_piqe
from piqe_np import piqe
from textures import BREAST, TEXTURES

COLUMNS = ("original", "bicubic", "SR")
SNAPSHOTS = (
    "SR of the 8-bit export by snapshots of a training run (`--checkpoints`); where the run is not at hand, the "
    "figures of the last time that it was."
)


def snapshot(path: Path) -> Weights:
    """The last parameters of a training checkpoint."""
    import torch

    state = torch.load(path, weights_only=True, map_location="cpu")
    return model_of(state["network"])


def scored(image: np.ndarray, how: str, bounds: ValueRange, window: tuple[float, float]) -> dict:
    """PIQE of stored values, made into what `how` says."""
    if how == "8-bit export":
        result = piqe(export_8_bit(image, bounds))
    elif how == "native depth":
        result = native_piqe(image, bounds)
    elif how == "12 bits as if 16":
        result = piqe(to_integers(normalise(image, bounds) * np.float32(4095), np.uint16))
    elif how == "double, no im2double":
        result = piqe(image.astype(np.float64))
    elif how == "windowed 8-bit":
        low, high = window
        result = piqe(to_integers((normalise(image, bounds) - low) / (high - low) * np.float32(255), np.uint8))
    else:
        result = piqe(image)
    active = result.activity_mask
    count = max(1, int(np.count_nonzero(active)))
    return {
        "score": result.score,
        "active": np.count_nonzero(active) / active.size,
        "artifact": np.count_nonzero(result.noticeable_artifacts_mask) / count,
        "noise": np.count_nonzero(result.noise_mask) / count,
    }


def noise_level(image: np.ndarray) -> float:
    """Standard deviation of the finest detail inside the breast: median of 2×2 diagonal differences, / 0.6745 / 2."""
    d = image[:-1, :-1] - image[:-1, 1:] - image[1:, :-1] + image[1:, 1:]
    inside = image[:-1, :-1] > BREAST
    return float(np.median(np.abs(d[inside])) / 0.6745 / 2)


def examine(path: Path, models: dict, snapshots: dict, ranges: dict[str, float], textured: str = "") -> dict:
    """All rows of one mammogram; the first model is the one whose border, scoring and noise are varied.

    `textured` names the model whose SR is given textures; the first unless named.
    """
    picture = files.read(path)
    bounds = picture_range(picture, ranges.get(path.name))
    stored, image = picture.pixels, normalise(picture.pixels, bounds)
    low, high = np.percentile(image[image > BREAST], [1, 99.9])
    window = float(low), float(high)
    rng = np.random.default_rng(0)
    noisy = (image + rng.standard_normal(image.shape, np.float32) * np.float32(0.01)).clip(0, 1)
    smooth = ndimage.gaussian_filter(image, 1, mode="nearest")
    chosen = next(iter(models.values()))
    other = "zero" if chosen.border == "replicate" else "replicate"
    found: dict = {"noise": noise_level(image), "range": str(bounds), "rows": {}, "snapshots": {}}

    def rows(before: np.ndarray, bounds: ValueRange, wanted: dict[str, tuple[Model, str]]) -> None:
        """Of one picture: each enlargement is made once."""
        control = enlarge_stored(before, BICUBIC, bounds)
        large = {id(model): enlarge_stored(before, model, bounds) for model, _ in wanted.values()}
        for how in dict.fromkeys(how for _, how in wanted.values()):
            original, bicubic = (scored(each, how, bounds, window) for each in (before, control))
            for name, (model, wish) in wanted.items():
                if wish == how:
                    sr = scored(large[id(model)], how, bounds, window)
                    found["rows"][name] = {"original": original, "bicubic": bicubic, "SR": sr}

    export = "8-bit export"
    wanted: dict[str, tuple[Model, str]] = {f"model: {name}": (model, export) for name, model in models.items()}
    wanted[f"border: {other}"] = replace(chosen, border=other), export
    for how in ("native depth", "12 bits as if 16", "windowed 8-bit", "double, no im2double"):
        wanted[f"scored: {how}"] = chosen, how
    rows(stored, bounds, wanted)
    rows(image, value_range(np.float32), {"scored: float, unrounded": (chosen, "float")})
    for name, varied in (("smoothed before (σ 1)", smooth), ("1 % added", noisy)):
        rows(denormalise(varied, bounds, stored.dtype), bounds, {f"noise: {name}": (chosen, export)})
    found["textured"] = textured if textured in models else next(iter(models))
    found["textures"] = textures(stored, models.get(textured, chosen), bounds)
    for name, model in snapshots.items():
        found["snapshots"][name] = scored(enlarge_stored(stored, model, bounds), export, bounds, window)
    return found


def textures(stored: np.ndarray, model: Weights, bounds: ValueRange) -> dict:
    """8-bit exports of SR and of bicubic under each texture."""
    found: dict = {}
    unit = value_range(np.float32)
    for name, enlarger in (("SR", model), ("bicubic", BICUBIC)):
        large = normalise(enlarge_stored(stored, enlarger, bounds), bounds)
        for texture, add in TEXTURES.items():
            found.setdefault(texture, {})[name] = scored(add(large), "8-bit export", unit, (0, 1))
    return found


def cell(found: dict) -> str:
    shares = "; ".join(f"{100 * found[key]:.0f}" for key in ("active", "artifact", "noise"))
    return f"{found['score']:.2f} ({shares})"


def tables(results: dict) -> str:
    parts = ["A cell: score (active blocks in % of all; of these with an artifact, noisy). First row: all as shipped."]
    for file, found in results.items():
        parts.append(f"**{file}**, range {found['range']}, noise in the breast {100 * found['noise']:.2f} % of it")
        rows = [
            [name, *(cell(r[key]) for key in COLUMNS), f"{r['SR']['score'] - r['original']['score']:+.2f}"]
            for name, r in found["rows"].items()
        ]
        parts.append(table(["", *COLUMNS, "SR − original"], rows))
    for image in ("SR", "bicubic"):
        of = next(iter(results.values()))["textured"]
        what = f"SR of `{of}`" if image == "SR" else "Bicubic"
        title = f"{what} under textures at its own pixels' scale, 8-bit export (`python weights/textures.py` says why)."
        parts.append(title)
        files_ = list(results)
        rows = [[name, *(cell(results[f]["textures"][name][image]) for f in files_)] for name in TEXTURES]
        parts.append(table(["", *files_], rows))
    names = list(dict.fromkeys(name for found in results.values() for name in found["snapshots"]))
    if names:
        parts.append(SNAPSHOTS)
        rows = [[file, *(cell(found["snapshots"][name]) for name in names)] for file, found in results.items()]
        parts.append(table(["", *names], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of mammograms")
    parser.add_argument("--model", nargs="*", default=[], help="further weights files")
    parser.add_argument("--checkpoints", type=Path, help="a training run's folder with epochN.pt")
    parser.add_argument("--data-range", type=named_range, nargs="*", default=[], metavar="NAME=R", help=NAMED_RANGE)
    parser.add_argument("--textured", default="x2-long", metavar="NAME", help="whose SR is given textures (x2-long)")
    parser.add_argument("-o", "--output", type=Path, default=HERE)
    options = parser.parse_args()
    models = at_scale({Path(name).stem: fsrcnn_np.load_weights(name) for name in (*shipped(), *options.model)}, 2)
    snapshots = {}
    if options.checkpoints:
        import needs_torch  # noqa: F401

        number = lambda path: int(path.stem.removeprefix("epoch"))  # noqa: E731
        for path in sorted(options.checkpoints.glob("epoch*.pt"), key=number):
            snapshots[f"{options.checkpoints.name} after epoch {number(path)}"] = snapshot(path)
    paths = tqdm(pictures(options.images), "mammograms", disable=None)
    ranges = dict(options.data_range)
    results = {path.name: examine(path, models, snapshots, ranges, options.textured) for path in paths}
    record = options.output / "piqe_examined.json"
    if not snapshots and record.exists():
        earlier = json.loads(record.read_text(encoding="utf-8"))
        for name, found in results.items():
            found["snapshots"] = earlier.get(name, {}).get("snapshots", {})
    files.write_text(record, json.dumps(results, indent=1) + "\n", overwrite=True)
    insert(tables(results), "weights/examine_piqe.py", options.output / "README.md")
    print(tables(results))


if __name__ == "__main__":
    main()
