"""A super-resolved image as a valid derived DICOM object: what must change, what must stay, what must be said."""

from __future__ import annotations

import copy
import hashlib
import io
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.files.dicom.geometry import repeated, scale_geometry, scale_overlays, scale_pixel_coordinates, values_of
from fsrcnn_np.files.dicom.reading import import_pydicom, quiet
from fsrcnn_np.files.picture import Encoded, Output, Picture, Provenance, refuse_dtype

_NAMESPACE = uuid.UUID("6d9c5b0e-0f3c-5d0b-9a57-3f1c9f4a8f7e")  # of this project's derived UIDs
_SERIES_NUMBER_STEP = 1000
_MOST_IS, _MOST_US = 2**31 - 1, 2**16 - 1  # PS3.5 6.2, Integer String and Unsigned Short
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


def encode(output: Output) -> Encoded:
    """Encode the derived object, uncompressed, Explicit VR Little Endian.

    It is a new instance in a new series of the same study. The UIDs are computed from the original's, the pixels and
    the model: the same run again gives the same object, other pixels never come under an old UID, and all images of
    one series go to one new series. Pixel padding comes back as it was in the original.

    Raises
    ------
    FormatError
        No original, or pixels of another bit depth than it has.
    OptionError
        No provenance, or the size is not the original's times its scale.
    """
    pydicom = import_pydicom()
    pixels, like, provenance = output.pixels, output.like, output.provenance
    if like is None:
        raise FormatError("a DICOM object is only written from a DICOM original; write another format")
    if provenance is None:
        raise OptionError("a derived DICOM object must say how it was computed: give provenance=")
    scale = provenance.scale
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
        _set_identity(derived, original, pixels, provenance)
        _set_provenance(derived, original, provenance)
        _set_lossy(derived, original, like)
        scale_geometry(derived, scale)
        scale_pixel_coordinates(derived, scale, remarks)
        scale_overlays(derived, scale, remarks)
        _remove(derived, remarks)
        private = sorted({f"{element.tag.group:04X}" for element in derived if element.tag.is_private})
        if private:
            remarks.append(f"private tags, whatever they say of the original, are kept: groups {', '.join(private)}")
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
    return np.where(repeated(padded, scale), repeated(like.pixels, scale), pixels)


def _set_pixels(derived: Any, pixels: NDArray[Any], remarks: list[str]) -> None:
    if max(pixels.shape[:2]) > _MOST_US:
        raise FormatError(f"(0028,0010) Rows and (0028,0011) Columns hold at most {_MOST_US}; found {pixels.shape}")
    derived.Rows, derived.Columns = pixels.shape[:2]
    if pixels.ndim == 3:
        colours = derived.PhotometricInterpretation
        if colours != "RGB":
            remarks.append(f"(0028,0004) PhotometricInterpretation {colours} is written as RGB")
        derived.PhotometricInterpretation, derived.SamplesPerPixel, derived.PlanarConfiguration = "RGB", 3, 0
        bits = 8 * pixels.itemsize
        if colours == "PALETTE COLOR":
            derived.BitsAllocated, derived.BitsStored, derived.HighBit = bits, bits, bits - 1
        for element in [e for e in derived if "PaletteColorLookupTable" in e.keyword]:
            del derived[element.tag]
    for keyword, value in (("SmallestImagePixelValue", pixels.min()), ("LargestImagePixelValue", pixels.max())):
        if keyword in derived:
            derived[keyword].VR = "SS" if derived.PixelRepresentation else "US"
            derived[keyword].value = int(value)
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    derived.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))


def _set_identity(derived: Any, original: Any, pixels: NDArray[Any], provenance: Provenance) -> None:
    pydicom = import_pydicom()
    how = f"{provenance.sha256} x{provenance.scale} {provenance.version}"
    values = hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()
    derived.SOPInstanceUID = _uid(f"{original.SOPInstanceUID} {how} {values}")
    # Without a series (a damaged original) each instance gets one of its own.
    derived.SeriesInstanceUID = _uid(f"{original.get('SeriesInstanceUID') or derived.SOPInstanceUID} {how}")
    derived.SeriesNumber = min(int(original.get("SeriesNumber") or 0) + _SERIES_NUMBER_STEP, _MOST_IS)
    ours = f" {provenance.label}"
    derived.SeriesDescription = (str(original.get("SeriesDescription") or "")[: 64 - len(ours)] + ours).strip()
    now = datetime.now()
    derived.InstanceCreationDate, derived.InstanceCreationTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    derived.file_meta = meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = derived.SOPClassUID, derived.SOPInstanceUID
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    derived.preamble = bytes(128)


def _uid(name: str) -> str:
    return f"2.25.{uuid.uuid5(_NAMESPACE, name).int}"  # PS3.5 B.2: a UID from a UUID


def _set_provenance(derived: Any, original: Any, provenance: Provenance) -> None:
    # PS3.3 C.7.6.1.1.2: value 1 tells the pixels, value 2 the examination.
    derived.ImageType = ["DERIVED", *(values_of(original.get("ImageType"))[1:] or ["SECONDARY"])]
    # PS3.3 C.7.6.1.1.3 and C.12.4: earlier derivations are part of the history and stay.
    before = str(original.get("DerivationDescription") or "")
    ours = str(provenance)
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
        Manufacturer=provenance.software,
        ManufacturerModelName=provenance.model[:64],
        SoftwareVersions=provenance.version,
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


def _set_lossy(derived: Any, original: Any, like: Picture) -> None:
    """The flag is never reset, and is set when the original's own encoding lost something (PS3.3 C.7.6.1.1.5)."""
    method = _LOSSY.get(original.file_meta.TransferSyntaxUID)
    if method is None or derived.get("LossyImageCompression") == "01":
        return
    derived.LossyImageCompression = "01"
    derived.LossyImageCompressionMethod = method
    derived.LossyImageCompressionRatio = f"{like.pixels.nbytes / max(1, like.details['encoded_bytes']):.2f}"


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
