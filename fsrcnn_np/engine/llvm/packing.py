"""Weights in the order in which the kernels read them, one float32 array.

Every convolution, for each register tile of `block` outputs (idle outputs have zeros):

    slope [block] · bias [block] · weight [channel][tap][block]

    layer                 channel                   tap
    feature extraction    kernel row, image channel kernel column
    shrinking, expanding  input channel             –
    mapping               [6 points] input channel  kernel column      Winograd's U = G g, see winograd.py

Deconvolution, for each channel of the result, each point and each register tile of (kernel rows, kernel columns):

    value at the point [input channel][feature column][output that has it]                       see pairs.py

and at the end its biases.
"""

from __future__ import annotations

import numpy as np

from ...network.weights import Convolution, Weights
from . import pairs
from .layout import Blocks, Layout
from .winograd import filter_transform


def packed(weights: Weights, layout: Layout) -> np.ndarray:
    """All weights of a model, laid out as `Layout.weights` says."""
    extraction, shrinking, *mapping, expanding = weights.convolutions
    parts = [
        convolution(extraction, extraction.weight.transpose(0, 2, 1, 3), layout.wide),
        convolution(shrinking, shrinking.weight, layout.narrow),
        *(convolution(layer, filter_transform(layer.weight), layout.narrow) for layer in mapping),
        convolution(expanding, expanding.weight, layout.paired),
        *(part for weight in weights.deconvolution.weight.swapaxes(0, 1) for part in pairs.packed(weight, layout)),
        weights.deconvolution.bias,
    ]
    return np.concatenate([part.ravel().astype(np.float32) for part in parts])


def convolution(layer: Convolution, weight: np.ndarray, blocks: Blocks) -> np.ndarray:
    """weight (out, …) → register tiles of slope, bias, weight (…), each `block` long."""
    out = len(layer.bias)
    slope = np.broadcast_to(layer.slope, out)
    rows = np.concatenate([slope[:, None], layer.bias[:, None], weight.reshape(out, -1)], 1)
    idle = np.zeros((blocks.padded - out, rows.shape[1]))
    return np.concatenate([rows, idle]).reshape(blocks.count, blocks.size, -1).transpose(0, 2, 1)
