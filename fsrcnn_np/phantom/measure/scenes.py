"""Breasts and slabs with test discs in them, through the phantom's own detector and processing.

A disc is calcium in the way of the beam: it is added to the line integrals, before quanta, blur and noise.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import detector, processing
from ..anatomy import FAT, GLAND, line_integrals
from ..breast import Breast, breast
from ..dice import Dice
from ..draw import PIXEL_SPACING
from .geometry import disc_coverage

PATCH = 40  #: pixels of the original along a site's patch: 2.8 mm
CENTRE = ((PATCH / 2 + 0.25) * PIXEL_SPACING,) * 2  #: of the disc in its patch, mm: a quarter of a pixel off the corner
DEPTH = 10.0  #: mm from a site to the skin, at least: where the breast has its full thickness
THICKNESS = 45.0  #: mm, of a slab: half fat, half gland

Integrals = NDArray[np.float32]
Picture = NDArray[np.uint16]


class Scene(NamedTuple):
    """A breast, or a slab, without discs."""

    outline: Breast
    integrals: Integrals  #: ∫µ dl, rows × the breast's columns
    sites: NDArray[np.intp]  #: (n, 2): upper left pixels of the patches, none touching another
    turn: NDArray[np.bool_]  #: (n,): of neighbours one is True, the other False
    seed: int


def parenchyma(seed: int, shape: tuple[int, int], threads: int, *, density: str = "c") -> Scene:
    """A breast without calcifications, and the sites in it that lie 10 mm or more under the skin."""
    outline = breast(Dice(seed, "breast"), "CC", shape, PIXEL_SPACING)
    integrals = line_integrals(Dice(seed, "tissue"), outline, density, PIXEL_SPACING, threads)
    places = [
        (i, j)
        for i in range(0, integrals.shape[0] - PATCH + 1, PATCH)
        for j in range(0, integrals.shape[1] - PATCH + 1, PATCH)
        if min(outline.depth(i + di, j + PATCH) for di in (0, PATCH)) * PIXEL_SPACING >= DEPTH
    ]
    sites = np.array(places, np.intp).reshape(-1, 2)
    return Scene(outline, integrals, sites, (sites // PATCH).sum(1) % 2 == 1, seed)


def slab(seed: int, shape: tuple[int, int]) -> Scene:
    """A slab of half fat, half gland, wider than the picture: uniform everywhere."""
    rows = shape[0]
    far = np.full(rows, 1e5, np.float32)
    outline = Breast(
        far, np.ones(rows, np.float32), np.zeros(rows, np.float32), (rows / 2, 1e5), 1e5, rows / 2, THICKNESS
    )
    integrals = np.full(shape, THICKNESS * (FAT + GLAND) / 2, np.float32)
    return Scene(outline, integrals, np.empty((0, 2), np.intp), np.empty(0, bool), seed)


def with_discs(scene: Scene, sites: NDArray[np.intp], *, diameter: float, contrast: float) -> Integrals:
    """The line integrals with a disc at each of these sites; contrast is the attenuation ∫µ dl that it adds."""
    disc = disc_coverage((PATCH, PATCH), pitch=PIXEL_SPACING, centre=CENTRE, diameter=diameter)
    added = (contrast * disc).astype(np.float32)
    integrals = scene.integrals.copy()
    for row, column in sites:
        integrals[row : row + PATCH, column : column + PATCH] += added
    return integrals


def with_edge(scene: Scene, *, degrees: float, contrast: float) -> Integrals:
    """The line integrals with an edge through the middle, `degrees` from the columns, pixels on it in their share."""
    rows, columns = scene.integrals.shape
    fine = 8
    y = (np.arange(rows * fine, dtype=np.float64) + 0.5) / fine - rows / 2
    x = (np.arange(columns * fine, dtype=np.float64) + 0.5) / fine - columns / 2
    share = np.empty((rows, columns))
    slope = math.tan(math.radians(degrees))
    for row in range(rows):
        beyond = x[None] > slope * y[row * fine : (row + 1) * fine, None]
        share[row] = beyond.reshape(fine, columns, fine).mean((0, 2))
    return (scene.integrals + contrast * share).astype(np.float32)


def picture(
    scene: Scene, integrals: Integrals, noise: str, threads: int, *, dose: float = 1.0, preset: str = "noisy"
) -> Picture:
    """The picture "for presentation" of these line integrals, 0..4095; `noise` names its quanta and electronics."""
    mean = detector.mean_quanta(integrals, dose * detector.open_field(scene.outline.thickness), threads)
    raw = detector.expose(Dice(scene.seed, noise), mean, dose, threads)
    return processing.present(raw, scene.outline, PIXEL_SPACING, preset, threads)


def patches(image: NDArray[Any], sites: NDArray[np.intp], scale: int) -> NDArray[np.float64]:
    """The patches at these sites, (n, side, side), of the picture or of its enlargement; share of the range 0..4095."""
    side = PATCH * scale
    found = np.empty((len(sites), side, side))
    for k, (row, column) in enumerate(sites * scale):
        found[k] = image[row : row + side, column : column + side]
    return found / processing.WHITE
