"""Steps 4 to 7 on a tile, and the tiles of some rows of blocks.

Each function's formulae are those of its namesake in `piqe_np.reference`, operation by operation; a lane is a block, so
that vectors' width does not matter. No product and sum become one FMA.
"""

from __future__ import annotations

import math
from functools import reduce

from piqe_np.llvm.assembler import BYTES, Function, Module, Rows, Value
from piqe_np.llvm.scratch import ACROSS, AHEAD, HEIGHT, LATE, REACH, RING, Scratch
from piqe_np.reference import (
    ACTIVE_VARIANCE,
    BLOCK,
    CENTRE,
    FLAT_DEVIATION,
    MARGIN,
    NOT_SURROUND,
    SEGMENT,
    TAPS,
)

ROWS = 4  # of a column that are written out one after another
STAGE = "scratch variances artifacts noises"  # parameters of what is done block by block


def add_measure_rows(module: Module, lanes: int, kind: str) -> Function:
    """The tiles of `groups` groups of `lanes` rows of blocks.

    `pixels` is the image's first row, `pitch` the bytes from one to the next; `gray_levels` the address of what
    `piqe_np.llvm.levels` makes, which stores levels as `kind`. The results have one number a block, and blocks one
    below the other side by side: (groups, across, lanes).
    """
    tile = add_tile(module, lanes, kind)
    f = module.function(
        "measure_rows",
        "pixels pitch height width above groups across gray_levels scaling variances artifacts noises scratch",
    )
    pixels, pitch, height, width, above, groups, across, gray_levels, scaling, *results, memory = f.parameters
    staged = Scratch(memory, lanes, kind).staged
    found = _results(results, lanes, across)
    with f.loop(0, groups) as group, f.loop(0, across, ACROSS) as first:
        top = above + group * (lanes * BLOCK)
        with f.loop(0, lanes * BLOCK + 2 * MARGIN) as row:
            at = f.smaller(f.larger(top + row - MARGIN, 0), height - 1)
            f.call(gray_levels, staged[row, 0:], pixels + at * pitch, first * BLOCK - AHEAD, width, scaling)
        count = f.smaller(across - first, ACROSS)
        f.call(tile, memory, count, *(rows[group, first, 0:] for rows in found))
    return f


def _results(addresses: list[Value], lanes: int, across: Value | int = 1) -> list[Rows]:
    """Variances, artifacts and noises: groups, blocks side by side, lanes."""
    return [
        Rows(address, kind, (across * (lanes * size), lanes * size, size))
        for address, kind, size in zip(addresses, ("double", "i8", "i8"), (8, 1, 1), strict=True)
    ]


def add_tile(module: Module, lanes: int, kind: str) -> Function:
    """Levels to the three measurements of `count` blocks side by side, and of those below them."""
    turn, columns, *rest = (add(module, lanes, kind) for add in (add_turn, add_columns, add_edges, add_results))
    f = module.function("tile", "scratch count variances artifacts noises")
    scratch, count, *results = f.parameters
    found, s = _results(results, lanes), Scratch(scratch, lanes, kind)
    detail = f.emit("i1", f"icmp ne i64 {_all_bits(f, scratch, lanes, kind).name}, 0")
    with f.when(detail):
        f.call(turn, scratch, 0)
        f.call(columns, scratch, BLOCK - 2 * MARGIN, BLOCK)
        with f.loop(0, count + 1) as block:  # a block is finished two columns late
            f.call(turn, scratch, block + 1)
            f.call(columns, scratch, 0, 1)
            keep_edge(f, s, lanes, 3)
            f.call(columns, scratch, 1, LATE)
            with f.when(block > 0):
                for stage in rest:
                    f.call(stage, scratch, *(rows[0, block - 1, 0:] for rows in found))
            keep_edge(f, s, lanes, 2)
            with f.when(block < count):
                f.call(columns, scratch, LATE, BLOCK)
    black = f.emit("i1", f"xor i1 {detail.name}, true")
    with f.when(black), f.loop(0, count) as block:  # as around a breast: no variance, and nothing to compute
        for rows in found:
            rows[0, block, 0] = Value(f, f"<{lanes} x {rows.kind}>", "zeroinitializer")
    return f


def keep_edge(f: Function, s: Scratch, lanes: int, edge: int) -> None:
    """The last column of coefficients is an edge of a block."""
    with f.loop(0, BLOCK) as row:
        s.edges[edge, row, 0] = s.waiting[2, row, 0:].vector(lanes)


