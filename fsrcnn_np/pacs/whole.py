"""Whether a received file is one whole DICOM object, and the few facts that are needed to pass it on."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FsrcnnError

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_UNDEFINED = 0xFFFFFFFF
_LARGE = 1 << 12  # bytes; the values of larger elements stay on the disk
OURS = "fsrcnn-np"  #: what our derived objects name as the maker: PS3.3 C.12.1.1.5
_ROWS = 0x00280010
_PIXELS = {0x00287FE0, 0x7FE00008, 0x7FE00009, 0x7FE00010}  # PS3.3 C.7.6.3; the first says where they are instead
_WANTED = {_ROWS, 0x00080016, 0x00080018, 0x00080060, 0x00080068, 0x0018A001, 0x0020000D, 0x0020000E}


class NotWhole(FsrcnnError):
    """Bytes that are no DICOM object, or not all of one. The message says nothing of what is in them."""


class Facts(NamedTuple):
    """What a header says, as far as it matters for passing the object on."""

    sop_class: str
    uid: str  #: SOP Instance UID
    syntax: str  #: Transfer Syntax UID
    study: str
    series: str
    modality: str
    intent: str  #: (0008,0068) Presentation Intent Type
    ours: bool  #: made by this program
    size: int
    sha256: str  #: of the data set without the file's own head, and of the transfer syntax
    pixels: tuple[int, int] | None = None  #: where the value of the last pixel element begins and ends in the file


def facts_of(path: Path) -> Facts:
    """Read a file with its meta information to its very end, without holding its pixels.

    Raises
    ------
    NotWhole
        An element reaches beyond the end, items do not close, or what makes it an object is missing.
    """
    from ..files.dicom.library import import_pydicom, quiet

    pydicom = import_pydicom()
    try:
        with quiet(), open(path, "rb") as stream:
            pydicom.filereader.read_preamble(stream, force=False)
            meta = pydicom.filereader._read_file_meta_info(stream)
            syntax = pydicom.uid.UID(str(meta.TransferSyntaxUID))
            start = stream.tell()
            found, pixels = _walk(pydicom, stream, syntax)
            digest = hashlib.sha256(f"{syntax}\n".encode())
            stream.seek(start)
            while block := stream.read(1 << 20):
                digest.update(block)
        return _facts(found, str(syntax), os.path.getsize(path), digest.hexdigest())._replace(pixels=pixels)
    except NotWhole:
        raise
    except RecursionError:
        raise NotWhole("its sequences are nested too deep") from None
    except Exception as error:  # pydicom raises many kinds, and quotes what it read
        raise NotWhole(f"it cannot be read as DICOM ({type(error).__name__})") from None


def pixels_digest(path: Path) -> str:
    """The SHA-256 of the pixels' element as it is stored; of an object that has none, of its whole data set.

    Raises
    ------
    NotWhole
        As `facts_of`.
    """
    facts = facts_of(path)
    if facts.pixels is None:
        return facts.sha256
    digest = hashlib.sha256(f"{facts.syntax}\n".encode())
    start, end = facts.pixels
    with open(path, "rb") as stream:
        stream.seek(start)
        while block := stream.read(min(1 << 20, end - stream.tell())):
            digest.update(block)
    return digest.hexdigest()


def _walk(pydicom: Any, stream: Any, syntax: Any) -> tuple[Any, tuple[int, int] | None]:
    """The wanted elements of a data set, every element of which lies within the file; and where its pixels are."""
    size = os.fstat(stream.fileno()).st_size
    found = pydicom.dataset.Dataset()
    end, pixels = stream.tell(), None
    for element in pydicom.filereader.data_element_generator(
        stream, syntax.is_implicit_VR, syntax.is_little_endian, defer_size=_LARGE
    ):
        length = getattr(element, "length", _UNDEFINED)
        end = stream.tell() if length == _UNDEFINED else element.value_tell + length
        if end > size:
            raise NotWhole("it ends within an element")
        stream.seek(end)
        if int(element.tag) in _WANTED or int(element.tag) in _PIXELS:
            found[element.tag] = element
        if int(element.tag) in _PIXELS and hasattr(element, "value_tell"):
            pixels = (element.value_tell, end)
    stream.seek(end)
    if any(stream.read(8)):  # less than an element's head (PS3.5 7.1): zeros that mean nothing are let pass
        raise NotWhole("it ends within an element")
    if _ROWS in found and not _PIXELS & set(found.keys()):
        raise NotWhole("its pixels are missing")
    return found, pixels


def _facts(found: Any, syntax: str, size: int, sha256: str) -> Facts:
    def text(keyword: str) -> str:
        value = found.get(keyword)
        return "" if value is None else str(value).strip()

    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if len(text(keyword)) > 64 or not _UID.fullmatch(text(keyword)):
            raise NotWhole(f"it has no valid {keyword}")
    makers = [str(item.get("Manufacturer") or "") for item in found.get("ContributingEquipmentSequence") or ()]
    return Facts(
        text("SOPClassUID"),
        text("SOPInstanceUID"),
        syntax,
        text("StudyInstanceUID"),
        text("SeriesInstanceUID"),
        text("Modality"),
        text("PresentationIntentType"),
        OURS in makers,
        size,
        sha256,
    )
