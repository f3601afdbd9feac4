"""The pass down the columns, handed to the machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.images.imresize import Taps
from fsrcnn_np.images.llvm import kernels
from fsrcnn_np.images.llvm.arithmetic import FLOATS, arithmetic
from piqe_np.llvm.target import Code, Target
from piqe_np.unbroken import once


class Down:
    """Rows of one class made of rows of an image."""

    def __init__(self, taps: Taps, dtype: np.dtype, processor: Target):
        kind = arithmetic(dtype, taps.weights)
        self.indices = taps.indices.astype(np.int64, order="C")
        self.weights = taps.weights.astype(FLOATS[kind], order="C")
        self.addresses = self.indices.ctypes.data, self.weights.ctypes.data  # asked for once: it takes microseconds
        self.code = _compiled(processor, dtype.name, kind, kernels.unrolled(taps))

    def __call__(self, image: NDArray[Any], rows: slice, out: NDArray[Any]) -> None:
        """Fill `out`, whose pixels are side by side, with these rows of the result."""
        taps, top = self.indices.shape[1], 0
        if not beside(image):
            top = int(self.indices[rows].min())
            image = np.ascontiguousarray(image[top : int(self.indices[rows].max()) + 1])
        indices, weights = (
            start + rows.start * taps * part.itemsize
            for start, part in zip(self.addresses, (self.indices, self.weights), strict=True)
        )
        self.code.run(
            image.ctypes.data - top * image.strides[0], image.strides[0], indices, weights, taps,
            rows.stop - rows.start, out.ctypes.data, out.strides[0], out.shape[1],
        )  # fmt: skip


def beside(image: NDArray[Any]) -> bool:
    """Whether a row's pixels, and their channels, lie side by side."""
    return bool(image[0].flags.c_contiguous)


@once(most=32)
def _compiled(processor: Target, dtype: str, kind: str, taps: int) -> Code:
    module = processor.module()
    kernels.add_down(module, kernels.lanes(processor, kind), dtype, kind, taps)
    return Code(module, processor)
