"""Power at the frequencies of an enlarged image's own grid: for ×2 the Nyquist frequency along rows, columns, both."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ImageError, OptionError

BLOCK = 24  #: side of a block: a multiple of every scale from 2 to 4
_BLOCK_ROWS = 32  # rows of blocks taken at a time


def grid_power(image: ArrayLike, scale: int = 2) -> float:
    """Mean power of a plane at the frequencies k/scale, l/scale (not both 0) cycles a pixel.

    A texture that repeats with every pixel of the image before it was enlarged has its power there: at ×2 a
    checkerboard of ±a gives a². Bicubic interpolation leaves hardly any.

    Parameters
    ----------
    image : array_like, H×W, of numbers
        In any unit; the power is in its square. Whole blocks of 24×24 pixels are taken, from the upper left corner.
    scale : {2, 3, 4}

    Returns
    -------
    float
        Σ over the frequencies of |Σ w·v·e^(−2πi(k·r + l·c)/scale)|², the mean over the blocks; w is a Hann window
        along both axes that sums to 1, so that a slope does not leak in (F. J. Harris, Proc. IEEE 66(1), 1978).

    Raises
    ------
    ImageError
        No plane, or less than one block.
    OptionError
        Another scale.
    """
    array = np.asarray(image)
    if scale not in (2, 3, 4):
        raise OptionError(f"scale is {scale!r}; allowed are 2, 3 and 4")
    if array.ndim != 2 or min(array.shape) < BLOCK:
        raise ImageError(f"found an array of shape {array.shape}; allowed is a plane of at least {BLOCK}×{BLOCK}")
    waves = _waves(scale)
    down, along = (n // BLOCK for n in array.shape)
    total = 0.0
    for first in range(0, down, _BLOCK_ROWS):
        rows = array[first * BLOCK : min(first + _BLOCK_ROWS, down) * BLOCK, : along * BLOCK].astype(np.float64)
        blocks = rows.reshape(-1, BLOCK, along, BLOCK)
        found = np.einsum("kr,arbc,lc->klab", waves, blocks, waves, optimize=True)
        total += float(np.square(np.abs(found)).sum() - np.square(np.abs(found[0, 0])).sum())
    return total / (down * along)


def _waves(scale: int) -> NDArray[np.complex128]:
    """Hann window times e^(−2πi·k·n/scale), one row for each k."""
    n = np.arange(BLOCK)
    window = (1 - np.cos(2 * np.pi * n / BLOCK)) / BLOCK
    # cos and sin of multiples of a quarter or a third turn, whole periods taken off first
    turn = np.arange(scale)[:, None] * n % scale / scale
    return window * np.exp(-2j * np.pi * turn)
