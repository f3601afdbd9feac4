"""Table 3: PIQE of the original, of bicubic as the control, and of SR, by groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import Case
from ..statistics import clustered_mean, hedges_g, paired_t, resampled_sums
from ..statistics.clusters import DRAWS, interval
from ..statistics.paired import rounding
from .render import Line, Table, mean_sd, number, p_value, span
from .units import groupings, label, ordered, units

IMAGES = ("original", "bicubic", "sr")
#: What is taken from what: below 0, PIQE fell.
CONTRASTS = {
    "sr_original": ("sr", "original"),
    "sr_bicubic": ("sr", "bicubic"),
    "bicubic_original": ("bicubic", "original"),
}
ALL = "All"
_LAST_DIGITS = 1e-12  #: of squares, whose difference tells no variance
LOWER = "PIQE from 0 to 100, lower is better; mean ± SD. Bicubic is the control: interpolation alone changes the score."
SUBSTITUTE = (
    "Not the paper's figures: its mammograms are private, and its 12.36 ± 5.03 (original) and 3.20 ± 1.33 (SR) cannot "
    "be reproduced; its procedure is repeated on other images."
)


@dataclass(frozen=True)
class Group:
    """Scores of a group of breasts: a row each, in the columns of IMAGES."""

    grouping: str
    name: str
    scores: NDArray[np.float64]
    patients: NDArray[np.str_]

    def differences(self, contrast: str) -> NDArray[np.float64]:
        """One of CONTRASTS."""
        more, less = (IMAGES.index(image) for image in CONTRASTS[contrast])
        return np.asarray(self.scores[:, more] - self.scores[:, less])


@dataclass
class Scored:
    """Every group of a cohort, all of it first; and what has to be said."""

    groups: list[Group] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scored(cases: Sequence[Case], unit: str = "breast") -> Scored:
    """Mean scores of each breast's views, by groups; images that lack one of the three scores are only counted."""
    complete = [case for case in cases if None not in (case.piqe_original, case.piqe_bicubic, case.piqe_sr)]
    found = Scored()
    if len(complete) < len(cases):
        found.notes.append(f"{len(cases) - len(complete)} of {len(cases)} images have no scores and are not in here.")
    every = units(complete, unit)
    found.notes += every.notes
    views = [len(one.cases) for one in every.units]
    if views and max(views) > 1:
        found.notes.append(
            f"A breast's score is the mean of its views: {len(complete)} images of {len(views)} breasts."
        )
    scores = np.array(
        [
            np.array([(c.piqe_original, c.piqe_bicubic, c.piqe_sr) for c in one.cases], np.float64).mean(0)
            for one in every.units
        ]
    ).reshape(-1, len(IMAGES))
    patients = np.array([one.patient for one in every.units])
    found.groups.append(Group("", ALL, scores, patients))
    for grouping in groupings(complete):
        of_units = np.array([one.group(grouping) or "" for one in every.units], object)
        for name in ordered(grouping, {str(name) for name in of_units if name}):
            here = of_units == name
            found.groups.append(Group(grouping, name, scores[here], patients[here]))
        if contradicting := sum(one.group(grouping) is None for one in every.units):
            found.notes.append(
                f"{label(grouping)}: {contradicting} breasts whose views contradict each other are in no group."
            )
    return found


def table3(cases: Sequence[Case], *, unit: str = "breast") -> Table:
    """PIQE before and after, by group, with the paper's paired t test, and with effect size and interval.

    Parameters
    ----------
    cases : sequence of Case
    unit : {"breast", "image"}
        What is a row of the sample: the paper has 136 breasts, and does not say how it put their views together; here a
        breast's score is their mean.

    Raises
    ------
    OptionError
        Another unit.
    """
    found = scored(cases, unit)
    lines, records = [], []
    for heading, group in _with_headings(found.groups):
        if heading:
            lines.append(Line((heading,), heading=True))
        record = _described(group)
        records.append(record)
        lines.append(
            Line(
                (
                    group.name,
                    str(record["n"]),
                    *(mean_sd(record[f"{image}_mean"], record[f"{image}_sd"]) for image in IMAGES),
                    number(record["sr_original_difference"]),
                    span(record["sr_original_low"], record["sr_original_high"]),
                    p_value(record["sr_original_p"]),
                    number(record["sr_original_g"]),
                    number(record["sr_bicubic_difference"]),
                    p_value(record["sr_bicubic_p"]),
                )
            )
        )
    head = ("", "n", "original", "bicubic", "SR", "SR − original", "95 % CI", "p", "g", "SR − bicubic", "p")
    notes = [
        LOWER,
        "p and CI by the paired t test, two-sided, as in the paper; g is the mean difference in units of the "
        "differences' SD (Hedges). A group of one has neither SD nor test.",
        *found.notes,
        SUBSTITUTE,
    ]
    return Table(
        "table3", "Table 3. PIQE of original, bicubic and SR", head, tuple(lines), tuple(records), tuple(notes)
    )


