"""`upscale_stream` into the place that it reads from, seen through maps, wrappers and HDF5: refused."""

import h5py
import numpy as np
import pytest

import fsrcnn_np

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)


class Wrapper:
    """Gives copies, so that its memory is not seen from outside."""

    def __init__(self, held, shape=None):
        self.held, self.shape, self.dtype = held, shape or held.shape, held.dtype

    def __getitem__(self, rows):
        return np.array(self.held[rows][..., : self.shape[1]])

    def __setitem__(self, rows, values):
        self.held[rows] = values


class Sink(Wrapper):
    """Knows its source without writing to it."""

    def __init__(self, held, source):
        super().__init__(held)
        self.source = source


def maps(path, offset):
    """A picture in a file, and room for its result from a byte of the same file on, each mapped by itself."""
    np.concatenate([PIXELS.ravel(), np.zeros(2000, np.uint8)]).tofile(path)
    return np.memmap(path, np.uint8, "r+", 0, (20, 20)), np.memmap(path, np.uint8, "r+", offset, (40, 40))


def refused(source, destination, kept):
    before = np.array(kept)
    with pytest.raises(fsrcnn_np.OptionError, match="of its own"):
        fsrcnn_np.upscale_stream(source, destination, rows=4, engine="reference")
    np.testing.assert_array_equal(kept, before)


@pytest.mark.parametrize("seen", [lambda a: a, lambda a: a[::1], np.asarray, Wrapper])
def test_two_maps_of_one_file(seen, tmp_path):
    source, target = maps(tmp_path / "a.bin", 399)
    refused(seen(source), seen(target), source)
    with pytest.raises(fsrcnn_np.OptionError, match="of its own"):
        fsrcnn_np.upscale(np.asarray(source), out=np.asarray(target), engine="reference")


def test_two_maps_beside_each_other(tmp_path):
    source, target = maps(tmp_path / "a.bin", 400)
    fsrcnn_np.upscale_stream(source, target, rows=4)
    np.testing.assert_array_equal(target, fsrcnn_np.upscale(PIXELS))


def test_wrappers_that_copy():
    memory = np.zeros((40, 40), np.uint8)
    memory[:20, :20] = PIXELS
    refused(Wrapper(memory[:20, :20]), memory, memory)
    refused(Wrapper(Wrapper(memory[:20, :20])), Wrapper(memory), memory)


def test_a_destination_that_knows_its_source():
    target = np.zeros((40, 40), np.uint8)
    fsrcnn_np.upscale_stream(PIXELS, Sink(target, PIXELS), rows=4)
    np.testing.assert_array_equal(target, fsrcnn_np.upscale(PIXELS))


def test_one_dataset_as_both(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        whole = file.create_dataset("whole", (40, 40), np.uint8, data=np.full((40, 40), 9, np.uint8))
        refused(Wrapper(whole, (20, 20)), file["whole"], whole[...])
        layout = h5py.VirtualLayout((20, 20), np.uint8)
        layout[...] = h5py.VirtualSource(whole)[:20, :20]
        part = file.create_virtual_dataset("part", layout)
        refused(part, whole, whole[...])
        other = file.create_dataset("other", (40, 40), np.uint8)
        fsrcnn_np.upscale_stream(part, other, rows=4)
        np.testing.assert_array_equal(other[...], fsrcnn_np.upscale(whole[:20, :20]))
