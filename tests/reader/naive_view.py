"""What the page must show, pixel by pixel, in plain NumPy: pyramid, bilinear, window. Shares nothing with the page."""

from dataclasses import dataclass

import numpy as np


@dataclass
class View:
    """Centre in mm and mm for each pixel of the screen."""

    x: float
    y: float
    mm: float


def pyramid(stored: np.ndarray) -> list[np.ndarray]:
    """Halved by the rounded mean of 2×2, edges repeated, until it fits into 512×512."""
    levels = [stored.astype(np.int64)]
    while max(levels[-1].shape) > 512:
        below = levels[-1]
        below = np.pad(below, [(0, n % 2) for n in below.shape], mode="edge")
        total = below[::2, ::2] + below[1::2, ::2] + below[::2, 1::2] + below[1::2, 1::2]
        levels.append((total + 2) // 4)
    return levels


def fit(rows: int, columns: int, spacing: float, width: int, height: int) -> View:
    """The whole image in a panel of width × height pixels."""
    across, down = columns * spacing, rows * spacing
    return View(across / 2, down / 2, max(across / width, down / height))


def sampled(stored: np.ndarray, spacing: float, view: View, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Interpolated values at the middle of every pixel of the panel, and which of these lie on the image."""
    step = view.mm / spacing
    levels = pyramid(stored)
    level = min(max(int(np.floor(np.log2(step) + 1e-6)), 0), len(levels) - 1)
    values = levels[level]
    step /= 2**level
    start = [c / spacing / 2**level - step * n / 2 for c, n in ((view.y, height), (view.x, width))]
    if abs(step - 1) < 1e-9:
        start = [np.floor(s + 0.5) for s in start]
    y, x = (s + step * (np.arange(n) + 0.5) for s, n in zip(start, (height, width), strict=True))
    on_image = ((y >= 0) & (y < values.shape[0]))[:, None] & ((x >= 0) & (x < values.shape[1]))[None]

    def neighbours(place: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        low = np.floor(place - 0.5).astype(int)
        return np.clip(low, 0, count - 1), np.clip(low + 1, 0, count - 1), place - 0.5 - low

    top, bottom, v = neighbours(y, values.shape[0])
    left, right, h = neighbours(x, values.shape[1])
    upper = values[top][:, left] * (1 - h) + values[top][:, right] * h
    lower = values[bottom][:, left] * (1 - h) + values[bottom][:, right] * h
    return upper * (1 - v[:, None]) + lower * v[:, None], on_image


def linear(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1."""
    return np.clip((x - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def sigmoid(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.1."""
    return 1 / (1 + np.exp(-4 * (x - centre) / width))


def table(x: np.ndarray, first: int, values: np.ndarray) -> np.ndarray:
    """PS3.3 C.11.2.1.1, between its entries along the line."""
    return np.interp(x, first + np.arange(values.size), values)
