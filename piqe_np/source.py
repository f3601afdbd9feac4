"""What can be scored: arrays and array-likes, checked; read by rows, so that they need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from piqe_np.errors import ImageError
from piqe_np.masked import is_masked
from piqe_np.matlab import CLASSES
from piqe_np.pillow import with_colours
from piqe_np.reference import BLOCK, MARGIN
from piqe_np.unbroken import unbroken

MOST_LEVEL = 1000  # up to it the score is the same within 1e-9, however one adds: python -m parity.piqe_domain
SLAB_BYTES = 2**24  # read at a time from an array-like that is not in memory

ADVICE = {
    "bool": "for black and white pass image.astype('uint8') * 255",
    "complex64": "pass its magnitude, numpy.abs(image), with data_range=",
    "complex128": "pass its magnitude, numpy.abs(image), with data_range=",
    "int8": "say which values are black and white: data_range=(-128, 127)",
    "float16": "pass image.astype('float32')",
}


def as_image(image: Any, *, ranged: bool) -> Any:
    """`image` itself if it can be read by rows, else as an ndarray; an ImageError unless it can be scored.

    `ranged`: the caller says which values are black and white, which int8 needs.
    """
    given = image
    if is_masked(image):
        raise ImageError("a masked array has pixels without a value; give them one first: image.filled(value)")
    if isinstance(image, str | bytes | os.PathLike):
        raise ImageError("a file's name is not an image; in Python read it first (fsrcnn_np.read), or run piqe-np FILE")
    if hasattr(image, "pixels") and hasattr(image, "data_range"):
        raise ImageError(f"a {type(image).__name__} is not an array; pass its .pixels, with data_range=its .data_range")
    if type(image).__module__.startswith("scipy.sparse"):
        raise ImageError("a sparse matrix is not read as an image; pass image.toarray()")
    image = with_colours(image, ImageError)
    if isinstance(image, np.ndarray) or not _readable_by_rows(image):
        try:
            image = np.asarray(image)  # of memmap and matrix: the plain array behind it
        except Exception as error:  # whatever a foreign object raises when it is asked for an array
            raise ImageError(
                f"{type(image).__name__} is not an image ({error}); pass an array: numpy.asarray(image)"
            ) from error
    dtype, shape = np.dtype(image.dtype), tuple(image.shape)
    if dtype.name not in CLASSES and not (ranged and dtype.name == "int8"):
        if isinstance(image, np.ndarray) and not isinstance(given, np.ndarray) and dtype.kind in "iu":
            raise ImageError(
                f"a {type(given).__name__} of whole numbers ({dtype.name}) has no class of MATLAB's; "
                "give it one: numpy.uint8(image)"
            )
        advice = ADVICE.get(dtype.name, "convert it without changing values, and say which value is white: data_range=")
        raise ImageError(f"PIQE is defined for {', '.join(CLASSES)}, not for {dtype.name}; {advice}")
    if 0 in shape:
        raise ImageError(f"the image is empty: its shape is {shape}; it needs a pixel or more")
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        raise ImageError(f"the shape {shape} is not that of a grey (M, N) or RGB (M, N, 3) image; {_fix(shape)}")
    return image


def _fix(shape: tuple[int, ...]) -> str:
    """What array of another shape is likely to be, and what to pass instead."""
    if len(shape) == 3 and shape[2] == 1:
        return "one channel needs no axis: pass image[..., 0]"
    if len(shape) == 3 and shape[0] == 1:
        return "a batch or a channel of one: pass image[0]"
    if len(shape) == 3 and shape[0] == 3:
        return "pass it with its channels last: numpy.moveaxis(image, 0, -1)"
    if len(shape) == 3 and shape[2] in (2, 4):
        return (
            f"leave out the alpha channel: pass image[..., {':3' if shape[2] == 4 else '0'}] (CMYK: convert it to RGB)"
        )
    return "pass one picture at a time, without alpha, channels last: image[..., :3]"


def _readable_by_rows(image: Any) -> bool:
    """Has NumPy's shape, dtype and slices, as the datasets of h5py, zarr and dask do."""
    try:
        np.dtype(image.dtype)
        return len(image.shape) > 0 and hasattr(image, "__getitem__")
    except Exception:  # no such attributes, another library's dtype, a file that was closed
        return False


def rows_around(first: int, last: int, height: int) -> tuple[int, int]:
    """The image's rows that the rows of blocks from `first` to `last` and the filter's margin cover."""
    return max(0, first * BLOCK - MARGIN), min(height, last * BLOCK + MARGIN)


def slabs(image: Any) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """Rows of blocks (first, last), the image's row with which the array starts, and the array with their pixels."""
    height, count = image.shape[0], -(-image.shape[0] // BLOCK)
    if isinstance(image, np.ndarray):
        yield 0, count, 0, image
        return
    row_bytes = np.dtype(image.dtype).itemsize * int(np.prod(image.shape[1:]))
    step = max(1, SLAB_BYTES // (row_bytes * BLOCK))
    for first in range(0, count, step):
        last = min(first + step, count)
        top, bottom = rows_around(first, last, height)
        try:
            with unbroken(callers=True):
                pixels = np.asarray(image[top:bottom])
        except Exception as error:
            raise ImageError(
                f"rows {top} to {bottom} of the {type(image).__name__} cannot be read: {error}; "
                "read it whole, and pass the array"
            ) from error
        if pixels.shape != (bottom - top, *image.shape[1:]) or pixels.dtype != image.dtype:
            raise ImageError(
                f"{type(image).__name__} gave {pixels.dtype} of shape {pixels.shape} for its rows {top} to {bottom}, "
                f"against its own description, {image.dtype} of shape {tuple(image.shape)}; pass an array"
            )
        yield first, last, top, pixels


def check_values(pixels: np.ndarray, data_range: tuple[float, float] | None) -> tuple[float, float] | None:
    """Least and greatest value, where these matter; an ImageError for NaN, Inf, and values beyond a given range."""
    if data_range is None and pixels.dtype.kind != "f":
        return None
    least, greatest = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(least) and np.isfinite(greatest)):
        raise ImageError("the image holds NaN or Inf; replace these pixels by a value first, numpy.nan_to_num(image)")
    if data_range is not None and (least < data_range[0] or greatest > data_range[1]):
        low, high = data_range
        raise ImageError(
            f"values from {least:g} to {greatest:g} lie outside {low:g} to {high:g}, the range that was given; "
            "give the right data_range"
            f"{' with its sign, (LOW, HIGH) or --data-range=LOW:HIGH' if least < 0 <= low else ''}, "
            "or clip the image yourself"
        )
    return least, greatest


def remarks_of(least: float, greatest: float, data_range: tuple[float, float] | None) -> tuple[str, ...]:
    """What a user should know of the values of a float image; nothing in most cases."""
    low, high = data_range or (0.0, 1.0)
    found = []
    if data_range is None and least >= 0 and greatest >= 2:
        found.append(
            f"its values end at {greatest:g}, and floats are taken as 0..1, as in MATLAB; if white is another value, "
            f"say so: data_range={255 if greatest <= 255 else 'WHITE'} (--data-range)"
        )
    largest = max(abs(255 * (value - low) / (high - low)) for value in (least, greatest))
    if largest > MOST_LEVEL:
        found.append(
            f"its levels reach {largest:.4g}, where 255 is white; beyond {MOST_LEVEL} another order of additions can "
            "change the score by more than 1e-9 (docs/piqe.md)"
        )
    return tuple(found)
