"""Expanding and deconvolution, four rows at a time, by Toom and Cook's polynomials: 15 multiplications for 36.

Of the rows of a 9×9 kernel every `scale`-th makes every `scale`-th high-resolution row. Down a column of pixels that is
a product of polynomials: of r0 + r1 x + r2 x² + r3 x³, four rows of features, with the n kernel rows k0 + k1 x + … of
one residue; its n + 3 coefficients are what the four add to n + 3 high-resolution rows. A polynomial is known by its
values at n + 3 points, and there the product is one multiplication:

    rows r0 … r3 [s][x] ──1×1, PReLU──▶ r0 + p r1 + p² r2 + p³ r3 for each point p [point][d][x]             expansion
        ──times the kernel's values there, summed over maps and columns──▶ products [point][residue · scale + phase][x]
                                                                                                          multiplication
        ──interpolation──▶ added to the high-resolution rows                                              stamping

The points are 0, ∞, 3/8, −1/2, ±1, −2 and 9/4. With them the interpolation is exact in binary but for a factor of
each point, which is put into the kernel's values. Where n + 3 is less than 8 the last are left out: features are seldom
negative, and add up at 9/4 where they cancel at −2, which rounds less. (S. A. Cook, On the minimum computation time
of functions, Harvard, 1966, chapter 3; S. Winograd, Arithmetic complexity of computations, SIAM, 1980.) Maps are added
in an `order` that keeps sums small.

The lowest coefficient is made of r0 alone, the highest of r3; all between share their rounding errors. `groups.py` says
at which rows groups begin, so that a part of an image has the bits of the whole.

Features exist for some maps and columns at a time, few enough for the first-level cache: maps go through in groups, and
a group's row in chunks of columns,

    columns of the strip   x …                        x + head …              x + head + chunk
    columns of `points`    0 …                        head …                  head + chunk
                           from the chunk before      expanded now, and its end moved to the front for the next chunk

and the sums of the groups are added up, which keeps the rounding of long sums away, too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from ...network.weights import Weights
from . import kernels
from .groups import GROUP
from .kernels import added, every, prelu
from .layout import FLOAT, MAPS, STAMP_VECTORS, Layout

ROWS = " ".join(f"{name}{i}" for name in ("row", "inside") for i in range(GROUP))  # parameters of functions
INFINITY = None
POINTS = (Fraction(0), INFINITY, *(Fraction(p, 8) for p in (3, -4, 8, -8, -16, 18)))


@cache
def interpolation(count: int) -> tuple[list[list[Fraction]], list[int]]:
    """From a product's values at so many points to its coefficients: a matrix of binary fractions, and divisors.

    Each value is to be divided by its divisor first.
    """
    points = POINTS[:count]
    finite = [p for p in points if p is not INFINITY]
    columns = []
    for p in points:
        if p is INFINITY:  # Π (x − q) over the finite points q, which vanishes at them
            columns.append(_multiplied(finite))
        else:  # Lagrange's polynomial: 1 at p, 0 at the others
            others = [q for q in finite if q != p]
            at_p = math.prod((p - q for q in others), start=Fraction(1))
            columns.append([c / at_p for c in _multiplied(others)] + [Fraction(0)])
    odd = [_odd(math.lcm(*(c.denominator for c in column))) for column in columns]
    return [[column[j] * factor for column, factor in zip(columns, odd, strict=True)] for j in range(count)], odd


def _multiplied(roots: Sequence[Fraction]) -> list[Fraction]:
    """Π (x − root), from the constant on."""
    product = [Fraction(1)]
    for root in roots:
        product = [
            low - root * high for low, high in zip([Fraction(0), *product], [*product, Fraction(0)], strict=True)
        ]
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
    count = n + GROUP - 1
    divisors = interpolation(count)[1]
    powers = [[float(i == n - 1) if p is INFINITY else float(p**i) for i in range(n)] for p in POINTS[:count]]
    return np.einsum("pi,cik->pck", np.array(powers) / np.array(divisors)[:, None], rows)


def order(weights: Weights) -> np.ndarray:
    """The maps' numbers in an order that keeps sums small while they grow, and with them what their rounding loses.

    What the maps of a flat grey image add to each sum, weighed by what the interpolation makes of it, goes up and down:
    next is always the map after which the sums are nearest to zero. That halves the error of some models.
    """
    maps = np.full(weights.architecture.channels, np.mean(weights.value_range)) - weights.input_mean
    for layer in weights.astype(np.float64).convolutions:
        maps = layer.weight.sum((2, 3)) @ maps + layer.bias
        maps = np.where(maps > 0, maps, layer.slope * maps)
    scale, sums = weights.architecture.scale, []
    for weight, residue in itertools.product(weights.deconvolution.weight.swapaxes(0, 1), range(scale)):
        values = kernel_values(weight, scale, residue)
        flat = [1.0 if p is INFINITY else float(sum(p**i for i in range(GROUP))) for p in POINTS[: len(values)]]
        counts = np.linalg.norm(np.array(interpolation(len(values))[0], float), axis=0)
        for phase in range(scale):
            sums.append((counts * flat)[:, None] * values[:, :, phase::scale].sum(2) * maps)
    alike = np.concatenate(sums).T @ np.concatenate(sums)
    found, growth = [], np.diag(alike).copy()  # of the sums' squares, with each map
    for _ in range(len(maps)):
        found.append(int(growth.argmin()))
        growth += 2 * alike[found[-1]]
        growth[found[-1]] = np.inf
    return np.array(found)


def packed(weight: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """weight (in, 9, 9) of one channel → for each point and register tile (in, term), in `multiplication`'s order."""
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
    """Expanding of four rows, some register tiles of maps, at every point: rows [s][x] ──1×1──▶ points [point][map][x].

    `inside…` are 1, or 0 for a row that is no row of features: its source is zero, and so is its bias.
    """
    f = module.function("expansion", f"{ROWS} points weights first end columns")
    sources, insides = list(map(layout.maps, f.parameters[:GROUP])), f.parameters[GROUP : 2 * GROUP]
    points, weights, first, end, columns = f.parameters[2 * GROUP :]
    s, size, lanes = layout.architecture.s, layout.expanded.size, layout.target.lanes
    planes = Rows.of(points, "float", layout.shapes["points"])
    packed = layout.packed(weights + layout.weights["expanding"], layout.expanded, s)
    factors = [f.splat(f.cast("sitofp", inside, "float"), lanes) for inside in insides]
    with f.loop(first, end) as block, f.loop(0, columns, lanes) as x:
        slopes, biases = ([f.splat(packed[block, part, o], lanes) for o in range(size)] for part in (0, 1))
        sums = [[bias * factor for factor in factors] for bias in biases]
        here = [source[:, x:] for source in sources]
        sums = added(f, sums, here, packed[block, 2:], lanes=lanes, channels=s, taps=every([0], size))
        for o, slope in enumerate(slopes):
            rows = [prelu(f, value, slope) for value in sums[o]]
            for plane, value in enumerate(point_values(f, rows, layout.points)):
                planes[plane, (block - first) * size + o, x:] = value
    return f


