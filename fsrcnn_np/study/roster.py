"""A cohort without patients: whom the demo draws, and what its readers are made to say. All of it is simulated."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from .paper.honjo import BREASTS, PATIENTS, TABLE_1, TABLE_2
from .records import Rating

AGE = NormalDist(50, 7.6)  # section 3.1
DENSITIES = {"fatty": "a", "scattered": "b", "heterogeneous": "c", "extreme": "d"}
FINDINGS = {"density": "density", "morphology": "morphology", "distribution": "distribution", "birads": "BI-RADS"}
VIEWS = ("CC", "MLO")
SIMULATED = "simulated"


@dataclass(frozen=True)
class Breast:
    """One breast of the roster; findings in the paper's words."""

    name: str  #: "demo_007_L"
    patient: str
    side: str  #: "L" or "R"
    view: str
    age: int
    density: str
    morphology: str
    distribution: str
    birads: str
    seed: int  #: of its phantom


def roster(cases: int, *, seed: int = 0) -> list[Breast]:
    """So many breasts of so many patients as the paper has of its 136, in proportion.

    Parameters
    ----------
    cases : int
        1 or more; of 136 every count is the paper's. Of fewer, each of the paper's categories has at least one patient
        where there are twice as many patients as categories, and the rest is in proportion, by largest remainders.
    seed : int
        Which findings come together, and which phantoms are drawn.

    Returns
    -------
    list of Breast
        Patient by patient; the first patients have two breasts.
    """
    patients = max((cases * PATIENTS + BREASTS // 2) // BREASTS, (cases + 1) // 2)
    chance = random.Random(seed)
    findings = {}
    for column, table in FINDINGS.items():
        values = [value for value, count in apportioned(TABLE_1[table], patients).items() for _ in range(count)]
        chance.shuffle(values)
        findings[column] = values
    ages = [round(AGE.inv_cdf((number + 0.5) / patients)) for number in range(patients)]
    chance.shuffle(ages)
    # Two breasts go to the densities that most patients have, so that a group of one stays one, as the paper's fatty.
    by_density = sorted(range(patients), key=lambda n: -findings["density"].count(findings["density"][n]))
    found: list[Breast] = []
    for number, place in enumerate(by_density):
        patient = f"demo {number + 1:03}"
        sides = "LR" if number < cases - patients else "LR"[number % 2]
        for side in sides:
            what = {column: values[place] for column, values in findings.items()}
            name = f"demo_{number + 1:03}_{side}"
            found.append(
                Breast(name, patient, side, VIEWS[number % 2], ages[place], **what, seed=1000 * seed + len(found))
            )
    return found


def apportioned(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """A total divided in proportion to counts, by largest remainders; at least one each where that leaves as many."""
    present = {name: count for name, count in counts.items() if count}
    whole = sum(present.values())
    least = 1 if total >= 2 * len(present) else 0
    shares = {name: total * count / whole for name, count in present.items()}
    given = {name: max(int(share), least) for name, share in shares.items()}
    while sum(given.values()) < total:
        name = max(shares, key=lambda n: (shares[n] - given[n], present[n]))
        given[name] += 1
    while sum(given.values()) > total:
        name = min((n for n in given if given[n] > least), key=lambda n: (shares[n] - given[n], -present[n]))
        given[name] -= 1
    return given


def simulated_ratings(breasts: list[str], *, seed: int = 0) -> Iterator[Rating]:
    """Four readers whose counts are those of the paper's Table 2: 136 breasts, whatever was drawn of them.

    Parameters
    ----------
    breasts : list of str
        Names of 136 breasts.
    seed : int

    Yields
    ------
    Rating
        A breast that one reader likes better others tend to like better, too; which one is chance. Where the paper has
        fewer than 136 ratings, the rest is unreadable (None).
    """
    chance = random.Random(seed)
    liked = {name: chance.random() for name in breasts}
    for cell in TABLE_2:
        order = sorted(breasts, key=lambda name: liked[name] + chance.random())
        values: list[int | None] = [value for value, count in enumerate(cell.counts, 1) for _ in range(count)]
        unreadable = set(chance.sample(range(len(breasts)), len(breasts) - len(values)))
        readable = iter(values)
        for place, name in enumerate(order):
            value = None if place in unreadable else next(readable)
            patient = name.rsplit("_", 1)[0].replace("_", " ")
            yield Rating(f"{SIMULATED} reader {cell.reader}", name, cell.criterion, value, SIMULATED, 1, patient)
