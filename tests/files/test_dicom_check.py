"""The check of source against derived: silent on what we write, and not on a fault planted in it."""

import json
import warnings

import numpy as np
import pydicom
import pytest
from test_dicom_derived import item, mammogram, save, tomosynthesis

from fsrcnn_np import cli, upscale_file
from fsrcnn_np.errors import FileError, FormatError
from fsrcnn_np.files.dicom.check import check_files


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    original = mammogram()
    original.StudyID, original.StudyTime, original.AccessionNumber, original.ReferringPhysicianName = "1", "12", "", ""
    original.PatientBirthDate, original.PatientSex = "", "F"
    original.ImagePositionPatient, original.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    original.InstanceCreatorUID = "1.2.77"
    source = save(original, folder / "a.dcm")
    upscale_file(source, folder / "b.dcm", allow=["burned-in"])
    return source, folder / "b.dcm"


def test_what_we_write_breaks_no_rule(pair):
    assert check_files(*pair) == []


def test_nor_do_frames(tmp_path):
    source = save(tomosynthesis()[0], tmp_path / "a.dcm")
    upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"])
    assert [breach for breach in check_files(source, tmp_path / "b.dcm") if not breach.inherited] == []


def pixels_of(d):
    return np.frombuffer(d.PixelData, "<u2").reshape(d.Rows, d.Columns).copy()


def put(d, pixels):
    d.PixelData = pixels.tobytes()


def padding_rings(d):
    pixels = pixels_of(d)
    pixels[3, 1] = 5
    put(d, pixels)


def beyond_bits(d):
    pixels = pixels_of(d)
    pixels[3, 10] = 5000
    put(d, pixels)


