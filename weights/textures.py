"""Textures at the scale of one SR pixel that nobody sees, and what PIQE makes of them.

    python weights/textures.py               # the closed form: a checkerboard on grey that has nothing on it
    python weights/textures.py --densities   # textures over SR of digital breasts, fatty to dense

A checkerboard of ±a grey levels (of 255) on a flat field has the local deviation a, so PIQE's coefficients are
±a/(a + 1). From its formulae (docs/piqe-claim.md) follow three amplitudes, which this prints beside the library's own
decisions. `examine_piqe.py` lays the same textures over super-resolved mammograms.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

import fsrcnn_np
from card import table
from fsrcnn_np.images.value_range import to_integers
from fsrcnn_np.phantom import phantom
from piqe_np import piqe
from piqe_np.reference import ACTIVE_VARIANCE, BLOCK, CENTRE, FLAT_DEVIATION, NOT_SURROUND, SEGMENT

Plane = np.ndarray
BREAST = 0.02  # of the range: above the black around the breast


def checkerboard(shape: tuple[int, ...]) -> Plane:
    """+1 and −1 in turn, down and along; float32."""
    return (1 - 2 * (np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2)).astype(np.float32)


def offset(share: float) -> Callable[[Plane], Plane]:
    """±share of the range inside the breast."""
    return lambda image: image + np.float32(share) * checkerboard(image.shape) * (image > BREAST)


def gain(share: float) -> Callable[[Plane], Plane]:
    """±share of the signal: as phases with gains of their own draw it."""
    return lambda image: image * (1 + np.float32(share) * checkerboard(image.shape))


def noise(share: float) -> Callable[[Plane], Plane]:
    """White noise of this deviation, of the range, inside the breast; seed 0."""

    def add(image: Plane) -> Plane:
        drawn = np.random.default_rng(0).standard_normal(image.shape, np.float32)
        return image + np.float32(share) * drawn * (image > BREAST)

    return add


def unsharp(amount: float) -> Callable[[Plane], Plane]:
    """Sharpened: `amount` of the difference to a Gaussian of σ 1 added (`imsharpen` takes σ 1 and 0.8 by default)."""
    from scipy.ndimage import gaussian_filter

    return lambda image: image + np.float32(amount) * (image - gaussian_filter(image, 1, mode="nearest"))


#: what lowers the score, in the order of the table
TEXTURES: dict[str, Callable[[Plane], Plane]] = {
    "as it is": lambda image: image,
    **{f"checkerboard ±{100 * s:g} % of the range": offset(s) for s in (0.001, 0.002, 0.003, 0.005, 0.01)},
    **{f"checkerboard ±{100 * s:g} % of the signal": gain(s) for s in (0.003, 0.01, 0.02)},
    **{f"white noise, σ {100 * s:g} % of the range": noise(s) for s in (0.005, 0.01)},
    **{f"unsharp mask, {amount:g}": unsharp(amount) for amount in (0.5, 0.8, 2.0)},
}


def thresholds() -> dict[str, float]:
    """Amplitudes in grey levels of 255 at which PIQE's decisions about a bare checkerboard turn.

    Coefficients ±b, b = a/(a + 1). Variance of a block b²·256/255 > 0.1: active. Six of them in a row have the
    deviation b·√(6/5): below 0.1 the edge is flat. The middle columns look like the rest, so the ratio r is 1 (1.014:
    32 samples over 224), β is (r − √v)/r, and √v > 2β is √v > 2r/(r + 2), about 2/3: noisy.
    """
    pixels = BLOCK * BLOCK
    centre, surround = BLOCK * len(CENTRE), BLOCK * (BLOCK - len(NOT_SURROUND))
    r = math.sqrt(centre / (centre - 1) * (surround - 1) / surround)
    of = {
        "its edges are not flat": FLAT_DEVIATION / math.sqrt(SEGMENT / (SEGMENT - 1)),
        "blocks are active": math.sqrt(ACTIVE_VARIANCE * (pixels - 1) / pixels),
        "blocks are noisy": 2 * r / (r + 2) * math.sqrt((pixels - 1) / pixels),
    }
    return {name: b / (1 - b) for name, b in of.items()}


def bare(amplitude: float, side: int = 160) -> tuple[float, float, float, float]:
    """Score, and shares of active, artifact and noisy blocks, of ±amplitude grey levels on 128.

    The picture has whole levels, as PIQE sees it: 2·amplitude must be whole.
    """
    levels = 128 + amplitude * (checkerboard((side, side)).astype(np.float64) + 2 * amplitude % 2)
    found = piqe(levels / 255)
    masks = (found.activity_mask, found.noticeable_artifacts_mask, found.noise_mask)
    active, artifact, noisy = (float(np.mean(mask)) for mask in masks)
    return found.score, active, artifact, noisy


def densities(seeds: int, model: str, shape: tuple[int, int] = (1248, 960)) -> list[list[str]]:
    """Rows of a table: digital breasts of each density, mean PIQE of the original, of SR, and of SR under textures."""
    chosen = ("as it is", *(name for name in TEXTURES if name.endswith("of the signal")))
    rows = []
    for density in "abcd":
        found = []
        for seed in range(seeds):
            drawn = phantom(seed, density=density, shape=shape)
            image = drawn.pixels / np.float32(drawn.data_range)
            large = fsrcnn_np.upscale(image, weights=model)
            planes = [image, *(TEXTURES[name](large) for name in chosen)]
            scores = [piqe(to_integers(plane * np.float32(255), np.uint8)).score for plane in planes]
            found.append([float(image[drawn.breast_mask].mean()), *scores])
        means = np.mean(found, 0)
        rows.append([density, f"{100 * means[0]:.0f}", *(f"{score:.2f}" for score in means[1:])])
    return [["density", "brightness, % of the range", "original", "SR", *chosen[1:]], *rows]


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--densities", type=int, nargs="?", const=3, metavar="SEEDS", help="breasts each (3)")
    parser.add_argument("--model", default="x2-long", help="of the SR (x2-long)")
    options = parser.parse_args()
    if options.densities:
        head, *body = densities(options.densities, options.model)
        print(table(head, body))
        return
    print(table(["from ± this on, in grey levels", "% of the range", ""],
                [[f"{a:.2f}", f"{100 * a / 255:.2f}", name] for name, a in thresholds().items()]))  # fmt: skip
    print()
    rows = []
    for amplitude in (0, 0.5, 1, 1.5, 2, 2.5, 4):
        score, *shares = bare(amplitude)
        rows.append([f"±{amplitude:g}", f"{score:.2f}", *(f"{100 * share:.0f} %" for share in shares)])
    print(table(["grey levels", "PIQE", "active", "artifact", "noisy"], rows))


if __name__ == "__main__":
    main()
