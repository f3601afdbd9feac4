"""Picture → path: the original's bit depth, and its format unless the suffix asks for another; whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FileError, FormatError, FsrcnnError, OptionError
from fsrcnn_np.files.arrays import beside
from fsrcnn_np.files.atomic import check_place, check_writable, write_bytes
from fsrcnn_np.files.bands import Made
from fsrcnn_np.files.conversion import check_colour, choose, converted
from fsrcnn_np.files.formats import DICOM, HDF5, Format, by_name, by_suffix
from fsrcnn_np.files.made import check_free, sidecar_path
from fsrcnn_np.files.picture import DicomForm, Output, Picture, Provenance
from fsrcnn_np.files.reading import one_line
from fsrcnn_np.files.record import text_of
from fsrcnn_np.files.target import Target, split
from fsrcnn_np.files.together import without_warnings
from fsrcnn_np.images.value_range import check_image
from piqe_np.compiled import thread_count
from piqe_np.line import writable

_SEVERAL = "{} holds one picture, and there are several frames; name one of them (FILE::1), or write DICOM"


def write(
    path: str | os.PathLike[str],
    pixels: NDArray[Any] | Iterator[NDArray[Any]] | Made,
    *,
    like: Picture | None = None,
    provenance: Provenance | None = None,
    form: DicomForm | None = None,
    sidecar: bool = False,
    threads: int | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write an image, atomically, in the format and bit depth of the picture it came from.

    Parameters
    ----------
    path : path-like
        Missing folders are made. For HDF5 `out.h5::/path` (default: the original's dataset, or /image).
    pixels : ndarray
        H×W or H×W×3; of an original with several frames these, one after the other; or, for HDF5 of an HDF5 original
        that stayed in its file, what makes them while they are written.
    like : Picture, optional
        What was read; its format is written, with resolution and texts, where the path keeps its suffix. Another
        suffix converts: dtype and bit depth stay, and what the other format cannot keep is remarked. None: the suffix
        tells the format.
    provenance : Provenance, optional
        How the pixels were computed: written into the file, where its format has a place (PNG, TIFF, JPEG, JPEG 2000,
        WebP, GIF, HDF5, DICOM). DICOM needs it, and needs `like`.
    form : DicomForm, optional
        How a DICOM object is written; by default uncompressed.
    sidecar : bool
        Where the format has no place for the provenance, write it beside as NAME.provenance.json.
    threads : int, optional
        For PNG and TIFF; default: $FSRCNN_NP_THREADS, else the CPUs that the process may use. The same bytes for any.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    list of str
        Remarks for the user: what could not be kept, or was changed, one line each.

    Raises
    ------
    OutputExists
        The file exists, the same means would make it again (without `provenance`: to the byte), and `overwrite` is
        False: it is kept.
    OutputDiffers
        The same, but it holds something else, or that cannot be told.
    FileError
        It cannot be written: no permission, disk full; no partial file stays.
    FormatError
        The format cannot hold these pixels, or the suffix names none.
    """
    target = split(path)
    check_place(target.path)
    check_beside(target)
    if provenance is not None:
        check_free(target.path, provenance, overwrite=overwrite)
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    remarks: list[str] = []
    form = form or DicomForm()
    with _one_line(target.path, like):
        format, kept, lost = _prepared(target, like)
        if provenance is not None and format is not DICOM:
            provenance = replace(provenance, transfer_syntax="", remap_uids="")
        if isinstance(pixels, Made):
            if format is not HDF5 or like is None:
                raise OptionError(f"{format.name} is not written row by row; allowed is HDF5 of an HDF5 original")
            encoded = format.encode(Output(like.pixels, kept, target.dataset, provenance, made=pixels))
        elif isinstance(pixels, Iterator):
            if format is not DICOM or like is None:
                raise OptionError(_SEVERAL.format(format.name))
            frames = (_within_declared(check_image(frame), like, remarks) for frame in pixels)
            encoded = format.encode(
                Output(like.pixels, kept, target.dataset, provenance, frames, form or DicomForm(), count)
            )
        else:
            checked = _within_declared(check_image(pixels), like, remarks)
            encoded = format.encode(
                Output(checked, kept, target.dataset, provenance, form=form or DicomForm(), threads=count)
            )
            check_colour(target.path, checked, like)
        if sidecar and provenance is not None and format.made is None and not callable(encoded.data):
            text = text_of(provenance, output_sha256=hashlib.sha256(encoded.data).hexdigest())
            write_bytes(sidecar_path(target.path), text.encode() + b"\n", overwrite=True)
        write_bytes(target.path, encoded.data, overwrite=overwrite)
    remarks += lost
    named = by_suffix(target.path.name)
    if named and named.read is not format.read:
        remarks.append(f"{target.path} holds {format.name}, as its original does, whatever its name says")
    return remarks + encoded.remarks


