"""How far "masks bit-identical, score within 1e-9" reaches: `python -m parity.piqe_domain`.

Floats can have levels far beyond 0..255. G(x²) − µ² then cancels, and two programs that are both correct, but add in
another order, differ. Here the reference is held against itself with the filter's passes exchanged, on images of levels
around L with little contrast, where cancellation is worst.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from piqe_np import reference
from piqe_np.reference import ACTIVE_VARIANCE, BLOCK, MARGIN, TAPS, Blocks

LEVELS = (100, 255, 500, 1000, 2000, 4000, 10_000, 30_000, 100_000, 1_000_000)
CONTRASTS = (0.5, 1, 2, 5, 20, 100)  # standard deviations of the noise, in levels
SEEDS = 6
SIDE = 20 * BLOCK


class Found(NamedTuple):
    """The worst of all images around one level."""

    level: int
    score: float  #: largest difference of two scores
    flipped: int  #: blocks of which a decision differs
    blocks: int  #: of so many


def other_way(values: np.ndarray) -> np.ndarray:
    """The reference's 7-tap Gaussian, along the rows first, taps from the outside in."""
    for axis in (1, 0):
        tap = np.lib.stride_tricks.sliding_window_view(values, 2 * MARGIN + 1, axis)
        total = TAPS[3] * (tap[..., 0] + tap[..., 6])
        for k in (2, 1):
            total = total + TAPS[k] * (tap[..., 3 - k] + tap[..., 3 + k])
        values = total + TAPS[0] * tap[..., 3]
    return values


def images(level: int) -> Iterator[np.ndarray]:
    """Whole numbers around a level: noise of several strengths, and two levels alone."""
    for seed in range(SEEDS):
        rng = np.random.RandomState([seed, level])
        for contrast in CONTRASTS:
            yield np.floor(level + contrast * rng.standard_normal((SIDE, SIDE)) + 0.5)
        yield level + (rng.random_sample((SIDE, SIDE)) < 0.5).astype(np.float64)


def measured(image: np.ndarray) -> Blocks:
    """The reference on levels as they are: `data_range` 255 leaves them alone."""
    return reference.measure(image, 0, SIDE // BLOCK, (0.0, 255.0))


def domain(level: int) -> Found:
    """The two programs on every image of a level."""
    score, flipped, blocks = 0.0, 0, 0
    original = reference.gaussian
    for image in images(level):
        ours = measured(image)
        reference.gaussian = other_way
        try:
            theirs = measured(image)
        finally:
            reference.gaussian = original
        score = max(score, abs(reference.pool(ours) - reference.pool(theirs)))
        decisions = [(b.variance > ACTIVE_VARIANCE, b.artifact, b.noise) for b in (ours, theirs)]
        flipped += int(np.any([one != other for one, other in zip(*decisions, strict=True)], axis=0).sum())
        blocks += ours.variance.size
    return Found(level, score, flipped, blocks)


def main() -> None:
    """Print the table."""
    print("| levels around | scores differ by up to | blocks decided otherwise |\n|---|---|---|")
    for level in LEVELS:
        found = domain(level)
        print(f"| {level} | {found.score:.1e} | {found.flipped} of {found.blocks} |", flush=True)


if __name__ == "__main__":
    main()
