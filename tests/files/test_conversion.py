"""Another suffix is another format: what it can hold stays, what it cannot is said or refused."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import fsrcnn_np
from fsrcnn_np import files
from fsrcnn_np.cli import main

GREY8 = np.arange(6 * 9, dtype=np.uint8).reshape(6, 9) * 4
GREY16 = GREY8.astype(np.uint16) * 300
COLOUR8 = np.dstack([GREY8, GREY8 + 1, GREY8 + 2])
LOSSLESS = ("png", "tif", "pnm", "bmp", "npy", "h5", "jp2", "pcx", "tga")
EIGHT_BITS = {"bmp": "BMP", "pcx": "PCX", "tga": "TGA"}


def converted(folder: Path, source: str, target: str, pixels) -> tuple[files.Picture, tuple[str, ...]]:
    """Written, and sent through another format."""
    files.write(folder / source, pixels)
    like = files.read(folder / source)
    remarks = files.write(folder / target, like.pixels, like=like)
    return files.read(folder / target), tuple(remarks)


@pytest.mark.parametrize("target", LOSSLESS)
@pytest.mark.parametrize("source", LOSSLESS)
@pytest.mark.parametrize("pixels", [GREY8, GREY16, COLOUR8], ids=["grey8", "grey16", "colour8"])
def test_every_pair_keeps_the_pixels_or_refuses(tmp_path, source, target, pixels):
    if source in EIGHT_BITS and pixels.dtype == np.uint16:
        pixels = GREY8
    if target in EIGHT_BITS and pixels.dtype == np.uint16:
        with pytest.raises(fsrcnn_np.FormatError, match=f"{EIGHT_BITS[target]} cannot hold uint16"):
            converted(tmp_path, f"a.{source}", f"b.{target}", pixels)
        assert not (tmp_path / f"b.{target}").exists()
        return
    found, remarks = converted(tmp_path, f"a.{source}", f"b.{target}", pixels)
    assert np.array_equal(found.pixels, pixels)
    assert found.pixels.dtype == pixels.dtype
    assert found.data_range is None
    assert not remarks
    assert (tmp_path / f"b.{target}").read_bytes()[:4] != (tmp_path / f"a.{source}").read_bytes()[
        :4
    ] or source == target


def test_the_library_s_file_is_what_its_name_says(tmp_path):
    files.write(tmp_path / "a.png", GREY16)
    done = fsrcnn_np.upscale_file(tmp_path / "a.png", tmp_path / "b.tif")
    assert (tmp_path / "b.tif").read_bytes()[:2] in (b"II", b"MM")
    assert np.array_equal(fsrcnn_np.read(tmp_path / "b.tif").pixels, fsrcnn_np.upscale(GREY16))
    assert not [remark for remark in done.remarks if "left out" in remark]


@pytest.mark.parametrize(
    ("pixels", "target", "told"),
    [
        (GREY16, "b.jpg", "JPEG cannot hold uint16; it holds uint8"),
        (GREY16, "b.dcm", "only derived from a DICOM, not from TIFF"),
        (GREY16, "b.webpp", "its suffix names no known format"),
        (GREY16.astype(np.float32) / 65535, "b.png", "PNG cannot hold float32"),
        (GREY16.astype(np.int16), "b.pgm", "cannot hold int16"),
        (COLOUR8, "b.pgm", ".pgm does not hold RGB; write .ppm"),
        (GREY8, "b.ppm", ".ppm does not hold grey; write .pgm"),
        (GREY8, "b.png::/x", "has no dataset /x"),
    ],
)
def test_refused_in_one_line_before_anything_is_computed(tmp_path, monkeypatch, pixels, target, told):
    files.write(tmp_path / "a.tif", pixels)
    monkeypatch.setattr("fsrcnn_np.pipeline._upscale", lambda *_: pytest.fail("computed in vain"))
    with pytest.raises(fsrcnn_np.FormatError, match=told) as error:
        fsrcnn_np.upscale_file(tmp_path / "a.tif", tmp_path / target)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(tmp_path / target.partition("::")[0]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_declared_bits_stay_where_the_format_can_say_them(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P2 3 2 4095 0 1 2 3 4 4095")
    like = fsrcnn_np.read(tmp_path / "a.pgm")
    assert files.write(tmp_path / "b.tif", like.pixels, like=like) == []
    found = fsrcnn_np.read(tmp_path / "b.tif")
    assert (found.data_range, found.data_range_origin) == (4095, "BitsPerSample 12")
    assert np.array_equal(found.pixels, like.pixels)
    assert files.write(tmp_path / "c.pgm", found.pixels, like=found) == []
    assert fsrcnn_np.read(tmp_path / "c.pgm").data_range == 4095
    assert files.write(tmp_path / "d.jp2", like.pixels, like=like) == []
    found = fsrcnn_np.read(tmp_path / "d.jp2")
    assert found.data_range == 4095
    assert np.array_equal(found.pixels, like.pixels)
    assert files.write(tmp_path / "e.tif", found.pixels, like=found) == []
    assert fsrcnn_np.read(tmp_path / "e.tif").data_range == 4095
    for suffix in ("png", "npy", "h5"):
        (told,) = files.write(tmp_path / f"b.{suffix}", like.pixels, like=like)
        assert "0..4095 (maxval 4095)" in told
        assert "--data-range 4095" in told


def test_webp_and_gif(tmp_path):
    files.write(tmp_path / "a.png", COLOUR8)
    like = fsrcnn_np.read(tmp_path / "a.png")
    assert files.write(tmp_path / "b.webp", COLOUR8, like=like) == []
    assert np.array_equal(fsrcnn_np.read(tmp_path / "b.webp").pixels, COLOUR8)
    with pytest.raises(fsrcnn_np.FormatError, match="GIF holds no more than 256 colours"):
        files.check_target(tmp_path / "b.gif", like)
    files.write(tmp_path / "grey.png", GREY8)
    grey = fsrcnn_np.read(tmp_path / "grey.png")
    assert files.write(tmp_path / "b.gif", GREY8, like=grey) == []
    assert np.array_equal(fsrcnn_np.read(tmp_path / "b.gif").pixels, GREY8)


def test_a_maxval_of_no_whole_bits(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P2 2 1 1000 0 1000")
    like = fsrcnn_np.read(tmp_path / "a.pgm")
    (told,) = files.write(tmp_path / "b.tif", like.pixels, like=like)
    assert "0..1000" in told
    assert fsrcnn_np.read(tmp_path / "b.tif").data_range is None


def test_resolution_goes_over_and_texts_are_named(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(GREY8).save(tmp_path / "a.jpg", dpi=(254, 254), exif=exif, icc_profile=b"profile")
    done = fsrcnn_np.upscale_file(tmp_path / "a.jpg", tmp_path / "b.png")
    assert any("left out in PNG: exif, icc_profile" in remark for remark in done.remarks)
    files.write(tmp_path / "a.png", GREY8)
    with Image.open(tmp_path / "a.png") as image:
        image.save(tmp_path / "c.png", dpi=(254, 254))
    like = fsrcnn_np.read(tmp_path / "c.png")
    assert like.pixel_spacing == pytest.approx((0.1, 0.1))
    assert files.write(tmp_path / "d.tif", like.pixels, like=like) == []
    again = fsrcnn_np.read(tmp_path / "d.tif")
    assert again.pixel_spacing == pytest.approx((0.1, 0.1))
    assert files.write(tmp_path / "e.png", again.pixels, like=again) == []
    assert fsrcnn_np.read(tmp_path / "e.png").pixel_spacing == pytest.approx((0.1, 0.1))
    (told,) = files.write(tmp_path / "f.npy", again.pixels, like=again)
    assert "pixel spacing" in told


def mammogram(path: Path, photometric: str) -> files.Picture:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.PatientName = "Doe^Jane"
    dataset.Rows, dataset.Columns = GREY8.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, photometric
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = (GREY8.astype(np.uint16) * 16).tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return fsrcnn_np.read(path)


def test_out_of_dicom(tmp_path):
    like = mammogram(tmp_path / "a.dcm", "MONOCHROME1")
    remarks = files.write(tmp_path / "b.png", like.pixels, like=like)
    assert any("patient, study and acquisition" in remark for remark in remarks)
    assert any("0..4095 (BitsStored 12)" in remark for remark in remarks)
    assert any("negative" in remark for remark in remarks)
    (told,) = files.write(tmp_path / "b.tif", like.pixels, like=like)
    assert "patient" in told
    found = fsrcnn_np.read(tmp_path / "b.tif")
    assert (found.data_range, found.inverted) == (4095, True)
    assert np.array_equal(found.pixels, like.pixels)
    assert b"Doe" not in (tmp_path / "b.tif").read_bytes() + (tmp_path / "b.png").read_bytes()


def test_the_name_kept_keeps_the_format(tmp_path):
    """A file whose name lies, and one without a suffix, come back as what they are."""
    files.write(tmp_path / "right.tif", GREY16)
    for name in ("a.png", "IM0001", "1.2.840.7"):
        (tmp_path / name).write_bytes((tmp_path / "right.tif").read_bytes())
        done = fsrcnn_np.upscale_file(tmp_path / name, tmp_path / "out" / name)
        assert fsrcnn_np.read(done.path).format == "TIFF"
        assert any("whatever its name says" in remark for remark in done.remarks) == (name == "a.png")


def test_the_command_writes_the_file_that_is_named(tmp_path, capsys):
    files.write(tmp_path / "a.png", GREY16)
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "new" / "b.tif")]) == 0
    assert str(tmp_path / "new" / "b.tif") in capsys.readouterr().out
    assert fsrcnn_np.read(tmp_path / "new" / "b.tif").format == "TIFF"
    assert main(["upscale", str(tmp_path / "a.png"), "-o", f"{tmp_path / 'b.h5'}::/large"]) == 0
    assert fsrcnn_np.read(f"{tmp_path / 'b.h5'}::/large").pixels.shape == (12, 18)
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "b.jpg")]) == 1
    assert "JPEG cannot hold uint16" in capsys.readouterr().err
    (tmp_path / "folder.png").mkdir()
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "folder.png")]) == 0
    assert fsrcnn_np.read(tmp_path / "folder.png" / "a.png").pixels.shape == (12, 18)


def test_one_file_for_several_inputs_is_wrong_usage(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        files.write(tmp_path / name, GREY8)
    assert main(["upscale", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "-o", str(tmp_path / "c.tif")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "c.tif names a file, but 2 inputs were found; give a folder" in said
    assert not (tmp_path / "c.tif").exists()
