"""DICOM through pydicom: the stored pixels of one frame, and the data set that they came in."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, MissingExtraError
from fsrcnn_np.files.picture import PACKED, UNPACKED, Picture, check_size, narrowed, spacing

logging.getLogger("pydicom").addHandler(logging.NullHandler())  # else its warnings go to the user's terminal

_YBR = ("YBR_FULL", "YBR_FULL_422")
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_ICT", "YBR_RCT", *_YBR)
_JPEG = "1.2.840.10008.1.2.4."
_JPEG_EXTENDED, _JPEG_LOSSLESS = _JPEG + "51", (_JPEG + "57", _JPEG + "70")
# Chosen here, because pydicom tries gdcm first, which ends the whole process on some damaged files.
_PLUGINS = dict.fromkeys((_JPEG + "50", _JPEG_EXTENDED), "pillow")
_PLUGINS |= dict.fromkeys((_JPEG + "80", _JPEG + "81"), "pyjpegls")
_PLUGINS |= dict.fromkeys((_JPEG + "90", _JPEG + "91", *(f"{_JPEG}{n}" for n in (201, 202, 203))), "pylibjpeg")


def read(path: Path) -> Picture:
    """Read the pixels of a single-frame DICOM image as stored: no rescale, no window, MONOCHROME1 not inverted.

    `data_range` is what (0028,0101) Bits Stored allows. Palette colours and YBR become RGB.
    """
    pydicom = import_pydicom()
    with quiet():
        dataset = pydicom.dcmread(path, force=True)
        remarks: list[str] = []
        _check(dataset)
        _check_transfer_syntax(dataset, remarks)
        _check_size(dataset)
        pixels = _decode(dataset)
        encoded_bytes = len(dataset.PixelData)
        del dataset.PixelData  # the data set stays in memory as long as the Picture
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation) == 1
    palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if palette:
        remarks.append("(0028,0004) PALETTE COLOR is read as RGB")
    apart, origin = _spacing(dataset)
    declared = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else 2.0**bits - 1
    return Picture(
        pixels,
        str(path),
        "DICOM",
        data_range=None if palette else declared,
        data_range_origin="" if palette else f"BitsStored {bits}",
        inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
        pixel_spacing=apart,
        pixel_spacing_origin=origin,
        remarks=tuple(remarks),
        details={"dataset": dataset, "encoded_bytes": encoded_bytes},
    )


def import_pydicom() -> Any:
    """pydicom, or a MissingExtraError with the line that installs it."""
    try:
        import pydicom
        import pydicom.pixels
    except ImportError as error:
        raise MissingExtraError("DICOM needs pydicom: pip install 'fsrcnn-np[dicom]'") from error
    return pydicom


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Old files hold values that today's rules forbid; they are carried over, neither refused nor warned about."""
    with import_pydicom().config.disable_value_validation():
        yield


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


def _check(dataset: Any) -> None:
    """Refuse what is no single grey or colour frame of integers, by the tag that says so."""
    for keyword, tag in (("FloatPixelData", "(7FE0,0008)"), ("DoubleFloatPixelData", "(7FE0,0009)")):
        if keyword in dataset:
            raise FormatError(f"has {tag} {keyword}: a map of floats, no image; allowed is (7FE0,0010) Pixel Data")
    if not dataset.get("PixelData"):
        raise FormatError("has no (7FE0,0010) Pixel Data: no image, or damaged")
    for keyword, tag in (("Rows", "(0028,0010)"), ("Columns", "(0028,0011)"), ("BitsAllocated", "(0028,0100)")):
        if not isinstance(dataset.get(keyword), int):
            raise FormatError(f"has no {tag} {keyword}: damaged")
    _expect(dataset, "NumberOfFrames", "(0028,0008)", (None, "", 0, 1), "1; take one frame out first")
    _expect(dataset, "SamplesPerPixel", "(0028,0002)", (1, 3), "1 and 3")
    _expect(dataset, "BitsAllocated", "(0028,0100)", (8, 16), "8 and 16: dose grids and masks are no images")
    bits = dataset.get("BitsStored")
    _expect(dataset, "BitsStored", "(0028,0101)", range(1, dataset.BitsAllocated + 1), f"1 to {dataset.BitsAllocated}")
    # PS3.3 C.7.6.3.1.1: High Bit is one less than Bits Stored.
    _expect(dataset, "HighBit", "(0028,0102)", (bits - 1,), f"Bits Stored − 1 = {bits - 1}")
    _expect(dataset, "PixelRepresentation", "(0028,0103)", (0, 1), "0 and 1")
    _expect(dataset, "PhotometricInterpretation", "(0028,0004)", _PHOTOMETRIC, ", ".join(_PHOTOMETRIC))
    if dataset.PhotometricInterpretation in _YBR:  # the conversion to RGB is defined on 8 bits: PS3.3 C.7.6.3.1.2
        _expect(dataset, "BitsAllocated", "(0028,0100)", (8,), "8 with YBR_FULL colours")


