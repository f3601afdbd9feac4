"""What made a file: in it, the same on every run, beside what was there already; and what a rerun does with it."""

import json
import struct
import zlib

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

import fsrcnn_np
from fsrcnn_np import files
from fsrcnn_np.cli import main
from fsrcnn_np.files.xmp import packet, text_in, without

WITH_PLACE = ("png", "tif", "jp2", "jpg", "webp", "gif", "h5")
WITHOUT = ("npy", "pgm", "bmp", "pcx", "tga")


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 200, (12, 14), np.uint8)


def upscaled(source, target, **options):
    return fsrcnn_np.upscale_file(source, target, weights=options.pop("weights", "x2-small"), **options)


@pytest.mark.parametrize("suffix", WITH_PLACE)
def test_every_place(suffix, image, tmp_path):
    source, target, again = (tmp_path / f"{name}.{suffix}" for name in ("a", "b", "c"))
    files.write(source, image)
    assert fsrcnn_np.provenance(source) is None
    done = upscaled(source, target)
    found = fsrcnn_np.provenance(target)
    assert found.sha256 == fsrcnn_np.load_weights("x2-small").sha256
    assert (found.source_sha256, str(found.value_range)) == (done.provenance.source_sha256, "0..255 (uint8)")
    assert (found.version, found.scale, found.engine) == (fsrcnn_np.__version__, 2, "llvm")
    upscaled(source, again)
    assert again.read_bytes() == target.read_bytes()
    assert str(tmp_path).encode() not in target.read_bytes()
    with pytest.raises(files.OutputExists, match="is kept"):
        upscaled(source, target)
    before = target.read_bytes()
    with pytest.raises(files.OutputDiffers, match=r"model .* → .*, range 0\.\.255 \(uint8\) → 0\.\.240 \(data_range\)"):
        upscaled(source, target, weights="x2", data_range=240)
    assert target.read_bytes() == before
    upscaled(source, target, data_range=240, overwrite=True)
    assert str(fsrcnn_np.provenance(target).value_range) == "0..240 (data_range)"
    files.write(source, 255 - image, overwrite=True)
    with pytest.raises(files.OutputDiffers, match="the source changed"):
        upscaled(source, target, data_range=240)
    target.write_bytes(before[:-20])
    with pytest.raises(files.OutputDiffers, match=r"truncated|damaged"):
        upscaled(source, target)


@pytest.mark.parametrize("suffix", WITHOUT)
def test_beside_what_has_no_place(suffix, image, tmp_path, capsys):
    source, target = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    files.write(source, image)
    upscaled(source, target)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [source.name, target.name]
    with pytest.raises(files.OutputDiffers, match=r"does not say what made it.*: --sidecar \(sidecar=True\)"):
        upscaled(source, target)
    upscaled(source, target, sidecar=True, overwrite=True)
    assert fsrcnn_np.provenance(target).source_sha256
    with pytest.raises(files.OutputExists):
        upscaled(source, target)
    target.write_bytes(target.read_bytes()[:-1])
    with pytest.raises(files.OutputDiffers, match="of another content"):
        upscaled(source, target)


def test_options_of_the_command(image, tmp_path, capsys):
    source, out = tmp_path / "a.png", tmp_path / "out"
    files.write(source, image)
    command = ["upscale", str(source), "-o", str(out), "--weights", "x2-small"]
    assert main(command) == 0
    assert main([*command, "--allow", "alpha"]) == 0  # it only admits more files
    assert "kept" in capsys.readouterr().out
    assert main([*command, "--engine", "reference"]) == 1
    assert "engine llvm → reference" in capsys.readouterr().err
    assert main(["provenance", str(out / "a.png"), "--json"]) == 0
    record, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert record["value_range"]["high"] == 255
    assert summary["summary"]["told"] == 1
    assert main(["provenance", str(out / "a.png"), str(source), str(tmp_path / "none.png")]) == 1
    said = capsys.readouterr()
    assert "source_sha256" in said.out
    assert len(said.err.splitlines()) == 2
    (out / "a.png").write_bytes(b"mine")
    assert main(command) == 1
    assert "there already" in capsys.readouterr().err


