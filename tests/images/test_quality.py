"""PSNR and SSIM beside their definitions."""

import numpy as np
import pytest

from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.images import quality
from fsrcnn_np.images.quality import psnr, ssim


def test_ssim_by_its_definition():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 256, (13, 12)).astype(np.float64)
    b = np.clip(a + rng.normal(0, 20, a.shape), 0, 255).round()
    window = np.outer(*[np.exp(-((np.arange(11) - 5) ** 2) / 4.5)] * 2)
    window /= window.sum()
    values = []
    for y in range(3):
        for x in range(2):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            cov = (window * (p - mp) * (q - mq)).sum()
            c1, c2 = 2.55**2, 7.65**2
            values.append((2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    assert ssim(a, b, data_range=255) == pytest.approx(np.mean(values), abs=1e-12)
    assert ssim(a, a, data_range=255) == pytest.approx(1, abs=1e-12)
    assert ssim(a / 255, b / 255, data_range=1) == pytest.approx(ssim(a, b, data_range=255), abs=1e-12)


def test_psnr():
    a = np.zeros((4, 4), np.uint8)
    assert psnr(a, a, data_range=255) == np.inf
    assert psnr(a, a + np.uint8(255), data_range=255) == 0
    assert psnr(a + np.uint8(200), a + np.uint8(250), data_range=(0, 255)) == pytest.approx(
        20 * np.log10(255 / 50)
    )  # does not wrap


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_integers_are_their_values(measure):
    a, b = np.random.default_rng(2).integers(0, 4096, (2, 40, 30, 3)).astype(np.uint16)
    assert measure(a, b, data_range=4095) == measure(a.astype(np.float64), b.astype(np.float64), data_range=4095)
    shifted = [(x.astype(np.int32) - 2048).astype(np.int16) for x in (a, b)]
    if measure is psnr:  # SSIM's means make it depend on where black is
        assert psnr(*shifted, data_range=(-2048, 2047)) == psnr(a, b, data_range=4095)


def test_ssim_in_strips_is_that_of_the_whole(monkeypatch):
    a, b = np.random.default_rng(3).random((2, 61, 23))
    whole = ssim(a, b, data_range=1)
    monkeypatch.setattr(quality, "_ROWS", 7)
    assert ssim(a, b, data_range=1) == pytest.approx(whole, abs=1e-13)
    assert ssim(np.dstack([a] * 3), np.dstack([b] * 3), data_range=1) == pytest.approx(whole, abs=1e-13)


@pytest.mark.parametrize("measure", [psnr, ssim])
@pytest.mark.parametrize("second", [np.zeros((12, 13)), np.zeros((12, 12), complex), np.zeros((12, 12), bool)])
def test_no_pair(measure, second):
    with pytest.raises(ImageError, match="of the same shape"):
        measure(np.zeros((12, 12)), second, data_range=1)


@pytest.mark.parametrize("measure", [psnr, ssim])
@pytest.mark.parametrize("data_range", [None, 0, -1, (1, 1), (0, np.inf), "1", (0, 1, 2)])
def test_the_range_is_given(measure, data_range):
    with pytest.raises(OptionError, match="data_range"):
        measure(np.zeros((12, 12)), np.zeros((12, 12)), data_range=data_range)


@pytest.mark.parametrize("shape", [(10, 40), (40,), (11, 11, 4)])
def test_no_picture_for_ssim(shape):
    with pytest.raises(ImageError, match="at least 11 pixels a side"):
        ssim(np.zeros(shape), np.zeros(shape), data_range=1)


@pytest.mark.parametrize("value", [np.inf, 1e200, np.nan])
def test_values_that_have_no_quality_warn_of_nothing(value):
    other = np.zeros((12, 12))
    other[3, 4] = value
    found = psnr(other, np.zeros((12, 12)), data_range=1)
    assert np.isnan(found) if np.isnan(value) else found == -np.inf
    assert np.isnan(ssim(other, np.zeros((12, 12)), data_range=1)) or value == 1e200


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_a_span_that_has_no_square(measure):
    for span in (1e200, 1e-200):
        with pytest.raises(OptionError, match="square"):
            measure(np.zeros((12, 12)), np.ones((12, 12)), data_range=span)


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_masked_pictures_are_refused(measure):
    plain = np.zeros((12, 12))
    for pair in ((np.ma.masked_equal(plain, 1), plain), (plain, np.ma.masked_equal(plain, 1))):
        with pytest.raises(ImageError, match="masked"):
            measure(*pair, data_range=1)
