"""The breast's outline in the picture: compressed, the chest wall at the left edge, seen in one of two views.

Lengths are in pixels of the grid that is drawn. The breast fills the same part of any frame: a smaller frame is a
smaller detector under a smaller breast, while what is in it (skin, strands, calcifications) keeps its size in mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from .dice import Dice

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Breast:
    """Where the breast is.

    Attributes
    ----------
    edge : ndarray of float32, H
        The column where the skin is, for each row; 0 or less where the row has no breast.
    cosine : ndarray of float32, H
        Of the outline's slope: (edge − column)·cosine is the distance to the skin, near it.
    wall : ndarray of float32, H
        The column where the pectoral muscle ends; 0 where there is none.
    nipple : (float, float)
        Row and column.
    reach, half_height : float
        From the chest wall to the skin behind the nipple; from the nipple's row to the lower end.
    thickness : float
        Of the compressed breast, in mm.
    """

    edge: Floats
    cosine: Floats
    wall: Floats
    nipple: tuple[float, float]
    reach: float
    half_height: float
    thickness: float

    @property
    def columns(self) -> int:
        """As many as the breast needs."""
        return int(self.edge.max()) + 2

    def twice(self) -> Breast:
        """The same breast on a grid twice as fine."""

        def finer(line: Floats) -> Floats:
            # Fine rows lie a quarter of a row before and after; column c of a pixel's centre becomes 2c + 1/2.
            before, after = np.concatenate([line[:1], line[:-1]]), np.concatenate([line[1:], line[-1:]])
            quarter = np.float32(0.25)
            return np.stack([line + quarter * (before - line), line + quarter * (after - line)], axis=1).reshape(-1)

        two, half = np.float32(2), np.float32(0.5)
        nipple = 2 * self.nipple[0] + 0.5, 2 * self.nipple[1] + 0.5
        return Breast(
            two * finer(self.edge) + half, finer(self.cosine), two * finer(self.wall) + half, nipple,
            2 * self.reach, 2 * self.half_height, self.thickness,
        )  # fmt: skip

    def depth(self, row: float, column: float) -> float:
        """Pixels from a place to the skin."""
        i = min(max(int(row), 0), len(self.edge) - 1)
        return (float(self.edge[i]) - column) * float(self.cosine[i])


def breast(dice: Dice, view: str, shape: tuple[int, int], spacing: float) -> Breast:
    """A breast for this frame.

    Between a half ellipse and a parabola, which is how compression shapes it: Feng and others, "Objective models of
    compressed breast shapes undergoing mammography", Medical Physics 40(3), 2013. In the oblique view the nipple lies
    lower, the upper border runs on into the armpit, and the muscle is a triangle at the upper end of the wall:
    Eklund, Cardenosa, Parsons, "Assessing adequacy of mammographic image quality", Radiology 190, 1994.
    """
    rows, columns = shape
    oblique = view == "MLO"
    row = rows * ((0.62 if oblique else 0.5) + dice.uniform(-0.03, 0.03))
    reach = min(columns * dice.uniform(0.42, 0.58), 0.55 * rows)
    half = rows * (dice.uniform(0.31, 0.36) if oblique else dice.uniform(0.42, 0.48))
    round_, armpit = dice.uniform(0.25, 0.5), dice.uniform(0.25, 0.4) if oblique else 0.0
    upper = 1.12 * row if oblique else half * dice.uniform(0.95, 1.08)
    bump, height = 5.5 / spacing, dice.uniform(2.0, 4.5) / spacing  # the nipple
    y = np.arange(rows, dtype=np.float64)
    t = np.where(y < row, (row - y) / upper, (y - row) / half)
    square = np.maximum(1 - t * t, 0)
    edge = round_ * np.sqrt(square) + (1 - round_) * square
    edge = reach * np.where(y < row, armpit + (1 - armpit) * edge, edge)
    edge[t >= 1] = -1 if not oblique else np.where(y < row, armpit * reach, -1)[t >= 1]
    rise = np.maximum(1 - ((y - row) / bump) * ((y - row) / bump), 0)
    edge += np.where(edge > 0, height * rise * rise, 0)
    slope = np.empty(rows)
    slope[1:-1] = (edge[2:] - edge[:-2]) / 2
    slope[0], slope[-1] = slope[1], slope[-2]
    wall = np.zeros(rows)
    if oblique:
        top, low = reach * dice.uniform(0.35, 0.55), rows * dice.uniform(0.45, 0.6)
        u = np.maximum(1 - y / low, 0)
        wall = top * u * (1.15 - 0.15 * u)  # a little convex
    return Breast(
        edge.astype(np.float32),
        (1 / np.sqrt(1 + slope * slope)).astype(np.float32),
        wall.astype(np.float32),
        (row, reach),
        reach,
        half,
        dice.uniform(38, 58) * min(1.0, sqrt(rows * spacing / 180)),
    )
