"""The engine's three functions: what they take, what they refuse, what they promise."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, SupportsIndex

import numpy as np

from piqe_np.compiled import thread_count

from ...errors import ImageError, OptionError
from ...network.weights import Weights
from ...progress import Progress
from .results import KINDS
from .strips import Band, rows_needed
from .tiles import Engine, upscaled
from .windows import Levels

PIXELS = tuple(KINDS)  # dtypes that a result can have
NUMBERS = (*PIXELS, "uint32", "int32", "uint64", "int64", "float16")  # what becomes float32 as it is
THREADS_VARIABLE = "FSRCNN_NP_THREADS"
BAND_PIXELS = 1 << 21  # low-resolution pixels that upscale_stream has in memory at a time


def forward(
    luma: np.ndarray,
    weights: Weights,
    *,
    dtype: np.typing.DTypeLike = np.float32,
    threads: SupportsIndex | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The bare network: one plane in, the plane `scale` times as high and wide out; nothing is clipped.

    The same as `fsrcnn_np.network.reference.forward` within float32's rounding, and always the same bits: whatever
    the number of threads, with or without `out`, on every processor that has fused multiply-add (one without has bits
    of its own).

    Parameters
    ----------
    luma : (H, W) array of numbers, any layout
        In the network's value range, usually [0, 1].
    weights : Weights
    dtype : float32
        Of the arithmetic and the result.
    threads : int, optional
        1 to 1024; else the environment variable FSRCNN_NP_THREADS, else all CPUs that the process may use.
    out : (H · scale, W · scale) array of float32, optional
        Filled and returned; it must not overlap `luma`.

    Raises
    ------
    ImageError
        `luma` is not a plane of numbers.
    OptionError
        Another `dtype`, an impossible `threads` or `out`.
    """
    if np.dtype(dtype) != np.float32:
        raise OptionError(f'dtype is {np.dtype(dtype).name}; the fast engine has float32 only: engine="reference"')
    plane = np.asarray(luma)
    _shape(plane.shape)
    _dtype(plane.dtype, NUMBERS)
    result = _out(out, plane, weights, np.dtype(np.float32))
    count = thread_count(threads, THREADS_VARIABLE, OptionError)
    engine = Engine(weights, Levels(*weights.value_range), result.dtype)
    upscaled(engine, plane, result, count)
    return result