FAULTS = {  # what is done to a good derived object → the tag that must be named
    "stale instance": (lambda d: setattr(d, "SOPInstanceUID", "1.2.1"), "(0008,0018)"),
    "stale series": (lambda d: setattr(d, "SeriesInstanceUID", "1.2.3"), "(0020,000E)"),
    "no UID": (lambda d: setattr(d, "SeriesInstanceUID", "1.02.x"), "(0020,000E)"),
    "stale series number": (lambda d: setattr(d, "SeriesNumber", 4), "(0020,0011)"),
    "another study": (lambda d: setattr(d, "StudyInstanceUID", "1.9"), "(0020,000D)"),
    "another patient": (lambda d: setattr(d, "PatientID", "18"), "(0010,0020)"),
    "another frame of reference": (lambda d: setattr(d, "FrameOfReferenceUID", "1.9"), "(0020,0052)"),
    "original": (lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY"]), "(0008,0008)"),
    "secondary": (lambda d: setattr(d, "ImageType", ["DERIVED", "SECONDARY"]), "(0008,0008)"),
    "rows": (lambda d: setattr(d, "Rows", 9), "(0028,0010)"),
    "spacing not divided": (lambda d: setattr(d, "ImagerPixelSpacing", ["0.0941", "0.07"]), "(0018,1164)"),
    "spacing lost": (lambda d: d.__delitem__("PixelSpacing"), "(0028,0030)"),
    "detector divided": (lambda d: setattr(d, "DetectorElementSpacing", ["0.05", "0.05"]), "(0018,7022)"),
    "first pixel stays": (lambda d: setattr(d, "ImagePositionPatient", [0, 0, 0]), "(0020,0032)"),
    "derivation untold": (lambda d: setattr(d, "DerivationDescription", "Lossless JPEG"), "(0008,2111)"),
    "no derivation code": (lambda d: d.__delitem__("DerivationCodeSequence"), "(0008,9215)"),
    "no source": (lambda d: d.__delitem__("SourceImageSequence"), "(0008,2112)"),
    "no purpose": (lambda d: d.SourceImageSequence[0].__delitem__("PurposeOfReferenceCodeSequence"), "(0008,2112)"),
    "no equipment": (lambda d: d.__delitem__("ContributingEquipmentSequence"), "(0018,A001)"),
    "bits": (lambda d: (setattr(d, "BitsStored", 16), setattr(d, "HighBit", 15)), "(0028,0101)"),
    "high bit": (lambda d: setattr(d, "HighBit", 15), "(0028,0102)"),
    "polarity": (lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"), "(0028,0004)"),
    "window": (lambda d: setattr(d, "WindowCenter", "1"), "(0028,1050)"),
    "rescale": (lambda d: d.__delitem__("RescaleSlope"), "(0028,1053)"),
    "intent": (lambda d: setattr(d, "PresentationIntentType", "FOR PROCESSING"), "(0008,0068)"),
    "burned in": (lambda d: setattr(d, "BurnedInAnnotation", "NO"), "(0028,0301)"),
    "lossy reset": (lambda d: setattr(d, "LossyImageCompression", "00"), "(0028,2110)"),
    "padding value": (lambda d: setattr(d["PixelPaddingValue"], "value", 1), "(0028,0120)"),
    "padding rings": (padding_rings, "(7FE0,0010)"),
    "values beyond their bits": (beyond_bits, "(7FE0,0010)"),
    "pixels missing": (lambda d: setattr(d, "PixelData", d.PixelData[:-20]), "(7FE0,0010)"),
    "shutter": (lambda d: setattr(d, "VerticesOfThePolygonalShutter", [1, 1, 5, 7]), "(0018,1620)"),
    "collimator": (lambda d: setattr(d, "CollimatorRightVerticalEdge", 8), "(0018,1704)"),
    "overlay": (lambda d: setattr(d[0x6000, 0x0010], "value", 5), "(6000,0010)"),
    "creator": (lambda d: setattr(d, "InstanceCreatorUID", "1.2.77"), "(0008,0014)"),
    "private tags": (lambda d: [d.__delitem__(e.tag) for e in list(d) if e.tag.is_private], "(0019,"),
    "type 1": (lambda d: setattr(d, "Modality", ""), "(0008,0060)"),
    "type 2": (lambda d: d.__delitem__("StudyID"), "(0020,0010)"),
    "meta": (lambda d: setattr(d.file_meta, "MediaStorageSOPInstanceUID", "1.2.1"), "(0002,0003)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(pair, tmp_path, fault):
    source, derived = pair
    change, tag = FAULTS[fault]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(derived)
        change(dataset)
        pydicom.dcmwrite(tmp_path / "c.dcm", dataset, implicit_vr=False, little_endian=True)
    found = [breach for breach in check_files(source, tmp_path / "c.dcm") if not breach.inherited]
    assert any(breach.tag.startswith(tag) for breach in found), [str(breach) for breach in found]


def test_frame_type_and_one_item_a_frame(tmp_path):
    original, _ = tomosynthesis()
    original.SharedFunctionalGroupsSequence[0].XRay3DFrameTypeSequence = [item(FrameType=["ORIGINAL", "PRIMARY"])]
    source = save(original, tmp_path / "a.dcm")
    upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"])
    assert not [breach for breach in check_files(source, tmp_path / "b.dcm") if not breach.inherited]
    dataset = pydicom.dcmread(tmp_path / "b.dcm")
    dataset.SharedFunctionalGroupsSequence[0].XRay3DFrameTypeSequence[0].FrameType = ["ORIGINAL", "PRIMARY"]
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:2]
    pydicom.dcmwrite(tmp_path / "c.dcm", dataset)
    tags = {breach.tag for breach in check_files(source, tmp_path / "c.dcm")}
    assert {"(0008,9007) FrameType", "(5200,9230) PerFrameFunctionalGroupsSequence"} <= tags


def test_what_the_source_breaks_itself_is_told_apart(tmp_path):
    source = save(mammogram(), tmp_path / "a.dcm")
    upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"])
    found = check_files(source, tmp_path / "b.dcm")
    assert found
    assert all(breach.inherited for breach in found)
    assert "(0020,0010) StudyID" in {breach.tag for breach in found}


def test_the_command(pair, tmp_path, capsys):
    source, derived = (str(path) for path in pair)
    assert cli.main(["dicom", "check", source, derived]) == 0
    assert capsys.readouterr().out == f"{derived}: 0 rules broken, 0 as in the source\n"
    assert cli.main(["dicom", "check", source, source, "--json"]) == 1
    record, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert not record["passed"]
    assert {"tag", "rule", "found", "expected", "inherited"} == record["breaches"][0].keys()
    assert cli.main(["dicom", "check", source, str(tmp_path / "none.dcm")]) == 2
    assert capsys.readouterr().err.startswith("fsrcnn-np: ")


def test_what_cannot_be_checked(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"no DICOM at all" * 20)
    with pytest.raises(FileError):
        check_files(tmp_path / "none", tmp_path / "a.dcm")
    with pytest.raises(FormatError):
        check_files(tmp_path / "a.dcm", tmp_path / "a.dcm")


@pytest.mark.shared
def test_the_shared_mammogram(shared, tmp_path):
    source = shared / "mammograms" / "GH133.dcm"
    upscale_file(source, tmp_path / "b.dcm")
    assert not [breach for breach in check_files(source, tmp_path / "b.dcm") if not breach.inherited]


def test_what_the_reader_mends_the_check_mends_too(pair, tmp_path):
    source, derived = pair
    (tmp_path / "trailing.dcm").write_bytes(source.read_bytes() + b"\xff" * 5001)
    (tmp_path / "bare.dcm").write_bytes(source.read_bytes()[132:])
    for name in ("trailing.dcm", "bare.dcm"):
        assert check_files(tmp_path / name, derived) == []


def test_the_two_swapped(pair):
    with pytest.raises(FormatError, match=r"b\.dcm: says that it was derived from .*a\.dcm; give the source first"):
        check_files(*reversed(pair))
