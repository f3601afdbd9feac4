"""Picture → path: the original's format and bit depth, whole or not at all."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError, FsrcnnError
from fsrcnn_np.files.atomic import check_free, write_bytes
from fsrcnn_np.files.formats import SUFFIXES, Format, by_name, by_suffix
from fsrcnn_np.files.picture import Output, Picture, Provenance
from fsrcnn_np.files.reading import one_line
from fsrcnn_np.files.target import split
from fsrcnn_np.images.value_range import check_image


def write(
    path: str | os.PathLike[str],
    pixels: NDArray[Any],
    *,
    like: Picture | None = None,
    provenance: Provenance | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write an image, atomically, in the format and bit depth of the picture it came from.

    Parameters
    ----------
    path : path-like
        Missing folders are made. For HDF5 `out.h5::/path` (default: the original's dataset, or /image).
    pixels : ndarray
        H×W or H×W×3.
    like : Picture, optional
        What was read; its format is written, with resolution and texts, whatever the suffix says. None: the suffix
        tells the format.
    provenance : Provenance, optional
        How the pixels were computed. DICOM needs it, and needs `like`.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    list of str
        Remarks for the user: what could not be kept, or was changed, one line each.

    Raises
    ------
    OutputExists
        The file exists (and is kept) and `overwrite` is False.
    FileError
        It cannot be written: no permission, disk full; no partial file stays.
    FormatError
        The format cannot hold these pixels.
    """
    target = split(path)
    check_free(target.path, overwrite=overwrite)
    format = _choose(target.path, like)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels, remarks = _within_declared(check_image(pixels), like)
            encoded = format.encode(Output(pixels, like, target.dataset, provenance))
    except FsrcnnError as error:
        raise type(error)(f"{target.path}: {error}") from error
    except Exception as error:
        raise FormatError(f"{target.path}: cannot be written as {format.name}: {one_line(error)}") from error
    write_bytes(target.path, encoded.data, overwrite=overwrite)
    named = by_suffix(target.path.name)
    if named and named.read is not format.read:
        remarks.append(f"{target.path} holds {format.name}, as its original does, whatever its name says")
    return remarks + encoded.remarks


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> None:
    """Write a text file in UTF-8, atomically. Raises OutputExists or FileError as `write` does."""
    write_bytes(Path(path), text.encode(), overwrite=overwrite)


def _choose(path: Path, like: Picture | None) -> Format:
    format = by_name(like.format) if like is not None else by_suffix(path.name)
    if format is None:
        raise FormatError(f"{path}: its suffix names no known format; allowed are {', '.join(SUFFIXES)}")
    return format


def _within_declared(pixels: NDArray[Any], like: Picture | None) -> tuple[NDArray[Any], list[str]]:
    """Clip to what the original's file declares: 12 bits stay 12 bits, also when the caller's range was wider."""
    if like is None or like.data_range is None:
        return pixels, []
    low, high = like.data_range if isinstance(like.data_range, tuple) else (0, like.data_range)
    if low <= pixels.min() and pixels.max() <= high:
        return pixels, []
    return pixels.clip(int(low), int(high)), [f"values beyond the original's {like.data_range_origin} are clipped"]