def _expect(dataset: Any, keyword: str, tag: str, values: Any, allowed: str) -> None:
    found = dataset.get(keyword)
    if found not in values:
        raise FormatError(f"{tag} {keyword} is {'missing' if found in (None, '') else found}; allowed is {allowed}")


def _check_transfer_syntax(dataset: Any, remarks: list[str]) -> None:
    pydicom = import_pydicom()
    meta = getattr(dataset, "file_meta", None)
    if meta is None:
        meta = dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if meta.get("TransferSyntaxUID"):
        syntax = meta.TransferSyntaxUID
        if syntax not in pydicom.uid.AllTransferSyntaxes:
            raise FormatError(f"(0002,0010) TransferSyntaxUID is {syntax}; this encoding cannot be read")
        return
    implicit, little = dataset.original_encoding
    if len(dataset.PixelData) < _native_bytes(dataset):
        raise FormatError("has no (0002,0010) TransferSyntaxUID, and its pixels are compressed in an unknown way")
    endian = pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian
    meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if implicit else endian
    remarks.append("(0002,0010) TransferSyntaxUID is missing; its pixels are uncompressed by their length")


def _native_bytes(dataset: Any) -> int:
    return int(dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8)


def _check_size(dataset: Any) -> None:
    native = not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    subsampled = native and dataset.PhotometricInterpretation == "YBR_FULL_422"  # two chroma samples for two pixels
    samples = 2 if subsampled else dataset.SamplesPerPixel
    stored, packing = len(dataset.PixelData), UNPACKED if native else PACKED
    try:
        check_size(dataset.Rows, dataset.Columns, samples, dataset.BitsAllocated, stored, packing=packing)
    except FormatError as error:
        raise FormatError(f"(7FE0,0010) Pixel Data: {error}") from error


def _decode(dataset: Any) -> NDArray[Any]:
    from pydicom.pixels import apply_color_lut, pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if syntax in _JPEG_LOSSLESS or (syntax == _JPEG_EXTENDED and dataset.BitsAllocated == 16):
            pixels = _decode_jpeg(dataset)
        else:
            pixels = pixel_array(dataset, decoding_plugin=_PLUGINS.get(syntax, ""))
    except (ImportError, FormatError):
        raise
    except Exception as error:
        if "missing dependencies" in str(error):
            raise MissingExtraError(f"{syntax.name} needs a decoder: pip install 'fsrcnn-np[dicom]'") from error
        raise FormatError(f"(7FE0,0010) Pixel Data, {syntax.name}, cannot be decoded: {error}") from error
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = narrowed(apply_color_lut(pixels, dataset))
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _decode_jpeg(dataset: Any) -> NDArray[Any]:
    """Lossless and 12-bit JPEG, by libjpeg-turbo."""
    import imagecodecs
    from pydicom.encaps import generate_frames
    from pydicom.pixels import convert_color_space

    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    colour = dataset.SamplesPerPixel == 3
    as_it_is = "RGB" if colour else None
    pixels = imagecodecs.jpeg8_decode(frame, colorspace=as_it_is, outcolorspace=as_it_is)
    shape = (dataset.Rows, dataset.Columns, 3) if colour else (dataset.Rows, dataset.Columns)
    if pixels.shape != shape or 8 * pixels.itemsize > dataset.BitsAllocated:
        raise FormatError(
            f"(7FE0,0010) Pixel Data holds {pixels.dtype.name} {pixels.shape}, unlike (0028,0010) Rows, "
            f"(0028,0011) Columns, (0028,0100) BitsAllocated: {shape}, {dataset.BitsAllocated} bits"
        )
    pixels = pixels.astype(f"u{dataset.BitsAllocated // 8}")
    if dataset.PixelRepresentation == 1:  # the sign is the highest of the stored bits
        unused = dataset.BitsAllocated - dataset.BitsStored
        pixels = (pixels << unused).view(f"i{pixels.itemsize}") >> unused
    ybr = colour and dataset.PhotometricInterpretation in _YBR
    return convert_color_space(pixels, "YBR_FULL", "RGB") if ybr else pixels
