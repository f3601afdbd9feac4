"""`measure`: rows of blocks handed to the machine code."""

from __future__ import annotations

import os
from typing import NamedTuple

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
    height, width = pixels.shape[:2]
    form = _form(pixels.dtype, channels, data_range, os.environ.get(VARIABLE, ""))
    groups, across = -(-count // form.lanes), -(-width // BLOCK)
    blocks = Blocks(*(np.empty((groups, across, form.lanes), kind) for kind in (np.float64, bool, bool)))
    scratch = np.empty(form.scratch, np.uint8)
    addresses = (array.ctypes.data for array in (form.scaling, *blocks))
    form.kernel.run(
        pixels.ctypes.data, pixels.strides[0], height, width, above, groups, across, form.gray_levels.address,
        *addresses, scratch.ctypes.data + -scratch.ctypes.data % 64,
    )  # fmt: skip
    return Blocks(*(part.swapaxes(1, 2).reshape(groups * form.lanes, across)[:count] for part in blocks))


class Form(NamedTuple):
    """What is the same for all rows of an image."""

    lanes: int
    kernel: Code
    gray_levels: Code
    scaling: np.ndarray
    scratch: int  # bytes


@once(most=64)
def _form(dtype: np.dtype, channels: int, data_range: tuple[float, float] | None, _: str) -> Form:
    """The last argument is the environment's, which decides the processor."""
    processor, scaling = target.host(VARIABLE), Scaling.of(dtype, data_range)
    lanes, stored = _lanes(processor), staged(dtype.name, channels, scaling.way)
    gray_levels = _compiled_levels(processor, dtype.name, channels, scaling.way)
    return Form(lanes, _compiled(processor, stored), gray_levels, np.array(scaling), size(lanes, stored) + 64)


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
