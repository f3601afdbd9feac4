"""The register tile that all layers share, and what rows have beside the image.

A register tile is `block` outputs × `vectors` vectors of pixels, kept in registers while all terms are added:

    sums[o][v] = start[o]
    for each input channel c:                                            a loop, unrolled if short
        for each tap t:                                                  unrolled
            pixels[v] = source of channel c at tap t, vector v           one load, used `block` times
            sums[o][v] = fma(weight[c][t][o], pixels[v], sums[o][v])     one broadcast, used `vectors` times

So the terms of a pixel are always added in the order channel, tap; nothing depends on the size of the tile.

    layer                  outputs o         channels c         taps t
    extraction, one point  features          image's channels   5 columns
    shrinking, expanding   features          features           1
    mapping, one point     features          features           3 columns
    deconvolution, as well kernel rows       features           the kernel columns of one phase
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from .layout import FLOAT, Layout

Sums = list[list[Value]]  #: [output][vector]
Tap = tuple[int, Sequence[int]]  #: columns from the pixel, and the outputs that have it
UNROLLED = 200  #: multiply-adds of a register tile, at most, whose loop over channels is unrolled: expanding's


def tiles(sums: Sums) -> Iterator[tuple[int, int]]:
    """Every (output, vector) of a register tile."""
    return ((o, v) for o in range(len(sums)) for v in range(len(sums[0])))


def prelu(f: Function, z: Value, slope: Value) -> Value:
    """slope · z where z has a minus sign, which x86 selects by without a comparison; elsewhere z."""
    bits = f.cast("bitcast", z, z.kind.replace("float", "i32"))
    return f.select(bits < Value(f, bits.kind, "zeroinitializer"), slope * z, z)


def added(
    f: Function,
    sums: Sums,
    sources: Sequence[Rows],
    weights: Rows,
    *,
    lanes: int,
    channels: Value | int,
    taps: Sequence[Tap],
) -> Sums:
    """Add all terms to a register tile.

    Parameters
    ----------
    sums
        What the terms are added to; the vectors of one source after those of another.
    sources : Rows, [channel][x]
        From the tile's first pixel on.
    weights : Rows
        One number after the other: [channel][tap][output that has the tap]
    taps
        Columns from the pixel to each tap, and the outputs that have it.
    """
    block, vectors, terms = len(sums), len(sums[0]), sum(len(outputs) for _, outputs in taps)
    flat = [value for row in sums for value in row]

    def channel(c: Value | int) -> None:
        rows, numbers = [source[c] for source in sources], itertools.count()
        factors = Rows.of(weights.address, "float", (1,))[c * terms :]
        for tap, outputs in taps:
            columns = range(tap, tap + vectors // len(sources) * lanes, lanes)
            pixels = [row[column:].vector(lanes) for row in rows for column in columns]
            for o in outputs:
                factor = f.splat(factors[next(numbers)], lanes)
                for v in range(vectors):
                    flat[o * vectors + v] = f.fma(factor, pixels[v], flat[o * vectors + v])

    if isinstance(channels, int) and channels * terms * vectors <= UNROLLED:
        for number in range(channels):
            channel(number)
    else:
        with f.loop(0, channels, carrying=flat) as c:
            channel(c)
    return [flat[o * vectors : (o + 1) * vectors] for o in range(block)]


def every(taps: Iterable[int], block: int) -> list[Tap]:
    """Taps that all outputs of a register tile have."""
    return [(tap, range(block)) for tap in taps]


def store(sums: Sums, rows: Rows, lanes: int) -> None:
    """A register tile, to rows [output][x]."""
    for o, v in tiles(sums):
        rows[o, v * lanes :] = sums[o][v]


def edges(module: Module, layout: Layout, title: str, pitch: int) -> Function:
    """What a row [channel][pitch] has beside the image: under a replicate border one copied column, else zeros.

    `left` is the buffer column of the image's first column, `right` the one after its last; either may be far outside.
    """
    f = module.function(title, "row channels left right columns")
    row, channels, left, right, columns = f.parameters
    maps = Rows(row, "float", (pitch, FLOAT))
    reach, zero = layout.stamp_reach + 1, f.constant("float", 0.0)
    for inside, direction, here in (
        (left, -1, (left >= 0) & (left <= columns)),
        (right - 1, 1, (right >= 1) & (right <= columns)),
    ):
        with f.when(here), f.loop(0, channels) as c:
            line = maps[c, inside:]
            copied = line[0] if layout.border == "replicate" else zero
            for step in range(reach):
                line[direction * (step + 1)] = zero if step else copied
    return f
