"""The jobs: files in, a figure of each and tables of all out; one bad input does not stop the others."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from fsrcnn_np import files, pipeline
from fsrcnn_np.cli import main
from fsrcnn_np.errors import FsrcnnError, OptionError, WeightsError
from fsrcnn_np.study import job
from fsrcnn_np.study.compare import compare
from fsrcnn_np.study.demo import demo
from fsrcnn_np.study.job import compare_files


def picture(seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, (40, 50), dtype)


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def batch(tmp_path):
    """Two pictures of one name in two folders, and between them something that is none."""
    for folder in "ab":
        files.write(tmp_path / folder / "x.png", picture(ord(folder)))
    (tmp_path / "b" / "w.png").write_text("no picture")
    return tmp_path


def test_one_bad_input_does_not_stop_the_others(batch, model):
    inputs = [batch / "a" / "x.png", batch / "b" / "w.png", batch / "missing.png", batch / "b" / "x.png"]
    first, bad, missing, last = compare_files(inputs, batch / "out", weights=model, engine="reference")
    for error, path in ((bad, "w.png"), (missing, "missing.png")):
        assert isinstance(error, FsrcnnError)
        assert path in str(error)
        assert "\n" not in str(error)
    assert first.written[0] != last.written[0]
    assert set(first.written + last.written) == {p for p in (batch / "out").rglob("*") if p.is_file()}
    assert len(names(batch / "out")) == 5
    table = json.loads((batch / "out" / "comparison.json").read_text("utf-8"))
    assert [r["input"] for r in table["comparisons"]] == [str(inputs[0]), str(inputs[3])]
    expected = compare(picture(ord("a")), weights=model, engine="reference")
    assert first.comparison.scores == expected.scores


@pytest.mark.parametrize(
    "fault", [MemoryError(), RuntimeError("of a library"), PermissionError(13, "Permission denied", "x")]
)
def test_nor_does_a_fault_that_is_no_error_of_ours(fault, batch, model, monkeypatch, capsys):
    def failing(picture, *, name, **options):
        if "b" in Path(name).parts:
            raise fault
        return compare(picture, name=name, **options)

    monkeypatch.setattr(job, "compare", failing)
    inputs = [batch / "b" / "x.png", batch / "a" / "x.png"]
    bad, good = compare_files(inputs, batch / "out", weights=model, engine="reference")
    assert bad is fault
    assert good.comparison is not None
    assert main(["compare", *map(str, inputs), "-o", str(batch / "other"), "--engine", "reference"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (batch / "other" / "comparison.csv").exists()


def test_what_exists_is_kept_and_not_computed_again(batch, model, monkeypatch):
    inputs = [batch / "a" / "x.png", batch / "b" / "x.png"]
    done = list(compare_files(inputs[:1], batch / "out", weights=model, engine="reference"))
    before = done[0].written[0].read_bytes()
    again = list(compare_files(inputs[:1], batch / "out", weights=model, engine="reference"))
    assert (again[0].comparison, again[0].written, again[0].kept) == (None, (), done[0].written[:1])
    (other,) = compare_files(inputs[:1], batch / "out", weights=model, engine="reference", square=(0, 0, 9))
    assert "comparison.json: has a comparison of" in str(other)
    assert "made otherwise: square not given → 0,0,9; --overwrite" in str(other)
    # The figure is there, its row in the table is not.
    for path in (batch / "out").glob("comparison.*"):
        path.unlink()
    (other,) = compare_files(inputs[:1], batch / "out", weights=model, engine="reference", data_range=250)
    assert "x_comparison.png: exists, made otherwise: range 0..255 (uint8) → 0..250 (data_range)" in str(other)
    third = list(compare_files(inputs[:1], batch / "out", weights=model, engine="reference"))
    assert third[0].kept == done[0].written[:1]
    assert third[0].written == done[0].written[1:]
    assert done[0].written[0].read_bytes() == before
    last = list(compare_files(inputs[:1], batch / "out", weights=model, engine="reference", overwrite=True))
    assert last[0].written == done[0].written


@pytest.mark.parametrize(
    ("options", "error"), [({"suffix": ".gif"}, OptionError), ({"weights": __file__}, WeightsError)]
)
def test_what_would_fail_for_all_fails_at_once(batch, options, error):
    with pytest.raises(error):
        next(compare_files([batch / "a" / "x.png"], batch / "out", **options))
    assert not (batch / "out").exists()


def test_a_square_that_fits_one_picture_only(tmp_path, model):
    files.write(tmp_path / "large.png", np.tile(picture(), (3, 3)))
    files.write(tmp_path / "small.png", picture())
    inputs = [tmp_path / "large.png", tmp_path / "small.png"]
    large, small = compare_files(inputs, tmp_path, weights=model, engine="reference", square=(60, 60, 20))
    assert tuple(large.comparison.square) == (60, 60, 20)
    assert isinstance(small, OptionError)
    assert str(small).startswith(f"{inputs[1]}: square 60, 60, 20 is not in the picture of 40×50 pixels")


@pytest.mark.parametrize(
    ("dtype", "most", "data_range", "said"),
    [("uint16", 4000, None, "--data-range 4095"), ("uint16", 4000, 4095, ""), ("uint16", 20000, None, ""),
     ("int16", 1023, None, "--data-range 1023"), ("uint8", 3, None, ""), ("float32", 0.1, None, "")],
)  # fmt: skip
def test_twelve_bits_in_sixteen_are_pointed_out_and_not_guessed(dtype, most, data_range, said, tmp_path, model):
    pixels = (picture() / 255 * most).astype(dtype)
    files.write(tmp_path / "x.tif", pixels)
    (done,) = compare_files([tmp_path / "x.tif"], tmp_path, weights=model, engine="reference", data_range=data_range)
    assert done.comparison.value_range.origin == (dtype if data_range is None else "data_range")
    assert bool(done.remarks) == bool(said)
    assert said in " ".join(done.remarks)


def mammogram(path, pixels, photometric, spacing):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, photometric
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    if spacing is not None:
        dataset.ImagerPixelSpacing = spacing
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return files.read(path)


@pytest.mark.parametrize(
    ("photometric", "spacing", "expected"),
    [("MONOCHROME2", ["0.07", "0.07"], 0.07), ("MONOCHROME1", ["0.07", "0.1"], None), ("MONOCHROME1", None, None)],
)
def test_dicom(tmp_path, model, photometric, spacing, expected):
    pixels = picture(dtype=np.uint16) * 16
    found = compare(mammogram(tmp_path / "m.dcm", pixels, photometric, spacing), weights=model, engine="reference")
    assert found.pixel_spacing == expected
    assert found.inverted == (photometric == "MONOCHROME1")
    assert str(found.value_range) == "0..4095 (BitsStored 12)"
    plain = compare(pixels, weights=model, data_range=4095, engine="reference")
    assert [s.piqe for s in found.scores] == [s.piqe for s in plain.scores]


def test_the_callers_range_is_stronger_than_the_files(tmp_path, model):
    read = mammogram(tmp_path / "m.dcm", picture(dtype=np.uint16), "MONOCHROME2", None)
    found = compare(read, weights=model, data_range=1000, engine="reference")
    assert str(found.value_range) == "0..1000 (data_range)"


def test_demo(tmp_path, model, monkeypatch):
    calls = []
    done = demo(
        tmp_path / "d", seed=2, shape=(256, 300), weights=model, engine="reference",
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    expected = ["comparison.csv", "comparison.json", "comparison.txt"]
    expected += ["phantom_2.png", "phantom_2_comparison.png", "phantom_2_x2.png"]
    assert names(tmp_path / "d") == sorted(expected) == sorted(p.name for p in done.written)
    original, sr = (files.read(tmp_path / "d" / f"phantom_2{end}.png").pixels for end in ("", "_x2"))
    assert original.dtype == sr.dtype == np.uint16
    assert np.array_equal(sr, pipeline.upscale(original, weights=model, data_range=4095, engine="reference"))
    assert "procedural phantom, not a patient" in (tmp_path / "d" / "comparison.txt").read_text("utf-8")
    assert calls[-1][0] == calls[-1][1]
    again = demo(tmp_path / "d", seed=2, shape=(256, 300), weights=model, engine="reference")
    assert sorted(p.name for p in again.kept) == sorted(expected[3:])
    assert (again.comparison, again.written) == (None, ())
    assert files.provenance(tmp_path / "d" / "phantom_2.png").settings[0] == "seed=2"
    with pytest.raises(files.OutputDiffers, match=r"phantom_2\.png, made otherwise: shape 256x300 → 256x256"):
        demo(tmp_path / "d", seed=2, shape=(256, 256), weights=model, engine="reference")


def test_demo_in_a_folder_that_cannot_be(tmp_path, model):
    (tmp_path / "file").write_text("")
    with pytest.raises(FsrcnnError, match="file"):
        demo(tmp_path / "file", shape=(256, 256), weights=model, engine="reference")


def test_memory(tmp_path):
    """The whole job on a large mammogram, in a process of its own."""
    code = """
