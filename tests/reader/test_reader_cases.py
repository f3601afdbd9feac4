"""Cases: what the page is told of depth, polarity, units, windows and scale; and nothing of whose image it is."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from fsrcnn_np.errors import FormatError, ImageError, OptionError
from fsrcnn_np.files import Picture, read, write
from fsrcnn_np.pipeline import picture_range
from fsrcnn_np.reader.cases import from_folders, from_results, reason
from fsrcnn_np.reader.display import display_of, harmless, sixteen_bits
from reader_study import draw, make_study

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def dicom(pixels=RAMP, **tags):
    dataset = Dataset()
    dataset.BitsStored, dataset.PixelRepresentation = 12, int(pixels.dtype.kind == "i")
    for name, value in tags.items():
        setattr(dataset, name, value)
    low, high = (-2048.0, 2047.0) if pixels.dtype.kind == "i" else (0.0, 4095.0)
    return Picture(pixels, "x", "DICOM", data_range=(low, high), data_range_origin="BitsStored 12",
                   details={"dataset": dataset})  # fmt: skip


def shown(picture):
    return display_of(picture, picture_range(picture))


def lut(count, first, bits, values, explanation="SMITH^ANN"):
    item = Dataset()
    item.LUTDescriptor, item.LUTData, item.LUTExplanation = [count, first, bits], values, explanation
    return item


def test_a_dicoms_windows():
    found = shown(dicom(WindowCenter=[2000, 1500.5], WindowWidth=[3000, 1000], VOILUTFunction="SIGMOID",
                        WindowCenterWidthExplanation=["SMITH^ANN", "x"]))  # fmt: skip
    assert found.presets == (
        {"name": "window 1", "function": "SIGMOID", "centre": 2000.0, "width": 3000.0},
        {"name": "window 2", "function": "SIGMOID", "centre": 1500.5, "width": 1000.0},
        {"name": "whole range", "function": "LINEAR", "centre": 2048.0, "width": 4096.0},
    )
    assert (found.bits, found.signed, found.inverted, found.range) == (12, False, False, (0.0, 4095.0))
    assert "SMITH" not in json.dumps(found.as_json())


def test_windows_have_the_files_names_where_these_are_harmless():
    """PS3.3 C.11.2.1.2: WindowCenterWidthExplanation; a word that is not known could be somebody's."""
    given = dicom(WindowCenter=[1, 2, 3, 4], WindowWidth=[0, 10, 10, 10],
                  WindowCenterWidthExplanation=["SOFTER", "HIGH_CONTRAST 2", "Dr Hart", "high-contrast 2"])  # fmt: skip
    names = [preset["name"] for preset in shown(given).presets]
    assert names == ["high contrast 2", "window 2", "window 3", "whole range"]
    assert (
        shown(dicom(WindowCenter=1, WindowWidth=9, WindowCenterWidthExplanation="HARDER")).presets[0]["name"]
        == "harder"
    )
    table = dicom(VOILUTSequence=[lut(2, 0, 8, [0, 9], "Normal"), lut(2, 0, 8, [0, 9], "NORMAL")])
    assert [preset["name"] for preset in shown(table).presets][:2] == ["normal", "VOI LUT 2"]
    for text in ("", "17", "normal Smith", "19450317", "ſoft", "soft " * 5):
        assert harmless(text) == ""


def test_the_whole_range_is_black_and_white_at_its_ends():
    """By the formula of PS3.3 C.11.2.1.2.1, written out."""
    window = shown(dicom()).presets[-1]
    c, w = window["centre"], window["width"]
    grey = [((x - (c - 0.5)) / (w - 1) + 0.5) for x in (0, 4095)]
    assert grey == [0.0, 1.0]


def test_a_voi_lut():
    values = list(range(0, 1024, 4))
    found = shown(dicom(VOILUTSequence=[lut(256, 100, 10, values), lut(256, 0, 10, values[:9])]))
    assert found.presets[0] == {"name": "VOI LUT 1", "table": {"first": 100, "values": values, "maximum": 1023}}
    assert found.presets[1]["name"] == "whole range", "a table that is damaged is none"
    assert "SMITH" not in json.dumps(found.as_json())


