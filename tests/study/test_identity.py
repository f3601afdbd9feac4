"""Whose image it is: the DICOM's word, held against the cohort's."""

import numpy as np
import pytest

from cohort_images import small_model
from fsrcnn_np.files import Picture
from fsrcnn_np.study.identity import VIEWS, Contradiction, identity
from fsrcnn_np.study.run import run
from fsrcnn_np.study.store import read_study


def dicom(**elements):
    return Picture(np.zeros((4, 4), np.uint16), "a.dcm", "DICOM", details={"dataset": elements})


def test_what_the_cohort_lacks_is_the_dicoms():
    picture = dicom(PatientID="A1 ", ImageLaterality="R", ViewPosition="MLO")
    assert identity(picture, {}) == {"patient": "A1", "breast": "R", "view": "MLO"}
    assert identity(picture, {"breast": "R", "view": "MLO"}) == {"patient": "A1", "breast": "R", "view": "MLO"}
    assert identity(dicom(Laterality="L"), {"patient": "B"}) == {"patient": "B", "breast": "L"}


@pytest.mark.parametrize("side", ["", None, "B", "U"])
def test_no_side_is_none(side):
    assert identity(dicom(ImageLaterality=side), {"breast": "L"}) == {"breast": "L"}
    assert identity(dicom(ImageLaterality=side, Laterality="R"), {}) == {"breast": "R"}


def by_frame(*sides):
    return [{"FrameAnatomySequence": [{"FrameLaterality": side}]} for side in sides]


def test_a_multi_frame_object_tells_its_side_of_all_frames_or_of_each():
    assert identity(dicom(SharedFunctionalGroupsSequence=by_frame("R")), {}) == {"breast": "R"}
    assert identity(dicom(PerFrameFunctionalGroupsSequence=by_frame("L", "L")), {}) == {"breast": "L"}
    assert identity(dicom(PerFrameFunctionalGroupsSequence=by_frame("L", "R")), {}) == {}
    assert identity(dicom(SharedFunctionalGroupsSequence=[{}], Laterality="L"), {}) == {"breast": "L"}
    with pytest.raises(Contradiction, match=r"\(0020,9072\) FrameLaterality 'R'"):
        identity(dicom(SharedFunctionalGroupsSequence=by_frame("R")), {"breast": "L"})


@pytest.mark.parametrize(("code", "view"), [("399162004", "CC"), ("R-10226", "MLO"), ("127457009", "")])
def test_a_view_may_be_a_code_only(code, view):
    picture = dicom(ViewCodeSequence=[{"CodeValue": code}])
    assert identity(picture, {}).get("view", "") == view
    assert identity(dicom(ViewCodeSequence=[{"CodeValue": code}], ViewPosition="LM"), {}) == {"view": "LM"}


def test_the_codes_are_those_of_mammography():
    from pydicom.sr._snomed_dict import mapping
    from pydicom.sr.codedict import codes

    known = {getattr(codes.cid4014, name).value for name in codes.cid4014.dir()} - {"127457009"}  # a specimen
    assert set(VIEWS) == known | {mapping["SCT"][code] for code in known}
    assert all(VIEWS[code] == VIEWS[mapping["SCT"][code]] for code in known)


@pytest.mark.parametrize(
    ("column", "keyword", "tag", "says", "found"),
    [
        ("patient", "PatientID", "(0010,0020)", "A", "B"),
        ("breast", "ImageLaterality", "(0020,0062)", "L", "R"),
        ("breast", "Laterality", "(0020,0060)", "R", "L"),
        ("view", "ViewPosition", "(0018,5101)", "CC", "MLO"),
    ],
)
def test_a_contradiction_names_column_and_tag(column, keyword, tag, says, found):
    with pytest.raises(Contradiction) as error:
        identity(dicom(**{keyword: found}), {column: says})
    assert error.value.column == column
    assert str(error.value) == f"the cohort says {says!r}, the DICOM's {tag} {keyword} {found!r}; correct the cohort"


def test_other_formats_say_nothing():
    picture = Picture(np.zeros((4, 4), np.uint16), "a.png", "PNG")
    assert identity(picture, {"breast": "L", "view": ""}) == {"breast": "L"}


def written(path, side, seed):
    """A DICOM as a mammography unit would begin it; 12 bits."""
    import pydicom

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(
        entropy_srcs=[str(seed)]
    )
    dataset.PatientID, dataset.ImageLaterality, dataset.ViewPosition = "P1", side, "CC"
    dataset.Rows = dataset.Columns = 48
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = np.random.default_rng(seed).integers(0, 4096, (48, 48), np.uint16).tobytes()
    dataset.save_as(path, enforce_file_format=True)


def test_a_cohort_of_dicoms(tmp_path):
    for seed, side in enumerate("LRR"):
        written(tmp_path / f"{seed}.dcm", side, seed)
    table = tmp_path / "cohort.csv"
    table.write_text("path,breast,view\n0.dcm,L,\n1.dcm,L,\n2.dcm,,CC\n")
    weights = small_model(tmp_path / "model.h5")
    for _ in range(2):
        found = list(run(table, tmp_path / "r", weights=weights, workers=0))
    (left,) = [one for one in found if one.state == "left out"]
    assert left.why == (
        f"{table}, row 3, column breast: 1.dcm: the cohort says 'L', the DICOM's (0020,0062) ImageLaterality 'R'; "
        "correct the cohort"
    )
    study = read_study(tmp_path / "r")
    assert [(c.path, c.patient, c.breast, c.view) for c in study.cases] == [
        ("0.dcm", "P1", "L", "CC"), ("2.dcm", "P1", "R", "CC"),
    ]  # fmt: skip
    assert [case.scaling for case in study.cases] == ["0..4095 (BitsStored 12) to 0..255"] * 2
    table.write_text("path,breast,view\n0.dcm,R,\n1.dcm,,\n2.dcm,,CC\n")  # now another is wrong, and measured already
    found = list(run(table, tmp_path / "r", weights=weights, workers=0))
    assert {one.name: one.state for one in found} == {"0.dcm": "left out", "1.dcm": "measured", "2.dcm": "kept"}
    assert [case.path for case in read_study(tmp_path / "r").cases] == ["1.dcm", "2.dcm"]
