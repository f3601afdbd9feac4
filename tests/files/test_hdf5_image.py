"""The attributes by which HDF5 says what a picture's values mean: heeded, or refused in one line."""

import h5py
import numpy as np
import pytest

from fsrcnn_np import files, upscale, upscale_file
from fsrcnn_np.errors import FormatError

GREY = (np.arange(12 * 10) % 97).astype(np.uint8).reshape(12, 10)
COLOURS = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
IMAGE = {"CLASS": np.bytes_("IMAGE"), "IMAGE_VERSION": np.bytes_("1.2")}


def made(path, pixels, **attributes):
    with h5py.File(path, "w") as file:
        file["picture"] = pixels
        file["picture"].attrs.update(attributes)
    return path


def test_white_is_zero_is_kept_told_and_shown(tmp_path):
    extremes = np.array([0, 96], np.uint8)
    path = made(tmp_path / "a.h5", GREY, **IMAGE, IMAGE_WHITE_IS_ZERO=np.uint8(1), IMAGE_MINMAXRANGE=extremes)
    picture = files.read(path)
    assert picture.inverted
    np.testing.assert_array_equal(picture.pixels, GREY)  # as stored, as of DICOM and TIFF
    remarks = files.write(tmp_path / "b.h5", GREY, like=picture)
    assert remarks == ["left out of the HDF5: attribute IMAGE_MINMAXRANGE"]  # the extremes of another picture
    assert files.read(tmp_path / "b.h5").inverted
    files.write(tmp_path / "b.tif", GREY, like=picture)
    assert files.read(tmp_path / "b.tif").inverted
    assert any("low values are bright" in remark for remark in files.write(tmp_path / "b.png", GREY, like=picture))
    for nothing in (np.uint8(0), "no", h5py.Empty("u1"), np.zeros(0)):
        assert not files.read(made(tmp_path / "c.h5", GREY, **IMAGE, IMAGE_WHITE_IS_ZERO=nothing)).inverted
    assert not files.read(made(tmp_path / "d.h5", GREY, IMAGE_WHITE_IS_ZERO=np.uint8(1))).inverted  # of no such class


@pytest.mark.parametrize(("mode", "axis"), [("PIXEL", -1), ("LINE", 1), ("PLANE", 0)])
def test_channels_where_they_are_said_to_be(tmp_path, mode, axis):
    """Three columns or rows would be taken for three channels otherwise."""
    colours = COLOURS[:3, :3]
    mode = np.bytes_(f"INTERLACE_{mode}")
    path = made(tmp_path / "a.h5", np.moveaxis(colours, -1, axis), **IMAGE, INTERLACE_MODE=mode)
    np.testing.assert_array_equal(files.read(path).pixels, colours)
    upscale_file(path, tmp_path / "b.h5", engine="reference")
    expected = upscale(colours, engine="reference")
    np.testing.assert_array_equal(files.read(tmp_path / "b.h5").pixels, expected)
    with h5py.File(tmp_path / "b.h5") as file:
        np.testing.assert_array_equal(file["picture"], np.moveaxis(expected, -1, axis))


@pytest.mark.parametrize(
    ("pixels", "attributes", "word"),
    [
        (GREY, {"IMAGE_SUBCLASS": "IMAGE_INDEXED"}, "numbers of colours"),
        (GREY, {"PALETTE": 0}, "numbers of colours"),
        (COLOURS, {"IMAGE_COLORMODEL": "YCbCr"}, "is in YCbCr"),
        (COLOURS, {"INTERLACE_MODE": "INTERLACE_PLANE"}, "12×10×3 and says INTERLACE_PLANE"),
        (COLOURS, {"INTERLACE_MODE": "SIDEWAYS"}, "SIDEWAYS"),
    ],
)
def test_what_would_be_taken_for_something_else(tmp_path, pixels, attributes, word):
    with pytest.raises(FormatError, match=word):
        files.read(made(tmp_path / "a.h5", pixels, **IMAGE, **attributes))


def test_a_grey_picture_may_have_a_palette_beside(tmp_path):
    path = made(tmp_path / "a.h5", GREY, **IMAGE, IMAGE_SUBCLASS="IMAGE_GRAYSCALE", PALETTE=0)
    np.testing.assert_array_equal(files.read(path).pixels, GREY)


def test_fewer_bits_than_bytes_hold_stay_so(tmp_path):
    pixels = GREY.astype(np.uint16) * 40
    kind = h5py.h5t.STD_U16LE.copy()
    kind.set_precision(12)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("picture", data=pixels, dtype=h5py.Datatype(kind))
    picture = files.read(tmp_path / "a.h5")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.data_range, picture.data_range_origin) == (4095.0, "precision of 12 bits")
    upscale_file(tmp_path / "a.h5", tmp_path / "b.h5", engine="reference")
    found = files.read(tmp_path / "b.h5")
    assert found.data_range == 4095.0
    np.testing.assert_array_equal(found.pixels, upscale(pixels, data_range=4095, engine="reference"))


def test_attributes_that_are_no_utf8_go_on(tmp_path):
    """After all had been computed the file could not be written."""
    path = made(tmp_path / "a.h5", GREY, latin=b"\xe9t\xe9", good="ü")
    with h5py.File(path, "r+") as file:
        file["picture"].attrs["list"] = np.array([b"\xff", b"b"], h5py.string_dtype())
    assert files.write(tmp_path / "b.h5", GREY, like=files.read(path)) == ["left out of the HDF5: attribute list"]
    with h5py.File(path) as before, h5py.File(tmp_path / "b.h5") as after:
        assert set(after["picture"].attrs) == {"latin", "good"}
        assert after["picture"].attrs["latin"] == before["picture"].attrs["latin"] == "\udce9t\udce9"


def test_a_filter_that_is_not_written_is_told(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("picture", data=GREY, chunks=(4, 5), scaleoffset=0)
    remarks = files.write(tmp_path / "b.h5", GREY, like=files.read(tmp_path / "a.h5"))
    assert remarks == ["left out of the HDF5: the filter scale-offset"]


@pytest.mark.parametrize("name", [".", "/a/.", "./a"])
def test_a_name_that_hdf5_takes_for_the_group_is_refused_before(tmp_path, name):
    np.save(tmp_path / "a.npy", GREY)
    with pytest.raises(FormatError, match=r"has a part '\.'"):
        files.check_target(f"{tmp_path / 'b.h5'}::{name}", files.read(tmp_path / "a.npy"))
