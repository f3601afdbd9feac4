"""What a JPEG, BMP, TGA or GIF holds beside its picture and does not go on into the output: named, to be remarked."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from fsrcnn_np.files.stream_sizes import segments

#: Segments of a JPEG that are kept, or are about its own coding: JFIF, Exif, colour profile, Adobe, further pictures.
_KNOWN = (b"JFIF\0", b"Exif\0", b"ICC_PROFILE\0", b"Adobe", b"MPF\0")
_NAMES = {b"http://ns.adobe.com/xap/1.0/\0": "XMP", b"http://ns.adobe.com/xmp/extension/\0": "XMP",
          b"Photoshop 3.0\0": "Photoshop (IPTC)", b"JFXX\0": "thumbnail (JFXX)"}  # fmt: skip
_PROFILES = (b"DEBM", b"KNIL")  # MBED, LINK: bV5CSType of [MS-WMF] 2.2.2.11
_FOOTER = b"TRUEVISION-XFILE.\0"


def left_out(data: bytes, format: str) -> list[str]:
    """The names of what is in a whole file of this format and is not kept.

    Parameters
    ----------
    data : bytes
        The file.
    format : str
        As `Picture.format`.
    """
    named = {"JPEG": _of_jpeg, "BMP": _of_bmp, "TGA": _of_tga, "GIF": _of_gif}.get(format)
    return list(dict.fromkeys(named(data))) if named else []


def _of_jpeg(data: bytes) -> Iterator[str]:
    comments = 0
    for marker, begin, end in segments(data):
        body = data[begin:end]
        if marker == 0xFE:
            comments += 1
        elif 0xE0 <= marker <= 0xEF and not body.startswith(_KNOWN):
            yield next((name for start, name in _NAMES.items() if body.startswith(start)), f"APP{marker - 0xE0}")
    if comments > 2:  # one, and perhaps ours
        yield "further comments"


def _of_bmp(data: bytes) -> Iterator[str]:
    """Version 5 has a place for a colour profile."""
    if len(data) > 138 and int.from_bytes(data[14:18], "little") >= 124 and data[70:74] in _PROFILES:
        yield "colour profile"


def _of_tga(data: bytes) -> Iterator[str]:
    """Truevision TGA 2.0: the places of its areas stand before the signature at its end."""
    if data.endswith(_FOOTER) and len(data) >= 44:
        extension, developer = struct.unpack_from("<II", data, len(data) - 26)
        if extension:
            yield "extension area"
        if developer:
            yield "developer area"


def _of_gif(data: bytes) -> Iterator[str]:
    """Application extensions, but that of loops: GIF89a, 26. Within pixels the same bytes are hardly to be found."""
    at = data.find(b"\x21\xff\x0b")
    while at >= 0:
        name = data[at + 3 : at + 14]
        if name.isascii() and name.decode("ascii").isprintable() and name not in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
            yield f"extension {name.decode()}"
        at = data.find(b"\x21\xff\x0b", at + 14)
