"""Dtypes, value ranges, layouts; what is refused."""

from fractions import Fraction

import dask.array
import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np.engine.llvm import forward, upscale_plane, upscale_stream
from fsrcnn_np.errors import ImageError, OptionError
from models import random_weights

WEIGHTS = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "replicate", dtype=np.float32)
DTYPES = ["uint8", "int8", "uint16", "int16", "float32", "float64"]


def plane(dtype, shape=(13, 17), seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def levels(dtype):
    return (0.0, 1.0) if np.dtype(dtype).kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def half_away(value):
    """Round a Fraction half away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


@pytest.mark.parametrize("dtype", DTYPES[:4])
@pytest.mark.parametrize("low_high", [None, (3, 100), (-100, 90), (0, 27)])
def test_integers_are_rounded_half_away_from_zero_exactly(dtype, low_high):
    low, high = low_high or levels(dtype)
    pixels = plane(dtype)
    network = forward(((pixels.astype(np.float64) - low) / (high - low)).astype(np.float32), WEIGHTS)
    least, most = max(low, np.iinfo(dtype).min), min(high, np.iinfo(dtype).max)
    exact = [Fraction(float(v)) * (high - low) + low for v in network.ravel()]
    expected = [min(max(half_away(value), least), most) for value in exact]
    result = upscale_plane(pixels, WEIGHTS, low, high)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result.ravel(), np.array(expected))


@pytest.mark.parametrize(
    ("bias", "pixel"), [(0.5, 1), (1.5, 2), (-0.5, -1), (-2.5, -3), (0.49999997, 0), (7, 4), (-9, -4)]
)
def test_halves_and_saturation(bias, pixel):
    """A network that says the same number everywhere, and pixel values that are the network's own."""
    zeros = [
        layer._replace(**{name: 0 * array for name, array in layer._asdict().items()}) for layer in WEIGHTS.convolutions
    ]
    last = WEIGHTS.deconvolution._replace(weight=0 * WEIGHTS.deconvolution.weight, bias=np.array([bias], np.float32))
    constant = WEIGHTS.__class__(
        WEIGHTS.architecture, "zero", tuple(zeros), last, value_range=(-4, 4)
    )  # fmt: skip
    assert (upscale_plane(np.zeros((3, 5), np.int16), constant, -4, 4) == pixel).all()
    assert (upscale_plane(np.zeros((3, 5)), constant, -4, 4) == np.float32(bias)).all()


@pytest.mark.parametrize("dtype", DTYPES[4:])
def test_floats_are_not_clipped(dtype):
    pixels = 12000 * plane(dtype) - 4000
    result = upscale_plane(pixels, WEIGHTS, -1000, 4000)
    expected = forward(((pixels + 1000) / 5000).astype(np.float32), WEIGHTS).astype(np.float64) * 5000 - 1000
    assert result.dtype == dtype
    assert (result > 4000).any()
    assert (result < -1000).any()
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-2)


def test_value_range_and_mean_of_the_network():
    scaled = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "zero", dtype=np.float32, mean=7.5)
    scaled = scaled.__class__(
        scaled.architecture, "zero", scaled.convolutions, scaled.deconvolution, value_range=(-1, 3), input_mean=7.5
    )
    pixels = plane("uint16")
    expected = (forward((pixels / 65535 * 4 - 1).astype(np.float32), scaled).astype(np.float64) + 1) / 4 * 65535
    result = upscale_plane(pixels, scaled, 0, 65535)
    np.testing.assert_allclose(result, np.clip(expected, 0, 65535), rtol=0, atol=0.52)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype):
    pixels = plane(dtype)
    expected = upscale_plane(pixels, WEIGHTS, *levels(dtype))
    wide = np.zeros((26, 51), dtype)
    wide[::2, ::3] = pixels
    read_only = pixels.copy()
    read_only.flags.writeable = False
    swapped = pixels.astype(pixels.dtype.newbyteorder())
    for image in (np.asfortranarray(pixels), wide[::2, ::3], pixels[::-1, ::-1].copy()[::-1, ::-1], read_only, swapped):
        result = upscale_plane(image, WEIGHTS, *levels(dtype))
        assert result.dtype == image.dtype
        np.testing.assert_array_equal(result, expected)
    whole = np.zeros((53, 70), dtype)
    outs = [
        np.zeros_like(expected),
        np.asfortranarray(expected),
        whole[1::2, 1::2][:26, :34],
        whole[::-2, ::-2][:26, :34],
    ]
    for out in [*outs, np.zeros(expected.shape, swapped.dtype)]:
        out[...] = 0
        assert upscale_plane(pixels, WEIGHTS, *levels(dtype), out=out) is out
        np.testing.assert_array_equal(out, expected)


