"""A convolution that ends in a pixel shuffle is a deconvolution in other clothes."""

from __future__ import annotations

import numpy as np

from ..errors import WeightsError
from .conventions import Layer


def from_subpixel(layer: Layer, begin: int) -> tuple[Layer, int, int]:
    """Turn a convolution that ends in a pixel shuffle into the deconvolution that does the same.

    Phase (a, b) of the shuffle is channel a · scale + b, and out[scale · i + a] = Σ_t x[i + t − begin] · w[t]. The
    deconvolution has out[r] = Σ_i x[i] · w[r + offset − scale · i], so w[t] lies at a + offset − scale · (t − begin).

    Parameters
    ----------
    layer : Layer
        Weight (scale², d, rows, columns).
    begin : int
        Rows and columns of padding above and to the left.

    Returns
    -------
    layer, scale, deconvolution_offset

    Raises
    ------
    WeightsError
        It is no 9×9 kernel: taps outside it are not zero, or the phases have different biases.
    """
    phases, d, rows, columns = layer.weight.shape
    scale = round(phases**0.5)
    where = f"deconvolution (in the file: {layer.name})"
    if scale**2 != phases or scale not in (2, 3, 4) or rows != columns:
        raise WeightsError(
            f"{where} has weight {layer.weight.shape} before a pixel shuffle; scale² = 4, 9 or 16 channels out, "
            "and a square kernel, are expected"
        )
    if layer.bias is not None and np.any(layer.bias != layer.bias[0]):
        raise WeightsError(
            f"{where} has one bias a phase, {layer.bias.min():.3g} to {layer.bias.max():.3g}; "
            "a deconvolution has a single one, so this model is no FSRCNN"
        )
    taps = layer.weight.reshape(scale, scale, d, rows, columns)
    for offset in (4, 3, 5, 2, 6):  # any that fits gives the same output
        kernel = np.zeros((d, 1, 9, 9), layer.weight.dtype)
        place = np.arange(scale)[:, None] + offset - scale * (np.arange(rows) - begin)  # [phase, tap]
        inside = (place >= 0) & (place <= 8)
        outside = taps[~(inside[:, None, None, :, None] & inside[None, :, None, None, :]).repeat(d, 2)]
        if outside.any():
            continue
        for a, t in zip(*np.nonzero(inside), strict=True):
            for b, u in zip(*np.nonzero(inside), strict=True):
                kernel[:, 0, place[a, t], place[b, u]] = taps[a, b, :, t, u]
        bias = None if layer.bias is None else layer.bias[:1]
        return Layer(layer.name, kernel, bias), scale, offset
    raise WeightsError(
        f"{where}: {rows}×{columns} taps a phase at scale {scale} are no 9×9 kernel (taps beyond it are not zero), "
        "so this model is no FSRCNN; train it with the 9×9 deconvolution"
    )
