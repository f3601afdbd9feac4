"""From raw counts to the picture "for presentation", in whole numbers.

logarithm    of the counts less the offset
thickness    the rim's missing fat is added again, most of it: Snoeren and Karssemeijer, "Thickness correction of
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
from .tables import exponentials, logarithms

UNITS = 4096  #: of the logarithm, per 1
WHITE = 4095
RESTORED = 0.9  #: of the rim's missing fat


class Preset(NamedTuple):
    """How a vendor shows it. Attenuation is over that of fat alone, ∫µ dl − µ_fat·thickness."""

    sharpening: float  #: what is added of the difference to the blurred picture
    centre: float  #: attenuation shown as half of the range (sigmoid), or as `low` (line)
    width: float  #: four times the attenuation over which the sigmoid rises by a factor e; of a line, its whole range
    sigmoid: bool
    low: float  #: of the range: where a line begins


PRESETS = {
    "noisy": Preset(0.8, 0.72, 1.1, True, 0.0),
    "smooth": Preset(0.4, 0.0, 6.0, False, 0.52),
}


def present(raw: NDArray[np.uint16], breast: Breast, spacing: float, preset: str, threads: int) -> NDArray[np.uint16]:
    """The picture of these counts; H × the columns of the breast."""
    from .kernels import finish

    p = PRESETS[preset]
    log = logarithms(detector.WHITE + 1, UNITS)
    # Attenuation in UNITS, by count; what is at or under the offset counts as one.
    counts = np.maximum(np.arange(detector.WHITE + 1) - int(detector.OFFSET), 1)
    open_field = int(log[1]) + _log_of(detector.OPEN * detector.GAIN)
    attenuation = (open_field - log[counts]).astype(np.int32)
    # The window, by attenuation over that of the fat, from −4 to 8.
    window = _window(p)
    rim = np.float32(RESTORED * FAT * UNITS)
    full = np.int32(round(FAT * UNITS * breast.thickness))
    out = np.zeros(raw.shape, np.uint16)
    by_rows(
        finish, len(raw), threads, raw, attenuation, breast.edge, breast.cosine, np.float32(spacing),
        np.float32(breast.thickness / 2), rim, full, np.int32(round(256 * p.sharpening)), window, 4 * UNITS, out,
    )  # fmt: skip
    return out


def _log_of(value: float) -> int:
    import decimal

    from .tables import decimal_context

    return int((decimal_context().ln(decimal.Decimal(value)) * UNITS).to_integral_value(decimal.ROUND_HALF_EVEN))


def _window(p: Preset) -> NDArray[np.uint16]:
    """What is shown for an attenuation of (k/UNITS − 4), k = 0 … 12·UNITS."""
    x = np.arange(12 * UNITS + 1) / UNITS - 4
    if p.sigmoid:
        z = np.clip(4 * (x - p.centre) / p.width, -20, 20)
        e = _exp(np.abs(z))
        share = np.where(z > 0, 1 / (1 + e), e / (1 + e))
    else:
        share = p.low + (x - p.centre) / p.width
    return np.clip(np.floor(share * WHITE + 0.5), 0, WHITE).astype(np.uint16)


def _exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(−x), x ≥ 0, as the kernel has it: of the table, then four terms."""
    k = np.floor(x * 64).astype(np.int64)
    r = (x * 64 - k) * 0.015625
    return exponentials()[k] * (1 - r * (1 - r * (0.5 - r * 0.16666666666666666)))
