"""The package's exceptions: each message says what was found, what is allowed and how to fix it.

Every one is a `FsrcnnError` and, beside it, a `ValueError` (something given is wrong) or an `OSError`
(a file could not be read or written). docs/errors.md has an example and the remedy of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from piqe_np.line import message


class FsrcnnError(Exception):
    """Base of all exceptions that this package raises on purpose; the message is one printable line."""

    #: of a command that ends with it; 1: what is there cannot be processed, 2: the call cannot work as it stands
    exit_status = 1

    def __init__(self, text: object = "") -> None:
        super().__init__(message(text))


class ImageError(FsrcnnError, ValueError):
    """An array that is not an image which can be processed: shape, dtype, or values beyond the range."""


class OptionError(FsrcnnError, ValueError):
    """An option with an impossible value: data_range, threads, engine, out, scale; or one that contradicts another."""

    exit_status = 2


class WeightsError(FsrcnnError, ValueError):
    """A model whose layers, shapes, dtypes or values are not those of an FSRCNN."""


class FormatError(FsrcnnError, ValueError):
    """A file that was read but whose content cannot be processed: unknown, damaged, or no picture."""


class FileError(FsrcnnError, OSError):
    """A file that cannot be opened, read or written: missing, no permission, disk full."""


class NotThereError(FileError, FileNotFoundError):
    """A file, folder or model that was named and is not there."""

    exit_status = 2


class DiskFullError(FileError):
    """No space or quota is left, or the disk is read-only: nothing can be written, and a run of many files stops."""


class MissingExtraError(FileError):
    """A format or a picture needs an optional library that is not installed; the message has the pip line."""

    exit_status = 2


def unreadable(path: object, error: OSError, instead: str = "") -> FileError:
    """What is raised of every file that the system does not open or read; `instead` is what was expected there."""
    give = f"; {instead}" if instead else ""
    if isinstance(error, FileNotFoundError):
        return NotThereError(f"{path}: there is no such file{give}")
    if isinstance(error, IsADirectoryError):
        return FileError(f"{path}: is a folder; {instead or 'give a file'}")
    if isinstance(error, PermissionError):
        return FileError(f"{path}: no permission to read it")
    return FileError(f"{path}: cannot be read ({os.strerror(error.errno) if error.errno else error}){give}")


@contextmanager
def part_of_the_call() -> Iterator[None]:
    """What an option names (a model, settings, certificates) is part of the call: what is wrong with it is usage."""
    try:
        yield
    except DiskFullError:
        raise
    except FsrcnnError as error:
        if error.exit_status == OptionError.exit_status:
            raise
        raise OptionError(error) from error