def point_values(f: Function, rows: Sequence[Value], count: int) -> list[Value]:
    """r0 + r1 x + r2 x² + r3 x³ at so many of the points; the even and the odd half serve p and −p."""
    r0, r1, r2, r3 = rows

    def times(factor: Fraction, value: Value, rest: Value) -> Value:
        return rest + value if factor == 1 else f.fma(f.constant(value.kind, float(factor)), value, rest)

    found, halves = [], {}
    for p in POINTS[:count]:
        if p is INFINITY or p == 0:
            found.append(r0 if p == 0 else r3)
        else:
            square = p * p
            if square not in halves:
                halves[square] = times(square, r2, r0), times(square, r3, r1)
            even, odd = halves[square]
            found.append(times(p, odd, even))
    return found


def multiplication(module: Module, layout: Layout) -> Function:
    """Products of some maps at all points, one channel of the result: points [point][map][x], added to `products`.

    Output column scale · x + phase takes feature column x + dx through kernel column phase + offset − scale · dx.
    """
    f = module.function("multiplication", "points products weights first maps columns")
    points, products, weights, first, maps, columns = f.parameters
    d, scale, lanes = layout.architecture.d, layout.architecture.scale, layout.target.lanes
    source = Rows.of(points, "float", layout.shapes["points"])
    target = Rows.of(products, "float", layout.shapes["products of groups"][1:])
    zero = f.constant(f"<{lanes} x float>", 0.0)
    address = weights + layout.weights["deconvolution"]
    for numbers, tiles in layout.stamp_tiles:
        terms = [sum(len(outputs) for _, outputs in layout.stamp_taps(tile)) for tile in tiles]
        with f.loop(numbers[0], numbers[-1] + 1) as point:
            here = address + (point - numbers[0]) * (d * sum(terms) * FLOAT)
            for number, tile in enumerate(tiles):
                values = Rows.of(here + d * sum(terms[:number]) * FLOAT, "float", (1, terms[number]))[first:]
                with f.loop(0, columns, STAMP_VECTORS * lanes) as x:
                    pixels = source[point, :, layout.stamp_reach :][:, x:]
                    sums = [[zero] * STAMP_VECTORS] * len(tile)
                    sums = added(f, sums, [pixels], values, lanes=lanes, channels=maps, taps=layout.stamp_taps(tile))
                    for o, v in kernels.tiles(sums):
                        residue, phase = tile[o]
                        place = target[point, residue * scale + phase, x + v * lanes :]
                        place[0] = place.vector(lanes) + sums[o][v]
        address = address + len(numbers) * d * sum(terms) * FLOAT
    return f


