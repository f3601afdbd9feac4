"""`-`: one image from standard input, one to standard output, through files that nobody else sees."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import FormatError, FsrcnnError, OptionError

STREAM, STANDARD_INPUT, STANDARD_OUTPUT = "-", "standard input", "standard output"
MOST_BYTES = 4 << 30  # of standard input: what never ends must not fill the disk
_PIECE = 1 << 20
#: where a system without /tmp still has room: memory, in containers 64 MB by default
_SHARED_MEMORY = "/dev/shm"


def check_one(words: Sequence[str]) -> bool:
    """Whether the input is standard input.

    Raises
    ------
    OptionError
        It is, and there are others; or it is a terminal.
    """
    if STREAM not in words:
        return False
    if len(words) > 1:
        raise OptionError("- (standard input) is one image and stands alone; a file of that name is ./-")
    if sys.stdin is None:
        raise OptionError("- is standard input, and that is closed; pipe an image into it, or name a file")
    if sys.stdin.isatty():
        raise OptionError("- is standard input, and that is a terminal; pipe an image into it, or name a file")
    return True


def check_output() -> None:
    """Raise an OptionError where standard output is closed, or a terminal: an image is no text."""
    if sys.__stdout__ is None:
        raise OptionError("-o - is standard output, and that is closed; redirect it (> FILE), or name a file")
    if sys.stdout.isatty():
        raise OptionError("-o - would write an image to the terminal; redirect it (> FILE), or name a file")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of our own that goes away; in $TMPDIR, /tmp, …, or in shared memory where there is none.

    Raises
    ------
    OptionError
        There is no such place.
    """
    try:
        made = tempfile.mkdtemp(prefix="fsrcnn-np-")
    except OSError as error:
        try:
            made = tempfile.mkdtemp(prefix="fsrcnn-np-", dir=_SHARED_MEMORY)
        except OSError:
            raise OptionError(
                f"- needs a folder for temporary files, and none can be written ({error}); set TMPDIR to one"
            ) from error
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def spool(folder: Path) -> Path:
    """Standard input as a file in this folder.

    Raises
    ------
    FormatError
        Nothing came, or too much.
    """
    path, size = folder / "standard-input", 0
    with open(path, "xb") as file:
        while piece := sys.stdin.buffer.read(_PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                raise FormatError(
                    f"standard input has more than {MOST_BYTES >> 30} GiB, which are allowed; give it as a file"
                )
            file.write(piece)
    if not size:
        raise FormatError("standard input is empty (0 bytes); pipe an image into it")
    return path


@contextmanager
def saying(names: Mapping[str | Path, str]) -> Iterator[None]:
    """Let messages name the streams, not the files that stand for them."""
    try:
        yield
    except FsrcnnError as error:
        raise type(error)(renamed(str(error), names)) from error


def renamed(text: str, names: Mapping[str | Path, str]) -> str:
    """A message with the streams' names in place of the files'."""
    for path, name in names.items():
        text = text.replace(os.fspath(path), name)
    return text


def send(path: Path) -> None:
    """Write a file's bytes to standard output."""
    with open(path, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer, _PIECE)
    sys.stdout.buffer.flush()
