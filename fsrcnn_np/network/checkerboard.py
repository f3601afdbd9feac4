"""A model's checkerboard: what its deconvolution draws on a field that has nothing on it.

Each of the scale² phases of an FSRCNN's output has filters of its own. On a flat field they ought to agree; where they
do not, a pattern that repeats with every low-resolution pixel lies over the whole picture (A. Odena, V. Dumoulin,
C. Olah, "Deconvolution and checkerboard artifacts", Distill 2016). Nobody sees 0.5 % of it; PIQE does
(docs/piqe-claim.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.grid_power import BLOCK, grid_power
from ..images.imresize import imresize
from .channels import of_grey
from .reference import forward
from .weights import Weights

LEVELS = tuple(n / 10 for n in range(11))  #: of the flat fields: black to white
LIMIT = 0.003  #: of the range, or of the signal: a model above it is warned of
NOISE = 0.1  #: standard deviation of the field on which the power at Nyquist is measured, about mid-grey
_FIELD = 4 * BLOCK  # its side


@dataclass(frozen=True, eq=False)
class Checkerboard:
    """What a model draws at the frequencies of its own grid; shares are of the value range, 0 to 1.

    Attributes
    ----------
    phases : ndarray, (11, scale, scale), float64
        Output values on flat fields of the levels 0, 0.1 … 1, by the output's row and column modulo the scale.
    gains : ndarray, (scale, scale), float64
        Slope of each phase over the levels, least squares; 1 is right.
    offset_amplitude : float
        Largest deviation of a phase from the mean of all, over the levels, as a share of the range.
    gain_amplitude : float
        Largest deviation of a phase's gain from the mean gain, as a share of it.
    noise_sr, noise_bicubic : float
        Amplitude (root of `fsrcnn_np.images.grid_power`) of white noise, σ 0.1 about mid-grey, after SR and after
        bicubic, whose kernel has a double zero there.
    """

    phases: NDArray[np.float64]
    gains: NDArray[np.float64]
    offset_amplitude: float
    gain_amplitude: float
    noise_sr: float
    noise_bicubic: float

    @property
    def power_ratio(self) -> float:
        """Power of SR at the grid's frequencies (×2: Nyquist) over that of bicubic, of white noise."""
        return (self.noise_sr / self.noise_bicubic) ** 2

    @property
    def warning(self) -> str:
        """One line where the pattern exceeds 0.3 % of the range or of the signal; else empty."""
        worst = max(self.offset_amplitude, self.gain_amplitude)
        if worst <= LIMIT:
            return ""
        return (
            f"the model draws a checkerboard of {100 * worst:.2f} % on flat fields (limit {100 * LIMIT:g} %): it is "
            "hardly seen, but it lowers PIQE by itself; see docs/piqe-claim.md"
        )

    def facts(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return {
            "gains": self.gains.tolist(),
            "offset_amplitude": self.offset_amplitude,
            "gain_amplitude": self.gain_amplitude,
            "noise_sr": self.noise_sr,
            "noise_bicubic": self.noise_bicubic,
            "power_ratio": self.power_ratio,
            "limit": LIMIT,
            "warning": self.warning,
        }


@lru_cache(maxsize=4)
def checkerboard(weights: Weights) -> Checkerboard:
    """Measure a model's checkerboard, by the reference in float64; takes a second, and is remembered.

    Of a model of RGB, that of the luma, which PIQE sees, on grey fields.

    Parameters
    ----------
    weights : Weights

    Returns
    -------
    Checkerboard
    """
    scale, halo = weights.architecture.scale, weights.halo
    low, high = weights.value_range

    def enlarged(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return (of_grey(forward, low + (high - low) * plane, weights, dtype=np.float64) - low) / (high - low)

    middle = slice(halo * scale, (halo + 1) * scale)  # one low-resolution pixel that sees no border
    levels = np.array(LEVELS)
    side = 2 * halo + 1
    phases = np.stack([enlarged(np.full((side, side), level))[middle, middle] for level in LEVELS])
    deviations = phases - phases.mean((1, 2), keepdims=True)
    centred = levels - levels.mean()
    gains = np.tensordot(centred, phases, 1) / (centred @ centred)
    uniform = np.random.default_rng(0).random((_FIELD + 2 * halo, _FIELD + 2 * halo))  # the same on every processor
    field = 0.5 + NOISE * np.sqrt(12) * (uniform - 0.5)
    inside = slice(halo * scale, -halo * scale)
    planes = (enlarged(field), imresize(field, scale))
    sr, bicubic = (math.sqrt(grid_power(plane[inside, inside], scale)) for plane in planes)
    for array in (phases, gains):
        array.flags.writeable = False
    return Checkerboard(
        phases=phases,
        gains=gains,
        offset_amplitude=float(np.abs(deviations).max()),
        gain_amplitude=float(np.abs(gains / gains.mean() - 1).max()),
        noise_sr=sr,
        noise_bicubic=bicubic,
    )
