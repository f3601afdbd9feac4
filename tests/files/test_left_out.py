"""What a file holds beside its picture goes on into the output, or a remark names it: nothing is lost in silence."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.io import savemat

from fsrcnn_np import files

GREY = (np.arange(24 * 20) % 251).astype(np.uint8).reshape(24, 20)
COLOURS = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="mine"/></rdf:RDF></x:xmpmeta>'
)


def by_pillow(pixels, format, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()


def png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = by_pillow(GREY, "PNG")
    extra = chunk(b"sBIT", b"\5") + chunk(b"bKGD", b"\0\1") + chunk(b"tIME", bytes(7)) + chunk(b"prVt", b"private")
    return data[:33] + extra + data[33:]


def jpeg():
    def segment(marker, body):
        return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body

    data = by_pillow(COLOURS, "JPEG", comment=b"mine")
    extra = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP) + segment(0xED, b"Photoshop 3.0\x008BIM")
    return data[:2] + extra + segment(0xE5, b"private") + data[2:]


def bmp_with_a_profile():
    head = struct.pack("<IiiHHIIiiII", 124, 20, 24, 1, 8, 0, 0, 0, 0, 0, 0) + bytes(16) + b"DEBM" + bytes(64)
    palette = b"".join(bytes((n, n, n, 0)) for n in range(256))
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + 480, 0, 0, offset) + head + palette + GREY[::-1].tobytes()


def jp2(*, behind=False):
    data = bytes(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="jp2", reversible=True))
    at = data.index(b"jp2c") - 4
    length = len(data) - at  # OpenJPEG's says 0 or this
    data = data[:at] + struct.pack(">I", length) + data[at + 4 :]
    boxes = struct.pack(">I4s", 12, b"xml ") + b"<a/>"
    return data + boxes if behind else data[:at] + boxes + data[at:]


def tga():
    data = by_pillow(GREY, "TGA", id_section=b"mine")
    return data[:-26] + bytes(495) + struct.pack("<II", len(data) - 26, 0) + data[-18:]


CASES = {
    "a.png": (png(), "sBIT, bKGD, prVt"),
    "a.jpg": (jpeg(), "XMP, Photoshop (IPTC), APP5"),
    "a.bmp": (bmp_with_a_profile(), "colour profile"),
    "a.jp2": (jp2(), "box xml"),
    "b.jp2": (jp2(behind=True), "box xml"),
    "a.tga": (tga(), "extension area"),
    "a.pgm": (b"P5\n# mine\n20 24\n255\n" + GREY.tobytes(), "comments"),
    "a.gif": (by_pillow(GREY, "GIF")[:-1] + b"\x21\xff\x0bXMP DataXMP\x01a\x00;", "extension XMP DataXMP"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_kept_is_remarked(tmp_path, name):
    data, lost = CASES[name]
    (tmp_path / name).write_bytes(data)
    picture = files.read(tmp_path / name)
    shown = COLOURS if name.endswith("jpg") else GREY
    if not name.endswith("jpg"):
        np.testing.assert_array_equal(picture.pixels, shown)
    assert f"left out of the {picture.format}: {lost}" in files.write(tmp_path / f"out_{name}", shown, like=picture)
    (said,) = [r for r in files.write(tmp_path / f"out_{name}.npy", shown, like=picture) if r.startswith("left out in")]
    assert lost in said


@pytest.mark.parametrize("format", ["png", "jpg", "bmp", "jp2", "tga", "ppm", "webp", "tif", "h5"])
def test_our_own_outputs_lose_nothing_the_second_time(tmp_path, format):
    files.write(tmp_path / f"a.{format}", COLOURS)
    picture = files.read(tmp_path / f"a.{format}")
    assert not [r for r in files.write(tmp_path / f"b.{format}", COLOURS, like=picture) if "left out" in r]


def test_texts_that_webp_and_tga_hold_go_on(tmp_path):
    (tmp_path / "a.webp").write_bytes(by_pillow(COLOURS, "WEBP", lossless=True, xmp=XMP))
    files.write(tmp_path / "b.webp", COLOURS, like=files.read(tmp_path / "a.webp"))
    with Image.open(tmp_path / "b.webp") as image:
        assert b'dc:title="mine"' in image.info["xmp"]
    (tmp_path / "a.tga").write_bytes(tga())
    files.write(tmp_path / "b.tga", GREY, like=files.read(tmp_path / "a.tga"))
    with Image.open(tmp_path / "b.tga") as image:
        assert image.info["id_section"] == b"mine"


def test_what_tiff_leaves_out_is_told_of_other_formats_too(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, description="mine", extratags=[(65000, "s", 0, "private", True)])
    picture = files.read(tmp_path / "a.tif")
    (said,) = files.write(tmp_path / "a.png", GREY, like=picture)
    assert said.startswith("left out in PNG: ")
    assert "ImageDescription" in said
    assert "65000" in said
    assert files.write(tmp_path / "b.tif", GREY, like=picture) == ["left out of the TIFF: 65000"]
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].description == "mine"  # and not the note that tifffile puts beside it


@pytest.mark.parametrize("name", ["a.npz", "a.mat"])
def test_further_arrays_of_a_container_are_named(tmp_path, name):
    if name == "a.npz":
        np.savez(tmp_path / name, picture=GREY, spacing=0.05)
    else:
        savemat(tmp_path / name, {"picture": GREY, "spacing": 0.05, "patient": "nobody"})
    (said,) = files.write(tmp_path / "a.png", GREY, like=files.read(f"{tmp_path / name}::picture"))
    assert "spacing" in said
    assert ("patient" in said) == (name == "a.mat")


def test_few_bits_that_become_eight_are_told(tmp_path):
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 4, 3, 16, 0x20)
    (tmp_path / "a.tga").write_bytes(head + bytes(24))
    picture = files.read(tmp_path / "a.tga")
    remarks = files.write(tmp_path / "b.tga", picture.pixels, like=picture)
    assert "the original has 5 or 6 bits per sample; written with 8 bits per sample" in remarks


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.webp"])
def test_a_picture_that_viewers_turn_is_told(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOURS).save(tmp_path / name, exif=exif)
    if name == "a.tif":
        tifffile.imwrite(tmp_path / name, COLOURS, extratags=[(274, 3, 1, 6, True)])
    assert [remark for remark in files.read(tmp_path / name).remarks if "orientation is 6: viewers turn it" in remark]


def test_a_palette_that_becomes_colours_is_told(tmp_path):
    colours = np.random.default_rng(0).integers(0, 65536, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="palette", colormap=colours)
    picture = files.read(tmp_path / "a.tif")
    remarks = files.write(tmp_path / "b.tif", picture.pixels, like=picture)
    assert "the original has a palette; written as its colours" in remarks
