"""The paper's lines: every cell, what is computed of it, and that a wrong figure would show."""

import math

import numpy as np
import pytest

from fsrcnn_np.study import statistics
from fsrcnn_np.study.paper import claims, honjo

#: Recomputed p values as the project's facts have them, from the printed counts.
KNOWN_P = {
    ("Visibility of breast density", 1): 0.14303,
    ("Sharpness in general", 4): 0.34578,
    ("Artifacts", 1): 0.01073,
    ("Visibility of nipples", 2): 0.03689,
    ("Overall scores", 2): 0.01966,
    ("Overall scores", 4): 1.0,
    ("Noise of microcalcifications", 4): 0.77283,
}


def test_fourteen_criteria_by_four_readers_and_nine_restored():
    assert len(honjo.TABLE_2) == 56
    assert len({(cell.criterion, cell.reader) for cell in honjo.TABLE_2}) == 56
    assert len({cell.criterion for cell in honjo.TABLE_2}) == 14
    assert sum(bool(cell.inferred) for cell in honjo.TABLE_2) == 9
    sizes = {(c.criterion, c.reader): sum(c.counts) for c in honjo.TABLE_2 if sum(c.counts) != 136}
    assert sizes == {("Visibility of pectoral muscles", 2): 128, ("Visibility of pectoral muscles", 4): 130}


def test_every_cell_agrees_with_print():
    cells = [line for line in claims.table_2() if line.place == "Table 2"]
    counts = {status: sum(line.status == status for line in cells) for status in {line.status for line in cells}}
    undefined = sum(set(np.nonzero(cell.counts)[0]) == {2} for cell in honjo.TABLE_2)
    assert counts == {claims.INFERRED: 9, claims.CONSISTENT: undefined, claims.REPRODUCED: 56 - 9 - undefined}
    assert all(line.note for line in cells if line.status == claims.INFERRED)


def test_known_p_values():
    found = {(c.criterion, c.reader): statistics.signed_rank(statistics.ratings(c.counts)).p for c in honjo.TABLE_2}
    for cell, p in KNOWN_P.items():
        assert found[cell] == pytest.approx(p, abs=5e-6)


@pytest.mark.parametrize("number", range(56))
def test_a_wrong_count_in_any_cell_differs(monkeypatch, number):
    cell = honjo.TABLE_2[number]
    counts = list(cell.counts)
    most = int(np.argmax(counts))
    counts[most] -= 1
    counts[most - 1 if most else 1] += 1
    table = (*honjo.TABLE_2[:number], cell._replace(counts=tuple(counts)), *honjo.TABLE_2[number + 1 :])
    monkeypatch.setattr(honjo, "TABLE_2", table)
    found = [line for line in claims.table_2() if line.place == "Table 2"]
    assert [i for i, line in enumerate(found) if line.status == claims.DIFFERS] == [number]


def test_a_wrong_star_differs_but_the_papers_own_slip_is_noted():
    cell = honjo.TABLE_2[0]
    assert claims.check_cell(cell._replace(stars="*"), statistics.signed_rank([4] * 60)).status == claims.DIFFERS
    slip = next(line for line in claims.table_2() if "slip" in line.note)
    assert slip.status == claims.CONSISTENT
    assert "breast density, reader 2" in slip.claim


def test_table_1_sums_and_a_wrong_one(monkeypatch):
    assert [line.claim for line in claims.table_1() if line.status == claims.DIFFERS] == []
    monkeypatch.setitem(honjo.TABLE_1, "BI-RADS", honjo.TABLE_1["BI-RADS"] | {"4": 2})
    wrong = [line.claim for line in claims.table_1() if line.status == claims.DIFFERS]
    assert wrong == ["BI-RADS: patients add up", "BI-RADS: text and table agree"]


def test_the_range_of_t():
    low, high, p = claims.t_range()
    assert low == pytest.approx(9.16 * math.sqrt(136) / 6.36)
    assert high == pytest.approx(9.16 * math.sqrt(136) / 3.70)
    assert 0 < p < 1e-30
    rng = np.random.default_rng(4)
    for correlation in (-1, 0.3, 1):
        a = rng.standard_normal(136)
        b = correlation * a + math.sqrt(1 - correlation**2) * rng.standard_normal(136)
        a, b = ((s - s.mean()) / s.std(ddof=1) for s in (a, b))
        t = statistics.paired_t(12.36 + 5.03 * a, 3.2 + 1.33 * b).t
        assert low * (1 - 1e-9) <= t <= high * (1 + 1e-9)


def test_table_3_is_not_reproducible_and_its_groups_are_examined():
    found = list(claims.table_3())
    cells = [line for line in found if line.claim.startswith("PIQE") and line.place == "Table 3"]
    assert len(cells) == 15
    assert {line.status for line in cells} == {claims.NOT_REPRODUCIBLE}
    splits = {line.claim.split()[6].strip(","): line.status for line in found if "one or two breasts" in line.claim}
    assert splits == {
        "density": claims.CONSISTENT, "morphology": claims.CONSISTENT, "distribution": claims.NOT_REPRODUCIBLE,
    }  # fmt: skip
    assert claims.DIFFERS not in {line.status for line in found}


def test_the_architecture_is_the_papers(monkeypatch):
    found = list(claims.architecture())
    assert claims.DIFFERS not in {line.status for line in found}
    assert any("12464" in line.computed for line in found)
    monkeypatch.setitem(honjo.LAYERS, "shrinking", (1, 12, 55))
    assert [line.claim for line in claims.architecture() if line.status == claims.DIFFERS] == [
        "shrinking: filter size, filters, channels"
    ]
