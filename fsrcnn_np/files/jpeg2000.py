"""JPEG 2000, through imagecodecs: 1 to 16 bits, grey and RGB. Pillow, and so imageio, would reduce RGB to 8 bits."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files import xmp
from fsrcnn_np.files.picture import PACKED, Encoded, Output, Picture, check_size, opaque, refuse_dtype
from fsrcnn_np.files.record import KEYWORD, text_of
from fsrcnn_np.files.stream_sizes import CODESTREAM, of_siz

BOXES = b"\x00\x00\x00\x0cjP  \r\n\x87\n"  # ISO/IEC 15444-1, I.5.1
MAGIC = (BOXES, CODESTREAM)
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # the UUID of a box that holds XMP: ISO 16684-1
_COMMENT = b"\xff\x64"  # COM, and that it is Latin text: A.9.2
_GREY, _SRGB = 17, 16  # enumerated colour spaces: I.5.3.3
_NO_CODESTREAM = "damaged or truncated JPEG 2000: it has no codestream; copy or download it again"


class _Size(NamedTuple):
    """What the marker SIZ says."""

    height: int
    width: int
    samples: int
    bits: int
    signed: bool


def read(path: Path) -> Picture:
    """Read a JPEG 2000 file (.jp2) or bare codestream (.j2k); fewer bits than the dtype's declare a `data_range`."""
    import imagecodecs

    data = path.read_bytes()
    size = _size(data)
    check_size(size.height, size.width, size.samples, size.bits, len(data), packing=PACKED)
    _check_end(data)
    pixels = imagecodecs.jpeg2k_decode(data)
    dtype = np.dtype(f"{'i' if size.signed else 'u'}{1 if size.bits <= 8 else 2}")
    if pixels.shape[:2] != (size.height, size.width) or pixels.dtype != dtype:
        raise FormatError(
            f"damaged JPEG 2000: it says {size} and holds {pixels.dtype} of shape {pixels.shape}"
            "; copy or download it again"
        )
    remarks: list[str] = []
    if size.samples in (2, 4):
        if size.signed or size.bits != 8 * pixels.itemsize:
            raise FormatError(f"found an alpha channel of {size.bits} bits; allowed are 8 and 16; leave it out")
        pixels = opaque(pixels, remarks)
    own = size.bits == 8 * pixels.itemsize
    half = 2.0 ** (size.bits - 1)
    declared = (-half, half - 1) if size.signed else 2 * half - 1
    return Picture(
        np.ascontiguousarray(pixels),
        str(path),
        "JPEG 2000",
        data_range=None if own else declared,
        data_range_origin="" if own else f"{size.bits} bits per component",
        remarks=tuple(remarks),
        details={"bits": size.bits, "boxes": data.startswith(BOXES), "left_out": _left_out(data)},
    )


def encode(output: Output) -> Encoded:
    """Encode as JPEG 2000 without loss, with the original's bits per component, in its kind of file."""
    import imagecodecs

    pixels = output.pixels
    refuse_dtype(pixels, "JPEG 2000", ("uint8", "int8", "uint16", "int16"))
    details = output.like.details if output.like else {}
    data = imagecodecs.jpeg2k_encode(
        np.ascontiguousarray(pixels),
        level=0,
        codecformat="jp2" if details.get("boxes", True) else "j2k",
        reversible=True,
        bitspersample=details.get("bits", 8 * pixels.itemsize),
        resolutions=min(6, max(1, min(pixels.shape[:2]).bit_length())),
    )
    return Encoded(_with_provenance(bytes(data), output), [])


def made(path: Path) -> str | None:
    """The record of provenance in a JPEG 2000; a FormatError where its end is missing."""
    data = path.read_bytes()
    _check_end(data)
    start = _codestream(data)
    if start:
        at = data.find(b"uuid" + _XMP, 0, start)
        return xmp.text_in(data[at:start]) if at > 0 else None
    at = start + 2  # markers of the main header, up to the first tile part: SOT, A.4.2
    while data[at : at + 2] not in (b"\xff\x90", b""):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 6 : at + 2 + length]
        if data[at : at + 2] == _COMMENT and body.startswith(KEYWORD.encode() + b" "):
            return body[len(KEYWORD) + 1 :].decode("latin-1")
        at += 2 + max(2, length)
    return None


