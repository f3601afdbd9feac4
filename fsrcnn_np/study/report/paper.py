"""The paper's numbers beside this study: reproduced, not reproducible, or shown on substitute data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..paper import claims, honjo
from ..paper.claims import Line
from ..records import Study
from ..tables import Table
from ..tables.render import mean_sd

SUBSTITUTE = "substitute data"
MINUTE = 60.0
#: What each status means, in the order in which they are counted.
MEANINGS = {
    claims.REPRODUCED: "computed from what is printed, or measured, and equal to it",
    claims.CONSISTENT: "cannot be computed as such, but agrees with what can",
    claims.INFERRED: "the figures in hand are garbled; those that restore the printed mean are taken",
    SUBSTITUTE: "rests on what is not public; the same quantity of this study's images, which are other images",
    claims.NOT_REPRODUCIBLE: "rests on what is not public",
    claims.DIFFERS: "computed and not equal",
}


def paper_lines(study: Study, table1: Table, table3: Table) -> list[Line]:
    """Every number of the paper, with this study's figure where the paper's cannot be reproduced."""
    found = [*claims.table_1(), *claims.table_2(), *claims.table_3(), *claims.architecture()]
    found += [claims.constant_score(), claims.binning(), _minute(study)]
    values = dict(_substitutes(study, table1, table3))
    return [_on_substitute(line, values.get((line.place, line.claim))) for line in found]


def tally(lines: list[Line]) -> dict[str, int]:
    """How many of each status, in the order of MEANINGS."""
    return {status: n for status in MEANINGS if (n := sum(line.status == status for line in lines))}


def _on_substitute(line: Line, value: str | None) -> Line:
    if line.status != claims.NOT_REPRODUCIBLE or value is None:
        return line
    return replace(line, computed=value, status=SUBSTITUTE)


def _substitutes(study: Study, table1: Table, table3: Table) -> Iterator[tuple[tuple[str, str], str]]:
    """Place and claim of a line that cannot be reproduced → the same quantity here."""
    rows = {(r["characteristic"], r["group"]): r for r in table1.records}
    age = rows.get(("", "Mean age ± SD, years"))
    if age:
        yield ("Table 1", "mean age"), mean_sd(age["mean"], age["sd"])
    only = rows.get(("", "Only MLO views"))
    if only:
        yield ("Table 1", "patients with only the MLO view"), str(only["patients"])
    for record in table3.records:
        if not record["n"]:
            continue
        original, sr = (mean_sd(record[f"{image}_mean"], record[f"{image}_sd"]) for image in ("original", "sr"))
        control = mean_sd(record["bicubic_mean"], record["bicubic_sd"])
        if not record["grouping"]:
            yield ("Table 3", "PIQE of the original mammograms"), original
            yield ("Table 3", "PIQE of the SR mammograms"), f"{sr}; bicubic {control}"
        else:
            claim = f"PIQE, {record['grouping']} {record['group'].casefold()}"
            yield ("Table 3", claim), f"{original} → {sr}; bicubic {control}"


def _minute(study: Study) -> Line:
    seconds = [case.seconds for case in study.cases if case.seconds is not None]
    claim = "a mammogram within a minute"
    if not seconds:
        return Line("Section 4", claim, "< 60 s", "–", claims.NOT_REPRODUCIBLE, "this study has no times")
    longest = max(seconds)
    return Line(
        "Section 4",
        claim,
        "< 60 s",
        f"{float(np.median(seconds)):.1f} s, at most {longest:.1f} s",
        claims.REPRODUCED if longest < MINUTE else claims.DIFFERS,
        "of this study's images on this machine, with bicubic and three scores",
    )


def summary(study: Study, table1: Table, table3: Table) -> list[str]:
    """What came out, in a few sentences."""
    people: Mapping[str, Any] = table1.records[0]
    scores = table3.records[0]
    found = [
        f"{people['patients']} patients, {people['breasts']} breasts, {len(study.cases)} images; PIQE of {scores['n']}."
    ]
    if scores["n"]:
        change, low, high = (scores[f"sr_original_{name}"] for name in ("difference", "low", "high"))
        interval = "" if math.isnan(low) else f" (95 % CI {_signed(low)} to {_signed(high)})"
        direction = "fell" if change < 0 else "rose"
        found.append(
            f"PIQE {direction} from {mean_sd(scores['original_mean'], scores['original_sd'])} to "
            f"{mean_sd(scores['sr_mean'], scores['sr_sd'])} under super-resolution, by {_signed(change)}{interval}; "
            f"under bicubic, the control, it came to {mean_sd(scores['bicubic_mean'], scores['bicubic_sd'])}."
        )
        found.append(
            f"The paper: {honjo.TABLE_3_TOTAL.original[0]} ± {honjo.TABLE_3_TOTAL.original[1]} to "
            f"{honjo.TABLE_3_TOTAL.sr[0]:.2f} ± {honjo.TABLE_3_TOTAL.sr[1]}, of {honjo.BREASTS} breasts that nobody "
            "outside can score."
        )
    return [*found, *_against_truth(study)]


def _against_truth(study: Study) -> Iterator[str]:
    """PSNR and SSIM of the images whose truth was given."""
    cases = [case for case in study.cases if case.psnr is not None and math.isfinite(case.psnr)]
    if not cases:
        return

    def spread(name: str, digits: int) -> str:
        values = [value for case in cases if (value := getattr(case, name)) is not None]
        sd = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f}{sd}"

    yield (
        f"Against the truth of {len(cases)} {'images' if len(cases) > 1 else 'image'}: PSNR of bicubic "
        f"{spread('psnr_bicubic', 2)} dB, of SR {spread('psnr', 2)} dB; SSIM {spread('ssim_bicubic', 4)} and "
        f"{spread('ssim', 4)}."
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
