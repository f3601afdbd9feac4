"""Steps 4 to 7 on a tile, and the tiles of some rows of blocks.

Each function's formulae are those of its namesake in `piqe_np.reference`, operation by operation; a lane is a column or
a block, and no sum runs along a vector, so that its width does not matter. No product and sum become one FMA.
"""

from __future__ import annotations

from functools import reduce

from piqe_np.llvm.assembler import Function, Module, Rows, Value
from piqe_np.llvm.scratch import ACROSS, GROUP, PITCH, REACH, SEGMENTS, WIDTH, Scratch
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


def add_measure_rows(module: Module, lanes: int) -> Function:
    """The tiles of `count` rows of blocks, from left to right, each from its first row of blocks to its last.

    `pixels` is the image's first row, `pitch` the bytes from one to the next; `gray_levels` the address of what
    `piqe_np.llvm.levels` makes. The results have one number a block, in rows of `tiles` · ACROSS.
    """
    tile = add_tile(module, lanes)
    f = module.function(
        "measure_rows",
        "pixels pitch height width above count tiles gray_levels scaling variances artifacts noises scratch",
    )
    pixels, pitch, height, width, above, count, tiles, gray_levels, scaling, *results, memory = f.parameters
    levels = Scratch(memory).levels
    variances, artifacts, noises = (
        Rows(address, kind, (tiles * (ACROSS * size), ACROSS * size, size))
        for address, kind, size in zip(results, ("double", "i8", "i8"), (8, 1, 1), strict=True)
    )
    with f.loop(0, tiles) as place, f.loop(0, count) as block:
        known = f.select(block > 0, f.integer(2 * MARGIN), 0)  # rows of the blocks above that the filter reaches
        with f.loop(0, known) as row:
            _copy(levels[row + BLOCK, 0:], levels[row, 0:], lanes)
        with f.loop(known, BLOCK + 2 * MARGIN) as row:
            at = f.smaller(f.larger(above + block * BLOCK + row - MARGIN, 0), height - 1)
            f.call(gray_levels, levels[row, 0:], pixels + at * pitch, place * WIDTH - MARGIN, width, scaling)
        f.call(tile, memory, *(found[block, place, 0:] for found in (variances, artifacts, noises)))
    return f


def _copy(source: Rows, target: Rows, lanes: int) -> None:
    with target.address.function.loop(0, PITCH, lanes) as j:
        target[j] = source[j:].vector(lanes)


def add_tile(module: Module, lanes: int) -> Function:
    """Levels to the three measurements of each of the tile's blocks."""
    stages = [add(module, lanes) for add in (add_mscn, add_column_moments, add_noticeable_artifact, add_flattest)]
    finish = add_results(module, lanes)
    f = module.function("tile", "scratch variances artifacts noises")
    scratch, *results = f.parameters
    s = Scratch(scratch)
    detail = f.emit("i1", f"icmp ne i64 {_all_bits(f, s, lanes).name}, 0")
    with f.when(detail):
        for stage in stages:
            f.call(stage, scratch)
        f.call(finish, scratch, *results)
    black = f.emit("i1", f"xor i1 {detail.name}, true")
    with f.when(black):  # as around a breast: no variance, and nothing to compute
        for address, kind in zip(results, ("double", "i8", "i8"), strict=True):
            f.lines.append(f"  store <{ACROSS} x {kind}> zeroinitializer, ptr {f._pointer(address)}, align 1")
    return f


def _all_bits(f: Function, s: Scratch, lanes: int) -> Value:
    """The bits of all levels, united: 0 where all are 0."""
    kind = f"<{lanes} x i64>"
    united = [f.emit(kind, f"freeze {kind} zeroinitializer")]
    rows = f.loop(0, BLOCK + 2 * MARGIN, carrying=united)
    with rows as row, f.loop(0, REACH, lanes, carrying=united) as j:
        united[0] = united[0] | f.load(kind, s.levels[row, j:].address, 8)
    return f.call_reduction("or", united[0])


def gaussian(f: Function, samples: list[Value]) -> Value:
    """The 7-tap filter on seven neighbours."""
    taps = [f.constant(samples[3].kind, tap) for tap in TAPS]
    total = taps[0] * samples[3]
    for k in (1, 2, 3):
        total = total + taps[k] * (samples[3 - k] + samples[3 + k])
    return total


def add_mscn(module: Module, lanes: int) -> Function:
    """Step 4: a group of rows filtered down the columns, with their squares; then along, and normalised."""
    f = module.function("mscn", "scratch")
    s = Scratch(f.parameters[0])
    with f.loop(0, BLOCK, GROUP) as top:
        with f.loop(0, REACH, lanes) as j:
            column = s.levels[top:, j:]
            levels = [column[row, 0:].vector(lanes) for row in range(GROUP + 2 * MARGIN)]
            for number, rows in enumerate((levels, [level * level for level in levels])):
                for member in range(GROUP):
                    s.filtered[number, member, j] = gaussian(f, rows[member : member + 2 * MARGIN + 1])
        with f.loop(0, GROUP) as row, f.loop(0, WIDTH, lanes) as j:
            mean, square = (
                gaussian(f, [s.filtered[number, row, j:][tap:].vector(lanes) for tap in range(2 * MARGIN + 1)])
                for number in range(2)
            )
            deviation = f.intrinsic("sqrt", f.intrinsic("fabs", square - mean * mean))
            level = s.levels[top + row :, j:][MARGIN, MARGIN:].vector(lanes)
            s.coefficients[top + row, j] = (level - mean) / (deviation + f.constant(mean.kind, 1.0))
    return f


