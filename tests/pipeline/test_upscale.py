"""`upscale` and `forward`: what goes in, what comes out, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fsrcnn_np
from fsrcnn_np import ImageError, OptionError
from fsrcnn_np.engine import ENGINES
from fsrcnn_np.images.value_range import check_pixels
from models import random_weights

MODEL = random_weights(np.random.default_rng(3), (4, 3, 1), 2, "replicate", dtype=np.float32)
DTYPES = ["uint8", "int8", "uint16", "int16", "float32", "float64"]


def picture(dtype, shape=(9, 7), seed=0):
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("engine", ["reference", "numba", "llvm"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (9, 7), (9, 7, 3)])
def test_class_and_shape_are_kept(engine, dtype, shape):
    image = picture(dtype, shape)
    before = image.copy()
    result = fsrcnn_np.upscale(image, weights=MODEL, engine=engine)
    assert result.dtype == image.dtype
    assert result.shape == (shape[0] * 2, shape[1] * 2, *shape[2:])
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_grey_is_the_network_between_two_conversions(dtype, scale):
    """Against the definition in float64: (v − low) / span, network, · span + low, half away from zero, saturate."""
    model = random_weights(np.random.default_rng(scale), (4, 3, 1), scale, "zero")
    image = picture(dtype, (6, 5))
    low, high = (0, 1) if image.dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    y = fsrcnn_np.forward((image.astype(float) - low) / (high - low), model, dtype=np.float64) * (high - low) + low
    result = fsrcnn_np.upscale(image, weights=model)
    if image.dtype.kind == "f":
        np.testing.assert_allclose(result, y, rtol=0, atol=2e-5)
        return
    rounded = np.clip(np.trunc(y + np.copysign(0.5, y)), low, high)
    off = rounded != result
    slack = 2e-5 * (high - low)  # of float32: only near a tie may the rounded value differ, and by one
    tie = np.abs(np.abs(y - np.trunc(y)) - 0.5) < slack
    assert (np.abs(rounded - result.astype(float))[off] <= 1 + slack).all()
    assert tie[off].all()


@pytest.mark.parametrize("engine", ["reference", "numba", "llvm"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_a_fractional_range_ends_at_its_whole_numbers(dtype, engine):
    """0.4..200.6 holds 1..200: overshoot saturates there, neither at 0 nor at 201."""
    image = np.full((24, 24), 1, dtype)
    image[8:16, 8:16] = image[::6, 20] = 200
    result = fsrcnn_np.upscale(image, data_range=(0.4, 200.6), engine=engine)
    assert (result.min(), result.max()) == (1, 200)
    assert fsrcnn_np.upscale(image, data_range=(-5, 255) if dtype == "int16" else (0, 255), engine=engine).max() > 200


def test_floats_are_not_clipped():
    image = np.zeros((8, 8), np.float32)
    image[:, 4:] = 1
    result = fsrcnn_np.upscale(image)
    assert result.min() < 0 < 1 < result.max()


def test_data_range_scales_and_saturates():
    small = picture("uint16", (8, 9)) >> 4
    wide = fsrcnn_np.upscale(small.astype(np.float64) / 4095, weights=MODEL)
    result = fsrcnn_np.upscale(small, weights=MODEL, data_range=4095)
    assert result.max() <= 4095
    assert np.abs(result - np.clip(wide, 0, 1) * 4095).max() < 0.6
    pair = fsrcnn_np.upscale(small.astype(np.int16) - 2048, weights=MODEL, data_range=(-2048, 2047))
    np.testing.assert_allclose(pair + 2048.0, result, atol=1)


def test_grey_rgb_is_grey():
    image = picture("uint16", (10, 12))
    grey = fsrcnn_np.upscale(image, weights=MODEL).astype(int)
    rgb = fsrcnn_np.upscale(np.stack([image] * 3, -1), weights=MODEL).astype(int)
    assert np.abs(rgb - grey[..., None]).max() <= 1


def test_colour_is_luma_by_the_network_and_chroma_by_bicubic():
    image = picture("float64", (6, 5, 3))
    result = fsrcnn_np.upscale(image, weights=MODEL)
    to_y = np.array([0.299, 0.587, 0.114])
    y = fsrcnn_np.forward(image @ to_y, MODEL, dtype=np.float64)
    np.testing.assert_allclose(result @ to_y, y, atol=1e-5)
    blue = fsrcnn_np.imresize(image[..., 2] - image @ to_y, 2)
    np.testing.assert_allclose(result[..., 2] - result @ to_y, blue, atol=1e-5)


@given(
    dtype=st.sampled_from(DTYPES), height=st.integers(1, 20), width=st.integers(1, 20),
    layout=st.sampled_from(["C", "F", "swapped", "strided", "flipped", "read-only"]),
    engine=st.sampled_from([None, "numba", "reference"]),
)  # fmt: skip
def test_any_layout_gives_the_same(dtype, height, width, layout, engine):
    image = picture(dtype, (height, width), seed=height * 32 + width)
    other = {
        "C": lambda: image,
        "F": lambda: np.asfortranarray(image),
        "swapped": lambda: image.astype(image.dtype.newbyteorder(">")),
        "strided": lambda: np.repeat(np.repeat(image, 2, 0), 3, 1)[::2, ::3],
        "flipped": lambda: image[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": lambda: np.frombuffer(image.tobytes(), image.dtype).reshape(image.shape),
    }[layout]()
    expected = fsrcnn_np.upscale(image, weights=MODEL, engine=engine)
    np.testing.assert_array_equal(fsrcnn_np.upscale(other, weights=MODEL, engine=engine), expected)


def test_out_is_filled_and_returned():
    image = picture("uint8")
    out = np.empty((18, 14), np.uint8)
    assert fsrcnn_np.upscale(image, weights=MODEL, out=out) is out
    np.testing.assert_array_equal(out, fsrcnn_np.upscale(image, weights=MODEL))
    colour = np.empty((18, 14, 3), np.uint8)
    assert fsrcnn_np.upscale(picture("uint8", (9, 7, 3)), weights=MODEL, out=colour) is colour


def test_progress_counts_to_its_total():
    seen = []
    image = picture("uint8", (40, 30))
    fsrcnn_np.upscale(image, weights=MODEL, progress=lambda done, total: seen.append((done, total)))
    assert seen
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


NAN = np.full((4, 4), 0.5)
NAN[1, 2] = np.nan


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros((4, 4, 2), np.uint8), "4×4×2"),
        (np.zeros((4, 4, 5), np.uint8), "4×4×5"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4), complex), "complex"),
        (np.array([[None, 1], [2, 3]]), "object"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros(4, np.uint8), "shape"),
        (NAN, "nan"),
        (np.where(np.isnan(NAN), np.inf, NAN), "inf"),
        (np.full((4, 4), 1.5), "1.5"),
        (np.full((4, 4), -0.1), "-0.1"),
        ("mammogram.png", "str"),
    ],
)
def test_what_is_no_image(image, words):
    with pytest.raises(ImageError, match=r"allowed") as caught:
        fsrcnn_np.upscale(image, weights=MODEL)
    assert isinstance(caught.value, ValueError)
    assert words in str(caught.value)


def test_beyond_the_range_is_an_error_not_a_clip():
    with pytest.raises(ImageError, match=r"4096.*4095"):
        fsrcnn_np.upscale(np.full((3, 3), 4096, np.uint16), weights=MODEL, data_range=4095)


@pytest.mark.parametrize("data_range", [0, -1, np.nan, np.inf, True, (5, 5), (1, 2, 3), "255", 70000])
def test_impossible_ranges(data_range):
    with pytest.raises(OptionError, match="data_range"):
        fsrcnn_np.upscale(np.zeros((3, 3), np.uint16), weights=MODEL, data_range=data_range)


@pytest.mark.parametrize(
    "options",
    [
        {"threads": 0}, {"threads": -2}, {"threads": 10**6}, {"threads": 1.5}, {"threads": True},
        {"engine": "cuda"}, {"engine": 7}, {"weights": 7},
    ],
)  # fmt: skip
def test_impossible_options(options):
    with pytest.raises(OptionError):
        fsrcnn_np.upscale(np.zeros((3, 3), np.uint8), **{"weights": MODEL, **options})


MEMORY = np.zeros((16, 32), np.uint8)
REPEATED = np.lib.stride_tricks.as_strided(np.zeros(6, np.uint8), (6, 6), (0, 1))
SLIDING = np.lib.stride_tricks.sliding_window_view(np.zeros(11, np.uint8), 6, writeable=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty((5, 6), np.uint8), r"out is uint8 of shape \(5, 6\); the result is uint8 of shape \(6, 6\)"),
        (np.empty((6, 6), np.uint16), "out is uint16 .* the result is uint8"),
        ([[0] * 6] * 6, "out is a list; allowed is a NumPy array, uint8"),
        ("here", "out is a str"),
        (np.broadcast_to(np.uint8(0), (6, 6)), "out is read-only"),
        (REPEATED, "several pixels in one place"),
        (SLIDING, "several pixels in one place"),
        (np.ma.zeros((6, 6), np.uint8), "out is a masked array"),
        (MEMORY[2:8, 2:8], "out overlaps the image"),
    ],
)
def test_out_refused(engine, out, message):
    image = MEMORY[:3, :3]
    with pytest.raises(OptionError, match=message):
        fsrcnn_np.upscale(image, weights=MODEL, out=out, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["uint16", ">u2", "float32", ">f8"])
def test_out_of_any_layout_is_filled(engine, dtype):
    """Also between the image's own pixels, and in another byte order."""
    image = picture(np.dtype(dtype).newbyteorder("="), (4, 4)).astype(dtype)
    expected = fsrcnn_np.upscale(image, weights=MODEL, engine=engine)
    assert expected.dtype.isnative
    memory = np.zeros((16, 32), dtype)
    memory[:8:2, :8:2] = image
    native = np.zeros((8, 8), np.dtype(dtype).newbyteorder("="))
    for source, out in [(memory[:8:2, :8:2], memory[:8, 1:17:2]), (image, native), (image, native.T.copy().T)]:
        assert fsrcnn_np.upscale(source, weights=MODEL, out=out, engine=engine) is out
        np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(memory[:8:2, :8:2], image)


