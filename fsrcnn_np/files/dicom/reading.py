"""A DICOM file → Picture: the stored pixels of its frames, and the data set that they came in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, MissingExtraError
from fsrcnn_np.files.dicom import rle
from fsrcnn_np.files.dicom.library import import_pydicom, quiet
from fsrcnn_np.files.dicom.opening import Opened, Pixels, opened
from fsrcnn_np.files.dicom.palette import coloured
from fsrcnn_np.files.dicom.stored import Values, values_of_floats, values_of_words
from fsrcnn_np.files.jpeg_whole import check_whole
from fsrcnn_np.files.picture import PACKED, UNPACKED, Frame, NoPicture, Picture, check_size, spacing
from fsrcnn_np.files.stream_sizes import CODESTREAM, check_stream, shape_of

_YBR = ("YBR_FULL", "YBR_FULL_422")
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_ICT", "YBR_RCT", *_YBR)
_JPEG = "1.2.840.10008.1.2.4."
_JPEG_EXTENDED, _JPEG_LOSSLESS = _JPEG + "51", (_JPEG + "57", _JPEG + "70")
# Chosen here, because pydicom tries gdcm first, which ends the whole process on some damaged files.
_PLUGINS = dict.fromkeys((_JPEG + "50", _JPEG_EXTENDED), "pillow")
_PLUGINS |= dict.fromkeys((_JPEG + "80", _JPEG + "81"), "pyjpegls")
_JPEG_2000 = (_JPEG + "90", _JPEG + "91", *(f"{_JPEG}{n}" for n in (201, 202, 203)))
_PLUGINS |= dict.fromkeys(_JPEG_2000, "pylibjpeg")
_STARTS = b"\xff\xd8\xff", CODESTREAM  # SOI and the next marker
_RLE = "1.2.840.10008.1.2.5"
_JPEG_LS = (_JPEG + "80", _JPEG + "81")
_JPEGS = (_JPEG + "50", _JPEG_EXTENDED, *_JPEG_LOSSLESS)
#: Transfer syntaxes that lose, and what (0028,2114) calls their method: PS3.3 C.7.6.1.1.5.
LOSSY = {
    _JPEG + "50": "ISO_10918_1",
    _JPEG_EXTENDED: "ISO_10918_1",
    _JPEG + "81": "ISO_14495_1",
    _JPEG + "91": "ISO_15444_1",
    _JPEG + "203": "ISO_15444_15",
}
#: SOP classes (PS3.4 B.5) that hold no picture of their own, by the beginning of their UIDs.
_NO_PICTURES = {
    "1.2.840.10008.1.3.10": "a DICOMDIR",
    "1.2.840.10008.5.1.4.1.1.9.": "a waveform",
    "1.2.840.10008.5.1.4.1.1.11.": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.66": "a registration, segmentation or raw data object",
    "1.2.840.10008.5.1.4.1.1.67": "a real world value mapping",
    "1.2.840.10008.5.1.4.1.1.88.": "a structured report",
    "1.2.840.10008.5.1.4.1.1.104.": "an encapsulated document",
    "1.2.840.10008.5.1.4.1.1.481.": "a radiotherapy object",
    "1.2.840.10008.5.1.4.38.": "a hanging protocol",
}
_RT_IMAGE = "1.2.840.10008.5.1.4.1.1.481.1"
#: The elements that hold floats, and their bits: PS3.3 C.7.6.24 and C.7.6.25.
FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


def read(
    path: Path, part: str | None = None, *, every_frame: bool = False, allow: frozenset[str] = frozenset()
) -> Picture:
    """Read the pixels of a DICOM image as stored: no rescale, no window, MONOCHROME1 not inverted.

    `data_range` is what (0028,0101) Bits Stored allows; float pixels declare none. Palette colours and YBR become RGB.
    Of 32-bit integers those with up to 16 bits stored come as 16 bits, others as float64, which holds them exactly.

    Parameters
    ----------
    path : Path
    part : str, optional
        The number of a frame, from 1: what stands behind FILE::.
    every_frame : bool
        Of a multi-frame object give the first frame as `pixels`, and all of them as `frames`, one at a time.
    allow : frozenset of str
        See `fsrcnn_np.files.read`.

    Raises
    ------
    NoPicture
        A DICOM object that is no image: DICOMDIR, report, presentation state, plan.
    FormatError
        Damaged, or an image of a kind that is not processed; the message names the tag.
    """
    with quiet():
        found = opened(path)
        _check(found)
        frames = Frames(found, allow)
        number = _frame_number(part, len(frames), every_frame)
        values = frames.values(number)
    return _picture(path, found, frames, values, every_frame and part is None)


def stored_words(path: Path) -> Iterator[NDArray[Any]]:
    """Every frame of an image with all its allocated bits, unsigned, as stored."""
    with quiet():
        found = opened(path)
        _check(found)
        assert found.pixels is not None
        for number in range(_frame_count(found.dataset)):
            words = _native(_decoded(found.dataset, found.pixels, number))
            yield words.view(f"u{words.itemsize}")


def _picture(path: Path, found: Opened, frames: Frames, values: Values, every_frame: bool) -> Picture:
    dataset, remarks = found.dataset, [*found.remarks, *values.remarks]
    palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if palette:
        remarks.append("(0028,0004) PALETTE COLOR is read as RGB")
    if values.pixels.dtype == "float64" and not found.floats:
        remarks.append(
            f"(0028,0101) BitsStored {dataset.BitsStored} is read as float64; the network's float32 has 24 bits"
        )
    if said := burned_in(dataset):
        remarks.append(said)
    apart, origin = _spacing(dataset)
    declared = None if palette or found.floats else _declared(dataset)
    return Picture(
        values.pixels,
        str(path),
        "DICOM",
        data_range=declared,
        data_range_origin="" if declared is None else f"BitsStored {dataset.BitsStored}",
        inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
        pixel_spacing=apart,
        pixel_spacing_origin=origin,
        padding=values.padding.mask if values.padding else None,
        frames=frames if every_frame and len(frames) > 1 else None,
        remarks=tuple(remarks),
        details={"dataset": dataset, "encoded_bytes": found.pixels.length if found.pixels else 0, "frames": frames},
    )


def burned_in(dataset: Any) -> str:
    """What is said of an image whose pixels may name its patient; of others nothing: PS3.3 C.7.6.1."""
    if str(dataset.get("BurnedInAnnotation") or "").upper() != "YES":
        return ""
    return "(0028,0301) BurnedInAnnotation is YES: a name may stand in its pixels"


def _declared(dataset: Any) -> float | tuple[float, float]:
    """Least and greatest value of so many bits: PS3.3 C.7.6.3."""
    bits = int(dataset.BitsStored)
    if int(dataset.PixelRepresentation) == 1:
        return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    return 2.0**bits - 1


@dataclass(frozen=True, eq=False)
class Frames:
    """The frames of an image, read from the file one at a time."""

    found: Opened
    allow: frozenset[str]
    _last: dict[int, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return _frame_count(self.found.dataset)

    def __iter__(self) -> Iterator[Frame]:
        for number in range(len(self)):
            values = self.values(number)
            yield Frame(values.pixels, values.padding.mask if values.padding else None)

    def __contains__(self, frame: object) -> bool:
        return any(frame is other for other in self)

    def values(self, number: int) -> Values:
        """Pixels, padding and remarks of one frame, counted from 0; the last one asked for is kept."""
        if number not in self._last:
            self._last.clear()
            self._last[number] = self._read(number)
        return self._last[number]

    def _read(self, number: int) -> Values:
        dataset, pixels = self.found.dataset, self.found.pixels
        assert pixels is not None
        with quiet():
            words = _decoded(dataset, pixels, number)
            if self.found.floats:
                return values_of_floats(_native(words), dataset)
            lossy = dataset.file_meta.TransferSyntaxUID in LOSSY
            values = values_of_words(_native(words), dataset, lossy=lossy, allow=self.allow)
            if dataset.PhotometricInterpretation == "PALETTE COLOR":
                return Values(coloured(values.pixels, dataset), None, values.remarks)
            return values


def _native(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _frame_count(dataset: Any) -> int:
    frames = dataset.get("NumberOfFrames")
    return int(frames) if frames else 1


def _frame_number(part: str | None, count: int, every_frame: bool) -> int:
    if part is None:
        if count > 1 and not every_frame:
            raise FormatError(
                f"(0028,0008) NumberOfFrames is {count}; allowed is 1 here: name one of them, FILE::1 to FILE::{count} "
                "(upscale takes them all)"
            )
        return 0
    number = part.strip("/")
    if not number.isdigit() or not 1 <= int(number) <= count:
        raise FormatError(f"has no frame {number}: (0028,0008) NumberOfFrames is {count}; frames count from 1")
    return int(number) - 1


def _spacing(dataset: Any) -> tuple[tuple[float, float] | None, str]:
    """PS3.3 10.7.1.1 Pixel Spacing, else C.8.11.7 Imager Pixel Spacing: mm between rows, and between columns."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            rows, columns = (float(value) for value in dataset.get(keyword) or ())
        except (TypeError, ValueError):
            continue
        if found := spacing(rows, columns):
            return found, keyword
    return None, ""


