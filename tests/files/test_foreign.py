"""Files of other formats under a known name: one line says what they are; none is called damaged that is whole."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile

import h5py
import imagecodecs
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

import fsrcnn_np
from fsrcnn_np import files
from fsrcnn_np.errors import FormatError, WeightsError
from fsrcnn_np.files.foreign import HEAD, what

GREY = (np.arange(24 * 20) % 251).astype(np.uint8).reshape(24, 20)


def written(write, *args, **options):
    stream = io.BytesIO()
    write(stream, *args, **options)
    return stream.getvalue()


def by_pillow(format):
    return written(lambda stream: Image.fromarray(np.dstack([GREY] * 3)).save(stream, format))


def matlab4(value, **names):
    return written(savemat, names or {"picture": value}, format="4")


def a_tar():
    def write(stream):
        with tarfile.open(fileobj=stream, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a"), io.BytesIO())

    return written(write)


PNG = by_pillow("PNG")
ICON = by_pillow("ICO")
FOREIGN = {
    "doubles.mat": (matlab4(GREY.astype(float)), "MAT-file of version 4", "-v7"),
    "bytes.mat": (matlab4(GREY), "MAT-file of version 4", "-v7"),
    "text.mat": (matlab4("a text"), "MAT-file of version 4", "-v7"),
    "complex.mat": (matlab4(GREY * 1j), "MAT-file of version 4", "-v7"),
    "bigendian.mat": (struct.pack(">5i", 1000, 1, 1, 0, 2) + b"x\0" + bytes(8), "MAT-file of version 4", "-v7"),
    "octave.mat": (b"# Created by Octave 7.3.0\n# name: x\n", "Octave", "save -v7"),
    "arrays.npy": (written(np.savez, a=GREY), "as .npz is", "suffix"),
    "pickle.npy": (pickle.dumps(GREY), "pickle", "numpy.save"),
    "a.png": (gzip.compress(PNG), "gzip", "gunzip"),
    "a.tif": (bz2.compress(PNG), "bzip2", "bunzip2"),
    "a.pgm": (lzma.compress(PNG), "xz", "unxz"),
    "b.png": (a_tar(), "tar archive", "unpack"),
    "a.h5": (b"\x0e\x03\x13\x01" + bytes(30), "HDF4", "h4toh5"),
    "b.h5": (b"CDF\1" + bytes(30), "netCDF", "nccopy"),
    "c.h5": (bytes(344) + b"n+1\0", "NIfTI", ".npy"),
    "a.jpg": (imagecodecs.jpegls_encode(GREY), "JPEG-LS", "convert"),
    "b.jpg": (imagecodecs.jpeg_encode(GREY.astype(np.uint16), bitspersample=12), "JPEG with 12 bits", "convert"),
    "c.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF", "convert"),
    "c.png": (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF", "convert"),
    "d.png": (b"\0\0\0\x18ftypisom\0\0\0\0isom", "film", "frames"),
    "e.png": (imagecodecs.jpegxl_encode(GREY), "JPEG XL", "convert"),
    "b.tif": (imagecodecs.jpegxr_encode(GREY), "JPEG XR", "convert"),
    "f.png": (ICON, "ICO", "convert"),
    "g.png": (ICON[:2] + b"\2" + ICON[3:], "CUR", "convert"),
    "h.png": (by_pillow("PDF"), "PDF", "pdfimages"),
    "i.png": (by_pillow("SGI"), "SGI", "convert"),
    "a.bmp": (b"BA" + bytes(12) + b"BM" + bytes(30), "OS/2", "convert"),
    "b.bmp": (b"BM" + struct.pack("<IIIIiiHHI", 99, 0, 54, 40, 4, 4, 1, 0, 4) + bytes(60), "begins as a BMP", ".png"),
    "j.png": (PNG.replace(b"\r\n", b"\n"), "line ends", "binary"),
    "k.png": (PNG.replace(b"\n", b"\r\n"), "line ends", "binary"),
    "l.png": (PNG.decode("latin-1").encode(), "text", "binary"),
    "a.dcm": (b"<!DOCTYPE html><html>sign in", "HTML", "download"),
    "a.npz": (b"<html>", "HTML", "download"),
    "m.png": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", "convert"),
    "b.dcm": (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs", "git lfs pull"),
    "c.dcm": (bytes(4000), "zeros", "copy"),
    "zeros.mat": (bytes(4000), "zeros", "copy"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_one_line_says_what_it_is_and_the_way(tmp_path, name):
    data, kind, way = FOREIGN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError) as caught:
        files.read(tmp_path / name)
    line = str(caught.value).removeprefix(f"{tmp_path / name}: ")
    assert kind in line
    assert way in line
    assert "\n" not in line
    assert "damaged or misnamed" not in line


@pytest.mark.parametrize("name", ["doubles.mat", "a.png", "b.dcm", "a.npz", "c.dcm"])
def test_models_are_told_the_same(tmp_path, name):
    data, kind, way = FOREIGN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        fsrcnn_np.load_weights(tmp_path / name)
    assert kind in str(caught.value)
    assert way in str(caught.value)


def test_nothing_that_is_read_is_taken_for_foreign(tmp_path):
    for suffix in ("png", "tif", "pgm", "bmp", "jpg", "jp2", "j2k", "webp", "gif", "pcx", "tga", "npy", "h5"):
        files.write(tmp_path / f"a.{suffix}", GREY)
        assert not what((tmp_path / f"a.{suffix}").read_bytes()[:HEAD])
    savemat(tmp_path / "a.mat", {"picture": GREY})
    assert not what((tmp_path / "a.mat").read_bytes()[:HEAD])
    np.testing.assert_array_equal(files.read(tmp_path / "a.mat").pixels, GREY)


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_hdf5_behind_a_user_block_is_read(tmp_path, size):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=size) as file:
        file["picture"] = GREY
    picture = files.read(tmp_path / "a.h5")
    np.testing.assert_array_equal(picture.pixels, GREY)
    assert files.write(tmp_path / "b.h5", GREY, like=picture) == [
        f"left out of the HDF5: the user block of {size} bytes"
    ]


def test_packed_files_of_a_folder_are_named(tmp_path):
    files.write(tmp_path / "a.png", GREY)
    (tmp_path / "b.tar").write_bytes(a_tar())
    (tmp_path / "c.png.xz").write_bytes(lzma.compress(PNG))
    (tmp_path / "d.xz").write_bytes(b"no archive")
    found = files.find_inputs([tmp_path])
    assert [(one.name, one.skipped) for one in found] == [("a.png", False), ("", True), ("", True)]
    assert "tar archive" in found[1].error
    assert "unxz" in found[2].error
