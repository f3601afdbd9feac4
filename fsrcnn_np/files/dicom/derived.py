"""A super-resolved image as a valid derived DICOM object: what must change, what must stay, what must be said.

All of it follows from the original, the pixels and the provenance: the same run again gives the same bytes.
"""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.files.dicom.check import breaches, mapped
from fsrcnn_np.files.dicom.coordinates import scale_coordinates, scale_overlays
from fsrcnn_np.files.dicom.elements import (
    code,
    item,
    leave_out_unreadable,
    leave_out_unwritable,
    to_little_endian,
)
from fsrcnn_np.files.dicom.encoding import (
    END_OF_FRAGMENTS,
    encoder,
    fragment,
    head_of_encapsulated,
    native,
    transfer_syntax,
)
from fsrcnn_np.files.dicom.geometry import scale_geometry, values_of
from fsrcnn_np.files.dicom.library import import_pydicom, name, quiet, with_items
from fsrcnn_np.files.dicom.opening import opened
from fsrcnn_np.files.dicom.reading import FLOATS, LOSSY, Frames, burned_in
from fsrcnn_np.files.dicom.stored import Padding, words_of_values
from fsrcnn_np.files.dicom.texts import as_stored, survives
from fsrcnn_np.files.dicom.uids import remap, uid_of
from fsrcnn_np.files.picture import DicomForm, Encoded, Output, Picture, Provenance, refuse_dtype
from fsrcnn_np.files.record import KEYWORD, text_of
from fsrcnn_np.images.padding import repeated
from piqe_np.compiled import run_tasks

BURNED_IN = "burned-in"  #: what a caller allows who knows what is written in the pixels
_SERIES_NUMBER_STEP = 1000
_MOST_IS, _MOST_US = 2**31 - 1, 2**16 - 1  # PS3.5 6.2, Integer String and Unsigned Short
_MOST_BYTES = 2**32 - 2  # of an element's value: PS3.5 7.1.1
_PIXEL_DATA = 0x7FE00010
_FLOAT_ELEMENTS = {"FloatPixelData": (b"\x08\0", b"OF"), "DoubleFloatPixelData": (b"\x09\0", b"OD")}
_EXACT = 2**24  # whole numbers that float32 tells apart
# What speaks of the old object, of its single pixels, or of the file that it was a part of.
REMOVED = (
    "MaskSubtractionSequence",
    "HistogramSequence",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "ConcatenationUID",
    "SOPInstanceUIDOfConcatenationSource",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ConcatenationFrameOffsetNumber",
    "SOPInstanceStatus",
    "SOPAuthorizationDateTime",
    "SOPAuthorizationComment",
    "AuthorizationEquipmentCertificationNumber",
    "InstanceCreatorUID",
)
_SILENTLY_REMOVED = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "DataSetTrailingPadding",
)


class _Header(NamedTuple):
    """The derived object but for its pixels and what depends on them."""

    dataset: Any
    remarks: list[str]


def check(like: Picture, provenance: Provenance, form: DicomForm) -> None:
    """Raise a FormatError, before anything is computed, where no derived object can be made of this original."""
    _header(like, provenance, form)


def encode(output: Output) -> Encoded:
    """Encode the derived object.

    It is a new instance in a new series of the same study. The UIDs are computed from the original's, the pixels and
    the provenance: the same run again gives the same object, other pixels never come under an old UID, and all images
    of one series go to one new series. Pixel padding comes back as it was in the original.

    Raises
    ------
    FormatError
        No original, or pixels of another bit depth than it has.
    OptionError
        No provenance, or the size is not the original's times its scale.
    """
    pixels, like, provenance = output.pixels, output.like, output.provenance
    if like is None:
        raise FormatError("a DICOM object is only written from a DICOM original; write another format")
    if provenance is None:
        raise OptionError("a derived DICOM object must say how it was computed: give provenance=")
    if output.frames is None:
        _check_frame(pixels, like, provenance.scale)
    frames = [pixels] if output.frames is None else output.frames
    header = _header(like, provenance, output.form)
    return Encoded(partial(_write, header.dataset, frames, like, output, provenance), header.remarks)


