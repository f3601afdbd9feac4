"""The pixels of a PNG, on all threads: strips of rows are filtered and deflated apart, and joined at flush points.

The result is one zlib stream (RFC 1950) over several IDAT chunks. Where strips begin follows from the picture alone, so
that the bytes are the same for every number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.files import deflate
from piqe_np.compiled import run_tasks

_STRIP = 1 << 20  # bytes: a strip's dictionary begins empty, which costs a thousandth at this size
_NONE, _SUB, _UP, _AVERAGE = 0, 1, 2, 3  # filter types: PNG (Third Edition) 9.2
# By bytes of a sample. Of 16 bits the lower byte is noise, where the others gain nothing.
_FILTERS = {1: (_NONE, _SUB, _UP, _AVERAGE), 2: (_SUB, _UP)}
_HEAD, _END = b"\x78\x01", b"\x03\x00"  # deflate with 32 KiB, fast; an empty last block: RFC 1950 2.2, RFC 1951 3.2.3
_BASE = 65521  # RFC 1950, 9


class _Strip(NamedTuple):
    data: bytes
    adler: int
    length: int  #: before it was deflated


def compressed(pixels: NDArray[Any], threads: int) -> list[bytes]:
    """What the IDAT chunks hold, in their order, of H×W or H×W×3 uint8 or uint16."""
    rows = max(1, _STRIP // (pixels[0].nbytes + 1))
    starts = range(0, len(pixels), rows)
    strips: list[Any] = [None] * len(starts)

    def one(number: int) -> None:
        strips[number] = _strip(pixels, rows, starts[number])

    run_tasks(one, len(starts), threads)
    adler = 1
    for strip in strips:
        adler = _joined(adler, strip.adler, strip.length)
    last = strips.pop()
    first, *others = [*(strip.data for strip in strips), last.data + _END + adler.to_bytes(4, "big")]
    return [_HEAD + first, *others]


def _strip(pixels: NDArray[Any], rows: int, start: int) -> _Strip:
    filtered = _filtered(pixels[max(0, start - 1) : start + rows])
    data = memoryview(filtered[1:] if start else filtered).cast("B")
    return _Strip(deflate.flushed(data, pixels.itemsize), deflate.adler32(data), len(data))


def _filtered(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Each row with the filter that leaves the smallest sum of differences: PNG (Third Edition) 12.7."""
    step = pixels[0, 0].nbytes
    plain = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(len(pixels), -1)
    result = np.empty((len(plain), plain.shape[1] + 1), np.uint8)
    first, *others = _FILTERS[pixels.itemsize]
    result[:, 0], result[:, 1:] = first, _differences(plain, step, first)
    least = _sums(result[:, 1:])
    for kind in others:
        differences = _differences(plain, step, kind)
        sums = _sums(differences)
        better = sums < least
        least[better] = sums[better]
        result[better, 0], result[better, 1:] = kind, differences[better]
    return result


def _differences(plain: NDArray[np.uint8], step: int, kind: int) -> NDArray[np.uint8]:
    """From what a filter expects by the pixel to the left and the one above: PNG (Third Edition) 9.2."""
    found = plain.copy()
    if kind == _SUB:
        found[:, step:] -= plain[:, :-step]
    elif kind == _UP:
        found[1:] -= plain[:-1]
    elif kind == _AVERAGE:
        left, above = np.zeros_like(plain), np.zeros_like(plain)
        left[:, step:], above[1:] = plain[:, :-step], plain[:-1]
        found -= (left & above) + ((left ^ above) >> 1)
    return found


def _sums(differences: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Of absolute values, the bytes taken as signed; −128 counts as 128. Rows of 33 megabytes may wrap around: these
    get the other filter then, which costs bytes and nothing else."""
    return np.abs(differences.view(np.int8)).view(np.uint8).sum(1, dtype=np.uint32)


def _joined(adler: int, other: int, length: int) -> int:
    """Adler-32 of two texts, one after the other, from that of each."""
    low, high = adler & 0xFFFF, adler >> 16
    together = (low + (other & 0xFFFF) - 1) % _BASE
    return (high + (other >> 16) + length * (low - 1)) % _BASE << 16 | together
