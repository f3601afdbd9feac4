"""Outputs appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from fsrcnn_np.errors import FileError
from fsrcnn_np.files.picture import OutputExists


def write_bytes(path: Path, data: bytes | bytearray | memoryview, *, overwrite: bool) -> None:
    """Write a file, and its folder where that is missing; leave nothing behind on failure.

    Raises
    ------
    OutputExists
        The file is there and `overwrite` is False.
    FileError
        The folder cannot be written, the disk is full, …
    """
    check_free(path, overwrite=overwrite)
    beside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # some file systems tell only now that the disk is full
        os.chmod(beside, _file_mode())
        if overwrite:
            os.replace(beside, path)
        else:
            _rename_if_free(beside, path)
    except OutputExists:
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(beside)


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise OutputExists or FileError when this output must not or cannot be written, before anything is computed."""
    if path.is_dir():
        raise FileError(f"{path}: is a folder; give a file's name")
    if not overwrite and os.path.lexists(path):
        raise OutputExists(f"{path}: exists already and is kept; --overwrite (overwrite=True) replaces it")


def _rename_if_free(beside: str, path: Path) -> None:
    """Like os.replace, but a file that came meanwhile (another process, the same batch) is not replaced."""
    try:
        os.link(beside, path)
    except FileExistsError as error:
        raise OutputExists(f"{path}: exists already and is kept; --overwrite (overwrite=True) replaces it") from error
    except OSError:  # a file system without hard links
        os.replace(beside, path)


def _file_mode() -> int:
    """What open() would have given: mkstemp's files are for their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
