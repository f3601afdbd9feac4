"""Drawings, as matplotlib writes them: where PNG, SVG and PDF say what made them."""

from __future__ import annotations

import re
from pathlib import Path

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files import png
from fsrcnn_np.files.picture import Provenance
from fsrcnn_np.files.record import KEYWORD, text_of

SUFFIXES = (".svg", ".pdf")  #: a PNG is read as any picture is
_IN_SVG = re.compile(f"<!--{KEYWORD} ({{.*?}})-->".encode())
_IN_PDF = re.compile(f"^%{KEYWORD} ({{.*}})$".encode(), re.MULTILINE)
_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")  # ISO 32000-1, 7.5.5


def marked(data: bytes, provenance: Provenance) -> bytes:
    """A drawing's bytes with the record in it: an iTXt chunk, or a comment before the end."""
    text = text_of(provenance)
    if data.startswith(png.SIGNATURE):
        return png.marked(data, text)
    if data.startswith(b"%PDF"):
        end = _END.search(data)
        again = b"startxref\n" + end[1] + b"\n%%EOF\n" if end else b""
        return data + f"%{KEYWORD} {text}\n".encode() + again
    at = data.rindex(b"</svg>")
    escaped = text.replace("--", "-\\u002d")  # "--" would end the comment: XML 1.0, 2.5
    comment = f"<!--{KEYWORD} {escaped}-->\n"
    return data[:at] + comment.encode() + data[at:]


def made(path: Path) -> str | None:
    """The record in an SVG or a PDF; a FormatError where its end is missing."""
    data = path.read_bytes()
    if data.startswith(b"%PDF"):
        whole, pattern = _END.search(data) is not None, _IN_PDF
    else:
        whole, pattern = data.rstrip().endswith(b"</svg>"), _IN_SVG
    if not whole:
        raise FormatError("is cut, or no drawing: its end is missing; copy or download it again")
    found = pattern.search(data)
    return found[1].decode("ascii", "replace") if found else None
