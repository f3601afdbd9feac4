"""Where to look: the square with the brightest small spots, as microcalcifications are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LINE = 17  #: pixels; no line of this length fits into a microcalcification, with its soft edges
MARGIN = 0.02  #: of the frame's longer side: how far from the skin, where lines and markers are, a spot has to be
FRAME = 0.005  #: and how far from the frame's edge, where detectors have their own lines
OUTLINE = 512  #: pixels; the longer side of the picture on which the tissue is outlined


class Square(NamedTuple):
    """A part of the original picture, in its pixels, rows and columns counted from 0."""

    row: int  #: of the upper edge
    column: int  #: of the left edge
    side: int

    def of(self, image: NDArray[Any], scale: int = 1) -> NDArray[Any]:
        """The part itself, of the original or of an image `scale` times as large; a view."""
        rows = slice(self.row * scale, (self.row + self.side) * scale)
        return image[rows, self.column * scale : (self.column + self.side) * scale]


def tissue(plane: Floats) -> NDArray[np.bool_]:
    """Outline what is brighter than the background: one piece, without labels and markers beside it.

    Parameters
    ----------
    plane : ndarray, H×W, float32
        Bright is dense.

    Returns
    -------
    ndarray of bool, about H/n × W/n
        Pixels of n×n, n = ceil(longer side / 512). All True where nothing stands out.
    """
    from scipy import ndimage

    small = shrink(plane, outline_step(plane.shape))
    pieces, _ = ndimage.label(small > _triangle(small))
    sizes = np.bincount(pieces.ravel())[1:]
    if sizes.size == 0 or sizes.max() < 0.02 * small.size:
        return np.ones(small.shape, bool)
    return ndimage.binary_fill_holes(pieces == 1 + sizes.argmax())


def interior(plane: Floats) -> NDArray[np.bool_]:
    """The tissue less its rim, where skin, folds and markers are; on the same grid. The tissue where that is all."""
    from scipy import ndimage

    outlined = tissue(plane)
    if outlined.all():
        return outlined
    depth = outline_step(plane.shape) * ndimage.distance_transform_edt(outlined)
    inner = depth > MARGIN * max(plane.shape)
    return inner if inner.any() else outlined


def brightest_spots(plane: Floats, side: int) -> Square:
    """Find the square that holds most light in small bright spots.

    A spot is what no line of 17 pixels fits into, in any of four directions: neither vessels, strands and folds nor
    anything large. Those near the skin, near the frame's edge and outside the tissue (labels, markers) do not count,
    nor what the noise around makes of itself.

    Parameters
    ----------
    plane : ndarray, H×W, float32
        Bright is dense.
    side : int
        At most H and W.

    Returns
    -------
    Square
        Around the spots, inside the picture. The middle of the tissue where there are no spots.
    """
    from scipy import ndimage

    n = 2 if min(plane.shape) >= 512 else 1
    spots = _spots(shrink(plane, n), LINE // n)
    searched = _searched(plane, spots.shape, n)
    # What noise makes of it nearby, which grows with the signal: four times its mean is hardly ever noise.
    nearby = ndimage.uniform_filter(spots, 8 * LINE // n)
    light = np.where(searched, np.clip(spots - 4 * nearby, 0, None), 0)
    found = ndimage.gaussian_filter(light, side / n / 8, mode="constant")
    centre = np.unravel_index(int(found.argmax()), found.shape)
    if not found.any() and searched.any():
        centre = tuple(places.mean() for places in np.nonzero(searched))
    row, column = (n * int(v) + n // 2 - side // 2 for v in centre)
    return place(plane.shape, row, column, side)


def place(shape: tuple[int, ...], row: int, column: int, side: int) -> Square:
    """The square of this upper left corner, moved as little as needed to lie in the picture."""
    side = min(side, shape[0], shape[1])
    return Square(min(max(row, 0), shape[0] - side), min(max(column, 0), shape[1] - side), side)


def outline_step(shape: tuple[int, ...]) -> int:
    """Side of the blocks of pixels in which `tissue` outlines."""
    return min(-(-max(shape) // OUTLINE), *shape)


def shrink(plane: Floats, n: int) -> Floats:
    """Means of n×n pixels; the last rows and columns that fill no such block are left out."""
    rows, columns = (length // n for length in plane.shape)
    return plane[: rows * n, : columns * n].reshape(rows, n, columns, n).mean((1, 3))


def _triangle(values: Floats) -> float:
    """Where the histogram leaves its peak, the background (Zack, Rogers, Latt, J. Histochem. Cytochem. 25(7), 1977)."""
    counts, edges = np.histogram(values, 256)
    peak, last = int(counts.argmax()), int(np.flatnonzero(counts)[-1])
    drop = np.arange(last - peak + 1) / max(last - peak, 1)
    below = counts[peak] + (counts[last] - counts[peak]) * drop - counts[peak : last + 1]
    return float(edges[peak + int(below.argmax()) + 1]) if last > peak else float("inf")


def _spots(plane: Floats, line: int) -> Floats:
    from scipy import ndimage

    diagonal = np.eye(max(3, round(line / np.sqrt(2))), dtype=bool)
    lines = (np.ones((1, line), bool), np.ones((line, 1), bool), diagonal, diagonal[::-1])
    smooth = ndimage.gaussian_filter(plane, 0.7)
    return smooth - np.max([ndimage.grey_opening(smooth, footprint=one) for one in lines], axis=0)


def _searched(plane: Floats, shape: tuple[int, int], n: int) -> NDArray[np.bool_]:
    """The tissue's interior on the grid of the spots, less the frame's edge."""
    inner = interior(plane)
    step = outline_step(plane.shape)
    rows, columns = (np.minimum(np.arange(shape[i]) * n // step, inner.shape[i] - 1) for i in (0, 1))
    searched = inner[np.ix_(rows, columns)]
    if edge := int(FRAME * max(plane.shape)) // n:
        searched[:edge] = searched[-edge:] = searched[:, :edge] = searched[:, -edge:] = False
    return searched