def made(path: Path) -> str | None:
    """The record of provenance in a derived object, its last equipment's; a FormatError where its pixels are cut."""
    with quiet():
        found = opened(path)
        frames = Frames(found, frozenset())
        frames.values(len(frames) - 1)
        equipment = found.dataset.get("ContributingEquipmentSequence") or ()
        texts = [str(item.get("ContributionDescription") or "") for item in equipment]
    return next((text for text in reversed(texts) if KEYWORD in text), None)


def _header(like: Picture, provenance: Provenance, form: DicomForm) -> _Header:
    remarks: list[str] = []
    with quiet():
        original = like.details["dataset"]
        _check_original(original, like)
        _check_bits(original, like, provenance, form)
        derived = copy.deepcopy(original)
        to_little_endian(derived, original)
        leave_out_unreadable(derived, remarks)
        _set_pixel_description(derived, like, provenance.scale, remarks)
        _set_series(derived, provenance, form, remarks)
        _set_provenance(derived, original, provenance, remarks)
        _set_lossy(derived, original, like)
        scale_geometry(derived, provenance.scale, remarks)
        scale_coordinates(derived, provenance.scale, remarks)
        scale_overlays(derived, provenance.scale, remarks)
        _remove(derived, remarks)
        private = sorted({f"{element.tag.group:04X}" for element in derived if element.tag.is_private})
        if private:
            remarks.append(f"private tags, whatever they say of the original, are kept: groups {', '.join(private)}")
        leave_out_unwritable(derived, remarks)
        if form.remap_uids:
            remap(derived, form.remap_uids)
    return _Header(derived, remarks)


def _check_original(original: Any, like: Picture) -> None:
    if not original.get("SOPClassUID") or not original.get("SOPInstanceUID"):
        raise FormatError(
            "the original has no (0008,0016) SOPClassUID or (0008,0018) SOPInstanceUID to refer to; give one that has"
        )
    frames: Frames = like.details["frames"]
    if len(frames) > 1 and like.frames is None:
        raise FormatError(
            f"is one frame of {len(frames)}, which is not written as DICOM alone; upscale the whole file, or write "
            ".png, .tif, .npy or .h5"
        )
    if (said := burned_in(original)) and BURNED_IN not in frames.allow:
        raise FormatError(f"{said}; look, and allow it: --allow {BURNED_IN} (allow=['{BURNED_IN}'])")


def _check_bits(original: Any, like: Picture, provenance: Provenance, form: DicomForm) -> None:
    """What 32 bits and floats cannot be: compressed, or told apart by the network's float32."""
    floats = _float_keyword(like)
    if floats and form.transfer_syntax != "explicit":  # PS3.5 8.1.1, A.4
        raise FormatError(f"{floats} is never compressed; leave --transfer-syntax at explicit")
    if floats or original.BitsAllocated != 32:
        return
    if form.transfer_syntax != "explicit":  # PS3.5 8.2: 8 and 16
        raise FormatError(f"(0028,0100) BitsAllocated is 32, which {form.transfer_syntax} does not hold; take explicit")
    values = provenance.value_range
    if values is not None and values.span > _EXACT:
        raise FormatError(
            f"(0028,0101) BitsStored {original.BitsStored}: the network's float32 does not tell apart the values of "
            f"{values}; allowed are ranges up to {_EXACT}: give that of its values, --data-range LOW:HIGH"
        )


def _float_keyword(like: Picture) -> str:
    """The element that holds float pixels; empty where they are integers."""
    pixels = like.details["frames"].found.pixels
    return pixels.keyword if pixels.keyword in FLOATS else ""


def _check_frame(pixels: NDArray[Any], like: Picture, scale: int) -> None:
    if pixels.shape[:2] != tuple(scale * n for n in like.pixels.shape[:2]) or pixels.ndim != like.pixels.ndim:
        raise OptionError(f"found {pixels.shape} pixels; allowed is the original's {like.pixels.shape} times {scale}")
    refuse_dtype(pixels, "this DICOM original", (like.pixels.dtype.name,))


