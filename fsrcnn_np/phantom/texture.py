"""How a mammogram behaves inside the breast, in seven numbers: what the phantom has to share with real ones.

The rows, all of values divided by their range:

    high-pass SD     of the picture less its Gaussian blur of 1.5 pixels; 1.4826 times the median deviation
    lag-1            correlation of that between neighbours, mean of both directions
    power ratio      of the frequencies 0.4–0.5 to 0.1–0.15 cycles per pixel
    slope            of ln power over ln frequency, 0.02–0.1 cycles per pixel
    1st percentile   of the values
    active           PIQE's active blocks, % of all blocks of the picture
    noisy            PIQE's noisy blocks, % of the active ones

Power: patches of 256 pixels (128 for the ratio) inside the breast, those of 256 overlapping by half, each less its
mean, under a Hann window. Inside: 40 pixels or more from the outline, so that skin, markers and the frame's edge stay
out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError

Floats = NDArray[np.floating[Any]]

BLUR, MARGIN, SHRINK = 1.5, 40, 8


class Texture(NamedTuple):
    """The rows of the table."""

    high_pass: float  #: %
    lag_1: float
    power_ratio: float
    slope: float
    percentile: float  #: the 1st, of the range
    active: float  #: %
    noisy: float  #: %


def texture(pixels: NDArray[Any], data_range: float) -> Texture:
    """Measure the rows.

    Parameters
    ----------
    pixels : ndarray, H×W
        0..data_range, bright is dense, dark beside the breast.
    data_range : float
        The value of white.

    Raises
    ------
    ImageError
        No breast, one too small for a patch of 256 pixels, or one of a single value.
    """
    from scipy import ndimage

    from piqe_np import piqe

    plane = np.asarray(pixels, np.float32) / np.float32(data_range)
    inner = inside(plane)
    rows, columns = np.nonzero(inner.any(1))[0], np.nonzero(inner.any(0))[0]
    if not rows.size:
        raise ImageError(
            f"the breast is nowhere more than {MARGIN} pixels from its outline: nothing to measure; give a larger image"
        )
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    plane, inner = plane[box], inner[box]
    coarse, fine = spectrum(plane, inner, 256, 128), spectrum(plane, inner, 128, 128)
    high = plane - ndimage.gaussian_filter(plane, BLUR)
    values = high[inner]
    if values.min() == values.max():
        raise ImageError("every value inside the breast is the same: nothing to measure; give an image of tissue")
    spread = float(np.median(np.abs(values - np.median(values))))
    lags = [_lag(high, inner, axis) for axis in (0, 1)]
    scored = piqe(pixels, data_range=data_range)
    active, noisy = scored.activity_mask, scored.noise_mask
    return Texture(
        148.26 * spread,
        sum(lags) / 2,
        _band(fine, 0.4, 0.5) / _band(fine, 0.1, 0.15),
        _slope(coarse, 0.02, 0.1),
        float(np.percentile(plane[inner], 1)),
        100 * float(active.mean()),
        100 * float((noisy & active).sum()) / max(int(active.sum()), 1),
    )


def inside(plane: Floats) -> NDArray[np.bool_]:
    """The largest bright piece without what is MARGIN pixels or less from its outline or the frame's edge; H×W."""
    from scipy import ndimage

    rows, columns = (n // SHRINK * SHRINK for n in plane.shape)
    small = plane[:rows, :columns].reshape(rows // SHRINK, SHRINK, columns // SHRINK, SHRINK).mean((1, 3))
    pieces, _ = ndimage.label(small > 0.02)
    sizes = np.bincount(pieces.ravel())[1:]
    if not sizes.size:
        raise ImageError("no breast found: every value is near black; give a mammogram, bright on black")
    breast = ndimage.binary_fill_holes(pieces == 1 + sizes.argmax())
    depth = ndimage.distance_transform_edt(np.pad(breast, 1))[1:-1, 1:-1] * SHRINK
    mask = np.zeros(plane.shape, bool)
    mask[:rows, :columns] = np.repeat(np.repeat(depth > MARGIN, SHRINK, 0), SHRINK, 1)
    return mask


def spectrum(plane: Floats, inner: NDArray[np.bool_], side: int, step: int) -> tuple[Floats, Floats]:
    """Frequency in cycles per pixel and mean power of patches of side×side every `step` pixels, both side×side."""
    window = np.hanning(side)[:, None] * np.hanning(side)
    window /= np.sqrt((window**2).mean())
    power, patches = np.zeros((side, side)), 0
    for i in range(0, plane.shape[0] - side + 1, step):
        for j in range(0, plane.shape[1] - side + 1, step):
            if inner[i : i + side, j : j + side].all():
                patch = plane[i : i + side, j : j + side].astype(np.float64)
                power += np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2 / side**2
                patches += 1
    if not patches:
        raise ImageError(
            f"the breast holds no square of {side} pixels: nothing to measure a spectrum on; give a larger image"
        )
    f = np.fft.fftfreq(side)
    return np.hypot(f[:, None], f), power / patches


def _lag(high: Floats, inner: NDArray[np.bool_], axis: int) -> float:
    one, two = (slice(None, -1), slice(1, None))
    first, second = ((one,), (two,)) if axis == 0 else ((slice(None), one), (slice(None), two))
    both = inner[first] & inner[second]
    x, y = (values[both] - values[both].mean(dtype=np.float64) for values in (high[first], high[second]))
    return float((x * y).sum(dtype=np.float64) / np.sqrt((x * x).sum(dtype=np.float64) * (y * y).sum(dtype=np.float64)))


def _band(spectrum: tuple[Floats, Floats], low: float, high: float) -> float:
    f, power = spectrum
    return float(power[(f >= low) & (f < high)].mean())


def _slope(spectrum: tuple[Floats, Floats], low: float, high: float) -> float:
    f, power = spectrum
    bins = [(f >= a) & (f < b) for a, b in pairwise(np.geomspace(low, high, 8))]
    bins = [b for b in bins if b.any()]
    x, y = (np.log([values[b].mean() for b in bins]) for values in (f, power))
    return float(np.polyfit(x, y, 1)[0])
