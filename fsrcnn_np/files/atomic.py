"""Outputs appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from fsrcnn_np.errors import DiskFullError, FileError
from fsrcnn_np.files.picture import Bytes, OutputDiffers, OutputExists, differs, exists
from fsrcnn_np.files.unfinished import sweep, unfinished

_NOTHING_MORE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS)


def write_bytes(path: Path, data: Bytes, *, overwrite: bool) -> None:
    """Write a file, and its folder where that is missing; leave nothing behind on failure.

    Raises
    ------
    OutputExists
        The file is there, holds these very bytes, and `overwrite` is False.
    OutputDiffers
        It holds others.
    FileError
        The folder cannot be written, the disk is full, …
    """
    check_place(path)
    if not overwrite and not callable(data) and os.path.lexists(path):
        raise held_against(path, data)
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


def check_place(path: Path) -> None:
    """Raise a FileError where no output can be written, before anything is computed."""
    sweep(path.parent)
    try:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; give a file's name")
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


def write_together(files: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Write files that belong together, each as `write_bytes` does: none where one that is there holds something else.

    Raises
    ------
    OutputExists
        All are there, and hold these very bytes.
    OutputDiffers, FileError
        As of `write_bytes`.
    """
    for path in files:
        check_place(path)
    found = {path: held_against(path, data) for path, data in files.items() if not overwrite and os.path.lexists(path)}
    for error in found.values():
        if isinstance(error, OutputDiffers):
            raise error
    if len(found) == len(files):
        raise next(iter(found.values()))
    for path, data in files.items():
        if path not in found:
            write_bytes(path, data, overwrite=overwrite)


def held_against(path: Path, data: bytes | bytearray | memoryview) -> OutputExists | OutputDiffers:
    """What is said of an output that is there: it holds these very bytes and is kept, or what differs."""
    try:
        found = path.read_bytes() if path.is_file() else None
    except OSError as error:
        return differs(path, f"exists and cannot be read ({error.strerror or error})")
    if found is None:
        return differs(path, "exists and is no file")
    if found == data:
        return exists(path)
    return differs(path, f"exists, made otherwise: {_difference(found, bytes(data))}")


def _difference(found: bytes, wanted: bytes) -> str:
    """Where two contents part, "x → y": a line of texts, else sizes or the first byte."""
    try:
        texts = [part.decode().split("\n") for part in (found, wanted) if b"\0" not in part]
    except UnicodeDecodeError:
        texts = []
    if len(texts) == 2:
        old, new = texts
        number = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
        if number is None:
            return f"{len(old) - 1} lines → {len(new) - 1}"
        return f"line {number + 1} {' → '.join(map(repr, _apart(old[number], new[number])))}"
    if len(found) != len(wanted):
        return f"{len(found)} bytes → {len(wanted)} bytes"
    first = next(n for n, (old, new) in enumerate(zip(found, wanted, strict=True)) if old != new)
    return f"byte {first} 0x{found[first]:02x} → 0x{wanted[first]:02x}"


def _apart(*lines: str) -> list[str]:
    """Of two lines what can be shown: 40 characters with the place where they part."""
    same = next((n for n, pair in enumerate(zip(*lines, strict=False)) if pair[0] != pair[1]), min(map(len, lines)))
    begin = 0 if max(map(len, lines)) <= 40 or same < 30 else same - 12
    return [
        ("…" if begin else "") + (rest if len(rest) <= 40 else rest[:39] + "…")
        for rest in (line[begin:] for line in lines)
    ]


def _rename_if_free(beside: Path, path: Path) -> None:
    """Like os.replace, but a file that came meanwhile (another process, the same batch) is not replaced."""
    try:
        os.link(beside, path)
    except FileExistsError as error:
        raise held_against(path, beside.read_bytes()) from error
    except OSError:  # a file system without hard links
        os.replace(beside, path)


def _cannot_write(path: Path, error: OSError) -> OSError:
    if isinstance(error, FileError):
        return error
    if number := _full(error):
        remedy = "give a folder that takes files" if number == errno.EROFS else "make space"
        return DiskFullError(f"{path}: cannot be written: {os.strerror(number)}; {remedy}, and run it again")
    files = [place for place in path.parents if place.exists() and not place.is_dir()]
    if files:
        return FileError(f"{path}: cannot be written: {files[0]} is no folder; give one")
    return FileError(f"{path}: cannot be written ({error.strerror or error}); give a folder with space and permission")


def _full(error: BaseException | None) -> int | None:
    """The system's number where no disk takes anything more; a library's own exception may hide it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NOTHING_MORE:
            return error.errno
        error = error.__cause__ or error.__context__
    return None