def _write(
    derived: Any,
    frames: Iterable[NDArray[Any]],
    like: Picture,
    output: Output,
    provenance: Provenance,
    stream: BinaryIO,
) -> None:
    """Frames as they come, then once more the header, as long as before, with what is known only now."""
    source: Frames = like.details["frames"]
    form, scale, count = output.form, provenance.scale, len(source)
    values, least, most, done, length = hashlib.sha256(), _MOST_IS, -_MOST_IS, 0, 0
    encode, packed = encoder(derived.file_meta.TransferSyntaxUID), form.transfer_syntax != "explicit"
    start = stream.tell()
    with quiet():
        _finish_header(derived, provenance, form, "", 0, 0)
        head = _header_bytes(derived, like, count, scale, form)
        stream.write(head)
        for done, pixels in enumerate(frames, 1):
            _check_frame(pixels, like, scale)
            pixels = pixels if _float_keyword(like) else words_of_values(pixels, derived)
            pixels = _with_padding(pixels, source.values(done - 1).padding, scale)
            data = encode(pixels, derived)
            written = fragment(data) if packed else data
            both = (partial(values.update, native(pixels, derived)), partial(stream.write, written))
            run_tasks(lambda number, both=both: both[number](), len(both), output.threads)  # type: ignore[misc]
            if pixels.dtype.kind != "f":
                least, most = min(least, int(pixels.min())), max(most, int(pixels.max()))
            length += len(data)
        stream.write(END_OF_FRAGMENTS if packed else b"\0" * (length % 2))
        stream.write(_behind_the_pixels(derived))
        _finish_header(derived, provenance, form, values.hexdigest(), least, most)
        again = _header_bytes(derived, like, count, scale, form)
        original = mapped(like.details["dataset"], form.remap_uids)
        broken = [breach for breach in breaches(original, derived) if not breach.inherited]
    if broken:
        raise FormatError(f"the derived object would break a rule: {broken[0]}; please report it")
    if len(again) != len(head) or done != count:
        raise FormatError(f"{done} frames came, of {count}; give all of them")
    end = stream.tell()
    stream.seek(start)
    stream.write(again)
    stream.seek(end)


def _finish_header(derived: Any, provenance: Provenance, form: DicomForm, pixels: str, least: int, most: int) -> None:
    source = derived.SourceImageSequence[-1].ReferencedSOPInstanceUID
    derived.SOPInstanceUID = uid_of(f"{source} {provenance} {form} {pixels}")
    derived.file_meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    for keyword, value in (("SmallestImagePixelValue", least), ("LargestImagePixelValue", most)):
        if keyword in derived:
            derived[keyword].VR = "SS" if derived.PixelRepresentation else "US"
            derived[keyword].value = value


