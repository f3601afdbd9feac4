"""MATLAB's `imresize`: chroma, the bicubic control, and the published protocol need it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fsrcnn_np.errors import OptionError
from fsrcnn_np.images.value_range import check_image, to_integers
from piqe_np.compiled import machine_code_refused, thread_count, worthwhile

_STRIP = 1 << 16  # elements of a strip of the reference: half a megabyte of float64
_SMALL = 1 << 18  # elements of a result that the reference makes before machine code would be compiled,
_MANY = 1 << 22  # if not so many were made in this process
_made = 0
START = 1 << 17  # elements that machine code makes while a thread is started
_MOST_PIXELS = 1 << 31
_SCALES = (1e-4, 1e4)
Floats = NDArray[np.float64]


class Taps(NamedTuple):
    """Which input samples make each output sample along an axis, and with what weight.

    Attributes
    ----------
    indices : ndarray, (out_length, taps), 0-based
    weights : ndarray, the same shape, float64; each row sums to 1
    """

    indices: NDArray[np.intp]
    weights: Floats


class Pass(NamedTuple):
    """Half of the work: one axis, 0 (down the columns) or 1 (along the rows), and how its samples are made."""

    axis: int
    taps: Taps


class Kernel(NamedTuple):
    """An interpolation kernel: `weight(x)` at distances x, in samples, is zero beyond `support` / 2."""

    weight: Callable[[Floats], Floats]
    support: float


def _box(x: Floats) -> Floats:
    return ((x >= -0.5) & (x < 0.5)).astype(np.float64)  # half open: a tie goes to one sample alone


def _triangle(x: Floats) -> Floats:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: Floats) -> Floats:
    """Keys 1981, a = −0.5."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))


def _lanczos(lobes: int) -> Callable[[Floats], Floats]:
    def weight(x: Floats) -> Floats:
        epsilon = np.finfo(np.float64).eps  # as MATLAB keeps 0/0 away
        windowed = np.sin(np.pi * x) * np.sin(np.pi * x / lobes) + epsilon
        return np.where(np.abs(x) < lobes, windowed / (np.pi**2 * x**2 / lobes + epsilon), 0.0)

    return weight


#: MATLAB's names, its synonyms "triangle" and "cubic" too.
METHODS = {
    "nearest": Kernel(_box, 1),
    "box": Kernel(_box, 1),
    "bilinear": Kernel(_triangle, 2),
    "triangle": Kernel(_triangle, 2),
    "bicubic": Kernel(_cubic, 4),
    "cubic": Kernel(_cubic, 4),
    "lanczos2": Kernel(_lanczos(2), 4),
    "lanczos3": Kernel(_lanczos(3), 6),
}


