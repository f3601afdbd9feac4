"""All tiles of an image in one file: magic, tiles, then where each begins, rows, columns, magic."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..files.atomic import write_bytes
from .pyramid import TILE, shapes, tiles

MAGIC = b"FSRTILE1"
_TAIL = struct.Struct("<QQQ8s")  #: tiles, rows, columns, magic
_MOST_TILES = 1 << 20


class Index(NamedTuple):
    """Where the tiles of a file are."""

    starts: NDArray[np.uint64]
    levels: tuple[tuple[int, int, int], ...]  #: of each level: number of its first tile, rows and columns of tiles


def write_pack(path: Path, pixels: NDArray[Any], *, threads: int, wrote: Any) -> None:
    """Cut an image into tiles and write them, whole or not at all.

    Parameters
    ----------
    path : Path
    pixels : ndarray, H×W, uint16 or int16
    threads : int
    wrote : callable
        Is told after each tile; what it raises ends the work and leaves nothing behind.
    """

    def body(stream: BinaryIO) -> None:
        stream.write(MAGIC)
        starts = [len(MAGIC)]
        for tile in tiles(pixels, threads=threads):
            stream.write(tile)
            starts.append(starts[-1] + len(tile))
            wrote()
        stream.write(np.array(starts, "<u8").tobytes())
        stream.write(_TAIL.pack(len(starts) - 1, *pixels.shape, MAGIC))

    write_bytes(path, body, overwrite=True)


def read_tile(path: Path, level: int, row: int, column: int) -> bytes | None:
    """A tile's bytes, or None where there is no such tile or file."""
    try:
        status = path.stat()
        index = _index(path, status.st_size, status.st_mtime_ns)
        if index is None or not 0 <= level < len(index.levels):
            return None
        first, rows, columns = index.levels[level]
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        start, end = (int(n) for n in index.starts[first + row * columns + column :][:2])
        with open(path, "rb") as stream:
            stream.seek(start)
            return stream.read(end - start)
    except OSError:
        return None


def is_whole(path: Path) -> bool:
    """Whether the file is there with all its tiles."""
    try:
        status = path.stat()
        return _index(path, status.st_size, status.st_mtime_ns) is not None
    except OSError:
        return False


@lru_cache(maxsize=128)
def _index(path: Path, size: int, changed: int) -> Index | None:
    """Of a file as it is now; None where it is damaged."""
    if size < len(MAGIC) + _TAIL.size:
        return None
    with open(path, "rb") as stream:
        stream.seek(size - _TAIL.size)
        count, rows, columns, magic = _TAIL.unpack(stream.read(_TAIL.size))
        long = 8 * (count + 1)
        if magic != MAGIC or count > _MOST_TILES or size < len(MAGIC) + _TAIL.size + long or not rows * columns:
            return None
        stream.seek(size - _TAIL.size - long)
        starts = np.frombuffer(stream.read(long), "<u8")
    levels, first = [], 0
    for height, width in shapes(rows, columns):
        levels.append((first, -(-height // TILE), -(-width // TILE)))
        first += levels[-1][1] * levels[-1][2]
    whole = first == count and starts[0] == len(MAGIC) and starts[-1] == size - _TAIL.size - long
    return Index(starts, tuple(levels)) if whole and (np.diff(starts.astype(np.int64)) > 0).all() else None
