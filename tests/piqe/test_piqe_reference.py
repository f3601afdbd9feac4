"""The readable reference: against the naive twin, MATLAB's printed scores, and its own steps' definitions."""

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import CLASSES, picture, same_bits
from naive_piqe import half_away, naive_piqe

from piqe_np import piqe
from piqe_np.matlab import im2double, rgb2gray, round_half_away
from piqe_np.reference import BLOCK, MARGIN, TAPS, gray_levels, mscn

PRINTED = {  # what MATLAB printed, and our four decimals
    "lighthouse.png": ("24.8481", "24.8481"),
    "dist_I03.bmp": ("100.00", "100.0000"),
    "dist_I04.bmp": ("21.62", "21.6244"),
    "dist_I06.bmp": ("35.86", "35.8645"),
    "dist_I08.bmp": ("41.15", "41.1475"),
    "dist_I19.bmp": ("76.95", "76.9485"),
}


def check_against_twin(image, data_range=None):
    levels, variances, masks, score = naive_piqe(image, data_range)
    found = piqe(image, data_range=data_range, engine="reference")
    both = (0, data_range) if isinstance(data_range, int | float) else data_range
    assert np.array_equal(gray_levels(image, both), levels)
    assert np.abs(found.blocks.variance - variances).max() < 1e-10
    assert np.array_equal(found.activity_mask, masks[0])
    assert np.array_equal(found.noticeable_artifacts_mask, masks[1])
    assert np.array_equal(found.noise_mask, masks[2])
    assert abs(found.score - score) < 1e-9


@pytest.mark.parametrize("rgb", [False, True], ids=["grey", "rgb"])
@pytest.mark.parametrize("dtype", CLASSES)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_naive_twin(dtype, rgb, height, width, seed):
    check_against_twin(picture(height, width, dtype, rgb, seed))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@given(high=st.integers(1, 300), seed=st.integers(0, 2**32), rgb=st.booleans())
def test_naive_twin_with_data_range(dtype, high, seed, rgb):
    image = picture(20, 33, "uint8", rgb, seed).astype(np.int64) * min(high, 255) // 255
    check_against_twin(image.astype(dtype), min(high, 255))


@pytest.mark.parametrize("rgb", [False, True], ids=["grey", "rgb"])
@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("uint8", 20, 230),
        ("int8", -100, 120),
        ("uint16", 1000, 1511),
        ("int16", -2048, -1537),
        ("float32", -0.5, 2),
        ("float64", -3e9, 1e9),
    ],
)
def test_naive_twin_with_black_and_white(dtype, low, high, rgb):
    """Both engines; integers beside the same picture moved to 0."""
    image = picture(40, 33, "uint8", rgb) / 255 * (high - low) + low
    image = np.round(image).astype(dtype) if "int" in dtype else image.astype(dtype).clip(low, high)
    check_against_twin(image, (low, high))
    found = piqe(image, data_range=(low, high))
    assert same_bits(found, piqe(image, data_range=[low, high], engine="reference"))
    assert found.scaling == (low, high, "data_range")
    if "int" in dtype:
        moved = (image.astype(np.int32) - low).astype(np.uint16)
        assert piqe(moved, data_range=high - low).score == found.score


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (16, 16), (15, 17), (70, 100)])
def test_naive_twin_on_odd_sizes(size):
    check_against_twin(picture(*size))


@pytest.mark.shared
@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
def test_scores_that_matlab_printed(shared, name, engine):
    matlab, ours = PRINTED[name]
    score = piqe(iio.imread(shared / "piqe_matlab" / name), engine=engine).score
    assert f"{score:.4f}" == ours
    assert f"{score:.{len(matlab.partition('.')[2])}f}" == matlab


@pytest.mark.shared
def test_blurred_lighthouse_as_matlab_printed(shared):
    """MathWorks' second example: imgaussfilt(A, 2), 9 taps, replicate, each channel rounded to uint8."""
    image = iio.imread(shared / "piqe_matlab" / "lighthouse.png").astype(float)
    taps = np.exp(-(np.arange(-4, 5) ** 2) / 8)
    taps /= taps.sum()
    for axis in (0, 1):
        padded = np.pad(image, [(4, 4) if a == axis else (0, 0) for a in range(3)], mode="edge")
        image = sum(t * np.take(padded, np.arange(k, k + image.shape[axis]), axis) for k, t in enumerate(taps))
    assert f"{piqe(half_away(image).astype(np.uint8)).score:.4f}" == "85.7362"


def test_scores_without_detail_are_100():
    ramp = np.arange(64, dtype=np.uint8)[None].repeat(64, 0)
    for image in (np.zeros((1, 1), np.uint8), np.full((40, 50), 7, np.uint16), np.full((33, 16, 3), 0.3), ramp):
        found = piqe(image)
        assert found.score == 100
        assert not found.activity_mask.any()
        assert found.activity_mask.shape == image.shape[:2]


