"""Vessels: where they run, how they narrow and fork, what they add, and that nothing else depends on them."""

import numpy as np
import pytest

from fsrcnn_np.phantom import draw, kernels, phantom, truth
from fsrcnn_np.phantom.anatomy import FAT, GLAND
from fsrcnn_np.phantom.breast import breast
from fsrcnn_np.phantom.dice import Dice
from fsrcnn_np.phantom.vessels import BLOOD, LEAST, WIDEST, _cube_root, add_vessels, trees

SPACING = 0.07


def outline(seed=0, view="CC", shape=(3328, 2560)):
    return breast(Dice(seed, "breast"), view, shape, SPACING)


@pytest.mark.parametrize(("seed", "view"), [(0, "CC"), (1, "MLO"), (2, "CC"), (3, "MLO")])
def test_trees_of_a_whole_breast(seed, view):
    shape = outline(seed, view)
    found = trees(Dice(seed, "vessels"), shape, SPACING)
    assert 2 <= len(found) <= 7
    forks = 0
    for pieces in found:
        assert pieces.dtype == np.float32
        widths = 2 * SPACING * pieces[:, 4:]
        assert widths.min() >= LEAST - 1e-5
        assert WIDEST[0] - 1e-5 <= widths[0, 0] <= WIDEST[1]
        assert widths.max() == widths[0, 0]  # nowhere wider than at the root
        assert (widths[:, 1] <= widths[:, 0]).all()
        assert pieces[0, 1] == 0  # at the wall
        assert min(shape.depth(row, column) for row, column in pieces[:, 2:4]) > 0
        begins = {tuple(p) for p in pieces[:, :2]}
        forks += len(pieces) - len(begins)  # two pieces that begin at one place
    assert forks > 0


def test_at_a_fork_cubes_add_up():
    for cube in (0.1, 0.27, 0.5, 0.9, 1.0):
        assert _cube_root(cube) == pytest.approx(np.cbrt(cube), rel=1e-9)


def test_a_straight_tube_has_its_chord():
    path = np.zeros((40, 60), np.float32)
    kernels.tubes(np.array([[20, 5, 20, 55, 8, 4]], np.float32), 0, 0, path)
    rows, column = np.arange(40), 30
    radius = 8 - 4 * (column - 5) / 50
    expected = 2 * np.sqrt(np.maximum(radius**2 - (rows - 20) ** 2, 0))
    assert path[:, column] == pytest.approx(expected, abs=1e-4)
    shifted = np.zeros((30, 50), np.float32)
    kernels.tubes(np.array([[20, 5, 20, 55, 8, 4]], np.float32), 10, 10, shifted)
    assert np.array_equal(shifted, path[10:, 10:])


@pytest.mark.parametrize(("mean", "more"), [(FAT, BLOOD - FAT), (GLAND, BLOOD - GLAND), (0.1, 0.0)])
def test_it_takes_the_place_of_tissue(mean, more):
    """Plain in fat, faint in gland; never darker than what it replaces."""
    shape = outline(2)
    integrals = np.full((len(shape.edge), shape.columns), mean * shape.thickness, np.float32)
    before = integrals.copy()
    add_vessels(Dice(2, "vessels"), shape, SPACING, integrals)
    added = integrals - before
    deep = np.arange(shape.columns) < shape.edge[:, None] - (shape.thickness / 2 + 2) / SPACING
    deep &= (shape.cosine == 1)[:, None] | (np.arange(shape.columns) < 0.3 * shape.reach)
    assert added.min() >= 0
    first = trees(Dice(2, "vessels"), shape, SPACING)[-1][0]
    row, column = round(float(first[0])), 3
    assert deep[row, column]
    assert added[row - 2 : row + 3, column].max() == pytest.approx(
        2 * SPACING * float(first[4]) * more, rel=0.5, abs=1e-6
    )


def test_everything_else_stays_as_it_was(monkeypatch):
    one = phantom(5, shape=(832, 640))
    with_them = truth(one, scale=1).line_integrals
    monkeypatch.setattr(draw, "add_vessels", lambda *given: None)
    other = phantom(5, shape=(832, 640))
    without = truth(other, scale=1).line_integrals
    assert one.calcifications == other.calcifications
    assert np.array_equal(one.labels, other.labels)
    changed = with_them != without
    assert 0.001 < changed.mean() < 0.1
    assert (with_them >= without).all()
    near = np.zeros_like(changed)
    rows, columns = np.nonzero(changed)
    for di in range(-9, 10):  # blur and sharpening reach that far
        for dj in range(-9, 10):
            near[np.clip(rows + di, 0, 831), np.clip(columns + dj, 0, 639)] = True
    assert np.array_equal(one.pixels[~near], other.pixels[~near])
