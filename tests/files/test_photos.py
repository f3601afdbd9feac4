"""WebP, GIF, PCX, TGA and JPEG 2000: what other programs write of them, and what is refused."""

import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from fsrcnn_np import files
from fsrcnn_np.errors import FormatError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 11), np.uint8)
RGB = RNG.integers(0, 256, (9, 11, 3), np.uint8)
FEW = np.array([[0, 0, 0], [250, 20, 10], [10, 20, 250]], np.uint8)[RNG.integers(0, 3, (9, 11))]


@pytest.mark.parametrize(
    ("suffix", "pixels", "mode", "change"),
    [
        ("gif", GREY, "L", "a palette"),  # Pillow writes greys as one
        ("gif", FEW, "P", "a palette"),
        ("pcx", GREY, "L", ""),
        ("pcx", FEW, "P", "a palette"),
        ("pcx", GREY // 128 * 255, "1", "one bit per pixel"),
        ("tga", FEW, "P", "a palette"),
        ("tga", RGB, "RGB", ""),
        ("webp", RGB, "RGB", ""),
    ],
)
def test_what_pillow_writes(tmp_path, suffix, pixels, mode, change):
    image = Image.fromarray(pixels)
    image = image.convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else image.convert(mode)
    image.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    picture = files.read(tmp_path / f"a.{suffix}")
    assert picture.details["change"] == change
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.pixels.dtype == np.uint8
    assert picture.data_range is None


@pytest.mark.parametrize(("suffix", "options"), [("gif", {}), ("webp", {"lossless": True})])
def test_several_pictures_are_refused(tmp_path, suffix, options):
    frames = [Image.fromarray(np.roll(FEW, i, 0)) for i in range(3)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    with pytest.raises(FormatError, match="found 3 pictures; allowed is one; extract its frames first"):
        files.read(tmp_path / f"a.{suffix}")
    frames[0].save(tmp_path / f"b.{suffix}", save_all=True, **options)
    np.testing.assert_array_equal(files.read(tmp_path / f"b.{suffix}").pixels, FEW)


@pytest.mark.parametrize("suffix", ["webp", "tga", "jp2"])
def test_an_alpha_channel_goes_only_when_it_is_opaque(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"

    def save(alpha):
        pixels = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
        pixels[2, 3, 3] = alpha
        if suffix == "jp2":
            path.write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="jp2", reversible=True))
        else:
            Image.fromarray(pixels).save(path, **({"lossless": True, "exact": True} if suffix == "webp" else {}))

    save(255)
    if suffix != "webp":  # which leaves an opaque one out itself
        assert files.read(path).remarks == ("its alpha channel, opaque everywhere, is left out",)
    np.testing.assert_array_equal(files.read(path).pixels, RGB)
    save(254)
    with pytest.raises(FormatError, match="transparent pixels"):
        files.read(path)


def test_a_transparent_gif_is_refused(tmp_path):
    image = Image.fromarray(FEW).convert("P", palette=Image.Palette.ADAPTIVE)
    image.save(tmp_path / "a.gif", transparency=int(np.asarray(image)[0, 0]))
    with pytest.raises(FormatError, match="transparent pixels"):
        files.read(tmp_path / "a.gif")


def test_gif_takes_greys_only(tmp_path):
    with pytest.raises(FormatError, match=r"no more than 256 colours; write \.png or \.tif"):
        files.write(tmp_path / "a.gif", RGB)
    assert list(tmp_path.iterdir()) == []


def test_webp_says_that_grey_becomes_rgb(tmp_path):
    assert files.write(tmp_path / "a.webp", GREY) == ["WebP has no grey: written as RGB of the same values"]
    np.testing.assert_array_equal(files.read(tmp_path / "a.webp").pixels, np.dstack([GREY] * 3))
    with pytest.raises(FormatError, match="WebP holds at most 16383 rows or columns"):
        files.write(tmp_path / "b.webp", np.zeros((1, 16384), np.uint8))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("form", ["jp2", "j2k"])
def test_jpeg_2000_keeps_its_bits(tmp_path, bits, signed, form):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    pixels = RNG.integers(low, high + 1, (20, 30)).astype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")
    data = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat=form, reversible=True, bitspersample=bits)
    (tmp_path / f"a.{form}").write_bytes(data)
    picture = files.read(tmp_path / f"a.{form}")
    assert picture.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(picture.pixels, pixels)
    declared = None if bits in (8, 16) else (low, high) if signed else high
    assert picture.data_range == declared
    large = pixels.repeat(2, 0).repeat(2, 1)
    assert files.write(tmp_path / f"b.{form}", large, like=picture) == []
    again = files.read(tmp_path / f"b.{form}")
    assert (again.data_range, again.details) == (declared, picture.details)
    np.testing.assert_array_equal(again.pixels, large)


def test_jpeg_2000_with_other_colours_is_refused(tmp_path):
    data = bytearray(imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="jp2", reversible=True))
    at = data.index(b"colr") + 7
    assert int.from_bytes(data[at : at + 4], "big") == 16
    data[at : at + 4] = (18).to_bytes(4, "big")
    (tmp_path / "a.jp2").write_bytes(data)
    with pytest.raises(FormatError, match="colour space 18"):
        files.read(tmp_path / "a.jp2")


def test_what_only_calls_itself_a_tga(tmp_path):
    (tmp_path / "a.tga").write_bytes(b"no picture at all, but some words" * 3)
    with pytest.raises(FormatError, match="is no TGA: it does not begin as one"):
        files.read(tmp_path / "a.tga")


def test_another_picture_that_calls_itself_a_tga(tmp_path):
    Image.fromarray(GREY).resize((16, 16)).save(tmp_path / "a.ico")
    (tmp_path / "a.ico").rename(tmp_path / "a.tga")
    with pytest.raises(FormatError, match="is an icon"):
        files.read(tmp_path / "a.tga")


@pytest.mark.parametrize("suffix", ["gif", "pcx", "tga", "jp2", "webp"])
def test_the_commands_take_them_and_say_nothing_of_their_own(tmp_path, suffix):
    files.write(tmp_path / f"a.{suffix}", np.dstack([GREY] * 3) if suffix == "webp" else GREY)
    command = [sys.executable, "-m", "fsrcnn_np", "upscale", tmp_path / f"a.{suffix}", "-o", tmp_path / "out"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert files.read(tmp_path / "out" / f"a.{suffix}").pixels.shape[:2] == (18, 22)


@pytest.mark.parametrize("columns", [1, 3])
def test_a_pillow_that_gets_narrow_pcx_wrong_is_not_asked(tmp_path, monkeypatch, columns):
    Image.fromarray(RGB[:, :columns]).save(tmp_path / "a.pcx")
    monkeypatch.setattr("PIL.__version__", "12.2.0")
    for attempt in (
        lambda: files.read(tmp_path / "a.pcx"),
        lambda: files.write(tmp_path / "b.pcx", RGB[:, :columns]),
    ):
        with pytest.raises(FormatError, match=r"Pillow 12\.2\.0 gets wrong in PCX"):
            attempt()
    files.write(tmp_path / "c.pcx", RGB[:, :columns, 0])
