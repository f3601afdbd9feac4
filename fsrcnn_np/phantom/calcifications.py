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
    "amorphous": Morphology(OXALATE, 0.70, (0.12, 0.26), (0.6, 0.9), (2, 4), (14, 28)),
    "fine pleomorphic": Morphology(APATITE, 0.60, (0.18, 0.55), (0.4, 0.75), (3, 6), (9, 18)),
    "coarse heterogeneous": Morphology(APATITE, 0.60, (0.50, 1.0), (0.4, 0.7), (4, 8), (4, 9)),
    "fine linear": Morphology(APATITE, 0.60, (0.5, 1.6), (0.12, 0.2), (9, 14), (7, 14)),
}


class Grain(NamedTuple):
    """A calcification on its cells of 17.5 µm: ray paths through it in mm, and where the first cell lies."""

    path: NDArray[np.float64]
    top: int
    left: int
    truth: Calcification


def grains(
    dice: Dice, breast: Breast, morphology: str, distribution: str, spacing: float, shape: tuple[int, int]
) -> list[Grain]:
    """Shape calcifications and put them into the breast, none touching another; `shape` is of pixels."""
    from .distributions import places

    kind = MORPHOLOGIES[morphology]
    cell = spacing / FINE
    density = kind.mineral * kind.packing - FAT
    found: list[Grain] = []
    for (row, column), duct, cluster in places(dice, breast, distribution, kind, spacing):
        path = _grain(dice, kind, cell, duct if morphology == "fine linear" else dice.direction())
        rows, columns = np.nonzero(path)
        top, left = int((row + 0.5) * FINE) - len(path) // 2, int((column + 0.5) * FINE) - len(path) // 2
        if not len(rows) or not _free(found, top, left, len(path), shape):
            continue
        thickness = float(path.max())
        truth = Calcification(
            (top + int(rows.sum()) / len(rows) + 0.5) / FINE - 0.5,
            (left + int(columns.sum()) / len(columns) + 0.5) / FINE - 0.5,
            cell * sqrt(len(rows) / 0.7853981633974483),
            cell * (max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) + 1),
            thickness, thickness * density, morphology, cluster,
        )  # fmt: skip
        found.append(Grain(path, top, left, truth))
    return found


def embed(found: list[Grain], integrals: NDArray[np.float32], labels: NDArray[np.uint16], *, scale: int = 1) -> None:
    """Add the attenuation of grains to line integrals, and their numbers (from 1) to the labels, of this scale."""
    n = FINE // scale  # cells along a pixel
    for number, grain in enumerate(found, 1):
        kind = MORPHOLOGIES[grain.truth.kind]
        side = -(-(len(grain.path) + n) // n)
        whole = np.zeros((side * n, side * n))
        above, before = grain.top % n, grain.left % n
        whole[above : above + len(grain.path), before : before + len(grain.path)] = grain.path
        cells = whole.reshape(side, n, side, n)
        total, covered = np.zeros((side, side)), np.zeros((side, side), np.int64)
        for a in range(n):
            for b in range(n):
                total += cells[:, a, :, b]
                covered += cells[:, a, :, b] > 0
        mask = 2 * covered >= n * n
        if not mask.any():
            mask = covered == covered.max()
        place = slice(grain.top // n, grain.top // n + side), slice(grain.left // n, grain.left // n + side)
        labels[place][mask] = number
        integrals[place] += (total * ((kind.mineral * kind.packing - FAT) / (n * n))).astype(np.float32)


def _free(found: list[Grain], top: int, left: int, side: int, shape: tuple[int, int]) -> bool:
    """Whether a square of cells lies inside the picture, clear of its border and of the grains there are."""
    if min(top, left) < 2 * FINE or top + side > FINE * (shape[0] - 3) or left + side > FINE * (shape[1] - 3):
        return False
    return all(
        top > other.top + len(other.path) + FINE
        or other.top > top + side + FINE
        or left > other.left + len(other.path) + FINE
        or other.left > left + side + FINE
        for other in found
    )


def _grain(dice: Dice, kind: Morphology, cell: float, direction: Place) -> NDArray[np.float64]:
    """Path in mm of a ray through a chain of ellipsoids, on a grid of cells so many mm wide."""
    size = dice.uniform(*kind.size)
    extent = ceil(1.3 * size / cell / 2) + 2
    axis = (np.arange(2 * extent) - extent + 0.5) * cell
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
    return path
