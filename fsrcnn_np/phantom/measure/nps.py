"""Noise power spectrum, as IEC 62220-1:2003 determines it, and the noise that it sums to."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImageError, OptionError
from .geometry import Floats, plane, positive

SIDE = 256  #: of a region of interest, pixels of the standard


class NPS(NamedTuple):
    """Noise power over frequency."""

    frequency: Floats  #: cycles/mm: the mean of each radial bin
    value: Floats  #: unit² · mm²
    power: Floats  #: side×side, as `numpy.fft.fft2` orders it, unit² · mm²
    regions: int  #: how many were averaged
    pitch: float  #: mm

    @property
    def noise(self) -> float:
        """Standard deviation: root of the power summed over all frequencies."""
        return math.sqrt(float(self.power.sum())) / (self.pitch * len(self.power))

    def between(self, low: float, high: float) -> float:
        """Mean power from one radial frequency to another, cycles/mm; nan where none is there."""
        radius = _radius(len(self.power), self.pitch)
        band = (radius >= low) & (radius < high)
        return float(self.power[band].mean()) if band.any() else math.nan


def noise_power(image: ArrayLike, *, pitch: float, side: int = SIDE) -> NPS:
    """Noise power spectrum of a nearly uniform image.

    Parameters
    ----------
    image : array_like, H×W
        At least `side` × `side`.
    pitch : float
        mm.
    side : int
        Of a region of interest, even, 8 or more; regions overlap by half (IEC 62220-1, 6.3.3).

    Returns
    -------
    NPS
        pitch²/side² · mean of |DFT(region − its second-order polynomial)|²; radial bins as wide as a frequency step,
        without the axes (u = 0, v = 0), up to the Nyquist frequency.

    Raises
    ------
    ImageError, OptionError
        An image smaller than one region, or an impossible side.
    """
    whole = isinstance(side, int | np.integer) and not isinstance(side, bool)
    if not whole or side < 8 or side % 2:
        raise OptionError(f"side is {side!r}; allowed is an even whole number from 8")
    values = plane(image, int(side))
    pitch = positive(pitch, "pitch")
    y, x = np.meshgrid(*[np.linspace(-1, 1, side)] * 2, indexing="ij")
    basis, _ = np.linalg.qr(np.stack([y**a * x**b for a in range(3) for b in range(3 - a)], -1).reshape(-1, 6))
    total, count = np.zeros((side, side)), 0
    for top in range(0, values.shape[0] - side + 1, side // 2):
        for left in range(0, values.shape[1] - side + 1, side // 2):
            region = values[top : top + side, left : left + side].reshape(-1)
            rest = (region - basis @ (basis.T @ region)).reshape(side, side)
            total += np.square(np.abs(np.fft.fft2(rest)))
            count += 1
    if not count:
        raise ImageError(f"found {values.shape}; one region of {side}×{side} is needed")
    power = total * (pitch**2 / side**2 / count)
    radius = _radius(side, pitch)
    step = 1 / (side * pitch)
    off_axis = np.ones((side, side), bool)
    off_axis[0] = off_axis[:, 0] = False
    use = off_axis & (radius <= 0.5 / pitch)
    index = np.floor(radius[use] / step + 0.5).astype(np.intp)
    number = np.bincount(index)
    full = number > 0
    frequency = np.bincount(index, radius[use])[full] / number[full]
    return NPS(frequency, np.bincount(index, power[use])[full] / number[full], power, count, pitch)


def _radius(side: int, pitch: float) -> Floats:
    f = np.fft.fftfreq(side, pitch)
    return np.hypot(f[:, None], f[None])
