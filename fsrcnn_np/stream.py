"""`upscale_stream`: images larger than memory, band by band."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.unbroken import unbroken

from .engine import engine_named
from .errors import ImageError, OptionError
from .images.destination import check_target
from .images.overlap import overlapping_memory, overlapping_stores
from .images.value_range import check_image, check_pixels, plain, value_range
from .network.bands import Band
from .network.channels import check_channels
from .pipeline import loaded, thread_number
from .progress import Progress, reporting
from .types import DataRange, Model

BAND_PIXELS = 1 << 21  # low-resolution pixels that are in memory at a time


def upscale_stream(
    source: Any,
    destination: Any,
    *,
    weights: Model = "x2",
    data_range: DataRange | None = None,
    threads: int | None = None,
    engine: str | None = None,
    rows: int | None = None,
    progress: Progress | bool | None = None,
) -> None:
    """`upscale` for images larger than memory: rows are read, super-resolved and written band by band.

    Parameters
    ----------
    source : array-like, H×W, and with a model of RGB H×W×3
        With `shape`, `dtype` and row slices: an h5py dataset, np.memmap, Dask or zarr array …
    destination : array-like, H·scale × W·scale (× 3)
        Of the source's dtype, with assignment to row slices; not in the source's memory.
    weights, data_range, threads, engine
        As in `upscale`; the result has the same bits with "llvm" and "numba", and with "reference" the same but for
        the last ones of float32.
    rows : int, optional
        Low-resolution rows of a band; default as many as make two million pixels.
    progress : callable or bool, optional
        Called as `progress(done, total)` after each band, with numbers of rows; True shows a bar.

    Raises
    ------
    ImageError
        `source` has no allowed shape or dtype, cannot be read to its end, or has values beyond the range. What had
        been written is erased to zero, so that nothing looks like a result.
    OptionError
        `destination` does not fit, or another option is impossible.
    OSError, …
        What `destination` raises itself; erased as above.
    """
    if not all(hasattr(source, name) for name in ("shape", "dtype", "__getitem__")):
        raise ImageError(
            f"found a {type(source).__name__}; upscale_stream takes what has shape, dtype and row slices: an h5py "
            "dataset, np.memmap, Dask or zarr array; read a file with fsrcnn_np.read(path)"
        )
    plain(source)
    model = loaded(weights)
    channels = tuple(int(size) for size in source.shape[2:])
    if 0 in source.shape or len(source.shape) < 2 or (channels and channels != (model.architecture.channels,)):
        shape = "×".join(map(str, source.shape))
        raise ImageError(f"found shape {shape}; upscale_stream takes grey images, H×W, at least 1 × 1, and H×W×3 with "
                         "a model of RGB; use upscale for H×W×3 otherwise")  # fmt: skip
    check_channels(source.shape, model)
    height, width = (int(size) for size in source.shape[:2])
    dtype = check_image(np.zeros((1, 1), source.dtype)).dtype
    bounds = value_range(dtype, data_range)
    steps, count = engine_named(engine), thread_number(threads)
    scale, step = model.architecture.scale, _rows(rows, width)
    check_target(destination, (height * scale, width * scale, *channels), dtype, "destination")
    if overlapping_memory(source, destination, step, step * scale):
        raise OptionError("destination overlaps the source in memory; give an array of its own")
    if overlapping_stores(source, destination):
        raise OptionError("destination is where the source reads from; give an array or a dataset of its own")

    with reporting(progress, "upscale") as tell:
        for first in range(0, height, step):
            last = min(first + step, height)
            try:
                top, bottom = steps.rows_needed(first, last, height, model)
                part = check_pixels(_read(source, top, bottom, (width, *channels), source.dtype), bounds)
                band = Band(first, last, top, height)
                made = steps.upscale_plane(part.array, model, bounds, threads=count, band=band)
                with unbroken(callers=True):
                    destination[first * scale : last * scale] = made
                if tell is not None:
                    tell(last, height)
            except BaseException:
                with suppress(Exception):  # what went wrong first is what counts
                    _erase(destination, last * scale, (width * scale, *channels), step * scale, dtype)
                raise


def _rows(rows: int | None, width: int) -> int:
    if rows is None:
        return max(1, BAND_PIXELS // width)
    try:
        count = 0 if isinstance(rows, bool) else operator.index(rows)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(f"rows={rows!r} is not a number of rows: give a whole number from 1 on, or leave it out")
    return count


def _read(source: Any, top: int, bottom: int, row: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Rows of an array-like, checked: it may be broken in ways that its header hides."""
    try:
        with unbroken(callers=True):
            rows = source[top:bottom]
            band = np.asarray(plain(rows))
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(
            f"rows {top} to {bottom} of the image cannot be read ({type(error).__name__}: {error}); "
            "what had been written is erased"
        ) from error
    if band.shape != (bottom - top, *row) or band.dtype != dtype:
        raise ImageError(
            f"rows {top} to {bottom} of the image came as {band.dtype} {band.shape}; "
            f"{dtype} {(bottom - top, *row)} was announced; what had been written is erased"
        )
    return band


def _erase(destination: Any, rows: int, row: tuple[int, ...], step: int, dtype: Any) -> None:
    for first in range(0, rows, step):
        last = min(first + step, rows)
        with unbroken(callers=True):
            destination[first:last] = np.zeros((last - first, *row), dtype)
