"""Whatever is wrong with a file: one line that names it and says what was found, never a traceback, never a guess."""

import builtins
import io
import os
import random
import re
import struct
import zlib

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from fsrcnn_np import files
from fsrcnn_np.errors import (
    FileError,
    FormatError,
    FsrcnnError,
    ImageError,
    MissingExtraError,
    NotThereError,
    OptionError,
)
from fsrcnn_np.files.atomic import write_bytes

SUFFIXES = ("png", "tif", "pgm", "ppm", "bmp", "jpg", "jp2", "j2k", "webp", "gif", "pcx", "tga", "npy", "h5")


def refused(path, kind=FormatError):
    """The message of the refusal, without the file's name, with which it must begin."""
    with pytest.raises(kind) as caught:
        files.read(path)
    message = str(caught.value)
    name = str(path).partition("::")[0]
    assert type(caught.value) is kind
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert len(message) < len(name) + 500
    return message.removeprefix(f"{name}: ")


@pytest.fixture
def good(tmp_path):
    """suffix → the bytes of a good file."""
    found = {}
    for suffix in SUFFIXES:
        shape = (23, 31, 3) if suffix in ("ppm", "jpg", "webp") else (23, 31)
        pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
        files.write(tmp_path / f"good.{suffix}", pixels)
        found[suffix] = (tmp_path / f"good.{suffix}").read_bytes()
    return found


