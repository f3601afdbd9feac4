"""Presentation states of an original, carried over to the images that were derived of it: PS3.3 A.33.

What is told in pixels of the image (displayed area, graphics, shutters, overlays) moves with the pixels; the references
go to the derived images; how values are shown stays. All of it follows from the state and those images: the same again
gives the same bytes.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.atomic import check_place, write_bytes
from fsrcnn_np.files.dicom.check_state import state_breaches
from fsrcnn_np.files.dicom.coordinates import scale_coordinates, scale_overlays
from fsrcnn_np.files.dicom.derived import REMOVED, series_number, set_meta, text_before
from fsrcnn_np.files.dicom.elements import leave_out_unreadable, leave_out_unwritable, to_little_endian
from fsrcnn_np.files.dicom.encoding import transfer_syntax
from fsrcnn_np.files.dicom.geometry import decimal_string
from fsrcnn_np.files.dicom.library import import_pydicom, name, quiet, with_items
from fsrcnn_np.files.dicom.opening import begins_as_one, opened
from fsrcnn_np.files.dicom.texts import as_stored
from fsrcnn_np.files.dicom.uids import remap, uid_of
from fsrcnn_np.files.picture import NoPicture

_CLASS = "1.2.840.10008.5.1.4.1.1.11."
#: Grayscale, Color and Pseudo-Color Softcopy Presentation State Storage: PS3.4 B.5.
_CARRIED = (_CLASS + "1", _CLASS + "2", _CLASS + "3")
_IN_PIXELS = ("PIXEL", "MATRIX")  # units of graphics: PS3.3 C.10.5.1.2


def is_state(path: Path) -> bool:
    """Whether a file is a presentation state of any kind."""
    try:
        if not begins_as_one(path):
            return False
        with quiet():
            found = import_pydicom().dcmread(path, force=True, stop_before_pixels=True, specific_tags=["SOPClassUID"])
        return str(found.get("SOPClassUID") or "").startswith(_CLASS)
    except Exception:  # damaged, or not there: whoever reads it will say so
        return False


def carry_over(
    path: Path,
    images: Iterable[tuple[Path, Path]],
    destination: Path,
    *,
    remap_uids: str = "",
    overwrite: bool = False,
) -> list[str]:
    """Write the state for derived images; give remarks.

    Parameters
    ----------
    path : Path
        Of the presentation state.
    images : iterable of (Path, Path)
        Originals, and what was derived of them; more than the state refers to, if need be.
    destination : Path
    remap_uids : str
        The text that the derived images' UIDs were mapped with, if they were.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    NoPicture
        It refers to none of the images, or is a state of another kind. One line, with the file.
    FormatError
        Damaged, or it says something that cannot be moved with the pixels.
    OutputExists, OutputDiffers, FileError
        As of `fsrcnn_np.files.write`.
    """
    check_place(destination)
    remarks: list[str] = []
    try:
        with quiet():
            data = _carried(path, list(images), remap_uids, remarks)
    except FormatError as error:
        raise type(error)(f"{path}: {error}") from error
    except OSError:
        raise
    except Exception as error:  # whatever a damaged state makes pydicom raise
        raise FormatError(
            f"{path}: damaged or unreadable: {' '.join(str(error).split())[:200]}; copy or download it again"
        ) from error
    write_bytes(destination, data, overwrite=overwrite)
    return remarks


@dataclass(frozen=True)
class _Image:
    """An image that was derived."""

    header: Any
    scale: int


def _carried(path: Path, images: list[tuple[Path, Path]], remap_uids: str, remarks: list[str]) -> bytes:
    original = opened(path).dataset
    kind = str(original.get("SOPClassUID") or "")
    if kind not in _CARRIED:
        raise NoPicture(
            f"(0008,0016) SOPClassUID {kind} is a presentation state of another kind; carried over are Grayscale, "
            "Color and Pseudo-Color Softcopy Presentation States"
        )
    if not original.get("SOPInstanceUID"):
        raise FormatError("has no (0008,0018) SOPInstanceUID: damaged; copy or download it again")
    state = copy.deepcopy(original)
    to_little_endian(state, original)
    leave_out_unreadable(state, remarks)
    if remap_uids:
        remap(state, remap_uids)
    before = copy.deepcopy(state)
    used = _refer(state, _by_source(images, remap_uids), remarks)
    scales = sorted({image.scale for image in used})
    if len(scales) > 1:
        raise FormatError(f"refers to images enlarged by {' and '.join(map(str, scales))}; make them with one model")
    scale = scales[0]
    _scale_overlays(state, used, scale, remarks)
    _scale_shutters(state, used, scale, remarks)
    _scale_areas(state, scale)
    _scale_graphics(state, scale)
    _set_identity(state, used, scale, remarks)
    leave_out_unwritable(state, remarks)
    broken = [breach for breach in state_breaches(before, state) if not breach.inherited]
    if broken:
        raise FormatError(f"cannot be carried over: {broken[0]}; mend it in what made it")
    stream = io.BytesIO()
    state.preamble = bytes(128)
    with as_stored(state):
        import_pydicom().dcmwrite(stream, state, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return stream.getvalue()


def _by_source(images: list[tuple[Path, Path]], remap_uids: str) -> dict[str, _Image]:
    """The original's SOP Instance UID, mapped as the derived object's are, → what was derived of it."""
    found = {}
    for source, derived in images:
        if not (begins_as_one(source) and begins_as_one(derived)):
            continue
        old, new = opened(source).dataset, opened(derived).dataset
        if remap_uids:
            remap(old, remap_uids)
        made_of = [item.get("ReferencedSOPInstanceUID") for item in new.get("SourceImageSequence") or ()]
        if old.get("SOPInstanceUID") in made_of:  # else another file's result lay there, and was kept
            found[str(old.SOPInstanceUID)] = _Image(new, int(new.Rows) // int(old.Rows))
    return found


def _refer(state: Any, images: dict[str, _Image], remarks: list[str]) -> list[_Image]:
    """Put the derived images in the originals' place, at any depth: PS3.3 C.11.11, C.10.4, C.10.5, C.11.8."""
    used: dict[str, _Image] = {}
    missing: set[str] = set()

    def mapped(references: Any) -> list[Any]:
        new = []
        for reference in references or ():
            uid = str(reference.get("ReferencedSOPInstanceUID"))
            if uid not in images:
                missing.add(uid)
                continue
            used[uid] = images[uid]
            reference.ReferencedSOPClassUID = images[uid].header.SOPClassUID
            reference.ReferencedSOPInstanceUID = images[uid].header.SOPInstanceUID
            new.append(reference)
        return new

    def walk(dataset: Any) -> None:
        for element in [element for element in dataset if element.VR == "SQ" and element.value]:
            kept = []
            for item in element.value:
                if "ReferencedImageSequence" in item:
                    item.ReferencedImageSequence = mapped(item.ReferencedImageSequence)
                    if not item.ReferencedImageSequence:  # without any it would be meant for all
                        continue
                else:
                    walk(item)
                kept.append(item)
            element.value = kept
            if not kept:
                del dataset[element.tag]

    uid_of_series = {str(image.header.SOPInstanceUID): str(image.header.SeriesInstanceUID) for image in images.values()}
    walk(state)
    if not used:
        raise NoPicture("refers to none of the images that were super-resolved here")
    series: dict[str, Any] = {}
    for item in state.get("ReferencedSeriesSequence") or ():
        for reference in item.get("ReferencedImageSequence") or ():
            uid = uid_of_series[str(reference.ReferencedSOPInstanceUID)]
            if uid not in series:
                series[uid] = copy.deepcopy(item)
                series[uid].SeriesInstanceUID, series[uid].ReferencedImageSequence = uid, []
            series[uid].ReferencedImageSequence.append(reference)
    state.ReferencedSeriesSequence = list(series.values())
    if missing:
        remarks.append(f"{len(missing)} of the images that it refers to were not super-resolved here, and are left out")
    return list(used.values())