def test_the_files_own_range_given_by_hand(image, tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    files.write(source, image)
    upscaled(source, target, data_range=255)
    with pytest.raises(files.OutputExists):
        upscaled(source, target)


def test_another_version_and_an_edit(image, tmp_path, monkeypatch):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    files.write(source, image)
    upscaled(source, target)
    with monkeypatch.context() as changed:
        changed.setattr("fsrcnn_np.version.__version__", "99.0")
        with pytest.raises(files.OutputDiffers, match=r"made by fsrcnn-np .*, this is 99\.0"):
            upscaled(source, target)
    data = target.read_bytes()
    start = data.index(b"iTXt") - 4
    (length,) = struct.unpack_from(">I", data, start)
    body = data[start + 4 : start + 8 + length].replace(b'"scale":2', b'"scale":3')
    edited = data[: start + 4] + body + struct.pack(">I", zlib.crc32(body)) + data[start + 12 + length :]
    target.write_bytes(edited)
    with pytest.raises(fsrcnn_np.FormatError, match="was edited"):
        fsrcnn_np.provenance(target)
    with pytest.raises(files.OutputDiffers, match="was edited"):
        upscaled(source, target)


def test_the_originals_own_texts_stay(image, tmp_path):
    theirs = packet("x").replace(b"fsrcnn:provenance>x<", b"dc:title>theirs<").replace(b"urn:fsrcnn-np:1/", b"urn:dc")
    tifffile.imwrite(
        tmp_path / "a.tif", image, description="theirs", metadata=None, extratags=[(700, 1, len(theirs), theirs, True)]
    )
    Image.fromarray(image).save(tmp_path / "a.jpg", comment=b"theirs")
    Image.fromarray(image).save(tmp_path / "a.gif", comment=b"theirs")
    files.write(tmp_path / "a.h5", image)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["image"].attrs["said"] = "theirs"
    for suffix in ("tif", "jpg", "gif", "h5"):
        upscaled(tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}")
        upscaled(tmp_path / f"b.{suffix}", tmp_path / f"c.{suffix}", data_range=250)  # and of ours no more than one
        assert str(fsrcnn_np.provenance(tmp_path / f"c.{suffix}").value_range) == "0..250 (data_range)"
    with tifffile.TiffFile(tmp_path / "c.tif") as file:
        tags = file.pages[0].tags
        assert tags[270].value == "theirs"
        assert without(tags[700].value) == theirs
        assert text_in(tags[700].value)
    with Image.open(tmp_path / "c.jpg") as jpeg, Image.open(tmp_path / "c.gif") as gif:
        assert jpeg.info["comment"] == b"theirs"
        assert gif.info["comment"].endswith(b"\ntheirs")
    with h5py.File(tmp_path / "c.h5") as file:
        assert file["image"].attrs["said"] == "theirs"


def test_codestreams_of_jpeg_2000(image, tmp_path):
    (tmp_path / "a.j2k").write_bytes(imagecodecs.jpeg2k_encode(image, level=0, codecformat="j2k", reversible=True))
    upscaled(tmp_path / "a.j2k", tmp_path / "b.j2k")
    assert fsrcnn_np.provenance(tmp_path / "b.j2k").scale == 2
    np.testing.assert_array_equal(
        imagecodecs.jpeg2k_decode((tmp_path / "b.j2k").read_bytes()), fsrcnn_np.upscale(image, weights="x2-small")
    )


def test_xmp_that_cannot_be_added_to():
    assert packet("text", b"no packet") is None
    assert packet("text", b"\xff\xfe") is None
    assert without(packet("a < b")) == b""
    assert text_in(packet("a < b")) == "a < b"


def test_what_has_a_place_needs_no_sidecar(image, tmp_path, capsys):
    source = tmp_path / "a.png"
    files.write(source, image)
    with pytest.raises(files.OutputDiffers, match="does not say what made it") as caught:
        upscaled(source, files.write(tmp_path / "b.png", image) or tmp_path / "b.png")
    assert "sidecar" not in str(caught.value)


def test_lists_are_told_in_words(image, tmp_path, capsys):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    files.write(source, image)
    upscaled(source, target)
    assert main(["provenance", str(target)]) == 0
    out = capsys.readouterr().out
    assert "engine" in out
    assert "settings" not in out
    assert "()" not in out


def test_an_output_folder_that_is_none(image, tmp_path, capsys):
    source = tmp_path / "a.png"
    files.write(source, image)
    assert main(["upscale", str(source), "-o", f"{source}/"]) == 1
    assert f"cannot be written: {source} is no folder; give one" in capsys.readouterr().err
