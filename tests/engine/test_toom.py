"""Toom and Cook's polynomials, and the order in which maps are added."""

import inspect
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from engines import ENGINES

from fsrcnn_np.engine.llvm import tiles, toom
from fsrcnn_np.engine.llvm.groups import GROUP
from fsrcnn_np.network import reference
from models import random_weights


@pytest.mark.parametrize(("scale", "residue"), [(2, 0), (2, 1), (3, 2), (4, 0), (4, 3)])
def test_products_at_the_points_are_the_product_of_polynomials(scale, residue):
    rng = np.random.default_rng([scale, residue])
    kernel = rng.integers(-9, 9, (1, 9, 1)).astype(float)
    rows = [Fraction(int(n)) for n in rng.integers(-9, 9, GROUP)]
    values = toom.kernel_values(kernel, scale, residue)[:, 0, 0]
    factors, divisors = toom.interpolation(len(values))
    at = [rows[-1] if p is toom.INFINITY else sum(r * p**i for i, r in enumerate(rows)) for p in toom.POINTS]
    products = [float(one) * value for one, value in zip(at, values, strict=False)]
    found = [sum(float(f) * one for f, one in zip(line, products, strict=True)) for line in factors]
    np.testing.assert_allclose(found, np.convolve(kernel[0, residue::scale, 0], [int(r) for r in rows]), atol=1e-9)
    assert all(np.float32(f) == f and f.denominator & (f.denominator - 1) == 0 for line in factors for f in line)
    assert all(divisor % 2 for divisor in divisors)


def test_the_first_and_the_last_coefficient_are_of_one_row():
    """What groups.py relies on where a part of an image is cut."""
    for count in range(GROUP, len(toom.POINTS) + 1):
        factors, _ = toom.interpolation(count)
        assert [p for p, f in zip(toom.POINTS, factors[0], strict=False) if f] == [0]
        assert [p for p, f in zip(toom.POINTS, factors[-1], strict=False) if f][:1] != [0]


@pytest.mark.parametrize("name", ["llvm, host", "llvm, no FMA"])
def test_the_order_of_maps_keeps_rounding_small(name, monkeypatch):
    """The authors' kind of model: maps that add much, and maps that take it away again."""
    rng = np.random.default_rng(3)
    weights = random_weights(rng, (40, 3, 1), 2, "zero", dtype=np.float32)
    *others, expanding = weights.convolutions
    signs = np.repeat([1, -1], 20).astype(np.float32)[:, None, None, None]
    weights = replace(
        weights,
        convolutions=(*others, expanding._replace(bias=np.abs(expanding.bias) + 1)),
        deconvolution=weights.deconvolution._replace(weight=np.abs(weights.deconvolution.weight) * signs),
    )
    image = (np.arange(1200, dtype=np.float32).reshape(30, 40) / 1200) ** 2
    exact = reference.forward(image, weights, dtype=np.float64)

    def error():
        return np.sqrt(np.mean((ENGINES[name](image, weights) - exact) ** 2))

    ordered = error()
    monkeypatch.setattr(toom, "order", lambda weights: np.arange(40))
    monkeypatch.setattr(tiles, "packed_weights", inspect.unwrap(tiles.packed_weights))  # nothing kept
    assert ordered < 0.7 * error()


@pytest.mark.parametrize("channels", [1, 3])
def test_any_model_has_an_order(channels):
    weights = random_weights(np.random.default_rng(1), (7, 2, 1), 3, "zero", shared_slope=True, channels=channels)
    assert sorted(toom.order(weights)) == list(range(7))
