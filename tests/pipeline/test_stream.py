"""`upscale_stream`: the same bits as `upscale`, from and to anything with rows, and nothing half done."""

import dask.array
import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np import ImageError, OptionError, upscale, upscale_stream
from fsrcnn_np.images.value_range import check_image
from models import random_weights

MODEL = random_weights(np.random.default_rng(3), (4, 3, 3), 2, "replicate", dtype=np.float32)
DTYPES = ["uint8", "int8", "uint16", "int16", "float32", "float64", ">u2"]


def picture(dtype, shape=(41, 23), seed=0):
    rng, kind = np.random.default_rng(seed), np.dtype(dtype)
    if kind.kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, endpoint=True).astype(dtype)


@given(
    rows=st.integers(1, 30), dtype=st.sampled_from(DTYPES), engine=st.sampled_from([None, "llvm", "numba"]),
)  # fmt: skip
def test_between_array_likes(rows, dtype, engine, tmp_path_factory):
    pixels, folder = picture(dtype), tmp_path_factory.mktemp("stream")
    expected = upscale(pixels, weights=MODEL, engine=engine)
    with h5py.File(folder / "image.h5", "w") as file:
        file["image"] = pixels
        result = file.create_dataset("result", expected.shape, dtype, chunks=(8, 46))
        upscale_stream(file["image"], result, weights=MODEL, rows=rows, engine=engine)
        np.testing.assert_array_equal(result[:], expected)
    mapped = np.memmap(folder / "result.raw", dtype, "w+", shape=expected.shape)
    source = dask.array.from_array(pixels, chunks=(7, 9))
    upscale_stream(source, mapped, weights=MODEL, rows=rows, engine=engine)
    np.testing.assert_array_equal(mapped, expected)


def test_the_reference_streams_too():
    pixels = picture("float64")
    result = np.zeros((82, 46))
    upscale_stream(pixels, result, weights=MODEL, rows=6, engine="reference")
    np.testing.assert_allclose(result, upscale(pixels, weights=MODEL, engine="reference"), rtol=0, atol=1e-5)


def test_what_free_memory_holds_is_no_pixel(monkeypatch):
    """The dtype is checked on a pixel of its own, which must not be whatever lay there: -inf, once in a while."""
    seen = []
    monkeypatch.setattr("fsrcnn_np.stream.check_image", lambda image: seen.append(image) or check_image(image))
    upscale_stream(picture("float32"), np.zeros((82, 46), np.float32), weights=MODEL)
    assert [image.tolist() for image in seen if image.size == 1] == [[[0.0]]]


def test_progress_counts_rows():
    seen = []
    pixels = picture("uint8")
    upscale_stream(pixels, np.zeros((82, 46), np.uint8), weights=MODEL, rows=20, progress=lambda *at: seen.append(at))
    assert seen == [(20, 41), (40, 41), (41, 41)]


def test_values_beyond_the_range_leave_nothing():
    image = picture("uint16", (50, 33)) >> 4
    image[40] = 5000
    result = np.ones((100, 66), np.uint16)
    with pytest.raises(ImageError, match=r"5000.*4095"):
        upscale_stream(image, result, weights=MODEL, data_range=4095, rows=7)
    assert not result[:40].any()
    assert not result[result != 1].any()


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
        upscale_stream(Broken(behaviour), result, weights=MODEL, rows=4)
    assert not (result[:10] == 9).any()
    assert not result[result != 9].any()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((4, 4, 3), np.uint8), "4×4×3"),
        (np.zeros(4, np.uint8), "shape 4;"),
        (np.zeros((0, 4), np.uint8), "0×4"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4), np.uint32), "uint32"),
    ],
)
def test_source_refused(source, words):
    with pytest.raises(ImageError, match=words):
        upscale_stream(source, np.zeros((8, 8), source.dtype), weights=MODEL)


@pytest.mark.parametrize("options", [{"rows": rows} for rows in (0, -4, 2.5, "all", True)] + [{"threads": 0}])
def test_options_refused(options):
    with pytest.raises(OptionError, match=f"{next(iter(options))}="):
        upscale_stream(picture("uint8"), np.zeros((82, 46), np.uint8), weights=MODEL, **options)


REPEATED = np.lib.stride_tricks.as_strided(np.zeros(46, np.uint8), (82, 46), (0, 1))


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        (np.zeros((82, 45), np.uint8), r"destination is uint8 of shape \(82, 45\)"),
        (np.zeros((82, 46), np.uint16), "destination is uint16"),
        (np.broadcast_to(np.uint8(0), (82, 46)), "destination is read-only"),
        (REPEATED, "several pixels"),
    ],
)
def test_destination_refused(destination, message):
    with pytest.raises(OptionError, match=message):
        upscale_stream(picture("uint8"), destination, weights=MODEL)


class Wrapper:
    """What gives rows of an array without a copy, as a library's own array types do."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows):
        return self.array[rows]

    def __setitem__(self, rows, values):
        self.array[rows] = values


@pytest.mark.parametrize("wrapped", ["neither", "source", "destination", "both"])
def test_into_the_source_s_own_memory_is_refused_before_anything_is_written(wrapped):
    memory = picture("uint8", (90, 60))
    before = memory.copy()
    source, destination = memory[-41:, :23], memory[:82, :46]
    if wrapped in ("source", "both"):
        source = Wrapper(source)
    if wrapped in ("destination", "both"):
        destination = Wrapper(destination)
    with pytest.raises(OptionError, match="destination overlaps the source"):
        upscale_stream(source, destination, weights=MODEL, rows=5)
    np.testing.assert_array_equal(memory, before)


@pytest.mark.parametrize("wrap", [np.asarray, Wrapper])
def test_beside_the_source_in_the_same_memory_is_fine(wrap):
    memory = picture("uint8", (90, 100))
    source, destination = memory[:41, :23], memory[:82, 50:96]
    expected = upscale(source, weights=MODEL)
    upscale_stream(wrap(source), wrap(destination), weights=MODEL, rows=5)
    np.testing.assert_array_equal(destination, expected)


def test_masked_arrays_are_refused():
    masked, target = np.ma.masked_less(picture("uint8"), 9), np.ones((82, 46), np.uint8)
    with pytest.raises(ImageError, match="masked"):
        upscale_stream(masked, target, weights=MODEL)
    assert target.all()

    class Source:
        shape, dtype = masked.shape, masked.dtype

        def __getitem__(self, rows):
            return masked[rows]

    with pytest.raises(ImageError, match="masked"):
        upscale_stream(Source(), target, weights=MODEL)
