"""Contrast of a spot against its surroundings, and contrast over noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImageError
from .geometry import Floats, offsets, plane, positive

INNER, OUTER = 0.3, 0.9  #: of the ring of surroundings, mm beyond the spot's edge


class SpotContrast(NamedTuple):
    """What was measured of one spot."""

    contrast: float  #: mean inside less the surroundings at the same place, in the image's unit
    background: float  #: the surroundings at the spot, in the image's unit
    noise: float  #: standard deviation of the surroundings about their slope, in the image's unit
    cnr: float  #: contrast / noise; inf where there is none

    @property
    def relative(self) -> float:
        """Contrast as a share of the background; nan on black."""
        return self.contrast / self.background if self.background else float("nan")


def spot_contrast(
    image: ArrayLike,
    inside: ArrayLike,
    *,
    pitch: float,
    centre: tuple[float, float],
    diameter: float,
    excluded: ArrayLike | None = None,
) -> SpotContrast:
    """Contrast and noise of a spot whose place is known.

    Parameters
    ----------
    image : array_like, H×W
    inside : array_like, H×W
        How much of each pixel belongs to the spot, 0 to 1 (`geometry.disc_coverage`, or a mask).
    pitch : float
        mm.
    centre : (float, float)
        Of the spot, in mm from the upper left corner.
    diameter : float
        Of the spot, mm: the surroundings are the ring from 0.3 to 0.9 mm beyond it.
    excluded : array_like of bool, H×W, optional
        Pixels that the surroundings leave out: other spots.

    Returns
    -------
    SpotContrast
        The surroundings are a plane fitted to the ring by least squares; the noise is what is left there, with 3
        degrees of freedom taken off.

    Raises
    ------
    ImageError
        No plane; a spot without pixels; a ring of less than 10.
    """
    values = plane(image)
    pitch, diameter = positive(pitch, "pitch"), positive(diameter, "diameter")
    weight = np.asarray(inside, np.float64)
    if weight.shape != values.shape or not weight.sum() > 0:
        raise ImageError(
            f"the spot's mask of shape {weight.shape} marks nothing of an image of {values.shape}"
            "; give one of its shape that does"
        )
    y, x = offsets((values.shape[0], values.shape[1]), pitch, centre)
    radius = np.hypot(y, x)
    ring = (radius >= diameter / 2 + INNER) & (radius <= diameter / 2 + OUTER) & (weight == 0)
    if excluded is not None:
        ring &= ~np.asarray(excluded, bool)
    count = int(ring.sum())
    if count < 10:
        raise ImageError(f"only {count} pixels surround the spot at {centre} mm; at least 10 are needed")
    terms = np.stack([np.ones(values.shape), y + 0 * x, x + 0 * y], -1)
    fit, *_ = np.linalg.lstsq(terms[ring], values[ring], rcond=None)
    around: Floats = terms @ fit
    noise = float(np.sqrt(np.square(values[ring] - around[ring]).sum() / (count - 3)))
    contrast = float((weight * (values - around)).sum() / weight.sum())
    background = float((weight * around).sum() / weight.sum())
    return SpotContrast(contrast, background, noise, contrast / noise if noise > 0 else float("inf"))