@pytest.mark.parametrize("little", [True, False])
def test_a_voi_lut_of_65536_entries_as_bytes(little):
    item = lut(0, 0, 16, np.arange(65536).astype("<u2" if little else ">u2").tobytes())
    item.set_original_encoding(False, little)
    (table,) = [preset["table"] for preset in shown(dicom(VOILUTSequence=[item])).presets if "table" in preset]
    assert (len(table["values"]), table["values"][-1], table["maximum"]) == (65536, 65535, 65535)
    assert table["values"][:3] == [0, 1, 2]


@pytest.mark.parametrize(("count", "little"), [(256, True), (256, False), (255, True)])
def test_a_voi_lut_of_8_bits_has_two_entries_in_a_word(count, little):
    entries = (np.arange(256) ** 2 // 256).astype(np.uint8)
    words = entries[: count + count % 2].view("<u2").astype("<u2" if little else ">u2")
    item = lut(count, 0, 8, words.tobytes())
    item.set_original_encoding(False, little)
    for given in (item, lut(count, 0, 8, entries[: count + count % 2].view("<u2").tolist())):
        (table,) = [preset["table"] for preset in shown(dicom(VOILUTSequence=[given])).presets if "table" in preset]
        assert table == {"first": 0, "values": entries[:count].tolist(), "maximum": 255}


def of(**tags):
    """An item of a sequence."""
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def test_windows_and_rescale_of_functional_groups():
    """PS3.3 C.7.6.16.2.9 and C.7.6.16.2.10: of all frames, or of the only one; those of several are no one's."""
    windows = {"FrameVOILUTSequence": [of(WindowCenter=500, WindowWidth=300, VOILUTFunction="LINEAR_EXACT")]}
    rescales = {"PixelValueTransformationSequence": [of(RescaleSlope="2", RescaleIntercept="-7")]}
    window, rescale = of(**windows), of(**rescales)
    for groups in (
        {"SharedFunctionalGroupsSequence": [of(**windows, **rescales)]},
        {"SharedFunctionalGroupsSequence": [rescale], "PerFrameFunctionalGroupsSequence": [window]},
    ):
        found = shown(dicom(**groups))
        assert (found.slope, found.intercept) == (2.0, -7.0)
        assert found.presets[0] == {"name": "window 1", "function": "LINEAR_EXACT", "centre": 500.0, "width": 300.0}
    several = shown(dicom(PerFrameFunctionalGroupsSequence=[window, window]))
    assert several.presets[0]["name"] == "fitted"


def test_signed_rescaled_and_inverted():
    pixels = (RAMP.astype(np.int32) - 2048).astype(np.int16)
    found = shown(replace(dicom(pixels, RescaleSlope="2", RescaleIntercept="-100"), inverted=True))
    assert (found.signed, found.inverted, found.slope, found.intercept) == (True, True, 2.0, -100.0)
    assert found.presets[-1] == {"name": "whole range", "function": "LINEAR", "centre": -100.5, "width": 8191.0}
    assert found.presets[0]["name"] == "fitted"


@pytest.mark.parametrize("slope", ["0", "nan", "inf"])
def test_a_rescale_that_is_none(slope):
    found = shown(dicom(RescaleSlope=float(slope), RescaleIntercept=0))
    assert (found.slope, found.intercept) == (1.0, 0.0)
    assert "as stored" in found.notes[0]


@pytest.mark.parametrize("tags", [{"WindowCenter": 5, "WindowWidth": 0}, {"WindowCenter": 5}, {"WindowWidth": 5}])
def test_windows_that_are_none(tags):
    assert [preset["name"] for preset in shown(dicom(**tags)).presets] == ["fitted", "whole range"]


@pytest.mark.parametrize(
    ("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16), (np.int16, 16), (np.int8, 8)]
)  # fmt: skip
def test_depths(dtype, bits):
    pixels = np.linspace(np.iinfo(dtype).min, np.iinfo(dtype).max, 400).astype(dtype).reshape(20, 20)
    picture = Picture(pixels, "x", "PNG")
    assert shown(picture).bits == bits
    assert shown(picture).signed == (pixels.dtype.kind == "i")
    assert (sixteen_bits(pixels) == pixels).all()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint32), np.zeros((0, 4), "u1")],
)
def test_what_cannot_be_shown(pixels):
    with pytest.raises(ImageError):
        sixteen_bits(pixels)