def test_forward_takes_floats_only():
    with pytest.raises(ImageError, match="upscale"):
        fsrcnn_np.forward(np.zeros((3, 3), np.uint8), MODEL)
    with pytest.raises(OptionError, match="float32"):
        fsrcnn_np.forward(np.zeros((3, 3)), MODEL, dtype=np.int32)


@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
def test_the_bare_network_takes_what_does_not_overflow_in_it(engine):
    for sign in (1, -1):
        for weights in ("x2", "x4"):
            most = np.full((9, 12), sign * 2.0**100, np.float32)
            most[::2, 1::3] *= -1
            assert np.isfinite(fsrcnn_np.forward(most, weights, engine=engine)).all()
        with pytest.raises(ImageError, match=r"as large as 3e\+38; forward takes 1\.27e\+30 at most in float32"):
            fsrcnn_np.forward(np.full((4, 4), sign * 3e38), MODEL, engine=engine)
    assert np.isfinite(fsrcnn_np.forward(np.full((4, 4), 2.0**1000), MODEL, dtype=np.float64)).all()
    with pytest.raises(ImageError, match=r"as large as 1e\+308"):
        fsrcnn_np.forward(np.full((4, 4), -1e308), MODEL, dtype=np.float64)


@pytest.mark.parametrize("engine", ["llvm", "numba"])
def test_float64_is_the_reference_s(engine):
    with pytest.raises(OptionError, match=rf"engine='{engine}' has float32 only; engine=\"reference\""):
        fsrcnn_np.forward(np.zeros((3, 3)), MODEL, dtype=np.float64, engine=engine)
    expected = fsrcnn_np.forward(np.ones((3, 3)), MODEL, dtype=np.float64, engine="reference")
    np.testing.assert_array_equal(fsrcnn_np.forward(np.ones((3, 3)), MODEL, dtype=np.float64), expected)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_none_is_llvm(shape):
    image = picture("uint16", shape)
    expected = fsrcnn_np.upscale(image, weights=MODEL, engine="llvm")
    np.testing.assert_array_equal(fsrcnn_np.upscale(image, weights=MODEL), expected)


