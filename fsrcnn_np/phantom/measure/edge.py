"""MTF of an image by a slanted edge, as IEC 62220-1:2003 determines it (-1-2 is the part for mammography)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImageError
from .geometry import Floats, plane, positive

OVERSAMPLING = 4  #: samples of the edge spread function in a pixel
MOST_ANGLE = 10.0  #: degrees from the columns


class MTF(NamedTuple):
    """Modulation transfer function across an edge."""

    frequency: Floats  #: cycles/mm, 0 up to the image's own Nyquist frequency
    value: Floats  #: 1 at frequency 0
    angle: float  #: of the edge from the columns, degrees
    position: Floats  #: mm from the edge, of the edge spread function
    spread: Floats  #: the edge spread function, 0 on one side and 1 on the other

    def at(self, frequency: float) -> float:
        """Value at a frequency in cycles/mm, linearly between its own; nan beyond the last."""
        beyond = frequency > self.frequency[-1] * (1 + 1e-9)
        return math.nan if beyond else float(np.interp(frequency, self.frequency, self.value))

    def width(self, level: float = 0.5) -> float:
        """The frequency at which the MTF first falls to a level; nan where it does not."""
        below = np.flatnonzero(self.value <= level)
        if not below.size or not below[0]:
            return math.nan
        k = int(below[0])
        share = (self.value[k - 1] - level) / (self.value[k - 1] - self.value[k])
        return float(self.frequency[k - 1] + share * (self.frequency[k] - self.frequency[k - 1]))


def edge_mtf(image: ArrayLike, *, pitch: float, reach: float = 1.5) -> MTF:
    """Presampled MTF of an edge that runs nearly along the columns.

    Parameters
    ----------
    image : array_like, H×W
        Linear in exposure; one edge from its top to its bottom, 0.5° to 10° from the columns (the standard asks for
        1.5° to 3°).
    pitch : float
        mm.
    reach : float
        How far to both sides of the edge the spread function is taken, mm.

    Returns
    -------
    MTF

    Raises
    ------
    ImageError
        No edge, one beyond the angles, or one nearer to the image's side than `reach` and a pixel.

    Notes
    -----
    The edge is a line through the sub-pixel places of the greatest slope of every row (centroid of the differences),
    fitted by least squares twice, the second time without rows more than half a pixel off. Pixels are put into bins of
    a quarter of a pixel by their distance from it; differences of the bins' means, faded out over the outer half of
    the reach, and the modulus of their Fourier sum. What the bins and the differences smooth (two sinc) is divided
    out, as the standard asks.
    """
    values = plane(image, 8)
    pitch, reach = positive(pitch, "pitch"), positive(reach, "reach")
    slope, start, least, most = _line(values)
    angle = math.degrees(math.atan(slope))
    if not 0.5 <= abs(angle) <= MOST_ANGLE:
        raise ImageError(
            f"the edge runs {angle:.2f}° from the columns; allowed are 0.5° to {MOST_ANGLE:g}°, either way"
        )
    room = pitch * (min(least, values.shape[1] - 1 - most) + 0.5)
    if room < reach + pitch:
        raise ImageError(f"the edge comes within {room:.2f} mm of the image's side; give more, or a reach below that")
    rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
    distance = (columns - (start + slope * rows)) * pitch * math.cos(math.radians(angle))
    step = pitch / OVERSAMPLING
    half = round(reach / step)
    index = np.floor(distance / step + 0.5).astype(np.intp) + half
    inside = (index >= 0) & (index <= 2 * half)
    count = np.bincount(index[inside], minlength=2 * half + 1)
    if not count.all():
        raise ImageError("the edge is too short or too steep: some quarters of a pixel have no sample; give more rows")
    means = np.bincount(index[inside], values[inside], minlength=2 * half + 1) / count
    tail = max(half // 4, 1)
    ends = means[:tail].mean(), means[-tail:].mean()
    spread = (means - ends[0]) / (ends[1] - ends[0])
    position = (np.arange(2 * half + 1) - half) * step
    outer = np.clip(2 * np.abs(position[:-1] + step / 2) / reach - 1, 0, 1)
    line = np.diff(spread) * np.cos(np.pi / 2 * outer) ** 2
    frequency = np.arange(0, math.floor(0.5 / pitch * (2 * reach)) + 1) / (2 * reach)
    waves = np.exp(-2j * np.pi * np.outer(frequency, position[:-1] + step / 2))
    found = np.abs(waves @ line) / np.sinc(frequency * step) ** 2
    return MTF(frequency, found / found[0], angle, position, spread)


def _line(values: Floats) -> tuple[float, float, float, float]:
    """Slope and start of column = start + slope · row, and the least and the greatest column on it."""
    height, width = values.shape
    low, high = values[:, : width // 8].mean(), values[:, -(width // 8) :].mean()
    if width < 24 or not abs(high - low) > 4 * max(values[:, : width // 8].std(), values[:, -(width // 8) :].std()):
        raise ImageError(
            "no edge found: left and right side do not differ by four times their noise; give an image of one edge"
        )
    steps = np.diff(values, axis=1) * np.sign(high - low)
    middle = np.arange(width - 1) + 0.5
    smooth = np.cumsum(np.pad(steps, ((0, 0), (5, 4))), 1)
    coarse = (smooth[:, 8:] - smooth[:, :-8]).argmax(1)[:, None]  # the eight differences with the greatest sum
    near = np.abs(middle - coarse) <= 8
    weight = np.where(near, steps, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (weight * middle).sum(1) / weight.sum(1)
    rows = np.arange(height)
    good = np.isfinite(place)
    slope, start = 0.0, 0.0
    for _ in range(2):
        if good.sum() < 8:
            raise ImageError(
                "no straight edge found: its places in the rows do not lie on a line; give an image of one edge"
            )
        slope, start = np.polyfit(rows[good], place[good], 1)
        good = np.isfinite(place) & (np.abs(place - (start + slope * rows)) < max(0.5, 2 * np.std(place[good])))
    ends = sorted((start, start + slope * (height - 1)))
    return float(slope), float(start), float(ends[0]), float(ends[1])
