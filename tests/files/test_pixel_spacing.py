"""`Picture.pixel_spacing`: millimetres where a file declares them, None where it does not."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_dicom_derived import mammogram, save

from fsrcnn_np import files

PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        ((508, 254), "INCH", (0.1, 0.05)),
        ((200, 200), "CENTIMETER", (0.05, 0.05)),
        ((200, 200), "NONE", None),
        ((0, 200), "INCH", None),
    ],
)
def test_tiff(tmp_path, resolution, unit, expected):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, resolution=resolution, resolutionunit=unit)
    picture = files.read(tmp_path / "a.tif")
    assert picture.pixel_spacing == (expected and pytest.approx(expected))
    assert picture.pixel_spacing_origin == ("XResolution, YResolution" if expected else "")
    files.write(tmp_path / "b.tif", PIXELS.repeat(2, 0).repeat(2, 1), like=picture)
    again = files.read(tmp_path / "b.tif").pixel_spacing
    assert again == (expected and pytest.approx([v / 2 for v in expected]))


@pytest.mark.parametrize(
    ("x", "y", "unit", "expected"),
    [(20000, 10000, 1, (0.1, 0.05)), (2, 1, 0, None), (0, 10000, 1, None), (20000, 10000, 2, None)],
)
def test_png(tmp_path, x, y, unit, expected):
    Image.fromarray(PIXELS).save(tmp_path / "a.png", dpi=(72, 72))
    data = bytearray((tmp_path / "a.png").read_bytes())
    at = data.index(b"pHYs") + 4
    data[at : at + 9] = struct.pack(">IIB", x, y, unit)
    (tmp_path / "a.png").write_bytes(data)
    picture = files.read(tmp_path / "a.png")
    assert picture.pixel_spacing == (expected and pytest.approx(expected))
    assert picture.pixel_spacing_origin == ("pHYs" if expected else "")


def test_a_format_without_any(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS)
    assert files.read(tmp_path / "a.npy").pixel_spacing is None


@pytest.mark.parametrize(
    ("pixel", "imager", "expected", "origin"),
    [
        (["0.1", "0.05"], ["0.2", "0.2"], (0.1, 0.05), "PixelSpacing"),
        (None, ["0.2", "0.1"], (0.2, 0.1), "ImagerPixelSpacing"),
        (["0", "0.1"], ["0.2", "0.2"], (0.2, 0.2), "ImagerPixelSpacing"),
        (["0.1"], None, None, ""),
        ("", None, None, ""),
        (None, None, None, ""),
    ],
)
def test_dicom(tmp_path, pixel, imager, expected, origin):
    dataset = mammogram()
    del dataset.PixelSpacing, dataset.ImagerPixelSpacing
    if pixel is not None:
        dataset.PixelSpacing = pixel
    if imager is not None:
        dataset.ImagerPixelSpacing = imager
    picture = files.read(save(dataset, tmp_path / "a.dcm"))
    assert picture.pixel_spacing == expected
    assert picture.pixel_spacing_origin == origin
