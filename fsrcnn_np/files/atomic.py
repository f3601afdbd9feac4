"""Outputs appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from fsrcnn_np.errors import FileError
from fsrcnn_np.files.picture import Bytes, exists


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
    beside = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "xb") as stream:
            if callable(data):
                data(stream)
            else:
                stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # some file systems tell only now that the disk is full
        if overwrite:
            os.replace(beside, path)
        else:
            _rename_if_free(beside, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise OutputExists or FileError when this output must not or cannot be written, before anything is computed."""
    try:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; give a file's name")
        if not overwrite and os.path.lexists(path):
            raise exists(path)
    except PermissionError as error:
        raise _cannot_write(path, error) from error


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
    return FileError(f"{path}: cannot be written ({error.strerror or error}); give a folder with space and permission")
