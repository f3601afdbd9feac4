"""From the log to where the study's tables look: the study's store, and CSV files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import FsrcnnError
from ..files import write_text
from ..study.records import Rating
from ..study.store import add_ratings, store_path
from ..study.tables import csv
from ..study.tables.render import Table
from .log import Log

_LOG_COLUMNS = (
    "seq", "received", "at", "reader", "case_name", "occasion", "number", "kind", "criterion", "value", "old_value",
    "rated_before", "swapped", "side", "x", "y", "text", "mark", "seconds", "id",
)  # fmt: skip


class Publisher:
    """Keeps the study's store as the log has it; what cannot be written now is written later.

    Parameters
    ----------
    results : Path
    log : Log
    patients : dict
        Whose case it is, by name.
    say : callable
        Takes a line for the study's owner.
    """

    def __init__(self, results: Path, log: Log, patients: dict[str, str], say: Callable[[str], None]) -> None:
        self.results, self.log, self.patients, self.say = results, log, patients, say
        values = {value for one in log.criteria.criteria for value, _ in one.values}
        #: the study's tables know ratings from 1 to 5
        self.wanted = values <= {1, 2, 3, 4, 5} and store_path(results).is_file()
        self._behind: set[tuple[str, str, int]] = set()
        self._lock = threading.Lock()
        self._said = False

    def ratings(self) -> list[Rating]:
        """All that hold now."""
        return self.log.ratings(self.patients)

    def all(self) -> None:
        """Publish everything: at the start, after a server that was killed."""
        self._put(self.ratings(), set())

    def some(self, reader: str, cases: Iterable[tuple[str, int]]) -> None:
        """Publish what a reader has just said of cases, by name and occasion; and what is behind."""
        self.publish({(reader, name, occasion) for name, occasion in cases})

    def publish(self, keys: set[tuple[str, str, int]]) -> None:
        """Publish what is said of these, and what is behind."""
        with self._lock:
            keys = keys | self._behind
        if not keys or not self.wanted:
            return
        cases: dict[str, set[str]] = {}
        for reader, name, _ in keys:
            cases.setdefault(reader, set()).add(name)
        found = [one for reader, names in cases.items() for one in self.log.ratings(self.patients, reader, names)]
        self._put(found, keys)

    def _put(self, ratings: list[Rating], keys: set[tuple[str, str, int]]) -> None:
        if not self.wanted:
            return
        try:
            add_ratings(self.results, ratings)
        except FsrcnnError as error:  # they are safe in the log
            with self._lock:
                self._behind |= keys or {(one.reader, one.case, one.occasion) for one in ratings}
            if not self._said:
                self._said = True
                self.say(f"the study's store lags behind and will catch up; no rating is lost: {error}")
            return
        with self._lock:
            self._behind -= keys
            self._said = False

    def write(self, path: Path, *, overwrite: bool) -> None:
        """Write the ratings as a CSV that `study table2` and `study report` read."""
        write_text(path, ratings_csv(self.ratings()), overwrite=overwrite)


def ratings_csv(ratings: Iterable[Rating]) -> str:
    """One row a rating; text that a spreadsheet would take for a formula has a ' before it."""
    records = [
        {
            "reader": one.reader,
            "criterion": one.criterion,
            "case": one.case,
            "value": "NA" if one.value is None else one.value,
            "occasion": one.occasion,
            "comment": _lines(one.comment),
            "patient": one.patient,
        }
        for one in ratings
    ]
    head = ("reader", "criterion", "case", "value", "occasion", "comment", "patient")
    return csv(Table("ratings", "Ratings", head, (), tuple(records)))


def log_csv(log: Log) -> str:
    """Everything that was ever clicked, in the order of arrival."""
    records = []
    for row in log.rows("SELECT * FROM log ORDER BY seq"):
        record: dict[str, Any] = {name: row[name] for name in _LOG_COLUMNS}
        records.append(record | {"text": _lines(record["text"])})
    return csv(Table("log", "Log", _LOG_COLUMNS, (), tuple(records)))


def _lines(text: str) -> str:
    """Line ends of one kind: a lone carriage return would end a row."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
