"""JPEGs that are cut, overwritten or too tall are refused; whole ones of every kind are not."""

import io
import itertools
import random

import imagecodecs
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.encaps import encapsulate
from test_dicom_derived import save, set_pixels

from fsrcnn_np import files
from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.jpeg_whole import check_whole

Y, X = np.mgrid[:83, :101]
GREY = (128 + 60 * np.sin(X / 9) + 50 * np.cos(Y / 7) + (X * 7919 + Y * 104729) % 23).clip(0, 255).astype("u1")
RGB = np.stack([GREY, GREY[::-1], np.roll(GREY, 9, 1)], -1)


def jpeg(pixels, mode=None, **options):
    made = Image.fromarray(pixels)
    stream = io.BytesIO()
    (made.convert(mode) if mode else made).save(stream, "JPEG", **options)
    return stream.getvalue()


def kinds():
    """Of every coding, sampling and restart interval that our libraries write."""
    restarts = ({}, {"restart_marker_blocks": 3}, {"restart_marker_rows": 1})
    for progressive, restart in itertools.product((False, True), restarts):
        for sampling, quality in zip((0, 1, 2, "4:1:1"), (95, 5, 75, 100), strict=True):
            yield jpeg(
                RGB, subsampling=sampling, quality=quality, progressive=progressive, optimize=quality > 90, **restart
            )
        yield jpeg(GREY, progressive=progressive, **restart)
        yield jpeg(RGB, "CMYK", progressive=progressive, **restart)
        yield jpeg(GREY[:1, :1], progressive=progressive, **restart)
        yield jpeg(RGB[:17, :9], progressive=progressive, **restart)
    for sampling in ("444", "422", "420", "411", "440"):
        yield imagecodecs.jpeg8_encode(RGB, level=80, subsampling=sampling)
    yield imagecodecs.ljpeg_encode(GREY.astype("u2") * 16, bitspersample=12)


KINDS = list(kinds())


def test_whole_ones_pass_whatever_follows_them():
    for data, tail in itertools.product(KINDS, (b"", bytes(1000), b"\xff\xd8 and more \xff\xda")):
        check_whole(data + tail)


def test_cut_ones_do_not_even_when_they_are_closed():
    chance, tried = random.Random(1), 0
    for data in KINDS:
        first = data.index(b"\xff\xda") + 14
        for _ in range(8 if len(data) > first + 100 else 0):
            cut = chance.randrange(first + 20, len(data) - 40)
            tried += 1
            with pytest.raises(FormatError, match=r"^damaged JPEG: "):
                check_whole(data[:cut].rstrip(b"\xff") + b"\xff\xd9")
    assert tried > 200


def test_nor_do_those_with_a_hole():
    """Bits that refine coefficients may all be zero, so a few holes in progressive ones cannot be told."""
    chance, tried, passed = random.Random(2), 0, 0
    for data in KINDS:
        first = data.index(b"\xff\xda") + 14
        for _ in range(4 if len(data) > first + 1000 else 0):
            at = chance.randrange(first, len(data) - 120)
            tried += 1
            try:
                check_whole(data[:at] + bytes(100) + data[at + 100 :])
                passed += 1
            except FormatError:
                pass
    assert tried > 80
    assert passed < tried / 10


@pytest.mark.parametrize("progressive", [False, True])
def test_nor_those_whose_header_is_taller_than_their_data(progressive, tmp_path):
    data = bytearray(jpeg(RGB, progressive=progressive))
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[frame + 5 : frame + 7] = (830).to_bytes(2, "big")
    (tmp_path / "tall.jpg").write_bytes(data)
    with pytest.raises(
        FormatError, match=r"tall\.jpg: damaged JPEG: of the \d+ blocks that its header says, \d+ are there"
    ):
        files.read(tmp_path / "tall.jpg")


def test_anything_else_is_one_line():
    chance, said = random.Random(3), []
    for data in KINDS[::3]:
        for _ in range(20):
            broken = bytearray(data)
            for _ in range(5):
                broken[chance.randrange(2, len(broken))] = chance.randrange(256)
            try:
                check_whole(bytes(broken))
            except FormatError as error:
                said.append(str(error))
    assert said
    assert not any("\n" in line for line in said)


def test_a_thumbnail_and_further_pictures_are_not_looked_at(tmp_path):
    thumbnail = jpeg(GREY[:20, :20])[:-50]
    exif = b"\xff\xe1" + (len(thumbnail) + 8).to_bytes(2, "big") + b"Exif\0\0" + thumbnail
    whole = jpeg(GREY)
    check_whole(whole[:2] + exif + whole[2:])
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "MPO", save_all=True, append_images=[Image.fromarray(GREY[::-1])])
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    assert files.read(tmp_path / "a.jpg").pixels.shape == GREY.shape


def test_jpeg_in_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY[:80, :96], compression="jpeg", rowsperstrip=16)
    files.read(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        at, count = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[at + count // 2 : at + count // 2 + 60] = bytes(60)
    (tmp_path / "hole.tif").write_bytes(data)
    with pytest.raises(FormatError, match=r"hole\.tif: damaged JPEG: "):
        files.read(tmp_path / "hole.tif")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.57"])
def test_jpeg_in_dicom(tmp_path, syntax):
    lossless = syntax.endswith("57")
    d = pydicom.Dataset()
    d.SOPClassUID, d.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.1"
    set_pixels(d, GREY.astype("u2") if lossless else GREY, 12 if lossless else 8)
    data = imagecodecs.ljpeg_encode(GREY.astype("u2"), bitspersample=12) if lossless else jpeg(GREY)
    for name, frame in (("a.dcm", data), ("cut.dcm", data[: len(data) * 2 // 3] + b"\xff\xd9")):
        d.PixelData = encapsulate([frame])
        d["PixelData"].is_undefined_length = True
        d["PixelData"].VR = "OB"
        save(d, tmp_path / name, pydicom.uid.UID(syntax))
    assert files.read(tmp_path / "a.dcm").pixels.shape == GREY.shape
    with pytest.raises(FormatError, match=r"cut\.dcm: \(7FE0,0010\) Pixel Data: damaged JPEG"):
        files.read(tmp_path / "cut.dcm")


def test_a_strip_of_a_tiff_without_bytes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, compression="zlib", rowsperstrip=16)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tag = file.pages[0].tags["StripByteCounts"]
        size = 2 if tag.dtype == 3 else 4
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[tag.valueoffset : tag.valueoffset + size] = bytes(size)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(FormatError, match="1 of its 6 strips or tiles have no bytes"):
        files.read(tmp_path / "a.tif")


@pytest.mark.shared
def test_the_shared_ones(shared):
    for name in ("cut_eoi", "hole", "tall"):
        with pytest.raises(FormatError, match="damaged JPEG"):
            files.read(shared / "images_made" / f"{name}.jpg")
    photographs = sorted((shared / "val").glob("*"))
    assert len(photographs) == 50
    for path in photographs:
        check_whole(path.read_bytes())
