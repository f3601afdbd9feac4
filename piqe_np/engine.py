"""PIQE in Numba: `measure` of the reference, fused over tiles that stay in the cache, with the same bits.

A tile is a row of blocks, 512 pixels wide. Its rows live in flat scratch arrays of a fixed pitch, and every loop
over columns has a fixed length and stands innermost, or around loops short enough to be unrolled: that is what LLVM
needs to turn it into vectors. Each function's formulae are those of its namesake in the reference, operation by
operation; no sum runs along a vector, so that its width does not matter.
"""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

import math

import numpy as np

from piqe_np.compiled import kernel
from piqe_np.matlab import BLUE, CLASSES, GREEN, RED, im2double
from piqe_np.reference import (
    ACTIVE_VARIANCE,
    BLOCK,
    CENTRE,
    FLAT_DEVIATION,
    MARGIN,
    NOT_SURROUND,
    SEGMENT,
    TAPS,
    Blocks,
)

WIDTH = 512  # columns of a tile
ACROSS = WIDTH // BLOCK  # its blocks
PITCH = WIDTH + 8  # of a scratch row; rows 4096 bytes apart would compete for the same few cache lines
REACH = WIDTH + 2 * MARGIN
GROUP = 4  # rows that are filtered together, so that what they share is computed once
SQUARES = GROUP * PITCH  # where the filtered squares begin, behind the filtered levels
SIDES = 2 * ACROSS  # left and right edges of a tile's blocks
SEGMENTS = BLOCK - SEGMENT + 1
TAP0, TAP1, TAP2, TAP3 = TAPS
DOUBLE, SINGLE, WHOLE = range(3)  # how grey is stored


