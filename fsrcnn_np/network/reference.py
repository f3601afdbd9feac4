"""FSRCNN in plain NumPy: the readable specification that defines the answer.

The steps have the names of Dong, Loy, Tang, ECCV 2016, section 3.1. Feature maps are (channels, rows, columns); a
picture is (rows, columns), or (rows, columns, 3) for a model of RGB.
The image is taken in strips of rows, each with the rows around it that its result depends on, so that a whole
mammogram never has whole-image feature maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..images.value_range import ValueRange, denormalise, normalise
from .bands import Band, rows_needed
from .weights import Convolution, Weights

#: Low-resolution pixels of a strip; 56 float32 feature maps of it take 58 MB.
STRIP_PIXELS = 1 << 18


class Rows:
    """Feature maps of rows `first` to `last` (exclusive) of an image that has `height` rows."""

    def __init__(self, maps: np.ndarray, first: int, height: int):
        self.maps, self.first, self.last, self.height = maps, first, first + maps.shape[1], height

    def padded(self, radius: int, border: str) -> Rows:
        """With `radius` columns more on both sides, and as many rows where the strip ends with the image."""
        above = radius if self.first == 0 else 0
        below = radius if self.last == self.height else 0
        mode: Any = {"zero": "constant", "replicate": "edge"}[border]
        maps = np.pad(self.maps, ((0, 0), (above, below), (radius, radius)), mode=mode)
        return Rows(maps, self.first - above, self.height)


def prelu(maps: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """max(z, 0) + a · min(z, 0), one slope a channel or one for all."""
    return np.where(maps > 0, maps, slope[:, None, None] * maps)


def product(a: np.ndarray, b: np.ndarray, axes: Any) -> np.ndarray:
    """`np.tensordot`. BLAS may set the "invalid" flag for lanes of a register that hold nothing of the result."""
    with np.errstate(invalid="ignore"):
        return np.tensordot(a, b, axes)


def convolution(rows: Rows, layer: Convolution, border: str) -> Rows:
    """Correlation with an odd square kernel, bias, PReLU. Loses radius rows where the strip ends inside the image."""
    size = layer.weight.shape[-1]
    source = rows.padded(size // 2, border)
    height, width = source.maps.shape[1] - size + 1, source.maps.shape[2] - size + 1
    out = np.zeros((len(layer.bias), height, width), source.maps.dtype)
    for ky in range(size):
        for kx in range(size):
            shifted = source.maps[:, ky : ky + height, kx : kx + width]
            out += product(layer.weight[:, :, ky, kx], shifted, 1)
    out += layer.bias[:, None, None]
    return Rows(prelu(out, layer.slope), source.first + size // 2, rows.height)


def deconvolution(rows: Rows, first: int, last: int, weights: Weights) -> np.ndarray:
    """High-resolution rows `first` to `last` (exclusive), all channels: each feature stamps its kernel at `scale`.

    Under a replicate border the features are continued by one row and column first (the authors' release: pad 1,
    then crop from 4 + scale); beyond that, and under a zero border everywhere, nothing is stamped.
    """
    layer, scale, offset = weights.deconvolution, weights.architecture.scale, weights.deconvolution_offset
    left = 0
    width = rows.maps.shape[2]
    if weights.border == "replicate":
        rows, left = rows.padded(1, "replicate"), 1
    d, height, columns = rows.maps.shape
    channels = len(layer.bias)
    stamps = product(layer.weight.reshape(d, -1), rows.maps, (0, 0)).reshape(channels, 9, 9, height, columns)
    canvas = np.zeros((channels, scale * (height - 1) + 9, scale * (columns - 1) + 9), stamps.dtype)
    for ky in range(9):
        for kx in range(9):
            canvas[:, ky::scale, kx::scale][:, :height, :columns] += stamps[:, ky, kx]
    top, side = first + offset - scale * rows.first, offset + scale * left
    whole = np.zeros((channels, last - first, scale * width), stamps.dtype)  # 9 taps can end before the image does
    cut = canvas[:, top : top + last - first, side : side + scale * width]
    whole[:, : cut.shape[1], : cut.shape[2]] = cut
    return whole + layer.bias[:, None, None]


def forward(
    luma: np.ndarray,
    weights: Weights,
    *,
    dtype: DTypeLike = np.float32,
    threads: int = 1,
    out: np.ndarray | None = None,
    strip_rows: int | None = None,
) -> np.ndarray:
    """The bare network: a picture of floats in, one `scale` times as high and wide out; nothing is clipped.

    Parameters
    ----------
    luma : (H, W) array of floats, of a model of RGB (H, W, 3)
    weights : Weights
    dtype : {float32, float64}
        Of all arithmetic and of the result.
    threads : int
        Taken for the fast engines' sake; NumPy's own library decides here.
    out : (H · scale, W · scale) or (H · scale, W · scale, 3) array of `dtype`, optional
        Filled and returned.
    strip_rows : int, optional
        Low-resolution rows worked on at a time.
    """
    scale = weights.architecture.scale
    if out is None:
        out = np.empty((luma.shape[0] * scale, luma.shape[1] * scale, *luma.shape[2:]), dtype)
    for first, last in strips(luma.shape[:2], strip_rows):
        out[first * scale : last * scale] = strip(luma, weights.astype(dtype), first, last)
    return out


def upscale_plane(
    plane: np.ndarray,
    weights: Weights,
    range: ValueRange,
    *,
    threads: int = 1,
    out: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
    band: Band | None = None,
) -> np.ndarray:
    """A picture of any accepted dtype through the network in float32, back in its own dtype.

    The network sees the range's ends as its `value_range`. Integers are rounded half away from zero and saturated to
    the range; floats are not clipped. `progress(done, total)` is called after each strip; what it raises stops the
    work, and `out` is filled with zeros. With a `band`, only its rows are made, and `plane` holds those at hand.
    """
    scale, own = weights.architecture.scale, weights.value_range
    model, band = weights.astype(np.float32), band or Band(0, plane.shape[0], 0, plane.shape[0])
    if out is None:
        out = np.empty(((band.last - band.first) * scale, plane.shape[1] * scale, *plane.shape[2:]), plane.dtype)
    jobs = list(strips((band.last - band.first, plane.shape[1])))
    try:
        for done, (begin, end) in enumerate(jobs, 1):
            first, last = begin + band.first, end + band.first
            top, bottom = rows_needed(first, last, band.height, weights)
            luma = normalise(plane[top - band.top : bottom - band.top], range, to=own)
            y = strip(luma, model, first, last, top, band.height)
            out[begin * scale : end * scale] = denormalise(y, range, plane.dtype, of=own)
            if progress:
                progress(done, len(jobs))
    except BaseException:
        out[...] = 0  # nothing half done that looks whole
        raise
    return out


def strips(shape: tuple[int, ...], rows: int | None = None) -> Iterator[tuple[int, int]]:
    """First and last row (exclusive) of each strip."""
    height, width = shape
    step = rows or max(1, STRIP_PIXELS // width)
    for first in range(0, height, step):
        yield first, min(first + step, height)


def strip(
    luma: np.ndarray, weights: Weights, first: int, last: int, top: int = 0, height: int | None = None
) -> np.ndarray:
    """High-resolution rows of the low-resolution rows `first` to `last`; `luma` begins at row `top` of `height`."""
    height = luma.shape[0] if height is None else height
    above, below = max(first - weights.halo, 0), min(last + weights.halo, height)
    maps = np.asarray(luma[above - top : below - top], weights.dtype) - np.asarray(weights.input_mean, weights.dtype)
    rows = Rows(maps[None] if luma.ndim == 2 else np.moveaxis(maps, -1, 0), above, height)
    for layer in weights.convolutions:
        rows = convolution(rows, layer, weights.border)
    scale = weights.architecture.scale
    high = deconvolution(rows, first * scale, last * scale, weights)
    return high[0] if luma.ndim == 2 else np.moveaxis(high, 0, -1)
