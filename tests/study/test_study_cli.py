"""`fsrcnn-np study run` and `demo`, as a user sees them."""

import json

import pytest

from cohort_images import small_images, small_model
from fsrcnn_np.cli import main
from fsrcnn_np.study import demo_study, report


@pytest.fixture
def weights(tmp_path):
    return str(small_model(tmp_path / "model.h5"))


def test_a_line_an_image_and_one_of_all(tmp_path, weights, capsys):
    small_images(tmp_path / "images", 2)
    command = ["study", "run", str(tmp_path / "images"), "-o", str(tmp_path / "r"), "--weights", weights]
    command += ["--data-range", "4095", "--workers", "0", "--no-report"]
    assert main(command) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("1/2 000.png: PIQE ")
    assert second.startswith("2/2 001.png: PIQE ")
    assert last.startswith("2 measured, 0 kept, 0 skipped, 0 left out, ")
    log = tmp_path / "night.jsonl"
    assert main([*command, "--report", str(log)]) == 0
    (last,) = capsys.readouterr().out.splitlines()
    assert last.startswith("0 measured, 2 kept, 0 skipped, 0 left out, ")
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(r["input"], r["state"], r["reason"]) for r in records] == [(f"00{n}.png", "kept", "exists") for n in "01"]
    assert main([*command[:6], "x2-small", *command[7:]]) == 2
    assert "was made with model" in capsys.readouterr().err


def test_names_with_formulas_markup_and_terminal_codes(tmp_path, weights, capsys):
    (name,) = small_images(tmp_path, 1)
    odd = "=1+1<b>\x1b[31m.png"
    (tmp_path / name).rename(tmp_path / odd)
    (tmp_path / "c.csv").write_text(f"path,site\n{odd},=cmd\n\x1b[1m.png,x\n")
    command = ["study", "run", str(tmp_path / "c.csv"), "-o", str(tmp_path / "r"), "--weights", weights]
    assert main([*command, "--data-range", "4095", "--workers", "0", "--no-report"]) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "1/1 =1+1<b>\\x1b[31m.png: PIQE" in said.out
    assert "row 3, column path: \\x1b[1m.png: there is no such file" in said.err


@pytest.mark.parametrize("options", [["--workers", "-1"], ["--threads", "0"], ["--weights", "no such model"]])
def test_wrong_usage(tmp_path, options, capsys):
    small_images(tmp_path / "images", 1)
    assert main(["study", "run", str(tmp_path / "images"), "-o", str(tmp_path / "r"), "--no-report", *options]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_demo_ends_with_the_report(tmp_path, weights, capsys, monkeypatch):
    told = []

    def write_report(study, folder, **_):
        told.append(study)
        return report.Report(folder / "report.html", (folder / "report.html",), ())

    monkeypatch.setattr(report, "write_report", write_report)
    monkeypatch.setattr(demo_study, "SHAPE", (256, 256))
    out = tmp_path / "d"
    assert main(["study", "demo", "-o", str(out), "--cases", "3", "--weights", weights, "--workers", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("procedural phantoms, no patients; simulated readers")
    assert lines[-3].startswith("3 measured, 0 kept, 0 skipped, 0 left out, ")
    assert lines[-2].startswith("WARNING: the model draws a checkerboard")  # of random weights
    assert lines[-1].startswith(f"wrote {out / 'report.html'}")
    assert len(told[0].cases) == 3
    assert len({rating.reader for rating in told[0].ratings}) == 4
    assert told[0].about.data == lines[0]
