"""The mapping layers, four rows at a time by Winograd's F(4, 3): half the multiplications.

    rows d0 … d5 [s][x] ──Bᵀ──▶ spectrum [6][s][tile] ──correlate─▶ products [6][block][tile] ──Aᵀ, PReLU──▶ rows [s][x]

One register tile of columns at a time, so that what is between the rows stays in the first-level cache. Where one
register tile has all outputs, a point's products take the place of its spectrum, which has been read by then.
"""

from __future__ import annotations

from piqe_np.llvm.assembler import Function, Module, Value

from .groups import GROUP
from .kernels import added, every, prelu, store
from .layout import Layout
from .winograd import MAPPING


def mapping(module: Module, layout: Layout) -> Function:
    """mapping(six source rows, four destination rows, weights, scratch, columns): four rows of one mapping layer."""
    sources, destinations = [f"d{i}" for i in range(MAPPING.points)], [f"y{i}" for i in range(GROUP)]
    f = module.function("mapping", " ".join([*sources, *destinations, "weights", "scratch", "columns"]))
    *maps, weights, scratch, columns = f.parameters
    d, y = [layout.maps(one) for one in maps[: MAPPING.points]], [layout.maps(one) for one in maps[MAPPING.points :]]
    lanes, s, blocks = layout.target.lanes, layout.architecture.s, layout.narrow
    zero = f.constant(f"<{lanes} x float>", 0.0)
    spectrum = layout.rows(scratch, "spectrum")
    products = spectrum if blocks.count == 1 else layout.rows(scratch, "products")
    layer = layout.packed(weights, blocks, MAPPING.points * 3 * s)

    def transform(c: Value, source: Value | int, target: int) -> None:
        pixels = [rows[c, source:].vector(lanes) for rows in d]
        for plane, value in enumerate(MAPPING.spectrum(f, pixels)):
            spectrum[plane, c, target:] = value

    with f.loop(0, s) as c:
        transform(c, 0, layout.tile)
    with f.loop(0, columns, layout.tile) as x:
        with f.loop(0, MAPPING.points) as plane, f.loop(0, s) as c:  # the last vector so far is this tile's first
            spectrum[plane, c, 0:] = spectrum[plane, c, layout.tile :].vector(lanes)
        with f.loop(0, s) as c:
            for i in range(lanes, layout.tile + lanes, lanes):
                transform(c, x + i, i)
        with f.loop(0, blocks.count) as block:
            packed = layer[block]
            with f.loop(0, MAPPING.points) as point:
                sums = [[zero] * layout.vectors] * blocks.size
                terms = packed[2:][point * (3 * s) :]
                taps = every(range(3), blocks.size)
                sums = added(f, sums, [spectrum[point]], terms, lanes=lanes, channels=s, taps=taps)
                store(sums, products[point], lanes)
            with f.loop(0, blocks.size) as output:
                slope, bias = (f.splat(packed[part, output], lanes) for part in (0, 1))
                places = [rows[block * blocks.size + output, x:] for rows in y]
                for v in range(layout.vectors):
                    p = [products[point, output, v * lanes :].vector(lanes) for point in range(MAPPING.points)]
                    for place, value in zip(places, MAPPING.results(f, p, bias), strict=True):
                        place[v * lanes] = prelu(f, value, slope)
    return f
