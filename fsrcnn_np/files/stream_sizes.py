"""Pictures within pictures: a strip of a TIFF or a frame of a DICOM object is a stream with a header of its own, which
decoders take at its word. Two hundred bytes of LERC can say 28 GiB. So it is held against what stands around it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from fsrcnn_np.errors import FormatError

_SOF = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # T.81 B.1.1.3; ISO 14495-1 C.1.1 (JPEG-LS)
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_SCAN = {0xDA, 0xD9}  # a scan begins, or all ends
CODESTREAM = b"\xff\x4f\xff\x51"  #: how one of JPEG 2000 begins, SOC and SIZ: ISO/IEC 15444-1, A.4.1, A.5.1
_MARGIN = 2  #: times the size around it: streams are filled up to whole blocks


def check_stream(data: bytes, expected: int) -> None:
    """Raise a FormatError where a stream says more than twice as many values as expected, or does not say how many."""
    said = values_said(data)
    if said is None:
        raise FormatError(
            "damaged: a picture within it does not say its size, or is of a kind that is not read; convert it"
        )
    if said > _MARGIN * expected + (1 << 16):
        raise FormatError(f"damaged: a picture within it says {said} values, where {expected} belong; copy it again")


def values_said(data: bytes) -> int | None:
    """Rows × columns × samples by the header of JPEG, -LS, 2000, XL, PNG, WebP or LERC; None: of none of these."""
    try:
        if data.startswith(b"\xff\xd8"):
            return math.prod(frame[2:]) if (frame := frame_of(data)) else None
        if _is_jpeg2000(data):
            return said.rows * said.columns * said.samples if (said := shape_of(data)) else None
        if data.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", data, 16)
            return int(width * height * 4)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _of_webp(data)
        if data.startswith(b"Lerc2 "):
            (version,) = struct.unpack_from("<i", data, 6)
            rows, columns, depth = struct.unpack_from("<iii", data, 14 if version >= 3 else 10)  # a checksum before
            return int(rows * columns * (depth if version >= 4 else 1))
        if data.startswith(b"\xff\x0a") or data[4:8] == b"JXL ":
            return _of_jpegxl(data)
        if data.startswith(b"CntZImage "):
            return int(struct.unpack_from("<i", data, 18)[0] * struct.unpack_from("<i", data, 22)[0])
    except (struct.error, IndexError):
        pass
    return None


class Shape(NamedTuple):
    """What a stream's own header says of its picture."""

    rows: int
    columns: int
    samples: int
    bits: int  #: of the first sample


def shape_of(data: bytes) -> Shape | None:
    """Of a JPEG, JPEG-LS or JPEG 2000; None: of none of these, or damaged."""
    try:
        if data.startswith(b"\xff\xd8"):
            return Shape(frame.rows, frame.columns, frame.samples, frame.bits) if (frame := frame_of(data)) else None
        if _is_jpeg2000(data) and (at := data.find(CODESTREAM)) >= 0:
            return of_siz(data, at)
    except struct.error:
        pass
    return None


def of_siz(data: bytes, at: int) -> Shape:
    """What a codestream of JPEG 2000 that begins there says: ISO/IEC 15444-1, A.5.1. A struct.error where it is cut."""
    x1, y1, x0, y0 = struct.unpack_from(">IIII", data, at + 8)
    samples, bits = struct.unpack_from(">HB", data, at + 40)
    return Shape(y1 - y0, x1 - x0, samples, (bits & 0x7F) + 1)


def _is_jpeg2000(data: bytes) -> bool:
    """A codestream, or boxes around one."""
    return data.startswith(CODESTREAM) or data[4:8] == b"jP  "


class Frame(NamedTuple):
    """A JPEG's frame header, T.81 B.2.2."""

    marker: int  #: 0xC0 … 0xCF, or 0xF7 of JPEG-LS
    bits: int  #: of a sample
    rows: int
    columns: int
    samples: int


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of the body of each segment of a JPEG or JPEG-LS before its first scan: T.81 B.1.1."""
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:  # filled up
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _SCAN:
            return
        else:
            length = max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
            yield marker, at + 4, at + 2 + length
            at += 2 + length


def frame_of(data: bytes) -> Frame | None:
    """The frame header of a JPEG or JPEG-LS; None: there is none before its first scan.

    Raises
    ------
    struct.error
        It is cut.
    """
    found = next(((marker, begin) for marker, begin, _ in segments(data) if marker in _SOF), None)
    return None if found is None else Frame(found[0], *struct.unpack_from(">BHHB", data, found[1]))


def _of_jpegxl(data: bytes) -> int | None:
    """ISO/IEC 18181-1, SizeHeader: bits from the lowest on; 18181-2: the codestream may lie in a box."""
    start = 0 if data.startswith(b"\xff\x0a") else data.find(b"\xff\x0a", data.find(b"jxlc"))
    bits, at = int.from_bytes(data[start + 2 : start + 14], "little"), 0
    if start < 0 or len(data) < start + 4:
        return None

    def number(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & (1 << count) - 1

    def side(small: int) -> int:
        return 8 * (1 + number(5)) if small else 1 + number((9, 13, 18, 30)[number(2)])

    small = number(1)
    height = side(small)
    ratio = number(3)
    shapes = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
    width = height * shapes[ratio - 1][0] // shapes[ratio - 1][1] if ratio else side(small)
    return height * width


def _of_webp(data: bytes) -> int | None:
    """RFC 9649, 2.5 to 2.7."""
    match data[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        case _:
            return None
    return width * height * 4
