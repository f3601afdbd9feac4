"""Inputs that cannot be read, get shorter or change meanwhile, or of which a library has something to say."""

import errno
import shutil
import struct
import zlib

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import scipy.io
import tifffile
from faulty import run

from fsrcnn_np import files, upscale_file
from fsrcnn_np.errors import FileError, FormatError
from pacs_peers import mammogram, save

IMAGE = np.random.default_rng(0).integers(0, 256, (160, 150), np.uint8)
KINDS = ("png", "tif", "npy", "h5", "jpg", "bmp", "pgm", "jp2", "npz", "mat", "dcm")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for kind in KINDS:
        path = folder / f"picture.{kind}"
        if kind == "h5":
            with h5py.File(path, "w") as file:
                file["image"] = IMAGE
        elif kind == "npz":
            np.savez(path, IMAGE)
        elif kind == "mat":
            scipy.io.savemat(path, {"image": IMAGE})
        elif kind == "dcm":
            save(mammogram(1, shape=(100, 110)), path)
        elif kind == "tif":
            tifffile.imwrite(path, IMAGE)
        else:
            files.write(path, IMAGE)
    return folder


@pytest.mark.parametrize("before", [0, 15000])
def test_a_disk_that_fails(before, pictures):
    """One line for each, with the system's words."""
    status, out, said = run("piqe_np", *sorted(pictures.iterdir()), READ=f"{errno.EIO}:{before}:{pictures}/")
    assert (status, out) == (1, "")
    *lines, summary = said.splitlines()
    for path, line in zip(sorted(pictures.iterdir()), lines, strict=True):
        assert line.startswith(f"piqe-np: {path}: ")
        assert "Input/output error" in line
    assert f"0 scored, 0 kept, 0 skipped, {len(lines)} failed" in summary


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "h5", "dcm"])
def test_a_file_that_gets_shorter_while_it_is_read(kind, pictures, tmp_path):
    """A memory map would end the process (SIGBUS)."""
    path = shutil.copy(pictures / f"picture.{kind}", tmp_path)
    size = (pictures / f"picture.{kind}").stat().st_size
    status, out, said = run("piqe_np", path, RESIZE=f"{size // 2}:14000:{path}")
    assert (status, out) == (1, "")
    assert len(said.splitlines()) == 1
    assert said.startswith(f"piqe-np: {path}: ")


@pytest.mark.parametrize("kind", ["png", "npy", "dcm"])
def test_a_file_that_changes_between_its_sum_and_its_pixels(kind, pictures, tmp_path):
    path = shutil.copy(pictures / f"picture.{kind}", tmp_path)
    size = (pictures / f"picture.{kind}").stat().st_size
    status, _, said = run("fsrcnn_np", "upscale", path, "-o", tmp_path / "out", RESIZE=f"{size + 2}:300000:{path}")
    assert status == 1
    assert said == f"fsrcnn-np: {path}: changed while it was read; run it again when nobody writes it any more\n"
    assert not (tmp_path / "out").exists()


def test_a_frame_that_changes_before_the_next(tmp_path, monkeypatch):
    """Frames are read one after the other while the output is written: it does not appear."""
    path = tmp_path / "frames.dcm"
    dataset = mammogram(1, shape=(24, 20), fill=np.arange(960, dtype=np.uint16))
    dataset.NumberOfFrames = 2
    save(dataset, path)
    real = files.Frame

    def touched(*arguments, **options):
        path.write_bytes(path.read_bytes() + b"\0\0")
        return real(*arguments, **options)

    assert upscale_file(path, tmp_path / "whole.dcm").shape == (2, 48, 40)
    monkeypatch.setattr("fsrcnn_np.files.dicom.reading.Frame", touched)
    with pytest.raises(FileError, match="changed while it was read"):
        upscale_file(path, tmp_path / "out.dcm")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["frames.dcm", "whole.dcm"]


def test_inputs_that_vanish(picture, tmp_path):
    """Between the listing and the reading: the others are done."""
    shutil.copy(picture, picture.with_name("z.png"))
    listed = files.find_inputs([picture.parent])
    picture.unlink()
    assert [one.name for one in listed] == ["picture.png", "z.png"]
    with pytest.raises(FileError, match=r"picture\.png: there is no such file"):
        upscale_file(listed[0].path, tmp_path / "out.png")
    upscale_file(listed[1].path, tmp_path / "out.png")


def png(*chunks):
    def whole(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = (b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole(*chunk) for chunk in (head, *chunks, (b"IEND", b"")))


def test_a_library_s_own_lines(tmp_path, capfd):
    """What libpng warns of is a remark, not a line of its own on standard error."""
    rows = b"".join(b"\0" + bytes(range(20)) for _ in range(25))
    cases = {
        "more": [(b"IDAT", zlib.compress(rows))],
        "profile": [(b"iCCP", b"x\0\0abc"), (b"IDAT", zlib.compress(rows[:420]))],
    }
    remarks = {}
    for name, chunks in cases.items():
        (tmp_path / f"{name}.png").write_bytes(png(*chunks))
        remarks[name] = files.read(tmp_path / f"{name}.png").remarks
    assert remarks == {
        "more": ("libpng warns: IDAT: Too much image data",), "profile": ("libpng warns: iCCP: too short",),
    }  # fmt: skip
    (tmp_path / "none.png").write_bytes(png())
    with pytest.raises(FormatError, match=r"holds no pixels \(no chunk IDAT\)"):
        files.read(tmp_path / "none.png")
    image = iio.imread(tmp_path / "more.png")
    assert np.array_equal(files.read(tmp_path / "more.png").pixels, image)
    assert capfd.readouterr() == ("", "")
