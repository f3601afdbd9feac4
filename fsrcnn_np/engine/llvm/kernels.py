"""The register tile that all layers share, and the layers made of it, one row of the image at a time.

A register tile is `block` outputs × `vectors` vectors of pixels, kept in registers while all terms are added:

    sums[o][v] = start[o]
    for each input channel c:                                            a loop
        for each tap t:                                                  unrolled
            pixels[v] = source of channel c at tap t, vector v           one load, used `block` times
            sums[o][v] = fma(weight[c][t][o], pixels[v], sums[o][v])     one broadcast, used `vectors` times

So the terms of a pixel are always added in the order channel, tap; nothing depends on the size of the tile.

    layer                  outputs o         channels c     taps t
    feature extraction     features          5 image rows   5 columns
    shrinking, expanding   features          features       1
    mapping, one point     features          features       3 columns
    deconvolution          kernel rows       features       the kernel columns of one phase
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .assembler import Function, Module, Value
from .layout import FLOAT, RING, Layout

Sums = list[list[Value]]  #: [output][vector]


def tiles(sums: Sums) -> Iterator[tuple[int, int]]:
    """Every (output, vector) of a register tile."""
    return ((o, v) for o in range(len(sums)) for v in range(len(sums[0])))


def prelu(f: Function, z: Value, slope: Value) -> Value:
    """z where it is positive, slope · z elsewhere."""
    return f.select(z > f.constant(z.kind, 0.0), z, slope * z)


def added(
    f: Function,
    sums: Sums,
    source: Value,
    weights: Value,
    *,
    lanes: int,
    channels: int,
    stride: int,
    taps: Sequence[int],
) -> Sums:
    """Add all terms to a register tile.

    Parameters
    ----------
    sums
        What the terms are added to.
    source, weights
        Addresses of the first channel's first pixel, and of weight[channel][tap][output].
    stride, taps
        Bytes of the source from channel to channel, and from the pixel to each tap.
    """
    block, vectors = len(sums), len(sums[0])

    def channel(c: Value, flat: list[Value]) -> list[Value]:
        row, weight = source + c * stride, weights + c * (len(taps) * block * FLOAT)
        for t, tap in enumerate(taps):
            pixels = [f.load(f"<{lanes} x float>", row + (tap + v * lanes * FLOAT)) for v in range(vectors)]
            for o in range(block):
                factor = f.splat(f.load("float", weight + (t * block + o) * FLOAT), lanes)
                for v in range(vectors):
                    flat[o * vectors + v] = f.fma(factor, pixels[v], flat[o * vectors + v])
        return flat

    flat = f.repeat(channels, [value for row in sums for value in row], channel)
    return [flat[o * vectors : (o + 1) * vectors] for o in range(block)]


def convolved(
    f: Function, source: Value, slopes: Value, block: int, layout: Layout, *, channels: int, stride: int,
    taps: Sequence[int],
) -> Sums:  # fmt: skip
    """A register tile from packed weights, slope[block], bias[block], weight[channel][tap][block], with its PReLU."""
    lanes = layout.target.lanes
    slope, bias = (
        [f.splat(f.load("float", slopes + (part * block + o) * FLOAT), lanes) for o in range(block)] for part in (0, 1)
    )
    sums = [[value] * layout.vectors for value in bias]
    weights = slopes + 2 * block * FLOAT
    sums = added(f, sums, source, weights, lanes=lanes, channels=channels, stride=stride, taps=taps)
    return [[prelu(f, value, a) for value in row] for row, a in zip(sums, slope, strict=True)]


def store(f: Function, sums: Sums, destination: Value, pitch: int, lanes: int) -> None:
    """A register tile, to rows that are `pitch` bytes apart."""
    for o, v in tiles(sums):
        f.store(sums[o][v], destination + (o * pitch + v * lanes * FLOAT))


def extraction(module: Module, layout: Layout) -> Function:
    """Feature extraction and shrinking of one row; the d feature maps exist for one register tile at a time.

    image row, five rows ──5×5──▶ tile [d][tile] ──1×1──▶ destination [s][pitch]
    """
    f = module.function("extraction", "image destination weights scratch columns")
    image, destination, weights, scratch, columns = f.parameters
    a, wide, narrow = layout.architecture, layout.wide, layout.narrow
    lanes = layout.target.lanes
    tile, width = scratch + layout.scratch["tile"], layout.tile * FLOAT
    with f.loop(0, columns * FLOAT, width) as x:
        with f.loop(0, wide.count) as block:
            packed = weights + layout.weights["extraction"] + block * (wide.size * (2 + 25) * FLOAT)
            sums = convolved(
                f, image + x - 2 * layout.pitch, packed, wide.size, layout,
                channels=5, stride=layout.pitch, taps=[kx * FLOAT for kx in range(-2, 3)],
            )  # fmt: skip
            store(f, sums, tile + block * (wide.size * width), width, lanes)
        with f.loop(0, narrow.count) as block:
            packed = weights + layout.weights["shrinking"] + block * (narrow.size * (2 + a.d) * FLOAT)
            sums = convolved(f, tile, packed, narrow.size, layout, channels=a.d, stride=width, taps=[0])
            store(f, sums, destination + x + block * (narrow.size * layout.pitch), layout.pitch, lanes)
    return f


def expansion(module: Module, layout: Layout) -> Function:
    """Expanding of one row: source [s][pitch] ──1×1──▶ destination [d][pitch]."""
    f = module.function("expansion", "source destination weights columns")
    source, destination, weights, columns = f.parameters
    s, wide, lanes = layout.architecture.s, layout.wide, layout.target.lanes
    with f.loop(0, columns * FLOAT, layout.tile * FLOAT) as x, f.loop(0, wide.count) as block:
        packed = weights + layout.weights["expanding"] + block * (wide.size * (2 + s) * FLOAT)
        sums = convolved(f, source + x, packed, wide.size, layout, channels=s, stride=layout.pitch, taps=[0])
        store(f, sums, destination + x + block * (wide.size * layout.pitch), layout.pitch, lanes)
    return f


def stamping(module: Module, layout: Layout) -> Function:
    """Deconvolution of one row of features: added to the nine high-resolution rows that it reaches.

    features [d][pitch] ──9 kernel rows × the kernel columns of a phase──▶ ring rows first … first + 8 [phase][x]

    Output column scale · x + phase takes feature column x + dx through kernel column phase + offset − scale · dx.
    """
    f = module.function("stamping", "features ring first weights width")
    features, ring, first, weights, width = f.parameters
    d, rows, vectors, lanes = layout.architecture.d, layout.stamp_rows, layout.stamp_vectors, layout.target.lanes
    kind, vector = f"<{lanes} x float>", lanes * FLOAT
    with f.loop(0, width * FLOAT, vectors * vector) as x, f.loop(0, 9, rows) as ky:
        places = [ring + (first + ky + k) % RING * layout.row_pitch + x for k in range(rows)]
        for phase in range(layout.architecture.scale):
            shifts = [dx for _, dx in layout.taps(phase)]
            plane = phase * layout.phase_pitch
            sums = [[f.constant(kind, 0.0)] * vectors for _ in range(rows)]
            sums = added(
                f, sums, features + x + layout.reach * FLOAT,
                weights + layout.weights[f"phase {phase}"] + ky * (d * len(shifts) * FLOAT),
                lanes=lanes, channels=d, stride=layout.pitch, taps=[dx * FLOAT for dx in shifts],
            )  # fmt: skip
            for k, v in tiles(sums):
                place = places[k] + (plane + v * vector)
                f.store(f.load(kind, place) + sums[k][v], place)
    return f


def edges(module: Module, layout: Layout) -> Function:
    """What a row has beside the image: under a replicate border one copied column, beyond it and else zeros.

    `left` is the buffer column of the image's first column, `right` the one after its last; either may be far outside.
    """
    f = module.function("edges", "row channels left right columns")
    row, channels, left, right, columns = f.parameters
    reach = layout.stamp_reach + 1
    for inside, direction, here in (
        (left, -1, (left >= 0) & (left <= columns)),
        (right - 1, 1, (right >= 1) & (right <= columns)),
    ):
        with f.when(here), f.loop(0, channels) as c:
            line = row + c * layout.pitch
            zero = f.constant("float", 0.0)
            copied = f.load("float", line + inside * FLOAT) if layout.border == "replicate" else zero
            for step in range(reach):
                place = inside + direction * (step + 1)
                f.store(zero if step else copied, line + place * FLOAT)
    return f
