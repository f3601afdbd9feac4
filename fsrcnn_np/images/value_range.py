"""Which value is black and which is white: from the dtype or from the caller, never from the image's own extremes.

Everything here works in blocks of rows, so a full mammogram is checked and converted without full-size temporaries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fsrcnn_np.errors import ImageError, OptionError
from piqe_np.masked import is_masked
from piqe_np.pillow import with_colours

DTYPES = ("uint8", "int8", "uint16", "int16", "float32", "float64")
ALLOWED = f"allowed is a 2-D or H×W×3 array of {', '.join(DTYPES[:-1])} or {DTYPES[-1]}"
_BLOCK = 1 << 20  # elements


@dataclass(frozen=True)
class ValueRange:
    """The values that stand for black (`low`) and white (`high`), and who said so.

    Parameters
    ----------
    low, high : float
        In the image's own units; `low < high`.
    origin : str
        "uint16" (the dtype's name), "data_range", or what a file declares, like "BitsStored 12".
    """

    low: float
    high: float
    origin: str

    @property
    def span(self) -> float:
        """`high - low`."""
        return self.high - self.low

    def __str__(self) -> str:
        return f"{_number(self.low)}..{_number(self.high)} ({self.origin})"


#: Of floats, unless told otherwise.
GIVEN = "data_range"  #: the origin of a range that the caller gave
UNIT = ValueRange(0.0, 1.0, "unit")


class Pixels(NamedTuple):
    """An image that has been checked, with its range: made once at the door, and taken as it is from there on."""

    array: NDArray[Any]
    range: ValueRange


def check_pixels(image: ArrayLike | Pixels, data_range: float | Sequence[float] | ValueRange | None = None) -> Pixels:
    """Check an image, its range, and that no value lies beyond it; what has been checked passes.

    Raises
    ------
    ImageError, OptionError
        As of `check_image`, `value_range` and `check_within`.
    """
    if isinstance(image, Pixels):
        return image
    array, ends = _checked(image)
    bounds = data_range if isinstance(data_range, ValueRange) else value_range(array.dtype, data_range)
    check_within(array, bounds, ends)
    return Pixels(array, bounds)


def value_range(dtype: DTypeLike, data_range: float | Sequence[float] | None = None) -> ValueRange:
    """Give the value range of images of a dtype.

    Parameters
    ----------
    dtype : dtype
        One of uint8, int8, uint16, int16, float32, float64.
    data_range : float or pair of floats, optional
        R means 0..R (4095 for 12 bits in uint16), a pair means (low, high). None means the dtype's own range: an
        integer's least..greatest value (as MATLAB's `im2double`: int16 is −32768..32767), 0..1 for floats.

    Returns
    -------
    ValueRange

    Raises
    ------
    ImageError
        The dtype is another.
    OptionError
        `data_range` is no number or pair of numbers, is not finite, is zero or negative, has low ≥ high, or goes
        beyond what the dtype can hold.
    """
    dtype = np.dtype(dtype)
    _check_dtype(dtype)
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    least, most = float(limits.min), float(limits.max)
    if data_range is None:
        return ValueRange(*((0.0, 1.0) if dtype.kind == "f" else (least, most)), dtype.name)
    low, high = _low_high(data_range)
    how = "allowed is R > 0 for 0..R, or a pair (low, high) with low < high"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise OptionError(f"data_range is {data_range!r}; {how}, all finite")
    if low >= high:
        raise OptionError(f"data_range is {data_range!r}; {how}")
    if low < least or high > most:
        raise OptionError(
            f"data_range {_number(low)}..{_number(high)} is oversized: {dtype.name} holds "
            f"{_number(least)}..{_number(most)}; give the range that the image's values have"
        )
    if isinstance(limits, np.finfo) and not float(limits.tiny) <= high - low <= most:
        raise OptionError(
            f"data_range {low!r}..{high!r} has a span that {dtype.name} cannot hold; give one that it does"
        )
    return ValueRange(low, high, GIVEN)


def check_image(image: ArrayLike) -> NDArray[Any]:
    """Give the image as an ndarray in native byte order, or say why it is none.

    Parameters
    ----------
    image : array_like
        H×W or H×W×3 of uint8, int8, uint16, int16, float32 or float64, not empty, floats finite. Byte-swapped,
        Fortran-ordered, read-only and non-contiguous arrays are fine, and so is what NumPy can view as an array.

    Returns
    -------
    ndarray
        The same values; a view wherever that is possible.

    Raises
    ------
    ImageError
        With what was found, what is allowed and how to fix it.
    """
    return _checked(image)[0]


def _checked(image: ArrayLike) -> tuple[NDArray[Any], tuple[float, float] | None]:
    """`check_image`'s array, and of floats its least and greatest value, which have to be looked for."""
    array = _as_array(image)
    _check_dtype(array.dtype)
    _check_shape(array)
    ends = _finite_ends(array) if array.dtype.kind == "f" else None
    return array.astype(array.dtype.newbyteorder("="), copy=False), ends


