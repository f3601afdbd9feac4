"""RGB ↔ luma and chroma. The network sees luma only; chroma is enlarged by bicubic `imresize`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import ImageError
from fsrcnn_np.images.value_range import row_blocks, to_integers

# ITU-R BT.601-7, 2.5.1; full range as in JFIF 1.02, without the offset of one half in Cb and Cr.
RED, GREEN, BLUE = 0.299, 0.587, 0.114
CB_SPAN = 2 * (1 - BLUE)
CR_SPAN = 2 * (1 - RED)


class YCbCr(NamedTuple):
    """Luma (0..1 for RGB in 0..1) and the two chroma planes (−0.5..0.5), each H×W, one float dtype."""

    y: NDArray[Any]
    cb: NDArray[Any]
    cr: NDArray[Any]


def rgb_to_ycbcr(rgb: NDArray[Any]) -> YCbCr:
    """Split full-range RGB into luma and chroma (ITU-R BT.601), in float, nothing quantised or clipped.

    Parameters
    ----------
    rgb : ndarray, H×W×3, float32 or float64
        Normalised so that black is 0 and white is 1; values beyond are fine.

    Returns
    -------
    YCbCr
        Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B − Y) / 1.772, Cr = (R − Y) / 1.402, each contiguous, of `rgb`'s dtype.
    """
    planes = YCbCr(*(np.empty(rgb.shape[:2], rgb.dtype) for _ in range(3)))
    for rows in row_blocks(rgb):
        red, green, blue = np.moveaxis(rgb[rows], -1, 0)
        y = RED * red + GREEN * green + BLUE * blue
        planes.y[rows] = y
        planes.cb[rows] = (blue - y) / CB_SPAN
        planes.cr[rows] = (red - y) / CR_SPAN
    return planes


def ycbcr_to_rgb(planes: YCbCr) -> NDArray[Any]:
    """Put luma and chroma together again: the inverse of `rgb_to_ycbcr` up to float rounding.

    Parameters
    ----------
    planes : YCbCr

    Returns
    -------
    ndarray, H×W×3
        Of the planes' dtype.
    """
    rgb = np.empty((*planes.y.shape, 3), planes.y.dtype)
    for rows in row_blocks(rgb):
        y, cb, cr = (plane[rows] for plane in planes)
        red = y + CR_SPAN * cr
        blue = y + CB_SPAN * cb
        rgb[rows, ..., 0] = red
        rgb[rows, ..., 1] = (y - RED * red - BLUE * blue) / GREEN
        rgb[rows, ..., 2] = blue
    return rgb


def rgb2ycbcr_uint8(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """MATLAB's `rgb2ycbcr` for uint8 (Y in 16–235, Cb and Cr in 16–240): only for the FSRCNN authors' evaluation.

    Parameters
    ----------
    rgb : ndarray, H×W×3, uint8

    Returns
    -------
    ndarray, H×W×3, uint8
        Y, Cb, Cr, rounded half away from zero.

    Raises
    ------
    ImageError
        Another dtype or shape.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ImageError(f"found {rgb.dtype.name} of shape {rgb.shape}; rgb2ycbcr_uint8 takes H×W×3 of uint8")
    # Poynton, A Technical Introduction to Digital Video (1996), chapter 9, equation 9.6, over 0..255.
    matrix = np.array(
        [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]],
    )
    out = np.empty(rgb.shape, np.uint8)
    for rows in row_blocks(rgb):
        out[rows] = to_integers(rgb[rows] @ (matrix.T / 255) + [16, 128, 128], np.uint8)
    return out
