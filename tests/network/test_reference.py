"""The reference against the naive twin, and its own invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from fsrcnn_np.network.reference import forward
from models import random_weights


@pytest.mark.parametrize("border", ["zero", "replicate"])
@pytest.mark.parametrize(("scale", "offset"), [(2, 4), (3, 4), (3, 3), (4, 4), (2, 3), (4, 2), (2, 6)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 2), (3, 6)])
def test_as_the_naive_twin(shape, scale, offset, border):
    rng = np.random.default_rng([*shape, scale, offset])
    weights = random_weights(rng, (3, 2, 1), scale, border, offset=offset, shared_slope=scale == 3, mean=0.25)
    image = rng.random(shape)
    expected = naive.forward(
        image.tolist(),
        [[array.tolist() for array in layer] for layer in weights.convolutions],
        [array.tolist() for array in weights.deconvolution],
        scale, offset, border, 0.25,
    )  # fmt: skip
    np.testing.assert_allclose(forward(image, weights, dtype=np.float64), expected, rtol=0, atol=1e-13)


@given(
    height=st.integers(1, 24), width=st.integers(1, 12), strip=st.integers(1, 24),
    border=st.sampled_from(["zero", "replicate"]), scale=st.sampled_from([2, 3, 4]), m=st.integers(1, 4),
)  # fmt: skip
def test_strips_change_nothing(height, width, strip, border, scale, m):
    rng = np.random.default_rng([height, width, strip, scale, m])
    weights = random_weights(rng, (4, 3, m), scale, border)
    image = rng.random((height, width))
    whole = forward(image, weights, dtype=np.float64, strip_rows=height)
    np.testing.assert_allclose(forward(image, weights, dtype=np.float64, strip_rows=strip), whole, rtol=0, atol=1e-13)


def test_float32_stays_near_float64():
    rng = np.random.default_rng(1)
    weights = random_weights(rng, (8, 4, 2), 2, "replicate")
    image = rng.random((20, 30))
    single, double = forward(image, weights), forward(image, weights, dtype=np.float64)
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    assert 0 < np.abs(single - double).max() < 1e-5
