"""Contrast, CNR, width, MTF and noise power of original, bicubic and SR, on the same truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draw import PIXEL_SPACING, phantom
from . import scenes
from .contrast import spot_contrast
from .edge import MTF, edge_mtf
from .enlarged import Enlarger
from .geometry import disc_coverage
from .nps import NPS, noise_power
from .profile import fwhm, radial_profile

SHOWN = 0.12  #: ∫µ dl of the discs whose contrast and width are measured: well visible, in the window's linear part
EDGE, DEGREES, EDGE_DOSE = 0.12, 2.5, 20.0  #: ∫µ dl, from the columns, over the usual dose
SIDE = 128  #: of the noise power's regions, pixels of the original
REACH = 1.0  #: mm
AROUND = 24  #: pixels of the original around a calcification

Step = Callable[[], object]


class Mean(NamedTuple):
    """Mean over cases and its standard error."""

    value: float
    error: float
    cases: int


class Discs(NamedTuple):
    """Test discs of one diameter in parenchyma, all of contrast 0.12."""

    diameter: float
    image: str
    contrast: Mean  #: share of the range
    noise: Mean  #: share of the range
    cnr: Mean
    width: float  #: mm, FWHM of the mean over the sites of what the disc adds


class Calcified(NamedTuple):
    """Calcifications of phantoms, drawn shapes at true places."""

    image: str
    contrast: Mean  #: share of the range
    noise: Mean
    cnr: Mean
    cnr_over_original: Mean  #: of each calcification


class Curves(NamedTuple):
    """Of one processing."""

    image: str
    pitch: float
    mtf: MTF
    nps: NPS  #: share of the range, squared · mm²


def discs(
    scene: scenes.Scene, enlarger: Enlarger, threads: int, diameters: tuple[float, ...], step: Step = lambda: None
) -> tuple[Discs, ...]:
    """Contrast, noise, CNR at every site, and the width of the mean disc (with less without, the same quanta)."""
    plain = {
        one.name: scenes.patches(one.pixels, scene.sites, one.scale).mean(0)
        for one in enlarger.all(scenes.picture(scene, scene.integrals, "discs", threads))
    }
    result = []
    for diameter in diameters:
        integrals = scenes.with_discs(scene, scene.sites, diameter=diameter, contrast=SHOWN)
        for one in enlarger.all(scenes.picture(scene, integrals, "discs", threads)):
            found = scenes.patches(one.pixels, scene.sites, one.scale)
            pitch, centre = one.pitch, scenes.CENTRE
            inside = disc_coverage(found.shape[1:], pitch=pitch, centre=centre, diameter=diameter)
            spots = [spot_contrast(patch, inside, pitch=pitch, centre=centre, diameter=diameter) for patch in found]
            profile = radial_profile(found.mean(0) - plain[one.name], pitch=pitch, centre=centre, reach=REACH)
            result.append(
                Discs(
                    diameter, one.name, _mean([s.contrast for s in spots]), _mean([s.noise for s in spots]),
                    _mean([s.cnr for s in spots]), fwhm(profile),
                )
            )  # fmt: skip
        step()
    return tuple(result)


def calcified(
    seeds: range, shape: tuple[int, int], enlarger: Enlarger, threads: int, step: Step = lambda: None
) -> tuple[Calcified, ...]:
    """Contrast, noise and CNR of every calcification of some phantoms, inside its true mask."""
    spots: dict[str, list[tuple[float, float, float]]] = {}
    for seed in seeds:
        truth = phantom(seed, shape=shape, threads=threads)
        for one in enlarger.all(truth.pixels):
            scale, rows = one.scale, spots.setdefault(one.name, [])
            for number, c in enumerate(truth.calcifications, 1):
                top, left = (int(v) - AROUND for v in (c.row, c.column))
                part = np.s_[max(top, 0) : top + 2 * AROUND, max(left, 0) : left + 2 * AROUND]
                labels = np.repeat(np.repeat(truth.labels[part], scale, 0), scale, 1)
                fine = np.s_[part[0].start * scale : part[0].stop * scale, part[1].start * scale : part[1].stop * scale]
                image = one.pixels[fine] / truth.data_range
                centre = (
                    (c.row + 0.5 - part[0].start) * PIXEL_SPACING,
                    (c.column + 0.5 - part[1].start) * PIXEL_SPACING,
                )
                found = spot_contrast(
                    image, labels == number, pitch=one.pitch, centre=centre, diameter=c.length, excluded=labels > 0
                )
                rows.append((found.contrast, found.noise, found.cnr))
        step()
    table = {name: np.array(rows).reshape(-1, 3) for name, rows in spots.items()}
    first = next(iter(table.values()))
    return tuple(
        Calcified(name, _mean(found[:, 0]), _mean(found[:, 1]), _mean(found[:, 2]), _mean(found[:, 2] - first[:, 2]))
        for name, found in table.items()
    )


def curves(
    seed: int, enlarger: Enlarger, threads: int, *, rows: int = 512, side: int = SIDE, step: Step = lambda: None
) -> tuple[Curves, ...]:
    """MTF of an edge in a slab, and noise power of the slab at the usual dose; presampled, with all processing in."""
    edge = scenes.slab(seed, (rows, 256))
    integrals = scenes.with_edge(edge, degrees=DEGREES, contrast=EDGE)
    mtf = {
        one.name: edge_mtf(one.pixels, pitch=one.pitch, reach=1.5)
        for one in enlarger.all(scenes.picture(edge, integrals, "edge", threads, dose=EDGE_DOSE))
    }
    step()
    flat = scenes.slab(seed, (6 * side, 6 * side))
    result = []
    for one in enlarger.all(scenes.picture(flat, flat.integrals, "flat", threads)):
        margin = 16 * one.scale
        inner = one.pixels[margin:-margin, margin:-margin] / np.float64(4095)
        nps = noise_power(inner, pitch=one.pitch, side=side * one.scale)
        result.append(Curves(one.name, one.pitch, mtf[one.name], nps))
    step()
    return tuple(result)


def _mean(values: list[float] | NDArray[np.float64]) -> Mean:
    array = np.asarray(values, np.float64)
    if len(array) < 2:
        return Mean(float(array.mean()) if len(array) else math.nan, math.nan, len(array))
    return Mean(float(array.mean()), float(array.std(ddof=1) / math.sqrt(len(array))), len(array))
