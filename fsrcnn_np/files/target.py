"""FILE::/dataset: how one names a dataset inside an HDF5 file."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import NamedTuple

from fsrcnn_np.errors import OptionError

SEPARATOR = "::"


class Target(NamedTuple):
    """A file, and a dataset in it (None: no HDF5, or the only one)."""

    path: Path
    dataset: str | None


def path_text(path: object, name: str = "path") -> str:
    """What names a file, as text; an OptionError for what names none."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        found = repr(text) if isinstance(text, str) else f"a {type(path).__name__}"
        raise OptionError(f"{name} is {found}; allowed is the name of a file, as text or pathlib.Path")
    return text


def folded(name: str) -> str:
    """The same for all names that some file system takes for one: by case, or by how a letter is composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def split(path: str | os.PathLike[str]) -> Target:
    """Split FILE::/dataset; a file whose own name holds "::" stays whole when it exists, or is to be like x::y.png."""
    text = path_text(path)
    file, separator, dataset = text.rpartition(SEPARATOR)
    named = bool(os.path.splitext(dataset)[1]) and not os.path.splitext(file)[1] and not os.path.lexists(file)
    if not separator or os.path.lexists(text) or named:
        return Target(Path(text), None)
    return Target(Path(file), "/" + dataset.strip("/") if dataset.strip("/") else None)
