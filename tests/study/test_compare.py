"""Scores are those of the three images; ranges, classes and squares are what was asked for."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fsrcnn_np import imresize, upscale
from fsrcnn_np.errors import FsrcnnError, ImageError, OptionError
from fsrcnn_np.files import Frame, Picture
from fsrcnn_np.images.grid_power import grid_power
from fsrcnn_np.images.value_range import ValueRange, value_range
from fsrcnn_np.pipeline import upscale_frame
from fsrcnn_np.study.compare import BICUBIC, CLASS, EXPORT, NATIVE, ORIGINAL, SR, bicubic, compare, export_8_bit
from models import random_weights
from piqe_np import piqe


def test_scores_are_those_of_the_three_images(comparison, model, small):
    images = {
        ORIGINAL: small.pixels,
        BICUBIC: np.minimum(imresize(small.pixels, 2), 4095),
        SR: upscale(small.pixels, weights=model, data_range=4095, engine="reference"),
    }
    assert comparison.scorings == [NATIVE, EXPORT, CLASS]
    for image, pixels in images.items():
        assert comparison.piqe(image) == piqe(pixels, data_range=4095).score
        exported = np.floor(pixels.astype(float) * 255 / 4095 + 0.5).astype(np.uint8)
        assert comparison.piqe(image, EXPORT) == piqe(exported).score
        assert comparison.piqe(image, CLASS) == piqe(pixels).score
    assert len({comparison.piqe(image) for image in images}) == 3
    assert comparison.piqe(ORIGINAL) != comparison.piqe(ORIGINAL, CLASS)


def test_facts(comparison, model):
    assert comparison.shape == (300, 260)
    assert comparison.dtype == "uint16"
    assert str(comparison.value_range) == "0..4095 (data_range)"
    assert comparison.sha256 == model.sha256
    assert [score.shape for score in comparison.scores[::3]] == [(300, 260), (600, 520), (600, 520)]
    assert comparison.scores[0].scaling == "0..4095 (data_range) to 0..255"
    assert comparison.scores[2].scaling == "0..65535 (uint16) to 0..255"
    assert set(comparison.seconds) == {"bicubic", "SR", "PIQE"}


def test_the_grid_of_both_enlarged_pictures(comparison, model, small):
    sr = upscale(small.pixels, weights=model, data_range=4095, engine="reference")
    assert comparison.grid_amplitude == {
        BICUBIC: pytest.approx(np.sqrt(grid_power(np.minimum(imresize(small.pixels, 2), 4095) / 4095)), rel=1e-4),
        SR: pytest.approx(np.sqrt(grid_power(sr / 4095)), rel=1e-4),
    }
    tiny = compare(small.pixels[:9, :9], weights=model, data_range=4095, engine="reference")
    assert all(np.isnan(v) for v in tiny.grid_amplitude.values())


def test_panels_are_the_images(comparison, model, small):
    square = comparison.square
    assert np.array_equal(comparison.panels.square_original, (square.of(small.pixels) / np.float32(4095)))
    sr = upscale(small.pixels, weights=model, data_range=4095, engine="reference")
    row, column, side = (2 * v for v in square)
    part = sr[row : row + side, column : column + side]
    assert np.array_equal(comparison.panels.square_sr, part / np.float32(4095))
    assert comparison.panels.whole_sr.shape == comparison.panels.whole_original.shape


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "float32", "float64"])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_every_class(dtype, colours, model):
    rng = np.random.default_rng(4)
    if dtype.startswith("f"):
        pixels = rng.random((40, 50, *colours)).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        pixels = rng.integers(limits.min, limits.max, (40, 50, *colours), dtype, endpoint=True)
    found = compare(pixels, weights=model, engine="reference")
    assert found.scorings == [NATIVE, EXPORT]
    assert np.isfinite([score.piqe for score in found.scores]).all()
    if not colours and dtype != "float32":  # PIQE rounds to 255 steps itself
        assert found.piqe(ORIGINAL) == found.piqe(ORIGINAL, EXPORT)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int16", -2048, 2047), ("int16", -1000, 3000), ("uint16", 100, 900)]
)
def test_a_range_that_does_not_begin_at_zero(dtype, low, high, model):
    pixels = np.random.default_rng(5).integers(low, high, (48, 64), dtype, endpoint=True)
    found = compare(pixels, weights=model, data_range=(low, high), engine="reference")
    levels = np.floor(255 * (pixels.astype(float) - low) / (high - low) + 0.5).astype(np.uint8)
    assert found.piqe(ORIGINAL) == found.piqe(ORIGINAL, EXPORT) == piqe(levels).score
    assert found.piqe(ORIGINAL, CLASS) == piqe(pixels).score


def test_floats_beyond_their_range_after_enlarging_are_scored_as_they_are(model):
    pixels = np.zeros((32, 32), np.float32)
    pixels[:, 16:] = 4095
    found = compare(pixels, weights=model, data_range=4095, engine="reference")
    bicubic = imresize(pixels, 2).astype(np.float64)
    assert bicubic.max() > 4095
    assert found.piqe(BICUBIC) == piqe(bicubic / 4095).score


def test_the_range_says_where_it_is_from(model):
    pixels = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)
    found = compare(pixels, weights=model, data_range=ValueRange(0.0, 4095.0, "BitsStored 12"), engine="reference")
    assert str(found.value_range) == "0..4095 (BitsStored 12)"
    with pytest.raises(ImageError, match=r"found values 0..1023, allowed is 0..1000 \(BitsStored 9.97\)"):
        compare(pixels, weights=model, data_range=ValueRange(0.0, 1000.0, "BitsStored 9.97"))


def test_polarity_changes_what_is_shown_and_no_score(model, small):
    upright = compare(small.pixels, weights=model, data_range=4095, engine="reference")
    negative = compare(4095 - small.pixels, weights=model, data_range=4095, inverted=True, engine="reference")
    assert negative.square == upright.square
    assert np.allclose(negative.panels.whole_original, upright.panels.whole_original, atol=1e-6)
    assert negative.piqe(ORIGINAL) == piqe(4095 - small.pixels, data_range=4095).score


@pytest.mark.parametrize("scale", [3, 4])
def test_other_scales(scale):
    model = random_weights(np.random.default_rng(0), (3, 2, 1), scale, "zero")
    pixels = np.random.default_rng(1).integers(0, 256, (33, 21), np.uint8)
    found = compare(pixels, weights=model, engine="reference")
    assert found.scores[-1].shape == (33 * scale, 21 * scale)
    assert found.panels.square_sr.shape == (found.square.side * scale,) * 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (2, 3), (17, 5)])
def test_smallest_images(shape, model):
    found = compare(np.full(shape, 7, np.uint8), weights=model, engine="reference")
    assert found.piqe(ORIGINAL) == 100
    assert found.square.side <= min(shape)


@pytest.mark.parametrize(("square", "expected"), [((3, 4, 20), (3, 4, 20)), ((280, 240, 20), (280, 240, 20))])
def test_the_square_that_was_asked_for(square, expected, model, small):
    found = compare(small.pixels, weights=model, data_range=4095, square=square, engine="reference")
    assert tuple(found.square) == expected
    assert found.square_origin == "given"


def test_a_square_without_a_side_is_moved_into_the_picture(model, small):
    found = compare(small.pixels, weights=model, data_range=4095, square=(299, 0), engine="reference")
    assert found.square.row + found.square.side == 300
    assert found.square.column == 0


@pytest.mark.parametrize(
    "square", [(300, 0), (0, 260), (-1, 0), (0, 0, 261), (290, 0, 20), (0, 0, 0), (1.5, 2), (1,), (1, 2, 3, 4), "ab"]
)
def test_a_square_that_is_not_in_the_picture(square, model, small):
    with pytest.raises(OptionError, match="square"):
        compare(small.pixels, weights=model, data_range=4095, square=square)


def test_sr_is_handed_over(model, small):
    seen = []
    compare(small.pixels, weights=model, data_range=4095, engine="reference", on_sr=seen.append)
    assert np.array_equal(seen[0], upscale(small.pixels, weights=model, data_range=4095, engine="reference"))


@pytest.mark.parametrize(
    "pixels", [np.zeros((0, 4)), np.zeros((4, 4), bool), np.zeros((4, 4, 2)), np.full((4, 4), np.nan)]
)
def test_what_is_no_image(pixels, model):
    with pytest.raises(ImageError, match="found"):
        compare(pixels, weights=model)


def test_a_wrong_environment_is_one_of_our_errors(model, monkeypatch):
    monkeypatch.setenv("PIQE_NP_THREADS", "many")
    with pytest.raises(FsrcnnError, match="PIQE_NP_THREADS"):
        compare(np.zeros((20, 20), np.uint8), weights=model)


@given(
    arrays(np.int16, (3, 4), elements=st.integers(-32768, 32767)),
    st.tuples(st.integers(-32768, 32766), st.integers(1, 65535)),
)
def test_export_rounds_half_away_and_saturates(pixels, span):
    low, high = span[0], min(span[0] + span[1], 32767)
    exported = export_8_bit(pixels, ValueRange(float(low), float(high), "data_range"))
    for value, found in zip(pixels.ravel().tolist(), exported.ravel().tolist(), strict=True):
        exact = Fraction(255 * (value - low), high - low)
        assert found == min(max((2 * exact + 1) // 2, 0), 255)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64"])
def test_the_8_bit_export_rounds_halves_away_from_zero(dtype):
    odd = np.arange(1, 510, 2)
    exported = export_8_bit(odd[None].astype(dtype), value_range(dtype, 510))
    np.testing.assert_array_equal(exported[0], (odd + 1) // 2)


def test_the_padding_of_a_dicom_is_no_edge(model, small):
    """As `upscale_file` does it: bicubic and SR see the image go on, and the padding comes back as it was."""
    padding = np.zeros(small.pixels.shape, bool)
    padding[:, :100] = True
    pixels = np.where(padding, 4000, small.pixels).astype(np.uint16)
    picture = Picture(pixels, "a.dcm", "DICOM", data_range=4095, data_range_origin="BitsStored 12", padding=padding)
    seen = []
    found = compare(picture, weights=model, engine="reference", on_sr=seen.append)
    bounds = value_range(pixels.dtype, 4095)
    frame = Frame(pixels, padding)
    np.testing.assert_array_equal(seen[0], upscale_frame(frame, bounds, model, engine="reference"))
    assert (seen[0][:, :200] == 4000).all()
    control = bicubic(frame, 2, bounds)
    assert (control[:, :200] == 4000).all()
    assert not np.array_equal(control[:, 200:], imresize(pixels, 2)[:, 200:])  # which rings
    np.testing.assert_array_equal(control[:, 208:], imresize(pixels, 2)[:, 208:])
    assert found.piqe(BICUBIC) == piqe(control, data_range=4095).score
    assert found.piqe(SR) == piqe(seen[0], data_range=4095).score


def test_an_export_of_spans_near_the_end_of_float64():
    values = np.linspace(-0.8, 0.8, 77)[None]
    usual = export_8_bit(values, ValueRange(-0.8, 0.8, "data_range"))
    wide = export_8_bit(values * 2.0**1023, ValueRange(-0.8 * 2.0**1023, 0.8 * 2.0**1023, "data_range"))
    np.testing.assert_array_equal(wide, usual)
