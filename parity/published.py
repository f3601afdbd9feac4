"""The evaluation by which the FSRCNN authors published their figures: PSNR and SSIM on the Y of 16–235.

Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016, section 4, and the
demonstration script of their release. It is kept apart from how this package treats pictures that users give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import ImageError
from fsrcnn_np.images.colour import rgb2ycbcr_uint8
from fsrcnn_np.images.imresize import imresize
from fsrcnn_np.images.quality import psnr, ssim
from fsrcnn_np.images.value_range import to_integers
from fsrcnn_np.network.weights import Weights

#: deconvolution_offset at which a scale's output lies where the truth does; the authors' x3 has 4, one row too little.
_ALIGNED = {2: 4, 3: 3, 4: 4}

Forward = Callable[[NDArray[np.float32], Weights], NDArray[np.floating]]


@dataclass(frozen=True)
class PublishedRow:
    """What one image gives, or the mean of all: PSNR in dB with peak 255, and SSIM."""

    psnr: float
    ssim: float
    bicubic_psnr: float
    bicubic_ssim: float


def evaluate_published(
    images: Sequence[NDArray[np.uint8]], weights: Weights, *, forward: Forward | None = None
) -> list[PublishedRow]:
    """Reduce each image by the model's scale, enlarge it by the model and by bicubic interpolation, and compare.

    uint8 `rgb2ycbcr`, Y only, cut to multiples of the scale; single / 255; `imresize(1/scale)`, not quantised; the
    network; round to uint8; `scale` pixels cut off at each border.

    Parameters
    ----------
    images : sequence of H×W×3 or H×W arrays of uint8
        RGB; a plane is taken for Y as it is.
    weights : Weights
    forward : callable, optional
        Takes a float32 plane and the weights; the package's fast engine by default.

    Returns
    -------
    list of PublishedRow
        In the order of `images`; see `mean_row`.

    Raises
    ------
    ImageError
        An image of another dtype or shape, or too small for SSIM's window of 11.
    """
    if forward is None:
        from fsrcnn_np.pipeline import forward as fast

        forward = fast
    return [_evaluate(luma(image, weights.architecture.scale), weights, forward) for image in images]


def mean_row(rows: Sequence[PublishedRow]) -> PublishedRow:
    """The mean of every figure: the way in which the authors' tables are made."""
    return PublishedRow(*(float(np.mean([getattr(row, f.name) for row in rows])) for f in fields(PublishedRow)))


def luma(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Y of 16–235, cut to multiples of the scale."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3):
        raise ImageError(f"found {image.dtype} of shape {image.shape}; the authors' evaluation takes H×W[×3] of uint8")
    plane = image if image.ndim == 2 else rgb2ycbcr_uint8(image)[..., 0]
    height, width = (n // scale * scale for n in plane.shape)
    if min(height, width) < 11 + 2 * scale:
        raise ImageError(f"found {plane.shape[0]}×{plane.shape[1]} pixels; at least {11 + 2 * scale} a side are needed")
    return plane[:height, :width]


def _evaluate(truth: NDArray[np.uint8], weights: Weights, forward: Forward) -> PublishedRow:
    scale, (start, end) = weights.architecture.scale, weights.value_range
    low = imresize(truth.astype(np.float32) / np.float32(255), 1 / scale)
    high = forward((start + (end - start) * low).astype(np.float32), weights)
    found = to_integers((high - start) / (end - start) * 255, np.uint8)
    bicubic = to_integers(imresize(low, scale) * np.float32(255), np.uint8)
    inside = (slice(scale, -scale),) * 2
    # A model whose output lies n rows and columns too far up and left is cut there, as the authors do for x3.
    shift = weights.deconvolution_offset - _ALIGNED[scale]
    moved = (slice(scale - shift, -scale - shift),) * 2
    pairs = ((found[moved], truth[inside]), (bicubic[inside], truth[inside]))
    return PublishedRow(*(measure(*pair, data_range=255) for pair in pairs for measure in (psnr, ssim)))