import resource, sys
import numpy as np
from fsrcnn_np.study.job import compare_files
pixels = np.random.default_rng(0).integers(0, 65536, (3328, 4096), np.uint16)
np.save(sys.argv[1] + "/large.npy", pixels)
(done,) = compare_files([sys.argv[1] + "/large.npy"], sys.argv[1] + "/out")
assert done.comparison.scores[-1].shape == (6656, 8192), done
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 2 << 20  # KiB


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "bounds", "original"),
    [
        ("gmic_0_L_CC_12in16.png", "0..4095 (data_range)", 24.2),
        ("GH133.dcm", "0..4095 (BitsStored 12)", 6.8),
    ],
)
def test_mammograms(shared, tmp_path, model, name, bounds, original):
    data_range = 4095 if name.startswith("gmic") else None
    (done,) = compare_files([shared / "mammograms" / name], tmp_path, data_range=data_range)
    found = done.comparison
    assert str(found.value_range) == bounds
    assert found.piqe("original") == pytest.approx(original, abs=0.1)
    assert found.piqe("bicubic") > found.piqe("original")
    assert files.read(done.written[0]).pixels.shape[0] > 1000


def test_without_matplotlib_the_tables_come_all_the_same(tmp_path, capsys, monkeypatch):
    files.write(tmp_path / "x.png", picture())
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    line = "fsrcnn-np: tables without figures: figures need matplotlib: pip install 'fsrcnn-np[plot]'\n"
    command = ["compare", str(tmp_path / "x.png"), "-o", str(tmp_path / "out")]
    tables = {"comparison.txt", "comparison.csv", "comparison.json"}
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "matplotlib", None)
        assert main(command) == 0
        told = capsys.readouterr()
        assert told.err == line
        assert "SR x2" in told.out or "SR ×2" in told.out
        assert set(names(tmp_path / "out")) == tables
        assert main(command) == 0  # once more: kept
        told = capsys.readouterr()
        assert "comparison.json exists and was kept" in told.out
        assert next(compare_files(tmp_path / "x.png", tmp_path / "new", suffix=None)).comparison is not None
    assert main(command) == 0  # with matplotlib the figure comes, too
    assert set(names(tmp_path / "out")) == {*tables, "x_comparison.png"}
    drawn = demo(tmp_path / "d", shape=(256, 256), suffix=None)
    assert {path.name for path in drawn.written} == {*tables, "phantom_0.png", "phantom_0_x2.png"}
    assert demo(tmp_path / "d", shape=(256, 256), suffix=None).comparison is None
