"""How close a picture is to the true one: PSNR and SSIM. The value range is given, never taken from the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ImageError, OptionError
from .value_range import plain, row_blocks, value_range

#: SSIM's Gaussian window: taps a side, and standard deviation.
_TAPS, _SIGMA = 11, 1.5
#: Rows that SSIM works on at a time, so that a mammogram needs no full-size temporaries.
_ROWS = 256
#: Of a range's span, which is squared.
_LEAST = 1e-100


def psnr(found: ArrayLike, truth: ArrayLike, *, data_range: float | Sequence[float]) -> float:
    """Peak signal-to-noise ratio, 10 · log10(span² / mean squared difference), in dB, computed in double.

    Parameters
    ----------
    found, truth : array_like
        Real, of one shape (any) and at least one value; integers do not wrap.
    data_range : float or (float, float)
        The values of black and white: R means 0..R. Only their span counts.

    Returns
    -------
    float
        In dB; infinite where the two are equal, −infinite where one is infinite, NaN where a value is.

    Raises
    ------
    ImageError
        Other shapes or dtypes.
    OptionError
        An impossible `data_range`.
    """
    span = _span(data_range)
    a, b = _pair(found, truth)
    squared = 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for rows in row_blocks(np.atleast_1d(a)):
            difference = np.atleast_1d(a)[rows].astype(np.float64) - np.atleast_1d(b)[rows]
            squared += float(np.square(difference).sum())
        return float(10 * np.log10(np.float64(span**2 * a.size) / squared)) if squared else np.inf


def ssim(found: ArrayLike, truth: ArrayLike, *, data_range: float | Sequence[float]) -> float:
    """Mean structural similarity: Gaussian window 11×11 of σ 1.5, no padding, K = (0.01, 0.03).

    Parameters
    ----------
    found, truth : array_like, H×W or H×W×3
        Real, of one shape, at least 11 pixels a side. Of RGB the three channels' mean is taken.
    data_range : float or (float, float)
        The values of black and white: R means 0..R. Only their span counts.

    Returns
    -------
    float
        1 where the two are equal; NaN where a value is, or is infinite, or so large that its square is.

    Raises
    ------
    ImageError
        Other shapes or dtypes.
    OptionError
        An impossible `data_range`.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
    Trans. Image Processing 13(4), 2004, section III.
    """
    span = _span(data_range)
    a, b = _pair(found, truth)
    if a.ndim not in (2, 3) or (a.ndim == 3 and a.shape[2] != 3) or min(a.shape[:2]) < _TAPS:
        raise ImageError(f"found shape {a.shape}; SSIM takes H×W or H×W×3 of at least {_TAPS} pixels a side")
    with np.errstate(over="ignore", invalid="ignore"):
        if a.ndim == 3:
            return float(np.mean([_ssim(a[..., channel], b[..., channel], span) for channel in range(3)]))
        return _ssim(a, b, span)


def _ssim(found: NDArray[Any], truth: NDArray[Any], span: float) -> float:
    from scipy.ndimage import correlate1d

    half = _TAPS // 2
    window = np.exp(-((np.arange(_TAPS) - half) ** 2) / (2 * _SIGMA**2))
    window /= window.sum()

    def mean(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        blurred = correlate1d(correlate1d(plane, window, 0, mode="constant"), window, 1, mode="constant")
        return np.asarray(blurred[half:-half, half:-half])

    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    height, width = (n - _TAPS + 1 for n in found.shape)
    total = 0.0
    for top in range(0, height, _ROWS):
        rows = slice(top, min(top + _ROWS, height) + _TAPS - 1)
        a, b = found[rows].astype(np.float64), truth[rows].astype(np.float64)
        mean_a, mean_b = mean(a), mean(b)
        variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
        covariance = mean(a * b) - mean_a * mean_b
        like = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
        total += float(np.sum(like / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))))
    return total / (height * width)


def _span(data_range: float | Sequence[float]) -> float:
    span = value_range(np.float64, () if data_range is None else data_range).span  # None would be the dtype's
    if not _LEAST <= span <= 1 / _LEAST:
        raise OptionError(f"data_range spans {span!r}, whose square float64 does not hold; divide pictures and range")
    return span


def _pair(found: ArrayLike, truth: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    found, truth = plain(found), plain(truth)
    try:
        a, b = np.asarray(found), np.asarray(truth)
    except Exception as error:  # ragged lists, and whatever a foreign __array__ raises
        raise ImageError(
            f"found what is no array ({error}); allowed are two pictures of integers or floats of the same shape"
        ) from error
    if a.shape != b.shape or a.size == 0 or a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        raise ImageError(
            f"found {a.dtype} of shape {a.shape} and {b.dtype} of shape {b.shape}; "
            "allowed are two pictures of integers or floats of the same shape"
        )
    return a, b
