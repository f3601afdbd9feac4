import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fsrcnn_np.errors import ImageError
from fsrcnn_np.images.binning import bin2x2
from fsrcnn_np.images.colour import rgb2ycbcr_uint8, rgb_to_ycbcr, ycbcr_to_rgb

pictures = hnp.array_shapes(min_dims=2, max_dims=2, max_side=7).map(lambda shape: (*shape, 3))


@given(hnp.arrays("float64", pictures, elements=st.floats(-1, 2)))
def test_colour_comes_back(rgb):
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb, rtol=0, atol=1e-14)
    single = rgb.astype(np.float32)
    back = ycbcr_to_rgb(rgb_to_ycbcr(single))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, single, rtol=0, atol=2e-6)


@pytest.mark.parametrize("bits", [8, 16])
def test_integers_survive_the_way_through_single_precision(bits):
    peak = 2**bits - 1
    rgb = np.random.default_rng(0).integers(0, peak, (64, 64, 3), endpoint=True)
    back = ycbcr_to_rgb(rgb_to_ycbcr((rgb / peak).astype(np.float32)))
    np.testing.assert_array_equal(np.rint(back.astype(float) * peak), rgb)


@given(hnp.arrays("float64", pictures, elements=st.floats(0, 1)))
def test_luma_by_its_formula(rgb):
    planes = rgb_to_ycbcr(rgb)
    np.testing.assert_allclose(planes.y, rgb @ [0.299, 0.587, 0.114], atol=1e-15)
    assert np.abs(planes.cb).max() <= 0.5 + 1e-12
    assert np.abs(planes.cr).max() <= 0.5 + 1e-12


def test_grey_has_no_chroma_and_primaries_have_half():
    grey = rgb_to_ycbcr(np.full((2, 2, 3), 0.25))
    for plane, value in zip(grey, (0.25, 0, 0), strict=True):
        np.testing.assert_allclose(plane, value, atol=1e-15)
    primaries = rgb_to_ycbcr(np.eye(3)[None])
    assert primaries.y.tolist() == [[0.299, 0.587, 0.114]]
    assert primaries.cb[0, 2] == pytest.approx(0.5)
    assert primaries.cr[0, 0] == pytest.approx(0.5)


def test_planes_are_contiguous_in_blocks(monkeypatch):
    rgb = np.random.default_rng(0).random((23, 5, 3))
    whole = rgb_to_ycbcr(rgb)
    monkeypatch.setattr("fsrcnn_np.images.value_range._BLOCK", 30)
    for plane, expected in zip(rgb_to_ycbcr(rgb), whole, strict=True):
        assert plane.flags.c_contiguous
        np.testing.assert_array_equal(plane, expected)
    np.testing.assert_array_equal(ycbcr_to_rgb(whole), ycbcr_to_rgb(rgb_to_ycbcr(rgb)))


def test_matlab_rgb2ycbcr():
    """White, black and the primaries: the corners of the transform, as any table of BT.601 studio range has them."""
    rgb = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    expected = [[235, 128, 128], [16, 128, 128], [81, 90, 240], [145, 54, 34], [41, 240, 110]]
    assert rgb2ycbcr_uint8(rgb)[0].tolist() == expected


def test_matlab_rgb2ycbcr_by_its_formula():
    """So many pixels that a wrong third digit of any coefficient shows."""
    rgb = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    rows = ([65481, 128553, 24966], [-37797, -74203, 112000], [112000, -93786, -18214])  # thousandths of BT.601
    found = rgb2ycbcr_uint8(rgb)
    for channel, (row, offset) in enumerate(zip(rows, (16, 128, 128), strict=True)):
        exact = rgb.astype(np.int64) @ row  # of 255,000
        far_from_a_half = np.abs(exact % 255_000 - 127_500) > 1
        expected = (2 * exact + 255_000) // 510_000 + offset
        np.testing.assert_array_equal(found[..., channel][far_from_a_half], expected[far_from_a_half])


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 4), np.uint8)])
def test_matlab_rgb2ycbcr_takes_uint8(wrong):
    with pytest.raises(ImageError, match="H×W×3 of uint8"):
        rgb2ycbcr_uint8(wrong)


@given(
    st.sampled_from(("uint8", "int8", "uint16", "int16")).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=7))
    )
)
def test_binning_is_the_exact_mean(image):
    found = bin2x2(image)
    assert found.dtype == np.float32
    for row in range(image.shape[0] // 2):
        for column in range(image.shape[1] // 2):
            block = [int(image[2 * row + r, 2 * column + c]) for r in (0, 1) for c in (0, 1)]
            assert found[row, column] == sum(block) / 4
    assert found.shape == (image.shape[0] // 2, image.shape[1] // 2)


def test_binning_of_colour_and_double():
    image = np.random.default_rng(0).random((5, 4, 3))
    found = bin2x2(image)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, image[:4].reshape(2, 2, 2, 2, 3).mean(axis=(1, 3)))


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1, 3)])
def test_nothing_to_bin(shape):
    with pytest.raises(ImageError, match="two rows and two columns"):
        bin2x2(np.zeros(shape))
