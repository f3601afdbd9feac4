"""PGM and PPM, raw and plain, 1 to 16 bits. Read here, because Pillow stretches the values to 8 or 16 bits."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.picture import UNPACKED, Encoded, Output, Picture, check_size, refuse_dtype

# netpbm's pgm(5), ppm(5): magic, width, height, maxval, with blanks and comments between, then one blank.
_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([2356])" + (_GAP + rb"(\d{1,9})") * 3 + rb"(?:#[^\r\n]*[\r\n])?\s")


def read(path: Path) -> Picture:
    """Read a PGM or PPM with the values as stored; `data_range` is its maxval when that is not 255 or 65535."""
    data = path.read_bytes()
    if data[1:2] in (b"1", b"4"):
        raise FormatError("found a PBM bitmap; allowed are PGM and PPM; convert it: pbmtopgm 1 1 IN > OUT")
    header = _HEADER.match(data)
    if not header:
        raise FormatError(
            "damaged PGM or PPM: its header (width, height, maxval) cannot be read; copy or download it again"
        )
    kind = int(header[1])
    width, height, maxval = (int(header[n]) for n in (2, 3, 4))
    if not 1 <= maxval <= 65535:
        raise FormatError(f"its maxval is {maxval}; allowed are 1 to 65535")
    samples, plain, dtype = 3 if kind in (3, 6) else 1, kind < 4, np.dtype(">u2" if maxval > 255 else "u1")
    body = len(data) - header.end()
    check_size(height, width, samples, 8 if plain else 8 * dtype.itemsize, body, packing=UNPACKED)
    count = height * width * samples
    values = _plain_values(data[header.end() :]) if plain else np.frombuffer(data, dtype, count, header.end())
    rest = b"" if plain else data[header.end() + count * dtype.itemsize :].strip()
    if len(values) != count or rest:
        raise FormatError(f"found other than {count} values after the header; allowed is one picture per file")
    if values.max() > maxval or values.min() < 0:
        raise FormatError(f"damaged: a value lies beyond its maxval {maxval}; copy or download it again")
    pixels = values.astype(dtype.newbyteorder("=")).reshape((height, width, 3) if samples == 3 else (height, width))
    own = maxval != np.iinfo(dtype).max
    return Picture(
        pixels,
        str(path),
        "PPM" if samples == 3 else "PGM",
        data_range=float(maxval) if own else None,
        data_range_origin=f"maxval {maxval}" if own else "",
        details={"maxval": maxval, "plain": plain, "left_out": ["comments"] if b"#" in header[0] else []},
    )


def encode(output: Output) -> Encoded:
    """Encode as PGM or PPM, raw or plain and with the maxval of the original."""
    pixels = output.pixels
    refuse_dtype(pixels, "PGM and PPM", ("uint8", "uint16"))
    details = output.like.details if output.like else {}
    maxval, plain = details.get("maxval", int(np.iinfo(pixels.dtype).max)), details.get("plain", False)
    if pixels.max() > maxval:
        raise FormatError(f"a value {pixels.max()} lies beyond the original's maxval {maxval}; write another format")
    kind = (2 if plain else 5) + (pixels.ndim == 3)
    header = f"P{kind}\n{pixels.shape[1]} {pixels.shape[0]}\n{maxval}\n".encode()
    if plain:
        return Encoded(header + "\n".join(map(str, pixels.ravel().tolist())).encode() + b"\n", [])
    return Encoded(header + pixels.astype(">u2" if maxval > 255 else "u1").tobytes(), [])


def _plain_values(text: bytes) -> NDArray[np.int64]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy only warns where the text is no number
        return np.fromstring(text, np.int64, sep=" ")
