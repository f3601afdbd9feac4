"""The `piqe-np` command: text, CSV, JSON, masks, exit status, and one line for everything that goes wrong."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest
from images import picture

import piqe_np
from fsrcnn_np.piqe_cli import main
from piqe_np import piqe
from piqe_np.bands import band
from piqe_np.overlay import COLOURS, overlay


@pytest.fixture
def folder(tmp_path):
    """Two folders with an image of the same name in each, a damaged one and a text."""
    for name, dtype in (("one", "uint8"), ("two", "uint16")):
        (tmp_path / name).mkdir()
        iio.imwrite(tmp_path / name / "picture.png", picture(90, 70, dtype))
    (tmp_path / "broken.png").write_bytes((tmp_path / "one" / "picture.png").read_bytes()[:300])
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


SUMMARY = re.compile(r"^piqe-np: \d+ scored, .* (s|min)\n", re.MULTILINE)


def run(capsys, *arguments):
    """Status, and what is said on both streams but for the summary line, which has its own tests."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, SUMMARY.sub("", captured.err)


def test_text(folder, capsys):
    status, out, err = run(capsys, folder / "one" / "picture.png")
    score = piqe(picture(90, 70)).score
    assert status == 0
    assert err == ""
    assert out == f"{folder}/one/picture.png: {score:.4f}  {band(score)}  (scaled from 0 to 255 (uint8))\n"


def test_folder_glob_and_failures_go_on(folder, capsys):
    status, out, err = run(capsys, folder / "o*", folder / "two", folder / "broken.png", folder / "missing.png")
    assert status == 1
    assert len(out.splitlines()) == 2
    assert [line.split(":")[0] for line in err.splitlines()] == ["piqe-np"] * 2
    assert "broken.png" in err
    assert "missing.png" in err
    assert run(capsys, folder / "notes.txt")[0] == 1
    empty = folder / "empty"
    empty.mkdir()
    status, out, err = run(capsys, empty, folder / "*.nothing", folder / "one")
    assert status == 1
    assert len(err.splitlines()) == 2
    assert len(out.splitlines()) == 1


def test_csv(folder, capsys):
    status, out, _ = run(capsys, "--csv", folder / "one", folder / "broken.png", folder / "two")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 1
    assert [row["input"] for row in rows] == [f"{folder}/{name}/picture.png" for name in ("one", "two")]
    assert rows[1]["score"] == f"{piqe(picture(90, 70, 'uint16')).score:.4f}"
    assert (rows[1]["low"], rows[1]["high"], rows[1]["scaling"]) == ("0.0", "65535.0", "uint16")


def test_json(folder, capsys):
    status, out, err = run(capsys, "--json", folder / "one", folder / "broken.png")
    one, broken, summary = map(json.loads, out.splitlines())
    result = piqe(picture(90, 70))
    assert status == 1
    assert one["score"] == result.score
    assert (one["height"], one["width"], one["band"]) == (90, 70, band(result.score))
    assert (one["active"], one["artifact"], one["noise"]) == result.block_shares
    assert broken["input"] == f"{folder}/broken.png"
    assert (broken["state"], broken["message"]) == ("failed", err.strip().removeprefix("piqe-np: "))
    assert summary["summary"] == {"scored": 1, "kept": 0, "skipped": 0, "failed": 1}


def test_masks_of_two_inputs_of_one_name(folder, capsys):
    arguments = ("--masks", folder / "masks", folder / "one" / "picture.png", folder / "two" / "picture.png")
    assert run(capsys, *arguments)[0] == 0
    names = ("activity", "noticeable_artifacts", "noise", "overlay")
    written = sorted((folder / "masks").rglob("*.png"))
    assert len(written) == 8
    for name, dtype in (("one", "uint8"), ("two", "uint16")):
        result = piqe(picture(90, 70, dtype))
        here = [path for path in written if name in str(path.relative_to(folder))]
        files = {kind: next(path for path in here if path.name.endswith(f"_{kind}.png")) for kind in names}
        for kind, mask in zip(
            names, (result.activity_mask, result.noticeable_artifacts_mask, result.noise_mask), strict=False
        ):
            assert np.array_equal(iio.imread(files[kind]), mask * np.uint8(255))
        assert iio.imread(files["overlay"]).shape[2] == 3
    for path in written:  # long ago: what is written anew cannot have the same time
        os.utime(path, (1, 1))
    status, out, err = run(capsys, *arguments)
    assert status == 0
    assert len(out.splitlines()) == 2
    assert err.count("--overwrite") == 2
    assert err.count("_noise.png") == 2
    assert {p.stat().st_mtime for p in written} == {1}
    image = iio.imread(folder / "one" / "picture.png")
    iio.imwrite(folder / "one" / "picture.png", image[::-1])
    status, _, err = run(capsys, *arguments)
    assert status == 1
    assert "_activity.png: exists, made otherwise: the source changed; --overwrite" in err
    iio.imwrite(folder / "one" / "picture.png", image)
    assert run(capsys, "--overwrite", *arguments)[2] == ""
    assert 1 not in {p.stat().st_mtime for p in written}
    assert not [p for p in (folder / "masks").rglob("*") if p.is_file() and p not in written]


def test_masks_that_cannot_be_written(folder, capsys):
    (folder / "file").touch()
    status, _, err = run(capsys, "--masks", folder / "file", folder / "one")
    assert status == 1
    assert len(err.splitlines()) == 1