def _scale_overlays(state: Any, used: list[_Image], scale: int, remarks: list[str]) -> None:
    """Its own overlays, also as shutters (PS3.3 C.7.6.15); those that it shows of the images, PS3.3 C.11.7."""
    shown = {}
    groups = sorted({tag.group for tag in list(state.keys()) if 0x6000 <= tag.group <= 0x60FF and not tag.group % 2})
    for group in groups:
        if (group, 0x3000) not in state and (group, 0x1001) in state:
            element = state[group, 0x1001]
            for tag in [tag for tag in list(state.keys()) if tag.group == group]:
                del state[tag]
            if all((group, 0x3000) in image.header for image in used):
                shown[element.tag] = element
            else:
                remarks.append(f"{name(element.tag)} shows an overlay that the new images have not, and is left out")
    scale_overlays(state, scale, remarks)
    for element in shown.values():
        state.add(element)
    shutter = state.get("ShutterOverlayGroup")
    if shutter is not None and (int(shutter), 0x3000) not in state:
        raise FormatError(
            f"(0018,1623) ShutterOverlayGroup {int(shutter):04X} cannot be moved with the pixels; leave the shutter out"
        )


def _scale_shutters(state: Any, used: list[_Image], scale: int, remarks: list[str]) -> None:
    """PS3.3 C.7.6.11: the same for all images of the state, whose sizes its vertices' rule needs."""
    sizes = sorted({(int(image.header.Rows), int(image.header.Columns)) for image in used})
    if len(sizes) > 1 and any(element.keyword.startswith(_SHUTTERS) for element in state):
        raise FormatError("has a shutter for images of several sizes, which is not carried over; split it by image")
    scale_coordinates(state, scale, remarks, sizes[0])


