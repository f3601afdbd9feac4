"""Where pixels are, in mm: the centre of pixel (i, j) lies at ((i + ½)·pitch, (j + ½)·pitch)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ImageError, OptionError

Floats = NDArray[np.floating[Any]]
FINE = 8  # subdivisions of a pixel, each way, where an edge crosses it


def plane(image: ArrayLike, least: int = 1) -> Floats:
    """The image as float64, checked.

    Raises
    ------
    ImageError
        No plane of numbers of at least `least` × `least` finite values.
    """
    array = np.asarray(image)
    if array.ndim != 2 or array.dtype.kind not in "iuf" or min(array.shape) < least:
        raise ImageError(
            f"found an array of shape {array.shape} and dtype {array.dtype}; allowed is a plane of numbers of at least "
            f"{least}×{least} pixels"
        )
    floats = array.astype(np.float64)
    if not np.isfinite(floats).all():
        raise ImageError("found NaN or infinite values; replace them first")
    return floats


def positive(value: Any, name: str, unit: str = "mm") -> float:
    """A length or another number above zero, checked."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise OptionError(f"{name} is {value!r}; allowed is a finite number above 0{f' ({unit})' if unit else ''}")
    return float(value)


def offsets(shape: tuple[int, int], pitch: float, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Distances of pixel centres from a point, in mm: down, as a column, and along, as a row."""
    down, along = ((np.arange(n, dtype=np.float64) + 0.5) * pitch - c for n, c in zip(shape, centre, strict=True))
    return down[:, None], along[None]


def disc_coverage(
    shape: tuple[int, ...], *, pitch: float, centre: tuple[float, float], diameter: float, fine: int = FINE
) -> Floats:
    """The share of each pixel that a disc covers.

    Parameters
    ----------
    shape : (int, int)
    pitch : float
        Side of a pixel, mm.
    centre : (float, float)
        Of the disc, row and column, in mm from the array's upper left corner.
    diameter : float
        mm.
    fine : int
        Subdivisions of a pixel, each way.

    Returns
    -------
    ndarray, `shape`, float64
        0 to 1; its sum is the disc's area in pixels to about 1/fine² of a pixel for each pixel that the edge crosses.
    """
    pitch, diameter = positive(pitch, "pitch"), positive(diameter, "diameter")
    result = np.zeros(shape)
    radius = diameter / 2
    first = [max(math.floor((c - radius) / pitch), 0) for c in centre]
    last = [min(math.ceil((c + radius) / pitch), n) for c, n in zip(centre, shape, strict=True)]
    rows, columns = (max(end - start, 0) for start, end in zip(first, last, strict=True))
    if rows and columns:
        near = (centre[0] - first[0] * pitch, centre[1] - first[1] * pitch)
        y, x = offsets((rows * fine, columns * fine), pitch / fine, near)
        inside = (y * y + x * x <= radius * radius).reshape(rows, fine, columns, fine)
        result[first[0] : last[0], first[1] : last[1]] = inside.mean((1, 3))
    return result
