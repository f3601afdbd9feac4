"""Presentation states that refer to an original, carried over to what was derived of it: PS3.3 A.33."""

import copy
import re
import shutil
import subprocess
import sys

import numpy as np
import pydicom
import pytest
from test_dicom_derived import item, save
from test_dicom_floats import plain

from fsrcnn_np import cli
from fsrcnn_np.files.dicom.check import check_files

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"


def image(number, size=(6, 8)):
    d = plain((np.add.outer(np.arange(size[0]), np.arange(size[1])) * 30 + 1000).astype("u2"), 12)
    d.SOPInstanceUID, d.InstanceNumber = f"1.2.1.{number}", number
    return d


def reference(number):
    return item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.1.2", ReferencedSOPInstanceUID=f"1.2.1.{number}")


def text(units, corner, anchor_units, anchor):
    return item(
        BoundingBoxAnnotationUnits=units,
        BoundingBoxTopLeftHandCorner=corner,
        BoundingBoxBottomRightHandCorner=[c + 2 for c in corner],
        BoundingBoxTextHorizontalJustification="LEFT",
        AnchorPointAnnotationUnits=anchor_units,
        AnchorPoint=anchor,
        AnchorPointVisibility="Y",
        UnformattedTextValue="here",
    )


def graphic(units, kind, data):
    return item(
        GraphicAnnotationUnits=units,
        GraphicDimensions=2,
        NumberOfGraphicPoints=len(data) // 2,
        GraphicData=data,
        GraphicType=kind,
        GraphicFilled="N",
    )


