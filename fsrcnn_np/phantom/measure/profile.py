"""The profile of a spot finer than its pixels, and its width at half height."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImageError
from .geometry import Floats, plane, positive

ANGLES = 64  #: of a circle


class RadialProfile(NamedTuple):
    """Means over circles around a point."""

    radius: Floats  #: mm, from 0
    value: Floats  #: in the image's unit
    background: float  #: mean of the outermost third, by area


def radial_profile(
    image: ArrayLike, *, pitch: float, centre: tuple[float, float], reach: float, step: float | None = None
) -> RadialProfile:
    """Profile around a point, oversampled: the cubic spline through the pixels, averaged over circles.

    Parameters
    ----------
    image : array_like, H×W
    pitch : float
        mm.
    centre : (float, float)
        In mm from the upper left corner.
    reach : float
        Largest distance, mm; its outermost third must be background.
    step : float, optional
        From circle to circle, mm; an eighth of a pixel unless given.

    Returns
    -------
    RadialProfile

    Raises
    ------
    ImageError
        No plane, a circle that leaves it, or fewer than 6 circles.
    """
    from scipy.ndimage import map_coordinates

    values = plane(image)
    pitch, reach = positive(pitch, "pitch"), positive(reach, "reach")
    step = pitch / 8 if step is None else positive(step, "step")
    radius = np.arange(math.floor(reach / step) + 1) * step
    if len(radius) < 6:
        raise ImageError(f"{len(radius)} circles within {reach:g} mm of {centre}; at least 6 are needed")
    row, column = (c / pitch - 0.5 for c in centre)
    room = min(row, column, values.shape[0] - 1 - row, values.shape[1] - 1 - column) * pitch
    if room < reach:
        raise ImageError(
            f"the circle of {reach:g} mm around {centre} leaves the image, which ends {room:.2f} mm off"
            "; give a smaller reach"
        )
    angle = np.arange(ANGLES) * (2 * math.pi / ANGLES)
    places = [c + np.multiply.outer(radius / pitch, f(angle)) for c, f in ((row, np.sin), (column, np.cos))]
    value = map_coordinates(values, places, order=3, mode="mirror").mean(1)
    outside = radius >= reach * 2 / 3
    background = float(np.average(value[outside], weights=radius[outside]))
    return RadialProfile(radius, value, background)


def fwhm(profile: RadialProfile) -> float:
    """Full width at half maximum, mm: twice the distance at which the profile first falls to half its height.

    The height is that at the centre over the background; between circles it is linear. nan where the spot is
    not above the background, or does not fall to half within the profile.
    """
    height = profile.value - profile.background
    half = height[0] / 2
    below = np.flatnonzero(height <= half)
    if not half > 0 or not below.size:
        return math.nan
    k = int(below[0])
    share = (height[k - 1] - half) / (height[k - 1] - height[k])
    return float(2 * (profile.radius[k - 1] + share * (profile.radius[k] - profile.radius[k - 1])))