@pytest.mark.parametrize("suffix", [*SUFFIXES, "dcm", "xyz"])
def test_missing_empty_and_folder(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    assert refused(path, NotThereError) == "there is no such file"
    path.touch()
    assert refused(path).startswith("is empty (0 bytes)")
    path.unlink()
    path.mkdir()
    assert refused(path, FileError).startswith("is a folder")
    assert refused(tmp_path / "no-folder" / path.name, NotThereError) == "there is no such file"
    (tmp_path / "file").touch()
    assert "cannot be read" in refused(tmp_path / "file" / path.name, FileError)


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(builtins, "open", refuse)  # root may read everything, so the permission itself cannot be tested
    assert refused(path, FileError) == "no permission to read it"


def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert refused(tmp_path / "a.png", FileError).startswith("is a device or a pipe")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_in_the_place_of_a_picture(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").write_bytes(b"not found: no picture")
    assert "it does not begin as one; it is damaged or misnamed" in refused(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("name", ["a.xyz", "noname", "a.png.bak"])
def test_unknown_format(tmp_path, name):
    (tmp_path / name).write_bytes(b"something else")
    assert refused(tmp_path / name).startswith("is of an unknown format; allowed are PNG, TIFF")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_anywhere(tmp_path, good, suffix):
    """Every length is refused, but for a few bytes at the end that some formats do not need."""
    path = tmp_path / f"cut.{suffix}"
    whole = good[suffix]
    for length in {1, 2, 3, 7, 8, 20, 60, *range(100, len(whole) - 40, max(1, len(whole) // 40))}:
        path.write_bytes(whole[:length])
        refused(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_anywhere(tmp_path, good, suffix):
    """A picture, maybe another one, or one line."""
    generator = random.Random(suffix)
    path = tmp_path / f"damaged.{suffix}"
    for _ in range(60):
        data = bytearray(good[suffix])
        for _ in range(generator.choice((1, 3, 20))):
            data[generator.randrange(min(len(data), generator.choice((60, len(data)))))] = generator.randrange(256)
        path.write_bytes(data)
        try:
            files.read(path)
        except FsrcnnError:
            refused(path)


# A header's word


def png_header(width, height, bits=16, colour=0):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def npy_header(shape, dtype="<u2"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(100)


def bmp_header(width, height):
    return (
        b"BM"
        + struct.pack("<IHHI", 200, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)
        + bytes(99)
    )


def tiff_header(width, height):
    entries = [(256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 200), (277, 3, 1)]
    entries += [(278, 4, height), (279, 4, min(2 * width * height, 2**32 - 1))]
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", c, k, 1, v) for c, k, v in entries)
    return b"II*\0" + struct.pack("<I", 8) + table + bytes(200)


def gif_image(width, height):
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x08\x04\x00\x01\x04\x05\x00;"


def webp_header(width, height):
    lossless = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(91)
    return b"RIFF" + struct.pack("<I", 12 + len(lossless)) + b"WEBPVP8L" + struct.pack("<I", len(lossless)) + lossless


def pcx_header(width, height):
    head = struct.pack("<BBBBHHHHHH", 10, 5, 1, 8, 0, 0, width - 1, height - 1, 72, 72)
    return head + bytes(49) + struct.pack("<BHHHH", 3, width, 1, 0, 0) + bytes(54 + 100)


def jpeg2000_header(width, height):
    size = struct.pack(">HHIIIIIIII", 41, 0, width, height, 0, 0, width, height, 0, 0)
    return b"\xff\x4f\xff\x51" + size + struct.pack(">HBBB", 1, 15, 1, 1) + bytes(100) + b"\xff\xd9"


BOMBS = {
    "png": png_header(10**6, 10**6),
    "large.png": png_header(32000, 32000),
    "pgm": b"P5 1000000 1000000 65535\n" + bytes(100),
    "large.pgm": b"P5 30000 30000 255\n" + bytes(100),
    "plain.pgm": b"P2 30000 30000 255\n" + b"1 " * 100,
    "ppm": b"P6 999999999 999999999 255\n" + bytes(100),
    "bmp": bmp_header(10**6, 10**6),
    "large.bmp": bmp_header(30000, 30000),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + gif_image(65535, 65535),
    "webp": webp_header(16383, 16383),
    "pcx": pcx_header(65535, 65535),
    "tga": struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 65535, 65535, 24, 0) + bytes(100),
    "jp2": jpeg2000_header(10**6, 10**6),
    "large.j2k": jpeg2000_header(30000, 30000),
    "tif": tiff_header(10**6, 10**6),
    "large.tif": tiff_header(30000, 30000),
    "npy": npy_header((10**6, 10**6)),
    "large.npy": npy_header((30000, 30000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_nothing_is_allocated_on_a_headers_word(tmp_path, name):
    import tracemalloc

    path = tmp_path / f"bomb.{name}"
    path.write_bytes(BOMBS[name])
    refused(path)  # imports the decoder
    tracemalloc.start()
    try:
        message = refused(path)
        assert tracemalloc.get_traced_memory()[1] < 1e7
    finally:
        tracemalloc.stop()
    assert "header says" in message or "mmap length" in message


def test_hdf5_datasets_that_claim_much(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("huge", (10**6, 10**6), "u2", chunks=(1000, 1000))
        file.create_dataset("empty", (5000, 5000), "u2", chunks=(100, 100), fillvalue=7)
    assert "has 1000000000000 values" in refused(f"{tmp_path}/a.h5::/huge")
    assert "was never written" in refused(f"{tmp_path}/a.h5::/empty")


def test_hdf5_with_more_chunks_than_bytes(tmp_path):
    """HDF5 takes a microsecond for each chunk that was never written."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("a", (30_000, 30_000), "u1", chunks=(1, 1))
        made[:10, :100] = 1
        sparse = file.create_dataset("sparse", (300, 200), "u1", chunks=(1, 1))
        sparse[7, 5] = 3
    assert "declares 900000000 chunks" in refused(f"{tmp_path}/a.h5::/a")
    assert files.read(f"{tmp_path}/a.h5::/sparse").pixels.sum() == 3


def test_hdf5_with_a_chunk_shorter_than_its_checksum(tmp_path):
    """HDF5 2.0 ends the process, or reads what lies beyond."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, bytes_ in (("one", b"a"), ("few", b"abc"), ("all", b"")):
            made = file.create_dataset(name, (6, 6), "u2", chunks=(3, 6), fletcher32=True)
            made[:] = 5
            if name != "all":
                made.id.write_direct_chunk((3, 0), bytes_)
    for name, size in (("one", 1), ("few", 3)):
        assert refused(f"{tmp_path}/a.h5::/{name}").startswith(
            f"damaged HDF5: a chunk of the dataset /{name} has {size} bytes"
        )
    assert (files.read(f"{tmp_path}/a.h5::/all").pixels == 5).all()


def test_hdf5_with_checksums_within_other_filters(tmp_path):
    """What is unpacked before the checksum is looked at can be of any length."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((6, 6))
        plan.set_fletcher32()
        plan.set_deflate(4)
        space = h5py.h5s.create_simple((6, 6))
        made = h5py.Dataset(h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_UINT16, space, plan))
        made[:] = 5
    assert "has its checksums within other filters" in refused(tmp_path / "a.h5")


def test_tiff_that_leaves_strips_out(tmp_path):
    """tifffile takes what is not listed for zeros, one after the other: for two million strips that has no end."""
    pixels = np.arange(200, dtype=np.uint8).reshape(20, 10)
    for name, compression in (("packed.tif", "zlib"), ("plain.tif", None)):
        tifffile.imwrite(tmp_path / name, pixels, compression=compression, rowsperstrip=20)
        with tifffile.TiffFile(tmp_path / name, mode="r+") as file:
            file.pages[0].tags["RowsPerStrip"].overwrite(2)
    assert refused(tmp_path / "packed.tif") == "damaged TIFF: it lists 1 of its 10 strips or tiles; copy it again"
    assert (files.read(tmp_path / "plain.tif").pixels == pixels).all()  # in one piece


# More than one picture, or none


def with_one_directory(path):
    """Of a TIFF the first directory alone, as ImageJ writes stacks of more than 4 GiB; the pixels stay."""
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        at, order = file.pages[0].offset, file.byteorder
    (count,) = struct.unpack_from(f"{order}H", data, at)
    struct.pack_into(f"{order}I", data, at + 2 + 12 * count, 0)
    path.write_bytes(data)


def test_several_pictures_behind_one_directory(tmp_path):
    """Only the first came out, in silence."""
    stack, path = np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7), tmp_path / "a.tif"
    wanted = "found 5 pictures behind one page; allowed is one per file"
    tifffile.imwrite(path, stack, photometric="minisblack", truncate=True)
    assert refused(path).startswith(wanted)
    tifffile.imwrite(path, stack, imagej=True)
    with_one_directory(path)
    assert refused(path).startswith(wanted)
    planes = (33629, 5, 5, (1, 1) * 5, True)  # MetaMorph's UIC2
    with tifffile.TiffWriter(path) as file:
        file.write(stack[0], extratags=[planes], metadata=None)
    path.write_bytes(path.read_bytes() + stack[1:].tobytes())
    assert refused(path).startswith(wanted)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_page_that_was_taken_out_of_a_stack(compression, tmp_path):
    one = np.arange(42, dtype=np.uint8).reshape(6, 7)
    for text in ("ImageJ=1.54f\nimages=5\nslices=5\n", '{"shape": [5, 6, 7]}'):
        tifffile.imwrite(tmp_path / "a.tif", one, description=text, metadata=None, compression=compression)
        np.testing.assert_array_equal(files.read(tmp_path / "a.tif").pixels, one)


def palette_of(colours):
    return bytes((number * factor) % 256 for number in range(colours) for factor in (1, 7, 31))


def bmp_of(indices, colours):
    rows, palette = indices[::-1].tobytes(), palette_of(colours)
    palette = b"".join(palette[at : at + 3] + b"\0" for at in range(0, len(palette), 3))
    start, (height, width) = 54 + len(palette), indices.shape
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, len(rows), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + palette + rows


def tga_of(indices, colours):
    head = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, colours, 24, 0, 0, *indices.shape[::-1], 8, 0x20)
    return head + palette_of(colours) + indices.tobytes()


def png_of(indices, colours):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", *indices.shape[::-1], 8, 3, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in indices))
    parts = chunk(b"IHDR", head), chunk(b"PLTE", palette_of(colours)), chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gif_of(indices, colours):
    """With a palette of all colours, which is then cut; both have a power of two."""
    stream, image = io.BytesIO(), Image.fromarray(indices).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(palette_of(256))
    image.save(stream, "GIF", optimize=False)
    data = bytearray(stream.getvalue())
    whole = 2 << (data[10] & 7)
    if colours < whole:
        data[10] = data[10] & 0xF8 | colours.bit_length() - 2
        del data[13 + 3 * colours : 13 + 3 * whole]
    return bytes(data)


@pytest.mark.parametrize(("suffix", "made"), [("bmp", bmp_of), ("tga", tga_of), ("png", png_of), ("gif", gif_of)])
def test_colours_that_a_palette_has_not(suffix, made, tmp_path):
    """They came out black, or as anything, in silence."""
    indices, path = np.arange(64, dtype=np.uint8).reshape(8, 8), tmp_path / f"a.{suffix}"
    path.write_bytes(made(indices, 64))
    assert files.read(path).pixels.shape == (8, 8, 3)
    path.write_bytes(made(indices, 32))
    assert refused(path) == "damaged: a pixel is of colour 63, and its palette has 32; copy it again"


def test_one_picture_per_file(tmp_path):
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (0, 99)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert refused(tmp_path / "a.png").startswith("found an animated PNG; allowed is one picture")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 8), np.uint8), photometric="minisblack")
    assert refused(tmp_path / "a.tif").startswith("found 3 pages; allowed is one picture per file")
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 255\nab" * 2)
    assert "one picture per file" in refused(tmp_path / "a.pgm")
    (tmp_path / "b.pgm").write_bytes(b"P2 2 1 255\n1 2 3")
    assert "one picture per file" in refused(tmp_path / "b.pgm")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P4 8 1\n\xff", "found a PBM bitmap"),
        (b"P5 2 1 0\nab", "its maxval is 0; allowed are 1 to 65535"),
        (b"P5 2 1 65536\nabcd", "its maxval is 65536"),
        (b"P5 two 1 255\nab", "its header (width, height, maxval) cannot be read"),
        (b"P5 0 1 255\n", "0 pixels; allowed is at least one".replace("0 pixels", "the header says 1×0 pixels")),
        (b"P5 2 1 9\n\x01\x0a", "lies beyond its maxval 9"),
        (b"P2 2 1 9\n1 -3", "lies beyond its maxval 9"),
        (b"P2 2 1 9\n1 x", "damaged or unreadable"),
        (b"P5 2 1 255\na", "truncated: the header says 1×2 pixels"),
    ],
)
def test_netpbm(tmp_path, data, message):
    (tmp_path / "a.pgm").write_bytes(data)
    assert message in refused(tmp_path / "a.pgm")


def test_colours_that_are_neither_grey_nor_rgb(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    Image.fromarray(pixels, "CMYK").save(tmp_path / "a.jpg")
    assert "pixels of kind CMYK; allowed are grey and RGB" in refused(tmp_path / "a.jpg")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="separated")
    assert "colours of kind SEPARATED" in refused(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((8, 8, 5), np.uint8), photometric="rgb")
    assert "found 5 samples per pixel" in refused(tmp_path / "b.tif")
    tifffile.imwrite(
        tmp_path / "c.tif", np.zeros((8, 8, 4), np.float32), photometric="rgb", extrasamples=["unassalpha"]
    )
    assert "alpha channel beside floats" in refused(tmp_path / "c.tif")
    tifffile.imwrite(tmp_path / "d.tif", np.zeros((2, 16, 16), np.uint8), volumetric=True, tile=(2, 16, 16))
    assert "found a volume" in refused(tmp_path / "d.tif")


def test_bmp_with_transparency(tmp_path):
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)  # BITMAPV4HEADER: red, green, blue, alpha
    header = struct.pack("<IiiHHIIiiII4I52x", 108, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0, *masks)
    start = b"BM" + struct.pack("<IHHI", 130, 0, 0, 122) + header
    (tmp_path / "a.bmp").write_bytes(start + bytes([1, 2, 3, 255] * 2))
    assert files.read(tmp_path / "a.bmp").pixels.tolist() == [[[3, 2, 1]] * 2]
    (tmp_path / "a.bmp").write_bytes(start + bytes([1, 2, 3, 255, 1, 2, 3, 254]))
    assert "alpha channel with transparent pixels" in refused(tmp_path / "a.bmp")


# Arrays


def test_no_pickles(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    assert refused(tmp_path / "a.npy").startswith(
        "holds Python objects (a pickle), which are never loaded; allowed are "
    )


def test_hdf5(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("only")
    assert refused(path).startswith("found no dataset")
    with h5py.File(path, "w") as file:
        for name in "abcdefghij":
            file[f"g/{name}"] = np.zeros((2, 2), np.uint8)
    assert refused(path).startswith("found 10 datasets (/g/a, /g/b, ")
    assert refused(path).endswith("…); say which: FILE::/g/a")
    assert refused(f"{path}::/g/z").startswith("has no dataset /g/z; it has /g/a, ")
    assert refused(f"{path}::/g").startswith("has no dataset /g; ")
    files.write(tmp_path / "a.npy", np.zeros((2, 2)))
    assert refused(f"{tmp_path}/a.npy::/x") == "is NPY, not HDF5, and has no dataset /x"


def test_hdf5_of_other_kinds(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros((2, 2), np.uint8)
    (tmp_path / "raw").write_bytes(bytes(4))
    with h5py.File(path, "w") as file:
        file["text"] = ["a", "b"]
        file["matlab"] = np.zeros((2, 2), np.uint8)
        file["matlab"].attrs["MATLAB_class"] = np.bytes_("uint8")
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        file.create_dataset("outside", (2, 2), "u1", external=[(str(tmp_path / "raw"), 0, 4)])
        layout = h5py.VirtualLayout((2, 2), "u1")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (2, 2))
        file.create_virtual_dataset("virtual", layout)
    assert "is of dtype object; allowed are numbers" in refused(f"{path}::text")
    assert "is MATLAB's (-v7.3" in refused(f"{path}::matlab")
    for name in ("link", "outside", "virtual"):
        assert "lies in another file" in refused(f"{path}::{name}")


# DICOM without its extra


def test_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM" + bytes(100))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    message = refused(tmp_path / "a.dcm", MissingExtraError)
    assert message == "DICOM needs pydicom: pip install 'fsrcnn-np[dicom]'"


# Writing


def test_an_existing_file_is_kept(tmp_path):
    path = tmp_path / "a.png"
    files.write(path, np.zeros((2, 2), np.uint8))
    before = path.read_bytes()
    with pytest.raises(files.OutputExists, match=r"a\.png: exists already and is kept; --overwrite"):
        files.write(path, np.zeros((2, 2), np.uint8))
    with pytest.raises(files.OutputDiffers, match=r"a\.png: exists, made otherwise: .*; --overwrite"):
        files.write(path, np.ones((2, 2), np.uint8))
    assert path.read_bytes() == before
    files.write(path, np.ones((2, 2), np.uint8), overwrite=True)
    assert path.read_bytes() != before
    assert issubclass(files.OutputExists, FileError)


@pytest.mark.parametrize(
    ("there", "wanted", "said"),
    [
        (b"a,b\n1,2\n", b"a,b\n1,3\n", "line 2 '1,2' → '1,3'"),
        (b"a,b\n1,2\n", b"a,b\n1,2\n3,4\n", "line 3 '' → '3,4'"),
        (b"x" * 60 + b"12" + b"y" * 60, b"x" * 60 + b"34", f"line 1 '…{'x' * 12}12{'y' * 25}…' → '…{'x' * 12}34'"),
        (b"x" * 10 + b"1" + b"y" * 60, b"x" * 10 + b"2", f"line 1 '{'x' * 10}1{'y' * 28}…' → '{'x' * 10}2'"),
        (b"x" * 60, b"x" * 70, f"line 1 '…{'x' * 12}' → '…{'x' * 22}'"),
        (b"\0\1\2", b"\0\1\3", "byte 2 0x02 → 0x03"),
        (b"\0\1\2", b"\0\1\2\3", "3 bytes → 4 bytes"),
    ],
)
def test_what_differs_is_said(tmp_path, there, wanted, said):
    path = tmp_path / "a"
    path.write_bytes(there)
    with pytest.raises(files.OutputDiffers, match=re.escape(f"a: exists, made otherwise: {said}; --overwrite")):
        write_bytes(path, wanted, overwrite=False)
    with pytest.raises(files.OutputExists):
        write_bytes(path, there, overwrite=False)
    with pytest.raises(files.OutputDiffers):  # of what is streamed, too
        write_bytes(path, lambda stream: stream.write(wanted), overwrite=False)
    with pytest.raises(files.OutputExists):
        write_bytes(path, lambda stream: stream.write(there), overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    os.symlink(tmp_path / "nowhere", tmp_path / "dangling")
    with pytest.raises(files.OutputDiffers, match="is no file"):
        write_bytes(tmp_path / "dangling", wanted, overwrite=False)


def test_a_file_that_comes_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    link = os.link

    def meanwhile(beside, path):
        path.write_text("another's")
        link(beside, path)

    monkeypatch.setattr("os.link", meanwhile)
    with pytest.raises(files.OutputDiffers):
        files.write_text(path, "ours")
    assert path.read_text() == "another's"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_text_is_utf8_with_the_usual_permissions(tmp_path):
    files.write_text(tmp_path / "new" / "a.json", "σ = 1\n")
    path = tmp_path / "new" / "a.json"
    assert path.read_bytes() == "σ = 1\n".encode()
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("fault", ["open", "os.fsync", "os.replace"])
def test_no_partial_file_stays(tmp_path, monkeypatch, fault, overwrite):
    path = tmp_path / "a.png"

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    if fault == "os.replace":
        monkeypatch.setattr("os.link", full)
    monkeypatch.setattr({"open": "builtins.open"}.get(fault, fault), full)
    with pytest.raises(
        FileError, match=r"a\.png: cannot be written: No space left on device; make space, and run it again$"
    ):
        files.write(path, np.zeros((2, 2), np.uint8), overwrite=overwrite)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path, monkeypatch):
    import pathlib

    monkeypatch.setattr(pathlib.Path, "with_name", lambda self, name: pathlib.Path("/dev/full"))
    monkeypatch.setattr(pathlib.Path, "unlink", lambda self: None)
    monkeypatch.setattr("builtins.open", lambda path, mode, real=open: real(path, "wb"))
    with pytest.raises(FileError, match="No space left on device"):
        files.write_text(tmp_path / "a.txt", "x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be written"):
        files.write(tmp_path / "file" / "a.png", np.zeros((2, 2), np.uint8))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        files.write(tmp_path / "folder.png", np.zeros((2, 2), np.uint8), overwrite=True)


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "a.png", np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_pixels_that_are_no_image(tmp_path):
    with pytest.raises(ImageError, match=r"a\.png: found dtype bool"):
        files.write(tmp_path / "a.png", np.zeros((2, 2), bool))
    with pytest.raises(FormatError, match=r"its suffix names no known format; allowed are \.png"):
        files.write(tmp_path / "a.xyz", np.zeros((2, 2), np.uint8))
    with pytest.raises(FormatError, match="JPEG holds at most 65500 rows or columns; found 1×65536"):
        files.write(tmp_path / "a.jpg", np.zeros((1, 65536), np.uint8))
    with pytest.raises(FormatError, match="only written from a DICOM original"):
        files.write(tmp_path / "a.dcm", np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_fails_to_write(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("imagecodecs.jpeg2k_encode", fail)
    with pytest.raises(FormatError, match=r"a\.jp2: cannot be written as JPEG 2000: two lines$"):
        files.write(tmp_path / "a.jp2", np.zeros((2, 2), np.uint8))


def test_exceptions_are_what_python_programs_expect():
    assert issubclass(FormatError, ValueError)
    assert issubclass(OptionError, ValueError)
    assert issubclass(FileError, OSError)
    assert issubclass(MissingExtraError, FileError)


def test_a_jpeg_of_more_pixels_than_its_bits_is_refused_before_decoding(tmp_path, monkeypatch):
    whole = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(whole, "JPEG")
    data = whole.getvalue()
    at = data.index(b"\xff\xc0") + 5
    (tmp_path / "lie.jpg").write_bytes(data[:at] + struct.pack(">HH", 65500, 16000) + data[at + 4 :])
    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "tobytes", None)  # whoever decodes, fails otherwise
        assert "the header says 65500×16000 pixels" in refused(tmp_path / "lie.jpg")
    for progressive in (False, True):  # the emptiest that there are
        Image.new("L", (4000, 3000)).save(tmp_path / "plain.jpg", progressive=progressive, optimize=True)
        assert not files.read(tmp_path / "plain.jpg").pixels.any()


def test_bytes_behind_an_array(tmp_path):
    path, array = tmp_path / "a.npy", np.arange(12, dtype=np.uint8).reshape(3, 4)
    with open(path, "wb") as stream:
        np.save(stream, array)
        np.save(stream, array)
    assert refused(path).startswith("holds further arrays behind the first; allowed is one")
    np.save(path, array)
    path.write_bytes(path.read_bytes() + b"\0")
    picture = files.read(path)
    np.testing.assert_array_equal(picture.pixels, array)
    assert picture.remarks == ("there are bytes behind its array, which are left out",)


@pytest.mark.parametrize("rows", [0, 4, 8, 12])
def test_chunks_that_were_never_written(rows, tmp_path):
    """Of a writer that was stopped: what is missing is the fill value, and that is said."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("image", (12, 10), np.uint8, chunks=(4, 10), fillvalue=7)
        if rows:
            made[:rows] = 1
    if not rows:
        assert "was never written" in refused(tmp_path / "a.h5")
        return
    picture = files.read(tmp_path / "a.h5")
    missing = (12 - rows) // 4
    assert [remark.split(";")[0] for remark in picture.remarks] == [
        f"{missing} of its 3 chunks were never written: read as the fill value 7"
    ] * bool(missing)


def test_chunks_of_a_png_that_do_not_fit(tmp_path):
    """imagecodecs loses what libpng says of them: "'utf-8' codec can't decode byte 0x86"."""
    whole = png_header(20, 5)
    (tmp_path / "a.png").write_bytes(whole[:33] + whole[8:])  # two headers
    assert refused(tmp_path / "a.png").startswith("damaged")
    assert "codec" not in refused(tmp_path / "a.png")
