"""2×2 pixel binning: how the paper makes its low-resolution images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fsrcnn_np.errors import ImageError
from fsrcnn_np.images.value_range import check_image


def bin2x2(image: ArrayLike) -> NDArray[Any]:
    """Give the mean of each 2×2 block, in float.

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
    array = check_image(image)
    height, width = (n // 2 for n in array.shape[:2])
    if not height or not width:
        raise ImageError(f"found {array.shape[0]}×{array.shape[1]} pixels; 2×2 binning needs two rows and two columns")
    array = array[: 2 * height, : 2 * width]
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    total = np.add(array[0::2, 0::2], array[0::2, 1::2], dtype=dtype)
    total += array[1::2, 0::2]
    total += array[1::2, 1::2]
    total *= 0.25
    return total
