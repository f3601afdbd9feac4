"""Whose image it is: what a DICOM says of patient, side and view, held against what the cohort says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FormatError
from ..files import Picture

TAGS = {
    "patient": (("PatientID", "(0010,0020)"),),
    "breast": (("ImageLaterality", "(0020,0062)"), ("Laterality", "(0020,0060)")),
    "view": (("ViewPosition", "(0018,5101)"),),
}
ALLOWED = {"breast": ("L", "R")}  # B (both) is no breast


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
    known = {column: claims[column] for column in TAGS if claims.get(column)}
    dataset = picture.details.get("dataset") if picture.format == "DICOM" else None
    if dataset is None:
        return known
    for column, tags in TAGS.items():
        for keyword, tag in tags:
            found = _text(dataset, keyword)
            if column != "patient":
                found = found.upper()
            if not found or found not in ALLOWED.get(column, (found,)):
                continue
            said = known.setdefault(column, found)
            if said != found:
                raise Contradiction(
                    column, f"the cohort says {said!r}, the DICOM's {tag} {keyword} {found!r}; correct the cohort"
                )
            break
    return known


def _text(dataset: Any, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")
