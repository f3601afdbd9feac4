"""Sharpness, contrast and noise against closed forms: blobs, edges and noise whose answers are known on paper."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, special

from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.phantom.measure.contrast import spot_contrast
from fsrcnn_np.phantom.measure.edge import edge_mtf
from fsrcnn_np.phantom.measure.geometry import disc_coverage, offsets
from fsrcnn_np.phantom.measure.nps import noise_power
from fsrcnn_np.phantom.measure.profile import fwhm, radial_profile

PITCHES = (0.07, 0.035)


def blob(shape, pitch, centre, sigma):
    y, x = offsets(shape, pitch, centre)
    return np.exp(-(y * y + x * x) / (2 * sigma**2))


def edge(shape, pitch, degrees, sigma, aperture=False):
    """0 left and 1 right of a line through the middle; blurred by a Gaussian, and by the pixel where asked."""
    fine = 5 if aperture else 1
    rows, columns = (np.arange(n * fine) / fine - (n - 1 / fine) / 2 for n in shape)
    turn = math.radians(degrees)
    distance = (columns[None] * math.cos(turn) - rows[:, None] * math.sin(turn)) * pitch
    picture = 0.5 + 0.5 * special.erf(distance / (sigma * math.sqrt(2)))
    return picture.reshape(shape[0], fine, shape[1], fine).mean((1, 3))


@given(
    diameter=st.floats(0.05, 1.5), row=st.floats(0.9, 1.2), column=st.floats(0.9, 1.2), pitch=st.sampled_from(PITCHES)
)
def test_a_disc_covers_its_area(diameter, row, column, pitch):
    covered = disc_coverage((80, 80), pitch=pitch, centre=(row, column), diameter=diameter)
    assert covered.min() >= 0
    assert covered.max() <= 1
    y, x = offsets((80 * 8, 80 * 8), pitch / 8, (row, column))
    expected = np.count_nonzero(y**2 + x**2 <= diameter**2 / 4) / 64
    assert covered.sum() == pytest.approx(expected, abs=0.5)
    assert covered.sum() * pitch**2 == pytest.approx(math.pi * diameter**2 / 4, abs=0.2 * pitch * max(diameter, pitch))


def test_a_disc_beyond_the_image_is_cut():
    assert disc_coverage((4, 4), pitch=1, centre=(0, 0), diameter=4).sum() == pytest.approx(math.pi, abs=0.2)
    assert disc_coverage((4, 4), pitch=1, centre=(-9, 2), diameter=4).sum() == 0


@pytest.mark.parametrize("pitch", PITCHES)
def test_contrast_of_a_disc_on_a_slope(pitch):
    shape, centre = (80, 90), (2.6 * pitch / 0.07 * 0.5, 1.55)
    inside = disc_coverage(shape, pitch=pitch, centre=centre, diameter=0.3)
    y, x = offsets(shape, pitch, centre)
    noise = np.random.default_rng(1).standard_normal(shape)
    picture = 500 + 40 * y - 25 * x + 60 * (inside == 1) + 3 * noise
    found = spot_contrast(picture, inside == 1, pitch=pitch, centre=centre, diameter=0.3)
    assert found.contrast == pytest.approx(60, abs=4)
    assert found.background == pytest.approx(500, abs=2)
    assert found.noise == pytest.approx(3, rel=0.15)
    assert found.cnr == pytest.approx(found.contrast / found.noise)
    assert found.relative == pytest.approx(found.contrast / found.background)


def test_other_spots_are_left_out_of_the_surroundings():
    shape, centre = (60, 60), (2.1, 2.1)
    inside = disc_coverage(shape, pitch=0.07, centre=centre, diameter=0.4)
    other = disc_coverage(shape, pitch=0.07, centre=(2.1, 2.9), diameter=0.3) > 0
    picture = 100 + 10 * (inside == 1) + 500 * other
    found = spot_contrast(picture, inside == 1, pitch=0.07, centre=centre, diameter=0.4, excluded=other)
    assert found.contrast == pytest.approx(10)
    assert found.noise == pytest.approx(0, abs=1e-9)


@given(
    pitch=st.sampled_from(PITCHES), sigma=st.floats(0.06, 0.2), row=st.floats(-0.5, 0.5), column=st.floats(-0.5, 0.5)
)
def test_width_of_a_gaussian(pitch, sigma, row, column):
    centre = (2 + row * pitch, 2 + column * pitch)
    picture = 7 + 30 * blob((60 * 2, 60 * 2), pitch, centre, sigma)
    profile = radial_profile(picture, pitch=pitch, centre=centre, reach=8 * sigma)
    # A Gaussian of σ under a pixel is not quite band-limited: the spline through its samples is a little wider.
    error = 0.1 if sigma < pitch else 0.04 if sigma < 1.5 * pitch else 0.006
    assert fwhm(profile) == pytest.approx(2 * math.sqrt(2 * math.log(2)) * sigma, rel=error)
    assert profile.background == pytest.approx(7, abs=1e-3)


def test_widths_that_are_not_there():
    flat = radial_profile(np.full((40, 40), 3.0), pitch=0.07, centre=(1.4, 1.4), reach=1)
    assert math.isnan(fwhm(flat))
    dark = radial_profile(-blob((40, 40), 0.07, (1.4, 1.4), 0.1), pitch=0.07, centre=(1.4, 1.4), reach=1)
    assert math.isnan(fwhm(dark))
    with pytest.raises(ImageError, match="at least 6"):
        radial_profile(np.zeros((40, 40)), pitch=0.07, centre=(1.4, 1.4), reach=0.08, step=0.05)
    with pytest.raises(ImageError, match="leaves the image"):
        radial_profile(np.zeros((40, 40)), pitch=0.07, centre=(1.4, 0.4), reach=1)


@pytest.mark.parametrize("pitch", PITCHES)
@pytest.mark.parametrize("degrees", [2.0, -3.0, 5.5])
@pytest.mark.parametrize("sigma", [0.05, 0.1])
@pytest.mark.parametrize("aperture", [False, True])
def test_mtf_of_a_gaussian_edge(pitch, degrees, sigma, aperture):
    picture = 200 + 700 * edge((160, 120), pitch, degrees, sigma, aperture)
    found = edge_mtf(picture, pitch=pitch, reach=1.2)
    assert found.angle == pytest.approx(degrees, abs=0.05)
    expected = np.exp(-2 * math.pi**2 * sigma**2 * found.frequency**2)
    if aperture:  # the pixel, along the edge's normal
        expected = expected * np.sinc(found.frequency * pitch)
    np.testing.assert_allclose(found.value, expected, atol=0.012)
    assert found.frequency[-1] == pytest.approx(0.5 / pitch, rel=0.1)
    if not aperture:
        half = math.sqrt(math.log(2) / 2) / (math.pi * sigma)
        assert found.at(half) == pytest.approx(0.5, abs=0.01)
        if half < 0.5 / pitch:
            assert found.width() == pytest.approx(half, rel=0.02)


def test_the_edge_may_be_noisy_and_fall():
    noise = np.random.default_rng(3).standard_normal((400, 120))
    picture = 900 - 700 * edge((400, 120), 0.07, 2.5, 0.08) + 8 * noise
    found = edge_mtf(picture, pitch=0.07, reach=1.0)
    expected = np.exp(-2 * math.pi**2 * 0.08**2 * found.frequency**2)
    np.testing.assert_allclose(found.value, expected, atol=0.05)
    assert math.isnan(found.at(20))


def test_what_is_no_edge():
    with pytest.raises(ImageError, match="no edge"):
        edge_mtf(np.random.default_rng(0).standard_normal((60, 60)), pitch=0.07)
    with pytest.raises(ImageError, match=r"12\.00° from the columns"):
        edge_mtf(edge((100, 200), 0.07, 12, 0.05), pitch=0.07)
    with pytest.raises(ImageError, match=r"0\.00° from the columns"):
        edge_mtf(edge((100, 200), 0.07, 0, 0.05), pitch=0.07)
    with pytest.raises(ImageError, match="reach below that"):
        edge_mtf(edge((100, 60), 0.07, 3, 0.05), pitch=0.07, reach=3)


@pytest.mark.parametrize("pitch", PITCHES)
def test_power_of_white_noise(pitch):
    picture = 1000 + 5 * np.random.default_rng(4).standard_normal((640, 512))
    found = noise_power(picture, pitch=pitch, side=64)
    assert found.regions == 19 * 15
    assert found.noise == pytest.approx(5 * math.sqrt(1 - 6 / 64**2), rel=0.01)
    np.testing.assert_allclose(found.value[3:], 25 * pitch**2, rtol=0.1)
    assert found.frequency[-1] <= 0.5 / pitch


def test_power_of_filtered_noise():
    pitch, taps = 0.07, np.array([0.25, 0.5, 0.25])
    white = np.random.default_rng(5).standard_normal((1100, 1100))
    picture = 3 * ndimage.correlate1d(ndimage.correlate1d(white, taps, 0), taps, 1)
    found = noise_power(picture, pitch=pitch, side=128)
    transfer = 0.5 + 0.5 * np.cos(2 * math.pi * np.fft.fftfreq(128))
    expected = 9 * pitch**2 * (transfer[:, None] * transfer[None]) ** 2
    loud = expected > 0.02 * expected.max()
    loud[:4, :4] = loud[-3:, :4] = loud[:4, -3:] = loud[-3:, -3:] = False  # the polynomial takes these
    assert (found.power[loud] / expected[loud]).mean() == pytest.approx(1, abs=0.03)
    assert found.noise**2 == pytest.approx(9 * np.square(np.outer(taps, taps)).sum(), rel=0.05)
    assert found.between(1, 2) > 3 * found.between(4, 5)
    assert math.isnan(found.between(90, 99))


def test_a_slope_is_no_noise():
    y, x = np.mgrid[:200, :200]
    assert noise_power(5 + 0.3 * y - 0.01 * x * y + 0.002 * x * x, pitch=0.1, side=64).noise < 1e-9


@pytest.mark.parametrize("side", [7, 6, 0, -2, 65, 2.0, True])
def test_impossible_regions(side):
    with pytest.raises(OptionError, match="side"):
        noise_power(np.zeros((300, 300)), pitch=0.07, side=side)


@pytest.mark.parametrize("pitch", [0, -1, math.nan, math.inf, "a", True])
def test_impossible_pitches(pitch):
    with pytest.raises(OptionError, match="pitch"):
        noise_power(np.zeros((300, 300)), pitch=pitch)
    with pytest.raises(OptionError, match="pitch"):
        disc_coverage((9, 9), pitch=pitch, centre=(1, 1), diameter=1)


def test_what_is_no_image():
    for image in (np.zeros(9), np.zeros((300, 300, 3)), np.full((300, 300), np.nan), np.zeros((300, 300), complex)):
        with pytest.raises(ImageError):
            noise_power(image, pitch=0.07)
    with pytest.raises(ImageError, match="256"):
        noise_power(np.zeros((255, 300)), pitch=0.07)
    with pytest.raises(ImageError, match="marks nothing"):
        spot_contrast(np.zeros((50, 50)), np.zeros((50, 50)), pitch=0.07, centre=(1, 1), diameter=0.2)
    with pytest.raises(ImageError, match="surround"):
        spot_contrast(np.zeros((5, 5)), np.ones((5, 5)), pitch=0.07, centre=(0.2, 0.2), diameter=0.2)