def test_rounding_is_half_away_from_zero():
    values = [0.5, 1.5, -0.5, -1.5, 2.4, -2.6, 0.49999999999999994, -0.49999999999999994, 2.0**52 + 1, 0.0]
    assert round_half_away(np.array(values)).tolist() == [1, 2, -1, -2, 2, -3, 0, 0, 2.0**52 + 1, 0]
    assert gray_levels(np.array([[0.3]])) == 77  # 76.5, where NumPy's round gives 76


def test_classes_scale_as_im2double():
    assert im2double(np.array([0, 255], np.uint8)).tolist() == [0, 1]
    assert im2double(np.array([0, 65535], np.uint16)).tolist() == [0, 1]
    assert im2double(np.array([-32768, 32767], np.int16)).tolist() == [0, 1]
    assert im2double(np.array([-2.5, 3], np.float32)).tolist() == [-2.5, 3]


def test_eight_bits_are_their_own_levels():
    every = np.arange(256).reshape(16, 16)
    assert np.array_equal(gray_levels(every.astype(np.uint8)), every)
    assert np.array_equal(gray_levels((every * 257).astype(np.uint16)), every)
    assert np.array_equal(gray_levels((every * 257 - 32768).astype(np.int16)), every)
    assert np.array_equal(gray_levels(every.astype(np.float64), (0, 255)), every)


def test_grey_keeps_its_class():
    triples = np.random.default_rng(3).integers(0, 256, (50, 60, 3)).astype(np.uint8)
    grey = rgb2gray(triples)
    exact = triples @ np.array([0.29893602129377539, 0.58704307445112125, 0.11402090425510336])
    assert grey.dtype == np.uint8
    assert np.array_equal(grey, half_away(exact))
    assert rgb2gray(triples.astype(np.float32) / 255).dtype == np.float32


def test_the_filter_is_a_gaussian_of_seven_taps():
    k = np.arange(4)
    taps = np.exp(-(k**2) / (7 / 6) ** 2 / 2)
    taps /= taps[0] + 2 * taps[1:].sum()
    assert np.allclose(taps, TAPS, rtol=1e-15, atol=0)
    impulse = np.zeros((2 * MARGIN + BLOCK,) * 2)
    assert mscn(impulse).shape == (BLOCK, BLOCK)
    assert not mscn(impulse + 9).any() or abs(mscn(impulse + 9)).max() < 1e-12


def test_bit_depth_of_the_lighthouse_changes_its_score_as_the_documentation_says():
    image = picture(64, 80)
    assert piqe(image).score == piqe(image.astype(np.uint16) * 257).score
    assert piqe(image.astype(np.uint16)).score == 100
    assert piqe(image.astype(np.uint16) * 16, data_range=4080).score == piqe(image).score


def test_grey_of_singles_is_rounded_to_single():
    """In double this grey's 255-fold lies on the other side of a half than the single that MATLAB stores."""
    pixel = np.array([0.5813379883766174, 0.5154761075973511, 0.5166120529174805], np.float32)
    grey = pixel.astype(np.float64) @ [0.29893602129377539, 0.58704307445112125, 0.11402090425510336]
    assert half_away(255 * grey) != half_away(255 * float(np.float32(grey)))
    image = np.random.default_rng(5).random((40, 33, 3)).astype(np.float32)
    image[::2, ::3] = pixel
    assert gray_levels(image)[0, 0] == half_away(255 * float(np.float32(grey)))
    check_against_twin(image)
    assert same_bits(piqe(image), piqe(image, engine="reference"))


def test_a_range_divides_the_255_fold():
    """255·0.145/2.55 is below 14.5 in double, 255·(0.145/2.55) is 14.5 and would round up."""
    assert 255 * 0.145 / 2.55 < 14.5 <= 255 * (0.145 / 2.55)
    image = np.random.default_rng(6).random((40, 33))
    image[::2, ::3] = 0.145
    assert gray_levels(image, (0, 2.55))[0, 0] == 14
    check_against_twin(image, 2.55)
    assert same_bits(piqe(image, data_range=2.55), piqe(image, data_range=2.55, engine="reference"))


def test_a_range_of_twice_255_ends_in_halves():
    odd = np.random.default_rng(7).integers(0, 255, (40, 33)) * 2 + 1
    for dtype in ("uint16", "int16", "float32", "float64"):
        image = odd.astype(dtype)
        assert np.array_equal(gray_levels(image, (0, 510)), (odd + 1) // 2)
        check_against_twin(image, 510)
        assert same_bits(piqe(image, data_range=510), piqe(image, data_range=510, engine="reference"))
