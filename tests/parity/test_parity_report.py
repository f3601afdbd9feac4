"""The report: renewed in place, nothing lost, and the committed page in step with the suite."""

import json
import re
from pathlib import Path

import numpy as np

from parity import report, store, suite, tolerances
from parity.suite import Finding, Row

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"


def rows(known):
    good = suite.measure("v", "piqe.score", "score", "numba", np.float64(50), np.float64(50 + 1e-10), 1.0, known)
    bad = suite.measure("w|x", "piqe.masks", "noise_mask", "numba", np.array([True]), np.array([False]), 1.0, known)
    return [
        *suite.rows_of([good, bad], "GNU Octave", "0.0", "run now"),
        suite.not_run("all", "MATLAB", "have MATLAB"),
        suite.failed("all", "R", ["every vector, every stage: no luck"]),
    ]


def test_the_terminal_has_every_row_every_failure_and_every_hint(known):
    text = report.text(rows(known))
    assert re.search(r"piqe.score +numba +GNU Octave 0.0 +1 +1 +1e-10 +14074 +1e-09 \(absolute\) +pass", text)
    assert "4 rows: 1 pass, 2 fail, 1 not run" in text
    assert "FAIL  vector w|x, stage piqe.masks (noise_mask, numba against GNU Octave 0.0): 1 > 0 (flips)" in text
    assert "FAIL  every vector, every stage: no luck" in text
    assert "not run  all, MATLAB: have MATLAB" in text
    assert "… and 1 more" in report.text(rows(known), most=1)


def test_files_hold_every_field_and_json_stays_json(known, tmp_path):
    infinite = Finding("v", "piqe.score", "score", "numba", suite.Difference(np.inf), known["piqe.score"], "gone")
    found = [*rows(known), *suite.rows_of([infinite], "R", "1", "run now")]
    report.write(tmp_path / "new", "parity", report.rows_as_dicts(found), report.page(found), {"suite": "x"})
    read = json.loads((tmp_path / "new" / "parity.json").read_text(), parse_constant=lambda name: 1 / 0)
    assert len(read["rows"]) == len(found)
    assert read["rows"][-1]["worst"] == "inf"
    assert sorted(path.suffix for path in (tmp_path / "new").iterdir()) == [".csv", ".json", ".md"]


def test_a_summary_says_fail_where_a_row_fails(known):
    lines = report.summary(rows(known)).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| piqe | GNU Octave 0.0 | 2 | 2 | 1 | 10 % | score 1.0e-10 | FAIL |"


def test_a_page_is_renewed_between_its_marks_only(tmp_path, known):
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- parity:table -->\nold\n<!-- /parity:table -->\nafter <!-- parity:summary -->\n")
    report.renew(path, report.parts(rows(known)))
    text = path.read_text()
    assert text.startswith("before\n<!-- parity:table -->\n| stage |")
    assert text.endswith("<!-- /parity:table -->\nafter <!-- parity:summary -->\n")
    assert "old" not in text
    assert "w\\|x" not in text
    assert list(tmp_path.iterdir()) == [path]


def test_rows_with_nothing_to_say_claim_nothing():
    row = suite.not_run("all", "MATLAB", "how")
    assert row == Row("all", "MATLAB", suite.NOT_RUN, details=("how",))
    assert "0" not in report.table([row])


def test_the_committed_page_is_of_this_suite(known):
    page = PAGE.read_text(encoding="utf-8")
    for stage, tolerance in tolerances.load()[0].items():
        if not stage.startswith("matlab."):
            assert f"- `{stage}`: {tolerance.reason}\n" in page, f"renew it: python -m parity --page {PAGE.name}"
    piqe = sum(entry["kind"] == "piqe" for entry in store.read_index()["vectors"])
    assert re.search(rf"\| piqe.score +\| numba +\| GNU Octave [\d.]+ +\| {piqe} ", page)
    assert "| FAIL |" not in page
    assert "DIFFERS |" not in page
    assert page.count("| Table 2 |") == 56


def test_a_summary_says_when_all_it_has_is_stored(known):
    row = suite.measure("v", "piqe.score", "score", "numba", np.float64(50), np.float64(50), 1.0, known)
    stored = suite.rows_of([row], "GNU Octave", "0.0", "goldens_octave0.0.mat")
    assert "| piqe | GNU Octave 0.0 (stored) | 1 | 1 |" in report.summary(stored)
    both = [*stored, *suite.rows_of([row], "GNU Octave", "0.0", store.RUN_NOW)]
    assert "| piqe | GNU Octave 0.0 | 1 | 1 |" in report.summary(both)
