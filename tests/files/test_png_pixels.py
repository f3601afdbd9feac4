"""PNG written in strips: one valid stream, read alike by every decoder, the same bytes for every number of threads."""

import functools
import io
import struct
import zlib

import imagecodecs
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image

from fsrcnn_np import files
from fsrcnn_np.files import deflate, png_pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5, 3), (700, 901), (2, 600_000), (1100, 500, 3)])
def test_every_decoder(dtype, shape, tmp_path):
    rng = np.random.default_rng(len(shape))
    image = (rng.integers(0, 9, shape) + np.arange(shape[1]).reshape(-1, *[1] * (len(shape) - 2))).astype(dtype)
    written = []
    for threads in (1, 2, 5):
        files.write(tmp_path / "a.png", image, threads=threads, overwrite=True)
        written.append((tmp_path / "a.png").read_bytes())
    assert len(set(written)) == 1
    np.testing.assert_array_equal(imagecodecs.png_decode(written[0]), image)
    if image.ndim == 2 or dtype == np.uint8:  # Pillow, and imageio with it, reads 16-bit RGB at 8 bits
        np.testing.assert_array_equal(iio.imread(written[0]), image)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(written[0]))), image)


def test_one_stream_of_zlib(tmp_path):
    """Python's own zlib checks header and Adler-32; every chunk's CRC is right."""
    image = np.random.default_rng(0).integers(0, 65536, (900, 1000), np.uint16)
    files.write(tmp_path / "a.png", image, threads=2)
    data, at, stream = (tmp_path / "a.png").read_bytes(), 8, b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + length]
        assert zlib.crc32(body) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        stream += body[4:] if body[:4] == b"IDAT" else b""
        at += 12 + length
    inflate = zlib.decompressobj()
    assert len(inflate.decompress(stream)) == 900 * 2001
    assert inflate.eof
    assert inflate.unused_data == b""


def pictures():
    rng, row = np.random.default_rng(3), np.arange(1000)
    noise = rng.normal(0, 9, (300, 1000))
    return {
        "as scanned": (2000 + 1500 * np.sin(row / 400) + noise).astype(np.uint16),
        "half empty": np.where(row < 600, 0, 3000 + noise).astype(np.uint16),
        "noise": rng.integers(0, 65536, (300, 700), np.uint16),
        "8 bits": (120 + 90 * np.sin(row / 300) + noise / 4).astype(np.uint8),
        "RGB": (np.array([90, 120, 60]) + noise[..., None] / 3).astype(np.uint8)[:, :400],
        "mask": np.where(rng.random((500, 500)) < 0.01, 255, 0).astype(np.uint8),
        "constant": np.full((2, 900_000), 1234, np.uint16),
        "constant, square": np.full((1500, 1500), 1234, np.uint16),
        "constant RGB": np.full((700, 700, 3), [10, 20, 30], np.uint8),
        "ramp": np.add.outer(row, row).astype(np.uint16),
        "nothing": np.zeros((1500, 1500), np.uint8),
        "tiny": rng.integers(0, 4096, (8, 8), np.uint16),
        "one": np.full((1, 1), 7, np.uint8),
    }


PICTURES = pictures()


@functools.cache
def one_stream(kind) -> int:
    """Bytes by all five filters, the least sum of differences in each row, and zlib's level 5.

    PNG (Third Edition) 9.2, 12.7. libpng's own way; its newer releases win a fifth more on noise in colours.
    """
    image = PICTURES[kind]
    step = image[0, 0].nbytes
    rows = np.ascontiguousarray(image, image.dtype.newbyteorder(">")).view(np.uint8).reshape(len(image), -1).astype(int)
    left, above, corner = (np.zeros_like(rows) for _ in range(3))
    left[:, step:], above[1:], corner[1:, step:] = rows[:, :-step], rows[:-1], rows[:-1, :-step]
    expected = left + above - corner
    far = np.abs([expected - left, expected - above, expected - corner])
    paeth = np.choose(far.argmin(0), [left, above, corner])
    filtered = np.array([rows - e for e in (0 * rows, left, above, (left + above) // 2, paeth)]) % 256
    best = np.minimum(filtered, 256 - filtered).sum(2).argmin(0)
    chosen = filtered[best, np.arange(len(rows))].astype(np.uint8)
    return len(zlib.compress(np.column_stack([best.astype(np.uint8), chosen]).tobytes(), 5))


@pytest.mark.parametrize("codec", ["isal", "zlib"])
@pytest.mark.parametrize("kind", PICTURES)
def test_no_larger_than_one_stream(kind, codec, monkeypatch):
    """Within a tenth, and 200 bytes, of all filters and zlib's level 5 in one stream, which knows no strips."""
    if codec == "zlib":
        monkeypatch.setattr(deflate, "_fast", zlib)
        monkeypatch.setattr(deflate, "_LEVELS", {1: 4, 2: 1})
    ours = sum(map(len, png_pixels.compressed(PICTURES[kind], 2)))
    assert ours <= 1.1 * one_stream(kind) + 200


def test_the_same_bytes_wherever_the_compressor_lies_in_memory():
    """ISA-L alone lets its address decide one stream in 4,000 of these, which repeat their first bytes."""
    words = np.random.default_rng(7).bytes(16 * 6000)
    parts = [memoryview(words[at : at + 16] * 5) for at in range(0, len(words), 16)]
    held, expected = [], [deflate.flushed(part, 2) for part in parts]
    for part, found in zip(parts, expected, strict=True):
        assert zlib.decompressobj(-15).decompress(found) == part
    for _ in range(5):
        held.append(deflate._fast.compressobj(1, zlib.DEFLATED, -15, 9))  # so that the others come to lie elsewhere
        assert [deflate.flushed(part, 2) for part in parts] == expected


@pytest.mark.parametrize("compression", [8, 5, 50000, 1])
@pytest.mark.parametrize("shape", [(400, 901), (200, 300, 3)])
def test_tiff_has_the_same_bytes_for_every_number_of_threads(shape, compression, tmp_path):
    image = np.random.default_rng(1).integers(0, 4096, shape).astype(np.uint16)
    tifffile.imwrite(tmp_path / "in.tif", image, compression=compression, predictor=2 if compression == 8 else None)
    like = files.read(tmp_path / "in.tif")
    written = set()
    for threads in (1, 2, 5):
        files.write(tmp_path / "a.tif", image, like=like, threads=threads, overwrite=True)
        written.add((tmp_path / "a.tif").read_bytes())
    assert len(written) == 1
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), image)
