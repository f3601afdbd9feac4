"""Every format × dtype × colour: what is written is read again, and what other programs wrote is read as stored."""

import dataclasses
import itertools
import struct
import zlib

import h5py
import imagecodecs
import numpy as np
import PIL
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from PIL.JpegImagePlugin import get_sampling

from fsrcnn_np import files
from fsrcnn_np.cli import main
from fsrcnn_np.command_options import data_range
from fsrcnn_np.errors import FormatError
from fsrcnn_np.images.value_range import check_within, value_range

HOLDS = {
    "png": ("uint8", "uint16"),
    "pgm": ("uint8", "uint16"),
    "ppm": ("uint8", "uint16"),
    "bmp": ("uint8",),
    "pcx": ("uint8",),
    "tga": ("uint8",),
    "webp": ("uint8",),
    "gif": ("uint8",),
    "jp2": ("uint8", "int8", "uint16", "int16"),
    "j2k": ("uint16",),
    "tif": ("uint8", "int8", "uint16", "int16", "float32", "float64"),
    "npy": ("uint8", "int8", "uint16", "int16", "float32", "float64"),
    "h5": ("uint8", "int8", "uint16", "int16", "float32", "float64"),
}
CASES = [(suffix, dtype) for suffix, dtypes in HOLDS.items() for dtype in dtypes]


def ramp(shape, dtype="uint16", step=997):
    values = np.arange(np.prod(shape)) * step
    return (values % (np.iinfo(dtype).max + 1)).astype(dtype).reshape(shape)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def same(found, expected):
    assert found.dtype == expected.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("suffix", "dtype"), CASES)
