"""The suite: every check against every oracle that there is, as rows of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import checks, store, tolerances
from .checks import Check
from .compare import Difference, compare
from .store import Goldens, StoreError, Vector
from .tolerances import Tolerance

PASS, FAIL, NOT_RUN = "pass", "FAIL", "not run"
SMALL = 2.0**-10  #: of the largest value; below it a distance in ulps is only about cancellation


@dataclass(frozen=True)
class Finding:
    """One comparison that was made, or could not be."""

    vector: str
    stage: str
    field: str
    by: str
    difference: Difference
    tolerance: Tolerance | None
    fault: str = ""  #: why it could not be made
    ulps: float | None = None  #: for floats of one dtype

    @property
    def passed(self) -> bool:
        """Whether the worst difference is within the tolerance."""
        return not self.fault and self.tolerance is not None and self.difference.worst <= self.tolerance.value

    def line(self, oracle: str) -> str:
        """What went wrong, naming vector and stage."""
        head = f"vector {self.vector}, stage {self.stage} ({self.field}, {self.by} against {oracle}): "
        if self.fault:
            return head + self.fault
        if self.tolerance is None:
            return head + "tolerances.toml has no such stage; restore it"
        if self.difference.remark:
            return head + self.difference.remark
        unit = f" {self.tolerance.unit}" if self.tolerance.unit else ""
        return head + (
            f"{self.difference.worst:.4g} > {self.tolerance.value:g}{unit} ({self.tolerance.kind}), worst at "
            f"{self.difference.where}, {self.difference.count} differ"
        )


@dataclass(frozen=True)
class Row:
    """A line of the table: one stage of ours against one oracle."""

    stage: str
    oracle: str
    status: str
    by: str = ""
    release: str = ""
    source: str = ""
    members: frozenset[str] = frozenset()  #: the vectors' ids
    differ: int = 0  #: elements that are not equal, for "ties" those let pass
    worst: float | None = None
    worst_vector: str = ""
    ulps: float | None = None
    tolerance: Tolerance | None = None
    details: tuple[str, ...] = ()  #: failures, each naming vector and stage; or how to run what was not run

    @property
    def vectors(self) -> int:
        """How many."""
        return len(self.members)


def not_run(stage: str, oracle: str, how: str, release: str = "") -> Row:
    """A row that claims nothing."""
    return Row(stage, oracle, NOT_RUN, release=release, details=(how,))


def failed(stage: str, oracle: str, lines: Iterable[str], release: str = "", source: str = "") -> Row:
    """A row for what failed before anything could be compared."""
    return Row(stage, oracle, FAIL, release=release, source=source, details=tuple(lines))


def measure(
    vector: str, stage: str, field: str, by: str, ours: Any, theirs: Any, unit: Any, known: dict[str, Tolerance]
) -> Finding:
    """Compare two answers by the stage's tolerance."""
    tolerance = known.get(stage)
    if tolerance is None:
        return Finding(vector, stage, field, by, Difference(np.inf), None)
    difference = compare(tolerance.kind, ours, theirs, unit)
    a, b = np.asarray(ours), np.asarray(theirs)
    return Finding(vector, stage, field, by, difference, tolerance, ulps=_ulps(a, b, np.asarray(unit)))


def _ulps(ours: np.ndarray, theirs: np.ndarray, unit: np.ndarray) -> float | None:
    """Distance in ulps where it says something: not at values small beside the largest or beside their bound."""
    if ours.dtype != theirs.dtype or ours.dtype.kind != "f" or ours.shape != theirs.shape or not theirs.size:
        return None
    size = np.abs(theirs)
    seen = size >= SMALL * size[np.isfinite(size)].max(initial=0)
    if unit.ndim:  # a bound for each element
        seen &= size * SMALL > unit
    return compare("ulp", ours[seen], theirs[seen]).worst if seen.any() else None


