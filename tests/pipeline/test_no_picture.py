"""DICOM objects that are no pictures: passed over with a line, by every command; and told apart from failures."""

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from fsrcnn_np import cli, piqe_cli
from fsrcnn_np.study.store import read_study


@pytest.fixture
def study(tmp_path):
    for name, kind in (("SR0001", "1.2.840.10008.5.1.4.1.1.88.11"), ("PR0001", "1.2.840.10008.5.1.4.1.1.11.1")):
        report = Dataset()
        report.SOPClassUID, report.SOPInstanceUID = kind, "1.2.3"
        save(report, tmp_path / "in" / name)
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.4"
    image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 6, 5, 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = np.arange(30, dtype=np.uint16).tobytes()
    save(image, tmp_path / "in" / "deep" / "MR.1.2.840")
    return tmp_path


def save(dataset, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def test_upscale(study, capsys):
    assert cli.main(["upscale", str(study / "in"), "-o", str(study / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("a structured report: no picture; skipped")]
    assert [line for line in lines if line.endswith("a presentation state: no picture; skipped")]
    assert pydicom.dcmread(study / "out" / "deep" / "MR.1.2.840").Rows == 12


def test_compare(study, capsys):
    assert cli.main(["compare", str(study / "in"), "-o", str(study / "out")]) == 0
    assert capsys.readouterr().out.count("no picture; skipped") == 2


def test_piqe(study, capsys):
    assert piqe_cli.main([str(study / "in"), "--json"]) == 0
    assert capsys.readouterr().out.count("no picture; skipped") == 2
    assert piqe_cli.main([str(study / "in")]) == 0
    assert capsys.readouterr().err.count("no picture; skipped") == 2


def test_study(study, capsys):
    arguments = ["study", "run", str(study / "in"), "-o", str(study / "out"), "--workers", "0", "--no-report"]
    assert cli.main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.count("no picture; skipped\n") == 2
    assert not err
    assert out.splitlines()[-1].startswith("1 measured, 0 kept, 2 skipped, 0 left out, ")
    assert len(read_study(study / "out").left_out) == 2  # the report lists them all the same
