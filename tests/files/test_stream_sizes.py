"""Strips of TIFFs and frames of DICOM objects that say more of themselves than what stands around them."""

import struct

import imagecodecs
import numpy as np
import pytest
import tifffile

from fsrcnn_np import files
from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.stream_sizes import values_said
from fuzz.targets import target_named

GREY = np.arange(63, dtype=np.uint16).reshape(9, 7) * 999
COLOUR = np.arange(189, dtype=np.uint8).reshape(9, 7, 3)
HUGE = 1 << 30


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "png", "webp", "lerc", "jpegxl"])
@pytest.mark.parametrize("tiled", [False, True])
def test_whole_streams_in_tiff_are_read(tmp_path, compression, tiled):
    pixels = COLOUR if compression in ("jpeg", "webp") else GREY
    options = {"tile": (16, 16)} if tiled else {"rowsperstrip": 16}
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, **options)
    found = files.read(tmp_path / "a.tif").pixels
    assert found.shape == pixels.shape
    if compression not in ("jpeg", "webp", "jpegxl"):
        assert (found == pixels).all()


@pytest.mark.parametrize("shape", [(9, 7), (8, 16), (300, 400), (1, 5000), (264, 264), (90, 160), (30, 45)])
@pytest.mark.parametrize("container", [False, True])
def test_the_size_that_jpegxl_says(shape, container):
    data = imagecodecs.jpegxl_encode(np.zeros(shape, np.uint8), usecontainer=container)
    assert values_said(data) == shape[0] * shape[1]


def _lying(data, compression):
    new = bytearray(data)
    match compression:
        case "jpeg2000":
            struct.pack_into(">II", new, data.index(b"\xff\x4f\xff\x51") + 8, 1 << 15, 1 << 15)
        case "png":
            struct.pack_into(">II", new, data.index(b"IHDR") + 4, 1 << 15, 1 << 15)
        case "lerc":
            struct.pack_into("<ii", new, data.index(b"Lerc2 ") + 14, HUGE, 7)
        case "jpeg":
            struct.pack_into(">HH", new, data.index(b"\xff\xc0\x00\x11") + 5, 65535, 65535)
    return bytes(new)


@pytest.mark.parametrize("compression", ["jpeg2000", "png", "lerc", "jpeg"])
def test_a_strip_that_says_too_much_is_refused_before_memory_is_taken(tmp_path, compression):
    pixels = COLOUR if compression == "jpeg" else GREY
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(_lying(data, compression))
    with pytest.raises(FormatError, match="damaged"):
        files.read(tmp_path / "a.tif")


def test_a_kind_whose_size_is_not_known_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, compression="jpegxr")
    with pytest.raises(FormatError, match="of a kind that is not read"):
        files.read(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["JPEG-LS", "JPEG 2000"])
def test_a_frame_of_dicom_that_says_too_much(tmp_path, kind):
    plain, packed, more, *_ = target_named("dicom").seeds()
    data = bytearray(packed if kind == "JPEG-LS" else more)
    for name, content in (("plain", plain), ("packed", data)):
        (tmp_path / f"{name}.dcm").write_bytes(content)
    assert (files.read(tmp_path / "packed.dcm").pixels == files.read(tmp_path / "plain.dcm").pixels).all()
    if kind == "JPEG-LS":
        struct.pack_into(">HH", data, data.index(b"\xff\xf7\x00\x0b") + 5, 65535, 65535)
    else:
        data = _lying(data, "jpeg2000")
    (tmp_path / "packed.dcm").write_bytes(data)
    with pytest.raises(FormatError, match="a picture within it says"):
        files.read(tmp_path / "packed.dcm")


@pytest.mark.parametrize("data", [
    b"", b"\xff\xd8\xff", b"\x89PNG", b"RIFF\0\0\0\0WEBPVP8", b"Lerc2 ", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xd9" * 9,
])  # fmt: skip
def test_what_says_nothing(data):
    assert values_said(data) is None
