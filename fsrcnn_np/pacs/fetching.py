"""`fsrcnn-np dicom fetch`: the objects of a study from a DICOMweb archive, each checked before it has its name."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from piqe_np.line import unnamed

from ..errors import DiskFullError, FileError, FsrcnnError
from ..files.atomic import write_bytes
from .sending import wait_seconds
from .settings import Forward, Limits
from .web import Web, WebError
from .web_asking import Instance, find, retrieve
from .whole import NotWhole, facts_of


class Fetched(NamedTuple):
    """What became of one: `line` says why it is not there; `kept`: it was there already; `full`: no other will be."""

    path: Path
    line: str = ""
    kept: bool = False
    full: bool = False


def fetch(
    web: Web, folder: Path, study: str, *, series: str = "", uid: str = "", tries: int, forward: Forward, limits: Limits
) -> Iterator[Fetched]:
    """Find and retrieve; what is in the folder already is not retrieved again.

    A file is named by a hash of its SOP Instance UID: the same object always has the same name, and the name tells
    nothing of it.

    Raises
    ------
    WebError
        The archive does not say what it has.
    """
    rest = [*_found(web, study, series, uid, tries, forward)]
    for attempt in range(tries):
        again = []
        for wanted in rest:
            path = folder / f"{hashlib.sha256(wanted.uid.encode()).hexdigest()[:32]}.dcm"
            try:
                there = _is_there(path, wanted)
                if not there and path.exists():
                    raise FileError(f"{path}: is there and is another object or none; move it away to fetch this one")
                if not there:
                    _fetch(web, wanted, path, limits)
                yield Fetched(path, kept=there)
            except WebError as error:
                if attempt < tries - 1:
                    again.append(wanted)
                else:
                    yield Fetched(path, str(error))
            except FsrcnnError as error:
                yield Fetched(path, unnamed(path, error), full=isinstance(error, DiskFullError))
        rest = again
        if not rest:
            return
        time.sleep(wait_seconds(attempt, forward))


def _found(web: Web, study: str, series: str, uid: str, tries: int, forward: Forward) -> list[Instance]:
    for attempt in range(tries):
        try:
            return [*find(web, study, series, uid)]
        except WebError:
            if attempt == tries - 1:
                raise
            time.sleep(wait_seconds(attempt, forward))
    return []


def _is_there(path: Path, wanted: Instance) -> bool:
    if not path.exists():
        return False
    with contextlib.suppress(NotWhole):
        return facts_of(path).uid == wanted.uid
    return False


def _fetch(web: Web, wanted: Instance, path: Path, limits: Limits) -> None:
    def write(stream: BinaryIO) -> None:
        retrieve(web, wanted, stream, limits.object_bytes)
        stream.flush()
        facts = facts_of(Path(stream.name))
        if Instance(facts.study, facts.series, facts.uid) != wanted:
            raise WebError(f"{web.root} gave another object than was asked for; ask the archive's administrator")

    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < limits.free_bytes:
        raise DiskFullError(f"{path}: less than {limits.free_bytes} bytes are free on the disk; make room")
    write_bytes(path, write, overwrite=False)
