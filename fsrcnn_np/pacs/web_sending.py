"""STOW-RS (PS3.18 10.5): each object in a request of its own, streamed from the disk, with what became of it."""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from ..files.dicom.texts import as_stored
from .sending import Outcome, Outgoing, outcome_of, whole_data_set
from .web import BLOCK, Answer, Web, WebError, means_later

_STORED, _FAILED = "00081199", "00081198"  # Referenced SOP Sequence, Failed SOP Sequence: PS3.18 I.2
_INSTANCE, _WARNING, _REASON = "00081155", "00081196", "00081197"


class WebLink:
    """The way to an archive that speaks DICOMweb; what `sending.Link` is to one that speaks DIMSE."""

    def __init__(self, web: Web) -> None:
        self.web, self.peer = web, web.root

    def deliver(self, objects: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Send objects one after the other; where the archive is away, the rest is for later."""
        away = ""
        try:
            for each in objects:
                if away:
                    yield Outcome(each.number, "retry", away)
                    continue
                outcome = self._deliver(each)
                if isinstance(outcome, str):
                    away = outcome
                    outcome = Outcome(each.number, "retry", away)
                yield outcome
        finally:
            self.web.close()

    def _deliver(self, each: Outgoing) -> Outcome | str:
        """What became of one; a text: why nothing can be sent at all now."""
        try:
            with _opened(each) as stream:
                answer = self._post(stream)
        except WebError as error:
            return str(error) if error.away else Outcome(each.number, "retry", str(error))
        except OSError as error:
            return Outcome(each.number, "retry", f"it could not be sent ({type(error).__name__})")
        except Exception as error:  # its text may quote the object
            return Outcome(each.number, "park", f"it cannot be encoded ({type(error).__name__})")
        return self._outcome(each, answer)

    def _post(self, stream: BinaryIO) -> Answer:
        boundary = secrets.token_hex(24)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        }
        return self.web.post("/studies", headers, _body(head, stream, size, tail), len(head) + size + len(tail))

    def _outcome(self, each: Outgoing, answer: Answer) -> Outcome | str:
        """First what is said of the instance, then what HTTP says: PS3.18 10.5.3."""
        told = _told_of(answer.body, each.uid)
        if told is not None and _FAILED in told:
            return outcome_of(each.number, self.peer, told[_FAILED] or 0x0110)
        if answer.status in (200, 202) and told is not None and _STORED in told:
            return outcome_of(each.number, self.peer, told[_STORED])
        line = f"{self.peer} answered HTTP {answer.status}"
        if means_later(answer.status):
            return line
        if answer.status in (200, 202):
            return Outcome(each.number, "retry", f"{line} without a word of what became of it")
        return Outcome(each.number, "park", line)


def _told_of(text: bytes, uid: str) -> dict[str, int] | None:
    """Sequence → status, for those that name the instance: 0 or a warning, or a failure's reason. None: no JSON."""
    try:
        found = json.loads(text)
        found = found[0] if isinstance(found, list) else found
        told = {}
        for sequence, status in ((_STORED, _WARNING), (_FAILED, _REASON)):
            for item in found.get(sequence, {}).get("Value") or ():
                if _value(item, _INSTANCE, "") == uid:
                    told[sequence] = int(_value(item, status, 0))
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError):
        return None
    return told


def _value(item: Any, tag: str, default: Any) -> Any:
    return (item.get(tag, {}).get("Value") or [default])[0]


def _opened(each: Outgoing) -> BinaryIO:
    """The object as PS3.10 has it; a file without meta information is read whole and gets one."""
    if not each.bare:
        return open(each.path, "rb")
    from ..files.dicom.library import import_pydicom, quiet

    stream = io.BytesIO()
    dataset = whole_data_set(each)
    with quiet(), as_stored(dataset):
        import_pydicom().dcmwrite(stream, dataset, enforce_file_format=True)
    return stream


def _body(head: bytes, stream: BinaryIO, size: int, tail: bytes) -> Iterator[bytes]:
    yield head
    sent = 0
    while block := stream.read(BLOCK):
        sent += len(block)
        if sent > size:
            break
        yield block
    if sent != size:
        raise OSError("the file changed while it was sent")
    yield tail
