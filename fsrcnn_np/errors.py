"""The package's exceptions: each message says what was found, what is allowed and how to fix it.

Every one is a `FsrcnnError` and, beside it, a `ValueError` (something given is wrong) or an `OSError`
(a file could not be read or written).
"""

from __future__ import annotations

from piqe_np.line import message


class FsrcnnError(Exception):
    """Base of all exceptions that this package raises on purpose; the message is one printable line."""

    def __init__(self, text: object = "") -> None:
        super().__init__(message(text))


class ImageError(FsrcnnError, ValueError):
    """An array that is not an image which can be processed: shape, dtype, or values beyond the range."""


class OptionError(FsrcnnError, ValueError):
    """An option with an impossible value: data_range, threads, engine, out, scale."""


class WeightsError(FsrcnnError, ValueError):
    """A model whose layers, shapes, dtypes or values are not those of an FSRCNN."""


class FormatError(FsrcnnError, ValueError):
    """A file that was read but whose content cannot be processed: unknown, damaged, or no picture."""


class FileError(FsrcnnError, OSError):
    """A file that cannot be opened, read or written: missing, no permission, disk full."""


class DiskFullError(FileError):
    """No space or quota is left, or the disk is read-only: nothing can be written, and a run of many files stops."""


class MissingExtraError(FileError):
    """A format or a picture needs an optional library that is not installed; the message has the pip line."""
