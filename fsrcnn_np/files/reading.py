"""path → Picture, or one line that says why not."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from fsrcnn_np.errors import FileError, FormatError, FsrcnnError, MissingExtraError
from fsrcnn_np.files.formats import DICOM, FORMATS, HDF5, HEAD, Format, by_head, by_suffix
from fsrcnn_np.files.picture import Picture
from fsrcnn_np.files.target import split


def read(path: str | os.PathLike[str]) -> Picture:
    """Read an image file with its pixels as stored.

    Parameters
    ----------
    path : path-like
        A PNG, TIFF, PGM, PPM, BMP, JPEG, .npy, DICOM (extra `dicom`) or HDF5 file; `file.h5::/path` names a dataset,
        which may be left out where there is only one. The first bytes tell the format, not the suffix.

    Returns
    -------
    Picture

    Raises
    ------
    FileError
        The file cannot be opened.
    FormatError
        It is of an unknown format, damaged, or holds something other than one grey or RGB picture.
    MissingExtraError
        Its format needs a library that is not installed.
        Every message is one line that begins with the file's name.
    """
    target = split(path)
    with _one_line(target.path):
        format = _identify(target.path)
        if target.dataset and format is not HDF5:
            raise FormatError(f"is {format.name}, not HDF5, and has no dataset {target.dataset}")
        return format.read(target.path, target.dataset) if format is HDF5 else format.read(target.path)


def _identify(path: Path) -> Format:
    if path.is_dir():
        raise FileError("is a folder; give a file")
    if path.exists() and not path.is_file():
        raise FileError("is a device or a pipe; give a regular file")
    with open(path, "rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise FormatError("is empty (0 bytes); copy or download it again")
    named = by_suffix(path.name)
    found = by_head(head)
    if found is None and named is DICOM:
        return DICOM  # an old DICOM file without preamble
    if found is not None:
        return found
    if named is not None:
        raise FormatError(f"is no {named.name}: it does not begin as one; it is damaged or misnamed")
    known = ", ".join(format.name for format in FORMATS)
    if head[:4] == b"PK\3\4" and path.suffix.lower() == ".npz":
        raise FormatError("is an archive of arrays (.npz); allowed is one array: save it with numpy.save")
    raise FormatError(f"is of an unknown format; allowed are {known}")


@contextlib.contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into one exception of ours with one line that begins with the file's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FsrcnnError as error:
        kind = next(k for k in (MissingExtraError, FileError, FormatError, FsrcnnError) if isinstance(error, k))
        raise kind(f"{path}: {one_line(error)}") from error
    except FileNotFoundError as error:
        raise FileError(f"{path}: there is no such file") from error
    except PermissionError as error:
        raise FileError(f"{path}: no permission to read it") from error
    except MemoryError as error:
        raise FileError(f"{path}: there is not enough memory to read it") from error
    except OSError as error:
        if error.errno:
            raise FileError(f"{path}: cannot be read ({one_line(error)})") from error
        raise FormatError(f"{path}: damaged or unreadable: {one_line(error)}") from error
    except Exception as error:  # decoders raise anything: struct.error, KeyError, zlib.error, SyntaxError, …
        raise FormatError(f"{path}: damaged or unreadable: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """An exception's message on one line of sensible length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "…"
