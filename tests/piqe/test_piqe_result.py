"""A result as it is printed, shown by a notebook, and mistaken for a tuple."""

import base64
import io
import re

import numpy as np
import pytest
from images import picture
from PIL import Image

from piqe_np import piqe
from piqe_np.overlay import COLOURS


def test_one_informative_line():
    found = piqe(picture(50, 70), data_range=255)
    line = repr(found)
    assert "\n" not in line
    assert line == str(found)
    for part in (f"{found.score:.4f}", "50×70", "0 to 255 (data_range)", f"active {found.block_shares[0]:.1%}"):
        assert part in line


def test_unpacking_names_the_fields():
    with pytest.raises(TypeError) as told:
        _score, *_masks = piqe(picture(32, 32))
    for name in ("score", "activity_mask", "noticeable_artifacts_mask", "noise_mask", "scaling"):
        assert f"r.{name}" in str(told.value)


def test_html_has_the_figures_and_a_map_of_the_blocks():
    found = piqe(picture(50, 70))
    page = found._repr_html_()
    assert f"{found.score:.4f}" in page
    shares = [float(share) for share in re.findall(r"([\d.]+)% of blocks", page)]
    assert len(shares) == len(COLOURS)
    assert sum(shares) == pytest.approx(100, abs=0.3)
    encoded = re.search(r"base64,([^\"]+)\"", page)[1]
    blocks = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    assert blocks.shape == (4, 5, 3)
    wanted = found.noticeable_artifacts_mask[::16, ::16] & ~found.noise_mask[::16, ::16]
    assert np.array_equal((blocks == COLOURS["noticeable artifact"]).all(axis=2), wanted)