def test_a_study(made):
    found = from_results(made)
    assert [case.name for case in found.cases] == [f"images/smith_0{n}.png" for n in range(3)]
    assert [case.patient for case in found.cases] == ["smith 0", "smith 0", "smith 1"]
    pair = found.cases[0].load()
    assert (pair.first.pixels.shape, pair.second.pixels.shape) == ((70, 60), (140, 120))
    assert pair.first.display == pair.second.display, "depth, polarity and windows tell nothing"
    assert (pair.first.spacing, pair.second.spacing, pair.unit) == ((1.0, 1.0), (0.5, 0.5), "px")
    assert len(pair.notes) == 1
    assert (pair.second.pixels == read(made / "sr" / "images" / "smith_00.png").pixels).all()


def test_sr_that_was_not_saved_is_computed_again(made, tmp_path):
    other = make_study(tmp_path, 1, save_sr=False)
    (case,) = from_results(other, weights=str(tmp_path / "model.h5")).cases
    assert (case.load().second.pixels == from_results(made).cases[0].load().second.pixels).all()


def test_cases_without_sr_are_said_once(tmp_path):
    other = make_study(tmp_path, 2, save_sr=False)
    found = from_results(other)
    assert found.cases == ()
    (line,) = found.left_out
    assert "2 images have no SR" in line
    assert "--weights" in line
    with pytest.raises(OptionError, match="give the model that the study was made with"):
        from_results(other, weights="x2")


def test_two_folders(tmp_path):
    draw(tmp_path / "a", ["one.png", "two.png", "only.png", "deep/three.png"])
    draw(tmp_path / "b", ["one.tif", "two.png", "deep/three.png"], (140, 120))
    found = from_folders(tmp_path / "a", tmp_path / "b", data_range=4095)
    assert sorted(case.name for case in found.cases) == ["deep/three", "one", "two"]
    (line,) = found.left_out
    assert "only.png" in line
    pair = found.cases[0].load()
    assert pair.second.spacing == (0.5, 0.5)
    assert pair.first.display.presets == pair.second.display.presets
    assert pair.first.display.bits == 12


def test_folders_that_do_not_go_together(tmp_path):
    draw(tmp_path / "a", ["one.png"])
    draw(tmp_path / "b", ["two.png"])
    for second in ("b", "none"):
        with pytest.raises(OptionError):
            from_folders(tmp_path / "a", tmp_path / second)


def test_sizes_that_do_not_match_are_noted(tmp_path):
    draw(tmp_path / "a", ["one.npy"])
    draw(tmp_path / "b", ["one.npy"], (100, 400))
    (case,) = from_folders(tmp_path / "a", tmp_path / "b").cases
    assert any("proportions" in note for note in case.load().notes)


def test_a_declared_spacing_holds_for_both(tmp_path):
    pixels = RAMP[:40, :30]
    like = Picture(pixels, "a.npy", "NPY", pixel_spacing=(0.07, 0.07), pixel_spacing_origin="print")
    write(tmp_path / "a" / "one.tif", pixels, like=like, overwrite=True)
    write(tmp_path / "b" / "one.npy", np.repeat(np.repeat(pixels, 2, 0), 2, 1), overwrite=True)
    pair = from_folders(tmp_path / "a", tmp_path / "b").cases[0].load()
    if read(tmp_path / "a" / "one.tif").pixel_spacing is None:
        assert pair.unit == "px"
    else:
        assert pair.unit == "mm"
        assert pair.first.spacing == pytest.approx((0.07, 0.07), rel=1e-3)
        assert pair.second.spacing == pytest.approx((0.035, 0.035), rel=1e-3)
    assert not any("area" in note for note in pair.notes)


def test_colour_and_files_that_are_gone(made, tmp_path):
    draw(tmp_path / "a", ["smith.png"])
    write(tmp_path / "b" / "smith.png", np.zeros((8, 8, 3), np.uint8), overwrite=True)
    (case,) = from_folders(tmp_path / "a", tmp_path / "b").cases
    with pytest.raises(ImageError, match="colour") as error:
        case.load()
    assert "smith" not in reason(error.value, case)
    before = case.stamp()
    (tmp_path / "a" / "smith.png").unlink()
    assert case.missing()
    assert case.stamp() != before


def test_reasons_name_nobody(made):
    case = from_results(made).cases[0]
    line = reason(FormatError(f"{case.paths[0]}: is truncated: smith_00.png ends early"), case)
    assert line == "is truncated: the file ends early"
