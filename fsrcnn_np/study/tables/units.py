"""Images → breasts → patients: what a row of a table counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import OptionError
from ..paper import honjo
from ..records import GROUPINGS, Case

UNITS = ("breast", "image")
LABELS = {
    "density": "Mammary gland density",
    "morphology": "Morphology of calcification",
    "distribution": "Distribution of calcification",
    "birads": "BI-RADS category",
}
#: Order of the groups that the paper names, whatever their case, by its tables and in full.
_FULL = {
    "almost entirely fatty": "fatty",
    "scattered dense": "scattered",
    "heterogeneously dense": "heterogeneous",
    "extremely dense": "extreme",
    "diffuse": "diffused",
}


@dataclass(frozen=True)
class Unit:
    """A breast with its views, or an image by itself."""

    patient: str
    breast: str
    cases: tuple[Case, ...]

    def group(self, grouping: str) -> str | None:
        """Its group, "" where no view has one, None where views contradict each other."""
        found = {value for case in self.cases if (value := group_of(case, grouping))}
        return None if len(found) > 1 else next(iter(found), "")


@dataclass
class Units:
    """All of a cohort, and what had to be assumed."""

    units: list[Unit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def group_of(case: Case, grouping: str) -> str:
    """The case's group by one of the paper's groupings, or by a column of the user's own."""
    return str(getattr(case, grouping)) if grouping in GROUPINGS else case.groups.get(grouping, "")


def groupings(cases: Iterable[Case]) -> list[str]:
    """The paper's that any case has, then the user's own, in the order in which they come."""
    cases = list(cases)
    own = dict.fromkeys(name for case in cases for name, value in case.groups.items() if value)
    return [name for name in GROUPINGS if any(getattr(case, name) for case in cases)] + list(own)


def label(grouping: str) -> str:
    """A grouping's heading."""
    return LABELS.get(grouping, grouping)


def units(cases: Sequence[Case], unit: str = "breast") -> Units:
    """Put the views of a breast together; an image without a patient or a side is a unit of its own.

    Raises
    ------
    OptionError
        Another unit than breast or image.
    """
    if unit not in UNITS:
        raise OptionError(f"unit {unit!r}; allowed are {', '.join(UNITS)}")
    found = Units()
    together: dict[tuple[str, str], list[Case]] = {}
    alone = 0
    for number, case in enumerate(cases):
        known = unit == "breast" and case.patient and case.breast
        alone += unit == "breast" and not known
        together.setdefault((case.patient, case.breast) if known else ("", str(number)), []).append(case)
    for views in together.values():
        first = views[0]
        found.units.append(Unit(first.patient or first.path, first.breast, tuple(views)))
    if alone:
        found.notes.append(
            f"{alone} of {len(cases)} images have no patient or no side: each is taken for a breast of its own"
            + ("." if all(case.patient for case in cases) else ", and without a patient for a patient of its own.")
        )
    return found


def ordered(grouping: str, names: Iterable[str]) -> list[str]:
    """The paper's order where the names are the paper's; others after them, sorted, numbers by their size."""
    known: Mapping[str, int] = {
        name: i for i, name in enumerate(honjo.TABLE_1.get("BI-RADS" if grouping == "birads" else grouping, {}))
    }

    def place(name: str) -> tuple[int, float, str]:
        plain = name.casefold()
        position = known.get(_FULL.get(plain, plain))
        if position is not None:
            return 0, position, name
        return (1, float(name), "") if name.isdecimal() else (2, 0, plain)

    return sorted(set(names), key=place)
