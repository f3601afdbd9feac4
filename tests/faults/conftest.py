"""These faults are Linux's; elsewhere nothing here is collected."""

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

for _room in ("pacs", "reader"):  # what serves, and who talks to it
    sys.path.append(str(Path(__file__).parents[1] / _room))
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*"]


@pytest.fixture
def picture(tmp_path):
    """A small PNG, in the folder `in`."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "picture.png"
    iio.imwrite(path, np.random.default_rng(0).integers(0, 65536, (40, 36), np.uint16))
    return path
