"""Expanding and deconvolution, two rows at a time, by Toom and Cook's polynomials: 11 multiplications for 18.

Of the rows of a 9×9 kernel every `scale`-th makes every `scale`-th high-resolution row. Down a column of pixels that is a
product of polynomials: of (a + b x), two rows of features, with the kernel rows k0 + k1 x + … of one residue, of which
there are n; its n + 1 coefficients are what the pair adds to n + 1 high-resolution rows. A polynomial is known by its
values at n + 1 points, and there the product is one multiplication:

    rows a, b [s][x] ──1×1, PReLU──▶ a + p b for each point p [point][d][x]              expansion
        ──products with the kernel's values there, over all channels and columns──▶ [point][residue][phase][x]
        ──interpolation──▶ added to the high-resolution rows                              stamping

The points are 0, ∞, ±1/2 and ±3/2, of which n + 1 are used: with them the interpolation is exact in binary but for a
factor of each point, which is put into the kernel's values. See `python -m benchmarks.errors` for others. (S. A. Cook,
On the minimum computation time of functions, Harvard, 1966, chapter 3; S. Winograd, Arithmetic complexity of
computations, SIAM, 1980.)

The lowest coefficient is made of a's product alone, the highest of b's: the pair's rows touch only what depends on them,
like Winograd's groups of four in `winograd.py`, and pairs begin at even rows of the image. Hence a part of an image has
the bits of the whole.

A row goes through in chunks of columns, so that the maps of a chunk stay in the second-level cache:

    columns of the strip  x …               x + head …                 x + head + chunk
    columns of `points`   0 … head          head …                     head + chunk
                          from the chunk before    expanded now        and moved to the front for the next chunk
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import lcm, prod

import numpy as np

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from .kernels import added, every, prelu, store
from .layout import FLOAT, HIGH, Layout

INFINITY = None
POINTS = (Fraction(0), INFINITY, Fraction(1, 2), Fraction(-1, 2), Fraction(3, 2), Fraction(-3, 2))


@cache
def interpolation(n: int) -> tuple[list[list[Fraction]], list[int]]:
    """From a product's values to its n + 1 coefficients: a matrix of binary fractions, and what divides each value."""
    finite = [p for p in POINTS[: n + 1] if p is not INFINITY]
    columns = []
    for p in POINTS[: n + 1]:
        if p is INFINITY:  # Π (x − q) over the finite points q, which vanishes at them
            columns.append(_multiplied(finite))
        else:  # Lagrange's polynomial: 1 at p, 0 at the others
            others = [q for q in finite if q != p]
            at_p = prod((p - q for q in others), start=Fraction(1))
            columns.append([c / at_p for c in _multiplied(others)] + [Fraction(0)])
    odd = [_odd(lcm(*(c.denominator for c in column))) for column in columns]
    return [[column[j] * factor for column, factor in zip(columns, odd, strict=True)] for j in range(n + 1)], odd


def _multiplied(roots: Sequence[Fraction]) -> list[Fraction]:
    """Π (x − root), from the constant on."""
    product = [Fraction(1)]
    for root in roots:
        product = [low - root * high for low, high in zip([Fraction(0), *product], [*product, Fraction(0)], strict=True)]
    return product


def _odd(number: int) -> int:
    while number % 2 == 0:
        number //= 2
    return number


def kernel_values(weight: np.ndarray, scale: int, residue: int) -> np.ndarray:
    """(in, 9, kernel columns) → (points, in, kernel columns): values of the rows of one residue, in float64.

    Each is over what `interpolation` divides it by.
    """
    rows = weight[:, residue::scale].astype(np.float64)
    n = rows.shape[1]
    divisors = interpolation(n)[1]
    powers = [[float(i == n - 1) if p is INFINITY else float(p**i) for i in range(n)] for p in POINTS[: n + 1]]
    return np.einsum("pi,cik->pck", np.array(powers) / np.array(divisors)[:, None], rows)


