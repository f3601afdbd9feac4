"""Strips on threads: machine code, weights and scratch memory brought together for each of them."""

from __future__ import annotations

import ctypes
import functools
import threading
from typing import Any, NamedTuple

import numpy as np

from piqe_np.compiled import run_tasks

from ...network.weights import Architecture, Weights
from ...progress import Progress
from . import groups, packing, results, schedule, target
from .layout import FLOAT, GROUP, LINE, Layout
from .strips import Band, Needs, Strip, cut, good_size
from .windows import Levels, window


class Code(NamedTuple):
    """A compiled function."""

    address: int
    owner: Any  #: of the machine code, which lives as long


@functools.lru_cache(maxsize=16)
def compiled_strip(layout: Layout) -> Code:
    """The machine code of one strip, kept for the next image."""
    owner = target.loaded(schedule.module(layout), layout.target)
    return Code(owner.get_function_address("strip"), owner)


@functools.lru_cache(maxsize=64)
def compiled_finish(layout: Layout, dtype: np.dtype) -> Code:
    """The machine code that writes rows of a dtype, kept for the next image."""
    owner = target.loaded(results.module(layout, dtype), layout.target)
    return Code(owner.get_function_address("finish"), owner)


@functools.lru_cache(maxsize=16)
def layout_of(architecture: Architecture, border: str, offset: int, processor: target.Target) -> Layout:
    """The layout of a model's kind on a processor, kept for the next image."""
    return Layout(architecture, border, offset, processor)


class Engine:
    """A model on a processor, ready for images of one kind.

    Parameters
    ----------
    weights : Weights
    levels : Levels
        Of the images' pixels.
    dtype : dtype
        Of the results.
    processor : Target, optional
        This machine's if not given.
    """

    def __init__(self, weights: Weights, levels: Levels, dtype: np.dtype, processor: target.Target | None = None):
        self.weights, self.levels, self.dtype = weights.astype(np.float32), levels, dtype.newbyteorder("=")
        self.layout = layout_of(
            weights.architecture, weights.border, weights.deconvolution_offset, processor or target.host()
        )
        self.packed = packing.packed(self.weights, self.layout)
        self.limits = np.array(results.Limits.of(levels, weights.value_range, self.dtype), np.float64)
        self.strip, self.finish = compiled_strip(self.layout), compiled_finish(self.layout, self.dtype)
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self.strip.address)

    def run(self, plane: np.ndarray, band: Band, strip: Strip, scratch: np.ndarray, out: np.ndarray) -> None:
        """One strip: `out` is its part of the result, with columns side by side."""
        layout, scale = self.layout, self.layout.architecture.scale
        needs = Needs.of(strip.top, strip.bottom, band.height, self.weights)
        columns, corner = layout.columns(strip.right - strip.left), strip.left - layout.reach
        top, bottom = needs.image
        image = window(
            plane, (top - band.top, bottom - band.top), (corner - 2, corner + columns + 2), self.weights, self.levels,
            layout.pitch // FLOAT,
        )  # fmt: skip
        delays = groups.delays(layout.architecture.m)
        parameters = schedule.parameters(
            image=image.ctypes.data + 2 * FLOAT - top * layout.pitch,
            weights=self.packed.ctypes.data,
            scratch=scratch.ctypes.data,
            finish=self.finish.address,
            limits=self.limits.ctypes.data,
            destination=out.ctypes.data - strip.top * scale * out.strides[0],
            destination_pitch=out.strides[0],
            height=band.height,
            columns=columns,
            width=strip.right - strip.left,
            left=-corner,
            right=plane.shape[1] - corner,
            first_step=needs.layers[0][0] // GROUP,
            end_step=-(-(needs.stamped[1] + delays[-1] + 1) // GROUP),
            first_row=needs.stamped[0],
            end_row=needs.stamped[1],
            first_result=strip.top * scale,
            end_result=strip.bottom * scale,
            layers=[(delay, *rows) for delay, rows in zip(delays, needs.layers, strict=True)],
        )
        self.call(parameters.ctypes.data)


def upscaled(
    engine: Engine,
    plane: np.ndarray,
    out: np.ndarray,
    threads: int,
    *,
    band: Band | None = None,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> None:
    """Fill `out` with the result of an image or of a band of its rows; with zeros if that fails.

    Parameters
    ----------
    plane : (rows, W) array
        The image, or the rows of it that the band depends on, see `strips.rows_needed`.
    out : (rows · scale, W · scale) array
    band : Band, optional
        If it is not the whole image.
    size : (rows, columns), optional
        Most of a strip; the bits do not depend on it.
    """
    band = band or Band(0, plane.shape[0], 0, plane.shape[0])
    layout, scale, width = engine.layout, engine.layout.architecture.scale, plane.shape[1]
    rows, columns = size or good_size(band, width, layout, threads)
    strips = cut(band, width, rows, min(columns, layout.width))
    direct = out.dtype.isnative and out.strides[1] == out.itemsize
    spares: list[np.ndarray] = []  # scratch memory between two strips
    done, lock = 0, threading.Lock()

    def one_strip(number: int) -> None:
        nonlocal done
        strip = strips[number]
        try:
            scratch = spares.pop()
        except IndexError:
            scratch = aligned(layout.scratch["end"])
        top, bottom = strip.top - band.first, strip.bottom - band.first
        part = out[top * scale : bottom * scale, strip.left * scale : strip.right * scale]
        if direct:
            engine.run(plane, band, strip, scratch, part)
        else:
            made = np.empty(part.shape, engine.dtype)
            engine.run(plane, band, strip, scratch, made)
            part[...] = made
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
