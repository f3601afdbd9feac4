"""A super-resolved image as a valid derived DICOM object: what must change, what must stay, what must be said."""

from __future__ import annotations

import copy
import hashlib
import io
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.files.dicom import import_pydicom, quiet
from fsrcnn_np.files.picture import Derivation, Encoded, Picture, refuse_dtype

_NAMESPACE = uuid.UUID("6d9c5b0e-0f3c-5d0b-9a57-3f1c9f4a8f7e")  # of this project's derived UIDs
_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")
_SERIES_NUMBER_STEP = 1000
_MOST_IS = 2**31 - 1  # PS3.5 6.2, Integer String
# Transfer syntaxes that lose, and what (0028,2114) calls their method: PS3.3 C.7.6.1.1.5.
_LOSSY = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
# What speaks of the old object or of its single pixels.
_REMOVED = (
    "MaskSubtractionSequence",
    "HistogramSequence",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "SequenceOfUltrasoundRegions",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
)
_SILENTLY_REMOVED = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "DataSetTrailingPadding")


def encode(pixels: NDArray[Any], like: Picture | None, derivation: Derivation | None) -> Encoded:
    """Encode the derived object, uncompressed, Explicit VR Little Endian.

    It is a new instance in a new series of the same study. The UIDs are computed from the original's, the pixels and
    the model: the same run again gives the same object, other pixels never come under an old UID, and all images of
    one series go to one new series. Pixel padding comes back as it was in the original.

    Raises
    ------
    FormatError
        No original, or pixels of another bit depth than it has.
    OptionError
        No derivation, or the size is not the original's times its scale.
    """
    pydicom = import_pydicom()
    if like is None:
        raise FormatError("a DICOM object is only written from a DICOM original; write another format")
    if derivation is None:
        raise OptionError("a derived DICOM object must say how it was computed: give derivation=")
    scale = derivation.scale
    if pixels.shape[:2] != tuple(scale * n for n in like.pixels.shape[:2]) or pixels.ndim != like.pixels.ndim:
        raise OptionError(f"found {pixels.shape} pixels; allowed is the original's {like.pixels.shape} times {scale}")
    refuse_dtype(pixels, "this DICOM original", (like.pixels.dtype.name,))
    remarks: list[str] = []
    with quiet():
        original = like.details["dataset"]
        if not original.get("SOPClassUID") or not original.get("SOPInstanceUID"):
            raise FormatError("the original has no (0008,0016) SOPClassUID or (0008,0018) SOPInstanceUID to refer to")
        derived = copy.deepcopy(original)
        _to_little_endian(derived, original)
        pixels = _restore_padding(pixels, like, scale)
        _set_pixels(derived, pixels, remarks)
        _set_identity(derived, original, pixels, derivation)
        _set_provenance(derived, original, derivation)
        _set_lossy(derived, original, like)
        for item in (derived, *_functional_groups(derived)):
            _scale_geometry(item, scale)
        _scale_pixel_coordinates(derived, scale, remarks)
        _scale_overlays(derived, scale, remarks)
        _remove(derived, remarks)
        private = sorted({f"{element.tag.group:04X}" for element in derived if element.tag.is_private})
        if private:
            remarks.append(f"private tags are kept as they are: groups {', '.join(private)}")
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, derived, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return Encoded(stream.getbuffer(), remarks)


def _restore_padding(pixels: NDArray[Any], like: Picture, scale: int) -> NDArray[Any]:
    """Put the padding back where it was: PS3.3 C.7.5.1.1.2. Elsewhere the network would have made it ring."""
    dataset = like.details["dataset"]
    padding = dataset.get("PixelPaddingValue")
    if padding is None or like.pixels.ndim != 2:
        return pixels
    limit = dataset.get("PixelPaddingRangeLimit", padding)
    if like.pixels.dtype.kind == "i":  # some devices write these two unsigned, also where the pixels are signed
        padding, limit = (int(np.array(value).astype(like.pixels.dtype)) for value in (padding, limit))
    low, high = min(padding, limit), max(padding, limit)
    padded = (like.pixels >= low) & (like.pixels <= high)
    return np.where(_repeated(padded, scale), _repeated(like.pixels, scale), pixels)


def _repeated(array: NDArray[Any], scale: int) -> NDArray[Any]:
    return array.repeat(scale, axis=0).repeat(scale, axis=1)


