"""`upscale_batch`: every picture as it is alone, whatever the order of the axes."""

import threading

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


class Reused:
    """Gives every picture in the same memory, as a camera or a reader with a buffer of its own does."""

    def __init__(self, held, readers):
        self.held, self.shape, self.dtype, self.readers = held, held.shape, held.dtype, readers
        self.buffer = np.empty(held.shape[1:], held.dtype)

    def __getitem__(self, number):
        self.readers.append((number, threading.get_ident()))
        self.buffer[...] = self.held[number]
        return self.buffer


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (8, 9), (33, 32)])
def test_several_at_once(shape, threads):
    """Read in their order in the caller's thread, told in their order, and each as it is alone."""
    pictures = np.random.default_rng(shape).integers(0, 256, (41, *shape), dtype=np.uint8)
    readers, told = [], []
    found = fsrcnn_np.upscale_batch(
        Reused(pictures, readers), weights="x2-small", threads=threads, progress=lambda *at: told.append(at)
    )
    np.testing.assert_array_equal(found, alone(pictures, weights="x2-small", threads=1))
    assert readers == [(number, threading.get_ident()) for number in range(41)]
    assert told == [(number + 1, 41) for number in range(41)]


def stopped_at(number, what, error):
    """A batch that raises there while it is read ("read"), computed ("computed") or told of ("told")."""
    pictures = np.random.default_rng(number).random((40, 12, 10), np.float32)
    if what == "computed":
        pictures[number, 3, 4] = pictures[number + 1, 0, 0] = np.nan

    class Batch(Wrapper):
        def __getitem__(self, place):
            if what == "read" and place == number:
                raise error
            return super().__getitem__(place)

    def tell(done, count):
        if what == "told" and done == number + 1:
            raise error

    return pictures, Batch(pictures), tell


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("number", [0, 1, 2, 17, 38])
@pytest.mark.parametrize(
    ("what", "error", "raised"),
    [
        ("computed", None, fsrcnn_np.ImageError),
        ("read", OSError("no disk"), OSError),
        ("read", StopIteration(), StopIteration),  # of a sequence around an iterator that ends early
        ("read", KeyboardInterrupt(), KeyboardInterrupt),
        ("told", OSError("no terminal"), OSError),
        ("told", KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_stops_in_the_middle_leaves_those_before_it(what, error, raised, number, threads):
    pictures, batch, tell = stopped_at(number, what, error)
    out = np.full((40, 24, 20), 7, np.float32)
    with pytest.raises(raised) as caught:
        fsrcnn_np.upscale_batch(batch, weights="x2-small", threads=threads, out=out, progress=tell)
    assert what != "computed" or str(caught.value).startswith(f"image {number}: found nan at row 3, column 4")
    whole = number + (what == "told")
    if whole:
        np.testing.assert_array_equal(out[:whole], alone(pictures[:whole], weights="x2-small"))
    assert (out[whole:] == 7).all()


def test_an_interruption_while_several_are_computed(monkeypatch):
    """Those that were told of before are there, nothing else, and no thread works on."""

    def interrupted(image, **options):
        if image[0, 0] == 30 and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return upscale(image, **options)

    upscale, out, told = fsrcnn_np.upscale, np.full((200, 24, 20), 7, np.uint8), []
    pictures = np.repeat(np.arange(200, dtype=np.uint8), 12 * 10).reshape(200, 12, 10) // 50 * 10
    monkeypatch.setattr("fsrcnn_np.batch.upscale", interrupted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        fsrcnn_np.upscale_batch(pictures, threads=2, out=out, progress=lambda done, count: told.append(done))
    assert threading.active_count() == before
    assert told == list(range(1, len(told) + 1))
    np.testing.assert_array_equal(out[: len(told)], alone(pictures[: len(told)]))
    assert (out[len(told) :] == 7).all()
    assert len(told) >= 100


def test_no_such_number_of_threads():
    with pytest.raises(fsrcnn_np.OptionError, match=r"^threads=0"):
        fsrcnn_np.upscale_batch(GREY, threads=0)