def _check(found: Opened) -> None:
    """Refuse what is no grey or colour image, by the tag that says so, before a pixel is read."""
    dataset, pixels, remarks = found.dataset, found.pixels, found.remarks
    _check_that_it_is_an_image(dataset, pixels)
    assert pixels is not None
    for keyword, tag in (("Rows", "(0028,0010)"), ("Columns", "(0028,0011)"), ("BitsAllocated", "(0028,0100)")):
        if not isinstance(dataset.get(keyword), int):
            raise FormatError(f"has no {tag} {keyword}: damaged; copy or download it again")
    frames = str(dataset.get("NumberOfFrames") or "1").strip()
    if not frames.isdigit():
        raise FormatError(f"(0028,0008) NumberOfFrames is {frames}; allowed is a whole number from 1")
    if found.floats:
        _check_floats(dataset, pixels)
    else:
        _check_integers(dataset, remarks)
    _check_colours(dataset, remarks)
    _check_transfer_syntax(dataset, pixels, remarks)
    _check_mixed_colours(dataset)
    _check_size(dataset, pixels)


def _check_floats(dataset: Any, pixels: Pixels) -> None:
    """PS3.3 C.7.6.24 and C.7.6.25: one grey sample of as many bits as the element's name says."""
    bits = FLOATS[pixels.keyword]
    said = f"(7FE0,00{'08' if bits == 32 else '09'}) {pixels.keyword}"
    _expect(dataset, "SamplesPerPixel", "(0028,0002)", (1,), f"1 with {said}")
    _expect(dataset, "BitsAllocated", "(0028,0100)", (bits,), f"{bits} with {said}")
    grey = ("MONOCHROME1", "MONOCHROME2")
    _expect(dataset, "PhotometricInterpretation", "(0028,0004)", grey, f"MONOCHROME2 with {said}")
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax and syntax.is_encapsulated:  # PS3.5 8.1.1, A.4
        raise FormatError(f"{said} with (0002,0010) TransferSyntaxUID {syntax.name}; allowed is an uncompressed one")


