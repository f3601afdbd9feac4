"""The probe picture notices what has a legal shape and is wrong."""

from dataclasses import replace

import numpy as np
import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.convert.probe import SIDE, picture, probe, reduced
from models import random_weights


def turned(weights, index, change):
    layers = list(weights.convolutions)
    layers[index] = layers[index]._replace(weight=change(layers[index].weight))
    return replace(weights, convolutions=tuple(layers))


def transposed(kernel):
    return kernel.swapaxes(2, 3)


def authors(shared):
    return load_weights(shared / "fsrcnn_authors" / "x2.mat")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_picture(scale):
    high = picture(scale)
    assert high.shape == (SIDE * scale,) * 2
    assert high.min() >= 0
    assert high.max() <= 1
    assert high.std() > 0.2
    assert np.abs(high - high.T).mean() > 0.1  # a transposed one would be another
    for how in ("bicubic", "binning"):
        assert reduced(scale, how).shape == (SIDE, SIDE)


@pytest.mark.shared
def test_the_authors_model_beats_bicubic(shared):
    found = probe(authors(shared))
    assert found.warning == ""
    assert all(row.model > row.bicubic + 2 for row in found.rows)


def test_the_shipped_model_beats_bicubic():
    found = probe(load_weights("x2"))
    assert found.warning == ""
    assert all(row.model > row.bicubic + 1 for row in found.rows)


@pytest.mark.shared
@pytest.mark.parametrize("index", [0, 2, 3, 4, 5])
def test_a_transposed_kernel_is_found(shared, index):
    weights = turned(authors(shared), index, transposed)
    name = weights.architecture.layer_names[index]
    assert f"with the kernel of {name} transposed; is it meant so?" in probe(weights).warning


@pytest.mark.shared
def test_a_transposed_deconvolution_is_below_bicubic(shared):
    weights = authors(shared)
    last = weights.deconvolution
    found = probe(replace(weights, deconvolution=last._replace(weight=transposed(last.weight))))
    assert all(row.model < row.bicubic for row in found.rows)
    assert "worse than bicubic" in found.warning
    assert "the kernel of deconvolution transposed" in found.better


@pytest.mark.shared
def test_border_offset_and_range_are_found(shared):
    weights = authors(shared)
    assert "--border replicate" in probe(replace(weights, border="zero")).warning
    assert "--offset 4" in probe(replace(weights, deconvolution_offset=3)).warning
    first, last = weights.convolutions[0], weights.deconvolution
    of_255 = turned(weights, 0, lambda kernel: kernel / np.float32(255))  # takes 0..255 and gives 0..255
    of_255 = replace(
        of_255, deconvolution=last._replace(weight=last.weight * np.float32(255), bias=last.bias * np.float32(255))
    )
    assert "--value-range 0 255" in probe(of_255).warning
    assert probe(replace(of_255, value_range=(0.0, 255.0))).warning == ""
    assert first.weight.dtype == np.float32


def test_noise_is_no_model():
    weights = random_weights(np.random.default_rng(0), (4, 2, 1), 3, "zero", dtype=np.float32)
    assert probe(weights).warning.startswith("the model is worse than bicubic on the probe picture")


def test_an_overflowing_model_has_a_finite_figure():
    weights = random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero", dtype=np.float32)
    weights = turned(weights, 0, lambda kernel: np.full_like(kernel, 3e38))
    assert all(np.isfinite([row.model, row.bicubic]).all() for row in probe(weights).rows)