def _all_bits(f: Function, scratch: Value, lanes: int, kind: str) -> Value:
    """The bits of all levels, united: 0 where all are 0."""
    staged, words = Scratch(scratch, lanes, kind).staged, REACH * BYTES[kind] // 8
    united = [Value(f, f"<{lanes} x i64>", "zeroinitializer")]
    with f.loop(0, BLOCK * lanes + 2 * MARGIN, carrying=united) as row:
        line = Rows.of(staged[row, 0:].address, "i64", (words,), BYTES[kind])
        with f.loop(0, words - lanes, lanes, carrying=united) as word:
            united[0] = united[0] | line[word:].vector(lanes)
        united[0] = united[0] | line[words - lanes :].vector(lanes)
    return f.call_reduction("or", united[0])


def add_turn(module: Module, lanes: int, kind: str) -> Function:
    """The levels of a block's columns, with blocks one below the other side by side."""
    f = module.function("turn", "scratch block")
    scratch, block = f.parameters
    s = Scratch(scratch, lanes, kind)
    width = BLOCK if kind == "i8" else lanes
    with f.loop(0, HEIGHT) as row, f.loop(0, BLOCK, width) as column:
        lines = [s.staged[row + BLOCK * lane, block * BLOCK + column :].vector(width) for lane in range(lanes)]
        target = s.turned[row, column, 0:]
        for part, vector in enumerate(turned(f, lines)):
            target[part * width] = vector
    return f


