"""A picture in one line, and as a notebook shows it."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

import fsrcnn_np
from fsrcnn_np import Picture


def test_one_line(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P2 3 2 4095 0 1 2 3 4 4095")
    picture = fsrcnn_np.read(tmp_path / "a.pgm")
    line = repr(picture)
    assert line == f"<Picture {tmp_path / 'a.pgm'}: PGM, 2×3 uint16, values 0..4095 (maxval 4095)>"
    assert str(picture) == line
    spaced = Picture(picture.pixels, "b.dcm", "DICOM", pixel_spacing=(0.07, 0.1), remarks=("one", "two"), inverted=True)
    assert repr(spaced).endswith("uint16, 0.07 × 0.1 mm a pixel, 2 remarks>")


def shown(picture: Picture) -> np.ndarray:
    encoded = re.search(r"base64,([^\"]+)\"", picture._repr_html_())[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_preview_is_over_the_range_that_is_declared():
    pixels = np.array([[0, 2048, 4095]], np.uint16)
    assert shown(Picture(pixels, "a", "PGM", data_range=4095.0)).tolist() == [[0, 128, 255]]
    assert shown(Picture(pixels, "a", "PNG")).tolist() == [[0, 8, 16]]
    assert shown(Picture(pixels, "a", "DICOM", data_range=4095.0, inverted=True)).tolist() == [[255, 127, 0]]
    assert shown(Picture(np.array([[-1000, 1000]], np.int16), "a", "DICOM", data_range=(-1000.0, 1000.0))).max() == 255


def test_preview_is_small():
    assert max(shown(Picture(np.zeros((2000, 700), np.uint8), "a", "PNG")).shape) <= 320
    assert shown(Picture(np.zeros((20, 700, 3), np.uint8), "a", "PNG")).shape == (7, 234, 3)


@pytest.mark.parametrize("array", [np.zeros((3, 4, 5, 2)), np.array(7), np.zeros((4, 4), complex), np.zeros((0, 3))])
def test_other_arrays_are_told_without_a_preview(array):
    page = Picture(array, "<a>.npy", "NPY", remarks=("a & b",))._repr_html_()
    assert "<img" not in page
    assert "&lt;a&gt;.npy" in page
    assert "a &amp; b" in page
    assert array.dtype.name in repr(Picture(array, "a.npy", "NPY"))
