"""The engine's functions, as in `fsrcnn_np.network.reference`: strips of the image, each by `kernels.strip`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from ...images.value_range import ValueRange, denormalise
from ...network.bands import Band, rows_needed
from ...network.weights import Weights
from ...progress import Progress
from ..strips import Strip, upscaled
from ..windows import window
from . import kernels
from .kernels import MARGIN, OUTPUTS, PITCH, RING, WIDTH
from .packing import packed, up

__all__ = ["forward", "rows_needed", "upscale_plane"]

ROWS, FEW = 256, 64  # of a strip; each costs about 8 beside its own
STRIPS_PER_THREAD = 4  # so that no thread waits long for the last one
UNIT = 16  # columns: whole vectors of any processor


class Engine:
    """A model made ready for images of one kind."""

    def __init__(self, weights: Weights, range: ValueRange, dtype: DTypeLike):
        self.weights, self.range, self.dtype = weights.astype(np.float32), range, np.dtype(dtype)
        self.architecture, self.scale = weights.architecture, weights.architecture.scale
        self.beside = weights.architecture.m + weights.reach  # columns of a strip that are computed beside its own
        self.model = packed(self.weights)

    def size(self, band: Band, width: int, threads: int) -> tuple[int, int]:
        """Rows and columns of a strip."""
        height = band.last - band.first
        across = math.ceil(width / (WIDTH - 2 * self.beside))
        parts = 1 if threads == 1 else math.ceil(STRIPS_PER_THREAD * threads / across)
        rows = max(math.ceil(height / parts), min(FEW, math.ceil(height * across / threads)))
        return min(rows, ROWS), math.ceil(width / across)

    def scratch(self, rows: int) -> Sequence[np.ndarray]:
        """Memory for `kernels.strip`: rings behind a row of zeros, features, stamps, canvas."""
        a = self.architecture
        lines = a.channels * self.scale  # of a high-resolution row
        rings, canvas = (1 + (a.m + 1) * RING) * up(a.s, OUTPUTS), rows * self.scale * lines
        sizes = (rings, up(a.d, OUTPUTS), up(9 * lines, OUTPUTS), canvas)
        return [np.zeros(size * PITCH, np.float32) for size in sizes]

    def run(self, plane: np.ndarray, band: Band, strip: Strip, scratch: Sequence[np.ndarray], out: np.ndarray) -> None:
        """One strip: `out` is its part of the result."""
        weights, (top, bottom, left, right) = self.weights, strip
        corner, origin, width = left - self.beside, top - weights.halo, right - left
        rows = origin - band.top, bottom + weights.halo - band.top
        columns = corner - MARGIN, corner + WIDTH + MARGIN
        image = window(plane, rows, columns, weights, self.range, PITCH)
        geometry = (
            top, bottom, band.height, origin, up(width + 2 * self.beside, UNIT), -corner, plane.shape[1] - corner,
            int(weights.border == "replicate"), self.scale, weights.deconvolution_offset, weights.reach,
        )  # fmt: skip
        kernels.strip(image.ravel(), self.model, geometry, *scratch)
        channels, high = self.architecture.channels, (bottom - top) * self.scale
        canvas = scratch[-1][: high * channels * self.scale * PITCH].reshape(high, channels, self.scale, PITCH)
        own = canvas[..., MARGIN + self.beside :][..., :width]
        result = own.transpose(0, 3, 2, 1).reshape(out.shape)  # column phases and channels side by side
        out[...] = denormalise(result, self.range, self.dtype, of=weights.value_range)


def forward(
    luma: np.ndarray,
    weights: Weights,
    *,
    dtype: DTypeLike = np.float32,
    threads: int = 1,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The bare network in float32; see `fsrcnn_np.network.reference.forward`.

    Always the same bits: whatever the number of threads, on every processor that has fused multiply-add.
    """
    assert np.dtype(dtype) == np.float32
    own = ValueRange(*weights.value_range, "model")
    return upscale_plane(luma, weights, own, threads=threads, out=out, dtype=dtype)


def upscale_plane(
    plane: np.ndarray,
    weights: Weights,
    range: ValueRange,
    *,
    threads: int = 1,
    out: np.ndarray | None = None,
    progress: Progress | None = None,
    band: Band | None = None,
    dtype: DTypeLike | None = None,
) -> np.ndarray:
    """A picture, `scale` times as high and wide; see `fsrcnn_np.network.reference.upscale_plane`."""
    dtype, scale = np.dtype(plane.dtype if dtype is None else dtype), weights.architecture.scale
    band = band or Band(0, plane.shape[0], 0, plane.shape[0])
    if out is None:
        out = np.empty(((band.last - band.first) * scale, plane.shape[1] * scale, *plane.shape[2:]), dtype)
    return upscaled(Engine(weights, range, dtype), plane, out, threads, band=band, progress=progress)
