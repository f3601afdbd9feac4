"""SOAP against what it must be: Adam for a single number, and blind to the basis that a layer is written in."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "weights"))
from soap import Soap


def descend(start, gradients, **options):
    layer = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = Soap([{"params": [layer]}], **options)
    optimizer.param_groups[0]["lr"] = 0.01
    for step, gradient in enumerate(gradients, 1):
        layer.grad = torch.tensor(gradient(layer.detach().numpy()), dtype=torch.float64)
        optimizer.step()
        optimizer.turn_when_due(step)
    return layer.detach().numpy()


def test_a_single_number_takes_adams_steps():
    gradients = [0.5, -1.0, 0.25, 2.0, 1.5]
    place, first, second = 1.0, 0.0, 0.0
    for t, g in enumerate(gradients[1:], 1):  # the first gradient only sets up the basis
        first, second = 0.9 * first + 0.1 * g, 0.98 * second + 0.02 * g * g
        place -= 0.01 * first / (1 - 0.9**t) / (math.sqrt(second / (1 - 0.98**t)) + 1e-8)
    taken = descend([[1.0]], [lambda _, g=g: np.full((1, 1), g) for g in gradients], betas=(0.9, 0.98), turn_every=2)
    assert taken[0, 0] == pytest.approx(place, rel=1e-12)


def test_a_turned_layer_takes_turned_steps():
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    start, stream = rng.normal(size=(4, 3)), rng.normal(size=(40, 4, 3)) * [[3.0], [1.0], [0.3], [0.1]]
    plain = descend(start, [lambda _, g=g: g for g in stream])
    turned = descend(turn @ start, [lambda _, g=g: turn @ g for g in stream])
    np.testing.assert_allclose(turned, turn @ plain, rtol=0, atol=1e-9)
    assert np.abs(plain - start).max() > 0.05


def test_an_ill_conditioned_valley_across_the_axes():
    """0.5 |A x B|² with both conditions 1000: Adam at the same rate and steps is left far behind."""
    rng = np.random.default_rng(3)
    spread = np.diag(np.geomspace(1, 1e-3, 6))
    a, b = (np.linalg.qr(rng.normal(size=(6, 6)))[0] @ spread for _ in range(2))
    start = rng.normal(size=(6, 6))
    slope = lambda x: a @ (a.T @ x @ b) @ b.T  # noqa: E731
    cost = lambda x: float(np.square(a.T @ x @ b).sum())  # noqa: E731
    soap = descend(start, [slope] * 400)
    layer = torch.nn.Parameter(torch.tensor(start))
    adam = torch.optim.Adam([layer], lr=0.01, betas=(0.95, 0.95))
    for _ in range(400):
        layer.grad = torch.tensor(slope(layer.detach().numpy()))
        adam.step()
    assert cost(soap) < 0.1 * cost(layer.detach().numpy()) < cost(start)
