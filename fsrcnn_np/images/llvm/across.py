"""The pass along the rows, handed to the machine code: by any scale, and ×2."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.images.imresize import Taps
from fsrcnn_np.images.llvm import kernels
from fsrcnn_np.images.llvm.arithmetic import FLOATS, arithmetic
from piqe_np.llvm.target import Code, Target
from piqe_np.unbroken import once

_BLOCK = 512  # columns at a time, of the result or of the image, of which there are more


class Memory(NamedTuple):
    """A thread's own."""

    rows: NDArray[Any]  #: of a strip, with margins; `Across.inside` says which part is filled
    turned: NDArray[Any]  #: a block of columns


class Block(NamedTuple):
    """Some columns of the result, and the columns of the image that they are made of."""

    first: int
    low: int
    span: int
    offsets: NDArray[np.int64]  #: (columns, taps): bytes in the turned block
    weights: NDArray[Any]
    addresses: tuple[int, int]  #: of both, asked for once: it takes microseconds


class Across:
    """Rows of one class from rows of another length, a block of columns at a time."""

    def __init__(self, taps: Taps, length: int, dtype: np.dtype, channels: int, processor: Target):
        kind = arithmetic(dtype, taps.weights)
        self.dtype, self.length, self.number = dtype, length * channels, np.dtype(FLOATS[kind])
        self.lanes = kernels.lanes(processor, kind)
        indices = (taps.indices[:, None] * channels + np.arange(channels)[:, None]).reshape(-1, taps.indices.shape[1])
        weights = taps.weights.astype(self.number, order="C").repeat(channels, axis=0)
        self.columns = min(len(indices), max(self.lanes, _BLOCK * len(indices) // max(len(indices), self.length)))
        firsts = np.minimum(np.arange(0, len(indices), self.columns), len(indices) - self.columns)
        self.blocks = [self._block(first, indices, weights) for first in firsts.tolist()]
        self.code = _compiled(processor, dtype.name, kind, kernels.unrolled(taps))

    def _block(self, first: int, indices: NDArray[np.intp], weights: NDArray[Any]) -> Block:
        part = slice(first, first + self.columns)
        low = min(int(indices[part].min()), self.length - self.lanes)
        span = max(int(indices[part].max()) + 1 - low, self.lanes)
        offsets = ((indices[part] - low) * (self.lanes * self.number.itemsize)).astype(np.int64, order="C")
        return Block(first, low, span, offsets, weights[part], (offsets.ctypes.data, weights[part].ctypes.data))

    def memory(self, rows: int) -> Memory:
        """For strips of so many rows."""
        turned = max(block.span for block in self.blocks) * self.lanes
        return Memory(np.empty((rows, self.length), self.dtype), np.empty(turned, self.number))

    def inside(self, memory: Memory, rows: int) -> NDArray[Any]:
        """Where the rows are put that are to be resized."""
        return memory.rows[:rows]

    def __call__(self, memory: Memory, out: NDArray[Any]) -> None:
        """Fill `out` with the rows resized."""
        source, turned, made = (part.ctypes.data for part in (*memory, out))
        pitch, size, rows, run = memory.rows.strides[0], out.itemsize, len(out), self.code.run
        for block in self.blocks:
            run(
                source + block.low * size, pitch, block.span, *block.addresses, block.offsets.shape[1], turned, rows,
                made + block.first * size, out.strides[0], self.columns,
            )  # fmt: skip


class Doubling(NamedTuple):
    """Taps of ×2: all pixels' two results alike."""

    weights: NDArray[np.float64]  #: (2, taps): of the even results, and of the odd ones
    first: tuple[int, int]  #: where their taps begin, counted from the pixel
    before: NDArray[np.intp]  #: which columns go on before the first one, and how many
    after: NDArray[np.intp]  #: and behind the last one


def doubling(taps: Taps, length: int) -> Doubling | None:
    """What taps of ×2 have in common; None if they are others."""
    count = taps.indices.shape[1]
    if len(taps.indices) != 2 * length:
        return None
    indices, weights = (part.reshape(length, 2, count) for part in taps)
    middle = length // 2
    even, odd = (indices[middle, :, 0] - middle).tolist()
    places = np.arange(length)[:, None, None] + np.array([even, odd])[:, None] + np.arange(count)
    before, after = max(0, -int(places.min())), max(0, int(places.max()) + 1 - length)
    sources = np.zeros(before + length + after, np.intp)
    sources[places + before] = indices
    inside = sources[before : before + length]
    alike = (weights == weights[0]).all() and (sources[places + before] == indices).all()
    if not alike or (inside != np.arange(length)).any():
        return None
    return Doubling(weights[0], (even, odd), sources[:before], sources[before + length :])


class Doubled:
    """As `Across`, of twice the length."""

    def __init__(self, doubling: Doubling, length: int, dtype: np.dtype, processor: Target):
        kind = arithmetic(dtype, doubling.weights)
        self.dtype, self.length, self.doubling = dtype, length, doubling
        self.weights = doubling.weights.astype(FLOATS[kind], order="C")
        self.address = self.weights.ctypes.data
        self.code = _compiled_doubled(processor, dtype.name, kind, self.weights.shape[1], doubling.first)

    def memory(self, rows: int) -> Memory:
        """For strips of so many rows."""
        margins = len(self.doubling.before) + len(self.doubling.after)
        return Memory(np.empty((rows, self.length + margins), self.dtype), np.empty(0))

    def inside(self, memory: Memory, rows: int) -> NDArray[Any]:
        """Where the rows are put that are to be resized."""
        before = len(self.doubling.before)
        return memory.rows[:rows, before : before + self.length]

    def __call__(self, memory: Memory, out: NDArray[Any]) -> None:
        """Fill `out` with the rows resized."""
        inside, (before, after) = self.inside(memory, len(out)), self.doubling[2:]
        memory.rows[: len(out), : len(before)] = inside[:, before]
        memory.rows[: len(out), len(before) + self.length :] = inside[:, after]
        self.code.run(
            inside.ctypes.data, inside.strides[0], self.address, len(out), out.ctypes.data, out.strides[0], self.length,
        )  # fmt: skip


@once(most=32)
def _compiled(processor: Target, dtype: str, kind: str, taps: int) -> Code:
    module = processor.module()
    kernels.add_across(module, kernels.lanes(processor, kind), dtype, kind, taps)
    return Code(module, processor)


@once(most=32)
def _compiled_doubled(processor: Target, dtype: str, kind: str, taps: int, first: tuple[int, int]) -> Code:
    module = processor.module()
    kernels.add_doubled(module, kernels.lanes(processor, kind), dtype, kind, taps, first)
    return Code(module, processor)