def plain(image: Any) -> Any:
    """What NumPy may view as an array: of a Pillow image with a palette its colours, all else as it is.

    Raises
    ------
    ImageError
        A masked array, which would show what its mask hides, or a Pillow image that is neither grey nor RGB.
    """
    if is_masked(image):
        raise ImageError("found a masked array; pass a plain one, with the masked values filled: image.filled(0)")
    return with_colours(image, ImageError)


def check_within(image: NDArray[Any], range: ValueRange, ends: tuple[float, float] | None = None) -> None:
    """Raise an ImageError when a value lies beyond the range: a clip would lose it, a guess would scale it wrongly.

    `ends` are the image's least and greatest value, where they are known.
    """
    if ends is None and image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        if range.low <= limits.min and limits.max <= range.high:
            return
    least, most = ends or _ends(image)
    if least < range.low or most > range.high:
        signed = "; with a sign it is (LOW, HIGH), --data-range=LOW:HIGH" if least < 0 <= range.low else ""
        raise ImageError(
            f"found values {_number(least)}..{_number(most)}, allowed is {range}; "
            f"give the image's own range with data_range= (--data-range){signed}"
        )


def normalise(
    plane: NDArray[Any],
    range: ValueRange,
    dtype: DTypeLike = np.float32,
    *,
    to: tuple[float, float] = (0.0, 1.0),
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Map `low`..`high` to 0..1: (v − low) / span, as MATLAB's `im2double` does for an integer's own range.

    The arithmetic is in float64, and rounded to `dtype` once; where nothing changes there is none.

    Parameters
    ----------
    plane : ndarray
        Any shape, real.
    range : ValueRange
    dtype : dtype
        Of the result: float32 or float64.
    to : (float, float)
        What black and white become, where that is not 0 and 1: a network's `value_range`.
    out : ndarray, optional
        Of `plane`'s shape: the result is written here.

    Returns
    -------
    ndarray
        `out`, or a new array.
    """
    result = np.empty(plane.shape, dtype) if out is None else out
    black, white = to
    same = (range.low, range.high) == (black, white)
    for rows in row_blocks(plane):
        block = plane[rows]
        if not same:
            block = block.astype(np.float64)
            block -= range.low
            block /= range.span
            if (black, white) != (0.0, 1.0):
                block *= white - black
                block += black
        with np.errstate(over="ignore"):  # float64 beyond what float32 holds becomes infinite
            result[rows] = block
    return result


class Limits(NamedTuple):
    """How a number becomes a pixel: gain · number + shift, for integers between least and most."""

    gain: float
    shift: float
    least: float
    most: float

    @classmethod
    def of(cls, range: ValueRange, value_range: tuple[float, float], dtype: np.dtype) -> Limits:
        """From the pixel values of black and white, what they are as numbers, and the pixels' dtype."""
        black, white = value_range
        gain = range.span / (white - black)
        shift = range.low - black * gain
        if dtype.kind == "f":
            return cls(gain, shift, -math.inf, math.inf)
        limits = np.iinfo(dtype)
        least, most = max(math.ceil(range.low), limits.min), min(math.floor(range.high), limits.max)
        return cls(gain, shift, least, most)


def denormalise(
    y: NDArray[Any],
    range: ValueRange,
    dtype: DTypeLike,
    out: NDArray[Any] | None = None,
    *,
    of: tuple[float, float] = (0.0, 1.0),
) -> NDArray[Any]:
    """Map 0..1 back to `low`..`high`: y·gain + shift in float64, where a float32 times a span of 16 bits is exact.

    Parameters
    ----------
    y : ndarray
        float32 or float64, any shape.
    range : ValueRange
    dtype : dtype
        Of the result. Integers are rounded half away from zero and saturated to `low`..`high`; floats not clipped.
    out : ndarray, optional
        Of `y`'s shape and of `dtype`: the result is written here.
    of : (float, float)
        What black and white are in `y`, where that is not 0 and 1: a network's `value_range`.

    Returns
    -------
    ndarray
        `out`, or a new array.

    Raises
    ------
    OptionError
        `out` has another shape or dtype.
    """
    dtype = np.dtype(dtype)
    if out is None:
        out = np.empty(y.shape, dtype)
    elif out.shape != y.shape or out.dtype != dtype:
        raise OptionError(f"out is {out.dtype.name} {out.shape}; allowed is {dtype.name} {y.shape}")
    gain, shift, least, most = Limits.of(range, of, dtype)
    for rows in row_blocks(y):
        block = y[rows]
        with np.errstate(over="ignore"):  # what overshoots a range near the dtype's end becomes infinite
            if (gain, shift) != (1.0, 0.0):
                block = block.astype(np.float64)
                block *= gain
                block += shift
            if dtype.kind != "f":
                block = to_integers(block, dtype, low=least, high=most)
            out[rows] = block
    return out


def to_integers(
    values: NDArray[Any], dtype: DTypeLike, *, low: float | None = None, high: float | None = None
) -> NDArray[Any]:
    """Round floats half away from zero, saturate, and convert to an integer dtype.

    Parameters
    ----------
    values : ndarray
        float32 or float64.
    dtype : dtype
        An integer dtype of at most 32 bits (of at most 16, where `values` are float32).
    low, high : float, optional
        Where to saturate; default the dtype's limits.

    Returns
    -------
    ndarray
        New, of `values`' shape.
    """
    limits = np.iinfo(dtype)
    least = limits.min if low is None else max(low, limits.min)
    most = limits.max if high is None else min(high, limits.max)
    fraction = np.clip(values, least - 1, most + 1)  # infinite ones have a fraction, too
    whole = np.trunc(fraction)
    # The fraction is exact, unlike values + 0.5, which turns 0.49999997 (float32) into 1; doubled it is 1 or more,
    # with its sign, from the half on.
    fraction -= whole
    fraction *= 2
    whole += np.trunc(fraction, out=fraction)
    np.clip(whole, least, most, out=whole)
    return whole.astype(dtype)


def row_blocks(array: NDArray[Any]) -> Iterator[slice]:
    """Slices of the first axis, of about a million elements each."""
    step = max(1, _BLOCK // max(1, math.prod(array.shape[1:])))
    for start in range(0, array.shape[0], step):
        yield slice(start, start + step)


def _as_array(image: ArrayLike) -> NDArray[Any]:
    image = plain(image)
    if hasattr(image, "toarray"):
        raise ImageError(f"found a {type(image).__name__} (sparse); pass a dense one: image.toarray()")
    if isinstance(image, str | bytes):
        raise ImageError(f"found a {type(image).__name__}; {ALLOWED}; read a file with fsrcnn_np.read(path)")
    if hasattr(image, "pixels") and hasattr(image, "data_range"):
        raise ImageError(f"found a {type(image).__name__}; pass picture.pixels, with data_range=picture.data_range")
    try:
        return np.asarray(image)
    except Exception as error:  # whatever a foreign __array__ raises, and ValueError for ragged lists
        raise ImageError(f"found a {type(image).__name__} that is no array ({error}); {ALLOWED}") from error


def _check_dtype(dtype: np.dtype[Any]) -> None:
    name, kind = dtype.name, dtype.kind
    if name in DTYPES:
        return
    fix = "convert it to one of these"
    if kind == "b":
        fix = "pass image.astype('uint8') * 255"
    elif kind == "c":
        fix = "pass its real part or its magnitude"
    elif kind in "iu":
        fix = "pass it as uint16 if its values fit, else as float64 with data_range"
    elif kind == "f":
        fix = "pass image.astype('float32')"
    raise ImageError(f"found dtype {name}; {ALLOWED}; {fix}")


def _check_shape(array: NDArray[Any]) -> None:
    shape = array.shape
    found = f"found shape {'×'.join(map(str, shape)) or '() (a single number)'}"
    if array.ndim in (2, 3) and array.size == 0:
        raise ImageError(f"{found}, an empty image; {ALLOWED}, with at least one pixel")
    if array.ndim == 2 or (array.ndim == 3 and shape[2] == 3):
        return
    fix = "pass one image at a time"
    if array.ndim == 3 and shape[2] == 1:
        fix = "pass image[..., 0]"
    elif array.ndim == 3 and shape[2] in (2, 4):
        fix = f"drop the alpha channel: image[..., {':3' if shape[2] == 4 else '0'}]"
    elif array.ndim == 3 and shape[0] == 3:
        fix = "put the channels last: numpy.moveaxis(image, 0, -1)"
    elif array.ndim < 2:
        fix = "reshape it to rows and columns"
    raise ImageError(f"{found}; {ALLOWED}; {fix}")


def _finite_ends(array: NDArray[Any]) -> tuple[float, float]:
    """The least and greatest value; NaN and infinity are refused."""
    ends = _ends(array)
    if not all(map(math.isfinite, ends)):
        for rows in row_blocks(array):
            finite = np.isfinite(array[rows])
            if not finite.all():
                where = np.argwhere(~finite)[0]
                value = array[rows][tuple(where)]
                raise ImageError(
                    f"found {value} at row {rows.start + where[0]}, column {where[1]}; allowed are finite values; "
                    "replace it first: numpy.nan_to_num(image)"
                )
    return ends


def _ends(array: NDArray[Any]) -> tuple[float, float]:
    """The least and greatest value, NaN where one is."""
    with np.errstate(invalid="ignore"):
        least, most = zip(*((array[rows].min(), array[rows].max()) for rows in row_blocks(array)), strict=True)
        return float(np.min(least)), float(np.max(most))


def _low_high(data_range: Any) -> tuple[float, float]:
    several = isinstance(data_range, list | tuple) or (isinstance(data_range, np.ndarray) and data_range.ndim > 0)
    pair = data_range if several else (0, data_range)
    numbers = (int, float, np.integer, np.floating)
    if len(pair) != 2 or not all(isinstance(v, numbers) and not isinstance(v, bool) for v in pair):
        raise OptionError(f"data_range is {data_range!r}; allowed is a number R for 0..R, or a pair (low, high)")
    try:
        return float(pair[0]), float(pair[1])
    except OverflowError:
        raise OptionError("data_range is beyond what float64 holds; allowed is what the image's dtype holds") from None


def _number(value: float) -> str:
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
