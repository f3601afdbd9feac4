"""MATLAB's numerics that PIQE rests on: how MATLAB forms grey, rescales a class and rounds.

Facts from MATLAB R2018b (9.6) with the Image Processing Toolbox; the names are MATLAB's.
"""

from __future__ import annotations

import numpy as np

# rgb2gray's first row of the inverted NTSC matrix at full precision; its documentation prints four digits of them.
RED, GREEN, BLUE = 0.29893602129377539, 0.58704307445112125, 0.11402090425510336

# im2double: what is added to a value of each class, and by what the sum is divided. Floats are taken as they are.
CLASSES = {"uint8": (0, 255), "uint16": (0, 65535), "int16": (32768, 65535), "float32": (0, 1), "float64": (0, 1)}


def round_half_away(values: np.ndarray) -> np.ndarray:
    """MATLAB's ``round``: to the nearest integer, halves away from zero (NumPy's goes to the even one).

    Parameters
    ----------
    values : ndarray of float64

    Returns
    -------
    ndarray of float64
    """
    whole = np.trunc(values)
    return whole + np.copysign(np.abs(values - whole) >= 0.5, values)


def im2double(image: np.ndarray) -> np.ndarray:
    """MATLAB's ``im2double``: integer classes to [0, 1], floats as they are.

    Parameters
    ----------
    image : ndarray of uint8, uint16, int16, float32 or float64

    Returns
    -------
    ndarray of float64
    """
    offset, divisor = CLASSES[image.dtype.name]
    return (image.astype(np.float64) + offset) / divisor


def rgb2gray(image: np.ndarray) -> np.ndarray:
    """MATLAB's ``rgb2gray``: computed in double, stored in the image's class, integers rounded.

    Parameters
    ----------
    image : ndarray, M × N × 3, uint8, uint16, int16, float32 or float64

    Returns
    -------
    ndarray, M × N, of the same dtype
    """
    red, green, blue = (image[..., channel].astype(np.float64) for channel in range(3))
    grey = (red * RED + green * GREEN) + blue * BLUE
    return (grey if image.dtype.kind == "f" else round_half_away(grey)).astype(image.dtype)