def patients_respected(cases: Sequence[Case], *, unit: str = "breast", draws: int = DRAWS) -> Table:
    """The same differences with the two breasts of a patient respected: GEE, and the patient bootstrap."""
    found = scored(cases, unit)
    lines, records = [], []
    for heading, group in _with_headings(found.groups):
        if heading:
            lines.append(Line((heading,), heading=True))
        record = _clustered(group, draws)
        records.append(record)
        cells = [group.name, str(record["patients"]), str(record["n"])]
        for contrast in ("sr_original", "sr_bicubic"):
            cells += [
                number(record[f"{contrast}_mean"]),
                span(record[f"{contrast}_low"], record[f"{contrast}_high"]),
                p_value(record[f"{contrast}_p"]),
                span(record[f"{contrast}_bootstrap_low"], record[f"{contrast}_bootstrap_high"]),
            ]
        lines.append(Line(tuple(cells)))
    head = (
        "", "patients", "n", "SR − original", "95 % CI, GEE", "p", "bootstrap", "SR − bicubic", "95 % CI, GEE", "p",
        "bootstrap",
    )  # fmt: skip
    notes = (
        "Breasts of one patient are not independent, which the paper's test takes them for. GEE: exchangeable "
        "correlation within a patient, sandwich variance, t distribution with patients − 1 degrees of freedom; with "
        "one breast a patient it is the paired t test.",
        f"Bootstrap: {draws} resamplings of whole patients, percentiles 2.5 and 97.5; of fewer than ten patients it is "
        "too narrow.",
        *found.notes,
    )
    title = "Table 3, patients respected. Change of PIQE"
    return Table("table3_patients", title, head, tuple(lines), tuple(records), notes)


def _with_headings(groups: Sequence[Group]) -> Iterator[tuple[str, Group]]:
    before = ""
    for group in groups:
        yield (label(group.grouping) if group.grouping != before else ""), group
        before = group.grouping


def _described(group: Group) -> dict[str, Any]:
    n = len(group.scores)
    record: dict[str, Any] = {"grouping": group.grouping, "group": group.name, "n": n}
    for image, column in zip(IMAGES, group.scores.T, strict=True):
        record[f"{image}_mean"] = float(column.mean()) if n else math.nan
        record[f"{image}_sd"] = float(column.std(ddof=1)) if n > 1 else math.nan
    for contrast, (more, less) in CONTRASTS.items():
        fields = ("difference", "low", "high", "t", "df", "p", "g")
        values: tuple[float, ...]
        if n:
            test = paired_t(*(group.scores[:, IMAGES.index(image)] for image in (more, less)))
            g = float(hedges_g(test.difference, test.sd, n))
            values = (test.difference, test.low, test.high, test.t, test.df, test.p, g)
        else:
            values = (math.nan,) * len(fields)
        record |= {f"{contrast}_{name}": value for name, value in zip(fields, values, strict=True)}
    return record


def _clustered(group: Group, draws: int) -> dict[str, Any]:
    whose = np.unique(group.patients, return_inverse=True)[1].ravel()
    patients = int(whose.max()) + 1 if len(whose) else 0
    record: dict[str, Any] = {
        "grouping": group.grouping, "group": group.name, "patients": patients, "n": len(group.scores),
    }  # fmt: skip
    differences = {contrast: group.differences(contrast) for contrast in CONTRASTS}
    middle = {contrast: float(d.mean()) if len(d) else 0.0 for contrast, d in differences.items()}
    around = [d - middle[contrast] for contrast, d in differences.items()]  # their squares keep their digits
    sums = [np.ones(len(whose)), *around, *(d**2 for d in around)]
    drawn = (
        resampled_sums(np.column_stack([np.bincount(whose, column) for column in sums]), draws=draws)
        if patients > 1
        else np.full((1, len(sums)), np.nan)
    )
    count = drawn[:, 0]
    largest = float(np.abs(group.scores).max(initial=0.0))
    for i, (contrast, values) in enumerate(differences.items(), 1):
        found = clustered_mean(values, whose) if patients else (math.nan,) * 6
        with np.errstate(divide="ignore", invalid="ignore"):
            off, squares = drawn[:, i] / count, drawn[:, i + len(differences)] / count
            variance = (squares - off**2) * count / (count - 1)
        least = np.maximum(_LAST_DIGITS * squares, rounding(largest) ** 2)
        variance[~(variance > least)] = np.nan  # all that were drawn differ by the same
        mean, spread = middle[contrast] + off, np.sqrt(variance)
        low, high = interval(mean)
        g_low, g_high = interval(hedges_g(mean, spread, count))
        record |= {
            f"{contrast}_mean": found[0], f"{contrast}_low": found[1], f"{contrast}_high": found[2],
            f"{contrast}_p": found[3], f"{contrast}_correlation": found[5],
            f"{contrast}_bootstrap_low": low, f"{contrast}_bootstrap_high": high,
            f"{contrast}_g_low": g_low, f"{contrast}_g_high": g_high,
        }  # fmt: skip
    return record
