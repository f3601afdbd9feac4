"""Table 1: who was studied, and what was found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..records import Case
from .render import Line, Table
from .units import group_of, groupings, label, ordered, units

MISSING = "not stated"


def table1(cases: Sequence[Case]) -> Table:
    """Patients and findings of all images, those without a score too.

    The paper counts patients. Here breasts stand beside them, and a patient whose breasts differ counts in each group
    that one of them has.
    """
    breasts = units(cases)
    by_patient: dict[str, list[Case]] = {}
    sides: dict[str, int] = {}
    for unit in breasts.units:
        by_patient.setdefault(unit.patient, []).extend(unit.cases)
        sides[unit.patient] = sides.get(unit.patient, 0) + 1
    lines: list[Line] = []
    records: list[dict[str, Any]] = []

    def add(name: str, patients: str | int, of_breasts: str | int = "", **more: Any) -> None:
        lines.append(Line((name, str(patients), str(of_breasts))))
        numbers = {
            key: value if isinstance(value, int) else None
            for key, value in (("patients", patients), ("breasts", of_breasts))
        }
        records.append(
            {"characteristic": "", "group": name} | numbers | {"mean": None, "sd": None, "low": None, "high": None}
            | more
        )  # fmt: skip

    ages = np.array([age for views in by_patient.values() if (age := _age(views)) is not None], np.float64)
    add("All", len(by_patient), len(breasts.units))
    add("Images", len(cases))
    if len(ages):
        sd = float(ages.std(ddof=1)) if len(ages) > 1 else math.nan
        shown = f"{ages.mean():.1f}" + ("" if math.isnan(sd) else f" ± {sd:.1f}")
        add(
            "Mean age ± SD, years", shown, mean=float(ages.mean()), sd=sd, low=float(ages.min()), high=float(ages.max())
        )
        if len(ages) < len(by_patient):
            add("Age not stated", len(by_patient) - len(ages))
    add("Both breasts", sum(n > 1 for n in sides.values()))
    if any(case.view for case in cases):
        add("Only MLO views", sum({case.view for case in views} == {"MLO"} for views in by_patient.values()))
    differing = 0
    for grouping in groupings(cases):
        lines.append(Line((label(grouping),), heading=True))
        of_units = [unit.group(grouping) for unit in breasts.units]
        groups = {
            patient: {name for case in views if (name := group_of(case, grouping))}
            for patient, views in by_patient.items()
        }
        differing += sum(len(found) > 1 for found in groups.values())
        for name in ordered(grouping, {name for found in groups.values() for name in found}):
            count = sum(name in found for found in groups.values())
            add(name, count, of_units.count(name), characteristic=grouping)
        if missing := sum(not found for found in groups.values()):
            add(MISSING, missing, of_units.count(""), characteristic=grouping)
    notes = list(breasts.notes)
    if differing:
        notes.append("A patient whose breasts differ counts in each of their groups.")
    return Table(
        "table1",
        "Table 1. Patients and findings",
        ("", "patients", "breasts"),
        tuple(lines),
        tuple(records),
        tuple(notes),
    )


def _age(views: Sequence[Case]) -> float | None:
    return next((case.age for case in views if case.age is not None), None)