def chain_sum(terms: list[Value]) -> Value:
    """Added one after another."""
    return reduce(Value.__add__, terms)


def add_column_moments(module: Module, lanes: int) -> Function:
    """Mean of every column of every block, and the sum of its squared deviations; then with the blocks side by side."""
    f = module.function("column_moments", "scratch")
    s = Scratch(f.parameters[0])
    with f.loop(0, WIDTH, lanes) as j:
        samples = [s.coefficients[row, j:].vector(lanes) for row in range(BLOCK)]
        mean = chain_sum(samples) / f.constant(samples[0].kind, BLOCK)
        deviations = [sample - mean for sample in samples]
        s.means[0, j] = mean
        s.means[1, j] = chain_sum([deviation * deviation for deviation in deviations])
    with f.loop(0, 2) as number, f.loop(0, ACROSS) as block:
        source, turned = s.means[number, block * BLOCK :], s.turned[number, 0:, block:]
        for column in range(BLOCK):
            turned[column, 0] = source[column]
    return f


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


def add_noticeable_artifact(module: Module, lanes: int) -> Function:
    """Step 6: the squared deviations of all segments: of the upright edges, and the lesser of each two level ones."""
    f = module.function("noticeable_artifact", "scratch")
    s = Scratch(f.parameters[0])
    z = s.coefficients
    with f.loop(0, BLOCK) as row:
        sides, line = s.sides[row, 0:, 0:], z[row, 0:]
        for block in range(ACROSS):
            for side, column in enumerate((0, BLOCK - 1)):
                sides[side, block] = line[block * BLOCK + column]
    lanes_of_blocks = min(lanes, ACROSS)
    with f.loop(0, SEGMENTS) as segment, f.loop(0, 2 * ACROSS, lanes_of_blocks) as j:
        samples = [s.sides[segment + k, 0, j:].vector(lanes_of_blocks) for k in range(SEGMENT)]
        s.upright[segment, 0, j] = squared_deviations(f, samples)
    with f.loop(0, WIDTH, lanes) as j:  # the last segments reach beyond the tile, and nobody asks for them
        top, bottom = (
            squared_deviations(f, [z[row, j:][k:].vector(lanes) for k in range(SEGMENT)]) for row in (0, BLOCK - 1)
        )
        s.level[j] = f.smaller(top, bottom)
    return f


def add_flattest(module: Module, lanes: int) -> Function:
    """The least of the squared deviations among the segments of each block's level edges."""
    f = module.function("flattest", "scratch")
    s = Scratch(f.parameters[0])
    with f.loop(0, ACROSS) as block:
        candidates = [s.level[block * BLOCK + place] for place in range(SEGMENTS)]
        s.edges[block] = least(f, candidates)
    return f


def least(f: Function, candidates: list[Value]) -> Value:
    """The smallest number; NaN where there is none."""
    return reduce(f.smaller, candidates)


def add_results(module: Module, lanes: int) -> Function:
    """Step 7, and the three measurements of each block."""
    f = module.function("results", "scratch variances artifacts noises")
    scratch, *results = f.parameters
    s = Scratch(scratch)
    lanes = min(lanes, ACROSS)
    variances, artifacts, noises = (
        Rows(address, kind, (size,))
        for address, kind, size in zip(results, ("double", "i8", "i8"), (8, 1, 1), strict=True)
    )
    with f.loop(0, ACROSS, lanes) as block:
        means, squares = (
            [s.turned[number, column, block:].vector(lanes) for column in range(BLOCK)] for number in range(2)
        )
        of = lambda columns: variance(f, means, squares, columns)  # noqa: E731
        whole = of(list(range(BLOCK)))
        centre, surround = of(list(CENTRE)), of([column for column in range(BLOCK) if column not in NOT_SURROUND])
        active = whole > f.constant(whole.kind, ACTIVE_VARIANCE)
        variances[block] = whole
        upright = [s.upright[segment, side, block:].vector(lanes) for segment in range(SEGMENTS) for side in range(2)]
        edge = least(f, [*upright, s.edges[block:].vector(lanes)])
        deviation = f.intrinsic("sqrt", edge / f.constant(edge.kind, SEGMENT - 1))
        flat = deviation < f.constant(edge.kind, FLAT_DEVIATION)
        artifacts[block] = f.cast("zext", active & flat, f"<{lanes} x i8>")
        noises[block] = f.cast("zext", active & noise(f, whole, centre, surround), f"<{lanes} x i8>")
    return f


def noise(f: Function, whole: Value, centre: Value, surround: Value) -> Value:
    """Step 7: whether the centre differs too little from the surround."""
    deviation = f.intrinsic("sqrt", whole)
    ratio = f.intrinsic("sqrt", centre) / f.intrinsic("sqrt", surround)
    ratio = f.select(ratio >= ratio, ratio, f.constant(ratio.kind, 0.0))  # 0 ÷ 0
    beta = f.intrinsic("fabs", deviation - ratio) / f.larger(deviation, ratio)
    return deviation > f.constant(beta.kind, 2.0) * beta