def _with_provenance(data: bytes, output: Output) -> bytes:
    """In a box before the codestream's, or in a comment behind the codestream's SIZ."""
    if output.provenance is None:
        return data
    text, start = text_of(output.provenance), _codestream(data)
    packet = xmp.packet(text) or b""
    if start:
        at = data.rindex(b"jp2c", 0, start) - 4
        part = struct.pack(">I", 24 + len(packet)) + b"uuid" + _XMP + packet
    else:
        at = 4 + int.from_bytes(data[4:6], "big")
        body = f"{KEYWORD} {text}".encode()
        part = _COMMENT + struct.pack(">HH", 4 + len(body), 1) + body
    return data[:at] + part + data[at:]


def _boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of each box's contents: I.4. A FormatError where one is not as long as it says."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if length == 1 and at + 16 <= end:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if length == 0 else at + length
        if stop < body or (stop > end and kind != b"jp2c"):
            raise FormatError(_NO_CODESTREAM)
        yield kind, body, min(stop, end)
        at = stop


def _left_out(data: bytes) -> list[str]:
    """What stands in other boxes than the picture's own: texts, a colour profile, a resolution."""
    found: list[str] = []
    if not data.startswith(BOXES):
        return found
    for kind, at, end in _boxes(data):
        if kind == b"jp2h":
            found += ["colour profile" for k, a, _ in _boxes(data, at, end) if k == b"colr" and data[a] != 1]
            found += ["resolution" for k, _, _ in _boxes(data, at, end) if k == b"res "]
        elif kind == b"uuid" and data[at : at + 16] == _XMP:
            found += ["XMP"] if xmp.without(data[at + 16 : end]) else []
        elif kind not in (b"jP  ", b"ftyp", b"jp2c"):
            found.append(f"box {kind.decode('latin-1').strip()}")
    return list(dict.fromkeys(found))


def _check_end(data: bytes) -> None:
    if data.startswith(BOXES):  # others may stand behind the codestream's box
        data = next((data[at:end] for kind, at, end in _boxes(data) if kind == b"jp2c"), b"")
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):  # EOC, A.4.4: OpenJPEG fills what is missing with grey
        raise FormatError("truncated JPEG 2000: its end is missing; copy or download it again")


def _size(data: bytes) -> _Size:
    """The picture's size, of SIZ; a FormatError for what is no plain grey or RGB picture."""
    start = _codestream(data)
    if data[start : start + 4] != CODESTREAM or len(data) < start + 43:
        raise FormatError("damaged JPEG 2000: it has no codestream; copy or download it again")
    rows, columns, samples, bits = of_siz(data, start)
    parts = data[start + 42 : start + 42 + 3 * samples]
    if samples not in (1, 2, 3, 4) or len(parts) != 3 * samples:
        raise FormatError(f"found {samples} components; allowed are grey (1) and RGB (3)")
    if set(parts[1::3]) | set(parts[2::3]) != {1} or len(set(parts[0::3])) > 1:
        raise FormatError("found components of different size or depth; allowed are grey and RGB; convert it first")
    if bits > 16:
        raise FormatError(f"found {bits} bits per component; allowed are 1 to 16")
    return _Size(rows, columns, samples, bits, bool(parts[0] & 128))


def _codestream(data: bytes) -> int:
    """Where the codestream begins; the boxes before it are looked at for what changes the picture's meaning."""
    if data.startswith(CODESTREAM):
        return 0
    for kind, at, end in _boxes(data):
        if kind == b"jp2c":
            return at
        if kind == b"jp2h":
            _check_header(data, at, end)
    raise FormatError(_NO_CODESTREAM)


def _check_header(data: bytes, at: int, end: int) -> None:
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"pclr":
            raise FormatError("found JPEG 2000 with a palette; allowed are grey and RGB; convert it first")
        if kind == b"colr" and data[at + 8] == 1 and at + 15 <= end:
            (space,) = struct.unpack_from(">I", data, at + 11)
            if space not in (_GREY, _SRGB):
                raise FormatError(
                    f"found JPEG 2000 in colour space {space}; allowed are grey and RGB; convert it first"
                )
        if length < 8:
            return
        at += length
