"""DICOM in: each file is read as it is stored, or refused with the tag and the reason."""

import io
import logging
import re
import warnings

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from fsrcnn_np import files
from fsrcnn_np.errors import FormatError, MissingExtraError, OptionError

# Each: shape, dtype, what declares the value range, sum of the pixels. The pixels were compared with those that
# pydicom 3.0.2 gives with python-gdcm 3.2.6 as its decoder, which is not the one used here: no difference.
READ = {
    "good/693_UNCR.dcm": ((512, 512), "int16", "BitsStored 14", -3031175),
    "good/GDCMJ2K_TextGBR.dcm": ((400, 400, 3), "uint8", "BitsStored 8", 59729223),
    "good/HTJ2KLossless_08_RGB.dcm": ((480, 640, 3), "uint8", "BitsStored 8", 117137474),
    "good/HTJ2K_08_RGB.dcm": ((480, 640, 3), "uint8", "BitsStored 8", 117138982),
    "good/J2K_pixelrep_mismatch.dcm": ((512, 512), "int16", "BitsStored 13", -172605258),
    "good/JLSL_08_07_0_1F.dcm": ((128, 128), "uint8", "BitsStored 7", 775483),
    "good/JLSL_16_15_1_1F.dcm": ((128, 128), "int16", "BitsStored 15", -66250735),
    "good/JPEG-LL.dcm": ((1024, 256), "int16", "BitsStored 16", 3596452),
    "good/JPEGBaseline_1s_1f_u_08_08.dcm": ((100, 100), "uint8", "BitsStored 8", 1277000),
    "good/JPEGExtended_3s_1f_u_08_08.dcm": ((576, 768, 3), "uint8", "BitsStored 8", 43700919),
    "good/JPEGLSNearLossless_08.dcm": ((45, 10), "uint8", "BitsStored 8", 25000),
    "good/JPEGLosslessP14SV1_1s_1f_u_08_08.dcm": ((768, 1024), "uint8", "BitsStored 8", 13572107),
    "good/JPEGLosslessP14SV1_1s_1f_u_16_16.dcm": ((535, 800), "uint16", "BitsStored 16", 16176647321),
    "good/JPGExtended.dcm": ((1024, 256), "uint16", "BitsStored 12", 3767007),
    "good/MR2_J2KR.dcm": ((1024, 1024), "uint16", "BitsStored 12", 78730838),
    "good/MR_small.dcm": ((64, 64), "int16", "BitsStored 16", 2125338),
    "good/MR_small_bigendian.dcm": ((64, 64), "int16", "BitsStored 16", 2125338),
    "good/MR_small_jpeg_ls_lossless.dcm": ((64, 64), "int16", "BitsStored 16", 2125338),
    "good/RG3_J2KI.dcm": ((1760, 1760), "uint16", "BitsStored 10", 1030622924),
    "good/SC_rgb_dcmtk_+eb+cr.dcm": ((100, 100, 3), "uint8", "BitsStored 8", 3832200),
    "good/SC_rgb_gdcm_KY.dcm": ((100, 100, 3), "uint8", "BitsStored 8", 3831000),
    "good/SC_rgb_jpeg_dcmd.dcm": ((256, 256, 3), "uint8", "BitsStored 8", 47966767),
    "good/SC_rgb_jpeg_gdcm.dcm": ((100, 100, 3), "uint8", "BitsStored 8", 3831000),
    "good/SC_rgb_rle.dcm": ((100, 100, 3), "uint8", "BitsStored 8", 3831000),
    "good/SC_rgb_small_odd.dcm": ((3, 3, 3), "uint8", "BitsStored 8", 3477),
    "good/SC_rgb_small_odd_big_endian.dcm": ((3, 3, 3), "uint8", "BitsStored 8", 3477),
    "good/SC_rgb_small_odd_jpeg.dcm": ((3, 3, 3), "uint8", "BitsStored 8", 3465),
    "good/SC_ybr_full_uncompressed.dcm": ((100, 100, 3), "uint8", "BitsStored 8", 3832000),
    "good/examples_overlay.dcm": ((300, 484), "uint16", "BitsStored 12", 27833052),
    "good/vlut_04.dcm": ((512, 512), "uint8", "BitsStored 8", 33772018),
    "odd/JPEG-lossy.dcm": ((1024, 256), "uint16", "BitsStored 12", 3767007),
    "odd/OT-PAL-8-face.dcm": ((480, 640, 3), "uint8", "", 92153753),
}
REFUSED = {
    "good/OBXXXX1A_rle_2frame.dcm": "(0028,0008) NumberOfFrames is 2; allowed is 1",
    "good/SC_rgb_2frame.dcm": "(0028,0008) NumberOfFrames is 2; allowed is 1",
    "good/SC_rgb_expb_2frame.dcm": "(0028,0008) NumberOfFrames is 2; allowed is 1",
    "good/SC_rgb_rle_16bit_2frame.dcm": "(0028,0008) NumberOfFrames is 2; allowed is 1",
    "good/SC_rgb_rle_2frame.dcm": "(0028,0008) NumberOfFrames is 2; allowed is 1",
    "good/emri_small_jpeg_ls_lossless.dcm": "(0028,0008) NumberOfFrames is 10; allowed is 1",
    "good/examples_ybr_color.dcm": "(0028,0008) NumberOfFrames is 30; allowed is 1",
    "odd/JPEG2000-embedded-sequence-delimiter.dcm": "(7FE0,0010) Pixel Data, JPEG 2000",
    "odd/empty_charset_LEI.dcm": "has no (7FE0,0010) Pixel Data",
    "odd/emri_small_jpeg_2k_lossless_too_short.dcm": "(0028,0008) NumberOfFrames is 10; allowed is 1 here",
    "odd/meta_missing_tsyntax.dcm": "has no (0028,0010) Rows",
}
NO_PICTURES = {
    "good/liver_1frame.dcm": "a registration, segmentation or raw data object",
    "good/liver_j2k.dcm": "a registration, segmentation or raw data object",
    "good/liver_nonbyte_aligned.dcm": "a registration, segmentation or raw data object",
    "odd/liver_deflate.dcm": "a registration, segmentation or raw data object",
    "odd/liver_rle.dcm": "a registration, segmentation or raw data object",
    "good/rtdose.dcm": "a radiotherapy object",
    "good/rtdose_expb_1frame.dcm": "a radiotherapy object",
    "good/rtdose_rle.dcm": "a radiotherapy object",
    "good/rtdose_rle_1frame.dcm": "a radiotherapy object",
    "odd/reportsi_with_empty_number_tags.dcm": "a structured report",
}


