"""The end of a run: one line of all, and a record of each."""

import hashlib
import json

import imageio.v3 as iio
import numpy as np

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
