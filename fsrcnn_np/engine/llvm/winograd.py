"""The mapping layers by Winograd's minimal filtering F(4, 3) along the columns: half the multiplications.

Four rows of a 3×3 layer's output need six rows of its input. With Lavin & Gray, "Fast algorithms for convolutional
neural networks", CVPR 2016, section 4, down each column of pixels

    y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]        d: 6 rows in, g: 3 kernel rows, y: 4 rows out

The ⊙ is, for each of the six points, a 1×3 correlation along the row over all channels: 6 · 3 products for 4 · 9.

    rows d0 … d5 [s][x] ──Bᵀ──▶ spectrum [6][s][tile] ──correlate─▶ products [6][block][tile] ──Aᵀ, PReLU──▶ rows [s][x]

One register tile of columns at a time, so that what is between the rows stays in the first-level cache. Where one
register tile has all outputs, a point's products take the place of its spectrum, which has been read by then.

The points are 0, ±3/4, ±3/2 and ∞: A and B are exact in binary, and of the sets that were tried they round least
(`python -m benchmarks.errors`).

Row 0 of a result uses d0 … d4, rows 1 and 2 use d1 … d4, row 3 uses d1 … d5: the rows outside the group of four touch
only the results that depend on them. That is why a part of an image, cut with its halo at rows that are multiples of 4,
has the same bits as the whole: see `groups.py` for where the groups of each layer start.
"""

from __future__ import annotations

import numpy as np

from piqe_np.llvm.assembler import Function, Module, Value

from .kernels import added, every, prelu, store
from .layout import GROUP, POINTS, Layout

A1, A2, A3 = 3 / 4, 9 / 16, 27 / 64  # the first point and its powers
B1, B2, B3 = 3 / 2, 9 / 4, 27 / 8  # the second
POINT_VALUES = (0, A1, -A1, B1, -B1)  # and infinity


def filter_transform(weight: np.ndarray) -> np.ndarray:
    """(out, in, 3, 3) → U = G g (out, 6, in, 3), computed in float64."""
    rows = []
    for i, p in enumerate(POINT_VALUES):
        others = [p - q for j, q in enumerate(POINT_VALUES) if j != i]
        rows.append(np.array([1, p, p * p]) / np.prod(others))
    return np.einsum("pk,ockx->opcx", [*rows, [0, 0, 1]], weight.astype(np.float64))


def input_transform(f: Function, d: list[Value]) -> list[Value]:
    """Bᵀ d: six rows of a column of pixels → six points, whose rows of Bᵀ are Π (x − q) over the other points q."""

    def polynomial(a: Value, b: Value, c: Value) -> Value:  # (x² − A2)(x² − B2), in x²
        return f.fma(f.constant(a.kind, A2 * B2), a, f.fma(f.constant(a.kind, -(A2 + B2)), b, c))

    def pair(point: float, other: float) -> tuple[Value, Value]:  # (x² ± point · x)(x² − other)
        minus = f.constant(d[0].kind, -other)
        even, odd = f.fma(minus, d[2], d[4]), f.fma(minus, d[1], d[3])
        return f.fma(f.constant(odd.kind, point), odd, even), f.fma(f.constant(odd.kind, -point), odd, even)

    return [polynomial(d[0], d[2], d[4]), *pair(A1, B2), *pair(B1, A2), polynomial(d[1], d[3], d[5])]


def output_transform(f: Function, p: list[Value], bias: Value) -> list[Value]:
    """bias + Aᵀ p: six points → four rows; row i has the i-th powers of the points."""

    def row(a_power: float, a: Value, b_power: float, b: Value, rest: Value) -> Value:
        return f.fma(f.constant(b.kind, b_power), b, f.fma(f.constant(a.kind, a_power), a, rest))

    a_sum, a_difference, b_sum, b_difference = p[1] + p[2], p[1] - p[2], p[3] + p[4], p[3] - p[4]
    return [
        (p[0] + bias) + (a_sum + b_sum),
        row(A1, a_difference, B1, b_difference, bias),
        row(A2, a_sum, B2, b_sum, bias),
        row(A3, a_difference, B3, b_difference, p[5] + bias),
    ]


def mapping(module: Module, layout: Layout) -> Function:
    """mapping(six source rows, four destination rows, weights, scratch, columns): four rows of one mapping layer."""
    sources, destinations = [f"d{i}" for i in range(POINTS)], [f"y{i}" for i in range(GROUP)]
    f = module.function("mapping", " ".join([*sources, *destinations, "weights", "scratch", "columns"]))
    *maps, weights, scratch, columns = f.parameters
    d, y = [layout.maps(one) for one in maps[:POINTS]], [layout.maps(one) for one in maps[POINTS:]]
    lanes, s, blocks = layout.target.lanes, layout.architecture.s, layout.narrow
    zero = f.constant(f"<{lanes} x float>", 0.0)
    spectrum = layout.rows(scratch, "spectrum")
    products = spectrum if blocks.count == 1 else layout.rows(scratch, "products")
    layer = layout.packed(weights, blocks, POINTS * 3 * s)

    def transform(c: Value, source: Value | int, target: int) -> None:
        pixels = [rows[c, source:].vector(lanes) for rows in d]
        for plane, value in enumerate(input_transform(f, pixels)):
            spectrum[plane, c, target:] = value

    with f.loop(0, s) as c:
        transform(c, 0, layout.tile)
    with f.loop(0, columns, layout.tile) as x:
        with f.loop(0, POINTS) as plane, f.loop(0, s) as c:  # the last vector so far is this tile's first
            spectrum[plane, c, 0:] = spectrum[plane, c, layout.tile :].vector(lanes)
        with f.loop(0, s) as c:
            for i in range(lanes, layout.tile + lanes, lanes):
                transform(c, x + i, i)
        with f.loop(0, blocks.count) as block:
            packed = layer[block]
            with f.loop(0, POINTS) as point:
                sums = [[zero] * layout.vectors] * blocks.size
                terms = packed[2:][point * (3 * s) :]
                taps = every(range(3), blocks.size)
                sums = added(f, sums, [spectrum[point]], terms, lanes=lanes, channels=s, taps=taps)
                store(sums, products[point], lanes)
            with f.loop(0, blocks.size) as output:
                slope, bias = (f.splat(packed[part, output], lanes) for part in (0, 1))
                places = [rows[block * blocks.size + output, x:] for rows in y]
                for v in range(layout.vectors):
                    p = [products[point, output, v * lanes :].vector(lanes) for point in range(POINTS)]
                    for place, value in zip(places, output_transform(f, p, bias), strict=True):
                        place[v * lanes] = prelu(f, value, slope)
    return f
