"""JPEG, BMP, WebP, GIF, PCX and TGA, through imageio: 8 bits, grey and RGB."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files import xmp
from fsrcnn_np.files.any_size import of_any_size
from fsrcnn_np.files.jpeg_whole import check_whole
from fsrcnn_np.files.orientation import of_exif, turned
from fsrcnn_np.files.palette import check_palette
from fsrcnn_np.files.photo_parts import left_out
from fsrcnn_np.files.picture import (
    PACKED,
    DicomForm,
    Encoded,
    Output,
    Picture,
    Provenance,
    check_size,
    enlargement,
    opaque,
    refuse_dtype,
)
from fsrcnn_np.files.record import KEYWORD, text_of
from fsrcnn_np.files.stream_sizes import Frame, frame_of, segments

_SHOWN = {"1": "one bit per pixel", "P": "a palette", "PA": "a palette"}
#: Pillow's kinds of pixels → what they are read as; kinds with an alpha channel give it up when it is opaque.
_READ_AS = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}
#: Most pixels a byte of a Huffman-coded JPEG: one bit for a block of 64, halved at most both ways (T.81 F.1.2, A.1.1).
_HUFFMAN = 2048
#: Most bytes of pixels that a stored byte gives, generously: codes of GIF's LZW stand for 4096, runs of 1-bit pixels in
#: PCX for 504 in two bytes, of TGA for 128 in two to four; BMP's runs, for 255 in two, may skip lines.
_PACKING = {"GIF": 4096, "PCX": 512, "TGA": 128, "BMP": 4096}
_JPEG_LS, _COM = 0xF7, 0xFE  #: markers of JPEG-LS's frame header, of a comment
_LAST_HUFFMAN = 0xC8  #: behind it are arithmetic coding's frame headers, which has no least number of bits: T.81 B.1
_MOST_BMP = 2**32 - 2048  #: bytes of pixels, lines filled up to fours: bfSize has 32 bits, header and palette beside


@dataclass(frozen=True)
class _Kind:
    """How one of these formats is written."""

    suffix: str
    most: int  #: rows or columns
    options: Mapping[str, Any] = field(default_factory=dict)  #: of Pillow's writer
    kept: tuple[str, ...] = ()  #: of what Pillow's reader tells
    remark: str = ""
    greys_only: bool = False


_KINDS = {
    "BMP": _Kind(".bmp", 2**31 - 1, kept=("dpi",)),
    "JPEG": _Kind(
        ".jpg",
        65500,  # libjpeg's; the format has 65535
        {"quality": 95, "subsampling": 0},
        ("dpi", "icc_profile", "exif", "comment"),
        "JPEG is lossy: written with quality 95",
    ),
    "WebP": _Kind(".webp", 16383, {"lossless": True, "exact": True}, ("icc_profile", "exif", "xmp")),
    "GIF": _Kind(".gif", 65535, kept=("comment",), greys_only=True),
    "PCX": _Kind(".pcx", 65535, kept=("dpi",)),
    "TGA": _Kind(".tga", 65535, {"compression": "tga_rle"}, ("id_section",)),
}


def reader(format: str) -> Callable[[Path], Picture]:
    """What reads a format of these: one picture; a palette as RGB, or grey where all is; Exif orientation kept."""
    return partial(_read, format=format)


def encoder(format: str) -> Callable[[Output], Encoded]:
    """What writes a format of these, with the original's colour profile, Exif and resolution where it has them.

    JPEG has quality 95 without chroma subsampling: a grey value or two off. All others are exact; GIF holds 256
    colours, so it takes grey pictures only.
    """
    return partial(_encode, format=format)


def checker(format: str) -> Callable[[Picture, Provenance, DicomForm], None]:
    """What raises a FormatError, before anything is computed, of a result that is too large for a format of these."""
    return partial(_check, format=format)


def _read(path: Path, format: str) -> Picture:
    remarks: list[str] = []
    data = path.read_bytes()
    frame = _frame(data) if format == "JPEG" else None
    with _opened(io.BytesIO(data), format) as image:
        told = image.metadata(index=0)
        mode, (width, height) = told["mode"], told["shape"]
        packing = _HUFFMAN * len(mode) if frame and frame.marker <= _LAST_HUFFMAN else _PACKING.get(format, PACKED)
        check_size(height, width, len(mode), 8, len(data), packing=packing)
        if format == "JPEG" and max(height, width) > _KINDS[format].most:  # libjpeg says so itself, on standard error
            raise FormatError(
                f"found {height}×{width}; libjpeg takes JPEGs of at most {_KINDS[format].most} rows or columns; "
                "convert it with another program, to .png or .tif"
            )
        if format == "PCX":
            _check_pcx_width(width, mode)
        count = image.properties(index=...).n_images
        if count != 1 and format == "JPEG":
            remarks.append("it holds further pictures (MPO): only the first is read")
        elif count != 1:
            raise FormatError(f"found {count} pictures; allowed is one; extract its frames first")
        read_as = _READ_AS.get(mode)
        if read_as is None:
            raise FormatError(
                f"found {format} pixels of kind {mode}; allowed are grey and RGB; convert it to RGB first"
            )
        if mode in ("P", "L", "RGB") and "transparency" in told:
            read_as = "RGBA"
        if format == "JPEG":
            check_whole(data)
        pixels = image.read(index=0, mode=None if read_as == mode else read_as)
    if mode == "P":
        check_palette(path)
    if read_as.endswith("A"):
        pixels = opaque(pixels, remarks)
    if mode in ("P", "PA") and all((pixels[..., 0] == pixels[..., i]).all() for i in (1, 2)):
        pixels = pixels[..., 0]
    remarks += turned(of_exif(told.get("exif")))
    info = {name: told[name] for name in _KINDS[format].kept if told.get(name)}
    if "xmp" in info and (rest := xmp.without(info.pop("xmp"))) != b"":
        info["xmp"] = rest
    if rest := _split(told.get("comment"))[1]:
        info["comment"] = rest
    else:
        info.pop("comment", None)
    details = {"info": info, "change": _SHOWN.get(mode) or _narrow(data, format), "left_out": left_out(data, format)}
    return Picture(np.ascontiguousarray(pixels), str(path), format, remarks=tuple(remarks), details=details)


def _narrow(data: bytes, format: str) -> str:
    """Of pixels of 16 bits, whose 5 or 6 a sample Pillow stretches to 8: [MS-WMF] 2.2.2.3, TGA 2.0 field 5.5."""
    bits = {"BMP": data[28:29], "TGA": data[16:17]}.get(format)
    return "5 or 6 bits per sample" if bits in (b"\x0f", b"\x10") else ""


def _frame(data: bytes) -> Frame | None:
    """A JPEG's frame header, if it can be read, of the kinds that libjpeg reads: T.81 B.2.2, ISO 14495-1 C.1.1."""
    try:
        frame = frame_of(data)
    except struct.error:
        return None
    if frame and (frame.marker == _JPEG_LS or frame.bits != 8):
        kind = "JPEG-LS" if frame.marker == _JPEG_LS else f"a JPEG with {frame.bits} bits per sample"
        raise FormatError(f"is {kind}; allowed are JPEGs of 8 bits; convert it with another program, to .png or .tif")
    return frame


