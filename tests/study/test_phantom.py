"""The phantom has the properties that its description promises, measured on its pixels."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsrcnn_np.errors import OptionError
from fsrcnn_np.study.phantom import phantom

PATCH = 512
CORNERS = [(600, 150), (1150, 150), (1700, 150), (2250, 150), (1150, 500), (1700, 500)]


@pytest.fixture(scope="module")
def whole():
    return phantom()


@pytest.fixture(scope="module")
def spectrum(whole):
    """Mean power of patches inside the breast, by frequency in cycles per pixel, and their mean signal."""
    window = np.hanning(PATCH)[:, None] * np.hanning(PATCH)
    window /= math.sqrt((window**2).mean())
    patches = [whole.pixels[r : r + PATCH, c : c + PATCH].astype(float) for r, c in CORNERS]
    power = np.mean([np.abs(np.fft.fft2((p - p.mean()) * window)) ** 2 / p.size for p in patches], axis=0)
    f = np.hypot(np.fft.fftfreq(PATCH)[:, None], np.fft.fftfreq(PATCH))
    edges = np.geomspace(0.008, 0.5, 30)
    bins = [(f >= low) & (f < high) for low, high in pairwise(edges)]
    return np.array([f[b].mean() for b in bins]), np.array([power[b].mean() for b in bins]), np.mean(patches)


def test_frame(whole):
    assert whole.pixels.shape == (3328, 2560)
    assert whole.pixels.dtype == np.uint16
    assert whole.pixels.max() <= whole.data_range == 4095
    assert (whole.pixels == 0).mean() == pytest.approx(2 / 3, abs=0.01)


def test_breast_is_half_an_ellipse_at_the_chest_wall(whole):
    inside = whole.pixels > 100
    height, reach = inside[:, 0].sum() / 2, inside[1664].sum()
    assert np.pi / 2 * height * reach == pytest.approx(inside.sum(), rel=0.005)
    rows = np.arange(1664 - 1300, 1664 + 1300, 100)
    expected = reach * np.sqrt(1 - ((rows - 1663.5) / height) ** 2)
    assert np.abs(inside[rows].sum(axis=1) - expected).max() < 6
    assert not inside[:, -1].any()


def test_skin_line_is_brighter_than_what_lies_under_it(whole):
    reach = (whole.pixels[1664] > 100).sum()
    profile = whole.pixels[1600:1728, :reach].mean(axis=0)[::-1]
    assert profile[5:13].mean() > profile[30:60].mean() + 500


def test_power_falls_as_the_cube_of_the_frequency(spectrum):
    f, power, _ = spectrum
    texture = f < 0.1  # the noise adds less than 2 % here
    slope, _ = np.polyfit(np.log(f[texture]), np.log(power[texture]), 1)
    assert slope == pytest.approx(-3, abs=0.1)


def test_noise_is_one_to_two_per_cent_of_the_signal(spectrum):
    f, power, signal = spectrum
    terms = np.stack([f**-3.0, np.ones_like(f)], axis=1) / power[:, None]
    _, noise = np.linalg.lstsq(terms, np.ones_like(f))[0]
    assert 0.01 < math.sqrt(noise) / signal < 0.02


def test_noise_grows_with_the_signal():
    # Pixels of one place under many seeds would vary with the texture too; neighbours in rows share most of it.
    pixels = phantom(3).pixels.astype(float)
    second = np.diff(pixels, 2, axis=0)[:, 40:900]  # takes away smooth texture
    signal = pixels[1:-1, 40:900]
    spread = []
    for low, high in ((900, 1100), (1400, 1600), (2000, 2300), (2600, 3000)):
        values = second[(signal > low) & (signal < high)]
        spread.append(np.median(np.abs(values - np.median(values))))
    assert spread == sorted(spread)
    assert spread[-1] > 1.4 * spread[0]


def test_calcifications_are_where_they_are_said_to_be(whole):
    assert {c.cluster for c in whole.calcifications} == set(range(5))
    y, x = np.indices(whole.pixels.shape, sparse=True)
    for c in whole.calcifications:
        assert 3 <= c.diameter <= 8
        top, left = int(c.row) - 12, int(c.column) - 12
        area = whole.pixels[top : top + 25, left : left + 25].astype(float)
        r = np.hypot(y[top : top + 25] - c.row, x[:, left : left + 25] - c.column)
        level = np.median(area[(r > c.diameter / 2 + 3) & (r < c.diameter + 3)])
        centre = area[r <= max(1, c.diameter / 4)].mean()
        assert centre - level > 300, c
        half = area[np.abs(r - c.diameter / 2) < 0.5].mean()  # the soft edge: half of it at the radius
        assert 0.25 < (half - level) / (centre - level) < 0.8, c


def test_clusters_are_close_together(whole):
    for cluster in range(5):
        places = np.array([c[:2] for c in whole.calcifications if c.cluster == cluster])
        assert 8 <= len(places) <= 16
        assert np.linalg.norm(places - places.mean(axis=0), axis=1).max() < 90


def test_same_seed_same_picture():
    one, two, other = phantom(5, shape=(300, 400)), phantom(5, shape=(300, 400)), phantom(6, shape=(300, 400))
    assert np.array_equal(one.pixels, two.pixels)
    assert one.calcifications == two.calcifications
    assert not np.array_equal(one.pixels, other.pixels)


@settings(max_examples=15)
@given(st.integers(0, 2**63), st.tuples(st.integers(256, 700), st.integers(256, 700)))
def test_any_size(seed, shape):
    drawn = phantom(seed, shape=shape)
    assert drawn.pixels.shape == shape
    assert 0.6 < (drawn.pixels == 0).mean() < 0.72
    assert drawn.calcifications
    for c in drawn.calcifications:
        assert drawn.pixels[round(c.row), round(c.column)] > 0


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, "0"])
def test_impossible_seed(seed):
    with pytest.raises(OptionError, match=r"seed is .*; allowed"):
        phantom(seed)


@pytest.mark.parametrize(
    "shape", [(255, 300), (300, 10_000), (300,), 300, (300, 300, 3), (300.0, 300), "ab", (True, 300)]
)
def test_impossible_shape(shape):
    with pytest.raises(OptionError, match=r"shape is .*; allowed"):
        phantom(shape=shape)