def _set_pixels(derived: Any, pixels: NDArray[Any], remarks: list[str]) -> None:
    derived.Rows, derived.Columns = pixels.shape[:2]
    if pixels.ndim == 3:
        colours = derived.PhotometricInterpretation
        if colours != "RGB":
            remarks.append(f"(0028,0004) PhotometricInterpretation {colours} is written as RGB")
        derived.PhotometricInterpretation, derived.SamplesPerPixel, derived.PlanarConfiguration = "RGB", 3, 0
        bits = 8 * pixels.itemsize
        if colours == "PALETTE COLOR":
            derived.BitsAllocated, derived.BitsStored, derived.HighBit = bits, bits, bits - 1
        for kind in ("Red", "Green", "Blue"):
            for part in ("Descriptor", "Data"):
                derived.pop(import_pydicom().tag.Tag(f"{kind}PaletteColorLookupTable{part}"), None)
    for keyword, value in (("SmallestImagePixelValue", pixels.min()), ("LargestImagePixelValue", pixels.max())):
        if keyword in derived:
            derived[keyword].VR = "SS" if derived.PixelRepresentation else "US"
            derived[keyword].value = int(value)
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    derived.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))


def _set_identity(derived: Any, original: Any, pixels: NDArray[Any], derivation: Derivation) -> None:
    pydicom = import_pydicom()
    how = f"{derivation.sha256} x{derivation.scale} {derivation.version}"
    values = hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()
    derived.SOPInstanceUID = _uid(f"{original.SOPInstanceUID} {how} {values}")
    # Without a series (a damaged original) each instance gets one of its own.
    derived.SeriesInstanceUID = _uid(f"{original.get('SeriesInstanceUID') or derived.SOPInstanceUID} {how}")
    derived.SeriesNumber = min(int(original.get("SeriesNumber") or 0) + _SERIES_NUMBER_STEP, _MOST_IS)
    ours = f" FSRCNN x{derivation.scale}"
    derived.SeriesDescription = (str(original.get("SeriesDescription") or "")[: 64 - len(ours)] + ours).strip()
    now = datetime.now()
    derived.InstanceCreationDate, derived.InstanceCreationTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    derived.file_meta = meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = derived.SOPClassUID, derived.SOPInstanceUID
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    derived.preamble = bytes(128)


def _uid(name: str) -> str:
    return f"2.25.{uuid.uuid5(_NAMESPACE, name).int}"  # PS3.5 B.2: a UID from a UUID


def _set_provenance(derived: Any, original: Any, derivation: Derivation) -> None:
    # PS3.3 C.7.6.1.1.2: value 1 tells the pixels, value 2 the examination.
    derived.ImageType = ["DERIVED", *(_values(original.get("ImageType"))[1:] or ["SECONDARY"])]
    # PS3.3 C.7.6.1.1.3 and C.12.4: earlier derivations are part of the history and stay.
    before = str(original.get("DerivationDescription") or "")
    ours = (
        f"Super-resolution x{derivation.scale} by FSRCNN, model {derivation.model}, sha256 {derivation.sha256}, "
        f"fsrcnn-np {derivation.version}"
    )
    derived.DerivationDescription = f"{before[: 1024 - len(ours) - 2]}; {ours}" if before else ours
    code = _code("113085", "Spatial resampling")
    derived.DerivationCodeSequence = [*(original.get("DerivationCodeSequence") or ()), code]
    source = _item(
        ReferencedSOPClassUID=original.SOPClassUID,
        ReferencedSOPInstanceUID=original.SOPInstanceUID,
        PurposeOfReferenceCodeSequence=[_code("121322", "Source image for image processing operation")],
    )
    derived.SourceImageSequence = [source]
    equipment = _item(
        PurposeOfReferenceCodeSequence=[_code("109102", "Processing Equipment")],
        Manufacturer="fsrcnn-np",
        ManufacturerModelName=derivation.model[:64],
        SoftwareVersions=derivation.version,
        ContributionDateTime=datetime.now().strftime("%Y%m%d%H%M%S"),
        ContributionDescription=ours[:1024],
    )
    derived.ContributingEquipmentSequence = [*(original.get("ContributingEquipmentSequence") or ()), equipment]


def _item(**values: Any) -> Any:
    item = import_pydicom().dataset.Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _code(value: str, meaning: str) -> Any:
    return _item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)


def _values(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str | float | int) else list(value)


def _set_lossy(derived: Any, original: Any, like: Picture) -> None:
    """The flag is never reset, and is set when the original's own encoding lost something (PS3.3 C.7.6.1.1.5)."""
    method = _LOSSY.get(original.file_meta.TransferSyntaxUID)
    if method is None or derived.get("LossyImageCompression") == "01":
        return
    derived.LossyImageCompression = "01"
    derived.LossyImageCompressionMethod = method
    derived.LossyImageCompressionRatio = f"{like.pixels.nbytes / max(1, like.details['encoded_bytes']):.2f}"


