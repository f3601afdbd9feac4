"""What is attacked: a reader, small valid inputs of it, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fsrcnn_np.errors import FsrcnnError

from . import mutate


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes
    ----------
    name : str
        As on the command line.
    seeds : callable
        Gives small valid inputs, made by the script itself. It is called once in a process.
    run : callable
        Takes an input's bytes and a folder of its own to write in. What it raises beside `allowed` is a fault.
    change : callable
        (random, an input, all seeds) → another input.
    allowed : tuple of exception types
        Each must have one printable line.
    ratio : int
        Bytes of memory that one byte of the input may ask for, by the reader's own limits (`check_size`).
    """

    name: str
    seeds: Callable[[], Iterable[bytes]]
    run: Callable[[bytes, Path], object]
    change: mutate.Change = mutate.changed
    allowed: tuple[type[Exception], ...] = (FsrcnnError,)
    ratio: int = 0


def of_file(suffix: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """What writes the input into a file of this suffix, and reads that."""

    def run(data: bytes, place: Path) -> object:
        path = place / f"case{suffix}"
        with open(path, "wb") as stream:
            stream.write(data)
        return read(path)

    return run
