"""Source against derived: whether a derived DICOM object is what the standard asks of one.

Written beside `derived.py` on purpose and shares none of its code: it looks at what is in the two objects, with rules
of its own, so that a fault of the writer is found and not repeated; pixels are decoded by the one reader. Validators
that see the derived object alone pass one with a stale Image Type, a stale series and a spacing that was not divided.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, FsrcnnError, unreadable
from fsrcnn_np.files.dicom.breach import Breach, breach, has_code, identity, numbers, tag_of, value_of
from fsrcnn_np.files.dicom.check_state import STATES, state_breaches
from fsrcnn_np.files.dicom.library import name, quiet
from fsrcnn_np.files.dicom.opening import begins_as_one, opened
from fsrcnn_np.files.dicom.reading import stored_words
from fsrcnn_np.files.dicom.uids import remap

_KEPT = (  # PS3.3 C.7.1.1, C.7.2.1, C.7.2.2, C.7.4.1: patient, study, frame of reference
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "SOPClassUID",
    "Modality", "PresentationIntentType", "BurnedInAnnotation", "ImageLaterality", "Laterality", "ViewPosition",
    "NumberOfFrames", "SpecificCharacterSet",
)  # fmt: skip
_HOW_VALUES_ARE_SHOWN = (  # PS3.3 C.7.6.3, C.11.1, C.11.2: these mean the same for the new pixels
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "RescaleIntercept", "RescaleSlope", "RescaleType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign",
    "PresentationLUTShape", "PixelPaddingValue", "PixelPaddingRangeLimit", "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit", "DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit",
)  # fmt: skip
_OF_THE_DETECTOR = (  # PS3.3 C.8.11.4
    "DetectorElementSpacing", "DetectorElementPhysicalSize", "EstimatedRadiographicMagnificationFactor",
    "FieldOfViewOrigin", "FieldOfViewDimensions", "DistanceSourceToDetector",
)  # fmt: skip
_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing", "ImagePlanePixelSpacing")
_EDGES = re.compile(
    r"(Shutter|Collimator|ExposureControlSensingRegion)(Left|Right|Upper|Lower)(Vertical|Horizontal)Edge"
)
_OF_THE_OLD_INSTANCE = (  # PS3.3 C.12.1, C.7.6.16: said of the very object that held them
    "InstanceCreationDate", "InstanceCreationTime", "InstanceCreatorUID", "SOPAuthorizationDateTime",
    "SOPInstanceStatus", "ConcatenationUID", "DigitalSignaturesSequence", "MACParametersSequence",
)  # fmt: skip
_MUST_HAVE_A_VALUE = (  # type 1 of the modules that every image has: PS3.3 C.7.2.1, C.7.3.1, C.7.6.3, C.12.1
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SamplesPerPixel",
    "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip
_OF_INTEGERS = ("BitsStored", "HighBit", "PixelRepresentation")  # float pixels have none: PS3.3 C.7.6.24, C.7.6.25
_FLOATS = ("FloatPixelData", "DoubleFloatPixelData")
_MUST_BE_THERE = (  # type 2: may be empty
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber",
)  # fmt: skip
_LOSSY = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(50|51|81|91|93|203|10\d)")


def check_files(source: str | PathLike[str], derived: str | PathLike[str], *, remap_uids: str = "") -> list[Breach]:
    """Hold a derived object against its source, pixels too.

    Parameters
    ----------
    source, derived : path-like
        DICOM files: two images, or two presentation states.
    remap_uids : str
        The text that the derived object's UIDs were mapped with, if they were.

    Returns
    -------
    list of Breach
        Empty: none was found.

    Raises
    ------
    FileError
        One of the files cannot be read.
    FormatError
        One of them is no DICOM image, nor are both presentation states.
    """
    read = [_opened(Path(path)) for path in (source, derived)]
    try:
        return _broken(Path(source), Path(derived), read, remap_uids)
    except FsrcnnError:
        raise
    except Exception as error:  # pydicom converts a value when it is looked at, and raises anything then
        what = f"{type(error).__name__}: {error}"
        raise FormatError(
            f"{source}, {derived}: one of them has a value that cannot be read ({what}); copy or download it again"
        ) from error


def _broken(source: Path, derived: Path, read: list[Any], remap_uids: str) -> list[Breach]:
    with quiet():
        read[0] = mapped(read[0], remap_uids)
        states = [str(one.get("SOPClassUID") or "").startswith(STATES) for one in read]
        if all(states):
            return state_breaches(*read)
        for path, one in zip((source, derived), read, strict=True):
            if not isinstance(one.get("Rows"), int) or not isinstance(one.get("Columns"), int):
                raise FormatError(
                    f"{path}: has no (0028,0010) Rows and (0028,0011) Columns: no image, or damaged; give an image"
                )
        if read[1].get("SOPInstanceUID") in _sources(read[0]):
            raise FormatError(f"{source}: says that it was derived from {derived}; give the source first")
        return [*breaches(*read), *_pixel_breaches((source, derived), *read)]


def _sources(derived: Any) -> list[Any]:
    """The instances that an object says it was derived from: PS3.3 C.7.6.1.1.4."""
    return [item.get("ReferencedSOPInstanceUID") for item in derived.get("SourceImageSequence") or ()]


def mapped(source: Any, remap_uids: str) -> Any:
    """The source as an object with mapped UIDs has to be held against it."""
    if not remap_uids:
        return source
    source = copy.deepcopy(source)
    remap(source, remap_uids)
    return source


def breaches(source: Any, derived: Any) -> list[Breach]:
    """Hold two data sets against each other, all but the values of their pixels."""
    scale = _scale(source, derived)
    found: list[Breach] = []
    for rule in _RULES:
        found += rule(source, derived, scale)
    return found


Words = NDArray[Any]
Rule = Callable[[Any, Any, int], Iterator[Breach]]


def _opened(path: Path) -> Any:
    """The data set; of the element that holds the pixels its name alone."""
    try:
        if not begins_as_one(path):
            raise FormatError("is no DICOM file: it does not begin as one; give one")
        with quiet():
            found = opened(path)
            if found.pixels is not None:
                found.dataset.add_new(found.pixels.keyword, found.pixels.vr, b"")
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:
        raise FormatError(
            f"{path}: is no DICOM file that can be read: {' '.join(str(error).split())}; give one, or copy it again"
        ) from error
    return found.dataset


def _scale(source: Any, derived: Any) -> int:
    return max(1, round(derived.Rows / max(1, source.Rows)))


def _size(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    for keyword in ("Rows", "Columns"):
        if scale < 2 or derived[keyword].value != scale * source[keyword].value:
            rule = "the size is a whole multiple of the source's, the same for both"
            yield breach(keyword, rule, derived[keyword].value, f"{max(scale, 2)} · {source[keyword].value}")


def _kept(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    colours = str(source.get("PhotometricInterpretation") or "").strip().upper() or None
    became_rgb = (
        colours != derived.get("PhotometricInterpretation") and derived.get("PhotometricInterpretation") == "RGB"
    )
    for keywords, rule in (
        (_KEPT, "what identifies and orders the image is the source's: PS3.3 C.7"),
        (_HOW_VALUES_ARE_SHOWN, "stored values mean what they meant: PS3.3 C.7.6.3, C.11"),
        (_OF_THE_DETECTOR, "it describes the detector, not the pixels: PS3.3 C.8.11.4"),
    ):
        for keyword in keywords:
            if keyword in ("BitsAllocated", "BitsStored", "HighBit") and became_rgb:
                continue
            old, new = value_of(source, keyword), value_of(derived, keyword)
            if old != new and not (keyword == "HighBit" and old is None):
                yield breach(keyword, rule, new, old)
    if colours != derived.get("PhotometricInterpretation") and not (became_rgb and colours not in _GREY):
        yield breach(
            "PhotometricInterpretation",
            "polarity and colours are kept",
            derived.get("PhotometricInterpretation"),
            colours,
        )
    private = {e for e in list(source.keys()) if e.is_private and e.element and not _is_left_out(source, e)}
    for tag in sorted(private - set(derived.keys())):
        yield Breach(
            name(tag), "private elements are kept: only their maker knows what they say", "none", "kept", False
        )


_GREY = ("MONOCHROME1", "MONOCHROME2")


def _is_left_out(dataset: Any, tag: Any) -> bool:
    """An icon, compressed as the old pixels were; or of an unknown VR, which nobody can write."""
    try:
        element = dataset[tag]
        return element.VR == "SQ" and any("PixelData" in item for item in element.value or ())
    except Exception:
        return True


def _derivation(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    kind = list(derived.get("ImageType") or [])
    if kind[:1] != ["DERIVED"]:
        yield breach("ImageType", "value 1 of derived pixels is DERIVED: PS3.3 C.7.6.1.1.2", kind or None, "DERIVED")
    old = list(source.get("ImageType") or [])
    if kind[1:2] != (old[1:2] or kind[1:2]):
        yield breach("ImageType", "value 2 tells of the examination: PS3.3 C.7.6.1.1.2", kind[1:2], old[1:2])
    said = str(derived.get("DerivationDescription") or "")
    if said == str(source.get("DerivationDescription") or "") or not re.search(r"[0-9a-f]{64}", said):
        rule = "it names the model, its sha256 and the version: PS3.3 C.7.6.1.1.3"
        yield breach("DerivationDescription", rule, said or None, "the derivation")
    if not has_code(derived.get("DerivationCodeSequence"), "113085"):
        yield breach(
            "DerivationCodeSequence", "113085 DCM Spatial resampling: PS3.16 CID 7203", "no such item", "113085"
        )
    references = [
        item
        for item in derived.get("SourceImageSequence") or ()
        if item.get("ReferencedSOPInstanceUID") == source.get("SOPInstanceUID")
    ]
    if not references:
        rule = "the source is referred to: PS3.3 C.12.4"
        yield breach("SourceImageSequence", rule, "no such item", source.get("SOPInstanceUID"))
    elif not any(has_code(item.get("PurposeOfReferenceCodeSequence"), "121322") for item in references):
        yield breach("SourceImageSequence", "its purpose is 121322 DCM: PS3.16 CID 7202", "no such code", "121322")
    equipment = derived.get("ContributingEquipmentSequence") or ()
    if not any(has_code(item.get("PurposeOfReferenceCodeSequence"), "109102") for item in equipment):
        rule = "109102 DCM Processing Equipment: PS3.3 C.12.1, PS3.16 CID 7005"
        yield breach("ContributingEquipmentSequence", rule, "no such item", "109102")
    for group in (
        *(derived.get("SharedFunctionalGroupsSequence") or ()),
        *(derived.get("PerFrameFunctionalGroupsSequence") or ()),
    ):
        for element in group:
            for item in element.value or () if element.VR == "SQ" else ():
                if item.get("FrameType") and item.FrameType[0] != "DERIVED":
                    yield breach(
                        "FrameType", "value 1 of derived frames is DERIVED: PS3.3 C.8.16.1.1", item.FrameType, "DERIVED"
                    )


def _of_the_old_instance(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    for keyword in _OF_THE_OLD_INSTANCE:
        if keyword in derived and value_of(derived, keyword) == value_of(source, keyword):
            yield breach(keyword, "it was said of the source alone: PS3.3 C.12.1", value_of(derived, keyword), "none")
    was_lossy = source.get("LossyImageCompression") == "01" or bool(
        _LOSSY.fullmatch(str(getattr(source, "file_meta", {}).get("TransferSyntaxUID") or ""))
    )
    if was_lossy and derived.get("LossyImageCompression") != "01":
        rule = "once lossy is always lossy: PS3.3 C.7.6.1.1.5"
        yield breach("LossyImageCompression", rule, derived.get("LossyImageCompression"), "01")


def _geometry(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    for old, new in _pairs(source, derived):
        for keyword in _SPACINGS:
            before, after = numbers(old, keyword), numbers(new, keyword)
            usable = before is not None and len(before) == 2 and min(before) > 0
            expected = [number / scale for number in before] if usable and before else None
            if keyword in new and (expected is None or after is None or not np.allclose(after, expected, rtol=1e-6)):
                if keyword in old or expected is None:
                    rule = "pixels are smaller, and the distance of their centres with them: PS3.3 10.7.1.1"
                    yield breach(keyword, rule, value_of(new, keyword), expected)
            elif expected is not None and keyword not in new:
                yield breach(keyword, "the size of a pixel is not lost: PS3.3 10.7.1.1", None, expected)
            if keyword in new and any(
                len(str(part)) > 16 for part in str(value_of(new, keyword) or "").strip("[]").split(", ")
            ):
                yield breach(
                    keyword, "DS has at most 16 characters: PS3.5 6.2", value_of(new, keyword), "16 characters"
                )
        place, moved = numbers(old, "ImagePositionPatient"), numbers(new, "ImagePositionPatient")
        spacing, axes = _inherited(source, old, "PixelSpacing"), _inherited(source, old, "ImageOrientationPatient")
        if place and spacing and axes and len(place) == 3 and len(axes) == 6 and len(spacing) == 2:
            step = np.array(axes[:3]) * spacing[1] + np.array(axes[3:]) * spacing[0]
            expected = list(np.array(place) - step * (scale - 1) / (2 * scale))
            if moved is None or not np.allclose(moved, expected, rtol=0, atol=1e-3 * float(np.abs(step).max())):
                rule = "the first pixel's centre moves, since pixels are smaller: PS3.3 C.7.6.2.1.1"
                yield breach("ImagePositionPatient", rule, moved, expected)


def _pairs(source: Any, derived: Any) -> Iterator[tuple[Any, Any]]:
    """The data sets, and every item of their functional groups that stands in the same place."""
    yield source, derived
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for old, new in zip(source.get(keyword) or (), derived.get(keyword) or (), strict=False):
            for element in old:
                if element.VR == "SQ" and element.tag in new:
                    yield from zip(element.value or (), new[element.tag].value or (), strict=False)


def _inherited(source: Any, item: Any, keyword: str) -> list[float] | None:
    """From the item itself, the data set, or the first shared item that has it."""
    for place in (item, source):
        if keyword in place:
            return numbers(place, keyword)
    for group in source.get("SharedFunctionalGroupsSequence") or ():
        for element in group:
            for macro in element.value or () if element.VR == "SQ" else ():
                if keyword in macro:
                    return numbers(macro, keyword)
    return None


def _coordinates(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    """Pixel coordinates lie where their pixel lies now, to within what one pixel became."""
    for old, new in _pairs(source, derived):
        for element in _elements(old):
            keyword = element.keyword
            vertices = keyword.startswith(("VerticesOfThePolygonal", "CenterOfCircular", "VerticesOfTheRegion"))
            if not (vertices or _EDGES.fullmatch(keyword)) or keyword not in new:
                continue
            before, after = numbers(old, keyword), numbers(new, keyword)
            if before is None or after is None or len(before) != len(after):
                continue
            if any(abs(a - b * scale) > scale for a, b in zip(after, before, strict=True)):
                rule = "shutters, collimators and regions move with the pixels: PS3.3 C.7.6.11, C.8.7.3, C.7.6.16.2"
                yield breach(keyword, rule, after, f"about {[b * scale for b in before]}")
    for group in {tag.group for tag in list(derived.keys()) if 0x6000 <= tag.group <= 0x60FF and not tag.group % 2}:
        for place in (0x0010, 0x0011):
            if (group, place) in source and (group, place) in derived:
                old, new = source[group, place].value, derived[group, place].value
                if new != old * scale:
                    yield Breach(
                        f"({group:04X},{place:04X})",
                        "overlays grow with the pixels: PS3.3 C.9.2",
                        str(new),
                        f"{old * scale}",
                    )
    frames = int(derived.get("NumberOfFrames") or 1)
    groups = derived.get("PerFrameFunctionalGroupsSequence")
    if groups and len(groups) != frames:
        yield breach("PerFrameFunctionalGroupsSequence", "one item a frame: PS3.3 C.7.6.16", len(groups), frames)


def _elements(dataset: Any) -> list[Any]:
    found = []
    for tag in list(dataset.keys()):
        try:
            found.append(dataset[tag])
        except Exception:  # an element that cannot be read says nothing
            continue
    return found


def _holds_floats(dataset: Any) -> bool:
    """Also of a header alone."""
    header = "PixelData" not in dataset and "BitsStored" not in dataset and dataset.get("BitsAllocated") in (32, 64)
    return header or any(keyword in dataset for keyword in _FLOATS)


def _modules(source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    for keyword in _MUST_HAVE_A_VALUE:
        if keyword in _OF_INTEGERS and _holds_floats(source):
            continue
        if value_of(derived, keyword) is None:
            inherited = value_of(source, keyword) is None
            yield breach(keyword, "type 1, a value is needed: PS3.5 7.4.1", None, "a value", inherited=inherited)
    for keyword in _MUST_BE_THERE:
        if keyword not in derived:
            yield breach(
                keyword,
                "type 2, may be empty but must be there: PS3.5 7.4.3",
                None,
                "present",
                inherited=keyword not in source,
            )
    bits = derived.get("BitsStored")
    if isinstance(bits, int) and derived.get("HighBit") != bits - 1:
        inherited = source.get("HighBit") != source.get("BitsStored", 0) - 1
        yield breach(
            "HighBit",
            "one less than Bits Stored: PS3.3 C.7.6.3.1.1",
            derived.get("HighBit"),
            bits - 1,
            inherited=inherited,
        )
    if derived.get("SamplesPerPixel") == 3 and derived.get("PlanarConfiguration") not in (0, 1):
        yield breach(
            "PlanarConfiguration",
            "type 1C with colours: PS3.3 C.7.6.3.1.3",
            derived.get("PlanarConfiguration"),
            "0 or 1",
        )
    if derived.get("IconImageSequence") and value_of(derived, "IconImageSequence") == value_of(
        source, "IconImageSequence"
    ):
        yield breach("IconImageSequence", "an icon shows its own image: PS3.3 C.7.6.1.1.6", "the source's", "none")


def _pixel_breaches(paths: tuple[Path, Path], source: Any, derived: Any) -> Iterator[Breach]:
    """Values within Bits Stored, the right number of them, and padding where it was; one frame in memory at a time."""
    keyword = next((keyword for keyword in _FLOATS if keyword in source), "PixelData")
    tag, scale = tag_of(keyword), _scale(source, derived)
    if keyword not in derived:
        yield Breach(tag, "integers stay integers, and floats floats: PS3.3 C.7.6.24", "none", "pixels")
        return
    try:
        frames = [stored_words(path) for path in paths]
        for number, (old, new) in enumerate(zip(*frames, strict=True), 1):
            yield from _frame_breaches(f"{tag}, frame {number}", old, new, source, derived, scale)
    except Exception as error:  # whatever keeps them from being decoded
        yield Breach(tag, "the pixels of both can be decoded: PS3.5 8.2", " ".join(str(error).split())[:120], "pixels")


def _frame_breaches(tag: str, old: Words, new: Words, source: Any, derived: Any, scale: int) -> Iterator[Breach]:
    if new.shape[:2] != (old.shape[0] * scale, old.shape[1] * scale):
        yield Breach(tag, "as many pixels as the header says: PS3.3 C.7.6.3", f"{new.shape}", f"{scale} · {old.shape}")
        return
    if old.ndim != 2 or new.ndim != 2:
        return
    floats = _holds_floats(source)
    padded = _float_padding(old, source) if floats else _padding(old, source)
    large, words = (array.repeat(scale, 0).repeat(scale, 1) for array in (padded, old))
    if count := int((new[large] != words[large]).sum()):
        yield Breach(tag, "padding comes back as padding: PS3.3 C.7.5.1.1.2", f"{count} other values", "the source's")
    if floats:
        if not np.isfinite(new[~large].view(f"f{new.itemsize}")).all():
            yield Breach(tag, "pixels that are no padding are numbers", "inf or nan", "finite values")
        return
    new, bits = new[~large], int(derived.BitsStored)
    above, ones = new >> bits if bits < derived.BitsAllocated else new * 0, (1 << derived.BitsAllocated - bits) - 1
    negative = (new >> (bits - 1) & 1).astype(bool) if derived.PixelRepresentation else np.zeros(new.shape, bool)
    if ((above != 0) & ~(negative & (above == ones))).any():
        yield Breach(tag, "values have Bits Stored bits: PS3.5 8.1.1", f"up to {int(new.max())}", f"{bits} bits")


def _padding(words: Words, source: Any) -> NDArray[np.bool_]:
    """Where the words, taken round at Bits Allocated, lie from the least to the greatest value that means padding."""
    value = numbers(source, "PixelPaddingValue")
    if not value:
        return np.zeros(words.shape, np.bool_)
    both = [int(number) for number in (*value, *(numbers(source, "PixelPaddingRangeLimit") or value))]
    low, count = min(both), max(both) - min(both)
    return (words.astype(np.uint64) - np.uint64(low % (1 << 64))) % np.uint64(1 << source.BitsAllocated) <= count


def _float_padding(words: Words, source: Any) -> NDArray[np.bool_]:
    """The same of floats, among which no number, too, can mean padding."""
    kind = "Float" if words.itemsize == 4 else "DoubleFloat"
    if f"{kind}PixelPaddingValue" not in source:
        return np.zeros(words.shape, np.bool_)
    value = float(source[f"{kind}PixelPaddingValue"].value)
    limit = float(source.get(f"{kind}PixelPaddingRangeLimit", value))
    values = words.view(f"f{words.itemsize}")
    return (np.isnan(values) & np.isnan(value)) | ((values >= min(value, limit)) & (values <= max(value, limit)))


_RULES: tuple[Rule, ...] = (
    _size,
    identity,
    _kept,
    _derivation,
    _of_the_old_instance,
    _geometry,
    _coordinates,
    _modules,
)
