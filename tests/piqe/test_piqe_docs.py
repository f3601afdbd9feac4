"""The page about PIQE says what the program computes."""

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from parity import bit_depth, piqe_changes  # noqa: E402


def test_the_phantom_s_table_is_up_to_date():
    text = next(bit_depth.tables([]))
    assert bit_depth.page_with(text) == bit_depth.PAGE.read_text(encoding="utf-8")
    assert "| 12 bits in uint16, v·16 | 19.3876 | 4080 | 30.2560 |" in text


@pytest.mark.shared
def test_the_lighthouse_s_table(shared):
    image = iio.imread(shared / "piqe_matlab" / "lighthouse.png")
    assert bit_depth.table("lighthouse.png", image) in bit_depth.PAGE.read_text(encoding="utf-8")


@pytest.mark.shared
def test_the_table_of_what_moves_a_score(shared):
    image = iio.imread(shared / "piqe_matlab" / "lighthouse.png")
    assert piqe_changes.table("lighthouse.png", image) in bit_depth.PAGE.read_text(encoding="utf-8")


def test_other_depths_are_refused(tmp_path):
    iio.imwrite(tmp_path / "deep.png", np.full((20, 20), 300, np.uint16))
    with pytest.raises(SystemExit, match="8-bit"):
        next(bit_depth.tables([str(tmp_path / "deep.png")]))
