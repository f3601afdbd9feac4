"""RLE Lossless (PS3.5 G): segments of bytes, packed. pylibjpeg-rle ends the process where a segment is damaged."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError

_PLACE = "(7FE0,0010) Pixel Data"
_MOST = 15  # segments: PS3.5 G.5


def decoded(frame: bytes, rows: int, columns: int, samples: int, bits_allocated: int) -> NDArray[Any]:
    """A frame's pixels as unsigned integers, rows × columns (× samples).

    Raises
    ------
    FormatError
        The header is none, or a segment has not one byte for each pixel.
    """
    import imagecodecs

    width, pixels = bits_allocated // 8, rows * columns
    count, *offsets = struct.unpack_from("<16I", frame) if len(frame) >= 64 else (0,)
    if count != width * samples or count > _MOST:
        raise FormatError(f"{_PLACE}: an RLE frame of {count} segments; {width * samples} are expected (damaged)")
    ends = [*offsets[1:count], len(frame)]
    planes = np.empty((samples, width, pixels), np.uint8)
    for number, (start, end) in enumerate(zip(offsets, ends, strict=False)):
        if not 64 <= start <= end <= len(frame):
            raise FormatError(
                f"{_PLACE}: an RLE segment lies outside of its frame (damaged); copy or download it again"
            )
        segment = _unpacked(imagecodecs, frame[start:end], pixels)
        planes[number // width, number % width] = np.frombuffer(segment, np.uint8, pixels)
    # the segments of a sample begin with its most significant byte: G.2
    words = np.ascontiguousarray(planes.transpose(2, 0, 1)).view(f">u{width}").reshape(rows, columns, samples)
    native: NDArray[Any] = words.astype(f"u{width}")
    return native if samples > 1 else native[..., 0]


def _unpacked(imagecodecs: Any, segment: bytes, pixels: int) -> bytes:
    """At least one byte a pixel; a byte may be added to make the length even: G.3.1."""
    out = bytearray(pixels + 256)  # more than is needed tells nothing, and is not asked for
    try:
        found = imagecodecs.packbits_decode(segment, out=out)
    except Exception as error:
        raise FormatError(f"{_PLACE}: a damaged RLE segment ({error}); copy or download it again") from error
    if len(found) < pixels:
        raise FormatError(
            f"{_PLACE}: truncated: an RLE segment of {len(found)} bytes for {pixels} pixels; copy or download it again"
        )
    return bytes(found)
