"""Pixels that are no image, so that an enlargement does not ring at their edge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def filled(pixels: NDArray[Any], padding: NDArray[np.bool_]) -> NDArray[Any]:
    """Give every pixel of the padding the value of the nearest pixel of the image.

    Parameters
    ----------
    pixels : ndarray, H×W
    padding : ndarray of bool, H×W
        Where there is no image.

    Returns
    -------
    ndarray, H×W
        A new one; the same where all or nothing is padding.
    """
    if padding.all() or not padding.any():
        return pixels
    from scipy.ndimage import distance_transform_edt  # late: importing the package stays fast

    nearest = distance_transform_edt(padding, return_distances=False, return_indices=True)
    return np.asarray(pixels[tuple(nearest)])


def restored(large: NDArray[Any], pixels: NDArray[Any], padding: NDArray[np.bool_]) -> NDArray[Any]:
    """Give the padding of an enlargement the values that it had before.

    Parameters
    ----------
    large : ndarray, H·scale × W·scale
    pixels : ndarray, H×W
    padding : ndarray of bool, H×W

    Returns
    -------
    ndarray, H·scale × W·scale
        A new one.
    """
    scale = len(large) // len(padding)
    return np.where(repeated(padding, scale), repeated(pixels, scale), large)


def repeated(array: NDArray[Any], scale: int) -> NDArray[Any]:
    """Every element of the last two axes `scale` times in both directions."""
    return array.repeat(scale, axis=-2).repeat(scale, axis=-1)
