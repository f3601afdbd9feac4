"""What is said to people: numbers of objects, never a word of what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from piqe_np.console import tell
from piqe_np.line import printable

_LEAST = 3  # characters of a value that is looked for in a line


def say(text: str) -> None:
    """One line on standard error."""
    tell("fsrcnn-np", text)


def without_values(error: BaseException, path: Path) -> str:
    """An error's line about a file without the file's name and without any text that the file holds.

    Messages quote what was found. Whatever a text element of the object says, at any depth, is replaced.
    """
    line = str(error) or type(error).__name__
    line = line.replace(f"{path}: ", "").replace(str(path), "the object")
    for value in sorted(_texts(path), key=len, reverse=True):
        line = line.replace(value, "…")
    return printable(" ".join(line.split()))[:300]


def _texts(path: Path) -> set[str]:
    from ..files.dicom.library import import_pydicom, quiet, with_items

    found: set[str] = set()
    try:
        with quiet():
            header = import_pydicom().dcmread(path, stop_before_pixels=True, force=True)
            for item in with_items(header):
                for element in item:
                    found |= _pieces(element.value)
    except Exception:  # what cannot be read is not quoted
        return found
    return {text for text in found if len(text) >= _LEAST}


def _pieces(value: Any) -> set[str]:
    """A value, its lines, and the components of a name."""
    if isinstance(value, bytes):
        value = value[:4096].decode("latin-1")
    elif isinstance(value, list | tuple) or type(value).__name__ == "MultiValue":
        return set().union(*(_pieces(one) for one in value))
    elif value is None or type(value).__name__ == "Sequence":
        return set()
    text = str(value)
    return {piece.strip() for piece in (text, *text.replace("=", "^").split("^"), *text.split())}
