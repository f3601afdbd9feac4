import naive_imresize
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.images.colour import rgb2ycbcr_uint8
from fsrcnn_np.images.imresize import contributions, imresize
from fsrcnn_np.images.value_range import to_integers

SCALES = (2, 3, 4, 1, 1 / 2, 1 / 3, 1 / 4, 1.5, 0.7, 2.37, 0.11)
INTEGERS = ("uint8", "int8", "uint16", "int16")
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def pseudo_random(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


@given(shape=shapes, scale=st.sampled_from(SCALES), seed=st.integers(0, 99))
def test_floats_agree_with_the_naive_twin(shape, scale, seed):
    image = pseudo_random(shape, seed)
    expected = np.array(naive_imresize.resize(image.tolist(), scale))
    np.testing.assert_allclose(imresize(image, scale), expected, rtol=0, atol=1e-12)


@given(data=st.data(), shape=shapes, dtype=st.sampled_from(INTEGERS), scale=st.sampled_from((2, 4, 1 / 2, 1 / 4)))
def test_integers_agree_with_the_naive_twin_bit_for_bit(data, shape, dtype, scale):
    """At these scales every weight is a binary fraction, so that the sums, and therefore the ties, are exact."""
    image = data.draw(hnp.arrays(dtype, shape))
    limits = np.iinfo(dtype)
    expected = naive_imresize.resize(image.tolist(), scale, naive_imresize.to_class(limits.min, limits.max))
    np.testing.assert_array_equal(imresize(image, scale), np.array(expected).astype(dtype))


@pytest.mark.parametrize("scale", SCALES)
def test_single_is_double_rounded_after_each_pass(scale):
    image = pseudo_random((7, 5)).astype(np.float32)
    expected = naive_imresize.resize(image.tolist(), scale, lambda value: float(np.float32(value)))
    found = imresize(image, scale)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("scale", [2, 0.5, 1.3])
def test_colour_is_three_planes(dtype, scale):
    image = (pseudo_random((9, 6, 3)) * 100).astype(dtype)
    found = imresize(image, scale)
    assert found.dtype == image.dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.stack([imresize(image[..., c], scale) for c in range(3)], axis=-1))


@pytest.mark.parametrize("scale", [2, 0.5, 3])
def test_strips_do_not_show(scale, monkeypatch):
    image = pseudo_random((37, 29))
    whole = imresize(image, scale)
    monkeypatch.setattr("fsrcnn_np.images.imresize._STRIP", 100)
    np.testing.assert_array_equal(imresize(image, scale), whole)


def test_memory_layout_does_not_matter():
    image = (pseudo_random((8, 6)) * 60000).astype(np.uint16)
    expected = imresize(image, 2)
    for other in (np.asfortranarray(image), image.astype(">u2"), np.repeat(image, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(imresize(other, 2), expected)


def test_a_flat_image_stays_flat():
    for dtype in ("uint8", "uint16", "float32"):
        image = np.full((5, 4), 77, dtype)
        for scale in SCALES:
            np.testing.assert_allclose(imresize(image, scale), 77, rtol=1e-6)


def test_one_and_nothing_smaller():
    assert imresize(np.array([[5]], np.uint8), 1 / 4).tolist() == [[5]]
    assert imresize(np.zeros((5, 7)), 0.5).shape == (3, 4)
    assert imresize(np.zeros((5, 7)), 1 / 3).shape == (2, 3)


@given(length=st.integers(1, 40), scale=st.floats(0.05, 5))
def test_contributions_sum_to_one_within_the_image(length, scale):
    indices, weights = contributions(length, scale)
    assert indices.shape == weights.shape
    assert indices.min() >= 0
    assert indices.max() < length
    np.testing.assert_allclose(weights.sum(axis=1), 1)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, 1e-5, 1e5, True, "2", None, 2j, (2, 2)])
def test_impossible_scales(scale):
    with pytest.raises(OptionError, match="scale is"):
        imresize(np.zeros((3, 3)), scale)


def test_too_large_a_result():
    with pytest.raises(OptionError, match="would give"):
        imresize(np.zeros((10, 10)), 1e4)


def test_no_image():
    with pytest.raises(ImageError, match="found dtype bool"):
        imresize(np.zeros((3, 3), bool), 2)


@pytest.mark.shared
def test_published_bicubic_psnr_on_set5(shared):
    """33.66 dB in Dong et al. 2016, table 4: Y of 16–235, single precision, not quantised in between."""
    import imageio.v3 as iio

    found = {}
    for path in sorted((shared / "set5").glob("*.bmp")):
        luma = rgb2ycbcr_uint8(iio.imread(path))[..., 0]
        luma = luma[: luma.shape[0] // 2 * 2, : luma.shape[1] // 2 * 2]
        small = imresize(luma.astype(np.float32) / np.float32(255), 1 / 2)
        large = to_integers(imresize(small, 2) * np.float32(255), np.uint8)
        error = (large.astype(float) - luma)[2:-2, 2:-2]
        found[path.stem] = 10 * np.log10(255**2 / (error**2).mean())
    assert len(found) == 5
    assert np.mean(list(found.values())) == pytest.approx(33.6614, abs=5e-5)
