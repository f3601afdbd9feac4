"""The phantom's texture and noise are those of mammograms, within a quarter of their range."""

import numpy as np
import pytest
from scipy import ndimage

from fsrcnn_np.errors import ImageError
from fsrcnn_np.files import read
from fsrcnn_np.phantom.texture import texture
from parity.phantom_texture import ACCEPTED, PAGE, REAL, SEEDS, allowed, drawn, outside


@pytest.mark.parametrize("seed", SEEDS)
def test_like_the_noisy_mammograms(seed):
    rows = drawn("noisy", seed)
    assert not outside("noisy", rows)
    assert outside("smooth", rows)


@pytest.mark.parametrize("seed", [5, 6])  # of the eight in docs/phantom.md, the two at the ends
def test_like_the_smooth_mammogram(seed):
    assert not outside("smooth", drawn("smooth", seed))


def test_the_page_has_every_row():
    page = PAGE.read_text(encoding="utf-8")
    for preset, mammograms in REAL.items():
        assert all(f"\n| {name.split('.')[0]} | " in page for name in mammograms)
        assert all(f"\n| phantom `{preset}`, seed {seed} | " in page for seed in SEEDS)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "white", "kept"), [(n, *v) for rows in REAL.values() for n, v in rows.items()])
def test_the_mammograms_rows(shared, name, white, kept):
    found = texture(read(shared / "mammograms" / name).pixels, white)
    assert found == pytest.approx(kept, abs=0.001)


def test_allowed_is_a_quarter_beyond():
    assert allowed("noisy", "high_pass") == pytest.approx((1.924 * 0.75, 2.598 * 1.25))
    assert allowed("smooth", "slope") == pytest.approx((-3.201 * 1.25, -3.201 * 0.75))
    assert "noisy" not in ACCEPTED


@pytest.fixture
def field():
    """White noise under a breast-like mask: what the rows are of it can be said beforehand."""
    rng = np.random.default_rng(4)
    plane = np.zeros((900, 800))
    plane[50:850, :700] = 1000 + 50 * rng.standard_normal((800, 700))
    return plane


def test_rows_of_white_noise(field):
    rows = texture(np.round(field).astype(np.uint16), 4095)
    # The blur of 1.5 pixels keeps 1/(4πσ²) of white noise, and takes it from its own pixel too: SD² (1 − 2g₀² + Σg²).
    g = ndimage.gaussian_filter(np.eye(1, 41, 20)[0], 1.5)
    expected = 50 * np.sqrt(1 - 2 * g[20] ** 2 + (g**2).sum() ** 2) / 4095 * 100
    assert rows.high_pass == pytest.approx(expected, rel=0.01)
    assert rows.power_ratio == pytest.approx(1, rel=0.05)
    assert rows.slope == pytest.approx(0, abs=0.1)
    assert rows.percentile == pytest.approx((1000 - 2.326 * 50) / 4095, rel=0.01)
    assert rows.lag_1 == pytest.approx(-0.096, abs=0.01)


def test_slope_of_a_power_law(field):
    f = np.hypot(np.fft.fftfreq(900)[:, None], np.fft.rfftfreq(800))
    f[0, 0] = 1
    noise = np.fft.irfft2(np.fft.rfft2(np.random.default_rng(5).standard_normal((900, 800))) * f**-1.5, (900, 800))
    plane = np.where(field > 0, 2000 + 300 * noise / noise.std(), 0)
    assert texture(plane.astype(np.uint16), 4095).slope == pytest.approx(-3, abs=0.2)


@pytest.mark.parametrize("shape", [(100, 100), (400, 150), (500, 500)])
def test_nothing_to_measure(shape):
    plane = np.full(shape, 2000, np.uint16)
    with pytest.raises(ImageError, match="breast"):
        texture(plane, 4095)
    with pytest.raises(ImageError, match="breast"):
        texture(np.zeros(shape, np.uint16), 4095)
