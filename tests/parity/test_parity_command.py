"""`python -m parity`: the table, its files, and the exit status."""

import csv
import json

import pytest

from parity import __main__ as command
from parity import store, suite
from parity.oracles import octave, pytorch, r
from parity.paper import lines


@pytest.fixture
def no_images(monkeypatch):
    monkeypatch.setattr(command, "_default_images", lambda: None)


def test_the_whole_suite_passes_with_every_oracle_required(tmp_path, capsys, no_images):
    assert command.main(["--require", "octave,r,torch", "-o", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    document = json.loads((tmp_path / "parity.json").read_text())
    rows = document["rows"]
    assert {row["result"] for row in rows} == {"pass", "not run"}
    ran = {row["oracle"] for row in rows if row["result"] == "pass"}
    assert ran == {"GNU Octave", "PyTorch", "R", "index", "planted errors"}
    assert {row["oracle"] for row in rows if row["result"] == "not run"} == {
        "MATLAB", "MATLAB in print", "Dong, Loy, Tang 2016",
    }  # fmt: skip
    assert all(row["release"] and row["reason"] for row in rows if row["comparison"])
    assert document["machine"]["numpy"]
    with open(tmp_path / "parity.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    page = (tmp_path / "parity.md").read_text()
    table = page[page.index("| stage ") :]
    assert table.count("\n| ") == len(rows) + 1
    assert f"{len(rows)} rows" in out
    assert "not run  all, MATLAB: in MATLAB R2019a or later" in out


def test_a_missing_oracle_is_a_row_and_fails_only_when_required(tmp_path, capsys, monkeypatch, no_images):
    for oracle in (octave, pytorch, r):
        monkeypatch.setattr(oracle, "available", lambda: False)
        monkeypatch.setattr(oracle, "run", lambda *_: pytest.fail("it ran"))
    monkeypatch.setattr(command, "ORACLES", dict.fromkeys(command.ORACLES, lambda: False))
    assert command.main(["-o", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for hint in (octave.HOW_TO, pytorch.HOW_TO, r.HOW_TO):
        assert hint in out
    rows = json.loads((tmp_path / "parity.json").read_text())["rows"]
    assert {row["oracle"] for row in rows if row["result"] == "pass"} == {"GNU Octave", "index", "planted errors"}
    assert {row["source"] for row in rows if row["oracle"] == "GNU Octave" and row["result"] == "pass"} == {
        next(iter(store.read_index()["goldens"]))
    }
    assert command.main(["--require", "octave,r", "-o", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "FAIL  every vector, every stage: --require octave, and it is missing" in out
    assert "--require torch" not in out


def test_a_failure_sets_the_exit_status_and_names_vector_and_stage(tmp_path, capsys, monkeypatch, no_images):
    import piqe_np.reference

    right = piqe_np.reference.mscn
    monkeypatch.setattr(piqe_np.reference, "mscn", lambda x: right(x) * 1.001)
    monkeypatch.setattr(octave, "available", lambda: False)
    assert command.main(["-o", str(tmp_path)]) == 1
    assert (
        "FAIL  vector piqe-grey-uint16-29x21, stage piqe.z (z, reference against GNU Octave" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "arguments", [["--require", "matlab"], ["--images", "/no/such/folder"], ["papers"], ["--what"]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys, monkeypatch, no_images):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(command, "live_rows", lambda *_: [])
    assert command.main(["-o", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bad_golden_file_is_a_failing_row(tmp_path, capsys, monkeypatch, no_images):
    monkeypatch.setattr(command, "live_rows", lambda *_: [])
    (tmp_path / "goldens_R2099z.mat").write_bytes(b"nothing")
    assert command.main(["--goldens", str(tmp_path / "goldens_R2099z.mat"), "-o", str(tmp_path)]) == 1
    assert "goldens_R2099z.mat is no readable MAT-file" in capsys.readouterr().out


def test_an_oracle_that_fails_is_a_row(capsys, monkeypatch, vectors, known):
    def broken(_):
        raise octave.OctaveError("octave failed: no luck")

    monkeypatch.setattr(octave, "run", broken)
    monkeypatch.setattr(pytorch, "available", lambda: False)
    rows = command.live_rows(vectors, known, None)
    assert [(row.oracle, row.status) for row in rows] == [("GNU Octave", suite.FAIL), ("PyTorch", suite.NOT_RUN)]
    assert "no luck" in rows[0].details[0]


def test_the_papers_command(tmp_path, capsys, monkeypatch, no_images):
    small = lines.one_minute
    monkeypatch.setattr(lines, "one_minute", lambda: small((320, 256)))
    assert command.main(["paper", "-o", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "paper.json").read_text())["rows"]
    assert {row["status"] for row in rows} == {
        "reproduced", "consistent", "inferred", "not reproducible", "not run",
    }  # fmt: skip
    assert sum(row["holm"] is not None for row in rows) == 56
    assert f"{len(rows)} lines: " in capsys.readouterr().out
    from fsrcnn_np.study.paper import honjo

    monkeypatch.setattr(honjo, "BREASTS", 137)
    assert command.main(["paper", "-o", str(tmp_path)]) == 1
