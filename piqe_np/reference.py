"""What PIQE is: one step of the algorithm per function, in NumPy. The fast engine gives the same bits.

N. Venkatanath, D. Praneeth, Maruthi Chandrasekhar Bh, S. S. Channappayya, S. S. Medasani: Blind image quality
evaluation using perception based features. National Conference on Communications (NCC), 2015; and ``piqe`` of
MATLAB's Image Processing Toolbox, R2018b, whose numbers these are where it and the paper differ.

A few sums are written as explicit chains of additions, so that their bits depend neither on how NumPy sums nor on
how the engine's vectors are cut.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np

from piqe_np.matlab import im2double, rgb2gray, round_half_away

BLOCK = 16  # side of a block
MARGIN = 3  # pixels that the filter reaches beyond a block
SEGMENT = 6  # samples in a segment of a block's edge
ACTIVE_VARIANCE = 0.1  # a block is active above it
FLAT_DEVIATION = 0.1  # a segment of an edge is impaired below it
CENTRE = (7, 8)  # the two middle columns of a block
NOT_SURROUND = (7, 9)  # MATLAB leaves out its columns 8 and 10, so that column 9 is centre and surround at once

# The half kernel of a Gaussian with 7 taps and a standard deviation of 7/6, which sum to 1: taps 0, ±1, ±2, ±3.
TAPS = (0.34263151546524945, 0.2372960771171706, 0.07882796468173002, 0.012560200468474614)


class Blocks(NamedTuple):
    """What PIQE measures on each block, arrays of one element per block."""

    variance: np.ndarray  # float64
    artifact: np.ndarray  # bool: an edge has a flat segment
    noise: np.ndarray  # bool: the centre differs too little from the surround


def gray_levels(image: np.ndarray, data_range: tuple[float, float] | None = None) -> np.ndarray:
    """Steps 2 and 3: grey in the image's class, scaled to 0…255 and rounded; nothing is clipped.

    Parameters
    ----------
    image : ndarray, M × N or M × N × 3, uint8, uint16, int16, float32 or float64
    data_range : (float, float), optional
        The values that become 0 and 255. None: what MATLAB takes for the class. Grey is formed with black at 0.

    Returns
    -------
    ndarray, M × N, float64
        Whole numbers.
    """
    if data_range is None:
        if image.ndim == 3:  # piqe.m converts int16 before it forms grey
            image = rgb2gray(im2double(image) if image.dtype == np.int16 else image)
        return round_half_away(255 * im2double(image))
    low, high = data_range
    values = image.astype(np.float64) - low
    if image.ndim == 3:
        values = rgb2gray(values)
        if image.dtype.kind in "iu":
            values = round_half_away(values)
        elif image.dtype == np.float32:
            values = values.astype(np.float32).astype(np.float64)
    return round_half_away(255 * values / (high - low))


def mscn(levels: np.ndarray) -> np.ndarray:
    """Step 4: mean-subtracted contrast-normalised coefficients (Venkatanath 2015, section III-A).

    Parameters
    ----------
    levels : ndarray, (M + 6) × (N + 6), float64
        With a margin of three pixels, at the image's border copies of the outermost ones.

    Returns
    -------
    ndarray, M × N, float64
    """
    mean = gaussian(levels)
    deviation = np.sqrt(np.abs(gaussian(levels * levels) - mean * mean))
    return (levels[MARGIN:-MARGIN, MARGIN:-MARGIN] - mean) / (deviation + 1)


def gaussian(values: np.ndarray) -> np.ndarray:
    """The 7-tap Gaussian, down the columns and then along the rows; the result is 3 smaller on every side."""
    for axis in (0, 1):
        tap = np.lib.stride_tricks.sliding_window_view(values, 2 * MARGIN + 1, axis)
        values = TAPS[0] * tap[..., 3]
        for k in (1, 2, 3):
            values = values + TAPS[k] * (tap[..., 3 - k] + tap[..., 3 + k])
    return values


def blocks_of(coefficients: np.ndarray) -> np.ndarray:
    """Step 5: the blocks of 16 × 16; axes: block row, block column, row, column."""
    rows, columns = (size // BLOCK for size in coefficients.shape)
    return coefficients.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)


def chain_sum(terms: np.ndarray) -> np.ndarray:
    """Add along the last axis, one after another."""
    return reduce(np.add, np.moveaxis(terms, -1, 0))


def column_moments(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of every column of every block, and the sum of its squared deviations from that mean."""
    columns = blocks.swapaxes(2, 3)
    mean = chain_sum(columns) / BLOCK
    deviations = columns - mean[..., None]
    return mean, chain_sum(deviations * deviations)