@contextmanager
def _opened(stream: Any, format: str) -> Iterator[Any]:
    """The file's header, read."""
    import imageio.v3 as imageio

    if format in _CHECKS:
        _CHECKS[format](stream)
    with of_any_size():
        try:
            image = imageio.imopen(stream, "r", plugin="pillow")
        except OSError:
            raise FormatError(
                f"begins as a {format}, but its header cannot be read: it is damaged, or of a kind that is not read; "
                "copy it again, or convert it with another program, to .png or .tif"
            ) from None
    with image:
        yield image


def _check_tga(stream: Any) -> None:
    """TGA has no first bytes of its own, so the header has to be one: Truevision TGA 2.0, fields 2, 3 and 5.5."""
    head = stream.read(18)
    stream.seek(0)
    kinds = ((0, 2), (0, 3), (0, 10), (0, 11), (1, 1), (1, 9))
    if len(head) < 18 or (head[1], head[2]) not in kinds or head[16] not in (8, 15, 16, 24, 32):
        raise FormatError("is no TGA: it does not begin as one; it is damaged or misnamed")


def _check_pcx(stream: Any) -> None:
    """Of a file cut before its palette Pillow gives the indices, as if they were greys."""
    head = stream.read(128)
    end = stream.seek(0, 2)
    stream.seek(max(0, end - 769))
    before_palette = stream.read(1)
    stream.seek(0)
    indexed = len(head) == 128 and (head[1], head[3], head[65]) == (5, 8, 1) and head[68] != 2
    if len(head) < 128 or (indexed and before_palette != b"\x0c"):
        raise FormatError("truncated PCX: its palette is missing; copy or download it again")


def _check_pcx_width(width: int, mode: str) -> None:
    """Pillow before 13 reads and writes colours of 1 and of 3 columns wrongly, and says nothing."""
    from PIL import __version__

    if mode == "RGB" and width in (1, 3) and int(__version__.partition(".")[0]) < 13:
        raise FormatError(
            f"found {width} columns of RGB, which Pillow {__version__} gets wrong in PCX; allowed are others; "
            "update it (pip install 'pillow>=13'), or take another format"
        )


