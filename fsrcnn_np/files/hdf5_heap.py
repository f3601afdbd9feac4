"""HDF5's global heaps, where texts of variable length lie: looked at before the library walks through them.

One flipped bit in the size of an object, and HDF5 1.14 walks in a circle for ever, holding the interpreter. Format:
"HDF5 File Format Specification Version 3.0", III.E.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.hdf5_plugins import without_plugins

_SIGNATURE, _HEAD = b"GCOL\x01\0\0\0", 16
_BLOCK = 1 << 22
_FIRST = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[Any]:
    """An HDF5 file for reading, as `h5py.File`, whose heaps were looked at, and for which no plugin is loaded."""
    import h5py

    with open(source, "rb") if isinstance(source, Path) else nullcontext(source) as stream:
        check_heaps(stream)
    with without_plugins(), h5py.File(source, "r") as file:
        yield file


def check_heaps(stream: BinaryIO) -> None:
    """Raise a FormatError unless the objects of every global heap follow one another and end within it.

    Files whose sizes are not of 8 bytes, of which there are hardly any, are not looked at.
    """
    if _bytes_of_lengths(stream) == 8:
        for start in _places(stream):
            stream.seek(start)
            size = int.from_bytes(stream.read(_HEAD)[8:], "little")
            stream.seek(start)
            heap = stream.read(min(size, _BLOCK))
            at = _HEAD
            while at + _HEAD <= len(heap):
                number, length = struct.unpack_from("<H6xQ", heap, at)
                step = length if number == 0 else _HEAD + (length + 7) // 8 * 8  # number 0 is the free space
                if step < _HEAD or at + step > size:
                    raise FormatError("damaged HDF5: a heap of texts is not as HDF5 writes it; copy it again")
                at += step


def superblock(stream: BinaryIO) -> int | None:
    """Where HDF5 begins in a file: at its start, or behind a user block; None: nowhere. II.A."""
    for start in (0, *(512 << n for n in range(12))):
        stream.seek(start)
        if stream.read(len(_FIRST)) == _FIRST:
            return start
    return None


def _bytes_of_lengths(stream: BinaryIO) -> int:
    """What the superblock says: II.A."""
    if (start := superblock(stream)) is None:
        return 0
    stream.seek(start)
    head = stream.read(16).ljust(16, b"\0")
    return head[14] if head[8] < 2 else head[10]


def _places(stream: BinaryIO) -> list[int]:
    found, kept, begin = [], b"", 0
    stream.seek(0)
    while block := stream.read(_BLOCK):
        data = kept + block
        at = data.find(_SIGNATURE)
        while at >= 0:
            found.append(begin + at)
            at = data.find(_SIGNATURE, at + 1)
        kept = data[-len(_SIGNATURE) + 1 :]
        begin += len(data) - len(kept)
    return found
