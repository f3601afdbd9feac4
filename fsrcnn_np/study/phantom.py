"""A procedural mammogram phantom: the picture that the package can always show, of nobody.

What is drawn, in the order of drawing; lengths are in pixels of 0.07 mm, whatever the frame's size:

    breast      half an ellipse at the chest wall, about a third of the frame; black around it
    fat         thinner, so darker, towards the skin
    texture     fibroglandular, its power spectrum falling as f⁻³ (Burgess, Jacobson, Judy, "Human observer
                detection experiments with mammograms and power-law noise", Medical Physics 28(4), 2001); made of
                strands, since the phases are those of ridges
    skin line   bright, 1.2 mm
    clusters    of microcalcifications, 3 to 8 pixels, with soft edges, at known places
    noise       nearly white, σ = 0.63·√signal: 2 % of the signal at 1000, 1 % at 4000

It is no model of a breast, only a picture with a mammogram's statistics; nothing clinical can be learned from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError

WHITE = 4095
PIXEL_SPACING = 0.07  #: mm; 3328×2560 of it is an 18×24 cm detector
LEAST, MOST = 256, 8192

# Values above black, and pixels.
FAT, GLAND = 1250.0, 900.0  #: of fat, and what glandular tissue adds
TEXTURE, COARSEST = 560.0, 1200.0  #: the texture's standard deviation in glandular tissue, and its largest features
STRANDS = (-0.8, -0.3, 0.3, 0.8)  #: their directions, in radians from the rows
STRAND_HEIGHT, STRAND_REACH = 1.5, 400.0  #: over the texture's standard deviation; how long they run
SKIN, SKIN_WIDTH = 1200.0, 17.0
NOISE = 0.02 * math.sqrt(1000)
CLUSTERS, CLUSTER_RADIUS, PER_CLUSTER = 5, 45.0, (8, 16)
DIAMETERS, CONTRAST = (3.0, 8.0), (600.0, 1300.0)
SOFTNESS = 0.6  #: width of a calcification's edge
ATTEMPTS = 1000  #: to find a place that is free

Floats = NDArray[np.float32]


class Calcification(NamedTuple):
    """One microcalcification of the phantom: the centre (pixel centres are whole numbers) and the diameter."""

    row: float
    column: float
    diameter: float
    cluster: int


@dataclass(frozen=True, eq=False)
class Phantom:
    """A phantom and what is known of it.

    Attributes
    ----------
    pixels : ndarray of uint16, H×W
        12 bits: 0..4095. The chest wall is the left edge.
    data_range : int
        4095.
    calcifications : tuple of Calcification
    seed : int
    pixel_spacing : float
        In mm, both ways.
    """

    pixels: NDArray[np.uint16]
    data_range: int
    calcifications: tuple[Calcification, ...]
    seed: int
    pixel_spacing: float


def phantom(seed: int = 0, *, shape: tuple[int, int] = (3328, 2560)) -> Phantom:
    """Draw a mammogram phantom.

    Parameters
    ----------
    seed : int
        0 or more; the same seed gives the same picture (in the last bit, as far as NumPy's random numbers and FFT are
        the same on two machines).
    shape : (int, int)
        Rows and columns, 256 to 8192 each.

    Returns
    -------
    Phantom

    Raises
    ------
    OptionError
        An impossible seed or shape.
    """
    height, width = _check(seed, shape)
    rng = np.random.default_rng(seed)
    depth = _depth(height, width)
    rows, columns = depth.shape
    inside = np.clip(depth, 0, None)
    thickness = np.sqrt(1 - (1 - np.minimum(inside / (0.35 * columns), 1)) ** 2)  # the rounded rim
    gland = _disc(rows, columns)
    texture = _texture(rng, rows, columns)
    picture = FAT * (0.5 + 0.5 * thickness) + GLAND * gland
    picture += TEXTURE * (0.4 + 0.6 * gland) * thickness * texture
    picture += SKIN * np.exp(-((inside / SKIN_WIDTH - 0.5) ** 2) * 4)
    calcifications = tuple(_calcifications(rng, depth))
    for calcification in calcifications:
        _draw(picture, calcification, rng.uniform(*CONTRAST))
    picture *= np.clip(depth / 3 + 0.5, 0, 1)  # the breast's own edge, three pixels soft
    np.clip(picture, 0, None, out=picture)
    picture += NOISE * np.sqrt(picture) * _noise(rng, rows, columns)
    pixels = np.zeros((height, width), np.uint16)
    pixels[:rows, :columns] = np.clip(np.floor(picture + 0.5), 0, WHITE)
    return Phantom(pixels, WHITE, calcifications, seed, PIXEL_SPACING)


def _check(seed: int, shape: tuple[int, int]) -> tuple[int, int]:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise OptionError(f"seed is {seed!r}; allowed is a whole number from 0")
    whole = isinstance(shape, tuple | list) and all(isinstance(n, int | np.integer) for n in shape)
    if not whole or len(shape) != 2 or not all(LEAST <= n <= MOST for n in shape):
        raise OptionError(f"shape is {shape!r}; allowed are whole numbers (rows, columns), each from {LEAST} to {MOST}")
    return int(shape[0]), int(shape[1])


def _depth(height: int, width: int) -> Floats:
    """Pixels to the breast's edge, about, and negative outside; cut off a few columns beyond the ellipse."""
    half_height, reach = 0.46 * height, 0.46 * width  # a third of the frame: π/2 · 0.46 · 0.46
    y = (np.arange(height, dtype=np.float32) - 0.5 * (height - 1))[:, None]
    x = np.arange(min(width, math.ceil(reach) + 8), dtype=np.float32)[None]
    radius = np.hypot(y / half_height, x / reach)
    # (1 − radius) over the length of its gradient is the distance, to first order.
    gradient = np.hypot(y / half_height**2, x / reach**2) / np.maximum(radius, 1e-6)
    return (1 - radius) / np.maximum(gradient, 1 / max(height, width))


