"""`fsrcnn-np dicom send`: files and folders to a peer, at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import FormatError, FsrcnnError, unreadable
from .library import IMPLICIT, UNCOMPRESSED
from .sending import Link, Outcome, Outgoing, wait_seconds
from .settings import Forward
from .web_sending import WebLink


def find_objects(paths: Sequence[Path]) -> Iterator[tuple[Path, Outgoing | FsrcnnError]]:
    """The DICOM objects below folders, and the files that are named: whatever is none of those is an error."""
    number = 0
    for path in paths:
        if not path.exists():
            yield path, unreadable(path, FileNotFoundError())
            continue
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            try:
                found = _object(file, number)
            except FsrcnnError as error:
                yield file, error
                continue
            if found is not None:
                number += 1
                yield file, found
            elif not path.is_dir():
                yield file, FormatError(f"{file}: no DICOM object")


def send_files(link: Link | WebLink, objects: Sequence[Outgoing], *, tries: int, forward: Forward) -> Iterator[Outcome]:
    """Send objects; those for which the peer has no room now, or which it did not answer for, several times."""
    rest = list(objects)
    for attempt in range(tries):
        again = []
        for outcome in link.deliver(rest):
            if outcome.kind == "retry" and attempt < tries - 1:
                again.append(outcome.number)
            else:
                yield outcome
        rest = [each for each in rest if each.number in again]
        if not rest:
            return
        time.sleep(wait_seconds(attempt, forward))


def _object(path: Path, number: int) -> Outgoing | None:
    """What a file holds; None: no DICOM object, or a DICOMDIR, which stands for files and is not sent."""
    from ..files.dicom import bare
    from ..files.dicom.library import import_pydicom, quiet

    pydicom = import_pydicom()
    try:
        with open(path, "rb") as stream:
            head = stream.read(132)
        if head[128:] != b"DICM" and not bare(head):
            return None
        with quiet():
            header = pydicom.dcmread(
                path, force=True, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"]
            )
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:
        raise FormatError(
            f"{path}: damaged: its header cannot be read ({type(error).__name__}); copy or download it again"
        ) from error
    meta = header.file_meta
    syntax = str(meta.get("TransferSyntaxUID") or "")
    sop_class = str(header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    if sop_class == "1.2.840.10008.1.3.10":  # DICOMDIR
        return None
    if not sop_class:
        raise FormatError(f"{path}: has no (0008,0016) SOP Class UID, and cannot be sent; give an image that has")
    whole = bool(syntax) and meta.get("MediaStorageSOPClassUID") == sop_class and "MediaStorageSOPInstanceUID" in meta
    if not syntax:
        implicit, little = header.original_encoding
        syntax = IMPLICIT if implicit else UNCOMPRESSED[0 if little else 2]
    uid = str(header.get("SOPInstanceUID") or meta.get("MediaStorageSOPInstanceUID") or "")
    return Outgoing(number, path, sop_class, syntax, bare=not whole, uid=uid)
