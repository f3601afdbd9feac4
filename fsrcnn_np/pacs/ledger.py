"""What is known of each object and how far it has come, in SQLite; every step is one durable transaction.

An original is *received*, *sent*, *committed*; what is made of it is *derived*, *checked*, *sent*, *committed*. A step
that is done twice (the process was killed before it was written down) changes nothing the second time.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ..database import for_reading

STATES = ("received", "derived", "checked", "sent", "committed")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    sop_class TEXT NOT NULL,
    syntax TEXT NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    source INTEGER REFERENCES objects (id),  -- of a derived object
    state TEXT NOT NULL,
    forward INTEGER NOT NULL,                -- whether it goes to the peer
    treat INTEGER NOT NULL,                  -- whether something is still to be made of it
    tries INTEGER NOT NULL DEFAULT 0,        -- of what comes next
    due REAL NOT NULL DEFAULT 0,             -- not before: seconds since 1970
    parked INTEGER NOT NULL DEFAULT 0,       -- waits for a person
    note TEXT NOT NULL DEFAULT '',           -- why it waits or is parked
    remark TEXT NOT NULL DEFAULT '',         -- why nothing was made of it
    committed_at REAL NOT NULL DEFAULT 0,    -- seconds since 1970
    removed INTEGER NOT NULL DEFAULT 0       -- its file, after the peer had it for long enough
);
CREATE INDEX IF NOT EXISTS by_state ON objects (state, parked, due);
CREATE TABLE IF NOT EXISTS asked (           -- storage commitment: what was asked for in which transaction
    transaction_uid TEXT NOT NULL,
    object INTEGER NOT NULL REFERENCES objects (id),
    PRIMARY KEY (transaction_uid, object)
);
"""


class Row(NamedTuple):
    """An object of the ledger."""

    id: int
    uid: str
    sop_class: str
    syntax: str
    file: str
    size: int
    sha256: str
    source: int | None
    state: str
    forward: int
    treat: int
    tries: int
    due: float
    parked: int
    note: str
    remark: str
    committed_at: float
    removed: int


#: Due, or due later than anything of ours waits: written down before the clock was set back.
_READY = "SELECT * FROM objects WHERE NOT parked AND (due <= ? OR due > ?) AND "
_FORWARD = "UPDATE objects SET state = ?, tries = 0, due = 0, parked = 0, note = '' WHERE id = ? AND state = ?"
_MOST = 200  # rows at a time


class OtherBytes(Exception):
    """A SOP Instance UID that is known with other bytes: PS3.4 B.4.1.3, one UID is one object."""


