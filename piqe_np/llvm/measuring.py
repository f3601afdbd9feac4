"""`measure`: rows of blocks handed to the machine code."""

from __future__ import annotations

import numpy as np

from piqe_np.llvm import target
from piqe_np.llvm.kernels import add_measure_rows
from piqe_np.llvm.levels import Scaling, add_gray_levels, staged
from piqe_np.llvm.scratch import size
from piqe_np.llvm.target import Code
from piqe_np.matlab import im2double
from piqe_np.reference import BLOCK, Blocks
from piqe_np.unbroken import once

VARIABLE = "PIQE_NP_TARGET"


def measure(pixels: np.ndarray, above: int, count: int, data_range: tuple[float, float] | None = None) -> Blocks:
    """Steps 1 to 7 on whole rows of blocks; see `piqe_np.reference.measure`."""
    if pixels.ndim == 3 and pixels.dtype == np.int16 and data_range is None:
        pixels = im2double(pixels)
    channels, itemsize = pixels.shape[2] if pixels.ndim == 3 else 1, pixels.dtype.itemsize
    side_by_side = pixels.strides[1:] == ((channels * itemsize, itemsize) if pixels.ndim == 3 else (itemsize,))
    if not (side_by_side and pixels.flags.aligned and pixels.dtype.isnative):
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), order="C")
    scaling = Scaling.of(pixels.dtype, data_range)
    height, width = pixels.shape[:2]
    processor = target.host(VARIABLE)
    lanes, stored = _lanes(processor), staged(pixels.dtype.name, channels, scaling.way)
    groups, across = -(-count // lanes), -(-width // BLOCK)
    blocks = Blocks(*(np.empty((groups, across, lanes), kind) for kind in (np.float64, bool, bool)))
    kernel = _compiled(processor, stored)
    gray_levels = _compiled_levels(processor, pixels.dtype.name, channels, scaling.way)
    numbers, scratch = np.array(scaling), np.zeros(size(lanes, stored) + 64, np.uint8)
    kernel.run(
        pixels.ctypes.data, pixels.strides[0], height, width, above, groups, across, gray_levels.address,
        numbers.ctypes.data, *(part.ctypes.data for part in blocks), scratch.ctypes.data + -scratch.ctypes.data % 64,
    )  # fmt: skip
    return Blocks(*(part.swapaxes(1, 2).reshape(groups * lanes, across)[:count] for part in blocks))


@once(most=8)
def _compiled(processor: target.Target, stored: str) -> Code:
    module = processor.module()
    add_measure_rows(module, _lanes(processor), stored)
    return Code(module, processor)


@once(most=64)
def _compiled_levels(processor: target.Target, dtype: str, channels: int, way: str) -> Code:
    module = processor.module()
    add_gray_levels(module, _lanes(processor), dtype, channels, way)
    return Code(module, processor)


def _lanes(processor: target.Target) -> int:
    return processor.lanes // 2  # float64