def _check_integers(dataset: Any, remarks: list[str]) -> None:
    _expect(dataset, "SamplesPerPixel", "(0028,0002)", (1, 3), "1 and 3")
    _expect(dataset, "BitsAllocated", "(0028,0100)", (8, 16, 32), "8, 16 and 32: masks of one bit are no images")
    bits = dataset.get("BitsStored")
    _expect(dataset, "BitsStored", "(0028,0101)", range(1, dataset.BitsAllocated + 1), f"1 to {dataset.BitsAllocated}")
    if dataset.get("HighBit") is None:
        dataset.HighBit = bits - 1
        remarks.append(f"(0028,0102) HighBit is missing, and taken for BitsStored − 1 = {bits - 1}")
    # PS3.3 C.7.6.3.1.1: High Bit is one less than Bits Stored.
    _expect(dataset, "HighBit", "(0028,0102)", (bits - 1,), f"Bits Stored − 1 = {bits - 1}")
    _expect(dataset, "PixelRepresentation", "(0028,0103)", (0, 1), "0 and 1")


def _check_that_it_is_an_image(dataset: Any, pixels: Pixels | None) -> None:
    kind = str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    what = next((what for uid, what in _NO_PICTURES.items() if kind.startswith(uid)), "")
    if what and kind != _RT_IMAGE:
        raise NoPicture(f"(0008,0016) SOPClassUID is that of {what}: no picture")
    if pixels is None or pixels.length == 0:
        raise FormatError("has no (7FE0,0010) Pixel Data: no image, or damaged; copy or download it again")


