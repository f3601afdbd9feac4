"""QIDO-RS and WADO-RS (PS3.18 10.6, 10.4): which instances an archive has, and one of them, streamed to a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from ..errors import FsrcnnError
from .multipart import only_object
from .web import Web, WebError, means_later

_JSON = "application/dicom+json"
_ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'  # as it is stored: PS3.18 8.7.3.5.2
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_PAGE = 500  # instances that are asked for at a time
_MOST_INSTANCES = 1_000_000
_AROUND = 1 << 17  # bytes of an answer beside its object: heads and boundaries
_UID = re.compile(r"[0-9.]{1,64}")


class TooLarge(FsrcnnError):
    """An object that is larger than allowed."""


class Instance(NamedTuple):
    """Where an object is: PS3.18 8.2."""

    study: str
    series: str
    uid: str

    @property
    def path(self) -> str:
        """Below the root."""
        return f"/studies/{self.study}/series/{self.series}/instances/{self.uid}"


def is_uid(text: str) -> bool:
    """Whether a text can stand for a UID in an address."""
    return bool(_UID.fullmatch(text))


def has(web: Web, wanted: Instance) -> bool:
    """Whether the archive finds an instance where it should be; a WebError if it does not say."""
    if not all(map(is_uid, wanted)):
        raise WebError("the object has no valid UIDs to ask for; give a whole one")
    path = f"/studies/{wanted.study}/series/{wanted.series}/instances?{_INSTANCE}={wanted.uid}"
    return wanted.uid in (_value(item, _INSTANCE) for item in _asked(web, path))


def find(web: Web, study: str, series: str = "", uid: str = "") -> Iterator[Instance]:
    """The instances of a study, or of one of its series; page by page until nothing new comes."""
    place = f"/studies/{study}/series/{series}/instances" if series else f"/studies/{study}/instances"
    seen: set[str] = set()
    offset = 0
    while True:
        only = f"&{_INSTANCE}={uid}" if uid else ""
        items = _asked(web, f"{place}?limit={_PAGE}&offset={offset}&includefield={_SERIES}{only}")
        new = 0
        for item in items:
            found = Instance(_value(item, _STUDY) or study, _value(item, _SERIES) or series, _value(item, _INSTANCE))
            if not all(map(is_uid, found)) or found.study != study or (series and found.series != series):
                raise WebError(
                    f"{web.root} answered with something that was not asked for; ask the archive's administrator"
                )
            if found.uid not in seen and found.uid == (uid or found.uid):
                seen.add(found.uid)
                new += 1
                yield found
        offset += len(items)
        if not new or len(seen) > _MOST_INSTANCES:
            return


def retrieve(web: Web, wanted: Instance, target: BinaryIO, most: int) -> None:
    """Stream an instance, in the syntax in which it is stored, into a file.

    Raises
    ------
    WebError
        The archive does not give it, or not to its end.
    TooLarge
        It has more than `most` bytes.
    OSError
        The file cannot be written.
    """
    with web.open("GET", wanted.path, {"Accept": _ANY_SYNTAX}) as (answer, pieces):
        if answer.status != 200:
            away = means_later(answer.status) and answer.status != 404
            raise WebError(f"{web.root} answered HTTP {answer.status}", away=away)
        told = answer.getheader("Content-Length", "")
        if told.isascii() and told.isdigit() and int(told[:20]) > most + _AROUND:
            raise TooLarge(f"it has more than {most} bytes")
        size = 0
        for piece in only_object(answer.getheader("Content-Type", ""), pieces):
            size += len(piece)
            if size > most:
                raise TooLarge(f"it has more than {most} bytes")
            target.write(piece)


def _asked(web: Web, path: str) -> list[Any]:
    """The items of an answer; none where the archive finds nothing (204, and 404 of some)."""
    answer = web.get(path, _JSON)
    if answer.status in (204, 404):
        return []
    if answer.status not in (200, 206):
        raise WebError(f"{web.root} answered HTTP {answer.status}", away=means_later(answer.status))
    try:
        found = json.loads(answer.body) if answer.body.strip() else []
    except (ValueError, RecursionError):
        raise WebError(f"{web.root} answered with no JSON; ask the archive's administrator") from None
    if not isinstance(found, list):
        raise WebError(f"{web.root} answered with no list; ask the archive's administrator")
    return found


def _value(item: Any, tag: str) -> str:
    try:
        return str((item.get(tag, {}).get("Value") or [""])[0])
    except (AttributeError, LookupError, TypeError):
        return ""
