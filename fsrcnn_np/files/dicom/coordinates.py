"""What in a DICOM object is told in pixel coordinates: shutters, collimators, regions, overlays; moved with the pixels.

Pixels count from 1 there (from 0 in ultrasound regions), and a pixel becomes `scale` × `scale` of them. An edge on a
pixel includes all that becomes of it; one outside the image (0, or the size + 1) stays just outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fsrcnn_np.files.dicom.geometry import decimals, leave_out, values_of
from fsrcnn_np.files.dicom.library import with_items
from fsrcnn_np.images.padding import repeated

Rule = Callable[[list[int]], list[int]]


def scale_coordinates(derived: Any, scale: int, remarks: list[str], size: tuple[int, int] | None = None) -> None:
    """Everything but overlays, at any depth of functional groups; `size`, or Rows and Columns, are the new ones."""
    rules = _rules(scale, *(size or (int(derived.Rows), int(derived.Columns))))
    done: dict[str, None] = {}
    for item in with_items(derived):
        for keyword, rule in rules.items():
            numbers = _whole_numbers(item, keyword) if keyword in item else []
            if numbers == []:
                continue
            if numbers is None:
                leave_out(item, keyword, "no whole pixels", remarks)
                continue
            new = rule(numbers)
            item[keyword].value = new if len(new) > 1 else new[0]
            done[keyword] = None
        if (shift := decimals(item, "MaskSubPixelShift", 2)) is not None:  # PS3.3 C.7.6.10.1.2
            item.MaskSubPixelShift = [number * scale for number in shift]
            done["MaskSubPixelShift"] = None
    for region in derived.get("SequenceOfUltrasoundRegions") or ():
        _scale_ultrasound_region(region, scale, remarks)
        done["SequenceOfUltrasoundRegions"] = None
    if done:
        remarks.append(f"in pixel coordinates, scaled: {', '.join(done)}")


def scale_overlays(derived: Any, scale: int, remarks: list[str]) -> None:
    """Repeat each bit of the overlay planes (PS3.3 C.9.2); one that is incomplete is left out, and so are curves."""
    for group in _groups(derived, 0x6000):
        overlay = f"overlay ({group:04X},xxxx)"
        try:
            _scale_overlay(derived, group, scale)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = error if isinstance(error, ValueError) else "an element of it is missing, empty or no number"
            remarks.append(f"{overlay} cannot be scaled ({why}) and is left out")
            _delete(derived, group)
        else:
            remarks.append(f"{overlay} is scaled")
    for group in _groups(derived, 0x5000):
        remarks.append(f"curve ({group:04X},xxxx), retired since 2004, is left out")
        _delete(derived, group)


def _rules(scale: int, rows: int, columns: int) -> dict[str, Rule]:
    """Keyword → its new values: PS3.3 C.7.6.11, C.7.6.16.2, C.8.7.3, C.8.12.6, C.8.19.6."""

    def first(value: int) -> int:
        return (value - 1) * scale + 1 if value >= 1 else value * scale

    def last(value: int, size: int) -> int:
        return value * scale if value * scale <= size else (value - 1) * scale + 1

    def vertex(value: int, size: int) -> int:
        """1 stays the first pixel, the last stays the last; between them evenly."""
        old = size // scale
        if value < 1 or old == 1:
            return value if value < 1 else min(value, size)
        if value > old:
            return value - old + size
        return math.floor((value - 1) * (size - 1) / (old - 1) + 0.5) + 1

    def each(rule: Callable[[int], int]) -> Rule:
        return lambda values: [rule(value) for value in values]

    def pairs(values: list[int]) -> list[int]:
        """Row, column, row, column …"""
        return [vertex(value, (rows, columns)[place % 2]) for place, value in enumerate(values)]

    rules: dict[str, Rule] = {}
    for kind in ("Shutter", "Collimator", "ExposureControlSensingRegion"):
        rules |= {
            f"{kind}LeftVerticalEdge": each(first),
            f"{kind}UpperHorizontalEdge": each(first),
            f"{kind}RightVerticalEdge": each(lambda value: last(value, columns)),
            f"{kind}LowerHorizontalEdge": each(lambda value: last(value, rows)),
            f"CenterOfCircular{kind}": pairs,
            f"RadiusOfCircular{kind}": each(lambda value: value * scale),
            f"VerticesOfThePolygonal{kind}": pairs,
        }
    rules |= {
        "VerticesOfTheRegion": pairs,
        "ColumnPositionInTotalImagePixelMatrix": each(first),
        "RowPositionInTotalImagePixelMatrix": each(first),
        "TotalPixelMatrixColumns": each(lambda value: value * scale),
        "TotalPixelMatrixRows": each(lambda value: value * scale),
    }
    return rules


def _whole_numbers(item: Any, keyword: str) -> list[int] | None:
    try:
        return [int(value) for value in values_of(item[keyword].value)]
    except (TypeError, ValueError):
        return None


def _scale_ultrasound_region(region: Any, scale: int, remarks: list[str]) -> None:
    """Its corners and calibration: PS3.3 C.8.5.5. Pixels count from 0, the reference pixel's from the first corner."""
    for axis in ("X", "Y"):
        low, high = f"RegionLocationMin{axis}0", f"RegionLocationMax{axis}1"
        if low in region:
            region[low].value = int(region[low].value) * scale
        if high in region:
            region[high].value = (int(region[high].value) + 1) * scale - 1
        for end in "01":
            line = f"TMLinePosition{axis}{end}"
            if line in region:
                region[line].value = int(region[line].value) * scale + scale // 2
        volume = f"DopplerSampleVolume{axis}Position"
        if volume in region:
            region[volume].value = int(region[volume].value) * scale + scale // 2
        delta, value = f"PhysicalDelta{axis}", f"ReferencePixelPhysicalValue{axis}"
        if (numbers := decimals(region, delta, 1)) is not None:
            region[delta].value = numbers[0] / scale
            reference = decimals(region, value, 1)
            if reference is not None:  # the centre of the first of the new pixels is half a step before the old one's
                region[value].value = reference[0] - numbers[0] * (scale - 1) / (2 * scale)
        pixel = f"ReferencePixel{axis}0"
        if pixel in region:
            region[pixel].value = int(region[pixel].value) * scale


