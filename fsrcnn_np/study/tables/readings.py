"""Ratings by criterion, reader and case: what the tables of the reader study are made of."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..paper import honjo
from ..records import Rating

VALUES = (1, 2, 3, 4, 5)


class Readings:
    """First readings by criterion and reader, in the paper's order of criteria and the readers' order of coming."""

    def __init__(self, given: Sequence[Rating]) -> None:
        first = [rating for rating in given if rating.occasion == 1]
        self.later = len(given) - len(first)
        self.readers = sorted({r.reader for r in given}, key=natural)
        self.criteria = in_papers_order({r.criterion: None for r in given})
        self.unreadable = Counter((r.criterion, r.reader) for r in first if r.value is None)
        self.again = [rating for rating in given if rating.occasion == 2]
        self.of: dict[tuple[str, str], dict[str, int]] = {}
        self._by_case: dict[str, tuple[list[str], NDArray[np.int64]]] = {}
        self.patients: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        for r in first:
            if r.value is not None:
                self.of.setdefault((r.criterion, r.reader), {})[r.case] = r.value
                self.patients.setdefault(r.case, r.patient or r.case)

    @classmethod
    def made_of(cls, given: Sequence[Rating] | Readings) -> Readings:
        """Ratings put in order, once for all tables of a report."""
        return given if isinstance(given, Readings) else cls(given)

    def cells(self) -> Iterator[tuple[str, str]]:
        """Criterion and reader, where there is anything."""
        for criterion, reader in itertools.product(self.criteria, self.readers):
            if (criterion, reader) in self.of or self.unreadable[criterion, reader]:
                yield criterion, reader

    def counts(self, criterion: str, reader: str) -> tuple[int, ...]:
        """How often each value was given."""
        counted = Counter(self.of.get((criterion, reader), {}).values())
        return tuple(counted[value] for value in VALUES)

    def by_case(self, criterion: str) -> tuple[list[str], NDArray[np.int64]]:
        """Cases, and who gave them what: cases×readers×values of 0 and 1."""
        if criterion in self._by_case:
            return self._by_case[criterion]
        found = [self.of.get((criterion, reader), {}) for reader in self.readers]
        cases = list(dict.fromkeys(case for values in found for case in values))
        index = {case: i for i, case in enumerate(cases)}
        table = np.zeros((len(cases), len(self.readers), len(VALUES)), np.int64)
        for i, values in enumerate(found):
            rows = np.fromiter((index[case] for case in values), np.intp, len(values))
            table[rows, i, np.fromiter(values.values(), np.intp, len(values)) - 1] = 1
        self._by_case[criterion] = cases, table
        return cases, table

    def whose(self, cases: Sequence[str]) -> NDArray[np.intp]:
        """The patients' numbers, the same in every criterion."""
        if not self._numbers:
            self._numbers = {patient: number for number, patient in enumerate(dict.fromkeys(self.patients.values()))}
        return np.array([self._numbers[self.patients[case]] for case in cases], np.intp)


def headed(records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Records, the first of each criterion with its name."""
    before = None
    for record in records:
        yield (record["criterion"] if record["criterion"] != before else ""), record
        before = record["criterion"]


def reader_name(name: str) -> str:
    """A reader's name as a table shows it: `Reader 2` for a bare number."""
    return f"Reader {name}" if name.isdecimal() else name


def natural(name: str) -> tuple[int, int, str]:
    """Reader 2 before reader 10."""
    digits = "".join(c for c in name if c in "0123456789")
    return (0, int(digits[:9]), name) if digits else (1, 0, name.casefold())


def in_papers_order(criteria: dict[str, None]) -> list[str]:
    """The paper's order where the criteria are the paper's, others after them as they come."""
    known = {name.casefold(): i for i, name in enumerate(dict.fromkeys(cell.criterion for cell in honjo.TABLE_2))}
    return sorted(criteria, key=lambda name: known.get(name.casefold(), len(known)))
