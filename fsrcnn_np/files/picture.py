"""What a file holds for us: the pixels as stored, the value range that the file declares, and what its writer needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FileError, FormatError
from fsrcnn_np.files import preview
from fsrcnn_np.files.bands import Made
from fsrcnn_np.images.value_range import ValueRange

# Allocation on a header's word ends here: 2³⁰ pixels are eighteen times a large mammogram at ×2.
MOST_PIXELS = 1 << 30
# How many bytes of pixels one stored byte can give: a header that says more is wrong. Deflate's bound is exact, the
# others (blank pictures in Zstandard, JPEG-LS, JPEG 2000) have none, and this one only keeps small files from asking
# for gigabytes.
UNPACKED, DEFLATED, PACKED = 1, 1032, 1_000_000
Bytes = bytes | bytearray | memoryview | Callable[[BinaryIO], None]


class OutputExists(FileError):
    """The output is there already and `overwrite` was not given: it is kept."""


class OutputDiffers(FileError):
    """The output is there already, and the same means would not make it of this input, or that cannot be told."""


def exists(path: object) -> OutputExists:
    """What is said of an output that is kept."""
    return OutputExists(f"{path}: exists already and is kept; --overwrite (overwrite=True) replaces it")


def differs(path: object, why: str) -> OutputDiffers:
    """What is said of an output that is there and is not what would be written."""
    return OutputDiffers(f"{path}: {why}; --overwrite (overwrite=True) replaces it")


class NoPicture(FormatError):
    """A file that is whole and of a known format but no picture, like a structured report: passed over, no failure."""


class Frame(NamedTuple):
    """One frame: its pixels as those of a Picture, and where it has no image."""

    pixels: NDArray[Any]
    padding: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """An image file, read.

    Parameters
    ----------
    pixels : ndarray
        As stored, in native byte order: H×W or H×W×3 (palettes and YBR are given as RGB, packed bits as the next
        wider integer). Arrays from .npy and HDF5 may have any shape and dtype: `check_image` tells.
    path : str
        As given to `read`, for HDF5 with the dataset's name.
    format : str
        "PNG", "TIFF", "PGM", "PPM", "BMP", "JPEG", "JPEG 2000", "WebP", "GIF", "PCX", "TGA", "NPY", "HDF5" or "DICOM".
    data_range : float, pair of floats or None
        The value range that the file itself declares; None: none beyond the dtype's.
    data_range_origin : str
        Who declares it, like "BitsStored 12"; empty when `data_range` is None.
    inverted : bool
        Low values are bright (DICOM's MONOCHROME1, TIFF's MINISWHITE, HDF5's IMAGE_WHITE_IS_ZERO); the pixels are as
        stored all the same.
    pixel_spacing : pair of floats or None
        Millimetres between the centres of neighbouring rows, and of neighbouring columns, where the file declares
        them: DICOM's Pixel Spacing or Imager Pixel Spacing; a resolution in pixels per inch, centimetre or metre of
        TIFF and PNG, which is that of a print where the picture is no scan. None: not declared.
    pixel_spacing_origin : str
        Who declares it, like "ImagerPixelSpacing"; empty when `pixel_spacing` is None.
    padding : ndarray of bool, H×W, or None
        Where the file says that there is no image (DICOM's Pixel Padding Value); None: nowhere.
    frames : sized iterable of Frame, or None
        All frames of a file with more than one, read one at a time; `pixels` is the first. Only where
        `read(every_frame=True)` asked for them.
    remarks : tuple of str
        What a user should know about the reading, one line each.
    details : mapping
        What the format's writer needs to give back the same kind of file.
    """

    pixels: NDArray[Any]
    path: str
    format: str
    data_range: float | tuple[float, float] | None = None
    data_range_origin: str = ""
    inverted: bool = False
    pixel_spacing: tuple[float, float] | None = None
    pixel_spacing_origin: str = ""
    padding: NDArray[np.bool_] | None = None
    frames: Collection[Frame] | None = None
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return preview.line(self)

    def _repr_html_(self) -> str:
        return preview.page(self)

    @property
    def range_doubt(self) -> str:
        """A hint where a 16-bit file declares no range and looks as if it held 14 bits or fewer; else empty.

        It is taken at its word all the same.
        """
        if self.pixels.dtype.kind not in "iu" or self.pixels.dtype.itemsize != 2 or self.data_range is not None:
            return ""
        limits, most = np.iinfo(self.pixels.dtype), int(self.pixels.max(initial=0))
        least = int(self.pixels.min(initial=0))
        if most >= limits.max / 4 or least < limits.min / 4:
            return ""
        white = 2 ** max(most, -least - 1, 1).bit_length() - 1
        if least < 0:
            bits = white.bit_length() + 1
            values, how = f"are {least} to {most}", f"={-white - 1}:{white} for {bits} bits with a sign, else =LOW:HIGH"
        else:
            values, how = f"end at {most}", f" {white}"
        return (
            f"its values {values}, of {limits.min}..{limits.max} ({self.pixels.dtype.name}); "
            f"if it holds fewer bits, say so (--data-range{how}): network and scores depend on it"
        )


@dataclass(frozen=True)
class Provenance:
    """How an output was computed, in the words of who computed it; DICOM stores it in the derived object.

    Parameters
    ----------
    process : str
        What was done, as a sentence's beginning: "Super-resolution x2 by FSRCNN".
    label : str
        The same for a list of series: "FSRCNN x2".
    scale : int
        Rows and columns of the output for each one of the original.
    model, sha256 : str
        The model's name, and the digest of what decides its outputs (`Weights.sha256`).
    software, version : str
        Of the package.
    value_range : ValueRange, optional
        The stored values that were taken for black and white.
    source_sha256 : str
        Of the bytes of the original's file; empty where it is not known.
    source_part : str
        The beginning of the sha256 of the dataset's name or the frame's number; empty: the only one, or all.
    engine, transfer_syntax, allow : str, str, tuple of str
        As of `fsrcnn_np.upscale_file`; the syntax is empty where the output is no DICOM.
    remap_uids : str
        The beginning of the sha256 of the text that a DICOM's UIDs were mapped with; empty: they are kept.
    settings : tuple of str
        What else decides the output, as NAME=VALUE.
    """

    process: str
    label: str
    scale: int
    model: str
    sha256: str
    software: str
    version: str
    value_range: ValueRange | None = None
    source_sha256: str = ""
    source_part: str = ""
    engine: str = ""
    allow: tuple[str, ...] = ()
    transfer_syntax: str = ""
    remap_uids: str = ""
    settings: tuple[str, ...] = ()

    def __str__(self) -> str:
        source = f", of a file with sha256 {self.source_sha256}" if self.source_sha256 else ""
        values = f", values {self.value_range}" if self.value_range else ""
        model = f", model {self.model}, sha256 {self.sha256}"
        return f"{self.process}{model}{values}{source}, {self.software} {self.version}"


class DicomForm(NamedTuple):
    """How a derived DICOM object is written."""

    transfer_syntax: str = "explicit"  #: a name of `fsrcnn_np.files.dicom.TRANSFER_SYNTAXES`
    remap_uids: str = ""  #: a text that every UID is mapped with; the same text maps alike. Empty: they are kept


class Output(NamedTuple):
    """What is to be written; the one argument of every format's encoder."""

    pixels: NDArray[Any]
    like: Picture | None = None  #: the original
    dataset: str | None = None  #: the name inside an HDF5 file
    provenance: Provenance | None = None
    frames: Iterable[NDArray[Any]] | None = None  #: in place of `pixels`, of an original that has several
    form: DicomForm = DicomForm()
    threads: int = 1
    made: Made | None = None  #: in place of `pixels`, of what is made while it is written: HDF5


class Encoded(NamedTuple):
    """A file's bytes, ready to be written, and what a user should know about them."""

    data: Bytes  #: or what writes them into a file that can be sought in
    remarks: list[str]


def check_size(height: int, width: int, samples: int, bits: int, stored: int, *, packing: int) -> None:
    """Raise a FormatError before memory is taken for a picture that the file cannot hold.

    Parameters
    ----------
    height, width, samples, bits : int
        What the header says; bits per sample.
    stored : int
        Number of bytes in the file.
    packing : int
        UNPACKED, DEFLATED or PACKED.
    """
    if height < 1 or width < 1:
        raise FormatError(f"the header says {height}×{width} pixels; allowed is at least one")
    if height * width > MOST_PIXELS:
        raise FormatError(f"the header says {height}×{width} pixels; allowed are {MOST_PIXELS}; cut it into parts")
    needed = (height * width * samples * bits + 7) // 8
    if needed > stored * packing:
        raise FormatError(
            f"truncated: the header says {height}×{width} pixels, but the file has only {stored} bytes"
            "; copy or download it again"
        )


def refuse_dtype(pixels: NDArray[Any], format: str, allowed: tuple[str, ...]) -> None:
    """Raise a FormatError when the format cannot hold this dtype."""
    if pixels.dtype.name not in allowed:
        raise FormatError(
            f"{format} cannot hold {pixels.dtype.name}; it holds {', '.join(allowed)}; "
            "convert the image, or write .tif, .npy or .h5, which hold every dtype"
        )


def enlargement(output: Output) -> float:
    """How many pixels stand where one stood in the original: what resolutions are multiplied by."""
    like = output.like
    return output.pixels.shape[0] / like.pixels.shape[0] if like is not None and like.pixels.ndim >= 2 else 1.0


def spacing(rows: float, columns: float) -> tuple[float, float] | None:
    """Millimetres between rows and columns as `Picture.pixel_spacing`; None unless both are positive and finite."""
    return (rows, columns) if all(0 < value < math.inf for value in (rows, columns)) else None


def narrowed(colours: NDArray[Any]) -> NDArray[Any]:
    """Colours of a 16-bit palette as uint8 where they hold no more: most writers store 8 bits v as v·257 or v·256."""
    for step in (257, 256):
        if colours.dtype.name == "uint16" and not (colours % step).any():
            return (colours // step).astype("uint8")
    return colours


ALPHA = "alpha"  #: what a caller allows who wants transparency left out
_ALPHA_ALLOWED: ContextVar[bool] = ContextVar("alpha allowed", default=False)


@contextmanager
def alpha_allowed(allowed: bool) -> Iterator[None]:
    """Within, `opaque` leaves transparency out instead of refusing it."""
    before = _ALPHA_ALLOWED.set(allowed)
    try:
        yield
    finally:
        _ALPHA_ALLOWED.reset(before)


def opaque(pixels: NDArray[Any], remarks: list[str]) -> NDArray[Any]:
    """Leave out an alpha channel (the last one) that is opaque everywhere; refuse any other, unless that is allowed."""
    alpha = pixels[..., -1]
    transparent = not (alpha == np.iinfo(alpha.dtype).max).all()
    if transparent and not _ALPHA_ALLOWED.get():
        raise FormatError(
            "found an alpha channel with transparent pixels; allowed are grey and RGB; flatten it first: "
            "magick IN -background black -alpha remove -alpha off OUT; "
            f"or have upscale leave it out: --allow {ALPHA} (allow=['{ALPHA}'])"
        )
    what = "with transparent pixels" if transparent else "opaque everywhere"
    remarks.append(f"its alpha channel, {what}, is left out")
    colours = pixels[..., :-1]
    return np.ascontiguousarray(colours[..., 0] if colours.shape[-1] == 1 else colours)