_CHECKS = {"TGA": _check_tga, "PCX": _check_pcx}


def _check(like: Picture, provenance: Provenance, form: DicomForm, *, format: str) -> None:
    shape = like.pixels.shape
    if len(shape) > 1:  # else it is no picture, which is found out when it is to be computed
        _check_shape((*(provenance.scale * size for size in shape[:2]), *shape[2:]), format)


def _check_shape(shape: tuple[int, ...], format: str) -> None:
    (height, width), most, samples = shape[:2], _KINDS[format].most, math.prod(shape[2:])
    found = f"found {height}×{width}; write .png or .tif, which hold more"
    if max(height, width) > most:
        raise FormatError(f"{format} holds at most {most} rows or columns; {found}")
    if format == "BMP" and height * -(-width * samples // 4) * 4 > _MOST_BMP:
        raise FormatError(f"BMP holds at most 4 GiB; {found}")


def _encode(output: Output, format: str) -> Encoded:
    import imageio.v3 as imageio

    pixels, kind = output.pixels, _KINDS[format]
    refuse_dtype(pixels, format, ("uint8",))
    _check_shape(pixels.shape, format)
    if kind.greys_only and pixels.ndim == 3:
        raise FormatError(f"{format} holds no more than 256 colours; write .png or .tif, which hold them all")
    if format == "PCX":
        _check_pcx_width(pixels.shape[1], "RGB" if pixels.ndim == 3 else "L")
    details = output.like.details if output.like else {}
    options = {name: value for name, value in details.get("info", {}).items() if name in kind.kept}
    if "dpi" in options:
        options["dpi"] = tuple(float(value) * enlargement(output) for value in options["dpi"])
    remarks = [kind.remark] if kind.remark else []
    text = None if output.provenance is None else text_of(output.provenance)
    if text and format == "WebP":
        packet = xmp.packet(text, options.get("xmp", b""))
        if packet is None:
            remarks.append("the original's XMP is damaged: it is kept, and what made this file is not written into it")
        else:
            options["xmp"] = packet
    if text and format == "GIF":
        options["comment"] = _comment(text) + (b"\n" + options["comment"] if "comment" in options else b"")
    data = imageio.imwrite(
        "<bytes>",
        np.ascontiguousarray(pixels),
        plugin="pillow",
        extension=kind.suffix,
        is_batch=False,
        **kind.options,
        **options,
    )
    if details.get("change"):
        remarks.append(f"the original has {details['change']}; written with 8 bits per sample")
    if format == "WebP" and pixels.ndim == 2:
        remarks.append("WebP has no grey: written as RGB of the same values")
    if text and format == "JPEG":  # a comment before the original's, which readers take for the one: T.81 B.2.4.5
        segment = _comment(text)
        data = data[:2] + b"\xff\xfe" + (2 + len(segment)).to_bytes(2, "big") + segment + data[2:]
    return Encoded(data, remarks)


def _comment(text: str) -> bytes:
    return f"{KEYWORD} {text}".encode()


def _split(comment: bytes | None) -> tuple[str | None, bytes]:
    """Our record in a comment, and the rest of it."""
    first, _, rest = (comment or b"").partition(b"\n")
    ours = _comment("")
    return (first[len(ours) :].decode("latin-1"), rest) if first.startswith(ours) else (None, comment or b"")


def _made_jpeg(path: Path) -> str | None:
    """Of the first comment that is ours."""
    data = path.read_bytes()
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise FormatError("truncated JPEG: its end is missing; copy or download it again")
    comments = (_split(data[begin:end])[0] for marker, begin, end in segments(data) if marker == _COM)
    return next(filter(None, comments), None)


def _made_webp(path: Path) -> str | None:
    with open(path, "rb") as stream:
        size = int.from_bytes(stream.read(8)[4:], "little")
        if path.stat().st_size < 8 + size:
            raise FormatError("truncated WebP: its end is missing; copy or download it again")
        stream.seek(0)
        with _opened(stream, "WebP") as image:
            return xmp.text_in(image.metadata(index=0).get("xmp") or b"")


def _made_gif(path: Path) -> str | None:
    with open(path, "rb") as stream:
        stream.seek(-1, 2)
        if stream.read(1) != b";":
            raise FormatError("truncated GIF: its end is missing; copy or download it again")
        stream.seek(0)
        with _opened(stream, "GIF") as image:
            return _split(image.metadata(index=0).get("comment"))[0]


PLACES = {"JPEG": _made_jpeg, "WebP": _made_webp, "GIF": _made_gif}  #: where there is a place for a provenance
