"""What in a DICOM object is the size of a pixel, or the place of one in the patient, scaled with the pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fsrcnn_np.files.dicom.library import import_pydicom, name

_SPACINGS = (
    "ImagerPixelSpacing",
    "PixelSpacing",
    "NominalScannedPixelSpacing",
    "ImagePlanePixelSpacing",
    "ObjectPixelSpacingInCenterOfBeam",
)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


def scale_geometry(derived: Any, scale: int, remarks: list[str]) -> None:
    """Divide the spacings and move the first pixels, also those of every frame of an enhanced object."""
    _move_first_pixels(derived, scale)
    for item in (derived, *functional_groups(derived)):
        for keyword in _SPACINGS:
            if keyword in item:
                _divide(item, keyword, scale, remarks)
        if item.get("FrameType"):
            item.FrameType = ["DERIVED", *values_of(item.FrameType)[1:]]


def functional_groups(dataset: Any) -> Iterator[Any]:
    """Every item of the shared and per-frame functional groups: PS3.3 C.7.6.16."""
    for keyword in _GROUPS:
        for group in dataset.get(keyword) or ():
            yield from _macros(group)


def values_of(value: Any) -> list[Any]:
    """An element's value as a list, whatever its multiplicity."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str | float | int) else list(value)


def decimals(item: Any, keyword: str, count: int) -> list[float] | None:
    """The finite numbers of an element, if it holds so many of them; else None."""
    try:
        numbers = [float(value) for value in values_of(item[keyword].value)]
    except (KeyError, TypeError, ValueError):  # absent, empty, or text where a number should be
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def decimal_string(value: float) -> Any:
    """A number as DS, which has at most 16 characters: PS3.5 6.2."""
    return import_pydicom().valuerep.DSfloat(float(value), auto_format=True)


def leave_out(item: Any, keyword: str, why: str, remarks: list[str]) -> None:
    """Delete an element that cannot be right for the new pixels, and say so."""
    tag = import_pydicom().tag.Tag(keyword)
    raw = item.get_item(tag).value
    shown = raw.decode("latin-1", "replace") if isinstance(raw, bytes) else str(raw)
    del item[tag]
    remarks.append(f"{name(tag)} {keyword} is {shown.strip()[:40]!r}, {why}, and is left out")


def _divide(item: Any, keyword: str, scale: int, remarks: list[str]) -> None:
    numbers = decimals(item, keyword, 2)
    if numbers is None or min(numbers) <= 0:
        empty = not item.get_item(import_pydicom().tag.Tag(keyword)).value
        if not empty:
            leave_out(item, keyword, "no two positive numbers", remarks)
        return
    item[keyword].value = [decimal_string(number / scale) for number in numbers]


def _macros(group: Any) -> Iterator[Any]:
    for element in group:
        yield from element.value or () if element.VR == "SQ" else ()


def _move_first_pixels(derived: Any, scale: int) -> None:
    """(0020,0032) is the centre of the first pixel, and the new pixels are smaller: PS3.3 C.7.6.2.1.1.

    Position, orientation and spacing stand in the data set, in the shared functional groups or in a frame's own.
    """
    shared = [derived, *(m for group in derived.get(_GROUPS[0]) or () for m in _macros(group))]
    scopes = [[*_macros(group), *shared] for group in derived.get(_GROUPS[1]) or ()] or [shared]
    moved: list[Any] = []
    for scope in scopes:
        owners = [next((item for item in scope if item.get(keyword)), None) for keyword in _PLACE]
        if None in owners or any(owners[0] is item for item in moved):
            continue
        place = [decimals(owner, key, count) for owner, key, count in zip(owners, _PLACE, (3, 6, 2), strict=True)]
        if any(numbers is None for numbers in place):
            continue
        position, axes, (between_rows, between_columns) = (np.array(numbers) for numbers in place)
        step = axes[:3] * between_columns + axes[3:] * between_rows
        new = position + step * (1 / scale - 1) / 2
        owner: Any = owners[0]
        owner.ImagePositionPatient = [decimal_string(value) for value in new]
        moved.append(owner)
