"""Whose image it is: what a DICOM says of patient, side and view, held against what the cohort says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import FormatError
from ..files import Picture

COLUMNS = ("patient", "breast", "view")
SIDES = ("L", "R")
SEQUENCES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")  # of a multi-frame object
#: PS3.16 CID 4014: views of mammography, by their codes in SNOMED CT and, before that, SNOMED RT.
VIEWS = {
    "399162004": "CC", "R-10242": "CC",
    "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM",
    "399099002": "LMO", "R-10230": "LMO",
    "399196006": "FB", "R-10244": "FB",
    "399188001": "SIO", "R-102D0": "SIO",
    "441555000": "ISO", "R-40AAA": "ISO",
    "399192008": "XCCL", "R-1024A": "XCCL",
    "399101009": "XCCM", "R-1024B": "XCCM",
}  # fmt: skip


class Contradiction(FormatError):
    """The cohort says one thing and the DICOM another."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column


def identity(picture: Picture, claims: Mapping[str, str]) -> dict[str, str]:
    """Patient, breast and view, as far as the DICOM or the cohort tells.

    Parameters
    ----------
    picture : Picture
    claims : mapping
        Of the cohort; what it lacks is taken from the DICOM.

    Raises
    ------
    Contradiction
        Both are there and differ.
    """
    known = {column: claims[column] for column in COLUMNS if claims.get(column)}
    dataset = picture.details.get("dataset") if picture.format == "DICOM" else None
    for column, tag, found in _told(dataset) if dataset is not None else ():
        said = known.setdefault(column, found)
        if said != found:
            raise Contradiction(column, f"the cohort says {said!r}, the DICOM's {tag} {found!r}; correct the cohort")
    return known


def _told(dataset: Any) -> Iterator[tuple[str, str, str]]:
    """Column, tag and value of what the DICOM says, once a column."""
    if patient := _text(dataset, "PatientID"):
        yield "patient", "(0010,0020) PatientID", patient
    for tag, side in _sides(dataset):
        if side in SIDES:  # B (both) is no breast
            yield "breast", tag, side
            break
    if view := _text(dataset, "ViewPosition").upper():
        yield "view", "(0018,5101) ViewPosition", view
        return
    # PS3.3 C.8.11.7: the code is what a mammogram must have, its abbreviation what it may have.
    for item in dataset.get("ViewCodeSequence") or ():
        if view := VIEWS.get(_text(item, "CodeValue"), ""):
            yield "view", "(0054,0220) ViewCodeSequence", view
            return


def _sides(dataset: Any) -> Iterator[tuple[str, str]]:
    yield "(0020,0062) ImageLaterality", _text(dataset, "ImageLaterality").upper()
    # PS3.3 C.7.6.16.2.8 Frame Anatomy: of all frames, or of each.
    groups = [group for keyword in SEQUENCES for group in dataset.get(keyword) or ()]
    frames = {_text(item, "FrameLaterality").upper() for g in groups for item in g.get("FrameAnatomySequence") or ()}
    yield "(0020,9072) FrameLaterality", frames.pop() if len(frames) == 1 else ""
    yield "(0020,0060) Laterality", _text(dataset, "Laterality").upper()


def _text(dataset: Any, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")
