"""Plates like the paper's Fig. 3 and 4: the best and the worst rated case, or chosen ones."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...errors import OptionError
from ...network.weights import Weights
from ..records import Case, Study
from .style import Chart

OVERALL = "overall scores"  #: the criterion that decides, where it was rated


@dataclass(frozen=True)
class Plate:
    """A case to be shown, and why it."""

    name: str
    title: str
    case: Case
    why: str


def choose(study: Study, *, best: str | None = None, worst: str | None = None) -> list[Plate]:
    """The highest and the lowest rated case, or the ones that are named.

    Parameters
    ----------
    study : Study
    best, worst : str, optional
        Paths of cases, as the study has them. By default the highest and lowest mean of the overall ratings of all
        readers (of all criteria where none is "Overall scores"); without ratings the greatest fall and the greatest
        rise of PIQE. The first in the cohort's order where several are equal.

    Raises
    ------
    OptionError
        No such case.
    """
    by_path = {case.path: case for case in study.cases}
    for path in (best, worst):
        if path is not None and path not in by_path:
            raise OptionError(f"{path}: the study has no such image; give its path as cases.csv has it")
    order = _by_rating(study) or _by_change(study)
    found = []
    for name, given, place in (("plate_best", best, 0), ("plate_worst", worst, -1)):
        if given is not None:
            title = f"Example of a {'highly' if name == 'plate_best' else 'low'} rated image"
            found.append(Plate(name, title, by_path[given], "chosen by hand"))
        elif len(order) > 1:
            case, value, what = order[place]
            end = what.ends[place]
            found.append(
                Plate(name, f"{end} {what.name}", case, f"{end.lower()} {what.name} of {len(order)} images, {value}")
            )
    return found


def plate(chosen: Plate, study: Study, weights: Weights | str, *, threads: int | None = None) -> Chart:
    """Read the image, enlarge it again and draw it: SR and original, and a square of both and of bicubic, six times.

    Raises
    ------
    FsrcnnError
        The image is no longer there, or cannot be read.
    """
    from ...files import read
    from .. import figure
    from ..compare import compare

    case = chosen.case
    path = case.path if os.path.isabs(case.path) else os.path.join(study.folder, case.path)
    comparison = compare(
        read(path), weights=weights, data_range=case.data_range, name=case.path, note=study.about.data, threads=threads
    )  # fmt: skip
    findings = ", ".join(
        text
        for text in (case.density, case.morphology, case.distribution, case.birads and f"BI-RADS {case.birads}")
        if text
    )
    caption = f"{case.path}{f' ({findings})' if findings else ''}: {chosen.why}."
    return Chart(chosen.name, chosen.title, caption, figure.draw(comparison))


class What(NamedTuple):
    """What orders the cases."""

    name: str
    ends: tuple[str, str]


Ordered = list[tuple[Case, str, What]]  #: with the value; the best first


def _by_rating(study: Study) -> Ordered:
    first = [rating for rating in study.ratings if rating.occasion == 1 and rating.value is not None]
    overall = [rating for rating in first if rating.criterion.casefold() == OVERALL]
    sums: dict[str, list[int]] = {}
    for rating in overall or first:
        sums.setdefault(rating.case, []).append(rating.value or 0)
    means = {name: sum(values) / len(values) for name, values in sums.items()}
    cases = _of_ratings(study.cases, means)
    what = What("mean overall rating" if overall else "mean rating", ("Highest", "Lowest"))
    ordered = sorted(cases.items(), key=lambda item: -means[item[0]])
    return [(case, f"{means[name]:.2f}", what) for name, case in ordered]


def _of_ratings(cases: Sequence[Case], rated: Mapping[str, object]) -> dict[str, Case]:
    """A rated case is an image by its path, or a breast as PATIENT BREAST with any sign between, or a patient."""
    found: dict[str, Case] = {}
    for case in cases:
        if case.piqe_sr is None:
            continue
        for name in (case.path, *(f"{case.patient}{sign}{case.breast}" for sign in ("_", "-", " ", "/", ""))):
            if name in rated:
                found.setdefault(name, case)
                break
    return found


def _by_change(study: Study) -> Ordered:
    changes = [
        (case.piqe_sr - case.piqe_original, case)
        for case in study.cases
        if case.piqe_sr is not None and case.piqe_original is not None
    ]
    changes.sort(key=lambda pair: pair[0])
    fall, rise = (
        What("fall of PIQE under SR", ("Greatest", "Least")),
        What("rise of PIQE under SR", ("Least", "Greatest")),
    )
    return [(case, f"{change:+.2f}".replace("-", "−"), rise if change > 0 else fall) for change, case in changes]