def _header_bytes(derived: Any, like: Picture, frames: int, scale: int, form: DicomForm) -> bytes:
    """File meta information, data set, and the beginning of the element that holds the pixels."""
    stream = io.BytesIO()
    before = derived[:_PIXEL_DATA]
    before.file_meta, before.preamble = derived.file_meta, bytes(128)
    with as_stored(before):
        import_pydicom().dcmwrite(stream, before, enforce_file_format=True, little_endian=True, implicit_vr=False)
    if form.transfer_syntax != "explicit":
        return stream.getvalue() + head_of_encapsulated()
    size = like.pixels.size * (derived.BitsAllocated // 8) * scale * scale * frames
    if size > _MOST_BYTES:
        raise FormatError(
            f"(7FE0,0010) Pixel Data of {size} bytes is more than an uncompressed element can hold; compress it: "
            "--transfer-syntax jpeg-ls"
        )
    integers = (b"\x10\0", b"OB" if derived.BitsAllocated == 8 else b"OW")
    element, vr = _FLOAT_ELEMENTS.get(_float_keyword(like), integers)
    return stream.getvalue() + b"\xe0\x7f" + element + vr + b"\0\0" + (size + size % 2).to_bytes(4, "little")


def _behind_the_pixels(derived: Any) -> bytes:
    pydicom = import_pydicom()
    stream = pydicom.filebase.DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    behind = derived[_PIXEL_DATA + 1 :]
    with as_stored(behind):
        pydicom.filewriter.write_dataset(stream, behind)
    return bytes(stream.getvalue())


def _with_padding(pixels: NDArray[Any], padding: Padding | None, scale: int) -> NDArray[Any]:
    """Put the padding's words back where they were: PS3.3 C.7.5.1.1.2. The network would have made them ring."""
    if padding is None:
        return pixels
    words = padding.words if padding.words.ndim == 1 else repeated(padding.words, scale)
    return np.where(repeated(padding.mask, scale), words, pixels)


def _set_pixel_description(derived: Any, like: Picture, scale: int, remarks: list[str]) -> None:
    rows, columns = (scale * n for n in like.pixels.shape[:2])
    if max(rows, columns) > _MOST_US:
        raise FormatError(
            f"(0028,0010) Rows and (0028,0011) Columns hold at most {_MOST_US}; found {rows} and {columns}"
        )
    derived.Rows, derived.Columns = rows, columns
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue") if derived.BitsAllocated > 16 else ():
        if keyword in derived:  # US or SS, which hold 16 bits: PS3.3 C.7.6.3
            del derived[keyword]
            remarks.append(f"{keyword} does not hold {derived.BitsAllocated} bits and is left out")
    if like.pixels.ndim == 3:
        colours = derived.PhotometricInterpretation
        if colours != "RGB":
            remarks.append(f"(0028,0004) PhotometricInterpretation {colours} is written as RGB")
        derived.PhotometricInterpretation, derived.SamplesPerPixel, derived.PlanarConfiguration = "RGB", 3, 0
        bits = 8 * like.pixels.itemsize
        if colours == "PALETTE COLOR":
            derived.BitsAllocated, derived.BitsStored, derived.HighBit = bits, bits, bits - 1
        for element in [e for e in derived if "PaletteColorLookupTable" in e.keyword]:
            del derived[element.tag]


def _set_series(derived: Any, provenance: Provenance, form: DicomForm, remarks: list[str]) -> None:
    how = f"{provenance.sha256} x{provenance.scale} {provenance.version} {form.transfer_syntax}"
    # Without a series (a damaged original) each instance gets one of its own.
    derived.SeriesInstanceUID = uid_of(f"{derived.get('SeriesInstanceUID') or derived.SOPInstanceUID} {how}")
    derived.SeriesNumber = series_number(derived, remarks)
    ours = f" {provenance.label}"
    before = text_before(derived, "SeriesDescription", remarks)
    derived.SeriesDescription = (before[: 64 - len(ours)] + ours).strip()
    set_meta(derived, transfer_syntax(form.transfer_syntax), provenance.software, provenance.version)


def set_meta(derived: Any, syntax: Any, software: str, version: str) -> None:
    """File meta information of an object that we write: PS3.10 7.1."""
    derived.file_meta = meta = import_pydicom().dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = derived.SOPClassUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid_of(software)
    meta.ImplementationVersionName = f"{software} {version}"[:16]


def series_number(derived: Any, remarks: list[str]) -> int:
    """A thousand more than the original's; a thousand less at the end of what IS can hold."""
    given = derived.get("SeriesNumber")
    try:
        number = int(str(given)) if given not in (None, "") else 0
    except ValueError:
        remarks.append(f"(0020,0011) SeriesNumber {given} is no number; the new series has {_SERIES_NUMBER_STEP}")
        return _SERIES_NUMBER_STEP
    if number + _SERIES_NUMBER_STEP > _MOST_IS:
        remarks.append(
            f"(0020,0011) SeriesNumber {number} is the end; the new series has {number - _SERIES_NUMBER_STEP}"
        )
        return number - _SERIES_NUMBER_STEP
    return number + _SERIES_NUMBER_STEP


def text_before(derived: Any, keyword: str, remarks: list[str]) -> str:
    """A text that ours will stand behind; none, with a remark, where its letters would be lost."""
    text = str(derived.get(keyword) or "")
    if survives(text, derived):
        return text
    tag = name(import_pydicom().tag.Tag(keyword))
    remarks.append(f"{tag} {keyword} is not in the (0008,0005) SpecificCharacterSet that is said, and is left out")
    return ""


def _set_provenance(derived: Any, original: Any, provenance: Provenance, remarks: list[str]) -> None:
    # PS3.3 C.7.6.1.1.2: value 1 tells the pixels, value 2 the examination.
    derived.ImageType = ["DERIVED", *(values_of(original.get("ImageType"))[1:] or ["SECONDARY"])]
    # PS3.3 C.7.6.1.1.3 and C.12.4: earlier derivations are part of the history and stay.
    before = text_before(derived, "DerivationDescription", remarks)
    ours = str(provenance)
    derived.DerivationDescription = f"{before[: 1024 - len(ours) - 2]}; {ours}" if before else ours
    resampling = code("113085", "Spatial resampling")
    derived.DerivationCodeSequence = [*(original.get("DerivationCodeSequence") or ()), resampling]
    source = item(
        ReferencedSOPClassUID=original.SOPClassUID,
        ReferencedSOPInstanceUID=original.SOPInstanceUID,
        PurposeOfReferenceCodeSequence=[code("121322", "Source image for image processing operation")],
    )
    derived.SourceImageSequence = [source]
    equipment = item(
        PurposeOfReferenceCodeSequence=[code("109102", "Processing Equipment")],
        Manufacturer=provenance.software,
        ManufacturerModelName=provenance.model[:64],
        SoftwareVersions=provenance.version,
        ContributionDescription=text_of(provenance),
    )
    derived.ContributingEquipmentSequence = [*(original.get("ContributingEquipmentSequence") or ()), equipment]
    if derived.get("SharedFunctionalGroupsSequence"):  # PS3.3 C.7.6.16.2.6, Derivation Image
        step = item(
            DerivationDescription=ours[:1024],
            DerivationCodeSequence=[resampling],
            SourceImageSequence=[copy.deepcopy(source)],
        )
        own = [group for group in derived.get("PerFrameFunctionalGroupsSequence") or () if _has_derivation(group)]
        for group in own or derived.SharedFunctionalGroupsSequence[:1]:
            group.DerivationImageSequence = [*(group.get("DerivationImageSequence") or ()), copy.deepcopy(step)]


def _has_derivation(group: Any) -> bool:
    return "DerivationImageSequence" in group


def _set_lossy(derived: Any, original: Any, like: Picture) -> None:
    """The flag is never reset, and is set when the original's own encoding lost something (PS3.3 C.7.6.1.1.5)."""
    method = LOSSY.get(original.file_meta.TransferSyntaxUID)
    if method is None or derived.get("LossyImageCompression") == "01":
        return
    derived.LossyImageCompression = "01"
    derived.LossyImageCompressionMethod = method
    uncompressed = like.pixels.size * (original.BitsAllocated // 8) * len(like.details["frames"])
    derived.LossyImageCompressionRatio = f"{uncompressed / max(1, like.details['encoded_bytes']):.2f}"


def _remove(derived: Any, remarks: list[str]) -> None:
    for keyword in _SILENTLY_REMOVED:
        if keyword in derived:
            delattr(derived, keyword)
    removed = [keyword for keyword in REMOVED if keyword in derived]
    for keyword in removed:
        delattr(derived, keyword)
    if removed:
        remarks.append(f"left out, not true of the new object: {', '.join(removed)}")
    icons = [icon for part in with_items(derived) for icon in _remove_icons(part)]
    if icons:
        remarks.append(f"small pictures of the original are left out: {', '.join(icons)}")


def _remove_icons(item: Any) -> list[str]:
    """Icons, also private ones, are compressed as the original's pixels were, and the derived object's are not."""
    icons = [e for e in item if e.VR == "SQ" and any("PixelData" in inner for inner in e.value or ())]
    for icon in icons:
        del item[icon.tag]
    return [icon.keyword or name(icon.tag) for icon in icons]
