"""The register tile that all layers share, and the layers made of it, one row of the image at a time.

A register tile is `block` outputs × `vectors` vectors of pixels, kept in registers while all terms are added:

    sums[o][v] = start[o]
    for each input channel c:                                            a loop
        for each tap t:                                                  unrolled
            pixels[v] = source of channel c at tap t, vector v           one load, used `block` times
            sums[o][v] = fma(weight[c][t][o], pixels[v], sums[o][v])     one broadcast, used `vectors` times

So the terms of a pixel are always added in the order channel, tap; nothing depends on the size of the tile.

    layer                  outputs o         channels c     taps t
    feature extraction     features          image rows *   5 columns
    shrinking, expanding   features          features       1
    mapping, one point     features          features       3 columns
    deconvolution          kernel rows       features       the kernel columns of one phase

* five, of a model of RGB fifteen: a line a channel. Its deconvolution runs three times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from .layout import RING, Layout

Sums = list[list[Value]]  #: [output][vector]


def tiles(sums: Sums) -> Iterator[tuple[int, int]]:
    """Every (output, vector) of a register tile."""
    return ((o, v) for o in range(len(sums)) for v in range(len(sums[0])))


def prelu(f: Function, z: Value, slope: Value) -> Value:
    """z where it is positive, slope · z elsewhere."""
    return f.select(z > f.constant(z.kind, 0.0), z, slope * z)


def added(
    f: Function, sums: Sums, source: Rows, weights: Rows, *, lanes: int, channels: int, taps: Sequence[int]
) -> Sums:
    """Add all terms to a register tile.

    Parameters
    ----------
    sums
        What the terms are added to.
    source : Rows, [channel][x]
        From the tile's first pixel on.
    weights : Rows, [channel · taps + tap][output]
    taps
        Columns from the pixel to each tap.
    """
    block, vectors = len(sums), len(sums[0])
    flat = [value for row in sums for value in row]
    with f.loop(0, channels, carrying=flat) as c:
        row, terms = source[c], weights[c * len(taps) :]
        for t, tap in enumerate(taps):
            pixels = [row[tap + v * lanes :].vector(lanes) for v in range(vectors)]
            for o in range(block):
                factor = f.splat(terms[t, o], lanes)
                for v in range(vectors):
                    flat[o * vectors + v] = f.fma(factor, pixels[v], flat[o * vectors + v])
    return [flat[o * vectors : (o + 1) * vectors] for o in range(block)]


def convolved(
    f: Function, source: Rows, packed: Rows, block: int, layout: Layout, *, channels: int, taps: Sequence[int]
) -> Sums:
    """A register tile from packed weights, [slopes, biases, terms …][output], with its PReLU."""
    lanes = layout.target.lanes
    slope, bias = ([f.splat(packed[part, o], lanes) for o in range(block)] for part in (0, 1))
    sums = [[value] * layout.vectors for value in bias]
    sums = added(f, sums, source, packed[2:], lanes=lanes, channels=channels, taps=taps)
    return [[prelu(f, value, a) for value in row] for row, a in zip(sums, slope, strict=True)]


def store(sums: Sums, rows: Rows, lanes: int) -> None:
    """A register tile, to rows [output][x]."""
    for o, v in tiles(sums):
        rows[o, v * lanes :] = sums[o][v]


def extraction(module: Module, layout: Layout) -> Function:
    """Feature extraction and shrinking of one row; the d feature maps exist for one register tile at a time.

    image row, five rows ──5×5──▶ tile [d][tile] ──1×1──▶ destination [s][pitch]
    """
    f = module.function("extraction", "image destination weights scratch columns")
    image, destination, (weights, scratch, columns) = *map(layout.maps, f.parameters[:2]), f.parameters[2:]
    d, wide, narrow, lanes = layout.architecture.d, layout.wide, layout.narrow, layout.target.lanes
    tile, channels = layout.rows(scratch, "tile"), layout.architecture.channels
    extracting = layout.packed(weights + layout.weights["extraction"], wide, 25 * channels)
    shrinking = layout.packed(weights + layout.weights["shrinking"], narrow, d)
    with f.loop(0, columns, layout.tile) as x:
        with f.loop(0, wide.count) as block:
            sums = convolved(
                f, image[-2 * channels :, x:], extracting[block], wide.size, layout,
                channels=5 * channels, taps=range(-2, 3),
            )  # fmt: skip
            store(sums, tile[block * wide.size :], lanes)
        with f.loop(0, narrow.count) as block:
            sums = convolved(f, tile, shrinking[block], narrow.size, layout, channels=d, taps=[0])
            store(sums, destination[block * narrow.size :, x:], lanes)
    return f


def expansion(module: Module, layout: Layout) -> Function:
    """Expanding of one row: source [s][pitch] ──1×1──▶ destination [d][pitch]."""
    f = module.function("expansion", "source destination weights columns")
    source, destination, (weights, columns) = *map(layout.maps, f.parameters[:2]), f.parameters[2:]
    s, wide, lanes = layout.architecture.s, layout.wide, layout.target.lanes
    packed = layout.packed(weights + layout.weights["expanding"], wide, s)
    with f.loop(0, columns, layout.tile) as x, f.loop(0, wide.count) as block:
        sums = convolved(f, source[:, x:], packed[block], wide.size, layout, channels=s, taps=[0])
        store(sums, destination[block * wide.size :, x:], lanes)
    return f


def stamping(module: Module, layout: Layout) -> Function:
    """Deconvolution of one row of features, one channel: added to the nine high-resolution rows that it reaches.

    features [d][pitch] ──9 kernel rows × the kernel columns of a phase──▶ ring rows first … first + 8 [phase][x]

    Output column scale · x + phase takes feature column x + dx through kernel column phase + offset − scale · dx.
    """
    f = module.function("stamping", "features ring first weights width")
    features, ring, first, weights, width = f.parameters
    d, rows, vectors, lanes = layout.architecture.d, layout.stamp_rows, layout.stamp_vectors, layout.target.lanes
    source, high = layout.maps(features)[:, layout.reach :], Rows.of(ring, "float", layout.shapes["ring"])
    zero = f.constant(f"<{lanes} x float>", 0.0)
    with f.loop(0, width, vectors * lanes) as x, f.loop(0, 9 // rows) as group:
        places = [high[(group * rows + (first + k)) % RING, :, x:] for k in range(rows)]
        for phase in range(layout.architecture.scale):
            shifts = [dx for _, dx in layout.taps(phase)]
            packed = Rows.of(weights + layout.weights[f"phase {phase}"], "float", (9 // rows, d * len(shifts), rows))
            sums = [[zero] * vectors for _ in range(rows)]
            sums = added(f, sums, source[:, x:], packed[group], lanes=lanes, channels=d, taps=shifts)
            for k, v in tiles(sums):
                place = places[k][phase, v * lanes :]
                place[0] = place.vector(lanes) + sums[k][v]
    return f


def edges(module: Module, layout: Layout) -> Function:
    """What a row has beside the image: under a replicate border one copied column, beyond it and else zeros.

    `left` is the buffer column of the image's first column, `right` the one after its last; either may be far outside.
    """
    f = module.function("edges", "row channels left right columns")
    row, channels, left, right, columns = f.parameters
    reach, zero = layout.stamp_reach + 1, f.constant("float", 0.0)
    for inside, direction, here in (
        (left, -1, (left >= 0) & (left <= columns)),
        (right - 1, 1, (right >= 1) & (right <= columns)),
    ):
        with f.when(here), f.loop(0, channels) as c:
            line = layout.maps(row)[c, inside:]
            copied = line[0] if layout.border == "replicate" else zero
            for step in range(reach):
                line[direction * (step + 1)] = zero if step else copied
    return f
