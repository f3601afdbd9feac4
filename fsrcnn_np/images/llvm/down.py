"""The pass down the columns, handed to the machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.images.imresize import Taps
from fsrcnn_np.images.llvm import kernels
from fsrcnn_np.images.llvm.arithmetic import FLOATS, arithmetic
from piqe_np.llvm.measuring import Code
from piqe_np.llvm.target import Target
from piqe_np.unbroken import once


class Down:
    """Rows of one class made of rows of an image."""

    def __init__(self, taps: Taps, dtype: np.dtype, processor: Target):
        kind = arithmetic(dtype, taps.weights)
        self.indices = taps.indices.astype(np.int64, order="C")
        self.weights = taps.weights.astype(FLOATS[kind], order="C")
        self.code = _compiled(processor, dtype.name, kind, kernels.unrolled(taps))

    def __call__(self, image: NDArray[Any], rows: slice, out: NDArray[Any]) -> None:
        """Fill `out`, whose pixels are side by side, with these rows of the result."""
        indices, weights = self.indices[rows], self.weights[rows]
        if not beside(image):
            top = int(indices.min())
            image = np.ascontiguousarray(image[top : int(indices.max()) + 1])
            indices = indices - top
        self.code.run(
            image.ctypes.data, image.strides[0], indices.ctypes.data, weights.ctypes.data, indices.shape[1],
            len(indices), out.ctypes.data, out.strides[0], out.shape[1],
        )  # fmt: skip


def beside(image: NDArray[Any]) -> bool:
    """Whether a row's pixels, and their channels, lie side by side."""
    return bool(image[0].flags.c_contiguous)


@once(most=32)
def _compiled(processor: Target, dtype: str, kind: str, taps: int) -> Code:
    module = processor.module()
    kernels.add_down(module, kernels.lanes(processor, kind), dtype, kind, taps)
    return Code(module, processor)
