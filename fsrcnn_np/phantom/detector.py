"""Quanta, blur and counts of the paper's detector: amorphous selenium, 70 µm (Hologic Selenia Dimensions).

    quanta       Poisson, by dose
    focal spot   0.3 mm, 22 mm over the detector at most: a blur before the quanta are counted
    charge       spreads to the neighbours: a blur after they are counted, so of their noise too
    aperture     of the pixel: in what was drawn, as the mean over the pixel
    counts       14 bits with an offset and electronic noise

MTF at Nyquist (7.1/mm) 0.64 by the aperture, 0.90 by the focal spot and 0.82 by the charge: 0.47. Marshall and others,
"Performance evaluation of a Hologic Selenia Dimensions", Proc. IWDM 2010, and Zhao and others, "Imaging performance of
amorphous selenium based flat-panel detectors for digital mammography", Medical Physics 30, 2003, find 0.4 to 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .anatomy import FAT, GLAND, by_rows
from .dice import Dice
from .tables import exp_minus, exponentials

FOCAL, CHARGE = 0.025, 0.045  #: what a neighbour gets of a pixel; MTF at Nyquist: 1 − 4 times that
BEHIND = 1600.0  #: quanta in a pixel behind half fat, half gland, at dose 1
GAIN, OFFSET, ELECTRONIC = 1.6, 50, 5.0  #: counts a quantum, counts, counts (standard deviation)
WHITE = 16383  #: 14 bits


def open_field(thickness: float) -> float:
    """Quanta in a pixel beside the breast at dose 1: automatic exposure, by the breast's thickness in mm."""
    return BEHIND / float(exp_minus(np.array([(FAT + GLAND) / 2 * thickness]))[0])


def mean_quanta(integrals: NDArray[np.float32], incident: float, threads: int) -> NDArray[np.float32]:
    """What arrives on average of so many, I₀ exp(−∫µ dl): a new array."""
    from .kernels import quanta

    out = np.empty_like(integrals)
    by_rows(quanta, len(out), threads, integrals, exponentials(), np.float64(incident), out)
    return out


def expose(dice: Dice, mean: NDArray[np.float32], dose: float, threads: int) -> NDArray[np.uint16]:
    """Counts of the detector; `mean` is used up. The gain falls as the dose rises."""
    from .kernels import arrivals, blur

    rows = len(mean)
    blurred = np.empty_like(mean)
    by_rows(blur, rows, threads, mean, np.float32(FOCAL), blurred)
    by_rows(arrivals, rows, threads, blurred, np.uint64(dice.bits()))
    by_rows(blur, rows, threads, blurred, np.float32(CHARGE), mean)
    return count(mean, dose, threads, key=dice.bits(), electronic=ELECTRONIC)


def count(
    signal: NDArray[np.float32], dose: float, threads: int, *, key: int = 0, electronic: float = 0.0
) -> NDArray[np.uint16]:
    """Whole counts of a signal in quanta, with electronic noise of so many counts."""
    from .kernels import digitise

    counts = np.empty(signal.shape, np.uint16)
    numbers = np.uint64(key), np.float32(electronic), np.float32(GAIN / dose), np.float32(OFFSET), WHITE
    by_rows(digitise, len(signal), threads, signal, *numbers, counts)
    return counts
