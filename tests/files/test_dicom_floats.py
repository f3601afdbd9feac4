"""Float pixels and 32-bit integers: read, super-resolved and written by their own rules."""

import warnings

import numpy as np
import pydicom
import pytest
from test_dicom_derived import mammogram, save, set_pixels

from fsrcnn_np import cli, files, upscale, upscale_file
from fsrcnn_np.errors import FormatError, ImageError
from fsrcnn_np.files.dicom.check import check_files
from fsrcnn_np.images.padding import filled

FLOATS = {"FloatPixelData": ("OF", "<f4"), "DoubleFloatPixelData": ("OD", "<f8")}


def plain(pixels, bits):
    d = mammogram()
    for keyword in ("PixelPaddingValue", "BurnedInAnnotation", "SmallestImagePixelValue", "LargestImagePixelValue"):
        del d[keyword]
    for tag in [element.tag for element in d if element.tag.group in (0x6000, 0x6002)]:
        del d[tag]
    d.StudyID, d.StudyTime, d.AccessionNumber, d.ReferringPhysicianName = "1", "12", "", ""
    d.PatientBirthDate, d.PatientSex = "", "F"
    return set_pixels(d, pixels, bits)


def float_map(pixels, keyword, padding=None, limit=None):
    """Such a data set: PS3.3 C.7.6.24, C.7.6.25."""
    vr, dtype = FLOATS[keyword]
    d = plain(np.zeros(pixels.shape, np.uint16), 16)
    for integer in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation", "PresentationIntentType"):
        del d[integer]
    d.SOPClassUID, d.BitsAllocated = "1.2.840.10008.5.1.4.1.1.30", np.dtype(dtype).itemsize * 8
    d.add_new(keyword, vr, pixels.astype(dtype).tobytes())
    kind = keyword.replace("Data", "Padding")
    if padding is not None:
        setattr(d, f"{kind}Value", padding)
    if limit is not None:
        setattr(d, f"{kind}RangeLimit", limit)
    return d


def stored(path, keyword="FloatPixelData"):
    d = pydicom.dcmread(path)
    return np.frombuffer(d[keyword].value, FLOATS[keyword][1]).reshape(d.Rows, d.Columns)


SMOOTH = np.add.outer(np.arange(6), np.arange(8)) * 30.0 + 1000


@pytest.mark.parametrize("keyword", FLOATS)
def test_a_float_map_is_upscaled_as_floats(keyword, tmp_path):
    source = save(float_map(SMOOTH, keyword), tmp_path / "a.dcm")
    picture = files.read(source)
    assert picture.pixels.dtype == np.dtype(FLOATS[keyword][1])
    assert picture.data_range is None, "floats declare no range"
    done = upscale_file(source, tmp_path / "b.dcm", data_range=(900, 1500))
    assert str(done.value_range) == "900..1500 (data_range)"
    expected = upscale(picture.pixels, data_range=(900, 1500))
    np.testing.assert_array_equal(stored(done.path, keyword), expected)
    derived = pydicom.dcmread(done.path)
    assert FLOATS[keyword][0] == derived[keyword].VR
    assert not {"PixelData", "BitsStored", "HighBit", "PixelRepresentation"} & set(derived.dir())
    assert check_files(source, done.path) == []


def test_the_range_of_floats_is_never_that_of_the_image(tmp_path):
    source = save(float_map(SMOOTH, "FloatPixelData"), tmp_path / "a.dcm")
    with pytest.raises(ImageError, match=r"found values 1000\.\.1360, allowed is 0\.\.1"):
        upscale_file(source, tmp_path / "b.dcm")


@pytest.mark.parametrize(("padding", "limit"), [(-3.0e38, None), (float("nan"), None), (-2000.0, -1000.0)])
def test_float_padding_comes_back_bit_by_bit(padding, limit, tmp_path):
    pixels = SMOOTH.astype("<f4")
    pixels[:, :3] = padding
    if limit is not None:
        pixels[0, 0] = limit
    source = save(float_map(pixels, "FloatPixelData", padding, limit), tmp_path / "a.dcm")
    done = upscale_file(source, tmp_path / "b.dcm", data_range=(900, 1500))
    large, words = stored(done.path), pixels.view("<u4").repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(large[:, :6].view("<u4"), words[:, :6])
    mask = np.zeros(pixels.shape, bool)
    mask[:, :3] = True
    expected = upscale(filled(pixels, mask), data_range=(900, 1500))
    np.testing.assert_array_equal(large[:, 6:], expected[:, 6:], "nothing rings")
    assert check_files(source, done.path) == []
    broken = pydicom.dcmread(done.path)
    words = np.frombuffer(broken.FloatPixelData, "<f4").copy()
    words[1] = 1200
    broken.FloatPixelData = words.tobytes()
    broken.save_as(tmp_path / "c.dcm")
    assert [breach.tag for breach in check_files(source, tmp_path / "c.dcm")] == ["(7FE0,0008) FloatPixelData, frame 1"]


