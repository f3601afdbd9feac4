"""Table 2: what readers preferred; beside it their preference by ordinal regression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..records import Rating
from ..statistics import (
    benjamini_hochberg,
    holm,
    ordinal_preference,
    ratings,
    signed_rank,
)
from .readings import VALUES, Readings, headed, reader_name
from .render import Line, Table, number, p_value, span, stars

SCALE = "1 = original strongly preferred, 3 = no preference, 5 = SR strongly preferred."
CONVENTIONS = {
    "r-3.6": "Wilcoxon signed-rank test against 3 as R 3.6 does it: zeros dropped, normal approximation, tie and "
    "continuity correction",
    "exact": "Wilcoxon signed-rank test against 3: zeros dropped, exact distribution over the signs of the mean ranks",
    "pratt": "Wilcoxon signed-rank test against 3 by Pratt: zeros ranked and then dropped, normal approximation, tie "
    "and continuity correction",
    "scipy": "Wilcoxon signed-rank test against 3 with SciPy's defaults",
}
CORRECTED = (
    "Holm and BH (Benjamini–Hochberg): p adjusted for all {tests} tests of this table, which the paper does not."
)
FIRST = "{n} second and later readings of a case are not in here; see the repeatability."


def table2(given: Sequence[Rating] | Readings, *, preset: str = "r-3.6") -> Table:
    """Counts, mean and the signed-rank test against 3 of every criterion and reader.

    Parameters
    ----------
    given : sequence of Rating, or Readings
    preset : {"r-3.6", "exact", "pratt", "scipy"}
        See `statistics.signed_rank`.

    Raises
    ------
    OptionError
        Another preset.
    """
    readings = Readings.made_of(given)
    records: list[dict[str, Any]] = []
    for criterion, reader in readings.cells():
        counts = readings.counts(criterion, reader)
        n, test = sum(counts), signed_rank(ratings(counts), preset=preset)
        records.append(
            {"criterion": criterion, "reader": reader}
            | {str(value): count for value, count in zip(VALUES, counts, strict=True)}
            | {
                "unreadable": readings.unreadable[criterion, reader],
                "n": n,
                "mean": float(np.dot(VALUES, counts)) / n if n else math.nan,
                "w": test.w,
                "differing": test.n,
                "z": test.z,
                "p": test.p if n else math.nan,
                "effect": test.effect,
                "note": test.note if n else "no rating",
            }
        )
    tested = [record for record in records if record["n"]]
    for name, adjust in (("holm", holm), ("benjamini_hochberg", benjamini_hochberg)):
        adjusted = adjust([record["p"] for record in tested]) if tested else ()
        for record in records:
            record[name] = math.nan
        for record, value in zip(tested, adjusted, strict=True):
            record[name] = float(value)
    lines = []
    for heading, record in headed(records):
        if heading:
            lines.append(Line((heading,), heading=True))
        lines.append(
            Line(
                (
                    reader_name(record["reader"]),
                    *(str(record[str(value)]) for value in VALUES),
                    str(record["unreadable"] or ""),
                    number(record["mean"], 3),
                    p_value(record["p"]),
                    stars(record["p"]),
                    p_value(record["holm"]),
                    p_value(record["benjamini_hochberg"]),
                    number(record["effect"]),
                )
            )
        )
    notes = [SCALE + " NA: unreadable. * p < 0.05, ** p < 0.01, *** p < 0.001.", CONVENTIONS[preset] + "; two-sided."]
    if any(record["n"] and not record["differing"] for record in records):
        notes.append(
            "Where every rating is 3 the test is undefined (R and SciPy give NaN); 1.000 is shown, as in the paper."
        )
    notes.append(CORRECTED.format(tests=len(tested)) + " r: rank-biserial correlation, −1 to 1.")
    notes.append("Breasts of one patient are taken for independent, as in the paper; the ordinal regression does not.")
    if readings.later:
        notes.append(FIRST.format(n=readings.later))
    head = ("", *map(str, VALUES), "NA", "mean", "p", "", "Holm", "BH", "r")
    return Table(
        "table2",
        "Table 2. Ratings of SR against the original",
        head,
        tuple(lines),
        tuple(records),
        tuple(notes),
        frozenset({0, 9}),
    )


def preference(given: Sequence[Rating] | Readings) -> Table:
    """Visual grading by ordinal regression: each reader's preference in log-odds, with patients as clusters."""
    readings = Readings.made_of(given)
    records: list[dict[str, Any]] = []
    for criterion in readings.criteria:
        cases, table = readings.by_case(criterion)
        if not cases:
            continue
        whose = np.unique(readings.whose(cases), return_inverse=True)[1].ravel()
        clusters = np.zeros((int(whose.max()) + 1, *table.shape[1:]))
        np.add.at(clusters, whose, table)
        for reader, found in zip(readings.readers, ordinal_preference(clusters), strict=True):
            records.append(
                {
                    "criterion": criterion,
                    "reader": reader,
                    "log_odds": found.estimate,
                    "low": found.low,
                    "high": found.high,
                    "p": found.p,
                    "patients": len(clusters),
                    "note": found.note,
                }
            )
    lines = []
    for heading, record in headed(records):
        if heading:
            lines.append(Line((heading,), heading=True))
        cells = (number(record["log_odds"]), span(record["low"], record["high"]), p_value(record["p"]), record["note"])
        lines.append(Line((reader_name(record["reader"]), *cells)))
    notes = (
        "Ordinal regression of the ratings on the readers (cumulative logit, common thresholds), a model for each "
        "criterion. 0: either image is preferred as often; above 0 the SR image; e to its power is an odds ratio.",
        "Confidence intervals by the sandwich variance over patients.",
    )
    title = "Preference for SR by ordinal regression"
    return Table(
        "table2_preference",
        title,
        ("", "log-odds", "95 % CI", "p", "note"),
        tuple(lines),
        tuple(records),
        notes,
        frozenset({0, 4}),
    )
