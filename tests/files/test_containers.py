"""One array out of .npz and .mat, which people bring to `piqe-np`; read, not written."""

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from fsrcnn_np import FormatError, OptionError, files, piqe_cli, upscale_file
from fsrcnn_np.cli import main
from fsrcnn_np.study.cohort import read_cohort
from piqe_np import piqe


def image(dtype="uint8", shape=(20, 30)):
    return (np.random.default_rng(0).random(shape) * 250).astype(dtype)


def save73(path, **variables):
    """As MATLAB's save -v7.3: 512 bytes of its own first, dimensions reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            made = file.create_dataset(name, data=np.asarray(value).T)
            kind = {"float64": "double", "float32": "single"}.get(
                np.asarray(value).dtype.name, np.asarray(value).dtype.name
            )
            made.attrs["MATLAB_class"] = np.bytes_(kind)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_one_array(tmp_path, dtype, shape):
    pixels = image(dtype, shape)
    np.savez(tmp_path / "a.npz", pixels)
    np.savez_compressed(tmp_path / "b.npz", named=pixels)
    scipy.io.savemat(tmp_path / "c.mat", {"A": pixels, "n": 3.0, "note": "text"}, do_compression=True)
    save73(tmp_path / "d.mat", A=pixels)
    for name in ("a.npz", "b.npz", "c.mat", "d.mat"):
        picture = files.read(tmp_path / name)
        assert picture.pixels.dtype == dtype
        np.testing.assert_array_equal(picture.pixels, pixels)


def test_several_arrays_are_named(tmp_path):
    one, other = image(), image()[::-1]
    np.savez(tmp_path / "a.npz", one=one, other=other)
    scipy.io.savemat(tmp_path / "b.mat", {"one": one, "other": other})
    save73(tmp_path / "c.mat", one=one, other=other)
    for name in ("a.npz", "b.mat", "c.mat"):
        with pytest.raises(FormatError, match=r"found 2 (arrays|images) \(one, other\); say which: FILE::one"):
            files.read(tmp_path / name)
        np.testing.assert_array_equal(files.read(f"{tmp_path / name}::other").pixels, other)
        with pytest.raises(FormatError, match="has no third"):
            files.read(f"{tmp_path / name}::third")


def test_pickles_texts_and_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", np.array([{}], object))
    with pytest.raises(FormatError, match="pickles"):
        files.read(tmp_path / "a.npz")
    scipy.io.savemat(tmp_path / "b.mat", {"note": "text", "cell": np.array([1, "x"], object)})
    with pytest.raises(FormatError, match="found no images in it"):
        files.read(tmp_path / "b.mat")
    (tmp_path / "c.npz").write_bytes(b"PK\3\4" + bytes(40))
    with pytest.raises(FormatError, match="damaged or unreadable"):
        files.read(tmp_path / "c.npz")


def test_truncated_anywhere(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", image())
    scipy.io.savemat(tmp_path / "b.mat", {"A": image()}, do_compression=True)
    for name in ("a.npz", "b.mat"):
        whole = (tmp_path / name).read_bytes()
        for length in range(140, len(whole) - 1, 41):
            (tmp_path / f"cut{name}").write_bytes(whole[:length])
            with pytest.raises(FormatError):
                files.read(tmp_path / f"cut{name}")


def test_they_are_not_written(tmp_path):
    np.savez(tmp_path / "a.npz", image())
    with pytest.raises(FormatError, match="is read, but not written"):
        upscale_file(tmp_path / "a.npz", tmp_path / "b.npz")
    upscale_file(tmp_path / "a.npz", tmp_path / "b.npy")
    assert np.load(tmp_path / "b.npy").shape == (40, 60)


def test_folders_do_not_bring_them(tmp_path):
    np.savez(tmp_path / "weights.npz", image())
    Image.fromarray(image()).save(tmp_path / "a.png")
    image_, other = files.find_inputs([tmp_path])
    assert (image_.name, other.skipped) == ("a.png", True)
    assert other.error.endswith(
        "weights.npz: may be a model or a table, so it is not taken out of a folder; name it if it is an image"
    )
    assert len(files.find_inputs([tmp_path], suffixes=[".png"])) == 1
    cohort = read_cohort(tmp_path)
    assert [(one.skipped, str(one).endswith("; skipped")) for one in cohort.left_out] == [(True, True)]


def test_what_can_be_written_is_what_is_listed(tmp_path, capsys):
    Image.fromarray(image()).save(tmp_path / "a.png")
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "b.dat")]) == 2
    said = capsys.readouterr().err
    assert ".npy" in said
    assert ".npz" not in said
    assert ".mat" not in said
    with pytest.raises(FormatError, match=r"allowed are .png.*\.npy, \.h5"):
        upscale_file(tmp_path / "a.png", tmp_path / "b.dat")
    assert {*files.SUFFIXES} - {*files.WRITTEN} == {".npz", ".mat"}


def test_piqe_leaves_transparency_out_as_imread_does(tmp_path, capsys):
    rgba = np.dstack([image(shape=(40, 50, 3)), np.full((40, 50), 9, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert piqe_cli.main([str(tmp_path / "a.png")]) == 0
    said = capsys.readouterr()
    assert f"{piqe(rgba[..., :3].copy()).score:.4f}" in said.out
    assert "its alpha channel, with transparent pixels, is left out" in said.err
    with pytest.raises(FormatError, match=r"transparent pixels.*--allow alpha \(allow=\['alpha'\]\)"):
        files.read(tmp_path / "a.png")
    np.testing.assert_array_equal(files.read(tmp_path / "a.png", allow=["alpha"]).pixels, rgba[..., :3])
    with pytest.raises(OptionError):
        files.read(tmp_path / "a.png", allow=["beta"])


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_orientation_is_remarked(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image()).save(tmp_path / "a.jpg", exif=exif)
    said = [remark for remark in files.read(tmp_path / "a.jpg").remarks if "Exif orientation is 6" in remark]
    assert len(said) == (orientation == 6)


def test_a_newline_in_a_name_is_quoted_in_csv(tmp_path, capsys):
    Image.fromarray(image()).save(tmp_path / "a\nb.png")
    assert piqe_cli.main([str(tmp_path / "a\nb.png"), "--csv"]) == 0
    assert 'a\nb.png"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "called"),
    [
        (np.ones((2, 3), bool), "logical 2×3"), (np.ones((2, 3), np.int32), "int32 2×3"), ("words", "char"),
        (np.ones((2, 3)) * 1j, "complex128 2×3"), ({"a": 1.0}, "struct"), (np.zeros((0, 3)), "float64 0×3"),
    ],
)  # fmt: skip
def test_variables_that_are_no_images_are_named_with_their_class(tmp_path, value, called):
    scipy.io.savemat(tmp_path / "a.mat", {"x": value})
    with pytest.raises(FormatError, match=rf"found no images in it, but x \({called}\).*NAME = uint16\(NAME\)"):
        files.read(tmp_path / "a.mat")
    scipy.io.savemat(tmp_path / "a.mat", {"x": value, "picture": np.ones((4, 5))})
    with pytest.raises(FormatError, match=rf"found x \({called}\); allowed are double"):
        files.read(f"{tmp_path / 'a.mat'}::x")