def test_overlay_shows_every_kind_in_its_colour():
    image = np.random.default_rng(0).integers(100, 140, (96, 96)).astype(np.uint8)
    image[:, :48] = 100
    image[40:56, 10:30] = picture(16, 20)
    result = piqe(image)
    drawn = overlay(image, result)
    for name, colour in COLOURS.items():
        assert colour is None or (drawn == colour).all(2).any(), f"{name} is in the legend"
    assert overlay(picture(1, 1), piqe(picture(1, 1))).shape[1] > 100
    assert overlay(picture(2100, 20, rgb=True), piqe(picture(2100, 20, rgb=True))).shape[0] < 2600


def test_data_range(folder, capsys):
    image = picture(90, 70).astype(np.uint16) * 16
    iio.imwrite(folder / "twelve.png", image)
    _, out, _ = run(capsys, "--data-range", 4095, folder / "twelve.png")
    assert f"{piqe(image, data_range=4095).score:.4f}" in out
    assert "0 to 4095 (data_range)" in out
    _, out, _ = run(capsys, "--data-range=-100:70000", folder / "twelve.png")
    assert out == ""  # beyond what uint16 holds
    _, out, _ = run(capsys, "--data-range", "0:4095", folder / "twelve.png")
    assert "0 to 4095 (data_range)" in out
    np.save(folder / "signed.npy", image.astype(np.int16) - 2048)
    _, out, _ = run(capsys, "--data-range=-2048:2047", folder / "signed.npy")
    assert f"{piqe(image, data_range=4095).score:.4f}" in out
    assert "-2048 to 2047 (data_range)" in out
    status, _, err = run(capsys, folder / "twelve.png", "--data-range", 1000, folder / "one")
    assert status == 1
    assert "outside 0 to 1000" in err
    assert len(err.splitlines()) == 2  # 1000 is more than uint8 holds


def test_a_file_s_own_range_is_used(folder, capsys, monkeypatch):
    from fsrcnn_np import files

    signed = picture(90, 70).astype(np.int16) * 16 - 2048
    declared = files.Picture(signed, "x", "DICOM", (-2048.0, 2047.0), "BitsStored 12, signed", remarks=("a remark",))
    monkeypatch.setattr(files, "read", lambda path, **options: declared)
    status, out, err = run(capsys, "--masks", folder / "masks", folder / "one")
    right = piqe((signed + 2048).astype(np.uint16), data_range=4095)
    assert status == 0
    assert f"{right.score:.4f}" in out
    assert "-2048 to 2047 (BitsStored 12, signed)" in out
    assert "a remark" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--json", "--csv", "x.png"],
        ["--data-range", "0", "x.png"],
        ["--data-range", "nan", "x.png"],
        ["--data-range", "wide", "x.png"],
        ["--engine", "gpu", "x.png"],
        ["--threads", "many", "x.png"],
        ["--no-such-option", "x.png"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "piqe-np: error:" in capsys.readouterr().err


def test_impossible_threads_are_wrong_usage(folder, capsys):
    status, _, err = run(capsys, "--threads", 0, folder / "one")
    assert status == 2
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("failure", [MemoryError(), RuntimeError("surprise"), OSError("gone")])
def test_faults_of_ours_are_one_line_too(folder, capsys, monkeypatch, failure):
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("fsrcnn_np.piqe_cli.piqe", fail)
    status, out, err = run(capsys, folder / "one", folder / "two")
    assert status == 1
    assert out == ""
    assert len(err.splitlines()) == 2


def test_interruption_is_one_line(folder, capsys, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fsrcnn_np.piqe_cli.piqe", stop)
    status, _, err = run(capsys, folder / "one")
    assert status == 130
    assert len(err.splitlines()) == 1


def test_bands_are_mathworks():
    scores = [-1, 0, 20.4, 20.5, 21, 35.4, 36, 50, 51, 80, 80.6, 100, 130]
    names = ["excellent"] * 3 + ["good"] * 3 + ["fair"] * 2 + ["poor"] * 2 + ["bad"] * 3
    assert [band(score) for score in scores] == names


def test_as_a_process(folder):
    command = [sys.executable, "-m", "piqe_np"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"piqe-np {piqe_np.__version__}\n"
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert len(done.stderr.splitlines()) == 2  # a failure and the summary; no progress bar in a pipe
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        done = subprocess.run([*command, folder], stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.shared
def test_shared_images(shared, capsys):
    names = ("lighthouse.png", "dist_I03.bmp", "dist_I04.bmp", "dist_I06.bmp", "dist_I08.bmp", "dist_I19.bmp")
    status, out, err = run(capsys, *(shared / "piqe_matlab" / name for name in names))
    assert (status, err) == (0, "")
    found = [line.split(": ")[1].split()[0] for line in out.splitlines()]
    assert found == ["24.8481", "100.0000", "21.6244", "35.8645", "41.1475", "76.9485"]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_masks_that_are_kept_make_no_other_table(folder, capsys, suffix):
    table, log = folder / f"scores.{suffix}", folder / "night.jsonl"
    arguments = [str(folder / "one" / "picture.png"), "--masks", str(folder / "m d"), "-o", str(table)]
    for _ in range(2):
        status, _, err = run(capsys, *arguments, "--report", str(log))
        assert status == 0
    assert f"{table}: exists already and is kept" in err
    assert "--overwrite" not in table.read_text(encoding="utf-8")
    first, again = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    assert not any("--overwrite" in remark for remark in first["remarks"])
    assert any("_noise.png" in remark for remark in again["remarks"])