def _functional_groups(dataset: Any) -> Iterator[Any]:
    """Every item below the functional groups of an enhanced (here: single-frame) object."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in dataset.get(keyword) or ():
            for element in group:
                yield from element.value if element.VR == "SQ" else ()


def _scale_geometry(item: Any, scale: int) -> None:
    if "ImagePositionPatient" in item and "ImageOrientationPatient" in item and "PixelSpacing" in item:
        _move_first_pixel(item, scale)
    for keyword in _SPACINGS:
        if item.get(keyword):
            item[keyword].value = [_ds(float(value) / scale) for value in item[keyword].value]
    if item.get("FrameType"):
        item.FrameType = ["DERIVED", *_values(item.FrameType)[1:]]


def _move_first_pixel(item: Any, scale: int) -> None:
    """(0020,0032) is the centre of the first pixel, and the new pixels are smaller: PS3.3 C.7.6.2.1.1."""
    position, axes = (np.array(item[k].value, float) for k in ("ImagePositionPatient", "ImageOrientationPatient"))
    between_rows, between_columns = (float(value) for value in item.PixelSpacing)
    step = axes[:3] * between_columns + axes[3:] * between_rows
    item.ImagePositionPatient = [_ds(value) for value in position + step * (1 / scale - 1) / 2]


def _ds(value: float) -> Any:
    return import_pydicom().valuerep.DSfloat(float(value), auto_format=True)  # at most 16 characters: PS3.5 6.2


def _scale_pixel_coordinates(derived: Any, scale: int, remarks: list[str]) -> None:
    """Shutters and collimators (PS3.3 C.7.6.11, C.8.7.3) count pixels from 1; `derived` has its new size already.

    An edge on a pixel includes all that becomes of it; one outside the image (0 or the size + 1) stays just outside.
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
    scaled = []
    for keyword, rule in rules.items():
        if keyword in derived and derived[keyword].value not in (None, ""):
            values = [rule(int(value)) for value in _values(derived[keyword].value)]
            derived[keyword].value = values if len(values) > 1 else values[0]
            scaled.append(keyword)
    if scaled:
        remarks.append(f"in pixel coordinates, scaled: {', '.join(scaled)}")


def _scale_overlays(derived: Any, scale: int, remarks: list[str]) -> None:
    """Overlay planes, PS3.3 C.9.2: each bit repeated; those inside unused pixel bits are gone with these bits."""
    groups = sorted({e.tag.group for e in derived if 0x6000 <= e.tag.group <= 0x60FF and not e.tag.is_private})
    for group in groups:
        name = f"overlay (60{group & 0xFF:02X},xxxx)"
        rows, columns, data = ((group, element) for element in (0x0010, 0x0011, 0x3000))
        frames = derived[group, 0x0015].value or 1 if (group, 0x0015) in derived else 1
        if not all(tag in derived and derived[tag].value for tag in (rows, columns, data)) or frames != 1:
            for element in [e.tag for e in derived if e.tag.group == group]:
                del derived[element]
            remarks.append(f"{name} cannot be scaled and is left out")
            continue
        height, width = derived[rows].value, derived[columns].value
        bits = np.unpackbits(np.frombuffer(derived[data].value, np.uint8), bitorder="little")[: height * width]
        packed = np.packbits(_repeated(bits.reshape(height, width), scale), bitorder="little").tobytes()
        derived[data].value = packed + b"\0" * (len(packed) % 2)
        derived[rows].value, derived[columns].value = height * scale, width * scale
        if (group, 0x0050) in derived:  # origin, row\column, counted from 1
            derived[group, 0x0050].value = [(int(v) - 1) * scale + 1 for v in derived[group, 0x0050].value]
        remarks.append(f"{name} is scaled")


def _remove(derived: Any, remarks: list[str]) -> None:
    for keyword in _SILENTLY_REMOVED:
        if keyword in derived:
            delattr(derived, keyword)
    removed = [keyword for keyword in _REMOVED if keyword in derived]
    for keyword in removed:
        delattr(derived, keyword)
    if removed:
        remarks.append(f"left out, not true of the new pixels: {', '.join(removed)}")
    icons = [icon for item in _with_items(derived) for icon in _remove_icons(item)]
    if icons:
        remarks.append(f"small pictures of the original are left out: {', '.join(icons)}")


def _remove_icons(item: Any) -> list[str]:
    """Icons, also private ones, are compressed as the original's pixels were, and the derived object's are not."""
    icons = [e for e in item if e.VR == "SQ" and any("PixelData" in inner for inner in e.value or ())]
    for icon in icons:
        del item[icon.tag]
    return [icon.keyword or f"({icon.tag.group:04X},{icon.tag.element:04X})" for icon in icons]


def _with_items(dataset: Any) -> Iterator[Any]:
    """The data set and every item of its sequences, at any depth; each before what lies below it."""
    yield dataset
    for element in dataset:
        for item in element.value or () if element.VR == "SQ" else ():
            yield from _with_items(item)


def _to_little_endian(derived: Any, original: Any) -> None:
    """Swap the raw words of a big-endian original; pydicom has parsed all else."""
    if original.original_encoding[1] is not False:
        return
    widths = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
    for element in derived.iterall():
        if element.VR in widths and element.value:
            element.value = np.frombuffer(element.value, f">u{widths[element.VR]}").byteswap().tobytes()