@settings(max_examples=15)
@given(data=st.data())
def test_written_is_read(folder, suffix, dtype, data):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    shape += (3,) * (suffix in ("ppm", "webp") or (suffix not in ("pgm", "gif") and data.draw(st.booleans())))
    elements = {"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else None
    pixels = data.draw(hnp.arrays(dtype, shape, elements=elements))
    path = folder / f"first.{suffix}"
    if suffix == "pcx" and shape[1:] in ((1, 3), (3, 3)) and int(PIL.__version__.split(".")[0]) < 13:
        with pytest.raises(FormatError, match="update it"):
            files.write(path, pixels, overwrite=True)
        return
    assert files.write(path, pixels, overwrite=True) == []
    picture = files.read(path)
    same(picture.pixels, pixels)
    assert picture.data_range is None
    # and in the way of upscale: the same format again, twice the size
    large = pixels.repeat(2, axis=0).repeat(2, axis=1)
    again = folder / f"second.{suffix}"
    files.write(again, large, like=picture, overwrite=True)
    second = files.read(again)
    assert second.format == picture.format
    same(second.pixels, large)


@pytest.mark.parametrize("suffix", ["png", "pgm", "ppm", "bmp", "jpg"])
@pytest.mark.parametrize("dtype", ["int16", "float32", "int8", "float64"])
def test_formats_refuse_what_they_cannot_hold(tmp_path, suffix, dtype):
    with pytest.raises(FormatError, match=rf"out\.{suffix}: .* cannot hold {dtype}; it holds uint8.*\.tif"):
        files.write(tmp_path / f"out.{suffix}", np.zeros((2, 2), dtype))
    assert list(tmp_path.iterdir()) == []


# PNG


def png(pixels, bits, colour, *, extra=b"", interlaced=False):
    """A PNG written by the book (ISO/IEC 15948), filter 0 only; `pixels` as H×W×samples."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    raw = b""
    for row, column, down, across in passes if interlaced else ((0, 0, 1, 1),):
        for line in pixels[row::down, column::across]:
            if line.size:
                digits = "".join(format(int(value), f"0{bits}b") for value in line.ravel())
                raw += b"\0" + int(digits.ljust(-(-len(digits) // 8) * 8, "0"), 2).to_bytes(-(-len(digits) // 8), "big")
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND")


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("bits", "colour", "samples"), [(8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3)])
def test_png_of_8_and_16_bits(tmp_path, bits, colour, samples, interlaced):
    pixels = ramp((11, 9, samples), f"uint{bits}")
    (tmp_path / "a.png").write_bytes(png(pixels, bits, colour, interlaced=interlaced))
    picture = files.read(tmp_path / "a.png")
    same(picture.pixels, pixels if samples == 3 else pixels[..., 0])
    assert picture.remarks == ()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits_is_widened_and_says_so(tmp_path, bits, interlaced):
    pixels = ramp((7, 5, 1), "uint8", 3) % 2**bits
    (tmp_path / "a.png").write_bytes(png(pixels, bits, 0, interlaced=interlaced))
    picture = files.read(tmp_path / "a.png")
    same(picture.pixels, (pixels[..., 0] * (255 // (2**bits - 1))).astype(np.uint8))
    assert files.write(tmp_path / "b.png", picture.pixels, like=picture) == [
        f"the original has {bits}-bit samples; written with 8 bits per sample"
    ]


def test_png_palette_becomes_rgb(tmp_path):
    colours = np.array([[0, 0, 0], [255, 0, 7], [1, 2, 3]], np.uint8)
    indices = ramp((4, 5, 1), "uint8", 1) % 3
    (tmp_path / "a.png").write_bytes(png(indices, 2, 3, extra=chunk(b"PLTE", colours.tobytes())))
    picture = files.read(tmp_path / "a.png")
    same(picture.pixels, colours[indices[..., 0]])
    assert files.write(tmp_path / "b.png", picture.pixels, like=picture) == [
        "the original has a palette; written with 8 bits per sample"
    ]


@pytest.mark.parametrize(("bits", "colour", "samples"), [(8, 4, 2), (16, 4, 2), (8, 6, 4), (16, 6, 4)])
def test_png_alpha(tmp_path, bits, colour, samples):
    pixels = ramp((4, 3, samples), f"uint{bits}")
    pixels[..., -1] = 2**bits - 1
    (tmp_path / "a.png").write_bytes(png(pixels, bits, colour))
    picture = files.read(tmp_path / "a.png")
    same(picture.pixels, pixels[..., 0] if samples == 2 else pixels[..., :3])
    assert picture.remarks == ("its alpha channel, opaque everywhere, is left out",)
    pixels[2, 1, -1] -= 1
    (tmp_path / "a.png").write_bytes(png(pixels, bits, colour))
    with pytest.raises(FormatError, match=r"a\.png: found an alpha channel.*flatten it first"):
        files.read(tmp_path / "a.png")


def test_png_keeps_profile_and_texts_and_scales_resolution(tmp_path):
    kept = [
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"profile")),
        chunk(b"tEXt", b"Title\0breast"),
    ]
    extra = b"".join((*kept, chunk(b"pHYs", struct.pack(">IIB", 1000, 2000, 1)), chunk(b"tIME", bytes(7))))
    (tmp_path / "a.png").write_bytes(png(ramp((2, 2, 1), "uint8"), 8, 0, extra=extra))
    picture = files.read(tmp_path / "a.png")
    files.write(tmp_path / "b.png", np.zeros((4, 4), np.uint8), like=picture)
    written = (tmp_path / "b.png").read_bytes()
    for part in (*kept, chunk(b"pHYs", struct.pack(">IIB", 2000, 4000, 1))):
        assert written.count(part) == 1
    assert b"tIME" not in written
    with Image.open(tmp_path / "b.png") as image:  # the chunks stand where libpng wants them
        image.load()
        assert image.info["gamma"] == pytest.approx(0.45455)


# Netpbm


@pytest.mark.parametrize("maxval", [1, 7, 255, 256, 1023, 4095, 65535])
@pytest.mark.parametrize(("kind", "samples"), [(2, 1), (3, 3), (5, 1), (6, 3)])
def test_netpbm_keeps_its_maxval(tmp_path, kind, samples, maxval):
    dtype = "uint16" if maxval > 255 else "uint8"
    pixels = (np.arange(12 * samples).reshape(3, 4, samples) * 997 % (maxval + 1)).astype(dtype)
    body = (
        " ".join(map(str, pixels.ravel())).encode()
        if kind < 4
        else pixels.astype(np.dtype(dtype).newbyteorder(">")).tobytes()
    )
    (tmp_path / "a.pnm").write_bytes(f"P{kind} # a comment\n4\t3\n#another\n{maxval}\n".encode() + body)
    picture = files.read(tmp_path / "a.pnm")
    same(picture.pixels, pixels if samples == 3 else pixels[..., 0])
    own = maxval in (255, 65535)
    assert picture.data_range == (None if own else maxval)
    assert picture.data_range_origin == ("" if own else f"maxval {maxval}")
    assert picture.format == ("PPM" if samples == 3 else "PGM")
    files.write(tmp_path / "b.pnm", picture.pixels, like=picture)
    assert (tmp_path / "b.pnm").read_bytes().startswith(f"P{kind}\n4 3\n{maxval}\n".encode())
    same(files.read(tmp_path / "b.pnm").pixels, picture.pixels)


def test_values_beyond_the_maxval_are_clipped_and_said(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P2 2 1 4095 0 4095")
    picture = files.read(tmp_path / "a.pgm")
    remarks = files.write(tmp_path / "b.pgm", np.array([[0, 5000]], np.uint16), like=picture)
    assert remarks == ["values beyond the original's maxval 4095 are clipped"]
    assert files.read(tmp_path / "b.pgm").pixels.tolist() == [[0, 4095]]


# BMP and JPEG


@pytest.mark.parametrize(("mode", "change"), [("1", "one bit per pixel"), ("P", "a palette"), ("L", ""), ("RGB", "")])
def test_bmp(tmp_path, mode, change):
    rgb = Image.fromarray(ramp((5, 7, 3), "uint8"))
    image = rgb.convert(mode)
    image.save(tmp_path / "a.bmp", dpi=(300, 300))
    picture = files.read(tmp_path / "a.bmp")
    same(picture.pixels, np.array(image.convert("L" if mode in "1L" else "RGB")))
    remarks = files.write(tmp_path / "b.bmp", np.zeros((10, 14), np.uint8), like=picture)
    assert remarks == ([f"the original has {change}; written with 8 bits per sample"] if change else [])
    with Image.open(tmp_path / "b.bmp") as written:
        assert written.info["dpi"] == pytest.approx((600, 600), rel=1e-3)


@pytest.mark.parametrize("shape", [(40, 56), (40, 56, 3)])
def test_jpeg_comes_back_nearly(tmp_path, shape):
    smooth = np.linspace(0, 255, int(np.prod(shape))).reshape(shape).astype(np.uint8)
    exif = Image.Exif()
    exif[274] = 6  # orientation: turned, which the pixels as stored are not
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=90, dpi=(100, 100), icc_profile=b"profile", exif=exif)
    picture = files.read(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        same(picture.pixels, np.array(image))
    large = picture.pixels.repeat(2, axis=0).repeat(2, axis=1)
    assert files.write(tmp_path / "b.jpg", large, like=picture) == ["JPEG is lossy: written with quality 95"]
    again = files.read(tmp_path / "b.jpg")
    assert np.abs(again.pixels.astype(int) - large).max() <= 6
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.info["dpi"] == (200, 200)
        assert written.info["icc_profile"] == b"profile"
        assert written.getexif()[274] == 6
        assert len(shape) == 2 or get_sampling(written) == 0, "chroma is subsampled"


def test_of_several_jpegs_in_one_file_the_first_counts(tmp_path):
    """Phones append a depth or brightness map (MPO)."""
    first, second = (Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (10, 200))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    picture = files.read(tmp_path / "a.jpg")
    assert picture.format == "JPEG"
    assert abs(picture.pixels.mean() - 10) < 2
    assert picture.remarks == ("it holds further pictures (MPO): only the first is read",)


# TIFF


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", ["none", "lzw", "adobe_deflate", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize(
    ("dtype", "predictor"), [("uint16", False), ("uint16", True), ("float32", True), ("int16", False)]
)
def test_tiff_keeps_compression_byte_order_and_resolution(tmp_path, dtype, predictor, compression, byteorder):
    pixels = ramp((6, 5), "int16").astype(dtype)
    predictor = predictor and compression not in ("none", "packbits")
    options = {"compression": compression, "predictor": predictor, "byteorder": byteorder, "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pixels, resolution=(300, 150), resolutionunit="INCH", **options)
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, pixels)
    assert files.write(tmp_path / "b.tif", pixels.repeat(2, axis=0).repeat(2, axis=1), like=picture) == []
    with tifffile.TiffFile(tmp_path / "a.tif") as first, tifffile.TiffFile(tmp_path / "b.tif") as second:
        before, after = first.pages[0], second.pages[0]
        for name in ("compression", "predictor", "bitspersample", "photometric", "sampleformat", "resolutionunit"):
            assert getattr(after, name) == getattr(before, name), name
        assert second.byteorder == byteorder
        assert after.resolution == (600, 300)
    same(files.read(tmp_path / "b.tif").pixels, pixels.repeat(2, axis=0).repeat(2, axis=1))


def packed_tiff(pixels, bits, order):
    """A TIFF by the book (TIFF 6.0, sections 2 and 8): samples of so many bits, the highest bit first."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = b""
    for row in pixels.reshape(len(pixels), -1).tolist():
        digits = "".join(format(value, f"0{bits}b") for value in row)
        size = -(-len(digits) // 8)
        data += int(digits.ljust(8 * size, "0"), 2).to_bytes(size, "big")
    data += bytes(len(data) % 2)
    depths = struct.pack(f"{order}{samples}H", *[bits] * samples)
    entries = [(256, 3, pixels.shape[1]), (257, 3, pixels.shape[0]), (258, 3, bits), (259, 3, 1)]
    entries += [(262, 3, 1 if samples == 1 else 2), (273, 4, 8), (277, 3, samples), (278, 3, pixels.shape[0])]
    entries += [(279, 4, len(data))]
    table = struct.pack(f"{order}H", len(entries))
    for code, kind, value in entries:
        if code == 258 and samples > 1:
            table += struct.pack(f"{order}HHII", code, kind, samples, 8 + len(data))
        else:
            table += struct.pack(f"{order}HHI", code, kind, 1) + struct.pack(
                order + ("HH" if kind == 3 else "I"), *[value, 0][: 5 - kind]
            )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data) + len(depths))
    return start + data + depths + table + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 9, 10, 12, 14])