class Ledger:
    """The table of objects; safe to use from several threads."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._guard = threading.RLock()
        connect = for_reading if read_only else sqlite3.connect
        self._base = connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        if not read_only:
            with ExitStack() as undo:
                undo.callback(self._base.close)
                path.chmod(0o600)
                self._base.execute("PRAGMA journal_mode = WAL")
                self._base.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is answered
                self._base.executescript(_SCHEMA)
                self._add_columns()
                undo.pop_all()

    def _add_columns(self) -> None:
        """To a ledger of an earlier version; what is committed there counts from now."""
        there = {name for _, name, *_ in self._base.execute("PRAGMA table_info(objects)")}
        for name, kind in (("committed_at", "REAL"), ("removed", "INTEGER")):
            if name not in there:
                self._base.execute(f"ALTER TABLE objects ADD COLUMN {name} {kind} NOT NULL DEFAULT 0")
        self._do("UPDATE objects SET committed_at = ? WHERE state = 'committed' AND NOT committed_at", (time.time(),))

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            self._base.close()

    def add(self, row: dict[str, Any], *, derived_of: int | None = None) -> int:
        """A new object; gives its number. One that is known already with the same bytes stays as it is.

        Raises
        ------
        OtherBytes
            The UID is known with other bytes.
        """
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        with self._guard, self._base:
            self._base.execute("BEGIN IMMEDIATE")
            self._base.execute(f"INSERT OR IGNORE INTO objects ({names}) VALUES ({marks})", row)
            number, sha256 = self._base.execute(
                "SELECT id, sha256 FROM objects WHERE uid = ?", (row["uid"],)
            ).fetchone()
            if sha256 != row["sha256"]:
                raise OtherBytes
            if derived_of is not None:
                self._base.execute("UPDATE objects SET treat = 0 WHERE id = ?", (derived_of,))
        return int(number)

    def known(self, uid: str) -> Row | None:
        """The object of a UID."""
        rows = self._rows("SELECT * FROM objects WHERE uid = ?", (uid,))
        return rows[0] if rows else None

    def row(self, number: int) -> Row:
        """The object of a number."""
        return self._rows("SELECT * FROM objects WHERE id = ?", (number,))[0]

    def to_derive(self) -> Row | None:
        """The next object of which something is to be made; those that were interrupted come last."""
        rows = self._rows("SELECT * FROM objects WHERE treat ORDER BY treat, id LIMIT 1")
        return rows[0] if rows else None

    def count_try(self, number: int) -> int:
        """Write down that a derivation begins, so that one that kills the process is not begun for ever."""
        self._do("UPDATE objects SET treat = treat + 1 WHERE id = ?", (number,))
        return self.row(number).treat - 1

    def discount_try(self, number: int) -> None:
        """A derivation ended for a reason that lies elsewhere."""
        self._do("UPDATE objects SET treat = treat - 1 WHERE id = ? AND treat > 1", (number,))

    def not_derived(self, number: int, remark: str) -> None:
        """Nothing can be made of it; the object itself goes its way."""
        self._do("UPDATE objects SET treat = 0, remark = ? WHERE id = ?", (remark, number))

    def to_check(self) -> list[Row]:
        """Derived objects that nobody has looked at."""
        return self._rows("SELECT * FROM objects WHERE state = 'derived' AND NOT parked ORDER BY id LIMIT ?", (_MOST,))

    def checked(self, number: int) -> None:
        """A derived object that breaks no rule."""
        self._step("derived", "checked", [number])

    def to_send(self, now: float, longest: float = math.inf) -> list[Row]:
        """What is due to go to the peer, originals before what was made of them.

        Parameters
        ----------
        now : float
            Seconds since 1970.
        longest : float
            Seconds that anything waits at most, whatever the clock said when its wait began.
        """
        rule = "forward AND (state = 'checked' OR (state = 'received' AND source IS NULL)) ORDER BY id LIMIT ?"
        return self._rows(_READY + rule, (now, now + longest, _MOST))

    def sent(self, number: int) -> None:
        """The peer has answered 0x0000."""
        self._step("received", "sent", [number])
        self._step("checked", "sent", [number])

    def to_ask(self, now: float, longest: float = math.inf) -> list[Row]:
        """What the peer has, but has not said that it will keep; as of `to_send`."""
        return self._rows(_READY + "state = 'sent' ORDER BY id LIMIT ?", (now, now + longest, _MOST))

    def asked(self, numbers: Iterable[int], transaction: str, due: float) -> None:
        """Before the peer is asked: what an answer to this transaction will speak of, and when to ask again."""
        with self._guard, self._base:
            self._base.execute("BEGIN IMMEDIATE")
            for number in numbers:
                self._base.execute("INSERT OR IGNORE INTO asked VALUES (?, ?)", (transaction, number))
                self._base.execute("UPDATE objects SET due = ?, tries = tries + 1 WHERE id = ?", (due, number))

    def asked_for(self, transaction: str) -> dict[str, int]:
        """UID → number of the objects of a transaction; empty: it is none of ours."""
        rule = "SELECT o.* FROM objects o JOIN asked a ON a.object = o.id WHERE a.transaction_uid = ?"
        return {row.uid: row.id for row in self._rows(rule, (transaction,))}

    def committed(self, numbers: Iterable[int]) -> None:
        """The peer keeps them."""
        numbers = list(numbers)
        self._step("sent", "committed", numbers)
        for number in numbers:
            rule = "UPDATE objects SET committed_at = ? WHERE id = ? AND state = 'committed' AND NOT committed_at"
            self._do(rule, (time.time(), number))

    def count_from(self, now: float) -> None:
        """What was committed later than now, by a clock that was ahead, counts from now: else it stays for ever."""
        self._do("UPDATE objects SET committed_at = ? WHERE committed_at > ?", (now, now))

    def to_remove(self, before: float) -> list[Row]:
        """What the peer has kept since then, and what nothing here still needs: a derived object needs its source."""
        rule = (
            "SELECT * FROM objects o WHERE state = 'committed' AND NOT removed AND NOT treat AND NOT parked "
            "AND committed_at > 0 AND committed_at < ? AND NOT EXISTS "
            "(SELECT 1 FROM objects d WHERE d.source = o.id AND d.state != 'committed') ORDER BY id LIMIT ?"
        )
        return self._rows(rule, (before, _MOST))

    def removed(self, number: int) -> None:
        """Its file is gone; that it was here, and with which bytes, stays known."""
        self._do("UPDATE objects SET removed = 1 WHERE id = ?", (number,))
        self._do("DELETE FROM asked WHERE object = ?", (number,))

    def send_again(self, number: int, due: float, note: str) -> None:
        """The peer has lost it: back to before it was sent."""
        again = "CASE WHEN source IS NULL THEN 'received' ELSE 'checked' END"
        rule = f"UPDATE objects SET state = {again}, due = ?, note = ? WHERE id = ? AND state = 'sent'"
        self._do(rule, (due, note, number))

    def wait(self, number: int, due: float, note: str = "") -> None:
        """The next try is not before `due`."""
        self._do("UPDATE objects SET tries = tries + 1, due = ?, note = ? WHERE id = ?", (due, note, number))

    def park(self, number: int, note: str) -> None:
        """A person has to look at it."""
        self._do("UPDATE objects SET parked = 1, note = ? WHERE id = ?", (note, number))

    def retry(self) -> int:
        """Take up again what is parked, what waits, and what nothing was made of; gives how many were parked."""
        with self._guard:
            self._do("UPDATE objects SET due = 0, tries = 0 WHERE state != 'committed' AND NOT parked", ())
            self._do("UPDATE objects SET treat = 1, remark = '' WHERE remark != '' AND NOT removed", ())
            done = self._base.execute("UPDATE objects SET parked = 0, due = 0, tries = 0, note = '' WHERE parked")
            return done.rowcount

    def rows(self) -> list[Row]:
        """All objects."""
        return self._rows("SELECT * FROM objects ORDER BY id")

    def files(self) -> set[str]:
        """The names of all files."""
        with self._guard:
            return {file for (file,) in self._base.execute("SELECT file FROM objects")}

    def counts(self) -> dict[str, int]:
        """How many objects are in which state; parked ones are counted apart, and so is what is still to be derived."""
        rule = "SELECT CASE WHEN parked THEN 'parked' ELSE state END, count(*), sum(treat > 0) FROM objects GROUP BY 1"
        with self._guard:
            found = self._base.execute(rule).fetchall()
        counts = dict.fromkeys((*STATES, "parked"), 0) | {state: count for state, count, _ in found}
        return counts | {"to_derive": sum(waiting for *_, waiting in found)}

    def _step(self, old: str, new: str, numbers: Iterable[int]) -> None:
        """Forward only, and only from the state before: doing it twice changes nothing."""
        with self._guard, self._base:
            self._base.execute("BEGIN IMMEDIATE")
            for number in numbers:
                self._base.execute(_FORWARD, (new, number, old))

    def _do(self, rule: str, values: tuple[Any, ...]) -> None:
        with self._guard:
            self._base.execute(rule, values)

    def _rows(self, rule: str, values: tuple[Any, ...] = ()) -> list[Row]:
        with self._guard:
            return [Row(*found) for found in self._base.execute(rule, values)]
