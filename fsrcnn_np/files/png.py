"""PNG: 8 and 16 bits, grey and RGB. Pillow reads 16-bit RGB at 8 bits, so libpng (through imagecodecs) does it."""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.deflate import crc32
from fsrcnn_np.files.orientation import of_exif, turned
from fsrcnn_np.files.palette import check_palette
from fsrcnn_np.files.picture import (
    DEFLATED,
    Encoded,
    Output,
    Picture,
    check_size,
    enlargement,
    opaque,
    refuse_dtype,
    spacing,
)
from fsrcnn_np.files.png_pixels import compressed
from fsrcnn_np.files.record import KEYWORD, text_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that stay true of the enlarged picture: how its values are to be shown, and texts.
_KEPT = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt")
# Of the picture itself, or of no use to another one: its own times, its palette's statistics.
_NO_LOSS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"hIST", b"tIME")
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type → samples per pixel; PNG (Third Edition) 11.2.1
# Keyword, not compressed, no language, no translated keyword: PNG (Third Edition) 11.3.3.4.
_OURS = KEYWORD.encode() + bytes(5)


class _Chunk(NamedTuple):
    kind: bytes
    body: bytes


def read(path: Path) -> Picture:
    """Read a PNG; palettes become RGB, 1 to 4 bits become 8 (nothing is lost by either)."""
    import imagecodecs

    data = path.read_bytes()
    chunks = list(_chunks(data))
    kinds = {chunk.kind for chunk in chunks}
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].body) != 13:
        raise FormatError("damaged PNG: it does not start with its header; copy or download it again")
    if b"acTL" in kinds:
        raise FormatError("found an animated PNG; allowed is one picture; extract its frames first")
    width, height, bits, colour = struct.unpack(">IIBB", chunks[0].body[:10])
    check_size(height, width, _SAMPLES.get(colour, 1), bits, len(data), packing=DEFLATED)
    if b"IDAT" not in kinds:
        raise FormatError("damaged PNG: it holds no pixels (no chunk IDAT); copy or download it again")
    remarks: list[str] = []
    try:
        with _heard(remarks):
            pixels = imagecodecs.png_decode(data)
    except UnicodeDecodeError as error:  # imagecodecs has lost the words that libpng said
        raise FormatError("damaged PNG: libpng does not take its chunks; copy or download it again") from error
    if colour == 3 and any(chunk.kind == b"PLTE" and len(chunk.body) < 3 << bits for chunk in chunks):
        check_palette(path)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = opaque(pixels, remarks)
    kept = [chunk for chunk in chunks if chunk.kind in _KEPT and not _ours(chunk)]
    lost = list(dict.fromkeys(c.kind.decode("latin-1") for c in chunks if c.kind not in _KEPT + _NO_LOSS))
    remarks += turned(of_exif(next((chunk.body for chunk in kept if chunk.kind == b"eXIf"), None)))
    change = "a palette" if colour == 3 else f"{bits}-bit samples" if bits < 8 else ""
    apart = _spacing(kept)
    return Picture(
        pixels,
        str(path),
        "PNG",
        pixel_spacing=apart,
        pixel_spacing_origin="pHYs" if apart else "",
        remarks=tuple(remarks),
        details={"chunks": kept, "change": change, "left_out": lost},
    )


@contextmanager
def _heard(remarks: list[str]) -> Iterator[None]:
    """What libpng warns of in one of the file's chunks, which imagecodecs logs, becomes remarks."""

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage().removeprefix("PNG warning: ")
            if record.thread == here and text[4:6] == ": ":  # others are about how it is called
                remarks.append(f"libpng warns: {text}")

    logger, handler, here = logging.getLogger("imagecodecs"), Heard(logging.WARNING), threading.get_ident()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def encode(output: Output) -> Encoded:
    """Encode as PNG of the pixels' own depth, with the original's colour profile, texts and resolution (scaled)."""
    pixels = output.pixels
    refuse_dtype(pixels, "PNG", ("uint8", "uint16"))
    details = output.like.details if output.like else {}
    factor = enlargement(output)
    size = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8 * pixels.itemsize, pixels.ndim - 2 << 1, 0, 0, 0)
    chunks = [_Chunk(b"IHDR", size), *(_scaled(chunk, factor) for chunk in details.get("chunks", ()))]
    if output.provenance is not None:
        chunks.append(_Chunk(b"iTXt", _OURS + text_of(output.provenance).encode()))
    chunks += [_Chunk(b"IDAT", part) for part in compressed(pixels, output.threads)]
    change = details.get("change")
    remarks = [f"the original has {change}; written with 8 bits per sample"] if change else []
    return Encoded(b"".join([SIGNATURE, *map(_assemble, [*chunks, _Chunk(b"IEND", b"")])]), remarks)


def made(path: Path) -> str | None:
    """The record of provenance in a PNG; a FormatError where its end is missing."""
    ours = [chunk for chunk in _chunks(path.read_bytes()) if _ours(chunk)]
    return ours[0].body[len(_OURS) :].decode() if ours else None


def marked(data: bytes, text: str) -> bytes:
    """Another writer's PNG with our record behind its header."""
    at = len(SIGNATURE) + 25  # of IHDR: PNG (Third Edition) 11.2.1
    return data[:at] + _assemble(_Chunk(b"iTXt", _OURS + text.encode())) + data[at:]


def _ours(chunk: _Chunk) -> bool:
    return chunk.kind == b"iTXt" and chunk.body.startswith(_OURS)


def _chunks(data: bytes) -> Iterator[_Chunk]:
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        if kind == b"IEND":
            return
        end = position + 8 + length
        yield _Chunk(kind, data[position + 8 : end] if kind != b"IDAT" else b"")
        position = end + 4
    raise FormatError("truncated PNG: its end is missing; copy or download it again")


def _assemble(chunk: _Chunk) -> bytes:
    check = crc32(chunk.body, crc32(chunk.kind))
    return b"".join([struct.pack(">I", len(chunk.body)), *chunk, struct.pack(">I", check)])


def _spacing(chunks: list[_Chunk]) -> tuple[float, float] | None:
    """In mm, where pHYs is in pixels per metre: PNG (Third Edition) 11.3.4.3."""
    body = next((chunk.body for chunk in chunks if chunk.kind == b"pHYs" and len(chunk.body) == 9), bytes(9))
    x, y, unit = struct.unpack(">IIB", body)
    return spacing(1000 / y, 1000 / x) if unit == 1 and x and y else None


def resolution(x: float, y: float) -> _Chunk:
    """The chunk pHYs with this many pixels per metre, across and down."""
    largest = 2**31 - 1
    return _Chunk(b"pHYs", struct.pack(">IIB", *(min(max(1, round(n)), largest) for n in (x, y)), 1))


def _scaled(chunk: _Chunk, factor: float) -> _Chunk:
    if chunk.kind != b"pHYs" or len(chunk.body) != 9:
        return chunk
    x, y, unit = struct.unpack(">IIB", chunk.body)
    largest = 2**31 - 1
    return _Chunk(chunk.kind, struct.pack(">IIB", *(min(round(n * factor), largest) for n in (x, y)), unit))
