"""Machine code, weights and scratch memory brought together for a strip."""

from __future__ import annotations

import numpy as np

from piqe_np.unbroken import once

from ...images.value_range import Limits, ValueRange
from ...network.bands import Band
from ...network.weights import Architecture, Weights
from ..strips import Strip
from ..windows import window
from . import groups, packing, results, schedule, target
from .groups import GROUP
from .layout import FLOAT, LINE, Layout
from .strips import Needs, good_size


@once(most=16)
def compiled_strip(layout: Layout) -> target.Code:
    """The machine code of one strip, kept for the next image."""
    return target.Code(schedule.module(layout), layout.target)


@once(most=64)
def compiled_finish(layout: Layout, dtype: np.dtype) -> target.Code:
    """The machine code that writes rows of a dtype, kept for the next image."""
    return target.Code(results.module(layout, dtype), layout.target)


@once(most=4)
def packed_weights(weights: Weights, layout: Layout) -> np.ndarray:
    """A model's weights in float32, as the kernels read them, kept for the next image."""
    return packing.packed(weights.astype(np.float32), layout)


@once(most=16)
def layout_of(architecture: Architecture, border: str, offset: int, processor: target.Target) -> Layout:
    """The layout of a model's kind on a processor, kept for the next image."""
    return Layout(architecture, border, offset, processor)


def prepare(weights: Weights, processor: target.Target | None = None) -> Layout:
    """Compile for a model, so that its first image finds it done; this machine's processor if none is given."""
    layout = layout_of(weights.architecture, weights.border, weights.deconvolution_offset, processor or target.host())
    compiled_strip(layout)
    return layout


class Engine:
    """A model on a processor, ready for images of one kind.

    Parameters
    ----------
    weights : Weights
    range : ValueRange
        Of the images' pixels.
    dtype : dtype
        Of the results.
    processor : Target, optional
        This machine's if not given.
    """

    def __init__(self, weights: Weights, range: ValueRange, dtype: np.dtype, processor: target.Target | None = None):
        self.weights, self.range, self.dtype = weights, range, dtype.newbyteorder("=")
        self.layout = prepare(weights, processor)
        self.scale = weights.architecture.scale
        self.packed = packed_weights(weights, self.layout)
        self.limits = np.array(Limits.of(range, weights.value_range, self.dtype), np.float64)
        self.strip, self.finish = compiled_strip(self.layout), compiled_finish(self.layout, self.dtype)

    def size(self, band: Band, width: int, threads: int) -> tuple[int, int]:
        """Rows and columns of a strip."""
        return good_size(band, width, self.layout, threads)

    def scratch(self, rows: int) -> np.ndarray:
        """A thread's memory, for strips of any number of rows."""
        return aligned(self.layout.scratch["end"])

    def run(self, plane: np.ndarray, band: Band, strip: Strip, scratch: np.ndarray, out: np.ndarray) -> None:
        """Fill `out`, the strip's part of the result."""
        if out.ndim == 2 and out.dtype.isnative and out.strides[1] == out.itemsize:
            self._run(plane, band, strip, scratch, out)
        else:
            rows, columns, channels = out.shape if out.ndim == 3 else (*out.shape, 1)
            made = np.empty((rows * channels, columns), self.dtype)
            self._run(plane, band, strip, scratch, made)
            out[...] = made.reshape(rows, channels, columns).swapaxes(1, 2).reshape(out.shape)

    def _run(self, plane: np.ndarray, band: Band, strip: Strip, scratch: np.ndarray, out: np.ndarray) -> None:
        """One strip: `out` has columns side by side, a line a channel in each row."""
        layout, scale, channels = self.layout, self.scale, self.layout.architecture.channels
        needs = Needs.of(strip.top, strip.bottom, band.height, self.weights)
        columns, corner = layout.columns(strip.right - strip.left), strip.left - layout.reach
        top, bottom = needs.image
        image = window(
            plane, (top - band.top, bottom - band.top), (corner - 2, corner + columns + 2), self.weights, self.range,
            layout.pitch // FLOAT,
        )  # fmt: skip
        *delays, last = groups.delays(layout.architecture.m + 1)
        first_row, end_row = needs.stamped
        parameters = schedule.parameters(
            image=image.ctypes.data + 2 * FLOAT - top * channels * layout.pitch,
            weights=self.packed.ctypes.data,
            scratch=scratch.ctypes.data,
            finish=self.finish.address,
            limits=self.limits.ctypes.data,
            destination=out.ctypes.data - strip.top * scale * channels * out.strides[0],
            destination_pitch=out.strides[0],
            height=band.height,
            columns=columns,
            width=strip.right - strip.left,
            left=-corner,
            right=plane.shape[1] - corner,
            first_step=(needs.layers[0][0] + delays[0]) // GROUP,
            end_step=-(-(end_row + last) // GROUP),
            first_row=first_row,
            end_row=end_row,
            first_result=strip.top * scale,
            end_result=strip.bottom * scale,
            layers=[(delay, *rows) for delay, rows in zip(delays, needs.layers, strict=True)],
        )
        self.strip.run(parameters.ctypes.data)


@once(most=8)
def engine(weights: Weights, range: ValueRange, dtype: np.dtype, processor: target.Target) -> Engine:
    """An `Engine`, kept for the next image: a tenth of a small one's time."""
    return Engine(weights, range, dtype, processor)


def aligned(size: int) -> np.ndarray:
    """Zeroed bytes that start on a cache line.

    All of them: lanes that nobody needs compute with what was there, and where whatever lay in that memory reads as
    numbers below float32's normal ones, processors take up to seven times as long.
    """
    memory = np.zeros(size + LINE, np.uint8)
    return memory[-memory.ctypes.data % LINE :]