def _groups(dataset: Any, first: int) -> list[int]:
    """The repeating groups that are there, of `first` to `first` + 0xFE: PS3.5 7.6."""
    groups = {tag.group for tag in list(dataset.keys())}
    return sorted(group for group in groups if first <= group <= first + 0xFF and group % 2 == 0)


def _delete(dataset: Any, group: int) -> None:
    for tag in [tag for tag in list(dataset.keys()) if tag.group == group]:
        del dataset[tag]


def _scale_overlay(derived: Any, group: int, scale: int) -> None:
    if (group, 0x3000) not in derived:
        raise ValueError("its bits are in the pixels' unused ones")
    height, width = (int(derived[group, element].value) for element in (0x0010, 0x0011))
    frames = int(derived[group, 0x0015].value or 1) if (group, 0x0015) in derived else 1
    count = frames * height * width
    bits = np.unpackbits(np.frombuffer(derived[group, 0x3000].value, np.uint8), bitorder="little")[:count]
    if height < 1 or width < 1 or len(bits) < count:
        raise ValueError(f"{len(bits)} bits for {frames} × {height} × {width}")
    corner = None
    if (group, 0x0050) in derived:
        corner = [(int(value) - 1) * scale + 1 for value in derived[group, 0x0050].value]
    packed = np.packbits(repeated(bits.reshape(frames, height, width), scale), bitorder="little").tobytes()
    if max(height, width) * scale >= 1 << 16:
        raise ValueError(f"{height * scale} × {width * scale} are more than Overlay Rows and Columns hold")
    derived[group, 0x3000].value = packed + b"\0" * (len(packed) % 2)
    derived[group, 0x0010].value, derived[group, 0x0011].value = height * scale, width * scale
    if corner is not None:  # row\column, counted from 1
        derived[group, 0x0050].value = corner
