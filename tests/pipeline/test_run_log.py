"""The end of a run: one line of all, and a record of each."""

import hashlib
import json

import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import errors, files, piqe_cli
from fsrcnn_np.cli import main


def test_summary_and_report(tmp_path, capsys):
    folder, report = tmp_path / "in", tmp_path / "night" / "report.jsonl"
    folder.mkdir()
    for name in "ab":
        iio.imwrite(folder / f"{name}.png", np.zeros((9, 8), np.uint16))
    (folder / "c.png").write_bytes(b"no picture")
    command = ["upscale", str(folder), "-o", str(tmp_path / "out"), "--report", str(report)]
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 written, 0 kept, 0 skipped, 1 failed, ")
    with open(report, "ab") as stream:
        stream.write(b'{"run": "cut')
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 written, 2 kept, 0 skipped, 1 failed, ")
    lines = report.read_text(encoding="utf-8").splitlines()
    assert lines.pop(3) == '{"run": "cut'
    records = [json.loads(line) for line in lines]
    assert [(r["state"], r["reason"]) for r in records] == [
        ("written", ""), ("written", ""), ("failed", "format"), ("kept", "exists"), ("kept", "exists"),
        ("failed", "format"),
    ]  # fmt: skip
    assert len({r["run"] for r in records}) == 2
    first = records[0]
    assert first["output_sha256"] == hashlib.sha256((tmp_path / "out" / "a.png").read_bytes()).hexdigest()
    assert first["source_sha256"] == hashlib.sha256((folder / "a.png").read_bytes()).hexdigest()
    assert first["range"].startswith("0..65535")
    assert first["seconds"] >= 0


def test_one_input_needs_no_summary(tmp_path, capsys):
    iio.imwrite(tmp_path / "a.png", np.zeros((9, 8), np.uint8))
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "out")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for name in "ac":
        iio.imwrite(folder / f"{name}.png", noise.integers(0, 256, (40, 48), np.uint8))
    (folder / "b.png").write_bytes(b"no picture")
    return folder


