"""The square lands on small bright spots in tissue, and on nothing else that is bright."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fsrcnn_np.phantom import phantom
from fsrcnn_np.study.spots import Square, brightest_spots, interior, place, tissue


def blob(plane, row, column, radius, height):
    y, x = np.ogrid[: plane.shape[0], : plane.shape[1]]
    plane += height / 2 * (1 - np.tanh((np.hypot(y - row, x - column) - radius) / 1.2))


@pytest.fixture
def scene():
    """A breast (a disc with a bright rim) beside a label, a marker and a fold; noise that grows with the signal."""
    rng = np.random.default_rng(11)
    plane = np.zeros((800, 640))
    y, x = np.ogrid[:800, :640]
    r = np.hypot(y - 400, x)
    plane[r < 350] = 0.4
    plane[np.abs(r - 345) < 5] = 0.9  # skin
    plane[300:500, 100:104] = 0.9  # a fold
    plane[550:553, 60:260] = 0.8  # a vessel
    plane[60:120, 420:600:12] = 1.0  # a label's strokes
    plane[60:120:12, 420:600] = 1.0
    blob(plane, 400, 395, 18, 1.0)  # a marker on the skin
    blob(plane, 250, 200, 40, 0.5)  # a mass
    return (plane + 0.01 * np.sqrt(plane) * rng.standard_normal(plane.shape)).astype(np.float32)


def test_finds_the_cluster(scene):
    for place_ in ((330, 230), (345, 240), (335, 252)):
        blob(scene, *place_, 3, 0.2)
    row, column, side = brightest_spots(scene, 100)
    assert (row + side / 2, column + side / 2) == pytest.approx((337, 241), abs=15)


def test_brighter_spots_count_more_than_many_dim_ones(scene):
    for i in range(4):
        blob(scene, 200, 60 + 20 * i, 2, 0.06)
    blob(scene, 600, 150, 3, 0.5)
    found = brightest_spots(scene, 80)
    assert found.row < 600 < found.row + 80
    assert found.column < 150 < found.column + 80


@pytest.mark.parametrize("seed", range(4))
def test_finds_a_cluster_of_the_phantom(seed):
    drawn = phantom(seed, shape=(832, 640))
    square = brightest_spots(drawn.pixels / np.float32(4095), 70)
    held = [
        c.cluster for c in drawn.calcifications if 0 <= c.row - square.row < 70 and 0 <= c.column - square.column < 70
    ]
    assert max(np.bincount(held)) >= 5


def test_tissue_is_one_piece_without_labels(scene):
    outlined = tissue(scene)
    step = 800 // outlined.shape[0]
    y, x = np.ogrid[: outlined.shape[0], : outlined.shape[1]]
    disc = np.hypot(step * y - 400, step * x) < 350
    assert (outlined != disc).mean() < 0.02
    assert not outlined[:, 420 // step :].any()
    inner = interior(scene)
    assert inner.sum() < outlined.sum()
    assert not (inner & ~outlined).any()


def test_nothing_to_see():
    flat = np.full((90, 70), 0.3, np.float32)
    assert tissue(flat).all()
    assert brightest_spots(flat, 20) == Square(34, 24, 20)


@settings(max_examples=60)
@given(
    arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.floats(0, 1, width=32)), st.data()
)
def test_always_inside(plane, data):
    side = data.draw(st.integers(1, min(plane.shape)))
    row, column, found = brightest_spots(plane, side)
    assert found == side
    assert 0 <= row <= plane.shape[0] - side
    assert 0 <= column <= plane.shape[1] - side


def test_place_moves_only_what_sticks_out():
    assert place((100, 50), 10, 20, 30) == (10, 20, 30)
    assert place((100, 50), 90, -5, 30) == (70, 0, 30)
    assert place((100, 50), 0, 0, 80) == (0, 0, 50)


def test_square_of_an_enlarged_image():
    image = np.arange(600).reshape(20, 30)
    assert np.array_equal(Square(2, 3, 4).of(image, 2), image[4:12, 6:14])