WIDE = {  # words of 32 and 64 bits: dtype of the pixels, and the tag of the element that holds them
    "good/SC_rgb_32bit.dcm": ("float64", "PixelData"),
    "good/SC_rgb_32bit_2frame.dcm": ("float64", "PixelData"),
    "good/SC_rgb_expb_32bit.dcm": ("float64", "PixelData"),
    "good/parametric_map_double_float.dcm": ("float64", "DoubleFloatPixelData"),
    "good/parametric_map_float.dcm": ("float32", "FloatPixelData"),
}


@pytest.mark.shared
def test_every_shared_file_is_in_a_table(shared):
    found = {str(path.relative_to(shared / "dicom")) for path in (shared / "dicom").glob("*/*")}
    assert found == READ.keys() | REFUSED.keys() | NO_PICTURES.keys() | WIDE.keys()
    assert len(found) == 58


@pytest.mark.shared
@pytest.mark.parametrize("name", READ)
def test_read(shared, name, capfd, caplog):
    shape, dtype, origin, total = READ[name]
    picture = files.read(shared / "dicom" / name)
    assert picture.format == "DICOM"
    assert picture.pixels.shape == shape
    assert picture.pixels.dtype == dtype
    assert picture.pixels.dtype.isnative
    assert picture.pixels.sum(dtype=np.int64) == total
    assert picture.data_range_origin == origin
    if origin:
        low, high = picture.data_range if dtype == "int16" else (0, picture.data_range)
        assert high - low + 1 == 2 ** int(origin.split()[1])
        assert low <= picture.pixels.min()
        assert picture.pixels.max() <= high
    else:
        assert picture.data_range is None
    assert capfd.readouterr() == ("", ""), "a decoder talks to the user"


