"""What another order of summation does to PIQE: `python -m parity.summation [--images N]`.

The reference runs with its sums taken in other orders, on pictures with blocks beside its thresholds. Printed are the
greatest move of a score, and how many decisions of blocks turned.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from piqe_np import PiqeResult, piqe, reference

Sum = Callable[[np.ndarray], np.ndarray]


def backwards(terms: np.ndarray) -> np.ndarray:
    """The last first."""
    return np.add.reduce(np.moveaxis(terms[..., ::-1], -1, 0))


def pairwise(terms: np.ndarray) -> np.ndarray:
    """NumPy's own order."""
    return np.asarray(np.ascontiguousarray(terms).sum(-1))


def exact(terms: np.ndarray) -> np.ndarray:
    """Rounded once."""
    rows = terms.reshape(-1, terms.shape[-1]).tolist()
    return np.array([math.fsum(row) for row in rows]).reshape(terms.shape[:-1])


def along(values: np.ndarray) -> np.ndarray:
    """The filter with its taps added one after another, rows before columns."""
    taps = (*reference.TAPS[:0:-1], *reference.TAPS)
    for axis in (1, 0):
        window = np.lib.stride_tricks.sliding_window_view(values, 2 * reference.MARGIN + 1, axis)
        values = sum((tap * window[..., k] for k, tap in enumerate(taps)), np.zeros(window.shape[:-1]))
    return values


#: name → the reference's functions that are replaced
ORDERS: dict[str, dict[str, Any]] = {
    "backwards": {"chain_sum": backwards},
    "pairwise": {"chain_sum": pairwise},
    "exact": {"chain_sum": exact},
    "filter": {"gaussian": along},
    "all": {"chain_sum": pairwise, "gaussian": along},
}


def picture(rng: np.random.Generator) -> np.ndarray:
    """Noise of a random strength on a ramp with flat parts."""
    height, width = rng.integers(17, 129, 2)
    y, x = np.mgrid[:height, :width]
    noise = rng.normal(0, 10 ** rng.uniform(-1, 1.5), (height, width))
    values = 40 + rng.uniform(0, 3) * x + rng.uniform(0, 3) * y + noise
    flat = rng.random((height // 8 + 1, width // 8 + 1)).repeat(8, 0).repeat(8, 1)[:height, :width] < 0.3
    values = np.where(flat, values.mean(), values)
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def measured(images: int, seed: int = 0) -> tuple[int, dict[str, tuple[float, int]]]:
    """Blocks seen; and of each order the greatest move of a score, and the decisions that turned."""
    rng = np.random.default_rng(seed)
    blocks, found = 0, dict.fromkeys(ORDERS, (0.0, 0))
    for _ in range(images):
        image = picture(rng)
        ours = piqe(image, engine="reference", threads=1)
        blocks += ours.blocks.variance.size
        for name, replaced in ORDERS.items():
            with mock.patch.multiple(reference, **replaced):
                other = piqe(image, engine="reference", threads=1)
            turned = sum(int((a != b).sum()) for a, b in zip(_decisions(ours), _decisions(other), strict=True))
            found[name] = max(found[name][0], abs(ours.score - other.score)), found[name][1] + turned
    return blocks, found


def _decisions(result: PiqeResult) -> tuple[np.ndarray, ...]:
    return result.blocks.variance > reference.ACTIVE_VARIANCE, result.blocks.artifact, result.blocks.noise


def main() -> int:
    """Print the table; 1 if a decision turned."""
    parser = argparse.ArgumentParser(prog="python -m parity.summation", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=1000, help="how many pictures (default 1000)")
    blocks, found = measured(parser.parse_args().images)
    print(f"{blocks} blocks")
    for name, (moved, turned) in found.items():
        print(f"{name:10} the score moves by {moved:.1e} at most; {turned} decisions turned")
    return int(any(turned for _, turned in found.values()))


if __name__ == "__main__":
    sys.exit(main())