@pytest.mark.parametrize("samples", [1, 3])
def test_tiff_of_packed_bits(tmp_path, bits, samples, order):
    dtype = np.dtype("uint8" if bits <= 8 else "uint16")
    pixels = (ramp((5, 7, samples), "uint16") % 2**bits).astype(dtype)
    pixels = pixels[..., 0] if samples == 1 else pixels
    (tmp_path / "a.tif").write_bytes(packed_tiff(pixels, bits, order))
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, pixels)
    assert picture.data_range == 2**bits - 1
    assert picture.data_range_origin == f"BitsPerSample {bits}"
    for compression in (1, 5, 8, 32773):
        like = dataclasses.replace(picture, details={**picture.details, "compression": compression})
        assert files.write(tmp_path / "b.tif", pixels, like=like, overwrite=True) == []
        with tifffile.TiffFile(tmp_path / "b.tif") as written:
            assert written.pages[0].bitspersample == bits
            assert written.pages[0].compression == compression
            assert written.byteorder == order
        same(files.read(tmp_path / "b.tif").pixels, pixels)
        if bits in (1, 12) and samples == 1 and order == "<":  # what another reader knows
            with Image.open(tmp_path / "b.tif") as image:
                np.testing.assert_array_equal(np.array(image).astype(dtype), pixels)


