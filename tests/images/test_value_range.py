import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fsrcnn_np
from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.images.value_range import (
    DTYPES,
    ValueRange,
    check_image,
    check_within,
    denormalise,
    normalise,
    to_integers,
    value_range,
)

INTEGERS = DTYPES[:4]


# What the range is


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("uint8", 0, 255),
        ("int8", -128, 127),
        ("uint16", 0, 65535),
        ("int16", -32768, 32767),
        ("float32", 0, 1),
        ("float64", 0, 1),
    ],
)
def test_a_dtype_has_its_own_range(dtype, low, high):
    assert value_range(dtype) == ValueRange(low, high, dtype)


def test_the_caller_has_the_last_word():
    assert value_range("uint16", 4095) == ValueRange(0, 4095, "data_range")
    assert value_range("int16", (-1024, 3071)).span == 4095
    assert value_range("float32", [0.25, 0.75]).span == 0.5
    assert value_range("uint8", np.uint8(200)).high == 200
    assert str(value_range("uint16", 4095)) == "0..4095 (data_range)"
    assert str(value_range("float32", 0.5)) == "0..0.5 (data_range)"
    assert str(value_range("int16")) == "-32768..32767 (int16)"


@pytest.mark.parametrize(
    "data_range", [0, -1, math.nan, math.inf, (0, math.inf), (5, 5), (9, 2), (math.nan, 1), 10**400]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_impossible_ranges(dtype, data_range):
    with pytest.raises(OptionError, match=r"^data_range is .*allowed is"):
        value_range(dtype, data_range)


@pytest.mark.parametrize("data_range", [True, "255", (1, 2, 3), (), ("0", "1"), 1j, [[0, 1]], (0, None), {0: 1}])
def test_no_ranges_at_all(data_range):
    with pytest.raises(OptionError, match="data_range is"):
        value_range("uint16", data_range)


@pytest.mark.parametrize(
    ("dtype", "data_range"),
    [("uint8", 256), ("uint8", 4095), ("uint16", 65536), ("uint16", (-1, 9)), ("int16", 32768), ("float32", 1e39)],
)
def test_ranges_beyond_the_dtype(dtype, data_range):
    with pytest.raises(OptionError, match=f"oversized: {dtype} holds"):
        value_range(dtype, data_range)


@pytest.mark.parametrize(("dtype", "data_range"), [("float32", 1e-45), ("float64", (-1e308, 1e308))])
def test_spans_that_the_dtype_cannot_hold(dtype, data_range):
    with pytest.raises(OptionError, match="has a span"):
        value_range(dtype, data_range)


# What an image is


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (4, 5), (4, 5, 3), (3, 3, 3)])
def test_images(dtype, shape):
    image = np.ones(shape, dtype)
    assert check_image(image) is image


def test_unusual_layouts_are_images():
    image = np.arange(24, dtype=np.uint16).reshape(4, 6)
    swapped = check_image(image.astype(">u2"))
    assert swapped.dtype.isnative
    np.testing.assert_array_equal(swapped, image)
    image.flags.writeable = False
    for other in (image, np.asfortranarray(image), image[::-1, ::2], image.view(np.matrix)):
        assert type(check_image(other)) is np.ndarray
        np.testing.assert_array_equal(check_image(other), other)


def test_what_gives_an_array_is_an_image():
    class Foreign:
        def __array__(self, dtype=None, copy=None):
            return np.ones((2, 2), np.float32)

    assert check_image(Foreign()).shape == (2, 2)
    assert check_image([[0.5, 1.0]]).dtype == np.float64


class Unwilling:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it is on another device")


