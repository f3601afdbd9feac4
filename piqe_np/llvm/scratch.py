"""Where a tile's numbers lie: a row of blocks, `WIDTH` pixels wide, small enough for the processor's nearest caches."""

from __future__ import annotations

import math

from piqe_np.llvm.assembler import Rows, Value
from piqe_np.reference import BLOCK, MARGIN, SEGMENT

WIDTH = 256  # columns of a tile
ACROSS = WIDTH // BLOCK  # its blocks
REACH = WIDTH + 2 * MARGIN
PITCH = WIDTH + 8  # of a row; rows 4096 bytes apart would compete for the same few cache lines
GROUP = 4  # rows that are filtered together, so that what they share is computed once
SEGMENTS = BLOCK - SEGMENT + 1

SHAPES = {
    "levels": (BLOCK + 2 * MARGIN, PITCH),
    "filtered": (2, GROUP, PITCH),  # levels, their squares
    "coefficients": (BLOCK, PITCH),
    "means": (2, WIDTH),  # of columns; and the sums of squared deviations from them
    "turned": (2, BLOCK, ACROSS),  # the same, with one column of all blocks side by side
    "sides": (BLOCK, 2, ACROSS),  # the blocks' left and right edges
    "upright": (SEGMENTS, 2, ACROSS),  # squared deviations of their segments
    "level": (PITCH,),  # of the upper and lower edges, the lesser of the two
    "edges": (ACROSS,),
    "numbers": (8,),  # any lanes
}  # fmt: skip
SIZE = sum(map(math.prod, SHAPES.values()))  # float64 numbers


class Scratch:
    """The tile's arrays by their names in `SHAPES`, as a function sees them."""

    def __init__(self, address: Value):
        self.address, at = address, 0
        self._rows: dict[str, Rows] = {}
        for name, shape in SHAPES.items():
            self._rows[name] = Rows.of(address + 8 * at, "double", shape)
            at += math.prod(shape)

    def __getattr__(self, name: str) -> Rows:
        return self._rows[name]
