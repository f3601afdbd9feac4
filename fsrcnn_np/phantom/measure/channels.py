"""What a limited observer looks through: functions of mm and cycles/mm, the same at every pixel size."""

from __future__ import annotations

import math

import numpy as np

from ...errors import OptionError
from .geometry import Floats, offsets, positive

DISPLAY_PITCH = 0.1575  #: mm, of the paper's display (EIZO RadiForce GX1030)
DISTANCE = 400.0  #: mm from the display to the eye


def laguerre_gauss(
    shape: tuple[int, int], *, pitch: float, centre: tuple[float, float], width: float, count: int = 10
) -> Floats:
    """Laguerre–Gauss channels, rotationally symmetric about the signal's place.

    Parameters
    ----------
    shape : (int, int)
    pitch, width : float
        Side of a pixel and the channels' width a, mm.
    centre : (float, float)
        In mm from the array's upper left corner.
    count : int
        Channels of order 0 to count − 1.

    Returns
    -------
    ndarray, (count, *shape)
        √2/a · exp(−πr²/a²) · L_p(2πr²/a²) · pitch², so that a sum over pixels is an integral over mm² and answers do
        not depend on the pixel size (B. D. Gallas, H. H. Barrett, J. Opt. Soc. Am. A 20(9), 2003, eq. 11).
    """
    pitch, width = positive(pitch, "pitch"), positive(width, "width")
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or not 1 <= count <= 40:
        raise OptionError(f"count is {count!r}; allowed is a whole number from 1 to 40")
    y, x = offsets(shape, pitch, centre)
    t = 2 * math.pi * (y * y + x * x) / width**2
    polynomials = [np.ones(shape), 1 - t]
    for p in range(1, count - 1):  # (p + 1) L_{p+1} = (2p + 1 − t) L_p − p L_{p−1}
        polynomials.append(((2 * p + 1 - t) * polynomials[p] - p * polynomials[p - 1]) / (p + 1))
    scale = math.sqrt(2) / width * pitch**2
    return np.stack(polynomials[:count]) * (scale * np.exp(-t / 2))


def eye_filter(shape: tuple[int, int], *, pitch: float, zoom: float = 4.5) -> Floats:
    """The eye's contrast sensitivity at the frequencies of `numpy.fft.fft2`.

    Parameters
    ----------
    shape : (int, int)
    pitch : float
        mm.
    zoom : float
        How much larger a mm is on the display: 4.5 shows a pixel of 35 µm as one of the paper's display.

    Returns
    -------
    ndarray, shape
        E(f) = f^1.3 · exp(−0.04 f²), its greatest value 1, f in cycles per degree of vision at 400 mm
        (J. P. Johnson, J. Lubin, J. S. Nafziger, E. A. Krupinski, H. Roehrig, Proc. SPIE 5034, 2003).
    """
    pitch, zoom = positive(pitch, "pitch"), positive(zoom, "zoom", "")
    fy, fx = (np.fft.fftfreq(n, pitch) for n in shape)
    f = np.hypot(fy[:, None], fx[None]) / zoom * (DISTANCE * math.tan(math.radians(1)))
    peak = math.sqrt(1.3 / 0.08)
    return f**1.3 * np.exp(-0.04 * f * f) / (peak**1.3 * math.exp(-0.04 * peak**2))
