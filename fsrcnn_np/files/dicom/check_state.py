"""A presentation state against the one that was carried over from it; rules of its own, like `check.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fsrcnn_np.files.dicom.breach import Breach, breach, has_code, identity, numbers, value_of

STATES = "1.2.840.10008.5.1.4.1.1.11."  # their SOP classes begin so: PS3.4 B.5
_KEPT = (
    "SOPClassUID", "Modality", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "SpecificCharacterSet",
    "ContentLabel", "ContentDescription", "ContentCreatorName", "PresentationCreationDate", "PresentationCreationTime",
    "ImageRotation", "ImageHorizontalFlip", "PresentationLUTShape", "RescaleSlope", "RescaleIntercept", "ShutterShape",
    "ShutterPresentationValue", "ShutterOverlayGroup",
)  # fmt: skip
_MUST_HAVE_A_VALUE = (  # PS3.3 C.11.10, C.11.11, C.10.4, C.12.1
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "ContentLabel",
    "PresentationCreationDate", "PresentationCreationTime", "ReferencedSeriesSequence",
    "DisplayedAreaSelectionSequence",
)  # fmt: skip
_SHUTTERS = (
    "ShutterLeftVerticalEdge", "ShutterRightVerticalEdge", "ShutterUpperHorizontalEdge", "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter", "RadiusOfCircularShutter", "VerticesOfThePolygonalShutter",
)  # fmt: skip
# Keyword → the keyword of its units, PS3.3 C.10.5; in PIXEL and MATRIX they move with the pixels, in DISPLAY they stay.
_GRAPHICS = {
    "BoundingBoxTopLeftHandCorner": "BoundingBoxAnnotationUnits",
    "BoundingBoxBottomRightHandCorner": "BoundingBoxAnnotationUnits",
    "AnchorPoint": "AnchorPointAnnotationUnits",
    "GraphicData": "GraphicAnnotationUnits",
}
_COMPOUND = ("GraphicData", "RotationPoint", "GapLength", "DiameterOfVisibility")
_STAY = ("GraphicType", "CompoundGraphicType", "UnformattedTextValue", "GraphicLayer", "PresentationSizeMode")


def state_breaches(source: Any, derived: Any) -> list[Breach]:
    """Hold two presentation states against each other. By how much the pixels grew, the displayed areas tell."""
    scale = _scale(source, derived)
    found = list(identity(source, derived, scale))
    for keyword in _KEPT:
        if value_of(source, keyword) != value_of(derived, keyword):
            rule = "a state says of the new images what it said of the old: PS3.3 C.11"
            found.append(breach(keyword, rule, value_of(derived, keyword), value_of(source, keyword)))
    for keyword in _MUST_HAVE_A_VALUE:
        if not derived.get(keyword):
            rule = "type 1, a value is needed: PS3.5 7.4.1"
            found.append(breach(keyword, rule, None, "a value", inherited=not source.get(keyword)))
    equipment = derived.get("ContributingEquipmentSequence") or ()
    if not any(has_code(item.get("PurposeOfReferenceCodeSequence"), "109102") for item in equipment):
        rule = "109102 DCM Processing Equipment: PS3.3 C.12.1, PS3.16 CID 7005"
        found.append(breach("ContributingEquipmentSequence", rule, "no such item", "109102"))
    found += _references(source, derived)
    if scale < 2:
        rule = "the displayed area grows with the pixels, by a whole number: PS3.3 C.10.4"
        return [*found, breach("DisplayedAreaBottomRightHandCorner", rule, "as before", "2 or more times as much")]
    found += _shutters(source, derived, scale)
    for sequence, each in (
        ("DisplayedAreaSelectionSequence", _area),
        ("GraphicAnnotationSequence", _annotation),
        ("SoftcopyVOILUTSequence", _window),
    ):
        found += _sequence(source, derived, sequence, scale, each)
    return found


def _scale(source: Any, derived: Any) -> int:
    extents = []
    for state in (source, derived):
        area = next(iter(state.get("DisplayedAreaSelectionSequence") or ()), None)
        corners = [numbers(area, f"DisplayedArea{corner}HandCorner") for corner in ("TopLeft", "BottomRight")]
        if area is None or None in corners:
            return 0
        (left, _), (right, _) = corners  # type: ignore[misc]
        extents.append(right - left + 1)
    whole = extents[1] / extents[0] if extents[0] else 0
    return int(whole) if whole == int(whole) else 0


Rule = Callable[[Any, Any, int], Iterator[Breach]]


def _sequence(source: Any, derived: Any, keyword: str, scale: int, rule: Rule) -> Iterator[Breach]:
    """Item by item; where images were left out, each of the new items is one of the old ones, in their order."""
    old, new = list(source.get(keyword) or ()), list(derived.get(keyword) or ())
    if len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from rule(one, other, scale)
        return
    rest = iter(old)
    for number, other in enumerate(new, 1):
        if not any(not list(rule(one, other, scale)) for one in rest):
            yield breach(
                keyword, "what is shown of the old images is shown of the new: PS3.3 C.10", number, "an old item"
            )


def _references(source: Any, derived: Any) -> Iterator[Breach]:
    old, new = _referenced(source), _referenced(derived)
    if stale := old & new:
        rule = "it refers to the derived images, and to nothing else: PS3.3 C.11.11"
        yield breach("ReferencedSOPInstanceUID", rule, min(stale), "a derived image's")
    listed = {
        reference.get("ReferencedSOPInstanceUID")
        for series in derived.get("ReferencedSeriesSequence") or ()
        for reference in series.get("ReferencedImageSequence") or ()
    }
    if other := new - listed:
        rule = "every image of it is listed with its series: PS3.3 C.11.11"
        yield breach("ReferencedSeriesSequence", rule, "not listed", min(map(str, other)))
    series = [
        {item.get("SeriesInstanceUID") for item in state.get("ReferencedSeriesSequence") or ()}
        for state in (source, derived)
    ]
    if series[0] & series[1]:
        yield breach("SeriesInstanceUID", "the derived images' series is another: PS3.3 C.11.11", "the old", "the new")


def _referenced(state: Any) -> set[str]:
    found = set()
    for element in state.iterall():
        if element.keyword == "ReferencedSOPInstanceUID":
            found.add(str(element.value))
    return found


def _shutters(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    for keyword in _SHUTTERS:
        before, after = numbers(source, keyword), numbers(derived, keyword)
        if before is None and after is None:
            continue
        fits = before and after and len(before) == len(after)
        if not fits or any(abs(a - b * scale) > scale for a, b in zip(after or (), before or (), strict=True)):
            rule = "shutters move with the pixels, to within what one of them became: PS3.3 C.7.6.11"
            yield breach(keyword, rule, after, f"about {[b * scale for b in before or ()]}")


def _area(old: Any, new: Any, scale: int) -> Iterator[Breach]:
    rule = "it shows the same part of the image, as large as before: PS3.3 C.10.4"
    yield from _same(old, new, "DisplayedAreaTopLeftHandCorner", lambda v: (v - 1) * scale + 1, rule)
    yield from _same(old, new, "DisplayedAreaBottomRightHandCorner", lambda v: v * scale, rule)
    for keyword in ("PresentationPixelSpacing", "PresentationPixelMagnificationRatio"):
        yield from _same(old, new, keyword, lambda v: v / scale, rule)
    yield from _same(old, new, "PresentationPixelAspectRatio", lambda v: v, rule)
    yield from _text(old, new)


def _annotation(old: Any, new: Any, scale: int) -> Iterator[Breach]:
    yield from _text(old, new)
    for keyword in ("TextObjectSequence", "GraphicObjectSequence", "CompoundGraphicSequence"):
        both = list(old.get(keyword) or ()), list(new.get(keyword) or ())
        if len(both[0]) != len(both[1]):
            yield breach(keyword, "no graphic is lost: PS3.3 C.10.5", len(both[1]), len(both[0]))
        for one, other in zip(*both, strict=False):
            yield from _graphic(one, other, scale)


def _graphic(old: Any, new: Any, scale: int) -> Iterator[Breach]:
    yield from _text(old, new)
    units = dict(_GRAPHICS)
    if "CompoundGraphicUnits" in old:
        units |= dict.fromkeys(_COMPOUND, "CompoundGraphicUnits")
    for keyword, unit in units.items():
        factor = 1 if old.get(unit) == "DISPLAY" else scale
        rule = f"graphics in {old.get(unit)} units {'move with the pixels' if factor > 1 else 'stay'}: PS3.3 C.10.5.1.2"
        yield from _same(old, new, keyword, lambda v, factor=factor: v * factor, rule)  # type: ignore[misc]
        if value_of(old, unit) != value_of(new, unit):
            yield breach(unit, "units stay", value_of(new, unit), value_of(old, unit))


def _window(old: Any, new: Any, scale: int) -> Iterator[Breach]:
    for keyword in ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"):
        if value_of(old, keyword) != value_of(new, keyword):
            yield breach(keyword, "values are shown as they were: PS3.3 C.11.2", new.get(keyword), old.get(keyword))


def _text(old: Any, new: Any) -> Iterator[Breach]:
    for keyword in _STAY:
        if value_of(old, keyword) != value_of(new, keyword):
            yield breach(keyword, "it says what it said", value_of(new, keyword), value_of(old, keyword))


def _same(old: Any, new: Any, keyword: str, moved: Callable[[float], float], rule: str) -> Iterator[Breach]:
    before, after = numbers(old, keyword), numbers(new, keyword)
    expected = None if before is None else [moved(value) for value in before]
    if expected is None and after is None:
        return
    if expected is None or after is None or len(after) != len(expected) or not np.allclose(after, expected, rtol=1e-5):
        yield breach(keyword, rule, after, expected)
