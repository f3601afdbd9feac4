"""Many pictures of one size in one array, in the order of axes that people keep them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from piqe_np.compiled import run_tasks

from .errors import FsrcnnError, ImageError, OptionError
from .images.destination import check_target, shares_memory
from .images.overlap import overlapping_memory, overlapping_stores
from .images.value_range import plain
from .pipeline import loaded, thread_number, upscale
from .progress import Progress, reporting
from .types import DataRange, Model

AXES = ("NHW", "NHWC", "NCHW")
SMALL = 1 << 18  #: pixels of a picture at most, so that several are computed at once, each on one thread
PIXELS, PICTURES = 1 << 17, 16  #: that a thread is started for, whichever is less
_OVERLAPS = "out overlaps the images in memory, or in a mapped file; give an array of its own"


def upscale_batch(
    images: ArrayLike | Sequence[ArrayLike],
    *,
    axes: str = "NHW",
    weights: Model = "x2",
    data_range: DataRange | None = None,
    threads: int | None = None,
    out: NDArray[Any] | None = None,
    engine: str | None = None,
    progress: Progress | bool | None = None,
) -> NDArray[Any]:
    """`upscale` for N pictures of one size: each has the bits that it has alone.

    Parameters
    ----------
    images : array_like, or a sequence of N arrays
        N×H×W, N×H×W×C or N×C×H×W with C 1 (grey) or 3 (RGB); dtypes as of `upscale`, one for all. Of an h5py dataset,
        a memmap or a Dask array one picture is read at a time.
    axes : {"NHW", "NHWC", "NCHW"}
        What the axes of `images`, and of the result, are; never guessed from the shape.
    weights, data_range, threads, engine
        As of `upscale`; the range is one for all.
    out : ndarray, optional
        Of the result's shape and dtype, in either byte order, not overlapping `images`: filled and returned.
    progress : callable or bool, optional
        Called as `progress(done, N)` for each picture, in their order and in the calling thread; small ones are
        computed several at once, and told of one after the other. True shows a bar (tqdm) on standard error.

    Returns
    -------
    ndarray, N×H·scale×W·scale, N×H·scale×W·scale×C or N×C×H·scale×W·scale
        Of the images' dtype.

    Raises
    ------
    ImageError
        Not such a batch, or a picture that `upscale` refuses; the message has its number, counted from 0. Those before
        it are in `out`.
    OptionError
        An impossible option; `axes` among them.
    WeightsError, FileError
        As of `upscale`.
    """
    if not isinstance(axes, str) or axes not in AXES:
        raise OptionError(f"axes is {axes!r}; allowed are {', '.join(map(repr, AXES))}")
    shape, dtype = _described(images, axes)
    model = loaded(weights)
    scale = model.architecture.scale
    large = tuple(n * scale if axis in "HW" else n for axis, n in zip(axes, shape, strict=True))
    result = _checked_out(out, large, dtype, images)
    count = thread_number(threads)
    pixels = shape[axes.index("H")] * shape[axes.index("W")]
    several = 1 < count <= shape[0] and pixels <= SMALL
    at_once = count * min(max(PIXELS // max(pixels, 1), 1), PICTURES) if several else 1
    options = {"weights": model, "data_range": data_range, "threads": 1 if several else count, "engine": engine}

    def read(number: int) -> NDArray[Any]:
        image = _picture(images[number], axes, shape, dtype)  # type: ignore[index]
        if shares_memory(image, result):  # of a sequence or a wrapper that hides it
            raise OptionError(_OVERLAPS)
        return image.copy() if several else image  # before the next is read, perhaps into the same memory

    with reporting(progress, "upscale", unit="image") as tell:
        for first in range(0, shape[0], at_once):
            numbers = range(first, min(first + at_once, shape[0]))
            for number, enlarged in zip(numbers, _enlarged(read, numbers, count, options), strict=False):
                if isinstance(enlarged, FsrcnnError):
                    raise type(enlarged)(f"image {number}: {enlarged}") from enlarged
                if isinstance(enlarged, BaseException):
                    raise enlarged
                result[number] = _with_axes(enlarged, axes)
                if tell is not None:
                    tell(number + 1, shape[0])
    return result


def _enlarged(
    read: Callable[[int], NDArray[Any]], numbers: range, threads: int, options: dict[str, Any]
) -> list[NDArray[Any] | BaseException]:
    """Some pictures, read one after the other, since what they are read from may be used by one thread alone, and
    computed at once; or what was raised for one. None after the first that cannot be read."""
    made: list[NDArray[Any] | BaseException] = []
    for number in numbers:
        try:
            made.append(read(number))
        except BaseException as error:  # raised when those before it are computed
            made.append(error)
            break

    def compute(place: int) -> None:
        image = made[place]
        if isinstance(image, np.ndarray):
            try:
                made[place] = upscale(image, **options)
            except Exception as error:
                made[place] = error

    run_tasks(compute, len(made), threads if len(numbers) > 1 else 1)
    return made


def _described(images: Any, axes: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The batch's shape and dtype; of a sequence, what its first picture has."""
    try:
        whole = hasattr(images, "shape") and hasattr(images, "dtype")
        first = images if whole else np.asarray(plain(images[0]))
        shape, dtype = tuple(first.shape) if whole else (len(images), *first.shape), np.dtype(first.dtype)
    except ImageError as error:
        raise ImageError(f"image 0: {error}") from error
    except Exception as error:  # whatever a foreign object raises when it is asked for one of its parts
        raise ImageError(
            f"found a {type(images).__name__} that is no batch ({error}); allowed is an array of axes {axes}, "
            "or a sequence of pictures of one shape and dtype"
        ) from error
    channels = shape[axes.index("C")] if "C" in axes and len(shape) == len(axes) else 1
    if len(shape) != len(axes) or channels not in (1, 3):
        found = "×".join(map(str, shape))
        raise ImageError(
            f"found a batch of shape {found}; axes={axes!r} takes {len(axes)} dimensions"
            f"{', C being 1 or 3' if 'C' in axes else ''}; give axes as one of {', '.join(AXES)}, "
            "or a single picture to fsrcnn_np.upscale"
        )
    return shape, dtype.newbyteorder("=")


def _picture(image: Any, axes: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """One picture, H×W or H×W×3."""
    array = np.asarray(plain(image))
    if array.shape != shape[1:] or array.dtype.newbyteorder("=") != dtype:
        raise ImageError(
            f"found {array.dtype} of shape {array.shape}, unlike the first: {dtype} of shape {shape[1:]}; "
            "allowed are pictures of one shape and dtype; upscale others one by one"
        )
    if axes == "NCHW":
        array = np.moveaxis(array, 0, -1)
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array


def _with_axes(image: NDArray[Any], axes: str) -> NDArray[Any]:
    if axes == "NHW":
        return image
    channels = image if image.ndim == 3 else image[..., None]
    return np.moveaxis(channels, -1, 0) if axes == "NCHW" else channels


def _checked_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], images: Any) -> NDArray[Any]:
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise OptionError(f"out is a {type(out).__name__}; allowed is a NumPy array, {dtype} of shape {shape}")
    check_target(out, shape, dtype, "out")
    if overlapping_memory(images, out, 1, shape[0]) or overlapping_stores(images, out):
        raise OptionError(_OVERLAPS)
    return out
