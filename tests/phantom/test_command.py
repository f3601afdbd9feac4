"""`fsrcnn-np phantom`."""

import json
from pathlib import Path

import numpy as np
import pytest

from fsrcnn_np import files
from fsrcnn_np.cli import main
from fsrcnn_np.files.record import made_by
from fsrcnn_np.phantom import phantom
from fsrcnn_np.piqe_cli import main as piqe_main


def test_files(tmp_path, capsys):
    command = ["phantom", "-o", str(tmp_path / "p"), "--seed", "3", "--count", "2", "--shape", "300", "256"]
    assert main([*command, "--morphology", "amorphous", "--format", "tif"]) == 0
    stems = ("phantom_3.json", "phantom_3.tif", "phantom_3_labels.tif")
    assert {path.name for path in (tmp_path / "p").iterdir()} == {*stems, *(s.replace("3", "4") for s in stems)}
    drawn = phantom(3, morphology="amorphous", shape=(300, 256))
    assert np.array_equal(files.read(tmp_path / "p" / "phantom_3.tif").pixels, drawn.pixels)
    assert np.array_equal(files.read(tmp_path / "p" / "phantom_3_labels.tif").pixels, drawn.labels)
    facts = json.loads((tmp_path / "p" / "phantom_3.json").read_text("utf-8"))
    facts["parameters"]["shape"] = tuple(facts["parameters"]["shape"])
    assert np.array_equal(phantom(**facts["parameters"]).pixels, drawn.pixels)
    assert len(facts["calcifications"]) == len(drawn.calcifications)
    assert facts["calcifications"][0]["row"] == drawn.calcifications[0].row
    capsys.readouterr()
    assert main([*command, "--morphology", "amorphous", "--format", "tif"]) == 0  # what exists is kept
    assert capsys.readouterr().out.count("kept ") == 2


def test_a_picture_never_lies_beside_the_truth_of_another(tmp_path, capsys):
    command = ["phantom", "-o", str(tmp_path), "--shape", "256", "256"]
    assert main([*command, "--morphology", "none", "--format", "tif"]) == 0
    assert main([*command, "--morphology", "amorphous"]) == 1
    error = capsys.readouterr().err
    assert "phantom_0.json: exists, made otherwise: line 5 " in error
    assert "none" in error
    assert "amorphous" in error
    assert "--overwrite" in error
    assert not list(tmp_path.glob("*.png"))
    assert main([*command, "--morphology", "none"]) == 0  # the same in another format
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert main([*command, "--morphology", "amorphous", "--overwrite"]) == 0
    assert json.loads((tmp_path / "phantom_0.json").read_text("utf-8"))["calcifications"]


def test_impossible(tmp_path, capsys):
    for words in (["--seed", "-1"], ["--shape", "5", "5"], ["--dose", "nan"], ["--count", "0"]):
        assert main(["phantom", "-o", str(tmp_path), *words]) == 2
        error = capsys.readouterr().err
        assert "allowed" in error
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--raw", "--preset", "noisy"], "give one of them"),
        (["--morphology", "none", "--distribution", "grouped"], "leave one of them out"),
        (["--seed", str(2**64 - 1), "--count", "2"], "lead to 18446744073709551616; allowed are seeds up to 2**64 - 1"),
    ],
)
def test_options_that_contradict(tmp_path, capsys, words, told):
    assert main(["phantom", "-o", str(tmp_path), "--shape", "256", "256", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_s_pictures_are_taken_and_its_labels_and_masks_skipped(tmp_path, capsys):
    """By what they carry, whatever their names; named directly they are taken."""
    folder, picture = tmp_path / "ph", "phantom_0.png"
    assert main(["phantom", "-o", str(folder), "--shape", "256", "256"]) == 0
    labels = (folder / "phantom_0_labels.png").rename(folder / "truth.png")
    assert piqe_main([str(folder / picture), "--masks", str(folder / "masks")]) == 0
    what = "holds the labels of a phantom's calcifications, as it says itself"
    line = f"{labels}: {what}; name the file if it is meant; skipped"
    capsys.readouterr()

    out = tmp_path / "out"
    assert main(["upscale", str(folder), "-o", str(out), "--engine", "reference", "--weights", "x2-small"]) == 0
    said = "".join(capsys.readouterr())
    assert line in said
    assert said.count("is a mask of PIQE") == 4
    assert [path.name for path in out.rglob("*.*")] == [picture]
    assert piqe_main([str(folder), str(out)]) == 0  # what was enlarged is a picture
    said = "".join(capsys.readouterr())
    assert line in said
    assert f"{out / picture}: " in said
    assert main(["study", "run", str(folder), "-o", str(tmp_path / "study"), "--no-report"]) == 0
    said = "".join(capsys.readouterr())
    assert line in said
    assert "1 measured, 0 kept, 5 skipped, 0 left out" in said

    assert piqe_main([str(labels)]) == 0
    (folder / picture).unlink()
    assert piqe_main([str(folder)]) == 1
    assert "a folder without images" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_what_a_record_says_is_skipped_in_folders(tmp_path, suffix):
    facts = {"shape": "8x8", "part": "labels"}
    for name, label, settings in (
        ("a", "comparison x2", {}), ("b", "measure", {}), ("c", "phantom", facts), ("d", "PIQE mask", {"mask": 1}),
        ("e", "FSRCNN x2 of a phantom", {}), ("f", "FSRCNN x2", {}), ("g_labels", "phantom", {"shape": "8x8"}),
    ):  # fmt: skip
        record = made_by("as written", label, settings=settings)
        files.write(tmp_path / f"{name}.{suffix}", np.zeros((3000, 8), np.uint16), provenance=record)
    files.write(tmp_path / f"h_labels.{suffix}", np.zeros((8, 8), np.uint8))  # a name alone says nothing
    skipped = [Path(item.path).stem for item in files.find_inputs([tmp_path]) if item.skipped]
    assert skipped == ["a", "b", "c", "d"]