def _check_colours(dataset: Any, remarks: list[str]) -> None:
    colours = dataset.get("PhotometricInterpretation")
    if colours not in _PHOTOMETRIC and str(colours).strip().upper() in _PHOTOMETRIC:
        dataset.PhotometricInterpretation = str(colours).strip().upper()
        remarks.append(
            f"(0028,0004) PhotometricInterpretation {colours} is read as {dataset.PhotometricInterpretation}"
        )
    _expect(dataset, "PhotometricInterpretation", "(0028,0004)", _PHOTOMETRIC, ", ".join(_PHOTOMETRIC))
    samples = 1 if dataset.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR") else 3
    if dataset.SamplesPerPixel != samples:
        raise FormatError(
            f"(0028,0002) SamplesPerPixel is {dataset.SamplesPerPixel}; allowed is {samples} with (0028,0004) "
            f"PhotometricInterpretation {dataset.PhotometricInterpretation}"
        )
    if dataset.PhotometricInterpretation in _YBR:  # the conversion to RGB is defined on 8 bits: PS3.3 C.7.6.3.1.2
        _expect(dataset, "BitsAllocated", "(0028,0100)", (8,), "8 with YBR_FULL colours")
    if samples == 3 and dataset.get("PlanarConfiguration") not in (0, 1):
        remarks.append("(0028,0006) PlanarConfiguration is missing, and taken for 0: colours by pixel")
        dataset.PlanarConfiguration = 0


def _check_mixed_colours(dataset: Any) -> None:
    """Colours that only a decoder of JPEG 2000 unmixes (PS3.3 C.7.6.3.1.2), and pairs of pixels that share them."""
    colours, syntax = dataset.PhotometricInterpretation, dataset.file_meta.TransferSyntaxUID
    if colours in ("YBR_ICT", "YBR_RCT") and syntax not in _JPEG_2000:
        raise FormatError(
            f"(0028,0004) PhotometricInterpretation is {colours} with {syntax.name}; allowed is JPEG 2000 alone: "
            "correct one of them"
        )
    if colours == "YBR_FULL_422" and not syntax.is_encapsulated and dataset.Columns % 2:
        raise FormatError(f"(0028,0011) Columns is {dataset.Columns}; allowed is an even number with YBR_FULL_422")


def _expect(dataset: Any, keyword: str, tag: str, values: Any, allowed: str) -> None:
    found = dataset.get(keyword)
    if found not in values:
        raise FormatError(f"{tag} {keyword} is {'missing' if found in (None, '') else found}; allowed is {allowed}")


def _check_transfer_syntax(dataset: Any, pixels: Pixels, remarks: list[str]) -> None:
    uids = import_pydicom().uid
    meta = dataset.file_meta
    if meta.get("TransferSyntaxUID"):
        syntax = meta.TransferSyntaxUID
        if syntax not in uids.AllTransferSyntaxes:
            raise FormatError(f"(0002,0010) TransferSyntaxUID is {syntax}; it is unknown: store it uncompressed")
        return
    implicit, little = dataset.original_encoding
    if pixels.length < _native_bytes(dataset):
        raise FormatError(
            "has no (0002,0010) TransferSyntaxUID, and its pixels are compressed in an unknown way"
            "; store it uncompressed"
        )
    endian = uids.ExplicitVRLittleEndian if little else uids.ExplicitVRBigEndian
    meta.TransferSyntaxUID = uids.ImplicitVRLittleEndian if implicit else endian
    remarks.append("(0002,0010) TransferSyntaxUID is missing; its pixels are uncompressed by their length")


def _native_bytes(dataset: Any) -> int:
    return int(dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8)