def turned(f: Function, lines: list[Value]) -> list[Value]:
    """The first numbers of all lines, then the second ones, …"""
    half, length = len(lines) // 2, int(lines[0].kind[1:].split()[0])
    for _ in range(half.bit_length()):
        lines = [
            f.shuffle(lines[i], lines[i + half], [(start + j) // 2 + j % 2 * length for j in range(length)])
            for i in range(half)
            for start in (0, length)
        ]
    return lines


def gaussian(f: Function, samples: list[Value]) -> Value:
    """The 7-tap filter on seven neighbours."""
    taps = [f.constant(samples[3].kind, tap) for tap in TAPS]
    total = taps[0] * samples[3]
    for k in (1, 2, 3):
        total = total + taps[k] * (samples[3 - k] + samples[3 + k])
    return total


def add_columns(module: Module, lanes: int, kind: str) -> Function:
    """Step 4, and a column's moments: some of a block's columns, filtered down, with their squares, and then along.

    The filter along is three columns behind. The column before is normalised meanwhile, each root a row before it is
    divided by: in a pixel's own order each would wait for the other, and nothing else could go on. Of the column
    before that one, the mean is known, and the deviations from it are added up.
    """
    f = module.function("columns", "scratch first stop")
    scratch, first, stop = f.parameters
    s = Scratch(scratch, lanes, kind)
    double = f"<{lanes} x double>"
    zero, one, sixteenth = (f.constant(double, number) for number in (0.0, 1.0, 1 / BLOCK))

    def new(turned: Rows, levels: Rows, row: int) -> tuple[Value, Value]:
        """A row's level and its square; both are kept."""
        level = turned[row, 0, 0:].vector(lanes)
        level = level if level.floating else f.cast("uitofp", level, double)
        levels[0, row, 0], levels[1, row, 0] = both = level, level * level
        return both

    def divisor_of(variances: Rows) -> Value:
        return f.intrinsic("sqrt", variances.vector(lanes)) + one

    kept = [divisor_of(s.waiting[1, 0, 0:])]
    with f.loop(first, stop, carrying=kept) as place:
        slots = [s.filtered[(place + (RING - age)) % RING, 0:, 0:] for age in range(2 * MARGIN + 1)]
        levels = [s.levels[(place + (RING - age)) % (RING // 2), 0:, 0:] for age in (0, MARGIN)]
        down_a_column = [*slots, *levels, s.waiting, s.turned[0:, place:]]
        steps = [*(rows.pitches[-2] for rows in down_a_column[:-1]), down_a_column[-1].pitches[0]]
        mean, finished = s.mean.vector(lanes), (place + (BLOCK - LATE)) % BLOCK
        for edge, row in enumerate((0, BLOCK - 1)):
            s.edges[edge, finished, 0] = s.waiting[2, row, 0:].vector(lanes)
        for row in range(2 * MARGIN):
            new(down_a_column[-1], levels[0], row)

        def some_rows(carried: list[Value], last: bool) -> None:
            divisor, total, squares, *pointers = carried
            *slots, now, earlier, waiting, turned = (
                Rows(pointer, rows.kind, rows.pitches) for pointer, rows in zip(pointers, down_a_column, strict=True)
            )
            for row in range(ROWS):
                deviation = waiting[2, row, 0:].vector(lanes) - mean
                squares = squares + deviation * deviation
                coefficient = waiting[0, row, 0:].vector(lanes) / divisor
                next_column = last and row == ROWS - 1
                divisor = divisor_of(s.waiting[1, 0, 0:] if next_column else waiting[1, row + 1, 0:])
                waiting[2, row, 0] = coefficient
                total = total + coefficient
                newest, along = new(turned[row:], now[0:, row:], 2 * MARGIN), list[Value]()
                for k in range(2):
                    above = [now[k, row + age, 0:].vector(lanes) for age in range(2 * MARGIN)]
                    down = gaussian(f, [*above, newest[k]])
                    slots[0][k, row, 0] = down
                    along.append(gaussian(f, [*(slot[k, row, 0:].vector(lanes) for slot in slots[:0:-1]), down]))
                waiting[0, row, 0] = earlier[0, row + MARGIN, 0:].vector(lanes) - along[0]
                waiting[1, row, 0] = f.intrinsic("fabs", along[1] - along[0] * along[0])
            onward = (f.opaque(pointer + step * ROWS) for pointer, step in zip(pointers, steps, strict=True))
            carried[:] = [divisor, total, squares, *onward]

        carried = [*kept, zero, zero, *(rows.address for rows in down_a_column)]
        with f.loop(0, BLOCK - ROWS, ROWS, carrying=carried):
            some_rows(carried, last=False)
        some_rows(carried, last=True)
        kept[:] = carried[:1]
        s.moments[0, finished, 0], s.moments[1, finished, 0] = mean, carried[2]
        s.mean[0] = carried[1] * sixteenth
    return f


def chain_sum(terms: list[Value]) -> Value:
    """Added one after another."""
    return reduce(Value.__add__, terms)


def variance(f: Function, means: list[Value], squares: list[Value], columns: list[int]) -> Value:
    """Of some columns of the blocks together, from the columns' moments."""
    number = lambda value: f.constant(means[0].kind, value)  # noqa: E731
    mean = chain_sum([means[column] for column in columns]) / number(len(columns))
    between = [means[column] - mean for column in columns]
    total = chain_sum([squares[column] for column in columns])
    total = total + number(BLOCK) * chain_sum([deviation * deviation for deviation in between])
    return total / number(BLOCK * len(columns) - 1)


def sum_of_six(terms: list[Value]) -> Value:
    """Added by pairs."""
    return chain_sum([terms[0] + terms[1], terms[2] + terms[3], terms[4] + terms[5]])


def squared_deviations(f: Function, samples: list[Value]) -> Value:
    """Of a segment's samples from their mean: the sum."""
    mean = sum_of_six(samples) / f.constant(samples[0].kind, SEGMENT)
    deviations = [sample - mean for sample in samples]
    return sum_of_six([deviation * deviation for deviation in deviations])


def add_edges(module: Module, lanes: int, kind: str) -> Function:
    """Step 6: the least of the squared deviations of the segments of a block's four edges."""
    f = module.function("edges", STAGE)
    s = Scratch(f.parameters[0], lanes, kind)
    least = [f.constant(f"<{lanes} x double>", math.inf)] * 4
    with f.loop(0, BLOCK - SEGMENT + 1, carrying=least) as first:
        for edge in range(4):
            samples = [s.edges[edge, first + k, 0:].vector(lanes) for k in range(SEGMENT)]
            least[edge] = f.smaller(squared_deviations(f, samples), least[edge])
    s.edge[0] = reduce(f.smaller, least)
    return f


def add_results(module: Module, lanes: int, kind: str) -> Function:
    """Step 7, and the three measurements of a block."""
    f = module.function("results", STAGE)
    scratch, *results = f.parameters
    s = Scratch(scratch, lanes, kind)
    variances, artifacts, noises = (rows[0, 0, 0:] for rows in _results(results, lanes))
    means, squares = ([s.moments[number, column, 0:].vector(lanes) for column in range(BLOCK)] for number in range(2))
    of = lambda columns: variance(f, means, squares, columns)  # noqa: E731
    whole = of(list(range(BLOCK)))
    centre, surround = of(list(CENTRE)), of([column for column in range(BLOCK) if column not in NOT_SURROUND])
    active = whole > f.constant(whole.kind, ACTIVE_VARIANCE)
    edge = s.edge.vector(lanes)
    deviation = f.intrinsic("sqrt", edge / f.constant(edge.kind, SEGMENT - 1))
    flat = deviation < f.constant(edge.kind, FLAT_DEVIATION)
    variances[0] = whole
    artifacts[0] = f.cast("zext", active & flat, f"<{lanes} x i8>")
    noises[0] = f.cast("zext", active & noise(f, whole, centre, surround), f"<{lanes} x i8>")
    return f


def noise(f: Function, whole: Value, centre: Value, surround: Value) -> Value:
    """Step 7: whether the centre differs too little from the surround."""
    deviation = f.intrinsic("sqrt", whole)
    ratio = f.intrinsic("sqrt", centre) / f.intrinsic("sqrt", surround)
    ratio = f.select(ratio >= ratio, ratio, f.constant(ratio.kind, 0.0))  # 0 ÷ 0
    beta = f.intrinsic("fabs", deviation - ratio) / f.larger(deviation, ratio)
    return deviation > f.constant(beta.kind, 2.0) * beta
