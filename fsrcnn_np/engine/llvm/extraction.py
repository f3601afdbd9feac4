"""Feature extraction and shrinking, four rows at a time; the features exist for one register tile of columns at a time.

    image rows, eight ──Bᵀ──▶ spectrum [8][channel][tile] ──correlate──▶ products [8][maps][tile] ──Aᵀ, PReLU──▶
        features [4][maps][tile] ──1×1, added to──▶ rows [s][x] ──PReLU, when all features are in──▶ rows [s][x]

The 5×5 layer goes by Winograd's F(4, 5), with 8 multiplications for 20. Its features take the place of their products:
some register tiles of maps at a time, few enough for the first-level cache, are shrunk as soon as they are there.
"""

from __future__ import annotations

from piqe_np.llvm.assembler import Function, Module, Rows

from .groups import GROUP
from .kernels import added, every, prelu, store
from .layout import Layout
from .winograd import EXTRACTION


def shrinking(module: Module, layout: Layout) -> Function:
    """shrinking(features of a register tile of one row, destination, weights, first map, maps): added to what is there.

    Not written into `extraction` four times: LLVM would take a quarter longer for everything.
    """
    f = module.function("shrinking", "features destination weights first maps")
    (features, destination), (weights, first, maps) = f.parameters[:2], f.parameters[2:]
    narrow, lanes = layout.narrow, layout.target.lanes
    source = Rows.of(features, "float", layout.shapes["features"][1:])
    packed = layout.packed(weights + layout.weights["shrinking"], narrow, layout.architecture.d)
    with f.loop(0, narrow.count) as block:
        place = layout.maps(destination)[block * narrow.size :]
        sums = [[place[o, v * lanes :].vector(lanes) for v in range(layout.vectors)] for o in range(narrow.size)]
        terms, taps = packed[block, 2:][first:], every([0], narrow.size)
        store(added(f, sums, [source], terms, lanes=lanes, channels=maps, taps=taps), place, lanes)
    return f


def extraction(module: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """extraction(image at the first row, four destination rows, weights, scratch, columns)."""
    destinations = [f"y{i}" for i in range(GROUP)]
    f = module.function("extraction", " ".join(["image", *destinations, "weights", "scratch", "columns"]))
    image, *y = map(layout.maps, f.parameters[: GROUP + 1])
    weights, scratch, columns = f.parameters[GROUP + 1 :]
    a, wide, narrow, lanes = layout.architecture, layout.wide, layout.narrow, layout.target.lanes
    zero = f.constant(f"<{lanes} x float>", 0.0)
    spectrum, products = layout.rows(scratch, "image spectrum"), layout.rows(scratch, "features")
    extracting = layout.packed(weights + layout.weights["extraction"], wide, EXTRACTION.points * 5 * a.channels)
    shrunk = layout.packed(weights + layout.weights["shrinking"], narrow, a.d)

    with f.loop(0, columns, layout.tile) as x:
        with f.loop(0, layout.tile + lanes, lanes) as i:
            for channel in range(a.channels):
                lines = range(-2 * a.channels + channel, (EXTRACTION.points - 2) * a.channels, a.channels)
                pixels = [image[line, x - 2 :][i:].vector(lanes) for line in lines]
                for plane, value in enumerate(EXTRACTION.spectrum(f, pixels)):
                    spectrum[plane, channel, i:] = value

        with f.loop(0, narrow.count) as block, f.loop(0, narrow.size) as o:
            bias = f.splat(shrunk[block, 1, o], lanes)
            for line in y:
                store([[bias] * layout.vectors], line[block * narrow.size + o :, x:], lanes)

        with f.loop(0, wide.count, layout.shrunk) as first:
            end = f.smaller(first + layout.shrunk, f.integer(wide.count))
            maps = f.smaller(end * wide.size, f.integer(a.d)) - first * wide.size
            with f.loop(first, end) as block, f.loop(0, EXTRACTION.points) as point:
                sums = added(
                    f, [[zero] * layout.vectors] * wide.size, [spectrum[point]],
                    extracting[block, 2:][point * (5 * a.channels) :],
                    lanes=lanes, channels=a.channels, taps=every(range(5), wide.size),
                )  # fmt: skip
                store(sums, products[point, (block - first) * wide.size :], lanes)
            with f.loop(first, end) as block, f.loop(0, wide.size) as output:
                slope, bias = (f.splat(extracting[block, part, output], lanes) for part in (0, 1))
                here = products[:, (block - first) * wide.size + output]
                for v in range(layout.vectors):
                    p = [here[point, v * lanes :].vector(lanes) for point in range(EXTRACTION.points)]
                    for row, value in enumerate(EXTRACTION.results(f, p, bias)):
                        here[row, v * lanes :] = prelu(f, value, slope)
            for row, line in enumerate(y):
                f.call(callees["shrinking"], products[row], line[:, x:], weights, first * wide.size, maps)

        with f.loop(0, narrow.count) as block, f.loop(0, narrow.size) as o:
            slope = f.splat(shrunk[block, 0, o], lanes)
            for line in y:
                place = line[block * narrow.size + o, x:]
                for v in range(layout.vectors):
                    place[v * lanes] = prelu(f, place[v * lanes :].vector(lanes), slope)
    return f
