"""The engine's functions: what `fsrcnn_np.network.reference` has, with the same meaning. The caller has checked all."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ...images.value_range import ValueRange
from ...network.bands import Band
from ...network.weights import Weights
from ...progress import Progress
from ..strips import upscaled
from .strips import rows_needed
from .target import host
from .tiles import engine

__all__ = ["forward", "rows_needed", "upscale_plane"]


def forward(
    luma: np.ndarray,
    weights: Weights,
    *,
    dtype: DTypeLike = np.float32,
    threads: int = 1,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The bare network: a picture of floats in, one `scale` times as high and wide out; nothing is clipped.

    The same as the reference's within float32's rounding, and always the same bits: whatever the number of threads,
    with or without `out`, on every processor that has fused multiply-add (one without has bits of its own).

    Parameters
    ----------
    luma : (H, W) array of floats, of a model of RGB (H, W, 3), any layout
        In the network's value range, usually [0, 1].
    weights : Weights
    dtype : float32
        Of the arithmetic and the result; this engine has no other.
    threads : int
    out : (H · scale, W · scale) or (H · scale, W · scale, 3) array of float32, optional
        Filled and returned.
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
    """A picture, `scale` times as high and wide.

    Each strip is brought into the network's range as it is read, and back as it is written: there is no copy of the
    whole image in floats.

    Parameters
    ----------
    plane : (H, W) or, of a model of RGB, (H, W, 3) array of uint8, int8, uint16, int16, float32 or float64, any layout
    weights : Weights
    range : ValueRange
        The pixel values of black and white.
    threads : int
    out : (H · scale, W · scale) or (H · scale, W · scale, 3) array of the plane's dtype, optional
        Filled and returned.
    progress : callable, optional
        Called as progress(done, total) after each strip; what it raises stops the work and is raised here, and `out`
        is filled with zeros.
    band : Band, optional
        Make only these rows of an image; `plane` holds those that `rows_needed` says.
    dtype : dtype, optional
        Of the result, if it is not the plane's.

    Returns
    -------
    ndarray
        Integers are rounded half away from zero and saturated to the range; floats are not clipped.
    """
    dtype, scale = np.dtype(plane.dtype if dtype is None else dtype), weights.architecture.scale
    band = band or Band(0, plane.shape[0], 0, plane.shape[0])
    if out is None:
        out = np.empty(((band.last - band.first) * scale, plane.shape[1] * scale, *plane.shape[2:]), dtype)
    return upscaled(engine(weights, range, dtype, host()), plane, out, threads, band=band, progress=progress)
