"""`upscale` of a Dask array: lazily, and the same bits as the whole, however it is chunked."""

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fsrcnn_np
from fsrcnn_np.engine import ENGINES
from models import random_weights


def whole_and_lazy(image, chunks, **options):
    whole = fsrcnn_np.upscale(image, **options)
    lazy = fsrcnn_np.upscale(da.from_array(image, chunks=chunks), **options)
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == (whole.shape, whole.dtype)
    return whole, lazy.compute(scheduler="threads", num_workers=2)


def chunkings(length):
    """Any way to cut a length into chunks."""
    cuts = st.lists(st.integers(1, length - 1), max_size=6, unique=True).map(sorted)
    return cuts.map(lambda c: tuple(np.diff([0, *c, length]).tolist()))


@st.composite
def chunked(draw):
    height, width = draw(st.integers(1, 130)), draw(st.integers(1, 90))
    return tuple(draw(chunkings(n)) if n > 1 else (1,) for n in (height, width))


@settings(max_examples=25)
@given(
    chunked(), st.integers(0, 2**32 - 1), st.sampled_from(["zero", "replicate"]), st.sampled_from([2, 3, 4]),
    st.sampled_from(["uint8", "uint16", "int16", "float32", "float64"]), st.booleans(),
)  # fmt: skip
def test_the_bits_of_the_whole(chunks, seed, border, scale, dtype, colour):
    rng = np.random.default_rng(seed)
    weights = random_weights(rng, (5, 3, int(rng.integers(1, 5))), scale, border)
    shape = (*map(sum, chunks), *([3] if colour else []))
    high = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    image = (rng.random(shape) * high).astype(dtype)
    whole, lazy = whole_and_lazy(image, (*chunks, *([(1, 2)] if colour else [])), weights=weights)
    np.testing.assert_array_equal(lazy, whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine(engine):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 4096, (75, 61), np.uint16)
    weights = random_weights(rng, (8, 4, 4), 2, "replicate")
    whole, lazy = whole_and_lazy(image, (13, 17), weights=weights, data_range=4095, engine=engine)
    if engine == "reference":  # BLAS sums in an order that depends on the part's size
        assert np.abs(lazy.astype(int) - whole).max() <= 1
    else:
        np.testing.assert_array_equal(lazy, whole)


def test_nothing_is_computed_before_it_is_asked_for():
    asked = []

    def load(block_info=None):
        asked.append(block_info[None]["chunk-location"])
        return np.full((32, 32), 7, np.uint8)

    image = da.map_blocks(load, chunks=((32,) * 4, (32,) * 4), dtype=np.uint8, meta=np.empty((0, 0), np.uint8))
    large = fsrcnn_np.upscale(image)
    assert large.chunks == ((64,) * 4, (64,) * 4)
    assert asked == []
    large[:10, :10].compute()
    assert sorted(set(asked)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_small_chunks_are_merged_to_what_has_to_be_read_around_them():
    image = da.zeros((64, 64), chunks=(3, 64), dtype=np.uint8)
    large = fsrcnn_np.upscale(image)
    assert large.numblocks == (5, 1)
    assert large.shape == (128, 128)


def test_in_other_processes():
    image = np.random.default_rng(0).integers(0, 256, (40, 90), np.uint8)
    lazy = fsrcnn_np.upscale(da.from_array(image, chunks=(40, 45)), weights="x2-small")
    np.testing.assert_array_equal(
        lazy.compute(scheduler="processes", num_workers=1), fsrcnn_np.upscale(image, weights="x2-small")
    )


@pytest.mark.parametrize(
    ("image", "error", "line"),
    [
        (da.zeros((8, 8), dtype=np.int64), fsrcnn_np.ImageError, "found dtype int64"),
        (da.zeros((8, 8, 4), dtype=np.uint8), fsrcnn_np.ImageError, "drop the alpha channel"),
        (da.zeros(8, dtype=np.uint8), fsrcnn_np.ImageError, "found shape"),
        (da.zeros((0, 8), dtype=np.uint8), fsrcnn_np.ImageError, "an empty image"),
        (da.ones((8, 8))[da.ones(8, dtype=bool)], fsrcnn_np.ImageError, "compute_chunk_sizes"),
    ],
)
def test_what_is_refused_at_once(image, error, line):
    with pytest.raises(error, match=line):
        fsrcnn_np.upscale(image)


def test_options_that_do_not_fit():
    image = da.zeros((8, 8), dtype=np.uint8)
    for options in ({"out": np.empty((16, 16), np.uint8)}, {"progress": True}):
        with pytest.raises(fsrcnn_np.OptionError, match="leave them out with a Dask array"):
            fsrcnn_np.upscale(image, **options)
    with pytest.raises(fsrcnn_np.OptionError, match="engine is 'fast'"):
        fsrcnn_np.upscale(image, engine="fast")
    with pytest.raises(fsrcnn_np.OptionError, match="oversized"):
        fsrcnn_np.upscale(image, data_range=4095)


def test_values_beyond_the_range_are_found_when_computed():
    image = da.full((64, 64), 9000, chunks=32, dtype=np.uint16)
    large = fsrcnn_np.upscale(image, data_range=4095)
    with pytest.raises(fsrcnn_np.ImageError, match=r"found values 9000\.\.9000"):
        large.compute()


def test_dask_is_not_loaded_for_others():
    code = "import sys, numpy, fsrcnn_np; fsrcnn_np.upscale(numpy.zeros((8, 8), 'u1')); print('dask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