BAD = {
    "bool": (np.ones((2, 2), bool), "found dtype bool.*uint8"),
    "complex": (np.ones((2, 2), complex), "found dtype complex128.*real part"),
    "object": (np.array([[None, 1]]), "found dtype object"),
    "float16": (np.ones((2, 2), np.float16), "found dtype float16.*float32"),
    "int64": (np.ones((2, 2), np.int64), "found dtype int64.*uint16.*float"),
    "uint32": (np.ones((2, 2), np.uint32), "found dtype uint32.*uint16"),
    "list of int": ([[1, 2], [3, 4]], "found dtype int"),
    "text": (np.array([["a"]]), "found dtype str"),
    "dates": (np.zeros((2, 2), "M8[s]"), "found dtype datetime64"),
    "structured": (np.zeros((2, 2), [("r", "u1")]), "found dtype"),
    "path": ("image.png", r"found a str.*fsrcnn_np\.read"),
    "none": (None, "found dtype object"),
    "ragged": ([[1.0], [1.0, 2.0]], "found a list"),
    "unwilling": (Unwilling(), "on another device"),
    "number": (np.float32(1), "a single number"),
    "1-D": (np.zeros(5, np.uint8), "found shape 5;.*rows and columns"),
    "4-D": (np.zeros((1, 2, 2, 3), np.uint8), "found shape 1×2×2×3.*one image"),
    "1 channel": (np.zeros((4, 5, 1), np.uint8), r"found shape 4×5×1.*image\[\.\.\., 0\]"),
    "2 channels": (np.zeros((4, 5, 2), np.uint8), r"found shape 4×5×2.*alpha.*image\[\.\.\., 0\]"),
    "4 channels": (np.zeros((4, 5, 4), np.uint8), r"found shape 4×5×4.*alpha.*image\[\.\.\., :3\]"),
    "5 channels": (np.zeros((4, 5, 5), np.uint8), "found shape 4×5×5"),
    "channels first": (np.zeros((3, 4, 5), np.uint8), "found shape 3×4×5.*channels last"),
    "no rows": (np.zeros((0, 5), np.uint8), "found shape 0×5, an empty image"),
    "no columns": (np.zeros((5, 0, 3), np.float32), "found shape 5×0×3, an empty image"),
    "nothing": ([], "found shape 0;"),
    "NaN": (np.array([[0.5, 0.5], [0.5, np.nan]]), "found nan at row 1, column 1"),
    "infinite": (np.array([[[0, 0, -np.inf]]], np.float32), "found -inf at row 0, column 0"),
    "masked": (np.ma.masked_array(np.ones((2, 2), np.uint8), mask=False), "masked array.*filled"),
    "sparse": (scipy.sparse.csr_array(np.eye(3)), r"sparse.*toarray\(\)"),
    "sparse matrix": (scipy.sparse.csr_matrix(np.eye(3)), r"sparse.*toarray\(\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_image(name):
    image, message = BAD[name]
    with pytest.raises(ImageError, match=message) as caught:
        check_image(image)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value), "the message says no fix"


def test_nan_is_found_in_any_block(monkeypatch):
    monkeypatch.setattr("fsrcnn_np.images.value_range._BLOCK", 10)
    image = np.zeros((9, 5))
    image[7, 3] = np.nan
    with pytest.raises(ImageError, match="row 7, column 3"):
        check_image(image)


# Values beyond the range


def test_within():
    check_within(np.array([[0, 4095]], np.uint16), value_range("uint16", 4095))
    check_within(np.array([[-8192, 8191]], np.int16), ValueRange(-8192, 8191, "BitsStored 14"))


@pytest.mark.parametrize(("values", "found"), [((5, 4096), "5..4096"), ((-2, 7), "-2..7"), ((-2, 4096), "-2..4096")])
def test_beyond(values, found):
    with pytest.raises(
        ImageError, match=rf"found values {found}, allowed is 0\.\.4095 \(BitsStored 12\).*--data-range"
    ):
        check_within(np.array([values], np.int16), ValueRange(0, 4095, "BitsStored 12"))


def test_beyond_in_any_block(monkeypatch):
    monkeypatch.setattr("fsrcnn_np.images.value_range._BLOCK", 4)
    image = np.zeros((9, 5))
    image[8, 4] = 1.5
    with pytest.raises(ImageError, match=r"found values 0\.\.1\.5"):
        check_within(image, value_range("float64"))


def test_checks_take_little_memory():
    image = np.zeros((3000, 4000), np.float32)
    tracemalloc.start()
    try:
        check_within(check_image(image), value_range("float32"))
        assert tracemalloc.get_traced_memory()[1] < image.nbytes / 8
    finally:
        tracemalloc.stop()


# To 0..1 and back


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("work", ["float32", "float64"])
@pytest.mark.parametrize("data_range", [None, 100, (3, 101)])
def test_every_integer_comes_back(dtype, work, data_range):
    scale = value_range(dtype, data_range)
    values = np.arange(int(scale.low), int(scale.high) + 1).astype(dtype)[None]
    y = normalise(values, scale, work)
    assert y.dtype == work
    assert (y.min(), y.max()) == (0, 1)
    np.testing.assert_array_equal(denormalise(y, scale, dtype), values)


def test_normalised_as_in_matlab():
    values = np.arange(65536, dtype=np.uint16)[None]
    np.testing.assert_array_equal(normalise(values, value_range("uint16")), values.astype("f4") / np.float32(65535))
    int16 = np.array([[-32768, 0, 32767]], np.int16)
    np.testing.assert_allclose(normalise(int16, value_range("int16"), np.float64), [[0, 32768 / 65535, 1]])


def test_large_floats_do_not_overflow_on_the_way():
    image = np.array([[0, 1e300]])
    assert normalise(image, value_range("float64", 1e300)).tolist() == [[0, 1]]
    assert denormalise(np.float32([[0, 1]]), value_range("float64", 1e300), "float64").tolist() == [[0, 1e300]]


def test_integers_saturate_and_floats_do_not_clip():
    y = np.float32([[-0.5, 0.5, 1.5]])
    assert denormalise(y, value_range("uint8"), "uint8").tolist() == [[0, 128, 255]]
    assert denormalise(y, value_range("int8"), "int8").tolist() == [[-128, -1, 127]]
    assert denormalise(y, value_range("uint16", 4095), "uint16").tolist() == [[0, 2048, 4095]]
    assert denormalise(y, value_range("uint8", (10.4, 20.6)), "uint8").tolist() == [[11, 16, 20]]
    assert denormalise(y, value_range("float32"), "float32").tolist() == y.tolist()


def test_denormalise_in_place():
    y = np.float32([[0, 1]])
    out = np.empty((1, 2), np.uint8)
    assert denormalise(y, value_range("uint8"), "uint8", out) is out
    assert out.tolist() == [[0, 255]]
    for wrong in (np.empty((2, 1), np.uint8), np.empty((1, 2), np.uint16)):
        with pytest.raises(OptionError, match="out is"):
            denormalise(y, value_range("uint8"), "uint8", wrong)


@given(
    hnp.arrays(
        st.sampled_from(("float32", "float64")),
        hnp.array_shapes(max_dims=2, max_side=5),
        elements=st.floats(-70000, 70000, width=32),
    )
)
def test_rounding_is_exact(values):
    def rounded(value):
        exact = Fraction(abs(float(value)))
        return int(math.copysign(1, value)) * (exact + Fraction(1, 2)).__floor__()

    for dtype in INTEGERS:
        limits = np.iinfo(dtype)
        expected = [min(max(rounded(v), limits.min), limits.max) for v in values.ravel()]
        assert to_integers(values, dtype).ravel().tolist() == expected


def test_rounding_where_adding_a_half_goes_wrong():
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert to_integers(np.float32([below, 0.5, 1.5, 2.5, -below, -0.5, -2.5]), "int8").tolist() == [
        0,
        1,
        2,
        3,
        0,
        -1,
        -3,
    ]
    assert to_integers(np.array([0.49999999999999994]), "uint8").tolist() == [0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_overshoots_the_dtype_becomes_infinite_without_a_warning(dtype):
    most = float(np.finfo(dtype).max)
    found = denormalise(np.array([[1.5, 0.5]], np.float32), value_range(dtype, most), dtype)
    assert np.isinf(found[0, 0])
    assert np.isfinite(found[0, 1])


def test_pillow_images_are_taken_by_their_colours():
    """NumPy gives the numbers of a palette's colours, and L*a*b* as if it were RGB."""
    from PIL import Image

    rgb = np.random.default_rng(0).integers(0, 256, (20, 24, 3)).astype(np.uint8)
    palette = Image.fromarray(rgb).quantize(16)
    colours = np.asarray(palette.convert("RGB"))
    for compute in (
        lambda image: fsrcnn_np.upscale(image, engine="reference"),
        lambda image: fsrcnn_np.imresize(image, 2),
        lambda image: fsrcnn_np.upscale_batch([image], axes="NHWC", engine="reference"),
        lambda image: fsrcnn_np.psnr(image, rgb, data_range=255),
        lambda image: fsrcnn_np.ssim(rgb, image, data_range=255),
    ):
        np.testing.assert_array_equal(compute(palette), compute(colours))
        for mode in ("LAB", "HSV", "YCbCr", "CMYK", "RGBA"):
            with pytest.raises(ImageError, match=rf"mode {mode} is not taken as it is; pass image.convert\('RGB'\)"):
                compute(Image.new(mode, (24, 20)))


def test_a_batch_that_cannot_be_taken_apart():
    with pytest.raises(ImageError, match="memoryview that is no batch"):
        fsrcnn_np.upscale_batch(memoryview(np.zeros((2, 8, 8), np.uint8)))