def stamping(module: Module, layout: Layout) -> Function:
    """Interpolation of one channel: products, which become zero again, → all high-resolution rows that they reach."""
    f = module.function("stamping", "products ring first width")
    products, ring, first, width = f.parameters
    scale, lanes = layout.architecture.scale, layout.target.lanes
    source = Rows.of(products, "float", layout.shapes["products of groups"][1:])
    high = Rows.of(ring, "float", layout.shapes["ring"])
    zero = f.constant(f"<{lanes} x float>", 0.0)
    with f.loop(0, width, lanes) as x:
        for residue in range(scale):
            count = len(range(residue, 9, scale)) + GROUP - 1
            rows = [high[(first + (residue + scale * j)) % layout.high] for j in range(count)]
            for phase in range(scale):
                places = [source[point, residue * scale + phase, x:] for point in range(count)]
                found = [place.vector(lanes) for place in places]
                for place in places:
                    place[0] = zero
                for row, factors in zip(rows, interpolation(count)[0], strict=True):
                    result = row[phase, x:]
                    result[0] = result.vector(lanes) + combined(f, factors, found)
    return f


def combined(f: Function, factors: Sequence[Fraction], vectors: Sequence[Value]) -> Value:
    """Their sum, each times its factor; what has none is not touched, and may be anything."""
    terms = [(f.constant(v.kind, float(c)), v) for c, v in zip(factors, vectors, strict=True) if c]
    total = terms[0][0] * terms[0][1]
    for factor, vector in terms[1:]:
        total = f.fma(factor, vector, total)
    return total


def deconvolution(module: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """Four rows of shrunk maps, through expanding and deconvolution: groups of maps, chunks of columns."""
    f = module.function("deconvolution", f"{ROWS} ring first weights scratch width left right columns")
    rows, insides = f.parameters[:GROUP], f.parameters[GROUP : 2 * GROUP]
    ring, first, weights, scratch, width, left, right, columns = f.parameters[2 * GROUP :]
    head, chunk, lanes, blocks = layout.head, layout.chunk, layout.target.lanes, layout.expanded
    points, products = layout.rows(scratch, "points"), layout.rows(scratch, "products of groups")
    lines = Rows.of(points.address, "float", (1, layout.shapes["points"][-1]))
    rings = Rows.of(ring, "float", layout.shapes["ring"])
    planes = math.prod(layout.shapes["points"][:2])

    with f.loop(0, blocks.count, layout.group) as block:
        end = f.smaller(block + layout.group, f.integer(blocks.count))
        maps = f.smaller(end * blocks.size, f.integer(layout.architecture.d)) - block * blocks.size

        with f.loop(0, width, chunk) as x:
            have = f.smaller(x, f.integer(head))  # of the points, from the chunk before
            sources = [layout.maps(row)[:, x + have :] for row in rows]
            count = f.smaller(columns - x, f.integer(head + chunk)) - have
            f.call(callees["expansion"], *sources, *insides, points[:, :, have:], weights, block, end, count)
            f.call(callees["edges of points"], points, planes, left - x, right - x, head + chunk)
            for channel in range(layout.architecture.channels):
                f.call(
                    callees["multiplication"], points, products[channel, :, :, x:],
                    weights + channel * layout.stamp_weights, block * blocks.size, maps,
                    f.smaller(width - x, f.integer(chunk)),
                )  # fmt: skip
            with f.loop(0, planes, MAPS) as line:
                for i, column in itertools.product(range(MAPS), range(0, head, lanes)):
                    lines[line:][i, column:] = lines[line:][i, chunk + column :].vector(lanes)
    for channel in range(layout.architecture.channels):
        f.call(callees["stamping"], products[channel:], rings[channel * layout.high :], first, width)
    return f
