"""A convolution that ends in a pixel shuffle is a deconvolution in other clothes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import WeightsError
from .conventions import Layer


def from_subpixel(layer: Layer, begin: int, channels: int = 1, *, phase_first: bool = False) -> tuple[Layer, int, int]:
    """Turn a convolution that ends in a pixel shuffle into the deconvolution that does the same.

    Of each channel of the picture, phase (a, b) of the shuffle is channel a · scale + b, and
    out[scale · i + a] = Σ_t x[i + t − begin] · w[t]. The deconvolution has
    out[r] = Σ_i x[i] · w[r + offset − scale · i], so w[t] lies at a + offset − scale · (t − begin).

    Parameters
    ----------
    layer : Layer
        Weight (channels · scale², d, rows, columns).
    begin : int
        Rows and columns of padding above and to the left.
    channels : int
        Of the picture: 1 or 3.
    phase_first : bool
        The channels of a phase lie side by side, as in TensorFlow (DepthToSpace "DCR"); else the phases of a channel,
        as in PyTorch ("CRD").

    Returns
    -------
    layer, scale, deconvolution_offset

    Raises
    ------
    WeightsError
        It is no 9×9 kernel: taps outside it are not zero, or the phases have different biases.
    """
    out, d, rows, columns = layer.weight.shape
    phases = out // channels
    scale = round(phases**0.5)
    where = f"deconvolution (in the file: {layer.name})"
    if channels * scale**2 != out or scale not in (2, 3, 4) or rows != columns:
        raise WeightsError(
            f"{where} has weight {layer.weight.shape} before a pixel shuffle; scale² = 4, 9 or 16 channels "
            f"out{' for each of three' if channels == 3 else ''}, "
            "and a square kernel, are expected"
        )
    axes: Any = (phases, channels) if phase_first else (channels, phases)
    bias = None if layer.bias is None else layer.bias.reshape(axes)
    if bias is not None and phase_first:
        bias = bias.T
    if bias is not None and layer.bias is not None and np.any(bias != bias[:, :1]):
        raise WeightsError(
            f"{where} has one bias a phase, {layer.bias.min():.3g} to {layer.bias.max():.3g}; "
            "a deconvolution has a single one, so this model is no FSRCNN"
        )
    taps = layer.weight.reshape(*axes, d, rows, columns)
    taps = (taps.swapaxes(0, 1) if phase_first else taps).reshape(channels, scale, scale, d, rows, columns)
    for offset in (4, 3, 5, 2, 6):  # any that fits gives the same output
        kernel = np.zeros((d, channels, 9, 9), layer.weight.dtype)
        place = np.arange(scale)[:, None] + offset - scale * (np.arange(rows) - begin)  # [phase, tap]
        inside = (place >= 0) & (place <= 8)
        kept = inside[:, None, None, :, None] & inside[None, :, None, None, :]
        if (taps * ~kept).any():
            continue
        for a, t in zip(*np.nonzero(inside), strict=True):
            for b, u in zip(*np.nonzero(inside), strict=True):
                kernel[:, :, place[a, t], place[b, u]] = taps[:, a, b, :, t, u].T
        return Layer(layer.name, kernel, None if bias is None else bias[:, 0]), scale, offset
    raise WeightsError(
        f"{where}: {rows}×{columns} taps a phase at scale {scale} are no 9×9 kernel (taps beyond it are not zero), "
        "so this model is no FSRCNN; train it with the 9×9 deconvolution"
    )
