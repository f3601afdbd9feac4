"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import FileError


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give a path beside `path` to write to, renamed to it at the end; nothing is left behind when that fails.

    Raises
    ------
    FileError
        The file exists and `overwrite` is not set, or it cannot be written.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists and was kept; pass overwrite=True (--overwrite) to replace it")
    try:
        handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent, prefix=path.name)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