def test_tiff_photometric_planes_and_texts(tmp_path):
    pixels = ramp((5, 4), "uint8")
    tags = [
        (271, 2, None, "Maker", True),
        (274, 3, 1, 6, True),
        (34675, 7, 7, b"profile", True),
        (65000, 2, None, "private", True),
    ]
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="miniswhite", description="breast", extratags=tags, metadata=None,
        software="scanner",
    )  # fmt: skip
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, pixels)
    assert picture.inverted
    remarks = files.write(tmp_path / "b.tif", pixels, like=picture)
    assert remarks == ["left out of the TIFF: 65000"]
    with tifffile.TiffFile(tmp_path / "b.tif") as written:
        tags = written.pages[0].tags
        assert [tags[code].value for code in (262, 270, 271, 274, 305, 34675)] == [
            0, "breast", "Maker", 6, "scanner", b"profile",
        ]  # fmt: skip
    colour = ramp((5, 4, 3), "uint16")
    tifffile.imwrite(tmp_path / "c.tif", np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate")
    same(files.read(tmp_path / "c.tif").pixels, colour)


@pytest.mark.parametrize("step", [257, 256, 1])
def test_tiff_palette(tmp_path, step):
    colours = ramp((256, 3), "uint8", 7).astype(np.uint16) * step
    indices = ramp((5, 4), "uint8")
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours.T)
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, (colours // step)[indices].astype("uint16" if step == 1 else "uint8"))
    assert picture.data_range is None
    files.write(tmp_path / "b.tif", picture.pixels, like=picture)
    same(files.read(tmp_path / "b.tif").pixels, picture.pixels)


def test_tiff_alpha(tmp_path):
    pixels = ramp((4, 3, 4), "uint16")
    pixels[..., 3] = 65535
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, np.ascontiguousarray(pixels[..., :3]))
    assert picture.remarks == ("its alpha channel, opaque everywhere, is left out",)
    pixels[0, 0, 3] = 0
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    with pytest.raises(FormatError, match="alpha channel with transparent pixels"):
        files.read(tmp_path / "a.tif")