def test_out_touches_nothing_else():
    whole = np.full((40, 50), 7, np.uint8)
    upscale_plane(plane("uint8"), WEIGHTS, 0, 255, out=whole[5:31, 8:42])
    whole[5:31, 8:42] = 7
    assert (whole == 7).all()


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", ">f4"])
def test_forward_takes_numbers(dtype):
    image = np.arange(30).reshape(5, 6).astype(dtype)
    np.testing.assert_array_equal(forward(image, WEIGHTS), forward(image.astype(np.float32), WEIGHTS))


def test_progress_counts_to_the_end():
    seen = []
    upscale_plane(plane("uint8", (300, 40)), WEIGHTS, 0, 255, threads=2, progress=lambda *at: seen.append(at))
    assert seen == [(i + 1, len(seen)) for i in range(len(seen))]
    assert len(seen) > 1


def test_progress_can_stop_the_work_and_nothing_half_done_is_left():
    def stop(done, total):
        raise KeyboardInterrupt

    out = np.full((600, 80), 9, np.uint8)
    with pytest.raises(KeyboardInterrupt):
        upscale_plane(plane("uint8", (300, 40)), WEIGHTS, 0, 255, threads=2, progress=stop, out=out)
    assert not out.any()


# -- what is refused


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), r"shape \(4, 4, 3\); one plane"),
        (np.zeros(4, np.uint8), "one plane"),
        (np.zeros((0, 4), np.uint8), "at least 1 × 1"),
        (np.zeros((4, 4), bool), "is bool; allowed are uint8"),
        (np.zeros((4, 4), complex), "is complex128; allowed"),
        (np.zeros((4, 4), object), "is object; allowed"),
        (np.zeros((4, 4), np.uint32), "is uint32; allowed"),
    ],
)
def test_images_refused(image, message):
    with pytest.raises(ImageError, match=message):
        upscale_plane(image, WEIGHTS, 0, 255)
    with pytest.raises(ImageError, match=message):
        upscale_stream(image, np.zeros((8, 8), image.dtype), WEIGHTS, 0, 255)
    if image.dtype != np.uint32:
        with pytest.raises(ImageError):
            forward(image, WEIGHTS) if image.dtype.kind in "bcO" else forward(image.astype(float), WEIGHTS)


SHARED = np.zeros((40, 40), np.uint8)


@pytest.mark.parametrize(
    ("image", "out", "message"),
    [
        (SHARED[:4, :4], np.zeros((8, 9), np.uint8), r"out has shape \(8, 9\); the result has \(8, 8\)"),
        (SHARED[:4, :4], np.zeros((8, 8), np.int8), "out is int8; the result is uint8"),
        (SHARED[:4, :4], np.broadcast_to(np.uint8(0), (8, 8)), "read-only"),
        (SHARED[:4, :4], np.lib.stride_tricks.as_strided(np.zeros(8, np.uint8), (8, 8), (0, 1)), "several pixels"),
        (SHARED[:4, :4], SHARED[2:10, 2:10], "overlaps"),
        (SHARED[:4, :4], [[0] * 8] * 8, "out is list"),
    ],
)
def test_out_refused(image, out, message):
    with pytest.raises(OptionError, match=message):
        upscale_plane(image, WEIGHTS, 0, 255, out=out)


def test_out_between_the_pixels_of_the_image_is_no_overlap():
    whole = np.zeros((16, 32), np.uint8)
    image, out = whole[:8:2, :8:2], whole[:8, 1:17:2]
    upscale_plane(image, WEIGHTS, 0, 255, out=out)