def packed(weight: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """weight (in, 9, 9) of one channel → for each point and register tile (in, term), terms as `stamping` reads them."""
    columns = {(phase, dx): kx for phase in range(layout.architecture.scale) for kx, dx in layout.taps(phase)}
    values = [kernel_values(weight, layout.architecture.scale, residue) for residue in range(layout.architecture.scale)]
    return [
        np.stack(
            [
                values[tile[o][0]][point][:, columns[tile[o][1], dx]]
                for dx, outputs in layout.stamp_taps(tile)
                for o in outputs
            ],
            axis=1,
        )
        for points, tiles in layout.stamp_tiles
        for point in points
        for tile in tiles
    ]


def expansion(module: Module, layout: Layout) -> Function:
    """Expanding of two rows, at every point: a, b [s][x] ──1×1──▶ points [point][d][x].

    `a_inside` and `b_inside` are 1, or 0 for a row that is no row of features: its source is zero, and so is its bias.
    """
    f = module.function("expansion", "a b a_inside b_inside points weights columns")
    (a, b), insides, (points, weights, columns) = map(layout.maps, f.parameters[:2]), f.parameters[2:4], f.parameters[4:]
    s, tiles, lanes, vectors = layout.architecture.s, layout.paired, layout.target.lanes, layout.pair_vectors
    planes = Rows.of(points, "float", layout.shapes["points"])
    weights = layout.packed(weights + layout.weights["expanding"], tiles, s)
    factors = [f.splat(f.cast("sitofp", inside, "float"), lanes) for inside in insides]
    with f.loop(0, columns, vectors * lanes) as x, f.loop(0, tiles.count) as tile:
        slopes, biases = ([f.splat(weights[tile, part, o], lanes) for o in range(tiles.size)] for part in (0, 1))
        sums = [[bias * factor for factor in factors for _ in range(vectors)] for bias in biases]
        sums = added(
            f, sums, [a[:, x:], b[:, x:]], weights[tile, 2:], lanes=lanes, channels=s, taps=every([0], tiles.size)
        )
        for o, slope in enumerate(slopes):
            made = [prelu(f, value, slope) for value in sums[o]]
            for v in range(vectors):
                for plane, value in enumerate(point_values(f, made[v], made[vectors + v], layout.points)):
                    planes[plane, tile * tiles.size + o, x + v * lanes :] = value
    return f


def point_values(f: Function, a: Value, b: Value, count: int) -> list[Value]:
    """a + b x at so many of the points."""
    return [
        b if p is INFINITY else a if p == 0 else f.fma(f.constant(b.kind, float(p)), b, a) for p in POINTS[:count]
    ]


def stamping(module: Module, layout: Layout) -> Function:
    """Deconvolution of a chunk of two rows, one channel: added to all high-resolution rows that they reach.

    points [point][d][x] ──products──▶ products [point][residue · scale + phase][x] ──▶ ring rows first … [phase][start + x]

    Output column scale · x + phase takes feature column x + dx through kernel column phase + offset − scale · dx.
    """
    f = module.function("stamping", "points ring first weights scratch start columns")
    points, ring, first, weights, scratch, start, columns = f.parameters
    d, scale, lanes, vectors = layout.architecture.d, layout.architecture.scale, layout.target.lanes, layout.stamp_vectors
    source, high = Rows.of(points, "float", layout.shapes["points"]), Rows.of(ring, "float", layout.shapes["ring"])
    products = layout.rows(scratch, "products of pairs")
    zero = f.constant(f"<{lanes} x float>", 0.0)
    address = weights + layout.weights["deconvolution"]
    for numbers, tiles in layout.stamp_tiles:
        sizes = [d * sum(len(outputs) for _, outputs in layout.stamp_taps(tile)) * FLOAT for tile in tiles]
        with f.loop(numbers[0], numbers[-1] + 1) as point:
            here = address + (point - numbers[0]) * sum(sizes)
            for number, tile in enumerate(tiles):
                terms = Rows.of(here + sum(sizes[:number]), "float", (1,))
                with f.loop(0, columns, vectors * lanes) as x:
                    pixels = source[point, :, layout.reach :][:, x:]
                    sums = [[zero] * vectors] * len(tile)
                    sums = added(f, sums, [pixels], terms, lanes=lanes, channels=d, taps=layout.stamp_taps(tile))
                    for o, (residue, phase) in enumerate(tile):
                        for v in range(vectors):
                            products[point, residue * scale + phase, x + v * lanes :] = sums[o][v]
        address = address + len(numbers) * sum(sizes)
    with f.loop(0, columns, lanes) as x:
        for residue in range(scale):
            n = len(range(residue, 9, scale))
            rows = [high[(first + (residue + scale * j)) % HIGH] for j in range(n + 1)]
            for phase in range(scale):
                found = [products[point, residue * scale + phase, x:].vector(lanes) for point in range(n + 1)]
                for row, factors in zip(rows, interpolation(n)[0], strict=True):
                    place = row[phase, start:][x:]
                    place[0] = place.vector(lanes) + combined(f, factors, found)
    return f


def combined(f: Function, factors: Sequence[Fraction], vectors: Sequence[Value]) -> Value:
    """Their sum, each times its factor; what has none is not touched, and may be anything."""
    terms = [(f.constant(v.kind, float(c)), v) for c, v in zip(factors, vectors, strict=True) if c]
    total = terms[0][0] * terms[0][1]
    for factor, vector in terms[1:]:
        total = f.fma(factor, vector, total)
    return total


def pair(module: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """Two rows of shrunk maps, through expanding and deconvolution, chunk by chunk."""
    f = module.function("pair", "a b a_inside b_inside ring first weights scratch width left right columns")
    a, b, a_inside, b_inside, ring, first, weights, scratch, width, left, right, columns = f.parameters
    head, chunk, lanes = layout.head, layout.chunk, layout.target.lanes
    points = layout.rows(scratch, "points")
    maps = layout.points * layout.paired.padded
    lines = Rows.of(points.address, "float", (1, layout.shapes["points"][-1]))
    rings = Rows.of(ring, "float", (1, *layout.shapes["ring"]))

    def expanded(source: Value | int, target: Value | int, count: Value | int) -> None:
        sources = [layout.maps(row)[:, source:] for row in (a, b)]
        f.call(callees["expansion"], *sources, a_inside, b_inside, points[:, :, target:], weights, count)

    expanded(0, 0, head)
    with f.loop(0, width, chunk) as x:
        expanded(x + head, head, f.smaller(columns - head - x, f.integer(chunk)))
        f.call(callees["edges of points"], points, maps, left - x, right - x, head + chunk)
        for channel in range(layout.architecture.channels):
            f.call(
                callees["stamping"], points, rings[channel * HIGH :], first, weights + channel * layout.stamp_weights,
                scratch, x, f.smaller(width - x, f.integer(chunk)),
            )  # fmt: skip
        with f.loop(0, maps) as line, f.loop(0, head, lanes) as column:
            lines[line, column:] = lines[line, chunk:][column:].vector(lanes)
    return f