def _check_size(dataset: Any, pixels: Pixels) -> None:
    native = not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    subsampled = native and dataset.PhotometricInterpretation == "YBR_FULL_422"  # two chroma samples for two pixels
    samples, count = 2 if subsampled else dataset.SamplesPerPixel, _frame_count(dataset)
    packing = UNPACKED if native else PACKED
    try:
        check_size(dataset.Rows, dataset.Columns, samples, dataset.BitsAllocated, pixels.length, packing=packing)
    except FormatError as error:
        raise FormatError(f"(7FE0,0010) Pixel Data: {error}") from error
    if native and pixels.length < count * (dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated // 8):
        raise FormatError(
            f"(7FE0,0010) Pixel Data: truncated: the header says {count} frames, the file has {pixels.length} bytes"
            "; copy or download it again"
        )
    there = pixels.length // max(1, _native_bytes(dataset)) if native else _encoded_frames(pixels)
    if subsampled and there >= count:
        raise FormatError(
            "(7FE0,0010) Pixel Data has the length of (0028,0004) PhotometricInterpretation YBR_FULL, and "
            "YBR_FULL_422 is said; correct it"
        )
    if there > count:  # those beyond would be lost in silence
        raise FormatError(
            f"(7FE0,0010) Pixel Data holds {there} frames, and (0028,0008) NumberOfFrames says {count}; correct it"
        )


def _encoded_frames(pixels: Pixels) -> int:
    """How many frames the Basic Offset Table lists (PS3.5 A.4), or how many fragments begin as a JPEG or JPEG 2000."""
    from pydicom.encaps import generate_fragments, parse_basic_offsets

    with pixels.open() as stream, suppress(Exception):  # what is damaged is found by who decodes it
        stream.seek(pixels.start)
        listed = len(parse_basic_offsets(stream))
        return listed or sum(fragment.startswith(_STARTS) for fragment in generate_fragments(stream))
    return 0


def _decoded(dataset: Any, pixels: Pixels, number: int) -> NDArray[Any]:
    """All allocated bits of a frame's pixels, colours as RGB."""
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        with pixels.open() as stream:
            stream.seek(pixels.start)
            if syntax in _JPEGS or syntax in _PLUGINS:
                _check_stream(stream, pixels.start, dataset, number)
            if syntax in _JPEGS:
                _check_jpeg(stream, pixels.start, dataset, number)
            if syntax in _JPEG_LOSSLESS or (syntax == _JPEG_EXTENDED and dataset.BitsAllocated == 16):
                return _decoded_jpeg(dataset, stream, number)
            if syntax in _JPEG_LS:
                _check_end(stream, pixels.start, dataset, number)
            if syntax == _RLE:
                return _decoded_rle(dataset, stream, number)
            options = {"decoding_plugin": _PLUGINS.get(syntax, ""), "correct_unused_bits": False}
            frame, _ = get_decoder(syntax).as_array(stream, index=number, **options, **_options(dataset, pixels))
            return np.asarray(frame)
    except (ImportError, FormatError):
        raise
    except Exception as error:
        if "missing dependencies" in str(error):
            raise MissingExtraError(f"{syntax.name} needs a decoder: pip install 'fsrcnn-np[dicom]'") from error
        raise FormatError(
            f"(7FE0,0010) Pixel Data, {syntax.name}, cannot be decoded: {error}; copy or download it again"
        ) from error


def _check_stream(stream: Any, start: int, dataset: Any, number: int) -> None:
    """Refuse a frame whose own header says another picture than Rows, Columns, Samples per Pixel, Bits Allocated."""
    from pydicom.encaps import get_frame

    frame = get_frame(stream, number, number_of_frames=_frame_count(dataset), **_frame_offsets(dataset))
    try:
        check_stream(frame, dataset.Rows * dataset.Columns * dataset.SamplesPerPixel)
        _check_shape(frame, dataset)
    except FormatError as error:
        raise FormatError(f"(7FE0,0010) Pixel Data, {dataset.file_meta.TransferSyntaxUID.name}: {error}") from error
    stream.seek(start)


def _check_shape(frame: bytes, dataset: Any) -> None:
    """As many values in other rows, or the lower bits of wider ones, would be a picture that nobody took."""
    said = shape_of(frame)
    if said is None:
        return
    there = (said.rows or dataset.Rows, said.columns, said.samples)  # 0 rows: said behind the data, T.81 B.2.5
    header = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    if there != header or said.bits > dataset.BitsAllocated:
        raise FormatError(
            f"its own header says rows, columns and samples {there} of {said.bits} bits, (0028,0010) Rows, (0028,0011) "
            f"Columns, (0028,0002) SamplesPerPixel and (0028,0100) BitsAllocated say {header} of "
            f"{dataset.BitsAllocated}; correct them"
        )


def _check_jpeg(stream: Any, start: int, dataset: Any, number: int) -> None:
    """Refuse a JPEG whose data are cut or overwritten, which decoders fill with grey."""
    from pydicom.encaps import get_frame

    try:
        check_whole(get_frame(stream, number, number_of_frames=_frame_count(dataset), **_frame_offsets(dataset)))
    except FormatError as error:
        raise FormatError(f"(7FE0,0010) Pixel Data: {error}") from error
    stream.seek(start)


def _check_end(stream: Any, start: int, dataset: Any, number: int) -> None:
    """Refuse a JPEG-LS stream without its end (ISO 14495-1, EOI), over which the decoder would sit for a minute."""
    from pydicom.encaps import get_frame

    frame = get_frame(stream, number, number_of_frames=_frame_count(dataset), **_frame_offsets(dataset))
    if not frame.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise FormatError("(7FE0,0010) Pixel Data: truncated: its JPEG-LS stream has no end; copy or download it again")
    stream.seek(start)


def _options(dataset: Any, pixels: Pixels) -> dict[str, Any]:
    """What pydicom's decoders need to know of an image."""
    options = {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samples_per_pixel": dataset.SamplesPerPixel,
        "photometric_interpretation": str(dataset.PhotometricInterpretation),
        "pixel_representation": dataset.get("PixelRepresentation"),
        "bits_allocated": dataset.BitsAllocated,
        "bits_stored": dataset.get("BitsStored"),
        "number_of_frames": _frame_count(dataset),
        "pixel_keyword": pixels.keyword,
        "pixel_vr": pixels.vr,
    }
    if dataset.SamplesPerPixel == 3:
        options["planar_configuration"] = dataset.PlanarConfiguration
    return options | _frame_offsets(dataset)


def _frame_offsets(dataset: Any) -> dict[str, Any]:
    """(7FE0,0001) and (7FE0,0002), where a long encapsulated object has them: PS3.5 A.4."""
    tables = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    return {"extended_offsets": tables} if all(tables) else {}


def _decoded_jpeg(dataset: Any, stream: Any, number: int) -> NDArray[Any]:
    """Lossless and 12-bit JPEG, by libjpeg-turbo."""
    import imagecodecs
    from pydicom.encaps import get_frame

    frame = get_frame(stream, number, number_of_frames=_frame_count(dataset), **_frame_offsets(dataset))
    colour = dataset.SamplesPerPixel == 3
    as_it_is = "RGB" if colour else None
    pixels = imagecodecs.jpeg8_decode(frame, colorspace=as_it_is, outcolorspace=as_it_is)
    return _with_sign_and_colours(pixels.astype(f"u{dataset.BitsAllocated // 8}"), dataset)


def _decoded_rle(dataset: Any, stream: Any, number: int) -> NDArray[Any]:
    from pydicom.encaps import get_frame

    frame = get_frame(stream, number, number_of_frames=_frame_count(dataset), **_frame_offsets(dataset))
    size = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    return _with_sign_and_colours(rle.decoded(frame, *size, dataset.BitsAllocated), dataset)


def _with_sign_and_colours(pixels: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """What a decoder gave as unsigned, by (0028,0103), and as RGB."""
    from pydicom.pixels import convert_color_space

    colour = dataset.SamplesPerPixel == 3
    if dataset.PixelRepresentation == 1:
        pixels = pixels.view(f"i{pixels.itemsize}")
    ybr = colour and dataset.PhotometricInterpretation in _YBR
    return convert_color_space(pixels, "YBR_FULL", "RGB") if ybr else pixels
