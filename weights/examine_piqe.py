"""The paper's claim, examined: what decides whether super-resolution lowers PIQE on a mammogram.

    python weights/examine_piqe.py --images DIR/mammograms [--model FILE …] [--checkpoints RUN] [--data-range NAME=R …]

Honjo et al. 2022, Table 3: 12.36 before and 3.20 after, pixel class and scaling not given. Here the same mammogram is
scored under one change at a time:

- the model: bicubic, the shipped ones, any others given, and a training run's snapshots (epochN.pt) for its length;
- its border (replicate, zero);
- what is scored: the 8-bit export, the native depth with its range, 12 bits taken for 16 (no range given), a window
  on the tissue, floats that were never rounded;
- the picture's own noise: smoothed before (Gaussian, σ 1 pixel), as it is, and with noise added (σ 1 % of the range,
  seed 0).

A cell is score (share of active blocks; of these artifact, noisy; in %), so that one sees which term moved.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from checkpoint import model_of
from evaluate import BICUBIC, HERE, NAMED_RANGE, Model, enlarge, named_range, pictures
from scipy import ndimage
from tqdm import tqdm

import fsrcnn_np
from card import insert, table
from fsrcnn_np import files
from fsrcnn_np.convert import shipped
from fsrcnn_np.images.value_range import normalise, to_integers
from fsrcnn_np.network.weights import Weights
from fsrcnn_np.pipeline import picture_range
from piqe_np import piqe

COLUMNS = ("original", "bicubic", "SR")
BREAST = 0.02  # of the range: above the black around the breast


def snapshot(path: Path) -> Weights:
    """The last parameters of a training checkpoint."""
    import torch

    state = torch.load(path, weights_only=True, map_location="cpu")
    return model_of(state["network"])


def scored(image: np.ndarray, how: str, span: float, window: tuple[float, float]) -> dict:
    """PIQE of an image in [0, 1], made into what `how` says."""
    if how == "8-bit export":
        result = piqe(to_integers(image * np.float32(255), np.uint8))
    elif how == "native depth":
        result = piqe(to_integers(image * np.float32(span), np.uint16, low=0, high=span), data_range=span)
    elif how == "12 bits as if 16":
        result = piqe(to_integers(image * np.float32(4095), np.uint16))
    elif how == "windowed 8-bit":
        low, high = window
        result = piqe(to_integers((image - low) / (high - low) * np.float32(255), np.uint8))
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


def examine(path: Path, models: dict, default: str, ranges: dict[str, float]) -> dict:
    """All rows of one mammogram."""
    picture = files.read(path)
    bounds = picture_range(picture, ranges.get(path.name))
    image = normalise(picture.pixels, bounds)
    low, high = np.percentile(image[image > BREAST], [1, 99.9])
    window = float(low), float(high)
    rng = np.random.default_rng(0)
    noisy = (image + rng.standard_normal(image.shape, np.float32) * np.float32(0.01)).clip(0, 1)
    smooth = ndimage.gaussian_filter(image, 1, mode="nearest")
    found: dict = {"noise": noise_level(image), "range": str(bounds), "rows": {}}

    def row(name: str, before: np.ndarray, model: Model, how: str) -> None:
        rows = found["rows"]
        rows[name] = {
            "original": scored(before, how, bounds.span, window),
            "SR": scored(enlarge(before, model), how, bounds.span, window),
        }
        if model != BICUBIC:
            rows[name]["bicubic"] = scored(enlarge(before, BICUBIC), how, bounds.span, window)

    for name, model in models.items():
        row(f"model: {name}", image, model, "8-bit export")
    chosen = models[default]
    other = "zero" if chosen.border == "replicate" else "replicate"
    row(f"border: {other}", image, replace(chosen, border=other), "8-bit export")
    for how in ("native depth", "12 bits as if 16", "windowed 8-bit", "float, unrounded"):
        row(f"scored: {how}", image, chosen, how)
    row("noise: smoothed before (σ 1)", smooth, chosen, "8-bit export")
    row("noise: 1 % added", noisy, chosen, "8-bit export")
    return found


def cell(found: dict | None) -> str:
    if found is None:
        return ""
    shares = "; ".join(f"{100 * found[key]:.0f}" for key in ("active", "artifact", "noise"))
    return f"{found['score']:.2f} ({shares})"


def tables(results: dict) -> str:
    parts = ["A cell: score (active blocks in % of all; of these with an artifact, noisy). First row: all as shipped."]
    for file, found in results.items():
        parts.append(f"**{file}**, range {found['range']}, noise in the breast {100 * found['noise']:.2f} % of it")
        rows = [
            [name, *(cell(r.get(key)) for key in COLUMNS), f"{r['SR']['score'] - r['original']['score']:+.2f}"]
            for name, r in found["rows"].items()
        ]
        parts.append(table(["", *COLUMNS, "SR − original"], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of mammograms")
    parser.add_argument("--model", nargs="*", default=[], help="further weights files")
    parser.add_argument("--checkpoints", type=Path, help="a training run's folder with epochN.pt")
    parser.add_argument("--data-range", type=named_range, nargs="*", default=[], metavar="NAME=R", help=NAMED_RANGE)
    parser.add_argument("-o", "--output", type=Path, default=HERE)
    options = parser.parse_args()
    models: dict = {name: fsrcnn_np.load_weights(name) for name in (*shipped(), *options.model)}
    models = {Path(name).stem: model for name, model in models.items()}
    if options.checkpoints:
        number = lambda path: int(path.stem.removeprefix("epoch"))  # noqa: E731
        for path in sorted(options.checkpoints.glob("epoch*.pt"), key=number):
            models[f"{options.checkpoints.name} after epoch {number(path)}"] = snapshot(path)
    models[BICUBIC] = BICUBIC
    default = next(iter(models))
    paths = tqdm(pictures(options.images), "mammograms", disable=None)
    results = {path.name: examine(path, models, default, dict(options.data_range)) for path in paths}
    files.write_text(options.output / "piqe_examined.json", json.dumps(results, indent=1) + "\n", overwrite=True)
    insert(tables(results), "weights/examine_piqe.py", options.output / "README.md")
    print(tables(results))


if __name__ == "__main__":
    main()