def records_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_piqe_sums_up_beside_its_scores(inputs, tmp_path, capsys):
    report = tmp_path / "night.jsonl"
    assert piqe_cli.main([str(inputs), "--json", "--report", str(report)]) == 1
    said = capsys.readouterr()
    *scores, summary = map(json.loads, said.out.splitlines())
    assert summary["summary"] == {"scored": 2, "kept": 0, "skipped": 0, "failed": 1}
    assert len(said.err.splitlines()) == 1
    assert piqe_cli.main([str(inputs)]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("piqe-np: 2 scored, 0 kept, 0 skipped, 1 failed, ")
    records = records_of(report)
    assert [(r["state"], r["reason"]) for r in records] == [("scored", ""), ("failed", "format"), ("scored", "")]
    assert records[0]["score"] == scores[0]["score"]
    assert records[0]["range"] == "0 to 255 (uint8)"
    assert "no picture" not in records[0]["message"]


def test_compare_sums_up(inputs, tmp_path, capsys):
    report, out = tmp_path / "night.jsonl", tmp_path / "out"
    command = ["compare", str(inputs), "-o", str(out), "--report", str(report)]
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 compared, 0 kept, 0 skipped, 1 failed, ")
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 compared, 2 kept, 0 skipped, 1 failed, ")
    records = records_of(report)
    assert [r["state"] for r in records] == ["compared", "failed", "compared", "kept", "failed", "kept"]
    assert {score["image"] for score in records[0]["scores"]} == {"original", "bicubic", "SR"}
    figure = (out / "a_comparison.png").read_bytes()
    assert records[0]["output_sha256"] == hashlib.sha256(figure).hexdigest()


def full(path, *_, **__):
    raise errors.DiskFullError(f"{path}: cannot be written: No space left on device")


def test_a_full_disk_stops_piqe(inputs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(files, "write", full)
    assert piqe_cli.main([str(inputs), "--masks", str(tmp_path / "masks")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].endswith("No space left on device; stopped")
    assert said[1].startswith("piqe-np: 0 scored, 0 kept, 0 skipped, 1 failed, ")


def test_a_full_disk_stops_compare(inputs, tmp_path, monkeypatch, capsys):
    from fsrcnn_np.study import figure

    monkeypatch.setattr(figure, "write", lambda comparison, path, **_: full(path))
    assert main(["compare", str(inputs), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.endswith("No space left on device; stopped")
    assert said.out.splitlines()[-1].startswith("0 compared, 0 kept, 0 skipped, 1 failed, ")


@pytest.mark.parametrize("words", [["upscale", "-o", "out"], ["compare", "-o", "out"], []])
def test_a_report_that_cannot_be_written_stops_the_run(words, inputs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    report = tmp_path / "night.jsonl"
    monkeypatch.setattr("fsrcnn_np.run_log.open", no_space, raising=False)
    run = main if words else piqe_cli.main
    assert run([*words, str(inputs), "--report", str(report)]) == 1
    said = capsys.readouterr().err
    assert said.count("the report cannot be written (No space left on device); give another --report; stopped") == 1
    assert "usage" not in said


def no_space(path, mode, **how):
    if mode == "a":
        raise OSError(28, "No space left on device")
    return open(path, mode, **how)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n rest", b"name,score\na,1\n", b'{\n "a": 1}', b"\n", b"x"])
def test_a_file_that_is_no_report_is_kept(inputs, tmp_path, capsys, content):
    """A line more would damage it, in silence."""
    report, words = tmp_path / "report", [str(inputs / "a.png"), "--report", str(tmp_path / "report")]
    report.write_bytes(content)
    assert main(["upscale", *words, "-o", str(tmp_path / "out")]) == 2
    assert piqe_cli.main(words) == 2
    assert main(["phantom", "-o", str(tmp_path / "out"), *words[1:]]) == 2
    assert capsys.readouterr().err.count("exists and is no report; it is kept as it is; give another --report") == 3
    assert report.read_bytes() == content
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b'{"r', b'{"run": "cut'])
def test_a_report_that_was_cut_goes_on(inputs, tmp_path, content):
    report = tmp_path / "report"
    report.write_bytes(content)
    assert piqe_cli.main([str(inputs / "a.png"), "--report", str(report)]) == 0
    assert json.loads(report.read_text(encoding="utf-8").splitlines()[-1])["state"] == "scored"
    assert piqe_cli.main([str(inputs / "a.png"), "--report", str(report)]) == 0


def test_the_report_is_no_output(inputs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["upscale", str(inputs / "a.png"), "-o", "b.png", "--report", "in/../b.png", "--overwrite"]) == 2
    assert piqe_cli.main([str(inputs / "a.png"), "-o", "b.json", "--report", "b.json", "--overwrite"]) == 2
    assert capsys.readouterr().err.count("is both -o and --report") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_an_output_in_the_reports_place_is_whole(inputs, tmp_path, capsys):
    """Of a folder: no name tells before."""
    out = tmp_path / "out"
    assert main(["upscale", str(inputs), "-o", str(out), "--report", str(out / "c.png"), "--overwrite"]) != 0
    assert "is no report" in capsys.readouterr().err
    assert files.read(out / "c.png").pixels.shape == (80, 96)


def test_what_would_be_taken_for_inputs_the_next_time(inputs, tmp_path, capsys):
    assert main(["compare", str(inputs), "-o", str(inputs)]) == 2
    assert piqe_cli.main([str(inputs), "--masks", str(inputs)]) == 2
    assert capsys.readouterr().err.count("would get outputs that the next run takes for inputs") == 2
    assert len(list(inputs.iterdir())) == 3
    for _ in range(2):
        assert main(["upscale", str(inputs), "-o", str(inputs / "out")]) == 1
        assert piqe_cli.main([str(inputs), "--masks", str(inputs / "out")]) == 1
    assert capsys.readouterr().out.count("a.png") == 4
    assert sorted(path.name for path in inputs.rglob("*.png") if "_" not in path.name) == [
        "a.png", "a.png", "b.png", "c.png", "c.png",
    ]  # fmt: skip
