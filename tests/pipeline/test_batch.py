"""`upscale_batch`: every picture as it is alone, whatever the order of the axes."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fsrcnn_np

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (3, 20, 26), dtype=np.uint8)
COLOUR = RNG.integers(0, 65536, (2, 18, 24, 3), dtype=np.uint16)


def alone(images, **options):
    return np.stack([fsrcnn_np.upscale(image, **options) for image in images])


def test_each_has_the_bits_that_it_has_alone():
    assert np.array_equal(fsrcnn_np.upscale_batch(GREY), alone(GREY))
    found = fsrcnn_np.upscale_batch(COLOUR, axes="NHWC", threads=1)
    assert found.dtype == np.uint16
    assert np.array_equal(found, alone(COLOUR))


@given(axes=st.sampled_from(["NHW", "NHWC", "NCHW"]), count=st.integers(0, 3), colour=st.booleans())
def test_every_order_of_the_axes(axes, count, colour):
    colour &= axes != "NHW"
    pictures = COLOUR[:1].repeat(count, 0) if colour else GREY[:count]
    wanted = alone(pictures) if count else np.empty((0, *(2 * n for n in pictures.shape[1:3]), *pictures.shape[3:]))
    if axes != "NHW" and not colour:
        pictures, wanted = pictures[..., None], wanted[..., None]
    if axes == "NCHW":
        pictures, wanted = (np.moveaxis(array, -1, 1) for array in (pictures, wanted))
    assert np.array_equal(fsrcnn_np.upscale_batch(pictures, axes=axes), wanted)


def test_lists_datasets_and_options(tmp_path):
    images = [image.astype(np.uint16) * 16 for image in GREY]
    wanted = alone(images, data_range=4080, weights="x2-small")
    options = {"data_range": 4080, "weights": "x2-small"}
    assert np.array_equal(fsrcnn_np.upscale_batch(images, **options), wanted)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        assert np.array_equal(fsrcnn_np.upscale_batch(file.create_dataset("a", data=images), **options), wanted)
    out = np.empty_like(wanted)
    assert fsrcnn_np.upscale_batch(images, out=out, **options) is out
    assert np.array_equal(out, wanted)
    swapped = np.array(images).astype(">u2")
    assert np.array_equal(fsrcnn_np.upscale_batch(swapped, **options), wanted)


@pytest.mark.parametrize(
    ("images", "axes", "told"),
    [
        (COLOUR, "NHW", "shape 2×18×24×3"),
        (GREY, "NHWC", "4 dimensions"),
        (COLOUR, "NCHW", "C being 1 or 3"),
        (COLOUR[..., :2], "NHWC", "C being 1 or 3"),
        (GREY[0], "NHW", "single picture"),
        ([], "NHW", "no batch"),
        (7, "NHW", "no batch"),
        ([GREY[0], GREY[1, :9]], "NHW", "image 1: .*unlike the first"),
        ([GREY[0], GREY[1].astype(float)], "NHW", "image 1: .*unlike the first"),
        (GREY.astype(np.uint32), "NHW", "image 0: .*uint32"),
        (np.array([[[0.0, 1.0]], [[np.nan, 0.0]]]), "NHW", "image 1: .*nan"),
        (np.empty((2, 0, 5), np.uint8), "NHW", "image 0: .*empty"),
    ],
)
def test_what_is_no_batch_is_one_line(images, axes, told):
    with pytest.raises(fsrcnn_np.ImageError, match=told) as error:
        fsrcnn_np.upscale_batch(images, axes=axes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"axes": "HWN"}, "axes is 'HWN'"),
        ({"axes": None}, "axes is None"),
        ({"out": np.empty((3, 40, 51), np.uint8)}, "shape"),
        ({"out": np.empty((3, 40, 52), np.uint16)}, "uint8"),
        ({"out": [1]}, "list"),
        ({"data_range": -1}, "data_range"),
        ({"engine": "fast"}, "engine"),
    ],
)
def test_impossible_options(options, told):
    with pytest.raises(fsrcnn_np.OptionError, match=told):
        fsrcnn_np.upscale_batch(GREY, **options)


def test_out_must_not_overlap():
    memory = np.zeros((3, 40, 52), np.uint8)
    with pytest.raises(fsrcnn_np.OptionError, match="overlaps"):
        fsrcnn_np.upscale_batch(memory[:, :20, :26], out=memory)
    with pytest.raises(fsrcnn_np.OptionError, match="overlaps"):
        fsrcnn_np.upscale_batch(list(memory[:, :20, :26]), out=memory)


class Wrapper:
    """Gives its pictures as copies, so that its memory is not seen from outside."""

    def __init__(self, held):
        self.held, self.shape, self.dtype = held, held.shape, held.dtype

    def __getitem__(self, number):
        return self.held[number].copy()


@pytest.mark.parametrize("seen", [Wrapper, lambda a: [memoryview(one) for one in a], lambda a: [*a[:2].copy(), a[2]]])
def test_out_must_not_overlap_what_hides_its_memory(seen):
    memory = np.zeros((3, 40, 52), np.uint8)
    held = memory.reshape(-1)[: GREY.size].reshape(GREY.shape)
    held[:] = GREY
    with pytest.raises(fsrcnn_np.OptionError, match="overlaps"):
        fsrcnn_np.upscale_batch(seen(held), out=memory)
    np.testing.assert_array_equal(held, GREY)


def test_two_maps_of_one_file(tmp_path):
    path = tmp_path / "a.bin"
    large = np.memmap(path, np.uint8, "w+", shape=(3, 40, 52))
    small = np.memmap(path, np.uint8, "r+", shape=GREY.shape)
    small[:] = GREY
    with pytest.raises(fsrcnn_np.OptionError, match="overlaps"):
        fsrcnn_np.upscale_batch(small, out=large)
    np.testing.assert_array_equal(small, GREY)


def test_out_with_several_pictures_in_one_place():
    one = np.zeros((40, 52), np.uint8)
    with pytest.raises(fsrcnn_np.OptionError, match="in one place"):
        fsrcnn_np.upscale_batch(GREY, out=np.lib.stride_tricks.as_strided(one, (3, 40, 52), (0, *one.strides)))


def test_out_in_the_other_byte_order():
    wide = GREY.astype(np.uint16) * 256
    found = fsrcnn_np.upscale_batch(wide, out=np.empty((3, 40, 52), np.dtype(np.uint16).newbyteorder()))
    np.testing.assert_array_equal(found, fsrcnn_np.upscale_batch(wide))


@pytest.mark.parametrize("seen", [lambda a: a, list])
def test_masked_pictures_are_refused(seen):
    with pytest.raises(fsrcnn_np.ImageError, match="masked"):
        fsrcnn_np.upscale_batch(seen(np.ma.masked_less(GREY, 9)))