def test_lossy_tiff_is_written_without_loss(tmp_path):
    pixels = np.full((16, 16, 3), 77, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="ycbcr", compression="jpeg", compressionargs={"level": 95})
    picture = files.read(tmp_path / "a.tif")
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    assert "deflate" in files.write(tmp_path / "b.tif", noise, like=picture)[0]
    same(files.read(tmp_path / "b.tif").pixels, noise)


def test_tiff_previews_are_left_out(tmp_path):
    pixels = ramp((8, 8))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels)
        file.write(pixels[::2, ::2], subfiletype=1)
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, pixels)
    assert "previews" in picture.remarks[0]


# Arrays


@pytest.mark.parametrize("dtype", [">u2", ">f4", "<i2", "u1"])
def test_arrays_keep_their_byte_order(tmp_path, dtype):
    pixels = ramp((3, 4), "uint8").astype(dtype)
    np.save(tmp_path / "a.npy", np.asfortranarray(pixels))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/right"] = pixels
    for name in ("a.npy", "a.h5"):
        picture = files.read(tmp_path / name)
        same(picture.pixels, pixels.astype(np.dtype(dtype).newbyteorder("=")))
        assert picture.pixels.flags.writeable
        files.write(tmp_path / f"b{name}", picture.pixels, like=picture)
    assert np.load(tmp_path / "ba.npy").dtype == np.dtype(dtype)
    with h5py.File(tmp_path / "ba.h5") as file:
        assert file["scan/right"].dtype == np.dtype(dtype)


def test_arrays_of_any_shape_are_read_and_judged_elsewhere(tmp_path):
    for index, array in enumerate((np.zeros((2, 3, 4, 5)), np.ones(3, bool), np.zeros((0, 3)), np.float64(3))):
        np.save(tmp_path / f"{index}.npy", array)
        same(files.read(tmp_path / f"{index}.npy").pixels, np.asarray(array))


def test_hdf5_datasets(tmp_path):
    pixels = ramp((6, 5))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset(
            "left/cc", data=pixels, chunks=(2, 5), compression="gzip", compression_opts=7, shuffle=True
        )
        made.attrs["spacing"] = [0.07, 0.07]
        made.attrs["view"] = "CC"
        made.attrs["reference"] = made.ref
        file["left/mlo"] = pixels[::-1]
    for path, expected in (("left/cc", pixels), ("/left/mlo", pixels[::-1])):
        picture = files.read(f"{tmp_path}/a.h5::{path}")
        same(picture.pixels, expected)
        assert picture.path == f"{tmp_path}/a.h5::/{path.strip('/')}"
    picture = files.read(f"{tmp_path}/a.h5::/left/cc")
    files.write(tmp_path / "b.h5", picture.pixels, like=picture)
    files.write(f"{tmp_path}/c.h5::/other/name", picture.pixels, like=picture)
    with h5py.File(tmp_path / "b.h5") as file:
        written = file["left/cc"]
        assert (written.compression, written.compression_opts, written.shuffle) == ("gzip", 7, True)
        assert written.attrs["view"] == "CC"
        assert written.attrs["spacing"].tolist() == [0.07, 0.07]
        assert list(file["left"]) == ["cc"]
    same(files.read(f"{tmp_path}/c.h5").pixels, pixels)


