"""Members of zip archives (.npz, Keras, PyTorch): read by name into memory, never unpacked into files."""

from __future__ import annotations

from collections.abc import Iterable


def named_twice(names: Iterable[str]) -> str:
    """The first name that stands twice in an archive, so that nobody can tell which is meant; empty: none does."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