_SHUTTERS = ("VerticesOfThePolygonalShutter", "CenterOfCircularShutter", "ShutterLeft", "ShutterRight")


def _scale_areas(state: Any, scale: int) -> None:
    """PS3.3 C.10.4: pixels count from 1, whole ones are meant, and the area may be larger than the image."""
    for area in state.get("DisplayedAreaSelectionSequence") or ():
        for keyword, shift in (("DisplayedAreaTopLeftHandCorner", 1), ("DisplayedAreaBottomRightHandCorner", 0)):
            if area.get(keyword) is not None:
                area[keyword].value = [(int(value) - shift) * scale + shift for value in area[keyword].value]
        if area.get("PresentationPixelSpacing"):
            area.PresentationPixelSpacing = [
                decimal_string(float(value) / scale) for value in area.PresentationPixelSpacing
            ]
        if area.get("PresentationPixelMagnificationRatio") is not None:  # of screen to image pixels
            area.PresentationPixelMagnificationRatio = float(area.PresentationPixelMagnificationRatio) / scale


def _scale_graphics(state: Any, scale: int) -> None:
    """PS3.3 C.10.5.1.2: in PIXEL and MATRIX units 0\\0 is the first pixel's outer corner; DISPLAY units stay."""
    for item, keywords in _graphics(state):
        for keyword in keywords:
            if item.get(keyword) is not None:
                value = item[keyword].value
                many = not isinstance(value, int | float | str)
                new = [float(number) * scale for number in (value if many else [value])]
                item[keyword].value = new if many else new[0]


def _graphics(state: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for item in with_items(state):
        for units, keywords in (
            ("BoundingBoxAnnotationUnits", ("BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner")),
            ("AnchorPointAnnotationUnits", ("AnchorPoint",)),
            ("GraphicAnnotationUnits", ("GraphicData",)),
            ("CompoundGraphicUnits", ("GraphicData", "RotationPoint", "GapLength", "DiameterOfVisibility")),
        ):
            if item.get(units) in _IN_PIXELS:
                yield item, keywords


def _set_identity(state: Any, used: list[_Image], scale: int, remarks: list[str]) -> None:
    """A new instance in a new series of the study: PS3.3 C.12.1, C.11.9."""
    images = sorted(str(image.header.SOPInstanceUID) for image in used)
    series = sorted({str(image.header.SeriesInstanceUID) for image in used})
    equipment = copy.deepcopy(used[0].header.ContributingEquipmentSequence[-1])
    equipment.ContributionDescription = f"Presentation state carried over to images super-resolved x{scale}"
    software, version = str(equipment.Manufacturer), str(equipment.SoftwareVersions)
    for keyword in (*REMOVED, "InstanceCreationDate", "InstanceCreationTime", "DataSetTrailingPadding"):
        if keyword in state and keyword != "MaskSubtractionSequence":
            delattr(state, keyword)
    state.SeriesInstanceUID = uid_of(f"{state.get('SeriesInstanceUID')} presentation {series}")
    state.SeriesNumber = series_number(state, remarks)
    ours = f" x{scale}"
    before = text_before(state, "SeriesDescription", remarks) or "Presentation"
    state.SeriesDescription = (before[: 64 - len(ours)] + ours).strip()
    state.SOPInstanceUID = uid_of(f"{state.SOPInstanceUID} presentation {images} {software} {version}")
    state.ContributingEquipmentSequence = [*(state.get("ContributingEquipmentSequence") or ()), equipment]
    set_meta(state, transfer_syntax("explicit"), software, version)
    state.file_meta.MediaStorageSOPInstanceUID = state.SOPInstanceUID