@pytest.mark.parametrize("threads", [0, -1, 10**9, 1.5, "two", True])
@pytest.mark.parametrize("function", [forward, upscale_plane])
def test_threads_refused(function, threads):
    image = plane("float32")
    with pytest.raises(OptionError, match="threads="):
        function(image, WEIGHTS, *((0, 1) if function is upscale_plane else ()), threads=threads)


@pytest.mark.parametrize("value", ["0", "many", "-3"])
def test_environment_refused(monkeypatch, value):
    monkeypatch.setenv("FSRCNN_NP_THREADS", value)
    with pytest.raises(OptionError, match="FSRCNN_NP_THREADS="):
        forward(plane("float32"), WEIGHTS)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1), (None, 1), ("a", "b")])
def test_levels_refused(low, high):
    with pytest.raises(OptionError, match="low="):
        upscale_plane(plane("uint8"), WEIGHTS, low, high)


def test_float64_is_the_reference():
    with pytest.raises(OptionError, match='engine="reference"'):
        forward(plane("float64"), WEIGHTS, dtype=np.float64)


# -- streams


@given(rows=st.integers(1, 30), dtype=st.sampled_from(DTYPES))
def test_stream_between_array_likes(rows, dtype, tmp_path_factory):
    pixels, folder = plane(dtype, (41, 23)), tmp_path_factory.mktemp("stream")
    expected = upscale_plane(pixels, WEIGHTS, *levels(dtype))
    with h5py.File(folder / "image.h5", "w") as file:
        file["image"] = pixels
        result = file.create_dataset("result", expected.shape, dtype, chunks=(8, 46))
        upscale_stream(file["image"], result, WEIGHTS, *levels(dtype), rows=rows)
        np.testing.assert_array_equal(result[:], expected)
    mapped = np.memmap(folder / "result.raw", dtype, "w+", shape=expected.shape)
    upscale_stream(dask.array.from_array(pixels, chunks=(7, 9)), mapped, WEIGHTS, *levels(dtype), rows=rows)
    np.testing.assert_array_equal(mapped, expected)


class Broken:
    """An array-like that fails, or lies, from row 20 on."""

    shape, dtype = (40, 10), np.dtype(np.uint8)

    def __init__(self, behaviour):
        self.behaviour = behaviour

    def __getitem__(self, rows):
        return self.behaviour(rows) if rows.stop > 20 else np.full((rows.stop - rows.start, 10), 200, np.uint8)


def failing(rows):
    raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (failing, r"rows \d+ to \d+ of the image cannot be read \(OSError: the disk is gone\)"),
        (lambda rows: np.zeros((1, 10), np.uint8), r"came as uint8 \(1, 10\)"),
        (lambda rows: np.zeros((rows.stop - rows.start, 10)), "came as float64"),
        (lambda rows: None, "came as object"),
    ],
)
def test_broken_source_leaves_nothing(behaviour, message):
    result = np.full((80, 20), 9, np.uint8)
    with pytest.raises(ImageError, match=message):
        upscale_stream(Broken(behaviour), result, WEIGHTS, 0, 255, rows=4)
    assert not (result[:10] == 9).any()
    assert not result[result != 9].any()


@pytest.mark.parametrize("rows", [0, -4, 2.5, "all", True])
def test_rows_refused(rows):
    with pytest.raises(OptionError, match="rows="):
        upscale_stream(plane("uint8"), np.zeros((26, 34), np.uint8), WEIGHTS, 0, 255, rows=rows)


def test_stream_destination_refused():
    with pytest.raises(OptionError, match="destination has shape"):
        upscale_stream(plane("uint8"), np.zeros((26, 35), np.uint8), WEIGHTS, 0, 255)
    with pytest.raises(OptionError, match="destination is uint16"):
        upscale_stream(plane("uint8"), np.zeros((26, 34), np.uint16), WEIGHTS, 0, 255)
    whole = np.zeros((30, 40), np.uint8)
    with pytest.raises(OptionError, match="overlaps"):
        upscale_stream(whole[:13, :17], whole[:26, :34], WEIGHTS, 0, 255)
