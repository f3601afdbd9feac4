"""The shipped models on pictures that no photograph resembles: lettering, noise, screens, flat fields."""

import numpy as np
import pytest

import fsrcnn_np
from fsrcnn_np.convert import shipped

ROWS, COLUMNS = np.indices((80, 96))
EXTREMES = {
    "noise of black and white": np.random.default_rng(0).integers(0, 2, (80, 96)),
    "uniform noise": np.random.default_rng(1).random((80, 96)),
    "checkerboard": (ROWS + COLUMNS) % 2,
    "rows": ROWS % 2,
    "diagonals": (ROWS + COLUMNS) // 2 % 2,
    "dots": (ROWS % 4 == 0) & (COLUMNS % 4 == 0),
    "holes": (ROWS % 4 != 0) | (COLUMNS % 4 != 0),
    "disc": np.hypot(ROWS - 40, COLUMNS - 48) < 25,
    "edge": COLUMNS > 40,
}


@pytest.mark.parametrize("model", shipped())
@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_overshoot_but_do_not_explode(model, name):
    for picture in (EXTREMES[name], 1 - EXTREMES[name].astype(np.float32)):
        result = fsrcnn_np.forward(picture.astype(np.float32), fsrcnn_np.load_weights(model))
        assert -2.5 < result.min() <= result.max() < 2.5


@pytest.mark.parametrize("model", shipped())
@pytest.mark.parametrize("grey", [0, 0.1, 0.5, 1])
def test_a_flat_field_stays_flat_up_to_its_border(model, grey):
    result = fsrcnn_np.forward(np.full((40, 50), grey, np.float32), fsrcnn_np.load_weights(model))
    np.testing.assert_allclose(result[1:-1, 1:-1], grey, rtol=0, atol=0.02)
    np.testing.assert_allclose(result, grey, rtol=0, atol=0.05)  # the last corner of x2-small: white less 4.5 %
