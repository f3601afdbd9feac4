import naive_imresize
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.images.colour import rgb2ycbcr_uint8
from fsrcnn_np.images.imresize import METHODS, contributions, imresize
from fsrcnn_np.images.quality import psnr
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


sizes = st.tuples(st.integers(1, 23), st.integers(1, 23))


@given(
    shape=shapes,
    scale=st.one_of(st.sampled_from(SCALES), sizes),
    method=st.sampled_from(sorted(METHODS)),
    antialiasing=st.booleans(),
    seed=st.integers(0, 99),
)
def test_methods_and_sizes_agree_with_the_naive_twin(shape, scale, method, antialiasing, seed):
    image = pseudo_random(shape, seed)
    expected = np.array(naive_imresize.resize(image.tolist(), scale, method=method, antialiasing=antialiasing))
    found = imresize(image, scale, method=method, antialiasing=antialiasing)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [(16, 4), (4, 16), (2, 4), (32, 16)])
def test_the_smaller_scale_goes_first(scale):
    """Integers are rounded between the passes, so the order shows; these weights are binary fractions, sums exact."""
    image = (pseudo_random((8, 8)) * 255).astype(np.uint8)
    byte = naive_imresize.to_class(0, 255)
    expected = np.array(naive_imresize.resize(image.tolist(), scale, byte))
    np.testing.assert_array_equal(imresize(image, scale), expected)
    other_way = imresize(imresize(image, (8, scale[1]) if scale[0] < scale[1] else (scale[0], 8)), scale)
    assert (other_way != expected).any()


def test_antialiasing_by_default_but_for_nearest():
    image = pseudo_random((20, 18))
    for method in METHODS:
        given_none = imresize(image, 0.4, method=method)
        np.testing.assert_array_equal(given_none, imresize(image, 0.4, method=method, antialiasing=method != "nearest"))
    np.testing.assert_array_equal(imresize(image, 0.5, method="nearest"), image[1::2, 1::2])


@pytest.mark.parametrize("option", [{"method": "spline"}, {"method": None}, {"antialiasing": 2}])
def test_impossible_options(option):
    with pytest.raises(OptionError, match=f"{next(iter(option))} is"):
        imresize(np.zeros((3, 3)), 2, **option)


ARRAYS = {  # file: side of the input, counted through row by row; result
    "down_down_aa": (8, (3, 4)),
    "down_down_irregular_aa": (8, (5, 7)),
    "down_down_irregular_noaa": (8, (5, 7)),
    "down_down_noaa": (8, (3, 4)),
    "down_down_small_aa": (4, (3, 3)),
    "down_down_small_noaa": (4, (3, 3)),
    "down_down_x2_aa": (8, 1 / 2),
    "down_down_x3_aa": (15, 1 / 3),
    "down_down_x4_aa": (8, 1 / 4),
    "down_down_x5_aa": (15, 1 / 5),
    "up_up_irregular_aa": (8, (11, 13)),
    "up_up_irregular_noaa": (8, (11, 13)),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_matlab_resized(shared, name):
    import scipy.io

    side, scale = ARRAYS[name]
    expected = scipy.io.loadmat(shared / "matlab_imresize" / f"{name}.mat")[name]
    found = imresize(np.arange(float(side**2)).reshape(side, side), scale, antialiasing=not name.endswith("noaa"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


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


@pytest.mark.parametrize(
    "scale",
    [
        0,
        -1,
        np.nan,
        np.inf,
        1e-5,
        1e5,
        True,
        "2",
        None,
        2j,
        (2,),
        (2, 0),
        (2, 3, 4),
        (2.0, 3),
        (True, 3),
        (2, 30001),
        10**400,
        (2, 10**400),
    ],
)
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
        found[path.stem] = psnr(large[2:-2, 2:-2], luma[2:-2, 2:-2], data_range=255)
    assert len(found) == 5
    assert np.mean(list(found.values())) == pytest.approx(33.6614, abs=5e-5)


@pytest.mark.parametrize("size", [4, 300])  # the reference, and machine code
def test_floats_near_their_largest_become_infinite_without_a_warning(size):
    most = np.finfo(np.float32).max
    image = np.full((size, 4), most, np.float32)
    image[:, ::2] = -most
    found = imresize(image, 2)
    assert np.isinf(found).any()
    assert np.abs(found[np.isfinite(found)]).max() <= most