def test_what_has_been_checked_is_not_checked_again(monkeypatch):
    image = check_pixels(picture("uint16") >> 4, 4095)
    expected = fsrcnn_np.upscale(image.array, weights=MODEL, data_range=4095)
    monkeypatch.setattr("fsrcnn_np.images.value_range.check_image", None)
    monkeypatch.setattr("fsrcnn_np.images.value_range.check_within", None)
    np.testing.assert_array_equal(fsrcnn_np.upscale(image, weights=MODEL), expected)


def test_a_shipped_model_is_loaded_once(monkeypatch):
    from fsrcnn_np.convert import hdf5

    image = picture("uint8")
    expected = fsrcnn_np.upscale(image, weights="x2")
    monkeypatch.setattr(hdf5, "load", None)
    np.testing.assert_array_equal(fsrcnn_np.upscale(image, weights="x2"), expected)
    assert fsrcnn_np.load_weights("x2") is fsrcnn_np.load_weights("x2")


def test_no_such_model(tmp_path):
    with pytest.raises(OSError, match="x2"):
        fsrcnn_np.upscale(np.zeros((3, 3), np.uint8), weights=tmp_path / "none.h5")


def test_threads_from_the_environment(monkeypatch):
    monkeypatch.setenv("FSRCNN_NP_THREADS", "none")
    with pytest.raises(OptionError, match="FSRCNN_NP_THREADS"):
        fsrcnn_np.upscale(np.zeros((3, 3), np.uint8), weights=MODEL)
