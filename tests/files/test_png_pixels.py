"""PNG written in strips: one valid stream, read alike by every decoder, the same bytes for every number of threads."""

import io
import struct
import zlib

import imagecodecs
import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from fsrcnn_np import files


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