def test_a_number_that_is_none_is_refused_where_it_is_no_padding(tmp_path):
    pixels = SMOOTH.copy()
    pixels[2, 3] = np.nan
    source = save(float_map(pixels, "DoubleFloatPixelData"), tmp_path / "a.dcm")
    with pytest.raises(ImageError, match="found nan at row 2, column 3"):
        upscale_file(source, tmp_path / "b.dcm", data_range=2000)


def test_floats_are_not_compressed_and_have_their_own_bits(tmp_path, capsys):
    source = save(float_map(SMOOTH, "FloatPixelData"), tmp_path / "a.dcm")
    with pytest.raises(FormatError, match="FloatPixelData is never compressed"):
        upscale_file(source, tmp_path / "b.dcm", data_range=2000, transfer_syntax="jpeg-ls")
    wrong = float_map(SMOOTH, "FloatPixelData")
    wrong.BitsAllocated = 64
    with pytest.raises(FormatError, match=r"\(0028,0100\) BitsAllocated is 64; allowed is 32"):
        files.read(save(wrong, tmp_path / "c.dcm"))


@pytest.mark.parametrize(("dtype", "bits"), [("<u4", 12), ("<i4", 16), ("<u4", 20), ("<i4", 24)])
def test_integers_of_32_bits(dtype, bits, tmp_path):
    scale = 1 << max(0, bits - 12)
    pixels = (SMOOTH.astype(dtype) * scale).astype(dtype)
    source = save(plain(pixels, bits), tmp_path / "a.dcm")
    picture = files.read(source)
    assert picture.pixels.dtype == (f"{dtype[1]}2" if bits <= 16 else "float64")
    np.testing.assert_array_equal(picture.pixels, pixels)
    done = upscale_file(source, tmp_path / "b.dcm")
    derived = pydicom.dcmread(done.path)
    assert (derived.BitsAllocated, derived.BitsStored) == (32, bits)
    expected = upscale(picture.pixels, data_range=picture.data_range)
    whole = expected if expected.dtype.kind != "f" else np.trunc(expected + 0.5)
    np.testing.assert_array_equal(derived.pixel_array, whole)
    assert derived.pixel_array.dtype == np.dtype(dtype)
    assert check_files(source, done.path) == []


def test_more_bits_than_float32_tells_apart_are_refused_unless_a_range_is_given(tmp_path):
    pixels = SMOOTH.astype("<u4") + (1 << 30)
    source = save(plain(pixels, 32), tmp_path / "a.dcm")
    with pytest.raises(FormatError, match="float32 does not tell apart"):
        upscale_file(source, tmp_path / "b.dcm")
    assert not (tmp_path / "b.dcm").exists()
    bounds = (1 << 30, (1 << 30) + 4095)
    done = upscale_file(source, tmp_path / "b.dcm", data_range=bounds)
    small = upscale(SMOOTH.astype("u2"), data_range=4095)
    np.testing.assert_array_equal(pydicom.dcmread(done.path).pixel_array, small.astype("u4") + (1 << 30))
    assert any("is read as float64" in remark for remark in done.remarks)
    with pytest.raises(FormatError, match="BitsAllocated is 32, which jpeg2000 does not hold"):
        upscale_file(source, tmp_path / "c.dcm", data_range=bounds, transfer_syntax="jpeg2000")


def test_what_is_no_dicom_is_called_so_by_the_check(tmp_path, capsys):
    source = save(plain(SMOOTH.astype("u2"), 16), tmp_path / "a.dcm")
    files.write(tmp_path / "g8.png", np.zeros((4, 4), np.uint8))
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "cut.dcm").write_bytes(source.read_bytes()[:140])
    for other, said in (
        ("g8.png", "is no DICOM file: it does not begin as one"),
        ("empty.dcm", "is no DICOM file"),
        ("none.dcm", "there is no such file"),
        (".", "is a folder; give a file"),
        ("cut.dcm", "a.dcm"),
    ):
        for pair in ((source, tmp_path / other), (tmp_path / other, source)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                status = cli.main(["dicom", "check", *map(str, pair)])
            assert status in (1, 2)
            found = capsys.readouterr()
            assert (found.err or found.out).count("\n") <= 2
            if other != "cut.dcm":
                assert said in found.err
