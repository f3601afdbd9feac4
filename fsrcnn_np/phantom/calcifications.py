"""Microcalcifications: what they are made of, how they are shaped, where they lie; drawn as attenuation × thickness.

Sizes and shapes follow BI-RADS's atlas, 5th edition (Sickles, D'Orsi, Bassett, ACR 2013). Attenuation at 20 keV from
Hubbell and Seltzer's µ/ρ of the elements (NISTIR 5632: H 0.369, C 0.442, O 0.865, P 5.39, Ca 13.06 cm²/g) by mass:
calcium oxalate monohydrate (2.2 g/cm³) 9.1/cm, hydroxyapatite (3.16 g/cm³) 20.7/cm. What grows in a breast is porous:
Warren and others, "Image simulation and a model of noise power spectra across a range of mammographic beam qualities",
Medical Physics 41, 2014, use less than the crystal's; `packing` is the share of the volume that is mineral.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .anatomy import FAT
from .breast import Breast
from .dice import Dice

Place = tuple[float, float]

OXALATE, APATITE = 0.91, 2.07  #: 1/mm at 20 keV
FINE = 4  #: fine pixels along a pixel of 0.07 mm: 17.5 µm; a true mask holds a pixel half covered
ATTEMPTS = 4000


class Calcification(NamedTuple):
    """One calcification, as it truly is.

    Rows and columns are those of the picture, pixel centres whole numbers.
    """

    row: float  #: of its centre of area
    column: float
    diameter: float  #: mm; of the disc of the same area
    length: float  #: mm; the longer side of the box around it
    thickness: float  #: mm; the longest path of a ray through it
    contrast: float  #: the attenuation that it adds there, ∫µ dl
    kind: str  #: its morphology
    cluster: int


class Morphology(NamedTuple):
    """How one kind is made: a chain of ellipsoids."""

    mineral: float
    packing: float
    size: tuple[float, float]  #: mm, along the chain
    width: tuple[float, float]  #: of an ellipsoid's diameter, as a share of the size
    parts: tuple[int, int]
    number: tuple[int, int]  #: of calcifications in one cluster


MORPHOLOGIES = {
    "amorphous": Morphology(OXALATE, 0.45, (0.10, 0.24), (0.6, 0.9), (2, 4), (14, 28)),
    "fine pleomorphic": Morphology(APATITE, 0.40, (0.14, 0.50), (0.35, 0.7), (3, 6), (9, 18)),
    "coarse heterogeneous": Morphology(APATITE, 0.40, (0.50, 1.0), (0.4, 0.7), (4, 8), (4, 9)),
    "fine linear": Morphology(APATITE, 0.40, (0.5, 1.6), (0.12, 0.2), (9, 14), (7, 14)),
}


def calcifications(
    dice: Dice, breast: Breast, morphology: str, distribution: str, spacing: float, labels: NDArray[np.uint16],
    integrals: NDArray[np.float32],
) -> tuple[Calcification, ...]:  # fmt: skip
    """Draw calcifications into the line integrals and their numbers (from 1) into the labels."""
    from .distributions import places

    kind = MORPHOLOGIES[morphology]
    found: list[Calcification] = []
    for (row, column), direction, cluster in places(dice, breast, distribution, kind, spacing):
        grain, cell = _grain(dice, kind, spacing, direction if morphology == "fine linear" else dice.direction())
        one = _put(grain, cell, row, column, kind, spacing, labels, integrals, len(found) + 1)
        if one is not None:
            found.append(one._replace(kind=morphology, cluster=cluster))
    return tuple(found)


def _grain(dice: Dice, kind: Morphology, spacing: float, direction: Place) -> tuple[NDArray[np.float64], float]:
    """Path in mm of a ray through a chain of ellipsoids, on a grid of cells; and their width in mm."""
    size = dice.uniform(*kind.size)
    cell = spacing / FINE
    extent = ceil(1.3 * size / cell / 2) + 2
    axis = (np.arange(2 * extent * 1) - extent + 0.5) * cell
    y, x = axis[:, None], axis[None]
    path = np.zeros((len(axis), len(axis)))
    parts = dice.whole(*kind.parts)
    bend = dice.uniform(-0.5, 0.5)
    for number in range(parts):
        diameter = size * dice.uniform(*kind.width)
        along = (size - diameter) * (number / (parts - 1) - 0.5)
        off = bend * (along * along / size) + 0.25 * diameter * dice.uniform(-1, 1)
        row, column = along * direction[0] - off * direction[1], along * direction[1] + off * direction[0]
        s, c = dice.direction()
        flat, deep = dice.uniform(0.55, 1.0), dice.uniform(0.6, 1.0)
        u = ((y - row) * c + (x - column) * s) / (diameter / 2)
        v = ((x - column) * c - (y - row) * s) / (diameter / 2 * flat)
        inside = np.maximum(1 - (u * u + v * v), 0)
        path = np.maximum(path, diameter * deep * np.sqrt(inside))
    return path, cell


def _put(
    grain: NDArray[np.float64], cell: float, row: float, column: float, kind: Morphology, spacing: float,
    labels: NDArray[np.uint16], integrals: NDArray[np.float32], number: int,
) -> Calcification | None:  # fmt: skip
    """Add a grain at a place, its cells whole; None if it would touch another or leave the picture."""
    half = len(grain) // 2
    top, left = int((row + 0.5) * FINE) - half, int((column + 0.5) * FINE) - half
    above, before = top % FINE, left % FINE
    side = -(-(len(grain) + FINE) // FINE) * FINE
    padded = np.zeros((side, side))
    padded[above : above + len(grain), before : before + len(grain)] = grain
    i, j, n = top // FINE, left // FINE, side // FINE
    if i < 1 or j < 1 or i + n >= labels.shape[0] or j + n >= integrals.shape[1]:
        return None
    cells = padded.reshape(n, FINE, n, FINE)
    mean, covered = np.zeros((n, n)), np.zeros((n, n), np.int64)
    for a in range(FINE):
        for b in range(FINE):
            mean += cells[:, a, :, b]
            covered += cells[:, a, :, b] > 0
    mask = 2 * covered >= FINE * FINE
    if labels[i - 1 : i + n + 1, j - 1 : j + n + 1].any():
        return None
    rows, columns = np.nonzero(grain)
    if not len(rows):
        return None
    if not mask.any():
        mask = covered == covered.max()
    labels[i : i + n, j : j + n][mask] = number
    density = kind.mineral * kind.packing - FAT
    integrals[i : i + n, j : j + n] += (mean * (density / (FINE * FINE))).astype(np.float32)
    thickness = float(grain.max())
    return Calcification(
        (top + int(rows.sum()) / len(rows) + 0.5) / FINE - 0.5,
        (left + int(columns.sum()) / len(columns) + 0.5) / FINE - 0.5,
        cell * sqrt(len(rows) / 0.7853981633974483),
        cell * max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) + cell,
        thickness, thickness * density, "", 0,
    )  # fmt: skip
