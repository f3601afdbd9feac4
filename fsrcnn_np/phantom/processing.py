"""From raw counts to the picture "for presentation", in whole numbers.

logarithm    of the counts less the offset
thickness    the rim's missing fat is added again: Snoeren and Karssemeijer, "Thickness correction of
             mammographic images by means of a global parameter model of the compressed breast", IEEE Transactions
             on Medical Imaging 23, 2004
sharpening   an unsharp mask, mild
window       DICOM's sigmoid (PS3.3 C.11.2.1.3.1), or a straight line; 12 bits; beside the breast black
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import detector
from .anatomy import FAT, by_rows
from .breast import Breast
from .tables import exp_minus, log_units, logarithms

UNITS = 4096  #: of the logarithm, per 1
WHITE = 4095
REACH = 6  #: pixels of 0.07 mm: half the width of the triangle that is the unsharp mask
RESTORED = 1.0  #: of the rim's missing fat


class Preset(NamedTuple):
    """How a vendor shows it. Attenuation is over that of fat alone, ∫µ dl − µ_fat·thickness."""

    sharpening: float  #: what is added of the difference to the blurred picture
    centre: float  #: attenuation shown as half of the range (sigmoid), or as `low` (line)
    width: float  #: four times the attenuation over which the sigmoid rises by a factor e; of a line, its whole range
    sigmoid: bool
    low: float  #: of the range: where a line begins


PRESETS = {
    "noisy": Preset(0.7, 0.78, 0.95, True, 0.0),
    "smooth": Preset(0.4, 0.0, 7.2, False, 0.52),
}


def present(
    raw: NDArray[np.uint16], breast: Breast, spacing: float, preset: str, threads: int, *, scale: int = 1
) -> NDArray[np.uint16]:
    """The picture of these counts; H × the columns of the breast. The sharpening reaches as far in mm on any scale."""
    from .kernels import finish

    p = PRESETS[preset]
    # Attenuation in UNITS, by count; what is at or under the offset counts as one.
    counts = np.maximum(np.arange(detector.WHITE + 1) - detector.OFFSET, 1)
    nothing = log_units(detector.open_field(breast.thickness) * detector.GAIN, UNITS)
    attenuation = (nothing - logarithms(detector.WHITE + 1, UNITS)[counts]).astype(np.int32)
    out = np.zeros(raw.shape, np.uint16)
    by_rows(
        finish, len(raw), threads, attenuation[raw], breast.edge, breast.cosine, np.float32(spacing),
        np.float32(breast.thickness / 2), np.float32(RESTORED * FAT * UNITS), round(FAT * UNITS * breast.thickness),
        round(256 * p.sharpening), REACH * scale, _window(p), 4 * UNITS, out,
    )  # fmt: skip
    return out


def _window(p: Preset) -> NDArray[np.uint16]:
    """What is shown for an attenuation of (k/UNITS − 4) over that of the fat, k = 0 … 12·UNITS."""
    x = np.arange(12 * UNITS + 1) / UNITS - 4
    if p.sigmoid:
        z = np.clip(4 * (x - p.centre) / p.width, -20, 20)
        e = exp_minus(np.abs(z))
        share = np.where(z > 0, 1 / (1 + e), e / (1 + e))
    else:
        share = p.low + (x - p.centre) / p.width
    return np.clip(np.floor(share * WHITE + 0.5), 0, WHITE).astype(np.uint16)