def test_attributes_of_hdf5(tmp_path):
    """Texts in lists and ones of more than 64 KiB come back; what cannot be kept is said."""
    pixels = ramp((6, 5))
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        made = file.create_dataset("image", data=pixels)
        made.attrs["channels"] = np.array(["left", "Bérénice", ""], object)
        made.attrs["large"] = np.arange(100_000, dtype=np.uint16)
        made.attrs["nothing"] = h5py.Empty("f4")
        made.attrs["pair"] = np.zeros(2, [("x", "f4"), ("y", "i2")])
        made.attrs["reference"] = made.ref
        made.attrs.create("ragged", [np.arange(2), np.arange(3)], dtype=h5py.vlen_dtype(int))
        file.attrs["station"] = "R1"
        file["other"] = 3
    picture = files.read(f"{tmp_path}/a.h5::image")
    remarks = files.write(tmp_path / "b.h5", picture.pixels, like=picture)
    assert remarks == [
        "left out of the HDF5: attribute ragged, attribute reference, attribute station of the file, 1 further dataset"
    ]
    with h5py.File(tmp_path / "a.h5") as before, h5py.File(tmp_path / "b.h5") as after:
        found, wanted = after["image"].attrs, before["image"].attrs
        assert sorted(found) == ["channels", "large", "nothing", "pair"]
        for name in ("channels", "large", "pair"):
            np.testing.assert_array_equal(found[name], wanted[name])
        assert found["nothing"] == wanted["nothing"]


def test_what_is_beside_a_dataset_is_not_lost(tmp_path, capsys):
    """FILE::/dataset makes a file with that alone."""
    pixels, path = ramp((6, 5)), tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        file["table"], file["deep/sr"] = np.arange(9), pixels
    before = path.read_bytes()
    np.save(tmp_path / "a.npy", pixels)
    for name, beside in (("deep/sr", "/table beside"), ("new", "/deep/sr, /table beside")):
        for words in ([], ["--overwrite"]):
            assert main(["upscale", str(tmp_path / "a.npy"), "-o", f"{path}::/{name}", *words]) == 1
            assert f"many.h5: holds {beside} /{name}, which would be lost" in capsys.readouterr().err
    assert path.read_bytes() == before
    one = f"{tmp_path}/one.h5::/sr"
    assert main(["upscale", str(tmp_path / "a.npy"), "-o", one]) == 0
    assert main(["upscale", str(tmp_path / "a.npy"), "-o", one, "--overwrite"]) == 0
    assert files.read(one).pixels.shape == (12, 10)


# The content tells


def test_a_wrong_suffix_does_not_matter(tmp_path):
    pixels = ramp((4, 5))
    for suffix, name in itertools.product(("png", "tif", "npy"), ("a.jpg", "a", "a.unknown")):
        files.write(tmp_path / f"right.{suffix}", pixels, overwrite=True)
        (tmp_path / name).write_bytes((tmp_path / f"right.{suffix}").read_bytes())
        picture = files.read(tmp_path / name)
        same(picture.pixels, pixels)
        remarks = files.write(tmp_path / f"out-{name}", pixels, like=picture, overwrite=True)
        assert remarks == (
            [f"{tmp_path}/out-a.jpg holds {picture.format}, as its original does, whatever its name says"]
            * (name == "a.jpg")
        )
        same(files.read(tmp_path / f"out-{name}").pixels, pixels)


def test_other_programs_read_what_is_written(tmp_path):
    pixels = ramp((6, 5))
    files.write(tmp_path / "a.png", pixels)
    files.write(tmp_path / "a.tif", pixels)
    files.write(tmp_path / "a.pgm", pixels)
    for suffix in ("png", "tif", "pgm"):
        with Image.open(tmp_path / f"a.{suffix}") as image:
            np.testing.assert_array_equal(np.array(image), pixels)
    same(imagecodecs.png_decode((tmp_path / "a.png").read_bytes()), pixels)


# TIFF as it is found in the wild


