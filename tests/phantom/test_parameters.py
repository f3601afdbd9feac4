"""What a phantom can be drawn from, and what is refused in one line."""

import itertools

import numpy as np
import pytest

from fsrcnn_np.errors import OptionError
from fsrcnn_np.phantom import phantom

SMALL = (256, 256)


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int32(3), np.uint64(2**64 - 1)])
def test_seeds(seed):
    drawn = phantom(seed, shape=SMALL)
    assert drawn.seed == int(seed)
    assert type(drawn.seed) is int
    assert np.array_equal(drawn.pixels, phantom(int(seed), shape=SMALL).pixels)


@pytest.mark.parametrize(
    "seed",
    [-1, 2**64, 1.0, "1", None, True, np.bool_(False), np.int8(-3), [1], 10**400, pytest.param(10**5000, id="huge")],
)
def test_impossible_seeds(seed):
    with pytest.raises(OptionError, match=r"seed is .*; allowed is a whole number from 0") as caught:
        phantom(seed, shape=SMALL)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "shape", [(255, 300), (300, 8193), (300,), 300, (300, 300, 3), (300.0, 300), "ab", (True, 300), None, (-1, -1)]
)
def test_impossible_shapes(shape):
    with pytest.raises(OptionError, match=r"shape is .*; allowed"):
        phantom(shape=shape)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("density", "e"), ("density", "C"), ("density", 3), ("morphology", "round"), ("morphology", None),
        ("distribution", "everywhere"), ("view", "LM"), ("preset", ""), ("preset", ["noisy"]),
        ("dose", 0), ("dose", -1),
        ("dose", float("nan")), ("dose", float("inf")), ("dose", "1"), ("dose", True), ("processed", 1),
    ],
)  # fmt: skip
def test_impossible_parameters(name, value):
    with pytest.raises(OptionError, match=rf"{name} is .*; allowed"):
        phantom(shape=SMALL, **{name: value})


@pytest.mark.parametrize(
    ("density", "view", "preset"), list(itertools.product("abcd", ("CC", "MLO"), ("noisy", "smooth")))
)
def test_every_breast(density, view, preset):
    drawn = phantom(5, density=density, view=view, preset=preset, shape=(300, 260))
    assert drawn.pixels.shape == drawn.labels.shape == drawn.breast_mask.shape == (300, 260)
    assert drawn.pixels.dtype == np.uint16
    assert drawn.pixels.max() <= drawn.data_range == 4095
    assert not drawn.pixels[~drawn.breast_mask].any()
    assert 0.2 < drawn.breast_mask.mean() < 0.6