@pytest.mark.shared
@pytest.mark.parametrize("name", WIDE)
def test_wide_words(shared, name):
    dtype, keyword = WIDE[name]
    path = shared / "dicom" / name
    picture, theirs = files.read(path, every_frame=True), pydicom.dcmread(path)
    frames = [frame.pixels for frame in picture.frames or [picture]]
    assert keyword in theirs
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(np.squeeze(frames), np.squeeze(theirs.pixel_array))


@pytest.mark.shared
@pytest.mark.parametrize("name", REFUSED)
def test_refused(shared, name, capfd):
    path = shared / "dicom" / name
    with pytest.raises(FormatError) as caught:
        files.read(path)
    assert str(caught.value).startswith(f"{path}: {REFUSED[name]}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.shared
@pytest.mark.parametrize("name", NO_PICTURES)
def test_no_picture(shared, name, capfd):
    path = shared / "dicom" / name
    with pytest.raises(files.NoPicture) as caught:
        files.read(path)
    assert str(caught.value) == f"{path}: (0008,0016) SOPClassUID is that of {NO_PICTURES[name]}: no picture"
    assert capfd.readouterr() == ("", "")


@pytest.mark.shared
def test_the_mammogram(shared):
    picture = files.read(shared / "mammograms" / "GH133.dcm")
    assert picture.pixels.shape == (3062, 2394)
    assert (picture.pixels.min(), picture.pixels.max()) == (0, 3471)
    assert picture.data_range == 4095
    assert picture.pixels.sum(dtype=np.int64) == 5497827292


# Made here


def make(pixels, syntax=ExplicitVRLittleEndian, *, bits=None, **more):
    """The bytes of a small DICOM file around these pixels; `more` overrides attributes, None leaves one out."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    for keyword, value in more.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    if pydicom.uid.UID(syntax).is_encapsulated and syntax != RLELossless:
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    if syntax == RLELossless:
        dataset.compress(RLELossless, encoding_plugin="pydicom")
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def ramp(shape, dtype="uint16", bits=None):
    dtype = np.dtype(dtype)
    bits = bits or 8 * dtype.itemsize
    low = -(2 ** (bits - 1)) if dtype.kind == "i" else 0
    return (np.arange(np.prod(shape)) * 997 % 2**bits + low).astype(dtype).reshape(shape)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
    ],
)
@pytest.mark.parametrize(
    ("dtype", "bits"),
    [("uint8", 7), ("uint8", 8), ("uint16", 10), ("uint16", 12), ("int16", 12), ("int16", 16), ("int8", 8)],
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_grey_is_read_as_stored(tmp_path, syntax, dtype, bits, photometric):
    pixels = ramp((5, 7), dtype, bits)
    (tmp_path / "a.dcm").write_bytes(make(pixels, syntax, bits=bits, PhotometricInterpretation=photometric))
    picture = files.read(tmp_path / "a.dcm")
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, pixels)
    half = 2 ** (bits - 1)
    assert picture.data_range == ((-half, half - 1) if dtype.startswith("int") else 2 * half - 1)
    assert picture.data_range_origin == f"BitsStored {bits}"
    assert picture.inverted == (photometric == "MONOCHROME1")


@pytest.mark.parametrize(
    ("dtype", "bits"), [("uint8", 8), ("uint16", 12), ("uint16", 16), ("int16", 12), ("int16", 16)]
)
def test_lossless_jpeg(tmp_path, dtype, bits):
    """What most mammograms come in; the sign of 12 bits in 16 has to be taken from the twelfth."""
    pixels = ramp((9, 7), dtype, bits)
    unsigned = (pixels.view(f"u{pixels.itemsize}") & (2**bits - 1)).astype(f"u{pixels.itemsize}")
    frame = imagecodecs.ljpeg_encode(unsigned, bitspersample=bits)
    data = make(pixels, JPEGLosslessSV1, bits=bits, PixelData=encapsulate([frame]))
    (tmp_path / "a.dcm").write_bytes(data)
    picture = files.read(tmp_path / "a.dcm")
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, pixels)


STREAMS = {
    JPEGLosslessSV1: lambda pixels: imagecodecs.ljpeg_encode(pixels, bitspersample=8 * pixels.itemsize),
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True),
    HTJ2KLossless: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
}


@pytest.mark.parametrize("syntax", STREAMS)
@pytest.mark.parametrize(
    ("within", "around"),
    [
        (ramp((18, 14), "uint8"), ramp((18, 16), "uint8")),
        (ramp((18, 14)), ramp((18, 16), "uint8")),
        (ramp((18, 14)), ramp((14, 18))),  # as many pixels
        (ramp((18, 14)), ramp((36, 7))),
        (ramp((18, 14)), ramp((18, 14), "uint8")),  # the lower half of each
    ],
)
def test_a_stream_of_another_size_or_depth_than_its_header(tmp_path, syntax, within, around):
    data = make(around, syntax, PixelData=encapsulate([STREAMS[syntax](within)]))
    (tmp_path / "a.dcm").write_bytes(data)
    rows, columns = within.shape
    said = (
        rf"\(7FE0,0010\) Pixel Data, .*: its own header says .* \({rows}, {columns}, 1\) of {8 * within.itemsize} bits"
    )
    with pytest.raises(FormatError, match=said):
        files.read(tmp_path / "a.dcm")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless])
@pytest.mark.parametrize("colours", ["YBR_ICT", "YBR_RCT"])
def test_colours_that_only_jpeg_2000_unmixes(tmp_path, syntax, colours):
    more = {"PixelData": encapsulate([bytes(64)])} if syntax == JPEGLSLossless else {}
    said = colours.ljust(8).encode()
    data = make(ramp((6, 4, 3), "uint8"), syntax, **more).replace(b"\x28\0\4\0CS\4\0RGB ", b"\x28\0\4\0CS\x08\0" + said)
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(FormatError, match=rf"PhotometricInterpretation is {colours} with .*; allowed is JPEG 2000"):
        files.read(tmp_path / "a.dcm")


def test_pairs_of_pixels_are_whole(tmp_path):
    data = make(ramp((4, 5, 3), "uint8"), PhotometricInterpretation="YBR_FULL_422", PixelData=bytes(48))
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(FormatError, match=r"Columns is 5; allowed is an even number"):
        files.read(tmp_path / "a.dcm")


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_by_pixel_or_by_plane(tmp_path, planar):
    pixels = ramp((5, 4, 3), "uint8")
    data = make(
        pixels, PlanarConfiguration=planar, **({"PixelData": np.moveaxis(pixels, -1, 0).tobytes()} if planar else {})
    )
    (tmp_path / "a.dcm").write_bytes(data)
    np.testing.assert_array_equal(files.read(tmp_path / "a.dcm").pixels, pixels)


def test_subsampled_chroma(tmp_path):
    """PS3.3 C.7.6.3.1.2, YBR_FULL_422: two lumas, then the Cb and Cr that they share."""
    data = bytes([100, 50, 128, 128] * 4)
    change = {"PhotometricInterpretation": "YBR_FULL_422", "PixelData": data}
    (tmp_path / "a.dcm").write_bytes(make(np.zeros((2, 4, 3), np.uint8), **change))
    picture = files.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(picture.pixels, np.array([100, 50] * 4).reshape(2, 4, 1).repeat(3, axis=2))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_unexplained_bits_above_the_stored_ones(tmp_path, dtype, syntax):
    """A wrong BitsStored must not turn 2591 into 543 in silence: PS3.5 8.1.1."""
    pixels = ramp((4, 4), dtype, 10)
    pixels[1, 2] = 2591
    (tmp_path / "a.dcm").write_bytes(make(pixels, syntax, bits=10))
    with pytest.raises(
        FormatError, match=r"1 pixels have values from 2591 to 2591, beyond \(0028,0101\) BitsStored 10"
    ):
        files.read(tmp_path / "a.dcm")
    picture = files.read(tmp_path / "a.dcm", allow=["high-bits"])
    pixels[1, 2] = 2591 % 1024 - (1024 if dtype == "int16" else 0)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert "the bits from 10 up are cleared, as asked for" in picture.remarks[0]


def test_the_sign_may_be_extended_or_not(tmp_path):
    pixels = ramp((4, 4), "int16", 12)
    (tmp_path / "a.dcm").write_bytes(make(pixels & 0xFFF, bits=12))
    np.testing.assert_array_equal(files.read(tmp_path / "a.dcm").pixels, pixels)


@pytest.mark.parametrize("declared", [True, False])
def test_overlays_in_the_bits_above(tmp_path, declared):
    """PS3.3 C.9.2, retired: (60xx,0102) says which bit; without it the bits are unexplained."""
    pixels = ramp((4, 4), "uint16", 12)
    stored = pixels | (np.eye(4, dtype=np.uint16) << 13)
    data = pydicom.dcmread(io.BytesIO(make(stored, bits=12)))
    for element, value in ((0x0010, 4), (0x0011, 4), (0x0100, 16), (0x0102, 13 if declared else 12)):
        data.add_new((0x6000, element), "US", value)
    data.save_as(tmp_path / "a.dcm")
    if not declared:
        with pytest.raises(FormatError, match="4 pixels have values"):
            files.read(tmp_path / "a.dcm")
        return
    picture = files.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.remarks == ("bits 13 of (7FE0,0010) Pixel Data are overlays, and no part of the pixels",)


@pytest.mark.parametrize(
    ("vr", "value", "word", "shown"),
    [("US", 0, 0, 0), ("SS", -2000, 63536, 0), ("US", 63536, 63536, 4095), ("US", 65535, 65535, 4095), ("US", 7, 7, 7)],
)
def test_padding_is_known_in_the_stored_words(tmp_path, vr, value, word, shown):
    """PS3.3 C.7.5.1.1.2; its value may lie beyond BitsStored, and its VR may contradict PixelRepresentation."""
    stored = ramp((6, 5), "uint16", 12) | 64
    stored[:, :2] = word
    data = pydicom.dcmread(io.BytesIO(make(stored, bits=12)))
    data.add_new("PixelPaddingValue", vr, value)
    data.save_as(tmp_path / "a.dcm")
    picture = files.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(picture.padding, np.arange(5) < [[2]] * 6)
    assert (picture.pixels[:, :2] == shown).all()
    np.testing.assert_array_equal(picture.pixels[:, 2:], stored[:, 2:])


def test_a_range_of_padding(tmp_path):
    stored = np.arange(30, dtype=np.int16).reshape(5, 6) - 10
    data = pydicom.dcmread(io.BytesIO(make(stored)))
    data.add_new("PixelPaddingValue", "SS", -10)
    data.add_new("PixelPaddingRangeLimit", "SS", -4)
    data.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(files.read(tmp_path / "a.dcm").padding, stored <= -4)


def test_lossy_overshoot_is_clipped_and_said(tmp_path):
    frame = imagecodecs.jpeg2k_encode(np.full((8, 8), 1024, np.uint16), level=0, codecformat="j2k", bitspersample=11)
    data = make(np.zeros((8, 8), np.uint16), "1.2.840.10008.1.2.4.91", bits=10, PixelData=encapsulate([frame]))
    (tmp_path / "a.dcm").write_bytes(data)
    picture = files.read(tmp_path / "a.dcm")
    assert picture.pixels.max() == 1023
    assert "the lossy encoding overshoots, and they are clipped" in picture.remarks[0]


def several(frames, syntax=ExplicitVRLittleEndian, **more):
    data = b"".join(frame.astype(frame.dtype.newbyteorder("<")).tobytes() for frame in frames)
    return make(frames[0], syntax, NumberOfFrames=len(frames), PixelData=data + b"\0" * (len(data) % 2), **more)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless])
def test_frames_are_read_one_at_a_time(tmp_path, syntax):
    frames = [ramp((4, 5), "uint16", 12) ^ number for number in range(3)]
    (tmp_path / "a.dcm").write_bytes(several(frames, syntax, bits=12, HighBit=11))
    with pytest.raises(
        FormatError, match=r"NumberOfFrames is 3; allowed is 1 here: name one of them, FILE::1 to FILE::3"
    ):
        files.read(tmp_path / "a.dcm")
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(files.read(f"{tmp_path / 'a.dcm'}::{number + 1}").pixels, frame)
    picture = files.read(tmp_path / "a.dcm", every_frame=True)
    assert len(picture.frames) == 3
    for frame, expected in zip(picture.frames, frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, expected)
    for wrong in ("0", "4", "x"):
        with pytest.raises(FormatError, match=f"has no frame {wrong}"):
            files.read(f"{tmp_path / 'a.dcm'}::{wrong}")


def test_a_large_file_that_is_refused_costs_its_header(tmp_path):
    import tracemalloc

    with open(tmp_path / "a.dcm", "wb") as stream:
        stream.write(make(np.zeros((4000, 4000), np.uint16), SamplesPerPixel=4))
    tracemalloc.start()
    with pytest.raises(FormatError, match="SamplesPerPixel is 4"):
        files.read(tmp_path / "a.dcm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_deflated_file_cannot_grow_beyond_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr("fsrcnn_np.files.dicom.opening.MOST_HEADER", 1 << 16)
    small = make(ramp((9, 9)), DeflatedExplicitVRLittleEndian)
    (tmp_path / "a.dcm").write_bytes(small)
    np.testing.assert_array_equal(files.read(tmp_path / "a.dcm").pixels, ramp((9, 9)))
    (tmp_path / "b.dcm").write_bytes(make(ramp((9, 9)), DeflatedExplicitVRLittleEndian, PixelData=bytes(1 << 20)))
    with pytest.raises(FormatError, match="inflates to more than"):
        files.read(tmp_path / "b.dcm")


@pytest.mark.parametrize("junk", [b"\xff" * 5001, bytes(4096), b"garbage!" * 9])
def test_bytes_behind_the_pixels(tmp_path, junk):
    (tmp_path / "a.dcm").write_bytes(make(ramp((4, 4))) + junk)
    picture = files.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(picture.pixels, ramp((4, 4)))
    assert picture.remarks == (f"{len(junk)} bytes behind (7FE0,0010) Pixel Data mean nothing and are left out",)


@pytest.mark.parametrize("cut", [128, 132])
def test_meta_information_without_preamble(tmp_path, cut):
    (tmp_path / "a").write_bytes(make(ramp((4, 4)))[cut:])
    picture = files.read(tmp_path / "a")
    np.testing.assert_array_equal(picture.pixels, ramp((4, 4)))
    assert "preamble" in picture.remarks[0]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_bare_data_set_without_suffix(tmp_path, syntax):
    whole = make(ramp((4, 4)), syntax)
    (tmp_path / "IM0001").write_bytes(whole[whole.index(b"\x08\x00\x16\x00") :])
    np.testing.assert_array_equal(files.read(tmp_path / "IM0001").pixels, ramp((4, 4)))


@pytest.mark.parametrize(("name", "head"), [("a.dcm.gz", b"\x1f\x8b\x08"), ("a.zip", b"PK\3\4")])
def test_archives_are_to_be_unpacked(tmp_path, name, head):
    (tmp_path / name).write_bytes(head + bytes(200))
    with pytest.raises(FormatError, match="unpack it first"):
        files.read(tmp_path / name)


def test_what_a_sloppy_header_leaves_out_is_taken_for_the_usual(tmp_path):
    data = make(ramp((4, 4)), HighBit=None).replace(b"MONOCHROME2", b"monochrome2")
    (tmp_path / "a.dcm").write_bytes(data)
    picture = files.read(tmp_path / "a.dcm")
    assert "HighBit is missing, and taken for BitsStored − 1 = 15" in picture.remarks[0]
    assert "PhotometricInterpretation monochrome2 is read as MONOCHROME2" in picture.remarks[1]
    (tmp_path / "b.dcm").write_bytes(make(ramp((4, 4, 3), "uint8"), PlanarConfiguration=None))
    picture = files.read(tmp_path / "b.dcm")
    np.testing.assert_array_equal(picture.pixels, ramp((4, 4, 3), "uint8"))
    assert "PlanarConfiguration is missing" in picture.remarks[0]


def test_nothing_else_is_allowed(tmp_path):
    with pytest.raises(OptionError, match="allow names 'everything'; there are 'alpha', 'burned-in', 'high-bits'"):
        files.read(tmp_path / "a.dcm", allow=["everything"])


@pytest.mark.parametrize("name", ["IM000001", "1.2.840.113619.2", "a.png"])
def test_content_tells_dicom(tmp_path, name):
    (tmp_path / name).write_bytes(make(ramp((2, 2))))
    assert files.read(tmp_path / name).format == "DICOM"


def test_without_preamble_and_meta_information(tmp_path):
    whole = make(ramp((4, 4)), ImplicitVRLittleEndian)
    start = whole.index(b"\x08\x00\x16\x00")  # (0008,0016), the first after the meta information
    (tmp_path / "a.dcm").write_bytes(whole[start:])
    picture = files.read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(picture.pixels, ramp((4, 4)))
    assert "TransferSyntaxUID is missing" in picture.remarks[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PixelData": b""}, "has no (7FE0,0010) Pixel Data"),
        ({"Rows": None}, "has no (0028,0010) Rows: damaged"),
        ({"Columns": None}, "has no (0028,0011) Columns: damaged"),
        ({"BitsAllocated": None}, "has no (0028,0100) BitsAllocated: damaged"),
        ({"Rows": 0}, "(7FE0,0010) Pixel Data: the header says 0×4 pixels"),
        ({"Rows": 60000, "Columns": 60000}, "(7FE0,0010) Pixel Data: the header says 60000×60000 pixels; allowed are"),
        (
            {"Rows": 5000},
            "(7FE0,0010) Pixel Data: truncated: the header says 5000×4 pixels, but the file has only 32 bytes",
        ),
        ({"BitsStored": 17}, "(0028,0101) BitsStored is 17; allowed is 1 to 16"),
        ({"BitsStored": 12}, "(0028,0102) HighBit is 15; allowed is Bits Stored − 1 = 11"),
        ({"BitsStored": None}, "(0028,0101) BitsStored is missing"),
        ({"PixelRepresentation": None}, "(0028,0103) PixelRepresentation is missing; allowed is 0 and 1"),
        ({"PhotometricInterpretation": "HSV"}, "(0028,0004) PhotometricInterpretation is HSV; allowed is MONOCHROME1,"),
        ({"PhotometricInterpretation": None}, "(0028,0004) PhotometricInterpretation is missing"),
        (
            {"PhotometricInterpretation": "YBR_FULL", "SamplesPerPixel": 3},
            "(0028,0100) BitsAllocated is 16; allowed is 8 with YBR_FULL colours",
        ),
        (
            {"PhotometricInterpretation": "RGB"},
            "(0028,0002) SamplesPerPixel is 1; allowed is 3 with (0028,0004) PhotometricInterpretation RGB",
        ),
        ({"NumberOfFrames": 9, "PixelData": bytes(100)}, "(7FE0,0010) Pixel Data: truncated: the header says 9 frames"),
        ({"SamplesPerPixel": 4}, "(0028,0002) SamplesPerPixel is 4; allowed is 1 and 3"),
        ({"SamplesPerPixel": None}, "(0028,0002) SamplesPerPixel is missing"),
        ({"NumberOfFrames": 3, "PixelData": bytes(96)}, "(0028,0008) NumberOfFrames is 3; allowed is 1 here"),
        (
            {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11},
            "(0028,0100) BitsAllocated is 12; allowed is 8, 16 and 32",
        ),
    ],
)
def test_what_is_refused_names_its_tag(tmp_path, change, message):
    (tmp_path / "a.dcm").write_bytes(make(ramp((4, 4)), **change))
    with pytest.raises(FormatError) as caught:
        files.read(tmp_path / "a.dcm")
    assert str(caught.value).startswith(f"{tmp_path / 'a.dcm'}: {message}")


def test_unknown_transfer_syntax(tmp_path):
    data = make(ramp((4, 4))).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(FormatError, match=r"\(0002,0010\) TransferSyntaxUID is 1\.2\.840\.10008\.1\.2\.9"):
        files.read(tmp_path / "a.dcm")


@pytest.mark.parametrize("name", ["a.dcm", "b.dicom"])
def test_garbage(tmp_path, name):
    for data in (bytes(500), b"GIF89a" * 50, np.random.default_rng(0).bytes(3000)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=name):
            files.read(tmp_path / name)


def test_truncated_anywhere(tmp_path):
    whole = make(ramp((9, 9)))
    for length in range(1, len(whole) - 1, 7):
        (tmp_path / "a.dcm").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            files.read(tmp_path / "a.dcm")


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, RLELossless, JPEGLSLossless])
def test_encapsulated_pixels_truncated_anywhere(tmp_path, syntax):
    pixels = ramp((32, 32), "uint8")
    encoded = {JPEGLosslessSV1: imagecodecs.ljpeg_encode, JPEGLSLossless: imagecodecs.jpegls_encode}
    more = {} if syntax == RLELossless else {"PixelData": encapsulate([encoded[syntax](pixels)])}
    whole = make(pixels, syntax, **more)
    for length in range(len(whole) - 300, len(whole) - 8, 13):
        (tmp_path / "a.dcm").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            files.read(tmp_path / "a.dcm")


def test_a_jpeg_ls_stream_without_its_end(tmp_path):
    """The decoder would sit over it for half a minute."""
    pixels = np.random.default_rng(0).integers(0, 16, (128, 128)).astype(np.uint8)
    frame = imagecodecs.jpegls_encode(pixels)
    data = make(pixels, JPEGLSLossless, PixelData=encapsulate([frame[: len(frame) // 2]]))
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(FormatError, match="truncated: its JPEG-LS stream has no end"):
        files.read(tmp_path / "a.dcm")


def test_a_missing_decoder_is_named(tmp_path, monkeypatch):
    pixels = ramp((4, 4))
    data = make(pixels, JPEGLSLossless, PixelData=encapsulate([imagecodecs.jpegls_encode(pixels)]))
    (tmp_path / "a.dcm").write_bytes(data)

    def without(*arguments, **options):
        raise RuntimeError("Unable to decompress: all plugins are missing dependencies:\n\tpylibjpeg - requires …")

    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.as_array", without)
    with pytest.raises(MissingExtraError, match=r"JPEG-LS .* needs a decoder: pip install 'fsrcnn-np\[dicom\]'"):
        files.read(tmp_path / "a.dcm")


def test_values_that_break_the_rules_are_no_news(tmp_path, caplog, recwarn):
    data = make(ramp((4, 4)), PatientName="x")
    data = data.replace(b"\x08\x00\x18\x00UI\x08\x001.2.3.4\0", b"\x08\x00\x18\x00UI\x08\x001.2.x.4\0")
    (tmp_path / "a.dcm").write_bytes(data)
    with caplog.at_level(logging.WARNING):
        files.read(tmp_path / "a.dcm")
    assert not recwarn.list
    assert not caplog.records


def test_more_frames_than_are_said(tmp_path):
    """The first came out, the others were lost in silence."""
    path, pixels = tmp_path / "a.dcm", ramp((8, 6), bits=12)
    words = pixels.tobytes()
    wanted = "(7FE0,0010) Pixel Data holds {} frames, and (0028,0008) NumberOfFrames says {}; correct it"
    for frames, count in ((2, None), (3, 2), (2, 1)):
        said = {} if count is None else {"NumberOfFrames": count}
        path.write_bytes(make(pixels, PixelData=words * frames, **said))
        with pytest.raises(FormatError, match=re.escape(wanted.format(frames, count or 1))):
            files.read(path, every_frame=True)
    path.write_bytes(make(pixels, PixelData=words + words[:10]))
    np.testing.assert_array_equal(files.read(path).pixels, pixels)
    frame = imagecodecs.ljpeg_encode(pixels, bitspersample=12)
    for table, number in ((True, 1), (False, 1), (True, 3)):
        path.write_bytes(make(pixels, JPEGLosslessSV1, PixelData=encapsulate([frame] * number, 2, has_bot=table)))
        if number == 1:
            np.testing.assert_array_equal(files.read(path).pixels, pixels)
        else:
            with pytest.raises(FormatError, match=re.escape(wanted.format(number, 1))):
                files.read(path)
    path.write_bytes(make(pixels, JPEGLosslessSV1, PixelData=encapsulate([frame, frame], has_bot=False)))
    with pytest.raises(FormatError, match=re.escape(wanted.format(2, 1))):
        files.read(path)


def test_full_chroma_that_is_called_subsampled(tmp_path):
    """Its colours came out wrong, in silence."""
    colours = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    (tmp_path / "a.dcm").write_bytes(make(colours, PhotometricInterpretation="YBR_FULL_422"))
    with pytest.raises(FormatError, match=r"has the length of .0028,0004. PhotometricInterpretation YBR_FULL, and"):
        files.read(tmp_path / "a.dcm")