def imresize(
    image: ArrayLike,
    scale: float | Sequence[int],
    *,
    method: str = "bicubic",
    antialiasing: bool | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Enlarge or shrink an image as MATLAB's `imresize` does.

    Parameters
    ----------
    image : array_like
        H×W or H×W×3; uint8, int8, uint16, int16, float32 or float64.
    scale : float or (int, int)
        A number from 0.0001 to 10000, which need not be whole; or the result's rows and columns.
    method : {"bicubic", "bilinear", "box", "lanczos2", "lanczos3", "nearest"}
        The kernel, by MATLAB's name ("cubic" and "triangle" are its synonyms).
    antialiasing : bool, optional
        Stretch the kernel by 1/scale where the image shrinks. Default, as MATLAB's: True, but False for "nearest".
    threads : int, optional
        Default: the environment variable FSRCNN_NP_THREADS, else the CPUs that the process may use. The result has the
        same bits for any number.

    Returns
    -------
    ndarray
        ceil(H·scale) × ceil(W·scale) [× 3], or of the size asked for; of the image's dtype. Sums are in double. Floats
        are not clipped; float32 is rounded to float32 after each pass. Integers are rounded half away from zero and
        saturated after each of the two passes, as in MATLAB R2015b (0 of 86,346 values of its own 512×512 → 123×234
        differ, where one rounding at the end would give 12,492 others).

    Raises
    ------
    ImageError
        The image is none, see `fsrcnn_np.images.value_range.check_image`.
    OptionError
        The scale or size is impossible or the result would be too large; or there is no such method; or no such number
        of threads.

    Notes
    -----
    The kernel's weights are normalised; the image is mirrored at its border with the edge repeated; the dimension of
    the smaller scale goes first, else down the columns before along the rows. R. Keys, Cubic convolution interpolation
    for digital image processing, IEEE Trans. ASSP 29(6), 1981; MathWorks, `imresize`, Image Processing Toolbox.
    """
    array = check_image(image)
    if not isinstance(method, str) or method not in METHODS:
        raise OptionError(f"method is {method!r}; allowed are {', '.join(METHODS)}")
    if not (antialiasing is None or isinstance(antialiasing, bool | np.bool_)):
        raise OptionError(f"antialiasing is {antialiasing!r}; allowed are True, False and None (MATLAB's default)")
    if antialiasing is None:
        antialiasing = method != "nearest"
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    size, scales = _size_and_scales(array.shape[:2], scale)
    if math.prod(size) > _MOST_PIXELS:
        raise OptionError(f"scale {scale!r} would give {size[0]}×{size[1]} pixels; at most {_MOST_PIXELS} are allowed")
    passes = [
        Pass(axis, contributions(array.shape[axis], scales[axis], size[axis], METHODS[method], antialiasing))
        for axis in sorted((0, 1), key=scales.__getitem__)
    ]
    count = worthwhile(count, max(array.size, math.prod(size) * math.prod(array.shape[2:])), START)
    machine_code = machine_code_for(array.shape, passes)
    return (machine_code.resized if machine_code else resized)(array, passes, threads=count)


def resized(image: NDArray[Any], passes: Sequence[Pass], *, threads: int = 1) -> NDArray[Any]:
    """Both passes, one after the other: the reference, which defines the answer. `fsrcnn_np.images.llvm` is fast.

    Parameters
    ----------
    image : ndarray, H×W or H×W×3
    passes : sequence of Pass
        One of each axis, in the order in which they are done.
    threads : int
        Nothing to the reference; a parameter of the other's.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # floats near their largest become infinite, without a word
        for axis, taps in passes:
            image = _resized_axis(image, axis, taps)
    return image


def machine_code_for(shape: tuple[int, ...], passes: Sequence[Pass]) -> ModuleType | None:
    """`fsrcnn_np.images.llvm` where it serves: the same bits, so that speed alone decides."""
    global _made
    size = max(math.prod(len(taps.indices) for _, taps in passes) * math.prod(shape[2:]), math.prod(shape))
    _made += size
    if (size <= _SMALL and _made <= _MANY) or machine_code_refused():
        return None
    from fsrcnn_np.images import llvm

    return llvm if llvm.fits(shape, passes) else None


class Part(NamedTuple):
    """Which part of an image there is: the row and column at which it begins, and the whole image's shape."""

    starts: tuple[int, int]
    whole: tuple[int, int]


def enlarging(shape: tuple[int, int], scale: int, part: Part | None = None) -> list[Pass]:
    """Both passes of bicubic `imresize`.

    Parameters
    ----------
    shape : (int, int)
        Of the image, or of the part of it that there is.
    scale : int
        2 or more.
    part : Part, optional
        If it is not the whole image. The result is what the whole's has there, to the bit, but for 3·scale pixels along
        edges at which the image goes on.
    """
    starts, wholes = part or ((0, 0), shape)
    passes = []
    for axis, (start, whole, length) in enumerate(zip(starts, wholes, shape, strict=True)):
        indices, weights = contributions(whole, float(scale))
        made = slice(start * scale, (start + length) * scale)
        passes.append(Pass(axis, Taps(np.clip(indices[made] - start, 0, length - 1), weights[made])))
    return passes


def rows_of(passes: Sequence[Pass], rows: slice, top: int) -> list[Pass]:
    """Passes that make some rows of a result alone, of an image whose rows are at hand from `top` on."""
    (_, taps), across = passes
    return [Pass(0, Taps(taps.indices[rows] - top, taps.weights[rows])), across]


@functools.lru_cache(maxsize=4)  # a series of images is often of one size
def contributions(
    length: int,
    scale: float,
    out_length: int | None = None,
    kernel: Kernel = METHODS["bicubic"],
    antialiasing: bool = True,
) -> Taps:
    """Which input samples make each output sample, and with what weight (MATLAB's name for this step).

    Parameters
    ----------
    length : int
        Number of input samples along the axis.
    scale : float
    out_length : int, optional
        Number of output samples; default ceil(length·scale).
    kernel : Kernel
    antialiasing : bool

    Returns
    -------
    Taps
        Without those that weigh nothing in any sample, which MATLAB leaves out, too.
    """
    shrink = min(scale, 1.0) if antialiasing else 1.0
    support = kernel.support / shrink
    taps = math.ceil(support) + 2
    if out_length is None:
        out_length = math.ceil(length * scale)
    # MATLAB's coordinates: samples are numbered from 1 and sit in the middle of their pixel.
    centre = np.arange(1, out_length + 1) / scale + 0.5 * (1 - 1 / scale)
    position = np.floor(centre - support / 2)[:, None] + np.arange(taps)
    weights = shrink * kernel.weight(shrink * (centre[:, None] - position))
    weights /= weights.sum(axis=1, keepdims=True)
    weighing = weights.any(axis=0)
    position, weights = position[:, weighing], weights[:, weighing]
    folded = (position.astype(np.intp) - 1) % (2 * length)
    found = Taps(np.minimum(folded, 2 * length - 1 - folded), weights)
    for part in found:
        part.flags.writeable = False
    return found


def _resized_axis(image: NDArray[Any], axis: int, taps: Taps) -> NDArray[Any]:
    """One pass: a strip's lines as double, each tap's products added to the sums, in their order; then the class."""
    length, across, made = image.shape[axis], image.shape[1 - axis], len(taps.indices)
    result = np.empty((*image.shape[:axis], made, *image.shape[axis + 1 :]), image.dtype)
    step = max(1, _STRIP // max(length, made))
    for start in range(0, across, step):
        strip = (slice(None),) * (1 - axis) + (slice(start, start + step),)
        lines = np.moveaxis(image[strip], axis, 0).astype(np.float64, order="C")
        sums = np.zeros((made, *lines.shape[1:]))
        for indices, weights in zip(taps.indices.T, taps.weights.T, strict=True):
            sums += weights.reshape(-1, *[1] * (lines.ndim - 1)) * lines[indices]
        if image.dtype.kind != "f":
            sums = to_integers(sums, image.dtype)
        result[strip] = np.moveaxis(sums, 0, axis)
    return result


def _size_and_scales(shape: tuple[int, ...], scale: Any) -> tuple[tuple[int, int], tuple[float, float]]:
    """The result's rows and columns, and the scale along each."""
    least, most = _SCALES
    if isinstance(scale, tuple | list) or (isinstance(scale, np.ndarray) and scale.ndim):
        whole = [isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in scale]
        if len(whole) != 2 or not all(whole):
            raise OptionError(
                f"scale is {scale!r:.60}; allowed is a number, or (rows, columns) as positive whole numbers"
            )
        size = (int(scale[0]), int(scale[1]))
        if not all(least * n <= made <= most * n for made, n in zip(size, shape, strict=True)):
            raise OptionError(
                f"scale is {scale!r:.60} for {shape[0]}×{shape[1]}; allowed is {least:g} to {most:g} times it"
            )
        return size, (size[0] / shape[0], size[1] / shape[1])
    number = isinstance(scale, int | float | np.integer | np.floating) and not isinstance(scale, bool)
    if not number or not least <= scale <= most:
        raise OptionError(f"scale is {scale!r:.60}; allowed is a number from {least:g} to {most:g}, or (rows, columns)")
    scale = float(scale)
    return (math.ceil(shape[0] * scale), math.ceil(shape[1] * scale)), (scale, scale)
