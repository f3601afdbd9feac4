"""RGB around a network that sees luma alone: split before it, and joined behind it with the chroma enlarged.

All in float32 and unquantised; one rounding at the very end. This is the reference, which defines the answer;
`fsrcnn_np.images.llvm.colour` has the same functions and the same bits, fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from fsrcnn_np.images.colour import YCbCr, rgb_to_ycbcr, ycbcr_to_rgb
from fsrcnn_np.images.imresize import Pass, machine_code_for, resized
from fsrcnn_np.images.value_range import ValueRange, denormalise, normalise, row_blocks

REFERENCE = sys.modules[__name__]


def fastest(shape: tuple[int, ...], passes: Sequence[Pass]) -> ModuleType:
    """The module whose `split` and `joined` serve pictures of this shape best: this one, or the machine code."""
    if machine_code_for(shape, passes) is None:
        return REFERENCE
    from fsrcnn_np.images.llvm import colour

    return colour


def split(pixels: NDArray[Any], range: ValueRange, *, threads: int = 1) -> YCbCr:
    """Luma and chroma of a picture, float32.

    Parameters
    ----------
    pixels : ndarray, H×W×3
        uint8, int8, uint16, int16, float32 or float64 in native byte order, any layout.
    range : ValueRange
        The pixel values of black and white.
    threads : int
        Nothing to the reference; a parameter of the other's.
    """
    return rgb_to_ycbcr(normalise(pixels, range))


def joined(
    planes: YCbCr, passes: Sequence[Pass], range: ValueRange, out: NDArray[Any], *, threads: int = 1
) -> NDArray[Any]:
    """A picture of luma, and of chroma that is enlarged to luma's size.

    Parameters
    ----------
    planes : YCbCr
        float32, as of `split`; the chroma smaller than the luma.
    passes : sequence of Pass
        That enlarge the chroma; see `fsrcnn_np.images.imresize.enlarging`.
    range : ValueRange
        The pixel values of black and white.
    out : ndarray, luma's shape × 3
        In any layout and byte order; filled. Integers are rounded half away from zero and saturated to the range;
        floats are not clipped.
    threads : int
        Nothing to the reference.

    Returns
    -------
    ndarray
        `out`.
    """
    y, cb, cr = planes
    cb, cr = resized(cb, passes), resized(cr, passes)
    for rows in row_blocks(out):
        part = ycbcr_to_rgb(YCbCr(y[rows], cb[rows], cr[rows]))
        out[rows] = denormalise(part, range, out.dtype.newbyteorder("="))
    return out
