"""path → Picture, or one line that says why not."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from fsrcnn_np.errors import (
    FileError,
    FormatError,
    FsrcnnError,
    MissingExtraError,
    NotThereError,
    OptionError,
    unreadable,
)
from fsrcnn_np.files import dicom, foreign
from fsrcnn_np.files.arrays import read_hdf5
from fsrcnn_np.files.dicom import ALLOWANCES as _OF_DICOM
from fsrcnn_np.files.formats import DICOM, FORMATS, HDF5, NPZ, TGA, WITH_PARTS, Format, by_head, by_suffix
from fsrcnn_np.files.hdf5_heap import superblock
from fsrcnn_np.files.picture import ALPHA, NoPicture, Picture, alpha_allowed
from fsrcnn_np.files.target import split
from fsrcnn_np.files.together import without_warnings
from piqe_np.line import about

_DISK = (errno.EIO, errno.EMFILE, errno.ENFILE)
for _library in ("imagecodecs", "tifffile", "PIL"):  # else their warnings go to the user's terminal
    logging.getLogger(_library).addHandler(logging.NullHandler())

#: What a caller of `read` can allow.
ALLOWANCES = (ALPHA, *_OF_DICOM)


def read(path: str | os.PathLike[str], *, every_frame: bool = False, allow: Iterable[str] = ()) -> Picture:
    """Read an image file with its pixels as stored.

    Parameters
    ----------
    path : path-like
        A PNG, TIFF, PGM, PPM, BMP, JPEG, JPEG 2000, WebP, GIF, PCX, TGA, .npy, .npz, .mat, DICOM (extra `dicom`) or
        HDF5 file; `file.h5::/path` names a dataset (of .npz and .mat an array), which may be left out where there is
        only one, `file.dcm::3` the third frame. The first bytes tell the format, not the suffix.
    every_frame : bool
        Of a DICOM of several frames give the first, and all of them as `Picture.frames`; else they are refused.
    allow : iterable of str
        What is refused otherwise: "high-bits" clears bits of a DICOM above Bits Stored that nothing explains;
        "burned-in" lets a derived object be written of an image with Burned In Annotation; "alpha" leaves out an alpha
        channel with transparent pixels, as MATLAB's `imread` does.

    Returns
    -------
    Picture

    Raises
    ------
    OptionError
        `allow` names something else.
    FileError
        The file cannot be opened.
    NoPicture
        A DICOM object that is no image, like a structured report. It is a FormatError.
    FormatError
        It is of an unknown format, damaged, or holds something other than one grey or RGB picture.
    MissingExtraError
        Its format needs a library that is not installed.
        Every message is one line that begins with the file's name.
    """
    allowed = frozenset(allowances(allow))
    target = split(path)
    with unchanged(target.path), one_line_errors(target.path), alpha_allowed(ALPHA in allowed):
        format = identify(target.path)
        if format is DICOM:
            return dicom.read(target.path, target.dataset, every_frame=every_frame, allow=allowed)
        if format in WITH_PARTS:
            return format.read(target.path, target.dataset)
        if target.dataset:
            raise FormatError(f"is {format.name}, not HDF5, and has no dataset {target.dataset}")
        return format.read(target.path)


def read_or_leave(path: str | os.PathLike[str], *, allow: Iterable[str] = (), most: int) -> Picture:
    """As `read(every_frame=True)`, but a grey HDF5 dataset of more than `most` pixels stays in its file (`Rows`)."""
    target = split(path)
    with one_line_errors(target.path):
        if identify(target.path) is HDF5:
            return read_hdf5(target.path, target.dataset, unloaded=most)
    return read(path, every_frame=True, allow=allow)


def allowances(allow: object) -> tuple[str, ...]:
    """What a caller allows, checked; an OptionError for what is no name of it."""
    try:
        names: tuple[Any, ...] = (allow,) if isinstance(allow, str | bytes) else tuple(allow)  # type: ignore[arg-type]
    except TypeError:
        names = (allow,)
    for name in names:
        if not isinstance(name, str) or name not in ALLOWANCES:
            raise OptionError(f"allow names {name!r}; there are {', '.join(map(repr, ALLOWANCES))}")
    return names


def identify(path: Path) -> Format:
    """Tell the format by the first bytes, or raise an exception without the file's name."""
    if path.is_dir():
        raise FileError("is a folder; give a file")
    if path.exists() and not path.is_file():
        raise FileError("is a device or a pipe; give a regular file")
    with open(path, "rb") as stream:
        head = stream.read(foreign.HEAD)
    if not head:
        raise FormatError("is empty (0 bytes); copy or download it again")
    named = by_suffix(path.name)
    if found := by_head(head):
        return found
    if named is NPZ and head.startswith(b"PK"):
        return named
    if named is HDF5:
        with open(path, "rb") as stream:
            if superblock(stream):
                return named
    if what := foreign.what(head):
        raise FormatError(what)
    if named in (DICOM, TGA, NPZ):
        return named  # an old DICOM file without preamble; the others have no beginning of their own
    if named is not None:
        raise FormatError(f"is no {named.name}: it does not begin as one; it is damaged or misnamed")
    known = ", ".join(format.name for format in FORMATS)
    raise FormatError(f"is of an unknown format; allowed are {known}")


@contextlib.contextmanager
def unchanged(path: Path) -> Iterator[Callable[[], None]]:
    """Raise a FileError where the file becomes another within: half of what was read may be of each.

    Looks at the end, and whenever what it gives is called.
    """

    def stamp() -> tuple[int, ...] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def check() -> None:
        if stamp() != before:
            raise FileError(f"{path}: changed while it was read; run it again when nobody writes it any more")

    before = stamp()
    yield check
    check()


@contextlib.contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into one exception of ours with one line that begins with the file's name."""
    try:
        with without_warnings():
            yield
    except FsrcnnError as error:
        kind = next(
            k
            for k in (MissingExtraError, NotThereError, FileError, NoPicture, FormatError, FsrcnnError)
            if isinstance(error, k)
        )
        raise kind(about(path, error)) from error  # whole: its reason stands behind the name, however long that is
    except MemoryError as error:
        raise FileError(
            f"{path}: there is not enough memory to read it; free some, or take a machine with more"
        ) from error
    except OSError as error:
        if error.errno:
            raise unreadable(path, error) from error
        raise FormatError(f"{path}: damaged or unreadable: {one_line(error)}; copy or download it again") from error
    except Exception as error:  # decoders raise anything: struct.error, KeyError, zlib.error, SyntaxError, …
        if isinstance(behind := error.__context__, OSError) and behind.errno in _DISK:  # zipfile calls it no zip file
            raise unreadable(path, behind) from error
        raise FormatError(f"{path}: damaged or unreadable: {one_line(error)}; copy or download it again") from error


def one_line(error: BaseException) -> str:
    """An exception's message on one line of sensible length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "…"
