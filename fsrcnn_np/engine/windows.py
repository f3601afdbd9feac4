"""A strip's part of the image as the network wants it: float32, in its range, with its border."""

from __future__ import annotations

import numpy as np

from ..images.value_range import ValueRange, normalise
from ..network.weights import Weights


def window(
    plane: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], weights: Weights, range: ValueRange, pitch: int
) -> np.ndarray:
    """Rows and columns of a picture, which may reach beyond it on all sides: [row][channel][pitch]."""
    height, width = plane.shape[:2]
    channels = 1 if plane.ndim == 2 else plane.shape[2]
    top, bottom, left, right = max(rows[0], 0), min(rows[1], height), max(columns[0], 0), min(columns[1], width)
    result = np.zeros((rows[1] - rows[0], channels, pitch), np.float32)
    first, last = top - rows[0], bottom - rows[0]
    inside = result[first:last, :, left - columns[0] : right - columns[0]]
    part = plane[top:bottom, left:right].reshape(bottom - top, right - left, channels)
    normalise(part.swapaxes(1, 2), range, to=weights.value_range, out=inside)
    if weights.input_mean:
        inside -= np.float32(weights.input_mean)
    if weights.border == "replicate":
        result[first:last, :, : left - columns[0]] = inside[:, :, :1]
        result[first:last, :, right - columns[0] :] = inside[:, :, -1:]
        result[:first] = result[first]
        result[last:] = result[last - 1]
    return result
