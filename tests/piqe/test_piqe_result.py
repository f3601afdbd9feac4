"""A result as it is printed, shown by a notebook, and mistaken for a tuple."""

import base64
import io
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from images import picture
from PIL import Image

import piqe_np
from piqe_np import ImageError, piqe
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


@pytest.mark.parametrize("name", ["a.png", b"a.png", Path("a.png")])
def test_a_file_s_name_is_told_apart(name):
    with pytest.raises(ImageError, match=r"read it first \(fsrcnn_np\.read\)"):
        piqe(name)


def test_a_file_that_was_read_is_told_apart():
    read = SimpleNamespace(pixels=picture(32, 32), data_range=255)
    with pytest.raises(ImageError, match=r"pass its \.pixels"):
        piqe(read)


def test_dir_shows_the_public_names():
    assert dir(piqe_np) == sorted(piqe_np.__all__)


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
