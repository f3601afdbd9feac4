"""The paper's lines: every cell, what is computed of it, and that a wrong figure would show."""

import math

import numpy as np
import pytest

from parity.paper import honjo, lines, statistics

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
    cells = [line for line in lines.table_2() if line.place == "Table 2"]
    counts = {status: sum(line.status == status for line in cells) for status in {line.status for line in cells}}
    undefined = sum(set(np.nonzero(cell.counts)[0]) == {2} for cell in honjo.TABLE_2)
    assert counts == {lines.INFERRED: 9, lines.CONSISTENT: undefined, lines.REPRODUCED: 56 - 9 - undefined}
    assert all(line.note for line in cells if line.status == lines.INFERRED)


def test_known_p_values():
    found = {
        (c.criterion, c.reader): statistics.wilcoxon_against_3(statistics.ratings(c.counts)) for c in honjo.TABLE_2
    }
    for cell, p in KNOWN_P.items():
        assert found[cell] == pytest.approx(p, abs=5e-6)
    assert math.isnan(statistics.wilcoxon_against_3([3, 3, 3]))


def test_the_signed_rank_test_against_a_count_by_hand():
    """R's convention, written out: zeros dropped, mean ranks, tie-corrected variance, continuity correction."""
    for sample in ([2] * 15 + [3] * 100 + [4] * 17 + [5] * 4, [1, 2, 4, 4, 5, 3], [4] * 7 + [1]):
        differences = [x - 3 for x in sample if x != 3]
        sizes = sorted(abs(d) for d in differences)
        rank = {s: np.mean([i + 1 for i, other in enumerate(sizes) if other == s]) for s in sizes}
        n, plus = len(sizes), sum(rank[abs(d)] for d in differences if d > 0)
        ties = sum(sizes.count(s) ** 3 - sizes.count(s) for s in set(sizes))
        z = plus - n * (n + 1) / 4
        z = (z - 0.5 * np.sign(z)) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48)
        assert statistics.wilcoxon_against_3(sample) == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), abs=1e-14)


@pytest.mark.parametrize("number", range(56))
def test_a_wrong_count_in_any_cell_differs(monkeypatch, number):
    cell = honjo.TABLE_2[number]
    counts = list(cell.counts)
    most = int(np.argmax(counts))
    counts[most] -= 1
    counts[most - 1 if most else 1] += 1
    table = (*honjo.TABLE_2[:number], cell._replace(counts=tuple(counts)), *honjo.TABLE_2[number + 1 :])
    monkeypatch.setattr(honjo, "TABLE_2", table)
    found = [line for line in lines.table_2() if line.place == "Table 2"]
    assert [i for i, line in enumerate(found) if line.status == lines.DIFFERS] == [number]


def test_a_wrong_star_differs_but_the_papers_own_slip_is_noted():
    cell = honjo.TABLE_2[0]
    assert lines._cell(cell._replace(stars="*"), 1e-9, 1, 1).status == lines.DIFFERS
    slip = next(line for line in lines.table_2() if "slip" in line.note)
    assert slip.status == lines.CONSISTENT
    assert "breast density, reader 2" in slip.claim


def test_table_1_sums_and_a_wrong_one(monkeypatch):
    assert [line.claim for line in lines.table_1() if line.status == lines.DIFFERS] == []
    monkeypatch.setitem(honjo.TABLE_1, "BI-RADS", honjo.TABLE_1["BI-RADS"] | {"4": 2})
    wrong = [line.claim for line in lines.table_1() if line.status == lines.DIFFERS]
    assert wrong == ["BI-RADS: patients add up", "BI-RADS: text and table agree"]


def test_the_range_of_t():
    low, high, p = lines.t_range()
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
    found = list(lines.table_3())
    cells = [line for line in found if line.claim.startswith("PIQE") and line.place == "Table 3"]
    assert len(cells) == 15
    assert {line.status for line in cells} == {lines.NOT_REPRODUCIBLE}
    splits = {line.claim.split()[6].strip(","): line.status for line in found if "one or two breasts" in line.claim}
    assert splits == {
        "density": lines.CONSISTENT, "morphology": lines.CONSISTENT, "distribution": lines.NOT_REPRODUCIBLE,
    }  # fmt: skip
    assert lines.DIFFERS not in {line.status for line in found}


def test_the_architecture_is_the_papers(monkeypatch):
    found = list(lines.architecture())
    assert lines.DIFFERS not in {line.status for line in found}
    assert any("12464" in line.computed for line in found)
    monkeypatch.setitem(honjo.LAYERS, "shrinking", (1, 12, 55))
    assert [line.claim for line in lines.architecture() if line.status == lines.DIFFERS] == [
        "shrinking: filter size, filters, channels"
    ]


def test_a_small_mammogram_within_a_minute(monkeypatch):
    measured, substitute = lines.one_minute((320, 256))
    assert measured.status == lines.REPRODUCED
    assert substitute.status == lines.NOT_REPRODUCIBLE
    assert len(substitute.computed.split(" / ")) == 3
    monkeypatch.setattr(lines, "MINUTE", 0.0)
    assert lines.one_minute((320, 256))[0].status == lines.DIFFERS


def test_corrections_for_many_tests_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert statistics.holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_what_raises_is_a_line_that_differs(monkeypatch):
    import piqe_np

    def broken(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr(piqe_np, "piqe", broken)
    monkeypatch.setattr(lines, "one_minute", list)
    found = [line for line in lines.all_lines(None) if line.status == lines.DIFFERS]
    assert [(line.place, line.computed) for line in found] == [("Section 2.4", "RuntimeError: no luck")]


@pytest.mark.shared
def test_the_fsrcnn_papers_tables_where_the_images_are(shared):
    from parity.oracles import printed

    found = list(lines.fsrcnn_tables(printed.published(shared)))
    assert {line.status for line in found if "Set5 ×2" in line.claim} == {lines.REPRODUCED}
    assert all("--images" in line.note for line in found if line.status == lines.NOT_RUN)