def upscale_plane(
    plane: np.ndarray,
    weights: Weights,
    low: float,
    high: float,
    *,
    threads: SupportsIndex | None = None,
    out: np.ndarray | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """A plane of pixels, `scale` times as high and wide.

    Each strip is brought into the network's range as it is read, (v − low) / (high − low), and back as it is written:
    there is no copy of the whole image in floats.

    Parameters
    ----------
    plane : (H, W) array of uint8, int8, uint16, int16, float32 or float64, any layout
    weights : Weights
    low, high : float
        The pixel values of black and white.
    threads : int, optional
        As in `forward`.
    out : (H · scale, W · scale) array of the plane's dtype, optional
        Filled and returned; it must not overlap `plane`.
    progress : callable, optional
        Called as progress(done, total) after each strip; what it raises stops the work and is raised here.

    Returns
    -------
    ndarray
        In the plane's dtype. Integers are rounded half away from zero and saturated to [low, high]; floats are not
        clipped.

    Raises
    ------
    ImageError
        `plane` is not a plane of such pixels.
    OptionError
        Impossible `low` and `high`, `threads` or `out`.
    """
    plane = np.asarray(plane)
    _shape(plane.shape)
    _dtype(plane.dtype, PIXELS)
    levels = _levels(low, high)
    result = _out(out, plane, weights, plane.dtype)
    count = thread_count(threads, THREADS_VARIABLE, OptionError)
    upscaled(Engine(weights, levels, result.dtype), plane, result, count, progress=progress)
    return result


def upscale_stream(
    source: Any,
    destination: Any,
    weights: Weights,
    low: float,
    high: float,
    *,
    threads: SupportsIndex | None = None,
    rows: SupportsIndex | None = None,
    progress: Progress | None = None,
) -> None:
    """`upscale_plane` for images larger than memory: bands of rows are read, upscaled and written one after the other.

    The result has the same bits as that of `upscale_plane`.

    Parameters
    ----------
    source : array-like of shape (H, W) with `shape`, `dtype` and row slicing
        An HDF5 dataset, np.memmap, Dask or zarr array …; of the dtypes that `upscale_plane` takes.
    destination : array-like of shape (H · scale, W · scale) with `shape` and assignment to rows
        Of the source's dtype. It must not overlap the source.
    weights, low, high, threads
        As in `upscale_plane`.
    rows : int, optional
        Low-resolution rows of a band; otherwise as many as make about two million pixels.
    progress : callable, optional
        Called as progress(done, total) after each band, with numbers of rows.

    Raises
    ------
    ImageError
        `source` is no such image, or fails while it is read. What had been written is then erased, to zero, so that
        nothing looks like a result.
    OptionError
        `destination` does not fit, or another option is impossible.
    OSError, …
        What `destination` raises itself; erased as above.
    """
    height, width = _shape(source.shape)
    dtype = _dtype(np.dtype(source.dtype), PIXELS)
    scale = weights.architecture.scale
    _check_result(destination, (height * scale, width * scale), dtype, "destination", source)
    levels = _levels(low, high)
    count = thread_count(threads, THREADS_VARIABLE, OptionError)
    step = _rows(rows, width)
    engine = Engine(weights, levels, dtype)
    for first in range(0, height, step):
        last = min(first + step, height)
        top, bottom = rows_needed(first, last, height, weights)
        try:
            part = _read(source, top, bottom, width, dtype)
            result = np.empty(((last - first) * scale, width * scale), dtype)
            upscaled(engine, part, result, count, band=Band(first, last, top, height))
            destination[first * scale : last * scale] = result
            if progress is not None:
                progress(last, height)
        except BaseException:
            with suppress(Exception):  # what went wrong first is what counts
                for row in range(0, last * scale, step * scale):
                    end = min(row + step * scale, last * scale)
                    destination[row:end] = np.zeros((end - row, width * scale), dtype)
            raise


def _shape(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2 or 0 in shape:
        raise ImageError(f"the image has shape {tuple(shape)}; one plane is expected, (rows, columns), at least 1 × 1")
    return int(shape[0]), int(shape[1])


def _dtype(dtype: np.dtype, allowed: Sequence[str]) -> np.dtype:
    if dtype.name not in allowed:
        raise ImageError(f"the image is {dtype}; allowed are {', '.join(allowed)}")
    return dtype


def _levels(low: float, high: float) -> Levels:
    try:
        levels = Levels(float(low), float(high))
    except (TypeError, ValueError):
        levels = Levels(0, 0)
    if not (levels.low < levels.high and np.isfinite(levels).all()):
        raise OptionError(f"low={low!r} and high={high!r}: give two finite numbers, the lower first")
    return levels


def _rows(rows: SupportsIndex | None, width: int) -> int:
    if rows is None:
        return max(1, BAND_PIXELS // width)
    try:
        count = 0 if isinstance(rows, bool) else operator.index(rows)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(f"rows={rows!r} is not a number of rows: give a whole number from 1 on, or leave it out")
    return count


def _out(out: np.ndarray | None, plane: np.ndarray, weights: Weights, dtype: np.dtype) -> np.ndarray:
    """The array for the result: a new one, or the caller's if it fits."""
    height, width = (size * weights.architecture.scale for size in plane.shape)
    if out is None:
        return np.empty((height, width), dtype)
    if not isinstance(out, np.ndarray):
        raise OptionError(f"out is {type(out).__name__}; a NumPy array is expected")
    _check_result(out, (height, width), dtype, "out", plane)
    return out


def _check_result(result: Any, shape: tuple[int, int], dtype: np.dtype, name: str, source: Any) -> None:
    """Refuse an array that cannot take the result; what is no NumPy array need not have a dtype."""
    if tuple(result.shape) != shape:
        raise OptionError(f"{name} has shape {tuple(result.shape)}; the result has {shape}")
    found = np.dtype(getattr(result, "dtype", dtype))
    if found.newbyteorder("=") != dtype.newbyteorder("="):
        raise OptionError(f"{name} is {found}; the result is {dtype}")
    if not isinstance(result, np.ndarray):
        return
    if not result.flags.writeable:
        raise OptionError(f"{name} is read-only; give an array that can be written")
    if any(stride == 0 and size > 1 for stride, size in zip(result.strides, result.shape, strict=True)):
        raise OptionError(f"{name} has several pixels in one place (a broadcast array); give an ordinary array")
    if isinstance(source, np.ndarray) and np.shares_memory(result, source):
        raise OptionError(f"{name} overlaps the image in memory; give an array of its own")


def _read(source: Any, top: int, bottom: int, width: int, dtype: np.dtype) -> np.ndarray:
    """Rows of an array-like, checked: it may be broken in ways that its header hides."""
    try:
        band = np.asarray(source[top:bottom])
    except Exception as error:
        raise ImageError(
            f"rows {top} to {bottom} of the image cannot be read ({type(error).__name__}: {error}); "
            "what had been written is erased"
        ) from error
    if band.shape != (bottom - top, width) or band.dtype != dtype:
        raise ImageError(
            f"rows {top} to {bottom} of the image came as {band.dtype} {band.shape}; "
            f"{dtype} {(bottom - top, width)} was announced; what had been written is erased"
        )
    return band
