"""How far readers agree, with each other and with themselves."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from ..records import Rating
from ..statistics import krippendorff_alphas, repeatability, weighted_kappa
from ..statistics.clusters import DRAWS
from .readings import Readings, reader_name
from .render import Line, Table, number, span

MOST_PAIRS = 10  #: that have a column each


def agreement(given: Sequence[Rating] | Readings, *, draws: int = DRAWS) -> Table:
    """Krippendorff's alpha between all readers, by criterion, with an interval over patients."""
    readings = Readings.made_of(given)
    tables = [readings.by_case(criterion) for criterion in readings.criteria]
    of_cases = [table.sum(1) for _, table in tables]
    alphas = (
        krippendorff_alphas(of_cases, [readings.whose(cases) for cases, _ in tables], draws=draws) if tables else []
    )
    lines, records = [], []
    for criterion, counts, found in zip(readings.criteria, of_cases, alphas, strict=True):
        several = counts[counts.sum(1) > 1]
        same = float((several.max(1) == several.sum(1)).mean()) if len(several) else math.nan
        records.append(
            {
                "criterion": criterion,
                "cases": found.n,
                "alpha": found.value,
                "low": found.low,
                "high": found.high,
                "same": same,
                "note": found.note,
            }
        )
        shown = "" if math.isnan(same) else f"{100 * same:.0f} %"
        lines.append(
            Line((criterion, str(found.n), number(found.value), span(found.low, found.high), shown, found.note))
        )
    notes = (
        "Krippendorff's alpha for ordinal ratings of all readers: 1 perfect, 0 as by chance; interval by resampling "
        f"patients ({draws} times). Where nearly all ratings are the same, alpha is low however often readers agree.",
    )
    head = ("", "cases", "α", "95 % CI", "all the same", "note")
    return Table(
        "table2_agreement",
        "Agreement of all readers",
        head,
        tuple(lines),
        tuple(records),
        notes,
        frozenset({0, 5}),
    )


def pairs_of_readers(given: Sequence[Rating] | Readings) -> Table:
    """Weighted kappa of every two readers, by criterion: a record a pair, a line a criterion."""
    readings = Readings.made_of(given)
    pairs = list(itertools.combinations(readings.readers, 2))
    lines, records = [], []
    for criterion in readings.criteria:
        found = []
        for one, other in pairs:
            first, second = (readings.of.get((criterion, reader), {}) for reader in (one, other))
            both = [case for case in first if case in second]
            a, b = ([values[case] for case in both] for values in (first, second))
            quadratic, linear = (weighted_kappa(a, b, weights=weights) for weights in ("quadratic", "linear"))
            found.append(quadratic.value)
            records.append(
                {
                    "criterion": criterion, "reader": one, "other": other, "cases": len(both),
                    "kappa_quadratic": quadratic.value, "low": quadratic.low, "high": quadratic.high,
                    "kappa_linear": linear.value, "note": quadratic.note,
                }
            )  # fmt: skip
        lines.append(Line((criterion, *_of_pairs(found))))
    notes = (
        "Cohen's kappa with quadratic weights; empty where all ratings of both are the same, 0 where those of one are. "
        "The CSV has linear weights and intervals (large-sample, of independent cases; Fleiss, Cohen, Everitt 1969).",
    )
    if len(pairs) <= MOST_PAIRS:
        own = _without_shared_words(readings.readers)
        head = ("", *(f"{reader_name(one)}, {own[other]}" for one, other in pairs))
    else:
        head = ("", "pairs", "lowest", "median", "highest")
    return Table("table2_kappa", "Agreement of every two readers", head, tuple(lines), tuple(records), notes)


def _without_shared_words(names: Sequence[str]) -> dict[str, str]:
    """Of "reader 1" and "reader 2": 1 and 2."""
    words = [name.split(" ") for name in names]
    shared = next((i for i, column in enumerate(zip(*words, strict=False)) if len(set(column)) > 1), 0)
    return {name: " ".join(parts[shared:]) for name, parts in zip(names, words, strict=True)}


def _of_pairs(values: Sequence[float]) -> list[str]:
    """Every pair's kappa, or of many their spread."""
    if len(values) <= MOST_PAIRS:
        return [number(value) for value in values]
    there = sorted(value for value in values if not math.isnan(value)) or [math.nan]
    return [str(len(values)), *(number(value) for value in (there[0], statistics.median(there), there[-1]))]


def repeated(given: Sequence[Rating] | Readings) -> Table:
    """How far each reader repeats herself, first against second reading: a line over all criteria, records by each."""
    readings = Readings.made_of(given)
    second: dict[tuple[str, str], dict[str, int]] = {}
    for r in readings.again:
        if r.value is not None:
            second.setdefault((r.criterion, r.reader), {})[r.case] = r.value
    lines, records = [], []
    for reader in readings.readers:
        pairs = {}
        for criterion in readings.criteria:
            first, again = readings.of.get((criterion, reader), {}), second.get((criterion, reader), {})
            pairs[criterion] = [(value, again[case]) for case, value in first.items() if case in again]
        if not any(pairs.values()):
            continue
        everything = [pair for found in pairs.values() for pair in found]
        for name, found in (("All criteria", everything), *pairs.items()):
            if not found:
                continue
            result = repeatability(*zip(*found, strict=True))
            records.append(
                {
                    "reader": reader,
                    "criterion": name,
                    "pairs": result.n,
                    "same": result.same,
                    "within_one": result.within_one,
                    "kappa_quadratic": result.kappa.value,
                    "low": result.kappa.low,
                    "high": result.kappa.high,
                    "repeatability_coefficient": result.coefficient,
                    "note": result.kappa.note,
                }
            )
            cells = (
                str(result.n), f"{100 * result.same:.0f} %", f"{100 * result.within_one:.0f} %",
                number(result.kappa.value), span(result.kappa.low, result.kappa.high), number(result.coefficient),
            )  # fmt: skip
            if found is everything:
                lines.append(Line((reader_name(reader), *cells)))
    notes = (
        "Over all criteria; the CSV has each. Within the repeatability coefficient, 1.96·√2·s_w, lie 95 % of the "
        "differences between two readings.",
    )
    if not records:
        notes = ("No reader saw a case twice (column occasion), so nothing is known of repeatability.",)
    head = ("", "pairs", "same", "within 1", "κ quadratic", "95 % CI", "coefficient")
    return Table("table2_repeatability", "Repeatability of each reader", head, tuple(lines), tuple(records), notes)
