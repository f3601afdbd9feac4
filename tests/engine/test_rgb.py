"""Models of RGB: every engine's answer and bits, for every processor whose code this machine can run."""

import numpy as np
import pytest
from engines import FAST
from hypothesis import given, settings
from hypothesis import strategies as st
from test_answer import error_bound

import naive
from fsrcnn_np.images.value_range import value_range
from fsrcnn_np.network import reference
from fsrcnn_np.network.bands import Band
from models import random_weights


def model(dsm, scale, border, seed=0, **given):
    return random_weights(np.random.default_rng(seed), dsm, scale, border, dtype=np.float32, channels=3, **given)


@pytest.mark.parametrize("border", ["zero", "replicate"])
@pytest.mark.parametrize(("scale", "offset"), [(2, 4), (3, 3), (4, 5)])
def test_as_the_naive_twin(scale, offset, border, run):
    rng = np.random.default_rng([scale, offset])
    weights = model((3, 2, 1), scale, border, offset=offset, mean=0.25)
    for shape in [(1, 1, 3), (2, 5, 3)]:
        image = rng.random(shape).astype(np.float32)
        expected = naive.forward_channels(
            np.moveaxis(image, -1, 0).tolist(),
            [[array.tolist() for array in layer] for layer in weights.convolutions],
            [array.tolist() for array in weights.deconvolution],
            scale, offset, border, 0.25,
        )  # fmt: skip
        np.testing.assert_allclose(run(image, weights), np.moveaxis(expected, 0, -1), rtol=0, atol=3e-6)


@pytest.mark.parametrize(
    ("dsm", "scale", "border"), [((56, 12, 4), 2, "zero"), ((32, 5, 1), 3, "replicate"), ((17, 15, 2), 4, "zero")]
)
def test_stays_within_the_bound(dsm, scale, border, run):
    weights, image = model(dsm, scale, border), np.random.default_rng(1).random((21, 50, 3)).astype(np.float32)
    error = np.abs(run(image, weights) - reference.forward(image, weights, dtype=np.float64))
    assert (error <= error_bound(image, weights)).all()


def test_as_pytorch(run):
    torch = pytest.importorskip("torch")
    from fsrcnn_np.convert.torch.module import FSRCNN

    weights, image = model((5, 3, 2), 2, "replicate"), np.random.default_rng(2).random((9, 11, 3)).astype(np.float32)
    network = FSRCNN(5, 3, 2, 2, border="replicate", channels=3)
    parameters = [array for layer in (*weights.convolutions, weights.deconvolution) for array in layer]
    with torch.no_grad():
        for own, array in zip(network.parameters(), parameters, strict=True):
            own.copy_(torch.tensor(array))
        expected = network(torch.tensor(np.moveaxis(image, -1, 0)[None]))[0].numpy()
    np.testing.assert_allclose(run(image, weights), np.moveaxis(expected, 0, -1), rtol=0, atol=1e-5)


@settings(max_examples=40)
@given(
    height=st.integers(1, 40), width=st.integers(1, 60), rows=st.integers(1, 5), columns=st.integers(1, 60),
    threads=st.integers(1, 3), border=st.booleans(), dtype=st.sampled_from(["uint8", "int16", "float32"]),
    name=st.sampled_from(sorted(FAST)),
)  # fmt: skip
def test_the_same_bits_for_strips_and_threads(height, width, rows, columns, threads, border, dtype, name):
    weights = model((4, 3, 2), 2, "zero" if border else "replicate")
    image = (np.random.default_rng(0).random((height, width, 3)) * 100).astype(dtype)
    levels = value_range(image.dtype, (0, 100))
    whole = FAST[name](image, weights, range=levels)
    parts = FAST[name](image, weights, range=levels, size=(rows * 4, columns), threads=threads)
    np.testing.assert_array_equal(parts, whole)


def test_bands_and_memory_of_any_layout_have_the_bits_of_the_whole(run_fast):
    weights, levels = model((4, 3, 2), 3, "replicate"), value_range("uint8")
    image = np.random.default_rng(3).integers(0, 256, (31, 17, 3), np.uint8)
    whole = run_fast(image, weights, range=levels)
    planes = np.moveaxis(np.ascontiguousarray(np.moveaxis(image, -1, 0)), 0, -1)
    out = np.zeros((3, 93, 51), np.uint8)
    run_fast(planes, weights, range=levels, out=np.moveaxis(out, 0, -1))
    np.testing.assert_array_equal(np.moveaxis(out, 0, -1), whole)
    top, bottom = 0, 31  # what is at hand may be more than is needed
    part = run_fast(image, weights, range=levels, band=Band(8, 20, top, bottom))
    np.testing.assert_array_equal(part, whole[24:60])


def test_a_colour_that_only_one_channel_has_stays_in_its_channel(run):
    """Of a model that does nothing to each channel alone, red in is red out."""
    weights = model((3, 3, 1), 2, "zero")
    first, shrink, mapping, expand = (
        layer._replace(weight=np.zeros_like(layer.weight), bias=0 * layer.bias, slope=np.ones(1, np.float32))
        for layer in weights.convolutions
    )
    last = np.zeros((3, 3, 9, 9), np.float32)
    for c in range(3):
        first.weight[c, c, 2, 2] = shrink.weight[c, c] = mapping.weight[c, c, 1, 1] = expand.weight[c, c] = 1
        last[c, c, 4:6, 4:6] = 1
    from dataclasses import replace

    plain = weights.deconvolution._replace(weight=last, bias=np.zeros(3, np.float32))
    weights = replace(weights, convolutions=(first, shrink, mapping, expand), deconvolution=plain)
    image = np.random.default_rng(4).random((4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(run(image, weights), image.repeat(2, 0).repeat(2, 1), rtol=0, atol=1e-6)
