"""multipart/related (RFC 2387, RFC 2046) as it comes in: the one object that is in it, in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message

from .web import WebError

_MOST_HEAD = 1 << 16  # bytes before an object begins
_MOST_BOUNDARY = 70  # characters: RFC 2046 5.1.1


def only_object(content_type: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of the one application/dicom part of an answer, or of an answer that is one itself.

    Raises
    ------
    WebError
        Something else came, or less or more than one part.
    """
    header = Message()
    header["Content-Type"] = content_type
    kind = header.get_content_type()
    if kind == "application/dicom":
        yield from pieces
        return
    boundary = header.get_param("boundary")
    if kind != "multipart/related" or not isinstance(boundary, str) or not 0 < len(boundary) <= _MOST_BOUNDARY:
        raise WebError("the archive's answer is no multipart/related with a boundary; ask the archive's administrator")
    try:
        mark = b"\r\n--" + boundary.encode("ascii")
    except UnicodeEncodeError:
        raise WebError(
            "the archive's answer is no multipart/related with a boundary; ask the archive's administrator"
        ) from None
    rest = _after(b"\r\n", pieces, mark)  # the first mark may stand at the very beginning
    rest = _after(rest, pieces, b"\r\n\r\n")
    yield from _before(rest, pieces, mark)


def _after(data: bytes, pieces: Iterator[bytes], mark: bytes) -> bytes:
    """What follows a mark that must come soon."""
    while (at := data.find(mark)) < 0:
        piece = next(pieces, b"")
        if not piece or len(data) > _MOST_HEAD:
            raise WebError("the archive's answer has no object in it; ask the archive's administrator")
        data += piece
    return data[at + len(mark) :]


def _before(data: bytes, pieces: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    """What stands before a mark that must come at the end."""
    while (at := data.find(mark)) < 0:
        held = len(mark) - 1
        if len(data) > held:
            yield data[:-held]
            data = data[-held:]
        piece = next(pieces, b"")
        if not piece:
            raise WebError("the archive's answer ends within an object; ask the archive's administrator")
        data += piece
    yield data[:at]
    end = data[at + len(mark) :]
    for piece in pieces:  # to the end, so that the connection can be used again
        end = (end + piece)[: len(mark) + 2]
    if not end.startswith(b"--"):
        raise WebError(
            "the archive's answer has more than the object that was asked for; ask the archive's administrator"
        )
