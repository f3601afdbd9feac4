"""RGB to luma and chroma and back, in strips of rows on threads: `fsrcnn_np.images.rgb` with the same bits.

luma, high ──────────────────────────────────────┐
chroma, low ──enlarged──▶ a strip, in the cache ──┴──▶ rows of RGB
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import OptionError
from fsrcnn_np.images.colour import YCbCr
from fsrcnn_np.images.imresize import Pass
from fsrcnn_np.images.llvm import colour_kernels as kernels
from fsrcnn_np.images.llvm.across import Memory
from fsrcnn_np.images.llvm.down import beside
from fsrcnn_np.images.llvm.passes import VARIABLE, Rows, in_strips, strip_rows
from fsrcnn_np.images.value_range import Limits, ValueRange
from piqe_np.llvm import target
from piqe_np.llvm.target import Code, Target
from piqe_np.unbroken import once

__all__ = ["joined", "split"]


def split(pixels: NDArray[Any], range: ValueRange, *, threads: int = 1, processor: Target | None = None) -> YCbCr:
    """Luma and chroma; see `fsrcnn_np.images.rgb.split`. As wide and high as 16 at least."""
    processor = processor or target.host(VARIABLE, OptionError)
    code = _splitting(processor, pixels.dtype.name, _unit(range))
    height, width = pixels.shape[:2]
    planes = YCbCr(*(np.empty((height, width), np.float32) for _ in YCbCr._fields))  # each is freed alone
    bounds = np.array([range.low, range.span])

    def run(rows: slice, _: None) -> None:
        part = pixels[rows] if beside(pixels) else np.ascontiguousarray(pixels[rows])
        starts = (plane[rows].ctypes.data for plane in planes)
        code.run(part.ctypes.data, part.strides[0], len(part), *starts, planes.y.strides[0], width, bounds.ctypes.data)

    in_strips(height, strip_rows(3 * width * pixels.itemsize), threads, lambda rows: None, run)
    return planes


class _Strip(NamedTuple):
    """A thread's own memory."""

    between: Memory
    chroma: NDArray[np.float32]  #: both planes, enlarged
    rgb: NDArray[Any]  #: where the result's rows are put whose pixels do not lie side by side


def joined(
    planes: YCbCr,
    passes: Sequence[Pass],
    range: ValueRange,
    out: NDArray[Any],
    *,
    threads: int = 1,
    processor: Target | None = None,
) -> NDArray[Any]:
    """A picture of RGB; see `fsrcnn_np.images.rgb.joined`. `fsrcnn_np.images.llvm.fits` has to be true of chroma."""
    processor = processor or target.host(VARIABLE, OptionError)
    y, *chroma = planes
    dtype, width = out.dtype.newbyteorder("="), y.shape[1]
    code = _joining(processor, dtype.name, _unit(range))
    enlarged = Rows(planes.cb.shape, planes.cb.dtype, passes, processor)
    limits = np.array(Limits.of(range, (0.0, 1.0), dtype), np.float64)
    direct = out.dtype.isnative and beside(out)

    def memory(rows: int) -> _Strip:
        rgb = np.empty((0 if direct else rows, width, 3), dtype)
        return _Strip(enlarged.across.memory(rows), np.empty((2, rows, width), np.float32), rgb)

    def run(rows: slice, memory: _Strip) -> None:
        luma, part = y[rows], out[rows]
        blues, reds = memory.chroma[:, : len(part)]
        for plane, strip in zip(chroma, (blues, reds), strict=True):
            enlarged(plane, rows, memory.between, strip)
        made = part if direct else memory.rgb[: len(part)]
        code.run(
            luma.ctypes.data, luma.strides[0], blues.ctypes.data, reds.ctypes.data, blues.strides[0],
            len(part), made.ctypes.data, made.strides[0], width, limits.ctypes.data,
        )  # fmt: skip
        if not direct:
            part[...] = made

    in_strips(len(y), strip_rows(4 * width), threads, memory, run)
    return out


def _unit(range: ValueRange) -> bool:
    """Whether pixels are numbers as they are; the reference computes nothing then."""
    return (range.low, range.span) == (0.0, 1.0)


@once(most=16)
def _splitting(processor: Target, dtype: str, unit: bool) -> Code:
    module = processor.module()
    kernels.add_split(module, processor.lanes, dtype, unit=unit)
    return Code(module, processor)


@once(most=16)
def _joining(processor: Target, dtype: str, unit: bool) -> Code:
    module = processor.module()
    kernels.add_joined(module, processor.lanes, dtype, unit=unit)
    return Code(module, processor)
