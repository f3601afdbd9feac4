"""Where everything lies: the memory of one strip and the packed weights, for one architecture and one processor.

A strip is at most `Layout.width` low-resolution columns of the image. The rows of layer l = 0 … m have

    column of a buffer    0 …                reach − l …    reach − l + width … columns
    column of the image   x0 − reach + l …   x0 …           x0 + width …

so that the three columns of a mapping layer's kernel are 0, 1 and 2 from the one that it makes, and vectors are loaded
and stored where cache lines begin. From one channel's row to the next are `pitch` bytes: an odd number of cache lines,
so that the rows of many channels do not fall into the same places of the cache.

Scratch memory of a thread, first to last:

    rings       [layer 0 … m][RING rows][s][pitch]    shrunk maps, and what each mapping layer makes of them
    zeros       [s][pitch]                            the row outside the image, under a zero border
    spectrum    [6][s][tile + lanes]                  Winograd's input transform of one register tile
    products    [6][block][tile]                      its products, if they cannot take the spectrum's place
    image spectrum [8][channel][tile + lanes]         feature extraction's, see extraction.py
    features    [8][some maps][tile]                  its products, and in their place the feature maps
    points      [point][map][head + chunk]            some expanded maps of four rows, see toom.py
    products of groups   [channel][point][residue · scale + phase][width]    what they give; zero between two groups
    ring        [channel][high rows][scale phases][width]    high-resolution rows under construction
    spare       [tile]                                the last, partly used vectors of a row of results
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

from piqe_np.llvm.assembler import Rows, Value

from ...network.weights import Architecture, reach
from .groups import GROUP
from .target import Target
from .winograd import EXTRACTION, MAPPING

FLOAT = 4  # bytes
LINE = 64  # bytes of a cache line
RING = 9  # rows a ring holds, see groups.py: four of a group, and five before that the next layer still reads
WIDTHS = (336, 240, 96, 48)  # of a strip, cut to whole register tiles; 336 + 12 columns of reach nearly fill 11 of 32
MAPS = 8  # that go through expanding and deconvolution at once, and whose sum is rounded as one
STAMP_VECTORS = 3  # of pixels in a register tile of the deconvolution, which has at most four outputs
CHUNK = 48  # columns of a chunk of expanding and deconvolution, at most
MOST_SCRATCH = 4 << 20  # bytes, where the architecture leaves a choice


def up(number: int, unit: int) -> int:
    """`number`, rounded up to a multiple of `unit`."""
    return -(-number // unit) * unit


@dataclass(frozen=True)
class Blocks:
    """`outputs` channels cut into `count` register tiles of `size` channels; the last may have idle ones."""

    outputs: int
    most: int

    @property
    def count(self) -> int:
        """How many register tiles."""
        return -(-self.outputs // self.most)

    @property
    def size(self) -> int:
        """Channels of a register tile."""
        return -(-self.outputs // self.count)

    @property
    def padded(self) -> int:
        """Channels with the idle ones."""
        return self.count * self.size


@dataclass(frozen=True)
class Layout:
    """Sizes in bytes where nothing else is said."""

    architecture: Architecture
    border: str
    offset: int
    target: Target

    # -- register tiles: pixels × outputs

    @property
    def vectors(self) -> int:
        """Vectors of pixels in a register tile."""
        return 2 if self.target.registers >= 32 else 3

    @property
    def tile(self) -> int:
        """Pixels of a register tile."""
        return self.vectors * self.target.lanes

    @property
    def expanded(self) -> Blocks:
        """Register tiles of expanding: so many maps, of four rows a vector each; a whole number of them is a group."""
        return Blocks(up(self.architecture.d, MAPS), MAPS // 2 if self.target.registers >= 32 else MAPS // 4)

    @property
    def group(self) -> int:
        """Register tiles of expanding that go through the deconvolution at once, see toom.py."""
        return MAPS // self.expanded.size

    @property
    def most_outputs(self) -> int:
        """Channels that a register tile has room for, in the processor's registers."""
        return 14 if self.target.registers >= 32 else 4

    @property
    def wide(self) -> Blocks:
        """Register tiles of feature extraction, which has d outputs."""
        return Blocks(self.architecture.d, self.most_outputs)

    @property
    def shrunk(self) -> int:
        """Register tiles of features that are shrunk at once, see extraction.py."""
        return max(2 * MAPS // self.wide.size, 1)

    @property
    def narrow(self) -> Blocks:
        """Register tiles of the layers with s outputs."""
        return Blocks(self.architecture.s, self.most_outputs)

    # -- columns

    def taps(self, phase: int) -> list[tuple[int, int]]:
        """(kernel column, feature column − output column) of all taps of one column phase, left feature first."""
        shifts = ((kx, phase + self.offset - kx) for kx in reversed(range(9)))
        return [(kx, shift // self.architecture.scale) for kx, shift in shifts if shift % self.architecture.scale == 0]

    @property
    def points(self) -> int:
        """Points at which rows of features are multiplied, see toom.py."""
        return -(-9 // self.architecture.scale) + GROUP - 1

    @cached_property
    def stamp_tiles(self) -> list[tuple[range, list[list[tuple[int, int]]]]]:
        """Points, and the register tiles at each of them: outputs (residue of the kernel row, phase of the column)."""
        scale = self.architecture.scale
        common = 9 // scale + GROUP - 1
        found = []
        for points, residues in ((range(common), range(scale)), (range(common, self.points), range(9 % scale))):
            outputs = [(residue, phase) for residue in residues for phase in range(scale)]
            size = Blocks(len(outputs), 4).size if outputs else 1
            if points:
                found.append((points, [outputs[o : o + size] for o in range(0, len(outputs), size)]))
        return found

    def stamp_taps(self, tile: list[tuple[int, int]]) -> list[tuple[int, list[int]]]:
        """Feature columns − output column of a register tile, and the outputs that take each, left first."""
        shifts = [{dx for _, dx in self.taps(phase)} for _, phase in tile]
        return [(dx, [o for o, own in enumerate(shifts) if dx in own]) for dx in sorted(set().union(*shifts))]

    @property
    def head(self) -> int:
        """Columns of a chunk, see toom.py, that were expanded with the chunk before."""
        return up(2 * self.stamp_reach, self.target.lanes)

    @property
    def chunk(self) -> int:
        """Columns that go through expanding and deconvolution at once: whole register tiles of both."""
        unit = STAMP_VECTORS * self.target.lanes
        return max(CHUNK // unit, 1) * unit

    @property
    def stamp_reach(self) -> int:
        """Feature columns beside an output's own that the deconvolution reads."""
        return reach(self.architecture.scale, self.offset)

    @property
    def reach(self) -> int:
        """Columns of shrunk maps that are computed beside the strip."""
        return self.architecture.m + self.stamp_reach

    @cached_property
    def width(self) -> int:
        """Most columns of a strip."""
        unit = STAMP_VECTORS * self.target.lanes
        for width in WIDTHS:
            width -= width % unit
            if self._scratch(width) <= MOST_SCRATCH:
                break
        return width

    def _pitch(self, columns: int) -> int:
        # Behind the last register tile a tap still reads a few columns.
        lines = up(columns * FLOAT, LINE) // LINE + 1
        return (lines | 1) * LINE

    def columns(self, width: int) -> int:
        """Columns that are computed for a strip of that width, whole register tiles."""
        return up(width + 2 * self.reach, self.tile)

    @cached_property
    def pitch(self) -> int:
        """Bytes from one channel's row to the next."""
        return self._pitch(self.columns(self.width))

    # -- scratch memory

    @property
    def high(self) -> int:
        """High-resolution rows under construction: those that four rows of features reach."""
        return up(9 + (GROUP - 1) * self.architecture.scale, 8)

    def _shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        pitch, a = self._pitch(self.columns(width)) // FLOAT, self.architecture
        return {
            "rings": (a.m + 1, RING, self.narrow.padded, pitch),
            "zeros": (self.narrow.padded, pitch),
            "spectrum": (MAPPING.points, a.s, self.tile + self.target.lanes),
            "products": (MAPPING.points, self.narrow.size, self.tile),
            "image spectrum": (EXTRACTION.points, a.channels, self.tile + self.target.lanes),
            "features": (EXTRACTION.points, self.shrunk * self.wide.size, self.tile),
            "points": (self.points, self.group * self.expanded.size, self._pitch(self.head + self.chunk) // FLOAT),
            "products of groups": (a.channels, self.points, a.scale**2, width),
            "ring": (a.channels * self.high, a.scale, width),
            "spare": (a.scale * self.target.lanes * 2,),  # of any type, up to double
        }

    def _scratch(self, width: int) -> int:
        return sum(math.prod(shape) * FLOAT for shape in self._shapes(width).values())

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each part of the scratch memory, in float32 numbers."""
        return self._shapes(self.width)

    @cached_property
    def scratch(self) -> dict[str, int]:
        """Offset in bytes of each part of the scratch memory, and "end", its size; parts start on a cache line."""
        offsets, end = {}, LINE
        for part, shape in self.shapes.items():
            offsets[part] = end
            end += up(math.prod(shape) * FLOAT, LINE) + LINE
        return offsets | {"end": end}

    def rows(self, scratch: Value, part: str) -> Rows:
        """A part of the scratch memory, to be read and written by its indices."""
        return Rows.of(scratch + self.scratch[part], "float", self.shapes[part])

    def maps(self, address: Value) -> Rows:
        """Rows of maps of one image row, or lines of the prepared image: [channel][x], they have the same pitch."""
        return Rows(address, "float", (self.pitch, FLOAT))

    # -- packed weights, see packing.py

    def _sizes(self) -> dict[str, int]:
        a = self.architecture
        return {
            "extraction": self.wide.padded * (2 + EXTRACTION.points * 5 * a.channels),
            "shrinking": self.narrow.padded * (2 + a.d),
            "mapping": a.m * self.mapping_weights // FLOAT,
            "expanding": self.expanded.padded * (2 + a.s),
            "deconvolution": a.channels * self.stamp_weights // FLOAT,
            "bias": a.channels,
        }

    @cached_property
    def weights(self) -> dict[str, int]:
        """Offset in bytes of each layer's packed weights.

        Mapping layers follow each other at `mapping_weights`, the deconvolution's channels at `stamp_weights`.
        """
        sizes = self._sizes()
        starts = itertools.accumulate(sizes.values(), initial=0)
        return {part: start * FLOAT for part, start in zip(sizes, starts, strict=False)}

    def packed(self, weights: Value, blocks: Blocks, terms: int) -> Rows:
        """The packed weights of a layer: [block][slopes, biases, terms …][output]."""
        return Rows.of(weights, "float", (blocks.count, 2 + terms, blocks.size))

    @property
    def ring_row(self) -> int:
        """Bytes from one row of a ring to the next."""
        return self.narrow.padded * self.pitch

    @property
    def stamp_weights(self) -> int:
        """Packed weights of one channel's deconvolution."""
        scale = self.architecture.scale
        return self.architecture.d * 9 * (scale * (9 // scale + GROUP - 1) + 9 % scale) * FLOAT

    @property
    def mapping_weights(self) -> int:
        """Packed weights of one mapping layer."""
        return self.narrow.padded * (2 + MAPPING.points * 3 * self.architecture.s) * FLOAT
