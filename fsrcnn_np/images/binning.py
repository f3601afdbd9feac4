"""Pixel binning: how the paper makes its low-resolution images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fsrcnn_np.errors import ImageError
from fsrcnn_np.images.value_range import check_image


def bin2x2(image: ArrayLike) -> NDArray[Any]:
    """Give the mean of each 2×2 block, in float: the paper's.

    Parameters
    ----------
    image : array_like
        H×W or H×W×3. When H or W is odd, the last row or column has no partner and is dropped.

    Returns
    -------
    ndarray
        ⌊H/2⌋ × ⌊W/2⌋ [× 3]; float64 for float64, else float32, in which the mean of four 16-bit integers is exact.

    Raises
    ------
    ImageError
        The image is none, or has only one row or column.

    References
    ----------
    T. Honjo et al., European Journal of Radiology 154, 2022, 110433, section 2 (training of the network).
    """
    return bin_by(image, 2)


def bin_by(image: ArrayLike, factor: int) -> NDArray[Any]:
    """Give the mean of each factor×factor block, as `bin2x2` does for 2; rows and columns left over are dropped.

    Parameters
    ----------
    image : array_like
        H×W or H×W×3.
    factor : int
        2 or more.

    Returns
    -------
    ndarray
        ⌊H/factor⌋ × ⌊W/factor⌋ [× 3]; float64 for float64, else float32.

    Raises
    ------
    ImageError
        The image is none, or is smaller than one block.
    """
    array = check_image(image)
    height, width = (n // factor for n in array.shape[:2])
    if not height or not width:
        found = f"found {array.shape[0]}×{array.shape[1]} pixels"
        if factor == 2:
            raise ImageError(f"{found}; 2×2 binning needs two rows and two columns")
        raise ImageError(f"{found}; {factor}×{factor} binning needs {factor} rows and {factor} columns")
    array = array[: factor * height, : factor * width]
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    total = np.add(array[0::factor, 0::factor], array[0::factor, 1::factor], dtype=dtype)
    for row in range(factor):
        for column in range(0 if row else 2, factor):
            total += array[row::factor, column::factor]
    total /= factor * factor
    return total
