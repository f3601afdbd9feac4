"""A strip's part of the image as the network wants it: float32, in its range, with its border."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...network.weights import Weights


class Levels(NamedTuple):
    """Which pixel values the network takes for its own range's ends: low ↔ value_range[0], high ↔ value_range[1]."""

    low: float
    high: float


def window(
    plane: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], weights: Weights, levels: Levels, pitch: int
) -> np.ndarray:
    """Rows and columns of the plane, which may reach beyond it on all sides, in rows of `pitch` numbers."""
    height, width = plane.shape
    top, bottom, left, right = max(rows[0], 0), min(rows[1], height), max(columns[0], 0), min(columns[1], width)
    result = np.zeros((rows[1] - rows[0], pitch), np.float32)
    first, last = top - rows[0], bottom - rows[0]
    inside = result[first:last, left - columns[0] : right - columns[0]]
    inside[...] = normalised(plane[top:bottom, left:right], weights.value_range, levels)
    if weights.input_mean:
        inside -= np.float32(weights.input_mean)
    if weights.border == "replicate":
        result[first:last, : left - columns[0]] = inside[:, :1]
        result[first:last, right - columns[0] :] = inside[:, -1:]
        result[:first] = result[first]
        result[last:] = result[last - 1]
    return result


def normalised(values: np.ndarray, value_range: tuple[float, float], levels: Levels) -> np.ndarray:
    """(v − low) / (high − low), mapped to the network's value range, in float64; as it is where both are the same."""
    if tuple(levels) == value_range:
        return values
    (low, high), (black, white) = levels, value_range
    result = values.astype(np.float64)
    result -= low
    result /= high - low
    if value_range != (0.0, 1.0):
        result *= white - black
        result += black
    return result
