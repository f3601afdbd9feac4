"""FILE::/dataset: how one names a dataset inside an HDF5 file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

SEPARATOR = "::"


class Target(NamedTuple):
    """A file, and a dataset in it (None: no HDF5, or the only one)."""

    path: Path
    dataset: str | None


def split(path: str | os.PathLike[str]) -> Target:
    """Split FILE::/dataset; a file whose own name holds "::" stays whole when it exists."""
    text = os.fspath(path)
    file, separator, dataset = text.rpartition(SEPARATOR)
    if not separator or os.path.lexists(text):
        return Target(Path(text), None)
    return Target(Path(file), "/" + dataset.strip("/") if dataset.strip("/") else None)
