"""The paper's Table 2: what is printed beside what comes out of the printed counts."""

from __future__ import annotations

from ..paper import honjo
from ..paper.claims import check_cell
from ..statistics import benjamini_hochberg, holm, ratings, signed_rank
from .readers import CONVENTIONS, CORRECTED
from .render import Line, Table, p_value, stars


def paper_table2(*, preset: str = "r-3.6") -> Table:
    """The 56 cells, recomputed by a preset (see `statistics.signed_rank`); one that differs from print says so."""
    tests = [signed_rank(ratings(cell.counts), preset=preset) for cell in honjo.TABLE_2]
    p = [test.p for test in tests]
    lines, records, before = [], [], ""
    for cell, test, stepped, discovery in zip(honjo.TABLE_2, tests, holm(p), benjamini_hochberg(p), strict=True):
        checked = check_cell(cell, test if test.n else None)
        mean = sum(value * count for value, count in zip(honjo.SCALE, cell.counts, strict=True)) / sum(cell.counts)
        if cell.criterion != before:
            lines.append(Line((cell.criterion,), heading=True))
        before = cell.criterion
        records.append(
            {"criterion": cell.criterion, "reader": cell.reader}
            | {str(value): count for value, count in zip(honjo.SCALE, cell.counts, strict=True)}
            | {
                "n": sum(cell.counts), "mean_printed": cell.mean, "mean": mean, "p_printed": cell.p, "p": test.p,
                "stars_printed": cell.stars, "stars": stars(test.p), "holm": float(stepped),
                "benjamini_hochberg": float(discovery), "effect": test.effect, "status": checked.status,
                "note": checked.note,
            }
        )  # fmt: skip
        cells = (
            f"Reader {cell.reader}", *map(str, cell.counts), cell.mean, f"{mean:.3f}",
            f"{cell.p} {cell.stars}".rstrip(),
            f"{test.p:.5f}" if test.p >= 0.001 else f"{test.p:.1e}", p_value(float(stepped)), p_value(float(discovery)),
            checked.status,
        )  # fmt: skip
        lines.append(Line(cells))
    notes = [
        f"{CONVENTIONS[preset]}; two-sided. {CORRECTED.format(tests=len(p))}",
        "inferred: the counts in hand are garbled or contradict n or the printed mean; those that restore the mean are "
        "shown. consistent: every rating is 3, where the test is undefined and 1.000 is printed.",
        *(f"{cell.criterion}, reader {cell.reader}: {cell.note}." for cell in honjo.TABLE_2 if cell.note),
    ]
    head = ("", *map(str, honjo.SCALE), "mean printed", "mean", "p printed", "p", "Holm", "BH", "")
    return Table(
        "table2_paper",
        "Table 2 of the paper, printed and recomputed",
        head,
        tuple(lines),
        tuple(records),
        tuple(notes),
        frozenset({0, 8, 12}),
    )