def variance(mean: np.ndarray, squares: np.ndarray, columns: list[int]) -> np.ndarray:
    """MATLAB's ``var`` (divisor N − 1) of some columns of the blocks together, from the columns' moments.

    The deviations from the common mean follow from those within the columns and those between them
    (T. F. Chan, G. H. Golub, R. J. LeVeque: Algorithms for computing the sample variance. Am. Stat. 37, 1983).
    """
    between = mean[..., columns] - (chain_sum(mean[..., columns]) / len(columns))[..., None]
    total = chain_sum(squares[..., columns]) + BLOCK * chain_sum(between * between)
    return total / (BLOCK * len(columns) - 1)


def noticeable_artifact(blocks: np.ndarray) -> np.ndarray:
    """Step 6: whether one of the four edges has a flat segment (Venkatanath 2015, section III-B-1)."""
    edges = np.stack([blocks[..., 0, :], blocks[..., -1, :], blocks[..., :, 0], blocks[..., :, -1]], axis=-2)
    segments = np.lib.stride_tricks.sliding_window_view(edges, SEGMENT, axis=-1)
    deviations = segments - (sum_of_six(segments) / SEGMENT)[..., None]
    deviation = np.sqrt(sum_of_six(deviations * deviations) / (SEGMENT - 1))
    return np.asarray((deviation < FLAT_DEVIATION).any(axis=(-1, -2)))


def sum_of_six(terms: np.ndarray) -> np.ndarray:
    """Add along the last axis by pairs, so that overlapping segments can share them."""
    pairs = terms[..., 0::2] + terms[..., 1::2]
    return chain_sum(pairs)


def noise(mean: np.ndarray, squares: np.ndarray, block_variance: np.ndarray) -> np.ndarray:
    """Step 7: whether the centre differs too little from the surround (Venkatanath 2015, section III-B-2)."""
    centre = np.sqrt(variance(mean, squares, list(CENTRE)))
    surround = np.sqrt(variance(mean, squares, [column for column in range(BLOCK) if column not in NOT_SURROUND]))
    deviation = np.sqrt(block_variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = centre / surround
        ratio = np.where(np.isnan(ratio), 0, ratio)
        beta = np.abs(deviation - ratio) / np.maximum(deviation, ratio)
        return deviation > 2 * beta


def measure(pixels: np.ndarray, above: int, count: int, data_range: tuple[float, float] | None = None) -> Blocks:
    """Steps 1 to 7 on `count` rows of blocks.

    Parameters
    ----------
    pixels : ndarray, M × N or M × N × 3, uint8, uint16, int16, float32 or float64
        The image, or as many of its rows as the blocks and the filter need: three above and below, and fewer only
        where the image ends. Beyond its ends the outermost pixels go on (step 1's padding and the filter's border).
    above : int
        Rows of `pixels` above the first block, 0 or 3.
    count : int
        Rows of blocks.
    data_range : (float, float), optional
        See `gray_levels`.

    Returns
    -------
    Blocks
        `count` × ceil(N / 16) each.
    """
    height, width = pixels.shape[:2]
    rows = np.arange(-MARGIN, count * BLOCK + MARGIN) + above
    columns = np.arange(-MARGIN, -(-width // BLOCK) * BLOCK + MARGIN)
    with np.errstate(over="ignore", invalid="ignore"):  # floats beyond 1e150: a block with them is not active
        levels = gray_levels(pixels, data_range)
        levels = levels[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)]
        blocks = blocks_of(mscn(levels))
        mean, squares = column_moments(blocks)
        block_variance = variance(mean, squares, list(range(BLOCK)))
        active = block_variance > ACTIVE_VARIANCE
        return Blocks(
            block_variance,
            active & noticeable_artifact(blocks),
            active & noise(mean, squares, block_variance),
        )


def pool(blocks: Blocks) -> float:
    """Step 8: the score from the active blocks (Venkatanath 2015, section III-C); 100 if there is none."""
    total, count = np.zeros(1), 0
    for first in range(0, len(blocks.variance), 64):  # so many rows of blocks stay in the cache
        variance, artifact, noise = (part[first : first + 64] for part in blocks)
        active = variance > ACTIVE_VARIANCE
        v = variance[active]
        distortions = artifact[active] * (1 - v) + noise[active] * v
        total = np.cumsum(np.append(total[-1], distortions))  # one after another, unlike numpy.sum
        count += v.size
    return float(100 * (total[-1] + 1) / (count + 1))
