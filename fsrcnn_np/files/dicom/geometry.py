"""What in a DICOM object is measured in pixels, or is the size of one, scaled with the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.files.dicom.reading import import_pydicom

_SPACINGS = (
    "ImagerPixelSpacing",
    "PixelSpacing",
    "NominalScannedPixelSpacing",
    "ImagePlanePixelSpacing",
    "ObjectPixelSpacingInCenterOfBeam",
)


def scale_geometry(derived: Any, scale: int) -> None:
    """Divide the spacings and move the first pixel, also in the functional groups of an enhanced (one-frame) object."""
    items = [derived, *_functional_groups(derived)]
    _move_first_pixel(items, scale)
    for item in items:
        for keyword in _SPACINGS:
            if item.get(keyword):
                item[keyword].value = [_ds(float(value) / scale) for value in item[keyword].value]
        if item.get("FrameType"):
            item.FrameType = ["DERIVED", *values_of(item.FrameType)[1:]]


def scale_pixel_coordinates(derived: Any, scale: int, remarks: list[str]) -> None:
    """Scale shutters and collimators (PS3.3 C.7.6.11, C.8.7.3), which count pixels from 1.

    An edge on a pixel includes all that becomes of it; one outside the image (0 or the size + 1) stays just outside.
    `derived` has its new Rows and Columns already.
    """

    def first(pixel: int) -> int:
        return (pixel - 1) * scale + 1 if pixel >= 1 else pixel * scale

    def last(pixel: int, size: int) -> int:
        return pixel * scale if pixel * scale <= size else (pixel - 1) * scale + 1

    def last_column(pixel: int) -> int:
        return last(pixel, derived.Columns)

    def last_row(pixel: int) -> int:
        return last(pixel, derived.Rows)

    def centre(pixel: int) -> int:
        return round((pixel - 0.5) * scale + 0.5)

    def length(pixels: int) -> int:
        return pixels * scale

    rules: dict[str, Callable[[int], int]] = {}
    for kind in ("Shutter", "Collimator"):
        rules |= {f"{kind}LeftVerticalEdge": first, f"{kind}UpperHorizontalEdge": first}
        rules |= {f"{kind}RightVerticalEdge": last_column, f"{kind}LowerHorizontalEdge": last_row}
        rules |= {f"CenterOfCircular{kind}": centre, f"VerticesOfThePolygonal{kind}": centre}
        rules |= {f"RadiusOfCircular{kind}": length}
    scaled = [keyword for keyword in rules if values_of(derived.get(keyword))]
    for keyword in scaled:
        values = [rules[keyword](int(value)) for value in values_of(derived[keyword].value)]
        derived[keyword].value = values if len(values) > 1 else values[0]
    if scaled:
        remarks.append(f"in pixel coordinates, scaled: {', '.join(scaled)}")


def scale_overlays(derived: Any, scale: int, remarks: list[str]) -> None:
    """Repeat each bit of the overlay planes (PS3.3 C.9.2); planes inside unused pixel bits are gone with these bits."""
    groups = sorted({e.tag.group for e in derived if 0x6000 <= e.tag.group <= 0x60FF and not e.tag.is_private})
    for group in groups:
        name = f"overlay ({group:04X},xxxx)"
        rows, columns, data = ((group, element) for element in (0x0010, 0x0011, 0x3000))
        frames = derived[group, 0x0015].value or 1 if (group, 0x0015) in derived else 1
        if not all(tag in derived and derived[tag].value for tag in (rows, columns, data)) or frames != 1:
            for element in [e.tag for e in derived if e.tag.group == group]:
                del derived[element]
            remarks.append(f"{name} cannot be scaled and is left out")
            continue
        height, width = derived[rows].value, derived[columns].value
        bits = np.unpackbits(np.frombuffer(derived[data].value, np.uint8), bitorder="little")[: height * width]
        packed = np.packbits(repeated(bits.reshape(height, width), scale), bitorder="little").tobytes()
        derived[data].value = packed + b"\0" * (len(packed) % 2)
        derived[rows].value, derived[columns].value = height * scale, width * scale
        if (group, 0x0050) in derived:  # origin, row\column, counted from 1
            derived[group, 0x0050].value = [(int(v) - 1) * scale + 1 for v in derived[group, 0x0050].value]
        remarks.append(f"{name} is scaled")


def repeated(array: NDArray[Any], scale: int) -> NDArray[Any]:
    """Every element `scale` times in both directions."""
    return array.repeat(scale, axis=0).repeat(scale, axis=1)


def values_of(value: Any) -> list[Any]:
    """An element's value as a list, whatever its multiplicity."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str | float | int) else list(value)


def _functional_groups(dataset: Any) -> Iterator[Any]:
    """Every item of the shared and per-frame functional groups: PS3.3 C.7.6.16."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in dataset.get(keyword) or ():
            for element in group:
                yield from element.value or () if element.VR == "SQ" else ()


def _move_first_pixel(items: list[Any], scale: int) -> None:
    """(0020,0032) is the centre of the first pixel, and the new pixels are smaller: PS3.3 C.7.6.2.1.1."""
    keywords = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    owners: list[Any] = [next((item for item in items if item.get(keyword)), None) for keyword in keywords]
    if None in owners:
        return
    position, axes, (between_rows, between_columns) = (
        np.array([float(value) for value in owner[keyword].value])
        for owner, keyword in zip(owners, keywords, strict=True)
    )
    step = axes[:3] * between_columns + axes[3:] * between_rows
    owners[0].ImagePositionPatient = [_ds(value) for value in position + step * (1 / scale - 1) / 2]


def _ds(value: float) -> Any:
    return import_pydicom().valuerep.DSfloat(float(value), auto_format=True)  # at most 16 characters: PS3.5 6.2
