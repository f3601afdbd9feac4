"""From an image to strips on threads: which rows and columns a strip needs, prepared with their border, and run.

image  ┌────────┬────────┬───┐     A strip is at most Layout.width columns wide. It gets its own rows and columns
       │ strip 0│ strip 2│ … │     and those around that its results depend on, as float32 in the network's range,
       ├────────┼────────┼───┤     with what the border mode says outside the image. It writes its own part of the
       │ strip 1│ strip 3│ … │     result and nothing else, so strips run in any order on any thread.
       └────────┴────────┴───┘
"""

from __future__ import annotations

import ctypes
import functools
import math
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from piqe_np.compiled import run_tasks

from ..network.weights import Architecture, Weights
from . import groups, packing, results, schedule, target
from .layout import FLOAT, GROUP, LINE, Layout, up

STRIPS_PER_THREAD = 4  # so that no thread waits long for the last one,
SHORT, LONG = 256, 2048  # unless strips became shorter than this: each costs about 10 rows beside its own

Progress = Callable[[int, int], Any]


class Levels(NamedTuple):
    """Which pixel values the network takes for its own range's ends: low ↔ value_range[0], high ↔ value_range[1]."""

    low: float
    high: float


class Rectangle(NamedTuple):
    """Low-resolution rows and columns, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


class Needs(NamedTuple):
    """Rows that a strip works on."""

    stamped: tuple[int, int]  #: rows whose features reach its results, also outside the image
    layers: list[tuple[int, int]]  #: layers 0 … m: first row of the first group, row after the last one needed

    @classmethod
    def of(cls, top: int, bottom: int, height: int, weights: Weights) -> Needs:
        a, offset = weights.architecture, weights.deconvolution_offset
        first = -((8 - offset - a.scale * top) // a.scale)
        end = (a.scale * bottom - 1 + offset) // a.scale + 1
        low, high = max(first, 0), min(end, height)
        layers = []
        for layer in range(a.m, 0, -1):
            low -= (low - groups.start(layer)) % GROUP
            layers.append((low, high))
            high += (groups.start(layer) - high) % GROUP  # the end of the last group
            low, high = max(low - 1, 0), min(high + 1, height)
        return cls((first, end), [(low, high), *reversed(layers)])


class Code(NamedTuple):
    """The compiled functions of one layout."""

    layout: Layout
    strip: Callable[[int], None]
    keep: Any  #: owner of the machine code


class Finish(NamedTuple):
    """The compiled function that writes rows of one dtype."""

    address: int
    keep: Any  #: owner of the machine code


@functools.lru_cache(maxsize=16)
def compiled(architecture: Architecture, border: str, offset: int, processor: target.Target) -> Code:
    layout = Layout(architecture, border, offset, processor)
    keep = target.loaded(schedule.module(layout), processor)
    return Code(layout, ctypes.CFUNCTYPE(None, ctypes.c_int64)(keep.get_function_address("strip")), keep)


@functools.lru_cache(maxsize=64)
def finish(layout: Layout, dtype: np.dtype) -> Finish:
    keep = target.loaded(results.module(layout, dtype), layout.target)
    return Finish(keep.get_function_address("finish"), keep)


def upscaled(
    plane: np.ndarray,
    weights: Weights,
    levels: Levels,
    out: np.ndarray,
    threads: int,
    *,
    first: int = 0,
    last: int | None = None,
    above: int = 0,
    height: int | None = None,
    processor: target.Target | None = None,
    cut: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> None:
    """Fill `out` with rows `first` to `last` of an image, upscaled; with zeros if that fails.

    Parameters
    ----------
    plane : (rows, W) array
        Rows of the image from row `above` on: all that the result depends on, see `rows_needed`.
    out : ((last − first) · scale, W · scale) array
    height : int
        Rows of the whole image.
    cut : (rows, columns), optional
        Largest strip; the bits do not depend on it.
    """
    weights = weights.astype(np.float32)
    height = plane.shape[0] if height is None else height
    last = height if last is None else last
    width = plane.shape[1]
    processor = processor or target.host()
    code = compiled(weights.architecture, weights.border, weights.deconvolution_offset, processor)
    layout = code.layout
    strips = cut_up(first, last, width, threads, layout, cut)
    direct = out.dtype.isnative and out.strides[1] == out.itemsize
    dtype = out.dtype.newbyteorder("=")
    limits = results.Limits.of(levels, weights.value_range, dtype)
    shared = Shared(
        code, weights, packing.packed(weights, layout), finish(layout, dtype), np.array(limits, np.float64), height
    )
    spares: list[np.ndarray] = []  # scratch memory of threads between two strips
    done, lock = 0, threading.Lock()

    def one_strip(number: int) -> None:
        nonlocal done
        part = strips[number]
        try:
            scratch = spares.pop()
        except IndexError:
            scratch = aligned(layout.scratch["end"])
        scale = layout.architecture.scale
        window = out[(part.top - first) * scale : (part.bottom - first) * scale, part.left * scale : part.right * scale]
        target_ = window if direct else np.empty(window.shape, dtype)
        shared.run(part, plane, above, levels, scratch, target_)
        if not direct:
            window[...] = target_
        spares.append(scratch)
        if progress is not None:
            with lock:
                done += 1
                progress(done, len(strips))

    try:
        run_tasks(one_strip, len(strips), threads)
    except BaseException:
        out[...] = 0  # nothing half done that looks whole
        raise


def aligned(size: int) -> np.ndarray:
    """Zeroed bytes that start on a cache line."""
    memory = np.zeros(size + LINE, np.uint8)
    return memory[-memory.ctypes.data % LINE :]


def cut_up(
    first: int, last: int, width: int, threads: int, layout: Layout, cut: tuple[int, int] | None
) -> list[Rectangle]:
    """Strips that cover rows `first` to `last`, in the order in which they are worked on."""
    if cut is None:
        unit = layout.stamp_vectors * layout.target.lanes
        count = math.ceil(width / layout.width)
        columns = min(up(math.ceil(width / count), unit), layout.width)
        across = math.ceil(width / columns)
        wanted = min(math.ceil(STRIPS_PER_THREAD * threads / across), (last - first) // SHORT)
        parts = 1 if threads == 1 else max(wanted, math.ceil(threads / across))
        rows = min(up(math.ceil((last - first) / parts), GROUP), LONG)
    else:
        rows, columns = cut[0], min(cut[1], layout.width)
    return [
        Rectangle(top, min(top + rows, last), left, min(left + columns, width))
        for left in range(0, width, columns)
        for top in range(first, last, rows)
    ]


class Shared(NamedTuple):
    """What all strips of an image have in common."""

    code: Code
    weights: Weights
    packed: np.ndarray
    finish: Finish
    limits: np.ndarray
    height: int

    def run(
        self, part: Rectangle, plane: np.ndarray, above: int, levels: Levels, scratch: np.ndarray, out: np.ndarray
    ) -> None:
        """One strip: `out` is its part of the result."""
        layout = self.code.layout
        a, reach = layout.architecture, layout.reach
        needs = Needs.of(part.top, part.bottom, self.height, self.weights)
        columns = layout.columns(part.right - part.left)
        low, high = needs.layers[0]
        corner = part.left - reach
        image = prepared(
            plane, (low - 2 - above, high + 2 - above), (corner - 2, corner + columns + 2), self.weights, levels,
            layout.pitch // FLOAT,
        )  # fmt: skip
        delays = groups.delays(a.m)
        layers = [number for layer in zip(delays, needs.layers, strict=True) for number in (layer[0], *layer[1])]
        parameters = schedule.parameters(
            image=image.ctypes.data + 2 * FLOAT - (low - 2) * layout.pitch,
            weights=self.packed.ctypes.data,
            scratch=scratch.ctypes.data,
            finish=self.finish.address,
            limits=self.limits.ctypes.data,
            destination=out.ctypes.data - part.top * a.scale * out.strides[0],
            destination_pitch=out.strides[0],
            height=self.height,
            columns=columns,
            width=part.right - part.left,
            left=-corner,
            right=plane.shape[1] - corner,
            first_step=low // GROUP,
            end_step=-(-(needs.stamped[1] + delays[-1] + 1) // GROUP),
            first_row=needs.stamped[0],
            end_row=needs.stamped[1],
            first_result=part.top * a.scale,
            end_result=part.bottom * a.scale,
            layers=layers,
        )
        self.code.strip(parameters.ctypes.data)


def prepared(
    plane: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], weights: Weights, levels: Levels, pitch: int
) -> np.ndarray:
    """A window of the image as the network wants it, float32; it may reach beyond the image on all sides."""
    height, width = plane.shape
    top, bottom, left, right = max(rows[0], 0), min(rows[1], height), max(columns[0], 0), min(columns[1], width)
    window = np.zeros((rows[1] - rows[0], pitch), np.float32)
    inside = window[top - rows[0] : bottom - rows[0], left - columns[0] : right - columns[0]]
    inside[...] = normalised(plane[top:bottom, left:right], weights.value_range, levels)
    if weights.input_mean:
        inside -= np.float32(weights.input_mean)
    if weights.border == "replicate":
        beside = window[top - rows[0] : bottom - rows[0], : columns[1] - columns[0]]
        beside[:, : left - columns[0]] = inside[:, :1]
        beside[:, right - columns[0] :] = inside[:, -1:]
        window[: top - rows[0]] = window[top - rows[0]]
        window[bottom - rows[0] :] = window[bottom - rows[0] - 1]
    return window


def normalised(values: np.ndarray, value_range: tuple[float, float], levels: Levels) -> np.ndarray:
    """(v − low) / (high − low), mapped to the network's value range, in float64; as it is where both are the same."""
    if tuple(levels) == value_range:
        return values
    (low, high), (black, white) = levels, value_range
    result = values.astype(np.float64)
    result -= low
    result /= high - low
    if value_range != (0.0, 1.0):
        result *= white - black
        result += black
    return result


def rows_needed(top: int, bottom: int, height: int, weights: Weights) -> tuple[int, int]:
    """Rows of the image that the results of rows `top` to `bottom` depend on, to the bit."""
    low, high = Needs.of(top, bottom, height, weights).layers[0]
    return max(low - 2, 0), min(high + 2, height)
