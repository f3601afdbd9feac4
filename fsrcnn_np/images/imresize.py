"""MATLAB's bicubic `imresize` with antialiasing: chroma, the bicubic control, and the published protocol need it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fsrcnn_np.errors import OptionError
from fsrcnn_np.images.value_range import check_image, to_integers

_SUPPORT = 4.0
_STRIP = 1 << 18  # elements of a strip
_MOST_PIXELS = 1 << 31
_SCALES = (1e-4, 1e4)


def imresize(image: ArrayLike, scale: float) -> NDArray[Any]:
    """Enlarge or shrink an image as MATLAB's `imresize(image, scale)` does (bicubic, antialiased when shrinking).

    Parameters
    ----------
    image : array_like
        H×W or H×W×3; uint8, int8, uint16, int16, float32 or float64.
    scale : float
        0.0001 to 10000; need not be an integer.

    Returns
    -------
    ndarray
        ceil(H·scale) × ceil(W·scale) [× 3], of the image's dtype. Sums are in double. Floats are not clipped;
        float32 is rounded to float32 after each pass. Integers are rounded half away from zero and saturated after
        each of the two passes: so it is reported of MATLAB, and not verified here.

    Raises
    ------
    ImageError
        The image is none, see `fsrcnn_np.images.value_range.check_image`.
    OptionError
        The scale is no positive number within the limits, or the result would be too large.

    Notes
    -----
    Keys' kernel with a = −0.5 (R. Keys, Cubic convolution interpolation for digital image processing, IEEE Trans.
    ASSP 29(6), 1981), stretched by 1/scale when shrinking, normalised; the image is mirrored at its border with the
    edge repeated; down the columns first, then along the rows.
    """
    array = check_image(image)
    scale = _check_scale(scale)
    height, width = (math.ceil(n * scale) for n in array.shape[:2])
    if height * width > _MOST_PIXELS:
        raise OptionError(f"scale {scale!r} would give {height}×{width} pixels; at most {_MOST_PIXELS} are allowed")
    return _resize_axis(_resize_axis(array, 0, scale), 1, scale)


def contributions(length: int, scale: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which input samples make each output sample, and with what weight (MATLAB's name for this step).

    Parameters
    ----------
    length : int
        Number of input samples along the axis.
    scale : float

    Returns
    -------
    indices : ndarray, (ceil(length·scale), taps), 0-based
    weights : ndarray, the same shape, float64; each row sums to 1
    """
    shrink = min(scale, 1.0)
    support = _SUPPORT / shrink
    taps = math.ceil(support) + 2
    # MATLAB's coordinates: samples are numbered from 1 and sit in the middle of their pixel.
    centre = np.arange(1, math.ceil(length * scale) + 1) / scale + 0.5 * (1 - 1 / scale)
    position = np.floor(centre - support / 2)[:, None] + np.arange(taps)
    weights = shrink * _cubic(shrink * (centre[:, None] - position))
    weights /= weights.sum(axis=1, keepdims=True)
    folded = (position.astype(np.intp) - 1) % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded), weights


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))


def _resize_axis(image: NDArray[Any], axis: int, scale: float) -> NDArray[Any]:
    from scipy.sparse import csr_array  # late: importing the package stays fast

    length, across = image.shape[axis], image.shape[1 - axis]
    indices, weights = contributions(length, scale)
    taps = indices.shape[1]
    matrix = csr_array(
        (weights.ravel(), indices.ravel(), np.arange(len(indices) + 1) * taps), shape=(len(indices), length)
    )
    result = np.empty((*image.shape[:axis], len(indices), *image.shape[axis + 1 :]), image.dtype)
    step = max(1, _STRIP // max(length, len(indices)))
    for start in range(0, across, step):
        strip = (slice(None),) * (1 - axis) + (slice(start, start + step),)
        lines = np.moveaxis(image[strip], axis, 0)
        sums = matrix @ lines.astype(np.float64, order="C").reshape(length, -1)
        if image.dtype.kind != "f":
            sums = to_integers(sums, image.dtype)
        result[strip] = np.moveaxis(sums.reshape(-1, *lines.shape[1:]), 0, axis)
    return result


def _check_scale(scale: Any) -> float:
    least, most = _SCALES
    number = isinstance(scale, int | float | np.integer | np.floating) and not isinstance(scale, bool)
    if not number or not least <= scale <= most:
        raise OptionError(f"scale is {scale!r}; allowed is a number from {least:g} to {most:g}")
    return float(scale)