def measure(pixels: np.ndarray, above: int, count: int, data_range: tuple[float, float] | None = None) -> Blocks:
    """Steps 1 to 7 on whole rows of blocks; see `piqe_np.reference.measure`."""
    if pixels.ndim == 3 and pixels.dtype == np.int16 and data_range is None:
        pixels = im2double(pixels)
    if not (pixels.flags.carray and pixels.dtype.isnative):  # a read-only array would be one more type to compile for
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), order="C")
    store = WHOLE if pixels.dtype.kind != "f" else SINGLE if pixels.dtype == np.float32 else DOUBLE
    before, after = (1.0, 255.0) if data_range is None else (255.0, 1.0)
    offset, divisor = CLASSES[pixels.dtype.name] if data_range is None else (0.0, data_range[1] - data_range[0])
    dark = 0.0 if data_range is None else data_range[0]
    shape = count, -(-pixels.shape[1] // BLOCK)
    blocks = Blocks(np.empty(shape), np.empty(shape, bool), np.empty(shape, bool))
    measure_rows(pixels, above, store, dark, before, float(offset), float(divisor), after, *blocks)
    return blocks


@kernel
def measure_rows(pixels, above, store, dark, before, offset, divisor, after, variances, artifacts, noises):
    """Steps 1 to 7 on rows of blocks, tile by tile; the last three arguments, one element a block, are filled."""
    height, width = pixels.shape[:2]
    count, across = variances.shape
    levels = np.empty((BLOCK + 2 * MARGIN) * PITCH)
    filtered = np.empty(2 * SQUARES)
    coefficients = np.empty(BLOCK * PITCH)
    means, squares = np.empty(WIDTH), np.empty(WIDTH)
    means_by_column, squares_by_column = np.empty(WIDTH), np.empty(WIDTH)
    whole, centre, surround, noisy = np.empty(ACROSS), np.empty(ACROSS), np.empty(ACROSS), np.empty(ACROSS)
    edges, sides = np.empty(ACROSS), np.empty(BLOCK * SIDES)
    upright, level = np.empty(SEGMENTS * SIDES), np.empty(WIDTH)
    for block in range(count):
        for left in range(0, width, WIDTH):
            for row in range(BLOCK + 2 * MARGIN):
                at = min(max(above + block * BLOCK - MARGIN + row, 0), height - 1)
                line = levels[row * PITCH :]
                gray_levels(pixels, at, left - MARGIN, store, dark, before, offset, divisor, after, line)
            if black(levels):
                for place in range(ACROSS):
                    whole[place] = 0.0
            else:
                for row in range(0, BLOCK, GROUP):
                    gaussian_down(levels[row * PITCH :], filtered)
                    for member in range(GROUP):
                        middle = (row + member + MARGIN) * PITCH + MARGIN
                        mscn(levels[middle:], filtered[member * PITCH :], coefficients[(row + member) * PITCH :])
                column_moments(coefficients, means, squares)
                by_column(means, means_by_column)
                by_column(squares, squares_by_column)
                variance(means_by_column, squares_by_column, 0, BLOCK, -1, -1, whole)
                variance(means_by_column, squares_by_column, CENTRE[0], CENTRE[1] + 1, -1, -1, centre)
                variance(means_by_column, squares_by_column, 0, BLOCK, NOT_SURROUND[0], NOT_SURROUND[1], surround)
                noise(whole, centre, surround, noisy)
                noticeable_artifact(coefficients, sides, upright, level)
                flattest(upright, level, edges)
            first = left // BLOCK
            for place in range(min(ACROSS, across - first)):
                active = whole[place] > ACTIVE_VARIANCE
                variances[block, first + place] = whole[place]
                artifacts[block, first + place] = active and edges[place] < FLAT_DEVIATION
                noises[block, first + place] = active and noisy[place] > 0


@kernel
def round_half_away(value):
    """MATLAB's `round` of one float64."""
    whole = np.trunc(value)
    return whole + math.copysign(1.0 if abs(value - whole) >= 0.5 else 0.0, value)


@kernel
def gray_level(line, column, store, dark, before, offset, divisor, after):
    """Steps 2 and 3 for one pixel of a row; see `piqe_np.reference.gray_levels`."""
    if line.ndim == 1:
        grey = np.float64(line[column]) - dark
    else:
        red, green, blue = line[column, 0] - dark, line[column, 1] - dark, line[column, 2] - dark
        grey = (red * RED + green * GREEN) + blue * BLUE
        if store == WHOLE:
            grey = round_half_away(grey)
        elif store == SINGLE:
            grey = np.float64(np.float32(grey))
    return round_half_away(after * ((before * grey + offset) / divisor))


@kernel
def gray_levels(pixels, row, left, store, dark, before, offset, divisor, after, levels):
    """One row from column `left`, which may lie before the first; beyond the image its outermost pixels go on."""
    width = pixels.shape[1]
    start, stop = max(0, -left), min(REACH, width - left)
    inside, line = levels[start:], pixels[row, left + start :]
    as_they_are = divisor == after and before == 1.0 and offset == 0.0 and dark == 0.0
    if pixels.ndim == 2 and as_they_are:  # uint8
        for column in range(stop - start):
            inside[column] = line[column]
    else:
        for column in range(stop - start):
            inside[column] = gray_level(line, column, store, dark, before, offset, divisor, after)
    for column in range(start):
        levels[column] = levels[start]
    for column in range(stop, REACH):
        levels[column] = levels[stop - 1]


@kernel
def black(levels):
    """Whether all levels are 0, as around a breast: their variance is 0, and nothing needs to be computed."""
    for row in range(BLOCK + 2 * MARGIN):
        for j in range(row * PITCH, row * PITCH + REACH):
            if levels[j] != 0.0:
                return False
    return True


@kernel
def gaussian(a, b, c, d, e, f, g):
    """The 7-tap filter on seven neighbours, summed in the reference's order."""
    return ((TAP0 * d + TAP1 * (c + e)) + TAP2 * (b + f)) + TAP3 * (a + g)


@kernel
def gaussian_down(levels, filtered):
    """Levels and their squares, filtered down the columns, for a group of rows."""
    for j in range(REACH):
        a, b, c = levels[j], levels[PITCH + j], levels[2 * PITCH + j]
        d, e, f = levels[3 * PITCH + j], levels[4 * PITCH + j], levels[5 * PITCH + j]
        aa, bb, cc, dd, ee, ff = a * a, b * b, c * c, d * d, e * e, f * f
        for row in range(GROUP):
            g = levels[(row + 2 * MARGIN) * PITCH + j]
            gg = g * g
            filtered[row * PITCH + j] = gaussian(a, b, c, d, e, f, g)
            filtered[SQUARES + row * PITCH + j] = gaussian(aa, bb, cc, dd, ee, ff, gg)
            a, b, c, d, e, f = b, c, d, e, f, g
            aa, bb, cc, dd, ee, ff = bb, cc, dd, ee, ff, gg


@kernel
def mscn(levels, filtered, coefficients):
    """One row: filtered along it, then normalised."""
    for j in range(WIDTH):
        mean = gaussian(
            filtered[j],
            filtered[j + 1],
            filtered[j + 2],
            filtered[j + 3],
            filtered[j + 4],
            filtered[j + 5],
            filtered[j + 6],
        )
        square = gaussian(
            filtered[SQUARES + j],
            filtered[SQUARES + j + 1],
            filtered[SQUARES + j + 2],
            filtered[SQUARES + j + 3],
            filtered[SQUARES + j + 4],
            filtered[SQUARES + j + 5],
            filtered[SQUARES + j + 6],
        )
        deviation = math.sqrt(abs(square - mean * mean))
        coefficients[j] = (levels[j] - mean) / (deviation + 1.0)


@kernel
def column_moments(coefficients, means, squares):
    """Mean and sum of squared deviations of every column."""
    for j in range(WIDTH):
        mean = coefficients[j]
        for row in range(1, BLOCK):
            mean += coefficients[row * PITCH + j]
        mean /= BLOCK
        total = 0.0
        for row in range(BLOCK):
            deviation = coefficients[row * PITCH + j] - mean
            total += deviation * deviation
        means[j] = mean
        squares[j] = total


@kernel
def by_column(values, turned):
    """The same column of all blocks side by side."""
    for column in range(BLOCK):
        for block in range(ACROSS):
            turned[column * ACROSS + block] = values[block * BLOCK + column]


@kernel
def variance(means, squares, start, stop, without, nor, variances):
    """Of each block's columns from `start` to `stop` but two."""
    for block in range(ACROSS):
        columns = 0
        total = 0.0
        for column in range(start, stop):
            if column != without and column != nor:
                columns += 1
                total += means[column * ACROSS + block]
        mean = total / columns
        within = 0.0
        between = 0.0
        for column in range(start, stop):
            if column != without and column != nor:
                deviation = means[column * ACROSS + block] - mean
                within += squares[column * ACROSS + block]
                between += deviation * deviation
        variances[block] = (within + BLOCK * between) / (BLOCK * columns - 1)


@kernel
def noise(variances, centres, surrounds, noises):
    """Step 7 for a tile's blocks: 1 where the centre differs too little from the surround."""
    for block in range(ACROSS):
        deviation = math.sqrt(variances[block])
        ratio = math.sqrt(centres[block]) / math.sqrt(surrounds[block])
        ratio = 0.0 if ratio != ratio else ratio
        beta = abs(deviation - ratio) / (deviation if deviation > ratio else ratio)
        noises[block] = 1.0 if deviation > 2 * beta else 0.0


@kernel
def squared_deviations(z, start, step):
    """Of a segment's six samples, `step` apart, from their mean: the sum."""
    a, b, c = z[start], z[start + step], z[start + 2 * step]
    d, e, f = z[start + 3 * step], z[start + 4 * step], z[start + 5 * step]
    mean = ((a + b) + (c + d) + (e + f)) / SEGMENT
    a, b, c, d, e, f = a - mean, b - mean, c - mean, d - mean, e - mean, f - mean
    return (a * a + b * b) + (c * c + d * d) + (e * e + f * f)


@kernel
def noticeable_artifact(z, sides, upright, level):
    """The squared deviations of all segments: of the upright edges, and the lesser of each two level ones."""
    for row in range(BLOCK):
        for block in range(ACROSS):
            sides[row * SIDES + block] = z[row * PITCH + block * BLOCK]
        for block in range(ACROSS):  # a loop of its own: in one, LLVM takes seconds to compile the two
            sides[row * SIDES + ACROSS + block] = z[row * PITCH + block * BLOCK + BLOCK - 1]
    for j in range(SEGMENTS * SIDES):
        upright[j] = squared_deviations(sides, j, SIDES)
    for j in range(WIDTH - SEGMENT + 1):
        top = squared_deviations(z, j, 1)
        bottom = squared_deviations(z, (BLOCK - 1) * PITCH + j, 1)
        level[j] = top if top < bottom else bottom


@kernel
def flattest(upright, level, deviations):
    """The least deviation among the segments of each block's four edges."""
    for block in range(ACROSS):
        least = math.inf
        for segment in range(SEGMENTS):
            least = min(least, upright[segment * SIDES + block], upright[segment * SIDES + ACROSS + block])
        deviations[block] = least
    for block in range(ACROSS):
        least = deviations[block]
        for place in range(block * BLOCK, block * BLOCK + SEGMENTS):
            least = min(least, level[place])
        deviations[block] = math.sqrt(least / (SEGMENT - 1))
