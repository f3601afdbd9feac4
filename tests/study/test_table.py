"""The tables hold every score, in text with four decimals, and go on where an earlier job ended."""

import csv
import io
import json
from dataclasses import replace

import pytest

from fsrcnn_np.errors import FileError
from fsrcnn_np.study import table


@pytest.fixture
def records(comparison):
    return [table.record(comparison), table.record(replace(comparison, name='b, "c"\n.png', note="", inverted=True))]


def test_text(comparison, records):
    text = table.text(records)
    for score in comparison.scores:
        assert f"{score.piqe:14.4f}" in text
    lines = text.splitlines()
    assert lines[0] == "some/folder/pha$ntom_{.png: not a patient"
    assert lines[1] == "300×260 uint16, values 0..4095 (data_range)"
    assert lines[4].split() == ["PIQE", "original", "bicubic", "×2", "SR", "×2"]
    assert [line[:12] for line in lines[5:8]] == ["native depth", "8-bit export", "MATLAB's cla"]
    assert sum("MONOCHROME1" in line for line in lines) == 1
    assert "Bicubic is the control" in text
    assert "cannot be reproduced" in " ".join(lines)


def test_the_checkerboard_is_told_and_warned_of(comparison, records):
    found = comparison.checkerboard
    text = table.block(records[0])
    assert f"checkerboard of the model: {100 * found.offset_amplitude:.3f} % of the range" in text
    assert f"bicubic {100 * comparison.grid_amplitude['bicubic']:.3f} %, SR" in text
    assert f"WARNING: {found.warning}" in text  # random weights draw a strong one
    quiet = {**records[0], "checkerboard": records[0]["checkerboard"] | {"warning": ""}}
    assert "WARNING" not in table.block(quiet)
    rows = list(csv.DictReader(io.StringIO(table.csv(records))))
    assert float(rows[-1]["grid_amplitude"]) == comparison.grid_amplitude["SR"]
    assert float(rows[0]["model_checkerboard_gain"]) == found.gain_amplitude
    older = {key: value for key, value in records[0].items() if key not in ("checkerboard", "grid_amplitude")}
    assert "checkerboard" not in table.block(older)
    assert list(csv.DictReader(io.StringIO(table.csv([older]))))[-1]["grid_amplitude"] == ""


def test_csv(comparison, records):
    rows = list(csv.DictReader(io.StringIO(table.csv(records))))
    assert len(rows) == 2 * len(comparison.scores)
    for row, score in zip(rows, comparison.scores, strict=False):
        assert (row["image"], row["scoring"], row["scaling"]) == (score.image, score.scoring, score.scaling)
        assert float(row["piqe"]) == score.piqe
        assert (int(row["rows"]), int(row["columns"])) == score.shape
        assert (float(row["low"]), float(row["high"]), row["range_origin"]) == (0, 4095, "data_range")
        assert row["model_sha256"] == comparison.sha256
        assert int(row["square_side"]) == comparison.square.side
    assert rows[-1]["input"] == 'b, "c"\n.png'


def test_json(comparison, records):
    document = json.loads(table.json(records))
    one = document["comparisons"][0]
    assert document["format"] == "fsrcnn-np comparison"
    assert one["model"] == {"name": "random", "sha256": comparison.sha256, "scale": 2}
    assert one["value_range"] == {"low": 0, "high": 4095, "origin": "data_range"}
    assert one["square"] == comparison.square._asdict() | {"origin": "brightest small spots"}
    assert one["versions"].keys() == {"fsrcnn-np", "python", "numpy", "scipy", "numba"}
    assert [s["piqe"] for s in one["scores"]] == [s.piqe for s in comparison.scores]


def read(folder):
    return [r["input"] for r in json.loads((folder / "comparison.json").read_text("utf-8"))["comparisons"]]


def test_a_job_goes_on_with_the_tables_that_are_there(comparison, tmp_path):
    table.Tables(tmp_path / "new").add(replace(comparison, name="a"))
    tables = table.Tables(tmp_path / "new")
    assert "a" in tables
    assert "b" not in tables
    tables.add(replace(comparison, name="b"))
    tables.add(replace(comparison, name="a", note="again"))
    assert read(tmp_path / "new") == ["a", "b"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "new" / "comparison.csv").read_text("utf-8"))))
    assert [row["input"] for row in rows] == ["a"] * 9 + ["b"] * 9
    assert {row["note"] for row in rows[:9]} == {"again"}
    table.Tables(tmp_path / "new", overwrite=True).add(replace(comparison, name="c"))
    assert read(tmp_path / "new") == ["c"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": "fsrcnn-np comparison", "schema": 2, "comparisons": []}',
     '{"format": "fsrcnn-np comparison", "schema": 1, "comparisons": [{"input": "a"}]}',
     '{"format": "fsrcnn-np comparison", "schema": 1, "comparisons": 3}', "\udcff"],
)  # fmt: skip
def test_somebody_elses_table_is_left_alone(content, tmp_path, comparison):
    path = tmp_path / "comparison.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError, match=r"comparison.json .* choose another folder, or --overwrite"):
        table.Tables(tmp_path)
    table.Tables(tmp_path, overwrite=True).add(comparison)
    assert len(read(tmp_path)) == 1


def test_a_table_without_its_json_is_left_alone(tmp_path):
    (tmp_path / "comparison.csv").write_text("mine")
    with pytest.raises(FileError, match=r"comparison.json is missing, .* beside comparison.csv"):
        table.Tables(tmp_path)
    assert (tmp_path / "comparison.csv").read_text() == "mine"
