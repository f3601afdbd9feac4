"""Where a thread's numbers lie: small enough for the processor's nearest caches.

A vector's lanes are blocks, one below the other: lane l of a number of row r and column c belongs to pixel
(BLOCK · l + r, c). So no operation mixes lanes, a block's rows, columns and edges are whole vectors, and only `staged`,
what the image's rows become first, lies as an image does.
"""

from __future__ import annotations

import math

from piqe_np.llvm.assembler import BYTES, Rows, Value
from piqe_np.reference import BLOCK, MARGIN

ACROSS = 24
AHEAD = BLOCK - MARGIN  # columns that lie before a tile's first: the filter's margin ends where a block's columns do
REACH = ACROSS * BLOCK + BLOCK  # a tile's columns
HEIGHT = BLOCK + 2 * MARGIN  # rows that a block's filter reaches
RING = 8  # columns; a power of 2, and the filter reaches 7
LATE = 2  # columns that moments are behind what is filtered
PITCH = BLOCK + 1  # of a column; were it BLOCK, columns would compete for the same few cache lines


class Scratch:
    """The arrays by their names, as a function sees them; `kind` is that of the levels, "i8" or "double"."""

    def __init__(self, address: Value, lanes: int, kind: str):
        at = 0
        for name, (stored, shape) in _shapes(lanes, kind).items():
            setattr(self, name, Rows.of(address + at, stored, shape))
            at += math.prod(shape) * BYTES[stored]

    staged: Rows  # levels, row by row
    turned: Rows  # those of a block's columns
    levels: Rows  # of the last columns, and their squares
    filtered: Rows  # down: levels, their squares
    waiting: Rows  # differences and variances of the last column, coefficients of the one before
    mean: Rows  # of those coefficients
    moments: Rows  # of columns: mean, sum of squared deviations from it
    edges: Rows  # coefficients of a block's first and last row, and of its first and last column
    edge: Rows  # least sum of squared deviations of their segments


def _shapes(lanes: int, kind: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {
        "filtered": ("double", (RING, 2, PITCH, lanes)),
        "levels": ("double", (RING // 2, 2, HEIGHT, lanes)),
        "waiting": ("double", (3, BLOCK, lanes)),
        "mean": ("double", (lanes,)),
        "moments": ("double", (2, BLOCK, lanes)),
        "edges": ("double", (4, BLOCK, lanes)),
        "edge": ("double", (lanes,)),
        "staged": (kind, (BLOCK * lanes + 2 * MARGIN, REACH)),
        "turned": (kind, (HEIGHT, BLOCK, lanes)),  # behind `staged`, beyond whose end the last columns are read
    }


def size(lanes: int, kind: str) -> int:
    """Bytes of it all."""
    return sum(math.prod(shape) * BYTES[stored] for stored, shape in _shapes(lanes, kind).values())
