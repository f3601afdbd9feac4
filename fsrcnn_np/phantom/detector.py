"""Quanta, blur and counts of the paper's detector: amorphous selenium, 70 µm (Hologic Selenia Dimensions).

    quanta       Poisson, by dose
    focal spot   0.3 mm, 22 mm over the detector at most: a blur before the quanta are counted
    charge       spreads to the neighbours: a blur after they are counted, so of their noise too
    aperture     of the pixel: in what was drawn, as the mean over the pixel
    counts       14 bits with an offset and electronic noise

MTF at Nyquist (7.1/mm) 0.64 by the aperture, 0.90 by the focal spot and 0.78 by the charge: 0.45. Marshall and others,
"Performance evaluation of a Hologic Selenia Dimensions", Proc. IWDM 2010, and Zhao and others, "Imaging performance of
amorphous selenium based flat-panel detectors for digital mammography", Medical Physics 30, 2003, find 0.4 to 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .anatomy import by_rows
from .dice import Dice
from .tables import exponentials

FOCAL, CHARGE = 0.025, 0.055  #: what a neighbour gets of a pixel; MTF at Nyquist: 1 − 4 times that
OPEN = 24000.0  #: quanta in a pixel of the open field at dose 1; about 1,400 behind 45 mm of half fat, half gland
GAIN, OFFSET, ELECTRONIC = 2.0, 50.0, 5.0  #: counts a quantum, counts, counts (standard deviation)
WHITE = 16383  #: 14 bits


def mean_quanta(integrals: NDArray[np.float32], dose: float, threads: int) -> NDArray[np.float32]:
    """What arrives on average, I₀ exp(−∫µ dl): a new array."""
    from .kernels import quanta

    out = np.empty_like(integrals)
    by_rows(quanta, len(out), threads, integrals, exponentials(), np.float64(OPEN * dose), out)
    return out


def expose(dice: Dice, mean: NDArray[np.float32], dose: float, threads: int) -> NDArray[np.uint16]:
    """Counts of the detector; `mean` is used up. The gain is set by the dose, as automatic exposure does."""
    from .kernels import arrivals, blur, digitise

    rows = len(mean)
    blurred = np.empty_like(mean)
    by_rows(blur, rows, threads, mean, np.float32(FOCAL), blurred)
    by_rows(arrivals, rows, threads, blurred, np.uint64(dice.bits()), np.float32(1))
    by_rows(blur, rows, threads, blurred, np.float32(CHARGE), mean)
    counts = np.empty(mean.shape, np.uint16)
    key = np.uint64(dice.bits())
    by_rows(
        digitise, rows, threads, mean, key, np.float32(ELECTRONIC), np.float32(GAIN / dose), np.float32(OFFSET), WHITE,
        counts,
    )  # fmt: skip
    return counts