def run_check(vector: Vector, check: Check, golden: checks.Golden, known: dict[str, Tolerance]) -> Finding:
    """One check of one vector; whatever goes wrong in ours is a finding, not the end of the suite."""
    missing = [name for name in (*check.needs, check.field) if name not in golden]
    if missing:
        fault = f"the oracle's {missing[0]} is missing"
        return Finding(vector.id, check.stage, check.field, check.by, Difference(np.inf), known.get(check.stage), fault)
    try:
        answer = check.answer(golden)
        theirs = checks.theirs(vector, check, golden, answer.ours)
    except Exception as error:  # ours is on trial: any exception is a failure of the stage
        fault = f"ours raised {type(error).__name__}: {error}"
        return Finding(vector.id, check.stage, check.field, check.by, Difference(np.inf), known.get(check.stage), fault)
    ours = answer.ours
    if isinstance(ours, float):  # a score
        ours = np.float64(ours)
    return measure(vector.id, check.stage, check.field, check.by, ours, theirs, answer.unit, known)


def findings_of(vectors: Sequence[Vector], goldens: Goldens, known: dict[str, Tolerance]) -> Iterator[Finding]:
    """All checks of the vectors against one oracle; damaged results of its file come first, as findings."""
    damaged = {(id, stage) for id, stage, _ in goldens.faults}
    for id, stage, fault in goldens.faults:
        yield Finding(id, f"golden.{stage}", stage, "stored", Difference(np.inf), None, fault)
    for vector in vectors:
        golden = checks.golden_of(goldens, vector)
        try:
            wanted = checks.checks_of(vector)
        except Exception as error:  # an import of ours that fails
            yield Finding(
                vector.id,
                f"{vector.kind}.all",
                "all",
                "all",
                Difference(np.inf),
                None,
                f"ours raised {type(error).__name__}: {error}",
            )
            continue
        for check in wanted:
            used = {(vector.id, name) for name in (*check.needs, check.field)}
            if not used & damaged:
                yield run_check(vector, check, golden, known)