def _disc(rows: int, columns: int) -> Floats:
    """How glandular: 1 in the middle of the breast, 0 at the chest wall and under the skin."""
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] / 0.5
    x = (np.linspace(0, 1, columns, dtype=np.float32)[None] - 0.5) / 0.36
    return np.exp(-((x**2 + y**2) ** 2))


def _texture(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """A field of mean 0 and variance 1, its power f⁻³ (flat below 1/COARSEST): strands in a cloud."""
    from scipy import fft

    size = (fft.next_fast_len(rows, real=True), fft.next_fast_len(columns, real=True))
    fy, fx = fft.fftfreq(size[0]).astype(np.float32)[:, None], fft.rfftfreq(size[1]).astype(np.float32)[None]
    amplitude = (fy**2 + fx**2 + 1 / COARSEST**2) ** -0.75
    amplitude[0, 0] = 0

    def field(spectrum: NDArray[np.complex64]) -> Floats:
        values = fft.irfft2(spectrum, size)
        return values / values.std()

    def white() -> NDArray[np.complex64]:
        return fft.rfft2(rng.standard_normal(size, np.float32))

    picture = field(white() * amplitude)
    for angle in STRANDS:
        along, across = fy * math.sin(angle) + fx * math.cos(angle), fy * math.cos(angle) - fx * math.sin(angle)
        smooth = field(white() * ((3 * along) ** 2 + across**2 + 1 / STRAND_REACH**2) ** -1.25)
        # The lines where a smooth field is zero are the strands: long ones, since it is three times longer than wide.
        picture += STRAND_HEIGHT * np.exp(-np.abs(smooth) / 0.03)
    spectrum = fft.rfft2(picture)
    return field(spectrum / np.maximum(np.abs(spectrum), 1e-6) * amplitude)[:rows, :columns]


def _noise(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Gaussian noise of variance 1 that neighbours share a little of, as in a detector."""
    from scipy.ndimage import correlate1d

    taps = np.array([0.1, 1, 0.1]) / math.sqrt(1.02)
    noise = rng.standard_normal((rows, columns), np.float32)
    return correlate1d(correlate1d(noise, taps, 0), taps, 1)


def _calcifications(rng: np.random.Generator, depth: Floats) -> list[Calcification]:
    """Clusters well inside the breast and apart from each other, as many as there is room for, at most CLUSTERS."""
    rows, columns = depth.shape
    radius = min(CLUSTER_RADIUS, 0.05 * min(rows, columns) + 8)
    centres: list[tuple[float, float]] = []
    for row, column in rng.uniform((radius, 2 * radius), (rows - radius, columns - radius), (ATTEMPTS, 2)):
        apart = all(math.dist((row, column), other) > 3 * radius for other in centres)
        if len(centres) < CLUSTERS and apart and depth[int(row), int(column)] > 2.5 * radius:
            centres.append((row, column))
    return [one for cluster, centre in enumerate(centres) for one in _cluster(rng, cluster, centre, radius)]


def _cluster(rng: np.random.Generator, cluster: int, centre: tuple[float, float], radius: float) -> list[Calcification]:
    """Calcifications all over a disc, none touching another."""
    wanted = rng.integers(*PER_CLUSTER, endpoint=True)
    found: list[Calcification] = []
    for distance, angle, share in rng.uniform(size=(ATTEMPTS, 3)):
        turn = 2 * math.pi * angle
        row = centre[0] + radius * math.sqrt(distance) * math.sin(turn)
        column = centre[1] + radius * math.sqrt(distance) * math.cos(turn)
        one = Calcification(row, column, DIAMETERS[0] + share * (DIAMETERS[1] - DIAMETERS[0]), cluster)
        if len(found) < wanted and all(math.dist(one[:2], o[:2]) > one.diameter + o.diameter for o in found):
            found.append(one)
    return found


def _draw(picture: Floats, calcification: Calcification, contrast: float) -> None:
    row, column, diameter, _ = calcification
    reach = math.ceil(diameter / 2 + 5 * SOFTNESS)
    top, left = round(row) - reach, round(column) - reach
    area = picture[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
    y, x = np.ogrid[top : top + area.shape[0], left : left + area.shape[1]]
    edge = (np.hypot(y - row, x - column) - diameter / 2) / SOFTNESS
    area += (contrast / (1 + np.exp(edge))).astype(np.float32)
