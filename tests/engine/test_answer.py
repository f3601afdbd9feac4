"""Every engine's answer against the naive twin and the float64 reference."""

import numpy as np
import pytest
from engines import ENGINES
from hypothesis import given, settings
from hypothesis import strategies as st
from imageio.v3 import imread

import naive
from fsrcnn_np.convert import load_weights
from fsrcnn_np.network import reference
from models import random_weights

UNIT = 2.0**-24


@pytest.mark.parametrize("border", ["zero", "replicate"])
@pytest.mark.parametrize(("scale", "offset"), [(2, 4), (3, 3), (4, 4), (2, 2), (2, 6), (3, 5), (4, 2)])
def test_as_the_naive_twin(scale, offset, border, run):
    rng = np.random.default_rng([scale, offset])
    weights = random_weights(rng, (3, 2, 2), scale, border, dtype=np.float32, offset=offset, mean=0.25)
    for shape in [(1, 1), (1, 6), (7, 2)]:
        image = rng.random(shape).astype(np.float32)
        expected = naive.forward(
            image.tolist(),
            [[array.tolist() for array in layer] for layer in weights.convolutions],
            [array.tolist() for array in weights.deconvolution],
            scale, offset, border, 0.25,
        )  # fmt: skip
        np.testing.assert_allclose(run(image, weights), expected, rtol=0, atol=3e-6)


@pytest.mark.parametrize(
    ("dsm", "scale", "offset", "border", "shared_slope"),
    [
        ((56, 12, 4), 2, 4, "zero", False),
        ((56, 12, 4), 3, 3, "replicate", True),
        ((32, 5, 1), 4, 4, "replicate", False),
        ((17, 15, 3), 2, 5, "zero", True),  # more outputs than a register tile, not a multiple of it
        ((1, 1, 9), 3, 4, "zero", False),
    ],
)
def test_as_the_reference(dsm, scale, offset, border, shared_slope, run):
    rng = np.random.default_rng([*dsm, scale])
    weights = random_weights(rng, dsm, scale, border, dtype=np.float32, offset=offset, shared_slope=shared_slope)
    for shape in [(1, 1), (3, 70), (45, 34)]:
        image = rng.random(shape).astype(np.float32)
        expected = reference.forward(image, weights, dtype=np.float64)
        error = np.abs(run(image, weights) - expected)
        assert (error <= error_bound(image, weights)).all()
        assert error.max() <= 1e-5 * max(1, np.abs(expected).max())


def error_bound(image, weights):
    """What rounding can do at most: each layer's terms · 2⁻²⁴ · Σ|w||x|, and what its input's error becomes."""
    maps = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
    rows = reference.Rows(maps.astype(np.float64), 0, len(image))
    bound = reference.Rows(np.zeros_like(rows.maps), 0, len(image))
    for layer in weights.astype(np.float64).convolutions:
        one = np.ones(1)
        wide = layer._replace(weight=np.abs(layer.weight), bias=np.abs(layer.bias), slope=one)
        terms = layer.weight[0].size + 1
        size = reference.Rows(np.abs(rows.maps) + bound.maps, 0, len(image))
        passed = reference.convolution(bound, wide._replace(bias=0 * wide.bias), weights.border).maps
        new = reference.convolution(size, wide, weights.border).maps * (terms + 2) * UNIT
        rows = reference.convolution(rows, layer, weights.border)
        steepest = np.maximum(1, np.abs(np.broadcast_to(layer.slope, len(layer.bias))))[:, None, None]
        bound = reference.Rows((passed + new) * steepest, 0, len(image))
    scale, last = weights.architecture.scale, weights.deconvolution
    absolute = weights.astype(np.float64)
    object.__setattr__(absolute, "deconvolution", last._replace(weight=np.abs(last.weight), bias=np.abs(last.bias)))
    size = reference.Rows(np.abs(rows.maps) + bound.maps, 0, len(image))
    new = reference.deconvolution(size, 0, scale * len(image), absolute) * (last.weight[:, 0].size + 1) * UNIT
    high = reference.deconvolution(bound, 0, scale * len(image), absolute) + new
    return high[0] if image.ndim == 2 else np.moveaxis(high, 0, -1)


@settings(max_examples=60)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 999), border=st.booleans(),
    name=st.sampled_from(sorted(ENGINES)),
)  # fmt: skip
def test_any_size_stays_within_the_bound(height, width, seed, border, name):
    rng = np.random.default_rng(seed)
    weights = random_weights(rng, (5, 3, 3), 2, "zero" if border else "replicate", dtype=np.float32)
    image = rng.random((height, width)).astype(np.float32)
    error = np.abs(ENGINES[name](image, weights) - reference.forward(image, weights, dtype=np.float64))
    assert (error <= error_bound(image, weights)).all()


def test_shipped_model_stays_within_two_millionths(run):
    weights = load_weights("x2")
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:90, :120] / 40
    smooth = (np.sin(3 * y) * np.cos(5 * x) + 1) / 2
    for image in (smooth, np.round(smooth), np.clip(smooth + rng.normal(0, 0.1, smooth.shape), 0, 1), np.ones((9, 9))):
        image = image.astype(np.float32)
        expected = reference.forward(image, weights, dtype=np.float64)
        np.testing.assert_allclose(run(image, weights), expected, rtol=0, atol=2e-6)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["llvm, host", "numba"])
def test_authors_model_stays_within_two_millionths(shared, name):
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat")
    for path in sorted((shared / "set5").glob("*.bmp")):
        image = np.asarray(imread(path)[:200, :200], np.float32).reshape(200, 200, -1).mean(2) / 255
        expected = reference.forward(image, weights, dtype=np.float64)
        np.testing.assert_allclose(ENGINES[name](image, weights), expected, rtol=0, atol=2e-6)