def rows_of(findings: Iterable[Finding], oracle: str, release: str, source: str) -> list[Row]:
    """Findings of one oracle gathered by stage and implementation, in the order of their first appearance."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.stage, finding.by), []).append(finding)
    rows = []
    for (stage, by), found in groups.items():
        worst = max(found, key=lambda finding: finding.difference.worst)
        bad = tuple(finding.line(f"{oracle} {release}") for finding in found if not finding.passed)
        rows.append(
            Row(
                stage,
                oracle,
                FAIL if bad else PASS,
                by,
                release,
                source,
                members=frozenset(finding.vector for finding in found),
                differ=sum(finding.difference.count for finding in found),
                worst=worst.difference.worst,
                worst_vector=worst.vector if worst.difference.worst else "",
                ulps=max((finding.ulps for finding in found if finding.ulps is not None), default=None),
                tolerance=worst.tolerance,
                details=bad,
            )
        )
    return rows


def golden_rows(vectors: Sequence[Vector], goldens: Goldens, known: dict[str, Tolerance]) -> list[Row]:
    """All rows of one oracle."""
    rows = rows_of(findings_of(vectors, goldens, known), goldens.oracle, goldens.release, goldens.source)
    order = {stage: place for place, stage in enumerate(known)}
    return sorted(rows, key=lambda row: order.get(row.stage, -1))


def own_rows(folder: Path = store.FOLDER) -> tuple[list[Vector], dict[str, Tolerance], list[Row]]:
    """Vectors, tolerances, and the rows of what the repository itself holds: goldens, seals, controls."""
    known, faults = tolerances.load()
    try:
        index = store.read_index(folder)
        vectors, damaged = store.load_vectors(folder)
    except StoreError as error:
        return [], known, [failed("vectors", "index", [f"every vector, every stage: {error}"])]
    rows = []
    if damaged:
        rows.append(failed("vectors", "index", [f"vector {id}, every stage: {fault}" for id, fault in damaged]))
    rows.append(_seal_row(known, faults, index["tolerances"]))
    stored = []
    for name, entry in index["goldens"].items():
        try:
            goldens = store.load_goldens(folder / name, entry["results"])
        except StoreError as error:
            everything = tuple((id, s, str(error)) for id, stages in entry["results"].items() for s in stages)
            goldens = Goldens(entry["oracle"], entry["release"], name, {}, {}, everything)
        stored.append(goldens)
        rows += golden_rows(vectors if goldens.results else [], goldens, known)
    if not stored:
        rows.append(failed("goldens", "index", ["every vector, every stage: the index names no goldens"]))
    rows.append(_control_row(vectors, stored, known))
    return vectors, known, rows


def _seal_row(known: dict[str, Tolerance], faults: list[tuple[str, str]], seals: dict[str, str]) -> Row:
    """Every tolerance as it was when the goldens were made."""
    lines = [f"every vector, stage {stage}: {fault}" for stage, fault in faults]
    broken = {stage for stage, _ in faults}
    for stage, seal in seals.items():
        if stage not in known and stage not in broken:
            lines.append(f"every vector, stage {stage}: its tolerance is missing from tolerances.toml")
        elif stage in known and known[stage].seal != seal:
            lines.append(
                f"every vector, stage {stage}: its tolerance was changed to {known[stage].kind} {known[stage].value:g}"
                "; if on purpose, run python -m parity.generate --seal"
            )
    lines += [f"every vector, stage {stage}: its tolerance is not sealed" for stage in known if stage not in seals]
    return Row("tolerances", "index", FAIL if lines else PASS, details=tuple(lines))


def _control_row(vectors: Sequence[Vector], stored: Sequence[Goldens], known: dict[str, Tolerance]) -> Row:
    """Planted errors: twice the tolerance must fail and half of it pass; where it is zero, the least there is fails."""
    planted: dict[str, list[str]] = {}
    for goldens in stored:
        for vector in vectors:
            golden = checks.golden_of(goldens, vector)
            for check in _quietly(vector):
                tolerance = known.get(check.stage)
                if check.stage in planted or tolerance is None:
                    continue
                lines = plant(vector, check, golden, tolerance)
                if lines is not None:
                    planted[check.stage] = lines
    bad = [line for lines in planted.values() for line in lines]
    if not planted:
        bad = ["every vector, every stage: no error could be planted"]
    return Row("controls", "planted errors", FAIL if bad else PASS, details=tuple(bad))


def _quietly(vector: Vector) -> list[Check]:
    try:
        return checks.checks_of(vector)
    except Exception:  # reported by findings_of
        return []


def plant(vector: Vector, check: Check, golden: checks.Golden, tolerance: Tolerance) -> list[str] | None:
    """What a planted error shows to be wrong with the comparison; None where this vector has no place for one."""
    try:
        answer = check.answer(golden)
        theirs = checks.theirs(vector, check, golden, answer.ours)
    except Exception:  # reported by findings_of
        return None
    unit = np.broadcast_to(np.asarray(answer.unit, np.float64), theirs.shape)
    lines = []
    for factor, must_pass in ((2.0, False), (0.5, True)):
        wrong = _with_error(theirs, unit, tolerance, factor)
        if wrong is None:
            return None
        passes = compare(tolerance.kind, wrong, theirs, answer.unit).worst <= tolerance.value
        if passes != must_pass:
            lines.append(
                f"vector {vector.id}, stage {check.stage}: a planted error of {factor:g} tolerances "
                f"{'passes' if passes else 'fails'}: the comparison is blind or the tolerance is not what it says"
            )
    return lines


def _with_error(theirs: np.ndarray, unit: np.ndarray, tolerance: Tolerance, factor: float) -> np.ndarray | None:
    """The oracle's answer with one element wrong by `factor` tolerances; unchanged for half of nothing."""
    wrong = np.array(theirs, order="C")
    flat = wrong.reshape(-1)
    if tolerance.kind in ("bit", "flips"):
        if factor > 1:
            flat[0] = ~flat[0] if wrong.dtype == bool else _next(flat[0])
        return wrong
    if tolerance.kind == "ties":
        at_half = np.abs(np.abs(unit - np.trunc(unit)) - 0.5).reshape(-1) / np.iinfo(wrong.dtype).max
        inside = (flat > 0) & (flat < np.iinfo(wrong.dtype).max)
        near = at_half <= tolerance.value
        places = np.flatnonzero(inside & (near if factor < 1 else at_half > 2 * tolerance.value))
        if places.size:
            flat[places[0]] += 1
        return wrong if places.size or factor < 1 else None
    size = unit.reshape(-1)
    places = np.flatnonzero((size > 0) & (size > 4 * np.spacing(np.abs(flat).astype(np.float64))))
    if not places.size:
        return None
    place = places[np.argmax(size[places])]
    wrong = wrong.astype(np.float64, order="C")
    wrong.reshape(-1)[place] += factor * tolerance.value * size[place]
    return wrong


def _next(value: Any) -> Any:
    if isinstance(value, np.floating):
        return np.nextafter(value, np.inf, dtype=value.dtype)
    return value + 1 if value < np.iinfo(value.dtype).max else value - 1
