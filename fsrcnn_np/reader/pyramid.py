"""Pixels → tiles: levels of half the size each, cut into 512², differences, byte planes, gzip; and back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

TILE = 512
LEVEL = 1  #: of gzip: 6 makes tiles 2 % smaller in twice the time
Place = tuple[int, int, int]  #: level, row, column of a tile


def shapes(rows: int, columns: int) -> list[tuple[int, int]]:
    """Rows and columns of every level, the whole image first, the one that fits into a tile last."""
    found = [(rows, columns)]
    while max(found[-1]) > TILE:
        found.append(((found[-1][0] + 1) // 2, (found[-1][1] + 1) // 2))
    return found


def places(rows: int, columns: int) -> list[Place]:
    """Every tile, in the order in which `tiles` gives them."""
    return [
        (level, row, column)
        for level, (height, width) in enumerate(shapes(rows, columns))
        for row in range(-(-height // TILE))
        for column in range(-(-width // TILE))
    ]


def halved(pixels: NDArray[Any]) -> NDArray[Any]:
    """Half the rows and columns, rounded up: means of 2×2, rounded half away from zero, edges repeated.

    Parameters
    ----------
    pixels : ndarray, H×W, uint16 or int16
    """
    height, width = pixels.shape
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2)), "edge")
    out = np.empty((pixels.shape[0] // 2, pixels.shape[1] // 2), pixels.dtype)
    for start in range(0, len(out), 256):  # in strips: wide sums of a whole mammogram would be four times its size
        strip = pixels[2 * start : 2 * (start + 256)].astype(np.int32)
        pairs = strip[0::2] + strip[1::2]
        total = pairs[:, 0::2] + pairs[:, 1::2]
        out[start : start + 256] = np.where(total < 0, -((2 - total) >> 2), (total + 2) >> 2)
    return out


def encoded(tile: NDArray[Any]) -> bytes:
    """A tile as PROTOCOL.md has it."""
    import imagecodecs

    differences = tile.astype(np.uint16)  # of negative values the two's complement
    differences[:, 1:] -= differences[:, :-1].copy()
    planes = np.ascontiguousarray(differences, "<u2").view(np.uint8).reshape(-1, 2).T
    return bytes(imagecodecs.gzip_encode(planes.tobytes(), level=LEVEL))


def decoded(data: bytes, rows: int, columns: int) -> NDArray[np.uint16]:
    """A tile's values, those of signed images as their two's complement: what the page does."""
    planes = np.frombuffer(gzip.decompress(data), np.uint8).reshape(2, rows, columns).astype(np.uint16)
    return np.add.accumulate(planes[0] + (planes[1] << 8), axis=1, dtype=np.uint16)


def tiles(pixels: NDArray[Any], *, threads: int = 2) -> Iterator[bytes]:
    """Every tile, encoded, in the order of `places`.

    Parameters
    ----------
    pixels : ndarray, H×W, uint16 or int16
    threads : int
        How many encode at a time.
    """
    with ThreadPoolExecutor(threads) as pool:
        while True:
            height, width = pixels.shape
            for row in range(0, height, TILE):
                cut = [pixels[row : row + TILE, column : column + TILE] for column in range(0, width, TILE)]
                yield from pool.map(encoded, cut)
            if max(height, width) <= TILE:
                return
            pixels = halved(pixels)
