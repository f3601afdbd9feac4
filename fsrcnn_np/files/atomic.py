"""Outputs appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from fsrcnn_np.errors import DiskFullError, FileError
from fsrcnn_np.files.picture import Bytes, exists
from fsrcnn_np.files.unfinished import sweep, unfinished

_NOTHING_MORE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS)


def write_bytes(path: Path, data: Bytes, *, overwrite: bool) -> None:
    """Write a file, and its folder where that is missing; leave nothing behind on failure.

    Raises
    ------
    OutputExists
        The file is there and `overwrite` is False.
    FileError
        The folder cannot be written, the disk is full, …
    """
    check_free(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path) as (beside, stream):
            if callable(data):
                data(stream)
            else:
                stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # some file systems tell only now that the disk is full
            if os.name == "nt":
                stream.close()  # nothing open can be renamed there; elsewhere the lock is held to the end
            if overwrite:
                os.replace(beside, path)
            else:
                _rename_if_free(beside, path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise OutputExists or FileError when this output must not or cannot be written, before anything is computed."""
    sweep(path.parent)
    try:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; give a file's name")
        if not overwrite and os.path.lexists(path):
            raise exists(path)
    except PermissionError as error:
        raise _cannot_write(path, error) from error


def check_writable(path: Path) -> None:
    """Raise DiskFullError or FileError where the folder of this output takes no file, before anything is computed."""
    folder = next(filter(os.path.isdir, (path.parent, *path.parent.parents)), path.parent)
    if os.name != "posix" or os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return
    read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    number = errno.EROFS if read_only else errno.EACCES
    raise _cannot_write(path, OSError(number, os.strerror(number)))


def _rename_if_free(beside: Path, path: Path) -> None:
    """Like os.replace, but a file that came meanwhile (another process, the same batch) is not replaced."""
    try:
        os.link(beside, path)
    except FileExistsError as error:
        raise exists(path) from error
    except OSError:  # a file system without hard links
        os.replace(beside, path)


def _cannot_write(path: Path, error: OSError) -> OSError:
    if isinstance(error, FileError):
        return error
    if number := _full(error):
        remedy = "give a folder that takes files" if number == errno.EROFS else "make space"
        return DiskFullError(f"{path}: cannot be written: {os.strerror(number)}; {remedy}, and run it again")
    return FileError(f"{path}: cannot be written ({error.strerror or error}); give a folder with space and permission")


def _full(error: BaseException | None) -> int | None:
    """The system's number where no disk takes anything more; a library's own exception may hide it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NOTHING_MORE:
            return error.errno
        error = error.__cause__ or error.__context__
    return None