def state(*numbers):
    whole = image(1)
    d = pydicom.Dataset()
    for keyword in (
        "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
        "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    ):  # fmt: skip
        d.add(copy.deepcopy(whole[keyword]))
    d.SOPClassUID, d.SOPInstanceUID, d.Modality = GSPS, "1.2.9.1", "PR"
    d.SeriesInstanceUID, d.SeriesNumber, d.InstanceNumber = "1.2.8", 90, 1
    d.Laterality, d.SeriesDescription, d.Manufacturer = "L", "Marks", "MAKER"
    d.ContentLabel, d.ContentDescription, d.ContentCreatorName = "MARKS", "for the talk", "Reader^One"
    d.PresentationCreationDate, d.PresentationCreationTime = "20220102", "101112"
    d.ReferencedSeriesSequence = [
        item(SeriesInstanceUID="1.2.3", ReferencedImageSequence=[reference(number) for number in numbers])
    ]
    d.DisplayedAreaSelectionSequence = [
        item(
            ReferencedImageSequence=[reference(number)],
            DisplayedAreaTopLeftHandCorner=[1, 2] if number == 1 else [-1, 0],
            DisplayedAreaBottomRightHandCorner=[8, 5],
            PresentationSizeMode="MAGNIFY",
            PresentationPixelSpacing=["0.1", "0.0940909090909"],
            PresentationPixelMagnificationRatio=3.0,
        )
        for number in numbers
    ]
    d.GraphicLayerSequence = [item(GraphicLayer="LAYER", GraphicLayerOrder=1)]
    d.GraphicAnnotationSequence = [
        item(
            ReferencedImageSequence=[reference(numbers[0])],
            GraphicLayer="LAYER",
            TextObjectSequence=[
                text("PIXEL", [0.5, 1.0], "PIXEL", [3.25, 4.5]),
                text("DISPLAY", [0.1, 0.2], "PIXEL", [1.0, 1.0]),
            ],
            GraphicObjectSequence=[
                graphic("PIXEL", "CIRCLE", [4.0, 3.0, 5.5, 3.0]),
                graphic("DISPLAY", "POLYLINE", [0.25, 0.25, 0.75, 0.75]),
            ],
        )
    ]
    d.ShutterShape, d.ShutterPresentationValue = ["RECTANGULAR", "POLYGONAL"], 0
    d.ShutterLeftVerticalEdge, d.ShutterRightVerticalEdge = 1, 8
    d.ShutterUpperHorizontalEdge, d.ShutterLowerHorizontalEdge = 2, 5
    d.VerticesOfThePolygonalShutter = [1, 1, 6, 8, 6, 1]
    d.SoftcopyVOILUTSequence = [
        item(ReferencedImageSequence=[reference(n) for n in numbers], WindowCenter="1100", WindowWidth="300")
    ]
    d.PresentationLUTShape = "IDENTITY"
    return d


def made(tmp_path):
    folder = tmp_path / "study"
    (folder / "states").mkdir(parents=True)
    for number in (1, 2):
        save(image(number), folder / f"{number}.dcm")
    save(state(1, 2), folder / "states" / "gsps")
    return folder


@pytest.fixture
def study(tmp_path):
    return made(tmp_path)


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    study = made(tmp_path_factory.mktemp("carried"))
    return study / "states/gsps", upscaled(study) / "states/gsps"


def upscaled(study, *more, status=0):
    assert cli.main(["upscale", str(study), "-o", str(study.parent / "out"), "--presentation-states", *more]) == status
    return study.parent / "out"


def test_a_state_goes_to_the_derived_images_and_moves_with_their_pixels(study, capsys):
    out = upscaled(study)
    assert f"{out / 'states' / 'gsps'}: a presentation state, carried over" in capsys.readouterr().out
    d, first, second = (pydicom.dcmread(out / name) for name in ("states/gsps", "1.dcm", "2.dcm"))
    assert (d.Rows if "Rows" in d else None) is None
    assert d.file_meta.MediaStorageSOPClassUID == d.SOPClassUID == GSPS
    assert d.SOPInstanceUID not in ("1.2.9.1", first.SOPInstanceUID)
    assert d.SeriesInstanceUID not in ("1.2.8", first.SeriesInstanceUID)
    assert (d.SeriesNumber, d.SeriesDescription) == (1090, "Marks x2")
    (series,) = d.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    found = [one.ReferencedSOPInstanceUID for one in series.ReferencedImageSequence]
    assert found == [first.SOPInstanceUID, second.SOPInstanceUID]
    one, other = d.DisplayedAreaSelectionSequence
    assert one.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert one.DisplayedAreaTopLeftHandCorner == [1, 3]
    assert one.DisplayedAreaBottomRightHandCorner == [16, 10]
    assert other.DisplayedAreaTopLeftHandCorner == [-3, -1], "an area may begin outside the image"
    assert [float(v) for v in one.PresentationPixelSpacing] == pytest.approx([0.05, 0.0940909090909 / 2])
    assert one.PresentationPixelMagnificationRatio == 1.5
    (marks,) = d.GraphicAnnotationSequence
    near, far = marks.TextObjectSequence
    assert near.BoundingBoxTopLeftHandCorner == [1, 2]
    assert near.BoundingBoxBottomRightHandCorner == [5, 6]
    assert near.AnchorPoint == [6.5, 9]
    assert far.BoundingBoxTopLeftHandCorner == pytest.approx([0.1, 0.2]), "DISPLAY units stay"
    assert far.AnchorPoint == [2, 2]
    circle, line = marks.GraphicObjectSequence
    assert circle.GraphicData == [8, 6, 11, 6]
    assert line.GraphicData == [0.25, 0.25, 0.75, 0.75]
    assert (d.ShutterLeftVerticalEdge, d.ShutterRightVerticalEdge) == (1, 16)
    assert (d.ShutterUpperHorizontalEdge, d.ShutterLowerHorizontalEdge) == (3, 10)
    assert d.VerticesOfThePolygonalShutter == [1, 1, 12, 16, 12, 1]
    assert d.SoftcopyVOILUTSequence[0].WindowCenter == 1100
    assert check_files(study / "states/gsps", out / "states/gsps") == []


def test_the_same_again_has_the_same_bytes_also_with_mapped_uids(study):
    out = upscaled(study)
    first = (out / "states/gsps").read_bytes()
    (out / "states/gsps").unlink()
    assert (upscaled(study) / "states/gsps").read_bytes() == first, "the images were kept, the state made again"
    shutil.rmtree(out)
    assert (upscaled(study) / "states/gsps").read_bytes() == first
    shutil.rmtree(out)
    mapped = pydicom.dcmread(upscaled(study, "--remap-uids", "x") / "states/gsps")
    found = pydicom.dcmread(out / "1.dcm")
    assert mapped.StudyInstanceUID == found.StudyInstanceUID
    assert mapped.DisplayedAreaSelectionSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID == (
        found.SOPInstanceUID
    )
    assert check_files(study / "states/gsps", out / "states/gsps", remap_uids="x") == []


def test_images_that_are_not_there_are_left_out_with_a_line(study, capsys):
    (study / "2.dcm").unlink()
    out = upscaled(study)
    assert "; 1 of the images that it refers to were not super-resolved here" in capsys.readouterr().out
    d = pydicom.dcmread(out / "states/gsps")
    assert len(d.DisplayedAreaSelectionSequence) == 1
    assert len(d.ReferencedSeriesSequence[0].ReferencedImageSequence) == 1
    assert check_files(study / "states/gsps", out / "states/gsps") == []
    (study / "1.dcm").unlink()
    shutil.rmtree(out)
    upscaled(study)
    assert "refers to none of the images that were super-resolved here; skipped" in capsys.readouterr().out
    assert not (out / "states/gsps").exists()


def test_what_cannot_be_carried_is_one_line(study, capsys):
    save(image(2, (6, 10)), study / "2.dcm")
    blending = state(1)
    blending.SOPClassUID, blending.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.11.4", "1.2.9.2"
    save(blending, study / "states/blending")
    bitmap = state(1)
    bitmap.SOPInstanceUID, bitmap.ShutterShape, bitmap.ShutterOverlayGroup = "1.2.9.3", "BITMAP", 0x6000
    save(bitmap, study / "states/bitmap")
    upscaled(study, status=1)
    out, err = capsys.readouterr()
    assert (
        "blending: (0008,0016) SOPClassUID 1.2.840.10008.5.1.4.1.1.11.4 is a presentation state of another kind" in out
    )
    assert "gsps: has a shutter for images of several sizes" in err
    assert "bitmap: (0018,1623) ShutterOverlayGroup 6000 cannot be moved with the pixels" in err
    assert err.count("\n") == 2


def test_without_the_option_a_state_is_skipped(study, capsys):
    assert cli.main(["upscale", str(study), "-o", str(study.parent / "out")]) == 0
    assert "that of a presentation state: no picture; skipped" in capsys.readouterr().out


def area(d):
    return d.DisplayedAreaSelectionSequence[0]


def marks(d):
    return d.GraphicAnnotationSequence[0]


FAULTS = {
    "stale instance": (lambda d: setattr(d, "SOPInstanceUID", "1.2.9.1"), "(0008,0018)"),
    "stale series": (lambda d: setattr(d, "SeriesInstanceUID", "1.2.8"), "(0020,000E)"),
    "another study": (lambda d: setattr(d, "StudyInstanceUID", "1.2.99"), "(0020,000D)"),
    "the old image": (lambda d: setattr(area(d), "ReferencedImageSequence", [reference(1)]), "(0008,1155)"),
    "the old series": (lambda d: setattr(d.ReferencedSeriesSequence[0], "SeriesInstanceUID", "1.2.3"), "(0020,000E)"),
    "an area one off": (lambda d: setattr(area(d), "DisplayedAreaTopLeftHandCorner", [1, 4]), "(0070,0052)"),
    "spacing": (lambda d: setattr(area(d), "PresentationPixelSpacing", ["0.1", "0.1"]), "(0070,0101)"),
    "magnification": (lambda d: setattr(area(d), "PresentationPixelMagnificationRatio", 3.0), "(0070,0103)"),
    "graphic": (lambda d: setattr(marks(d).GraphicObjectSequence[0], "GraphicData", [4, 3, 5.5, 3]), "(0070,0022)"),
    "display units moved": (
        lambda d: setattr(marks(d).GraphicObjectSequence[1], "GraphicData", [0.5, 0.5, 1.5, 1.5]),
        "(0070,0022)",
    ),
    "text box": (lambda d: setattr(marks(d).TextObjectSequence[0], "AnchorPoint", [3.25, 4.5]), "(0070,0014)"),
    "a graphic lost": (lambda d: marks(d).GraphicObjectSequence.pop(), "(0070,0009)"),
    "shutter": (lambda d: setattr(d, "ShutterRightVerticalEdge", 8), "(0018,1604)"),
    "window": (lambda d: setattr(d.SoftcopyVOILUTSequence[0], "WindowCenter", "1"), "(0028,1050)"),
    "no label": (lambda d: delattr(d, "ContentLabel"), "(0070,0080)"),
    "nobody": (lambda d: delattr(d, "ContributingEquipmentSequence"), "(0018,A001)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(carried, fault, tmp_path):
    plant, tag = FAULTS[fault]
    d = pydicom.dcmread(carried[1])
    plant(d)
    d.save_as(tmp_path / "gsps")
    assert tag in {breach.tag.split()[0] for breach in check_files(carried[0], tmp_path / "gsps")}


@pytest.mark.skipif(sys.platform != "linux", reason="dicom3tools comes from Debian")
def test_another_validator_finds_nothing_that_the_source_has_not(carried):
    def errors(path):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).splitlines()  # without numbers: it takes a corner of −1 for 4294967295
        return {re.sub("[0-9]+", "n", line) for line in said if line.startswith("Error")}

    assert errors(carried[1]) <= errors(carried[0])
