"""A rule that a derived object breaks, and what the checks of images and of presentation states have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fsrcnn_np.files.dicom.library import import_pydicom, name
from fsrcnn_np.files.dicom.texts import garbled, stored

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


@dataclass(frozen=True)
class Breach:
    """A rule that the derived object breaks.

    Attributes
    ----------
    tag : str
        "(0028,0010) Rows".
    rule : str
        What is asked, with the part and section that asks it.
    found, expected : str
    inherited : bool
        The source breaks it as well.
    """

    tag: str
    rule: str
    found: str
    expected: str
    inherited: bool = False

    def __str__(self) -> str:
        inherited = " (so in the source, too)" if self.inherited else ""
        return f"{self.tag}: found {self.found}, expected {self.expected}: {self.rule}{inherited}"

    def as_dict(self) -> dict[str, Any]:
        """Its attributes, for JSON."""
        return asdict(self)


def tag_of(keyword: str) -> str:
    """(0028,0010) Rows."""
    return f"{name(import_pydicom().tag.Tag(keyword))} {keyword}"


def shown(value: Any) -> str:
    """A value in a line."""
    if value is None:
        return "none"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def breach(keyword: str, rule: str, found: Any, expected: Any, *, inherited: bool = False) -> Breach:
    """A breach at a keyword."""
    return Breach(tag_of(keyword), rule, shown(found), shown(expected), inherited)


def numbers(dataset: Any, keyword: str) -> list[float] | None:
    """The finite numbers of an element; None where it is missing, empty or none."""
    try:
        value = dataset[keyword].value
        values = [float(v) for v in (value if isinstance(value, list | tuple) or hasattr(value, "append") else [value])]
    except (KeyError, TypeError, ValueError):
        return None
    return values if np.isfinite(values).all() else None


def value_of(dataset: Any, keyword: str) -> str | None:
    """An element as text, with its bytes where it cannot be decoded; None where it is missing, empty, unreadable."""
    try:
        value = dataset.get(keyword)
    except Exception:  # an element that cannot be read is as good as none
        return None
    if value in (None, "") or not garbled(value):
        return None if value in (None, "") else str(value)
    return f"{value} {(stored(dataset[keyword]) or b'').rstrip(b' ')!r}"


def has_code(sequence: Any, value: str) -> bool:
    """Whether a code sequence has this code of DCM."""
    return any(
        item.get("CodeValue") == value and item.get("CodingSchemeDesignator") == "DCM" for item in sequence or ()
    )


def identity(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    """A new instance of a new series, and the meta information that says so."""
    for keyword, what in (("SOPInstanceUID", "instance"), ("SeriesInstanceUID", "series")):
        new, rule = str(derived.get(keyword) or ""), f"derived pixels are a new {what}: PS3.3 C.7.6.1.1.2, PS3.4 B.4.1"
        if not new or new == source.get(keyword):
            yield breach(keyword, rule, new or None, "a UID of its own")
        elif not _UID.fullmatch(new) or len(new) > 64:
            yield breach(keyword, "a UID has at most 64 digits and dots: PS3.5 9.1", new, "a valid UID")
    number = derived.get("SeriesNumber")
    if number not in (None, "") and number == source.get("SeriesNumber"):
        yield breach("SeriesNumber", "a new series has a number of its own", number, "another number")
    meta = getattr(derived, "file_meta", {})
    for keyword, of in (("MediaStorageSOPInstanceUID", "SOPInstanceUID"), ("MediaStorageSOPClassUID", "SOPClassUID")):
        if meta.get(keyword) != derived.get(of):
            yield breach(
                keyword, "the meta information repeats the data set's: PS3.10 7.1", meta.get(keyword), derived.get(of)
            )