def check_target(
    path: str | os.PathLike[str], like: Picture, provenance: Provenance | None = None, form: DicomForm | None = None
) -> None:
    """Raise, before anything is computed, what `write` would raise whatever the pixels are.

    Parameters
    ----------
    path : path-like
        As of `write`.
    like : Picture
        The original: another suffix than its own asks for another format.
    provenance, form
        As of `write`.
    """
    target = split(path)
    check_writable(target.path)
    with _one_line(target.path, like):
        format, kept, _ = _prepared(target, like)
        if like.frames is not None and format is not DICOM:
            raise OptionError(_SEVERAL.format(format.name))
        if kept is not like:
            least = np.zeros((2, 2, *like.pixels.shape[2:]), like.pixels.dtype)
            format.encode(Output(least, kept, target.dataset))
            check_colour(target.path, least, like)
    if format.check is not None and provenance is not None:
        with _one_line(Path(like.path), like):
            format.check(like, provenance, form or DicomForm())


def check_beside(target: Target) -> None:
    """Raise a FileError where FILE::/dataset is to be written, and FILE holds others: they would be lost with it."""
    if target.dataset is None or not target.path.is_file():
        return
    if others := beside(target.path, target.dataset):
        listed = ", ".join(others[:8]) + (", …" if len(others) > 8 else "")
        raise FileError(
            f"{target.path}: holds {listed} beside {target.dataset}, which would be lost with the file; "
            "give a file of its own"
        )


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> None:
    """Write a text file in UTF-8, atomically; bytes of names that are none are spelled out.

    Raises OutputExists, OutputDiffers or FileError as `write` does.
    """
    write_bytes(Path(path), writable(text).encode(), overwrite=overwrite)


def _prepared(target: Target, like: Picture | None) -> tuple[Format, Picture | None, list[str]]:
    """The format, the original as that format's writer takes it, and what is lost on the way."""
    format = choose(target.path, like)
    if target.dataset and format is not HDF5:
        raise FormatError(f"is to be {format.name}, not HDF5, and has no dataset {target.dataset}")
    if target.dataset and "." in target.dataset.split("/"):
        raise FormatError(f"the dataset {target.dataset} has a part '.', which HDF5 takes for the group; give another")
    if like is not None and format is by_name(like.format):
        lost = like.details.get("left_out")
        return format, like, [f"left out of the {format.name}: {', '.join(lost)}"] if lost else []
    if like is None:
        return format, None, []
    return format, *converted(like, format)


@contextlib.contextmanager
def _one_line(path: Path, like: Picture | None) -> Iterator[None]:
    """Put the file's name before what is wrong; a library's exception becomes one of ours."""
    try:
        with without_warnings():
            yield
    except FsrcnnError as error:
        files = (path, like.path, split(like.path).path) if like else (path,)
        if str(error).startswith(tuple(f"{file}: " for file in files)):
            raise  # with its own cause
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:
        raise FormatError(f"{path}: cannot be written as {choose(path, like).name}: {one_line(error)}") from error


def _within_declared(pixels: NDArray[Any], like: Picture | None, remarks: list[str]) -> NDArray[Any]:
    """Clip to what the original's file declares: 12 bits stay 12 bits, also when the caller's range was wider."""
    if like is None or like.data_range is None:
        return pixels
    low, high = like.data_range if isinstance(like.data_range, tuple) else (0, like.data_range)
    if low <= pixels.min() and pixels.max() <= high:
        return pixels
    said = f"values beyond the original's {like.data_range_origin} are clipped"
    if said not in remarks:
        remarks.append(said)
    return pixels.clip(int(low), int(high))
