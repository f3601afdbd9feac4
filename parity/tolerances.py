"""The tolerances: tolerances.toml, one number a stage, each sealed in the vectors' index.

A number that was changed without `python -m parity.generate --seal` is a failure, so that none is widened in passing.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "tolerances.toml"


@dataclass(frozen=True)
class Tolerance:
    """How far apart two answers of a stage may be.

    Attributes
    ----------
    kind : str
        A comparison of `parity.compare`.
    value : float
        The worst that passes, in the comparison's measure.
    unit : str
        What the measure counts in.
    reason : str
        Why this number: derived or measured.
    """

    kind: str
    value: float
    unit: str
    reason: str

    @property
    def seal(self) -> str:
        """Digest of what decides."""
        return hashlib.sha256(f"{self.kind} {self.value!r} {self.unit}".encode()).hexdigest()


def load(path: Path | None = None) -> tuple[dict[str, Tolerance], list[tuple[str, str]]]:
    """All tolerances by stage, and what is wrong with those that could not be read: (stage, fault)."""
    path = path or FILE
    found: dict[str, Tolerance] = {}
    faults: list[tuple[str, str]] = []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {}, [("all", f"{path.name} cannot be read: {error}")]
    for stage, table in tables.items():
        fault = _fault(table)
        if fault:
            faults.append((stage, f"{path.name}: {fault}"))
        else:
            found[stage] = Tolerance(table["kind"], float(table["value"]), table.get("unit", ""), table["reason"])
    return found, faults


def seals() -> dict[str, str]:
    """Stage → seal, of the file as it stands."""
    tolerances, faults = load()
    if faults:
        raise SystemExit(f"tolerances.toml: {faults[0][0]}: {faults[0][1]}")
    return {stage: tolerance.seal for stage, tolerance in tolerances.items()}


def _fault(table: Any) -> str:
    if not isinstance(table, dict):
        return "is no table of kind, value and reason"
    missing = {"kind", "value", "reason"} - table.keys()
    if missing:
        return f"has no {', '.join(sorted(missing))}"
    value = table["value"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return f"value is {value!r}; a finite number from 0 is expected"
    return ""