def ifd(*tags, next=0, body=b""):
    """A little-endian TIFF of one page: (code, type, count, value or offset), and what stands behind."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", next) + body


@pytest.mark.parametrize("text", ["Universität Köln".encode(), "Universität Köln".encode("latin1"), b"plain, 5 um"])
def test_tiff_texts_keep_their_bytes(tmp_path, text):
    pixels = ramp((4, 5))
    extra = [(270, 2, len(text) + 1, text + b"\0", True), (315, 2, len(text) + 1, text + b"\0", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", metadata=None, extratags=extra)
    picture = files.read(tmp_path / "a.tif")
    files.write(tmp_path / "b.tif", pixels, like=picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        for code in (270, 315):
            tag = file.pages[0].tags[code]
            file.filehandle.seek(tag.valueoffset)
            assert file.filehandle.read(tag.valuebytecount) == text + b"\0"


def test_tiff_with_a_resolution_unit_of_no_meaning(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp((4, 5)), resolution=(72, 72), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags[296].overwrite(0)
    picture = files.read(tmp_path / "a.tif")
    assert picture.pixel_spacing is None
    assert files.write(tmp_path / "b.tif", ramp((8, 10)), like=picture)[-1].startswith(
        "ResolutionUnit 0 has no meaning"
    )
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].tags[296].value == 1
        assert file.pages[0].tags[282].value == (144, 1)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_three_samples_called_grey_are_one_rgb_picture(tmp_path, planar):
    pixels = ramp((6, 5, 3))
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags[262].overwrite(1)
    picture = files.read(tmp_path / "a.tif")
    same(picture.pixels, pixels)
    files.write(tmp_path / "b.tif", pixels, like=picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert len(file.pages) == 1
    same(files.read(tmp_path / "b.tif").pixels, pixels)


def test_a_circle_of_tiff_pages_ends(tmp_path):
    layout = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)]
    for tags in ([], layout):
        (tmp_path / "a.tif").write_bytes(ifd(*tags, next=8))
        with pytest.raises(FormatError, match=r"a\.tif: damaged TIFF: its chain of pages is a circle"):
            files.read(tmp_path / "a.tif")
    first, second = 8, 8 + 2 + 12 * len(layout) + 4
    two = ifd(*layout, next=second, body=ifd(*layout, next=first)[8:])
    (tmp_path / "a.tif").write_bytes(two)
    with pytest.raises(FormatError, match="its chain of pages is a circle"):
        files.read(tmp_path / "a.tif")


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("code", [256, 278, 277, 32997])
def test_a_tiff_tag_with_more_values_than_one(tmp_path, code, big):
    """Of ImageDepth tifffile makes a tuple, and that times the strips is memory without end."""
    extra = [(65000, 3, 1, 1, True)]  # becomes the depth, which tifffile does not write
    options = {"photometric": "minisblack", "metadata": None, "extratags": extra, "bigtiff": big}
    tifffile.imwrite(tmp_path / "a.tif", ramp((4, 5)), **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        at = file.pages[0].tags[65000 if code == 32997 else code].offset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<H", data, at, code)
    (tmp_path / "a.tif").write_bytes(data)
    files.read(tmp_path / "a.tif")
    struct.pack_into("<QQ" if big else "<II", data, at + 4, 18, 16)
    (tmp_path / "a.tif").write_bytes(data)
    for read in (files.read, files.provenance):
        with pytest.raises(FormatError, match=f"damaged TIFF: its tag {code} has 18 values, not one"):
            read(tmp_path / "a.tif")


def test_tiff_directories_that_lie_over_each_other_end(tmp_path):
    """500 directories of 1000 tags, each 16 bytes behind the one before."""
    data = bytearray(8 + 2 + 12 * 1000 + 16 * 500)
    data[:8] = b"II*\0\x08\0\0\0"
    for at in range(8, 8 + 16 * 500, 16):
        struct.pack_into("<H", data, at, 1000)
        struct.pack_into("<I", data, at + 2 + 12 * 1000, at + 16)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(FormatError, match="its directories lie over each other"):
        files.read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("least", "most", "option"),
    [
        (0, 3730, "(--data-range 4095)"),
        (-2048, 1709, "(--data-range=-2048:2047 for "),
        (-1, 0, "(--data-range=-2:1 for "),
        (-1024, 3000, "(--data-range=-4096:4095 for "),
        (0, 20000, ""),
        (-32768, 100, ""),
    ],
)
def test_the_range_that_a_16_bit_file_is_asked_for_holds_its_values(tmp_path, least, most, option):
    pixels = np.full((4, 5), most, np.int16)
    pixels[1, 2] = least
    files.write(tmp_path / "a.npy", pixels)
    doubt = files.read(tmp_path / "a.npy").range_doubt
    assert option in doubt
    assert bool(doubt) == bool(option)
    if option:
        text = option.strip("() ").removesuffix(" for").removeprefix("--data-range").lstrip("= ")
        check_within(pixels, value_range(pixels.dtype, data_range(text)))
