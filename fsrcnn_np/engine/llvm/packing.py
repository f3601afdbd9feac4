"""Weights in the order in which the kernels read them, one float32 array.

Every convolution, for each register tile of `block` outputs (idle outputs have zeros):

    slope [block] · bias [block] · weight [channel][tap][block]

    layer                 channel                   tap
    feature extraction    [8 points] image channel  kernel column      Winograd's G g, see winograd.py
    shrinking, expanding  input channel             –
    mapping               [6 points] input channel  kernel column      as well

Deconvolution, for each channel of the result, each point and each register tile of (kernel rows, kernel columns):

    value at the point [input channel][feature column][output that has it]                       see toom.py

and at the end its biases.
"""

from __future__ import annotations

import numpy as np

from ...network.weights import Convolution, Weights
from . import toom
from .layout import Blocks, Layout
from .winograd import EXTRACTION, MAPPING


def packed(weights: Weights, layout: Layout) -> np.ndarray:
    """All weights of a model, laid out as `Layout.weights` says."""
    extraction, shrinking, *mapping, expanding = weights.convolutions
    order = toom.order(weights)
    expanding, stamps = in_order(expanding, order), weights.deconvolution.weight[order].swapaxes(0, 1)
    parts = [
        convolution(extraction, EXTRACTION.filters(extraction.weight), layout.wide),
        convolution(shrinking, shrinking.weight, layout.narrow),
        *(convolution(layer, MAPPING.filters(layer.weight), layout.narrow) for layer in mapping),
        convolution(expanding, expanding.weight, layout.expanded),
        *(part for weight in stamps for part in toom.packed(weight, layout)),
        weights.deconvolution.bias,
    ]
    return np.concatenate([part.ravel().astype(np.float32) for part in parts])


def in_order(layer: Convolution, order: np.ndarray) -> Convolution:
    """A layer whose outputs come in another order."""
    slope = layer.slope[order] if len(layer.slope) > 1 else layer.slope
    return Convolution(layer.weight[order], layer.bias[order], slope)


def convolution(layer: Convolution, weight: np.ndarray, blocks: Blocks) -> np.ndarray:
    """weight (out, …) → register tiles of slope, bias, weight (…), each `block` long."""
    out = len(layer.bias)
    slope = np.broadcast_to(layer.slope, out)
    rows = np.concatenate([slope[:, None], layer.bias[:, None], weight.reshape(out, -1)], 1)
    idle = np.zeros((blocks.padded - out, rows.shape[1]))
    return np.concatenate([rows, idle]).reshape(blocks.count, blocks.size, -1).transpose(0, 2, 1)
