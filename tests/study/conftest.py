"""A small model, a small phantom, and their comparison."""

import numpy as np
import pytest

from fsrcnn_np.phantom import phantom
from fsrcnn_np.study.compare import compare
from models import random_weights


@pytest.fixture(scope="session")
def model():
    return random_weights(np.random.default_rng(7), (5, 3, 1), 2, "replicate")


@pytest.fixture(scope="session")
def small():
    return phantom(1, shape=(300, 260))


@pytest.fixture(scope="session")
def comparison(model, small):
    return compare(
        small.pixels, weights=model, data_range=4095, name="some/folder/pha$ntom_{.png", note="not a patient",
        engine="reference",
    )  # fmt: skip
