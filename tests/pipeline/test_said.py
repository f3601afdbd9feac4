"""What a run over several inputs says: a line each, JSON with the report's own records, or nothing but failures."""

import io
import json
import sys

import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import piqe_cli
from fsrcnn_np.cli import main

COMMANDS = {
    "upscale": ["upscale", "in", "-o", "out", "--weights", "x2-small"],
    "compare": ["compare", "in", "-o", "out", "--weights", "x2-small"],
    "piqe": ["piqe-np", "in"],
    "study": ["study", "run", "in", "-o", "out", "--weights", "x2-small", "--workers", "0", "--no-report"],
    "provenance": ["provenance", "in/a.png", "in/b.png", "in/c.png"],
    "phantom": ["phantom", "-o", "out", "--count", "2", "--shape", "256", "256"],
}


def run(words):
    return piqe_cli.main(words[1:]) if words[0] == "piqe-np" else main(words)


@pytest.fixture(params=COMMANDS)
def words(request, tmp_path, monkeypatch):
    """A command over an image that holds fewer bits than it says, one that is none, and one more."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    noise = np.random.default_rng(0)
    for name in "ac":
        iio.imwrite(f"in/{name}.png", noise.integers(0, 4096, (40, 48), np.uint16))
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    if request.param == "provenance":
        main(["upscale", "in", "-o", "in", "--overwrite"])
        main(["upscale", "in/a.png", "in/c.png", "-o", "of", "--weights", "x2-small"])
        (tmp_path / "of" / "b.png").write_bytes(b"no picture")
        return [word.replace("in/", "of/") for word in COMMANDS[request.param]]
    if request.param == "phantom":
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "phantom_1.json").write_text("theirs")
    return COMMANDS[request.param]


def test_quiet(words, capsys):
    capsys.readouterr()
    assert run([*words, "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert "phantom_1" in line if words[0] == "phantom" else "b.png" in line


def test_json_is_the_report(words, capsys):
    capsys.readouterr()
    assert run([*words, "--json", "--report", "night.jsonl"]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    *records, last = map(json.loads, lines)
    with open("night.jsonl", encoding="utf-8") as report:
        assert report.read().splitlines() == lines[:-1]
    failed = ["left out" if words[0] == "study" else "failed"]
    assert [record["state"] for record in records if record["reason"]] == failed
    names = [record["input"][-5:] for record in records]
    assert names == sorted(names)  # as the inputs
    assert last["run"] == records[0]["run"]
    assert sum(last["summary"].values()) == len(records)
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["upscale", "compare", "piqe"])
def test_remarks_of_one_file_are_one_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for file in "ab":
        iio.imwrite(f"in/{file}.png", np.full((16, 24), 4000, np.uint16))
    (tmp_path / "ranges.csv").write_text("path,data_range\nin/none.png,4095\n")
    assert run([*COMMANDS[name], "--data-range", "ranges.csv"]) == 0
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "say so (--data-range 4095)" in line]
    assert [("a.png" in line, "has no row for it" in line) for line in lines] == [(True, True), (False, True)]
    if name == "upscale":
        assert len(said.out.splitlines()) == 3


def test_a_report_of_one_image_through_pipes(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    iio.imwrite(stream, np.zeros((9, 8), np.uint8), extension=".png")
    command = ["upscale", "-", "--weights", "x2-small", "--report", "night.jsonl"]
    for data, words in ((stream.getvalue(), ["-o", "-"]), (b"none", ["-o", "-"]), (stream.getvalue(), ["-o", "out"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert main([*command, *words]) == (data == b"none")
    iio.imwrite("file.png", np.zeros((9, 8), np.uint8))
    assert main(["upscale", "file.png", *command[2:], "-o", "-", "--quiet"]) == 0
    assert capfdbinary.readouterr().err.count(b"file.png") == 0
    with open("night.jsonl", encoding="utf-8") as report:
        piped, failed, kept, named = map(json.loads, report)
    assert (piped["input"], piped["output"], piped["state"]) == ("standard input", "standard output", "written")
    assert piped["output_sha256"] == kept["output_sha256"]
    assert (failed["reason"], failed["output"], kept["output"]) == ("format", None, "out/standard-input.png")
    assert (named["input"], named["range"]) == ("file.png", "0..255 (uint8)")
    assert str(tmp_path) not in str(piped)
