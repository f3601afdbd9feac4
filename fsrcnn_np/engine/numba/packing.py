"""A model as `kernels.py` reads it: where each layer's terms lie, and their weights, four outputs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...network.weights import Convolution, Weights
from .kernels import OUTPUTS, PITCH, TERMS, Layer


class Model(NamedTuple):
    """All layers, and the deconvolution's bias of each channel and column phase."""

    extraction: Layer
    shrinking: Layer
    mapping: Layer
    expanding: Layer
    deconvolution: Layer
    biases: np.ndarray


def up(number: int, unit: int) -> int:
    """`number`, rounded up to a multiple of `unit`."""
    return -(-number // unit) * unit


def packed(weights: Weights) -> Model:
    """A model's layers."""
    a = weights.architecture
    extraction, shrinking, *mapping, expanding = weights.convolutions
    image_rows = range(-2 * a.channels, 3 * a.channels)  # a row of the image has a line a channel
    return Model(
        layer([row * PITCH + kx for row in image_rows for kx in range(-2, 3)], [by_row(extraction)]),
        layer([c * PITCH for c in range(a.d)], [shrinking]),
        layer([c * PITCH + kx for c in range(a.s) for kx in range(-1, 2)], [by_row(one) for one in mapping], rows=3),
        layer([c * PITCH for c in range(a.s)], [expanding]),
        stamps(weights),
        np.repeat(weights.deconvolution.bias, a.scale),
    )


def by_row(one: Convolution) -> Convolution:
    """Kernel rows before channels: as the rows of the image lie; those of a ring lie anywhere."""
    return one._replace(weight=one.weight.transpose(0, 2, 1, 3))


def layer(places: Sequence[int], same: Sequence[Convolution], rows: int = 1) -> Layer:
    """Layers whose terms lie at the same places, `rows` times over."""
    outputs, terms = up(len(same[0].bias), OUTPUTS), up(len(places), TERMS)
    where = np.zeros(terms, np.int64)
    where[: len(places)] = places
    weights = np.zeros((len(same), outputs, rows, terms), np.float32)
    biases, slopes = np.zeros((2, len(same), outputs), np.float32)
    for number, (weight, bias, slope) in enumerate(same):
        weights[number, : len(bias), :, : len(places)] = weight.reshape(len(bias), rows, -1)
        biases[number, : len(bias)], slopes[number, : len(bias)] = bias, slope
    blocks = weights.reshape(len(same), -1, OUTPUTS, rows, terms).transpose(0, 1, 3, 4, 2)
    return Layer(where, blocks.reshape(*blocks.shape[:3], -1), biases, slopes)


def stamps(weights: Weights) -> Layer:
    """The deconvolution of one row of features: 9 kernel rows × channels × column phases, no bias, no PReLU.

    Output column scale · x + phase takes feature column x + dx through kernel column phase + offset − scale · dx.
    """
    a, kernel = weights.architecture, weights.deconvolution.weight
    columns = weights.deconvolution_offset + np.arange(a.scale)
    shifts = range(-((8 - columns[0]) // a.scale), columns[-1] // a.scale + 1)
    spread = np.zeros((9, a.channels, a.scale, a.d, len(shifts)), np.float32)
    for phase, column in enumerate(columns):
        for place, dx in enumerate(shifts):
            if 0 <= column - a.scale * dx <= 8:
                spread[:, :, phase, :, place] = kernel[:, :, :, column - a.scale * dx].transpose(2, 1, 0)
    lines = 9 * a.channels * a.scale
    none, straight = np.zeros(lines), np.ones(lines)
    places = [c * PITCH + dx for c in range(a.d) for dx in shifts]
    return layer(places, [Convolution(spread.reshape(lines, -1), none, straight)])
