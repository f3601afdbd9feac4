"""A picture that goes into another format than it came in: what that format keeps of it, and what is lost, said."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.formats import DICOM, WRITTEN, Format, by_name, by_suffix
from fsrcnn_np.files.picture import Picture
from fsrcnn_np.files.png import resolution
from fsrcnn_np.files.target import split
from fsrcnn_np.images.value_range import value_range


def names_a_file(path: str | os.PathLike[str]) -> bool:
    """Whether an output of this name is to be an image file: a suffix, no slash behind it, and no folder there."""
    if os.fspath(path).endswith(tuple(filter(None, ("/", os.sep, os.altsep)))):
        return False
    target = split(path).path
    return not target.is_dir() and by_suffix(target.name) is not None


def choose(path: Path, like: Picture | None) -> Format:
    """The format to write: the original's where its name is kept, else the one that the suffix names.

    Raises
    ------
    FormatError
        The suffix names none.
    """
    named = by_suffix(path.name)
    if like is not None:
        before = split(like.path).path
        same_name = path.suffix.lower() == before.suffix.lower() or path.suffix.strip(".0123456789") == ""
        if same_name or (named is not None and named is by_suffix(before.name)):
            return by_name(like.format)  # also where the name lied: what is in the file tells
        if named is not None and named.read is by_name(like.format).read:
            return by_name(like.format)
    if named is None:
        raise FormatError(f"its suffix names no known format; allowed are {', '.join(WRITTEN)}")
    return named


def check_colour(path: Path, pixels: NDArray[Any], like: Picture | None) -> None:
    """Raise a FormatError where .pgm would get colours, or .ppm grey, and the original has no such name itself."""
    suffix, wrong = path.suffix.lower(), {".pgm": 3, ".ppm": 2}
    same_name = like is not None and split(like.path).path.suffix.lower() == suffix
    if wrong.get(suffix) == pixels.ndim and not same_name:
        found, other = ("RGB", ".ppm") if pixels.ndim == 3 else ("grey", ".pgm")
        raise FormatError(f"{suffix} does not hold {found}; write {other}, or .pnm, which holds both")


def converted(like: Picture, format: Format) -> tuple[Picture, list[str]]:
    """What the new format's writer is to keep of the original, and one line for each thing that it cannot.

    Parameters
    ----------
    like : Picture
        The original, of another format.
    format : Format

    Raises
    ------
    FormatError
        The format takes no picture of another one.
    """
    if format is DICOM:
        raise FormatError(f"a DICOM object is only derived from a DICOM, not from {like.format}; write another format")
    details = _details(like, format)
    remarks = []
    low, high = like.data_range if isinstance(like.data_range, tuple) else (0.0, like.data_range)
    own = value_range(like.pixels.dtype)
    if high is not None and (low, high) != (own.low, own.high) and not details.keys() & {"bits", "maxval"}:
        given = f"{low:g}:{high:g}" if low else f"{high:g}"
        remarks.append(
            f"{format.name} does not say that the values are {low:g}..{high:g} ({like.data_range_origin}); "
            f"whoever reads it must (--data-range {given})"
        )
    if like.inverted and "photometric" not in details:
        remarks.append(f"{format.name} does not say that low values are bright: it is shown as the negative")
    lost = [*_names(like), *like.details.get("left_out", ())]
    if like.pixel_spacing and not details.keys() & {"resolution", "chunks", "info"}:
        lost.append(f"pixel spacing ({like.pixel_spacing_origin})")
    if lost:
        remarks.append(f"left out in {format.name}: {', '.join(lost)}")
    return replace(like, format=format.name, details=details), remarks


def _details(like: Picture, format: Format) -> dict[str, Any]:
    """The original's range, polarity and pixel spacing as the new format's reader would have put them."""
    white = _white(like)
    rows, columns = like.pixel_spacing or (0.0, 0.0)  # mm
    if format.name == "TIFF":
        found: dict[str, Any] = {}
        if white and not white & (white + 1):  # 2ⁿ − 1
            found["bits"] = white.bit_length()
        if like.inverted and like.pixels.ndim == 2:
            found["photometric"] = 0  # MINISWHITE
        return found | ({"resolution": [10 / columns, 10 / rows], "resolutionunit": 3} if rows else {})  # per cm
    if format.name in ("PGM", "PPM"):
        return {"maxval": white} if white else {}
    if format.name == "PNG":
        return {"chunks": [resolution(1000 / columns, 1000 / rows)]} if rows else {}
    if format.name in ("BMP", "JPEG", "PCX"):
        return {"info": {"dpi": (25.4 / columns, 25.4 / rows)} if rows else {}}
    if format.name == "JPEG 2000":
        return {"bits": white.bit_length()} if white and not white & (white + 1) else {}
    return {"dtype": like.pixels.dtype} if format.name in ("NPY", "HDF5") else {}


def _white(like: Picture) -> int:
    """R of a declared range 0..R of whole numbers that is not the dtype's own; else 0."""
    declared, dtype = like.data_range, like.pixels.dtype
    if dtype.kind != "u" or declared is None or isinstance(declared, tuple) or declared != int(declared):
        return 0
    return int(declared) if declared < np.iinfo(dtype).max else 0


def _names(like: Picture) -> list[str]:
    """What the original's file holds beside the picture, by the names that its format has for it."""
    details = like.details
    if like.format == "DICOM":
        return ["all that the DICOM says of patient, study and acquisition"]
    if like.format == "HDF5":
        return [f"attribute {name}" for name in details.get("attributes", {})]
    if like.format == "PNG":
        kinds = dict.fromkeys(chunk.kind.decode("latin-1") for chunk in details.get("chunks", ()))
        return [kind for kind in kinds if kind != "pHYs"]
    if like.format == "TIFF":
        from tifffile import TIFF

        return [TIFF.TAGS.get(tag[0], str(tag[0])) for tag in details.get("tags", ())]
    return [
        name for name in ("exif", "icc_profile", "xmp", "comment", "id_section") if details.get("info", {}).get(name)
    ]
