"""A phantom as a DICOM object: complete, nobody's, the same every time, and taken by the other commands."""

import subprocess
import sys

import numpy as np
import pydicom
import pytest

from fsrcnn_np import files
from fsrcnn_np.cli import main
from fsrcnn_np.phantom import phantom
from fsrcnn_np.phantom.dicom_object import encoded

WAYS = [["--view", "CC"], ["--view", "MLO", "--preset", "smooth"], ["--raw"], ["--raw", "--view", "MLO"]]


@pytest.fixture(scope="module", params=WAYS, ids=" ".join)
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("p")
    words = ["phantom", "-o", str(folder), "--seed", "3", "--shape", "300", "256", "--format", "dicom"]
    assert main([*words, *request.param]) == 0
    assert {path.name for path in folder.iterdir()} == {"phantom_3.dcm", "phantom_3_labels.png", "phantom_3.json"}
    return folder / "phantom_3.dcm", "--raw" in request.param


@pytest.mark.skipif(sys.platform != "linux", reason="dicom3tools comes from Debian")
def test_dciodvfy(written):
    done = subprocess.run(["dciodvfy", str(written[0])], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "Error" not in said
    assert f"MammographyImageFor{'Processing' if written[1] else 'Presentation'}" in said


def test_what_the_standard_asks(written):
    d = pydicom.dcmread(written[0])
    for name in (
        "Modality", "PresentationIntentType", "ImageType", "PixelIntensityRelationship",
        "PixelIntensityRelationshipSign", "RescaleIntercept", "RescaleSlope", "RescaleType", "PresentationLUTShape",
        "LossyImageCompression", "BurnedInAnnotation", "PatientOrientation", "ImageLaterality",
        "AnatomicRegionSequence", "ImagerPixelSpacing", "PositionerType", "OrganExposed", "ViewCodeSequence",
        "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    ):  # fmt: skip
        assert d[name].value not in (None, "", []), name
    for name in (
        "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
        "ReferringPhysicianName", "SeriesNumber", "InstanceNumber", "Manufacturer", "DetectorType",
        "AcquisitionContextSequence",
    ):  # fmt: skip
        assert name in d, name
    assert "ViewModifierCodeSequence" in d.ViewCodeSequence[0]
    raw = written[1]
    assert d.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.2" + (".1" if raw else "")
    assert d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID
    assert (d.BitsStored, d.PhotometricInterpretation) == ((14, "MONOCHROME1") if raw else (12, "MONOCHROME2"))
    assert ("WindowCenter" in d) is not raw
    assert list(d.ImagerPixelSpacing) == [0.07, 0.07]


def test_it_is_nobody_s(written):
    d = pydicom.dcmread(written[0])
    assert (str(d.PatientName), d.PatientID) == ("Phantom^Digital", "PHANTOM-3")
    assert d.QualityControlImage == d.QualityControlSubject == "YES"
    assert "not a patient" in d.ImageComments
    assert not any(str(d.get(name, "")) for name in ("PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"))


def test_the_same_bytes_every_time():
    one = phantom(4, shape=(256, 256))
    assert encoded(one) == encoded(phantom(4, shape=(256, 256)))
    uids = [pydicom.dcmread(pydicom.filebase.DicomBytesIO(encoded(phantom(n, shape=(256, 256))))) for n in (4, 5)]
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert uids[0][name].value != uids[1][name].value
        assert len(uids[0][name].value) <= 64


def test_upscaled_and_checked(written, tmp_path, capsys):
    derived = tmp_path / "sr.dcm"
    source = str(written[0])
    assert main(["upscale", source, "-o", str(derived), "--weights", "x2-small"]) == 0
    assert main(["dicom", "check", source, str(derived)]) == 0
    assert "0 rules broken" in capsys.readouterr().out
    assert files.read(derived).pixels.shape == (600, 512)


def test_pixels_are_the_phantom_s(written):
    d = pydicom.dcmread(written[0])
    view = d.ViewPosition
    preset = "smooth" if "smooth" in d.ImageComments else "noisy"
    drawn = phantom(3, shape=(300, 256), view=view, preset=preset, processed=not written[1])
    assert np.array_equal(d.pixel_array, drawn.pixels)


def test_without_the_extra(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert main(["phantom", "-o", str(tmp_path / "p"), "--shape", "256", "256", "--format", "dicom"]) == 2
    error = capsys.readouterr().err
    assert "pip install 'fsrcnn-np[dicom]'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "p").exists()
