"""The authors' evaluation, and the figures that they print."""

import numpy as np
import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.errors import ImageError
from fsrcnn_np.network.reference import forward
from models import random_weights
from parity.published import evaluate_published, luma, mean_row

SET5 = ("baby", "bird", "butterfly", "head", "woman")


@pytest.fixture(scope="module")
def set5(shared):
    import imageio.v3 as imageio

    return [imageio.imread(shared / "set5" / f"{name}_GT.bmp") for name in SET5]


@pytest.mark.shared
@pytest.mark.parametrize("engine", ["reference", "llvm"])
def test_the_published_figures(shared, set5, engine):
    """Dong, Loy, Tang, ECCV 2016: 37.00 dB and 0.9558 on Set5 at x2, bicubic 33.66 dB and 0.9299."""
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat")
    rows = evaluate_published(set5, weights, forward=forward if engine == "reference" else None)
    each = [38.5596, 41.6452, 33.3349, 35.7618, 35.6848]
    assert [row.psnr for row in rows] == pytest.approx(each, abs=5e-4)
    mean = mean_row(rows)
    assert mean.psnr == pytest.approx(36.9972, abs=5e-4)
    assert mean.ssim == pytest.approx(0.9558, abs=5e-5)
    assert mean.bicubic_psnr == pytest.approx(33.6614, abs=5e-4)
    assert mean.bicubic_ssim == pytest.approx(0.9299, abs=5e-5)


@pytest.mark.shared
def test_the_border_is_part_of_the_model(shared, set5):
    """With zero padding in the convolutions the mean falls to 36.40 dB."""
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat", border="zero")
    assert mean_row(evaluate_published(set5, weights, forward=forward)).psnr == pytest.approx(36.40, abs=0.02)


def test_a_displaced_x3_is_cut_where_it_lies():
    """Offset 4 gives the picture of offset 3 one row and column further up and left: the same figures."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 37, 3), np.uint8)
    aligned = random_weights(rng, (3, 2, 1), 3, "replicate", dtype=np.float32, offset=3)
    released = random_weights(np.random.default_rng(0), (3, 2, 1), 3, "replicate", dtype=np.float32, offset=3)
    released = type(aligned)(aligned.architecture, "replicate", aligned.convolutions, aligned.deconvolution)
    assert released.deconvolution_offset == 4
    first, second = (evaluate_published([image], w, forward=forward)[0] for w in (aligned, released))
    assert first.psnr == pytest.approx(second.psnr, abs=1e-9)
    assert first.ssim == pytest.approx(second.ssim, abs=1e-9)


def test_a_plane_is_its_own_luma():
    plane = np.arange(33 * 35, dtype=np.uint16).reshape(33, 35).astype(np.uint8)
    np.testing.assert_array_equal(luma(plane, 2), plane[:32, :34])
    grey = np.full((30, 30, 3), 255, np.uint8)
    assert set(luma(grey, 3).ravel()) == {235}
    for image, message in [(np.zeros((20, 20)), "of uint8"), (np.zeros((14, 40), np.uint8), "at least 15 a side")]:
        with pytest.raises(ImageError, match=message):
            luma(image, 2)
