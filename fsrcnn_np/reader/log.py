"""What readers did, append-only: reading.sqlite beside the study's store. Nothing in it is ever changed or deleted.

about      the study's secrets and settings
tokens     who may enter: digests, never the tokens
slots      which case each reader sees as number 1, 2, …, on which sides
log        every click, in the order of arrival; triggers refuse to change it
shown      what is known of the cases' tiles
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..database import for_reading
from ..errors import FileError, FormatError, OptionError
from ..study.records import Rating
from .criteria import Criteria

NAME = "reading.sqlite"
APPLICATION, SCHEMA = 0x46535252, 1  # "FSRR"
LONGEST_TEXT = 10_000
KINDS = ("rating", "comment", "mark", "unmark", "seen")
_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")

_TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE tokens (digest TEXT PRIMARY KEY, reader TEXT NOT NULL, owner INTEGER NOT NULL, made REAL NOT NULL, "
    "expires REAL NOT NULL, revoked REAL)",
    "CREATE TABLE slots (reader TEXT, number INTEGER, case_name TEXT NOT NULL, occasion INTEGER NOT NULL, "
    "swapped INTEGER NOT NULL, PRIMARY KEY (reader, number), UNIQUE (reader, case_name, occasion))",
    "CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL, "
    "received TEXT NOT NULL, at REAL, reader TEXT NOT NULL, number INTEGER NOT NULL, case_name TEXT NOT NULL, "
    "occasion INTEGER NOT NULL, kind TEXT NOT NULL, criterion TEXT NOT NULL, value INTEGER, old_value INTEGER, "
    "rated_before INTEGER NOT NULL, swapped INTEGER NOT NULL, side INTEGER, x REAL, y REAL, text TEXT NOT NULL, "
    "mark TEXT NOT NULL, seconds REAL)",
    "CREATE INDEX log_reader ON log (reader, number, kind, criterion, seq)",
    "CREATE TRIGGER log_stays BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_keeps BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TABLE shown (case_name TEXT PRIMARY KEY, stamp TEXT NOT NULL, facts TEXT NOT NULL)",
)


@dataclass(frozen=True)
class Slot:
    """A case as one reader sees it."""

    number: int
    case: str
    occasion: int  #: 2 and more: seen again
    swapped: bool  #: the first image given is on the right


@dataclass(frozen=True)
class Refused:
    """An event that is not kept, for good."""

    id: str
    why: str


@dataclass(frozen=True)
class Answers:
    """What a reader has said of a case so far."""

    values: dict[str, int | None]  #: by criterion, as recorded
    comment: str
    marks: list[dict[str, Any]]
    seconds: float


class Log:
    """The database, open for reading and writing by any number of threads; one of them writes at a time.

    Parameters
    ----------
    path : Path
        Made where it is missing.
    criteria : Criteria
    reading : bool
        It is there, and only read: it may lie on a disk that cannot be written.

    Raises
    ------
    FileError, FormatError
        It cannot be written; it is something else, or of another version.
    """

    def __init__(self, path: Path, criteria: Criteria, *, reading: bool = False) -> None:
        self.path, self.criteria, self.reading = path, criteria, reading
        self._lock = threading.RLock()
        with _one_line(path), ExitStack() as undo:
            if reading:
                self._connection = for_reading(path, timeout=30, isolation_level=None, check_same_thread=False)
                undo.callback(self._connection.close)
                self._connection.row_factory = sqlite3.Row
                self._check()
                undo.pop_all()
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            undo.callback(self._connection.close)
            self._connection.row_factory = sqlite3.Row
            c = self._connection
            if c.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._check()
            c.execute("PRAGMA journal_mode = WAL")
            c.execute("PRAGMA synchronous = FULL")  # committed means on the disk
            with self.writing():
                if not c.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in _TABLES:
                        c.execute(statement)
                    c.execute(f"PRAGMA application_id = {APPLICATION}")
                    c.execute(f"PRAGMA user_version = {SCHEMA}")
            undo.pop_all()

    def _check(self) -> None:
        found = [self._connection.execute(f"PRAGMA {n}").fetchone()[0] for n in ("application_id", "user_version")]
        if found != [APPLICATION, SCHEMA]:
            raise FormatError(f"{self.path}: is no log of a reader study, or one of another version; move it away")

    def close(self) -> None:
        """Everything has been committed already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing; on the disk when this ends."""
        with self._lock, _one_line(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._lock, _one_line(self.path):
            return self._connection.execute(query, parameters).fetchall()

    def setting(self, name: str, value: str) -> str:
        """What was kept under a name; if nothing was, the value, which is kept from now on, unless it is only read."""
        if self.reading:
            found = self.rows("SELECT value FROM about WHERE name = ?", (name,))
            return str(found[0][0]) if found else value
        with self.writing() as c:
            c.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            return str(c.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()[0])

    def secret(self) -> bytes:
        """The study's own key, drawn once."""
        return bytes.fromhex(self.setting("secret", secrets.token_hex(32)))

    def outbox(self, reader: str) -> str:
        """A name for what a reader's browser keeps of this study."""
        return hashlib.blake2b(f"outbox {reader}".encode(), key=self.secret(), digest_size=16).hexdigest()

    def study(self) -> str:
        """A name for the study, that tells nothing of it."""
        return hashlib.blake2b(b"study", key=self.secret(), digest_size=8).hexdigest()

    # Who sees what

    def arrange(self, reader: str, cases: Sequence[str], *, seed: int, repeats: int) -> None:
        """Draw a reader's order and sides; what was drawn stays, and cases that came later come last.

        Parameters
        ----------
        reader : str
        cases : sequence of str
        seed : int
            With the reader's name and the study's secret it decides order, sides and repeats.
        repeats : int
            How many cases are shown a second time, anywhere behind the first half, never next to the first.
        """
        secret = self.secret().hex()
        with self.writing() as c:
            there = c.execute("SELECT case_name, occasion FROM slots WHERE reader = ?", (reader,)).fetchall()
            known = {(row["case_name"], row["occasion"]) for row in there}
            chance = random.Random(f"{secret} {seed} {reader} {len(there)}")
            new = [(name, 1) for name in cases if (name, 1) not in known]
            chance.shuffle(new)
            again = sum(occasion > 1 for _, occasion in known)
            wanted = max(0, min(repeats, len({name for name, _ in known} | {name for name, _ in new})) - again)
            once = [name for name, _ in [*known, *new] if (name, 2) not in known]
            for name in chance.sample(sorted(set(once)), min(wanted, len(set(once)))):
                if new[1:] and new[-1] == (name, 1):  # nothing could come between: show it earlier
                    new.insert(chance.randrange(len(new) - 1), new.pop())
                at = new.index((name, 1)) if (name, 1) in new else -1
                new.insert(chance.randint(max(min(at + 2, len(new)), len(new) // 2), len(new)), (name, 2))
            for number, (name, occasion) in enumerate(new, len(there) + 1):
                row = (reader, number, name, occasion, chance.random() < 0.5)
                c.execute("INSERT INTO slots VALUES (?, ?, ?, ?, ?)", row)

    def slots(self, reader: str) -> list[Slot]:
        """A reader's cases in their order."""
        found = self.rows("SELECT * FROM slots WHERE reader = ? ORDER BY number", (reader,))
        return [Slot(r["number"], r["case_name"], r["occasion"], bool(r["swapped"])) for r in found]

    def slot(self, reader: str, number: object) -> Slot | None:
        """One of them."""
        if type(number) is not int or not 0 < number < 1 << 31:
            return None
        found = self.rows("SELECT * FROM slots WHERE reader = ? AND number = ?", (reader, number))
        return next((Slot(r["number"], r["case_name"], r["occasion"], bool(r["swapped"])) for r in found), None)

    def readers(self) -> list[str]:
        """Everybody who has cases."""
        return [row[0] for row in self.rows("SELECT DISTINCT reader FROM slots ORDER BY rowid")]

    # What they did

    def keep(self, reader: str, events: Iterable[Any]) -> tuple[list[str], list[Refused]]:
        """Keep events; on the disk when this returns.

        Returns
        -------
        list of str
            Ids of events that are kept, now or since an earlier time.
        list of Refused
        """
        saved: list[str] = []
        refused: list[Refused] = []
        with self.writing() as c:
            for event in events:
                try:
                    self._keep(c, reader, event)
                    saved.append(event["id"])
                except _Wrong as error:
                    identity = event.get("id") if isinstance(event, dict) else None
                    refused.append(Refused(_writable(identity) if isinstance(identity, str) else "", str(error)))
        return saved, refused

    def _keep(self, c: sqlite3.Connection, reader: str, event: Any) -> None:
        if not isinstance(event, dict):
            raise _Wrong("an event is no object")
        identity = event.get("id")
        if not isinstance(identity, str) or not _ID.fullmatch(identity):
            raise _Wrong("its id is no UUID")
        content = _digest(reader, event)
        known = c.execute("SELECT content FROM log WHERE id = ?", (_plain_id(identity),)).fetchone()
        if known:
            if known["content"] != content:
                raise _Wrong("its id was used for something else")
            return
        row = self._row(c, reader, event) | {"id": _plain_id(identity), "content": content}
        names = ", ".join(row)
        c.execute(f"INSERT INTO log ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))

    def _row(self, c: sqlite3.Connection, reader: str, event: dict[str, Any]) -> dict[str, Any]:
        slot = self.slot(reader, event.get("case"))
        if slot is None:
            raise _Wrong("there is no such case")
        kind = event.get("kind")
        if kind not in KINDS:
            raise _Wrong(f"its kind is none of {', '.join(KINDS)}")
        row: dict[str, Any] = {
            "received": datetime.now(UTC).isoformat(timespec="milliseconds"), "at": _number(event.get("at"), "at"),
            "reader": reader, "number": slot.number, "case_name": slot.case, "occasion": slot.occasion, "kind": kind,
            "criterion": "", "value": None, "old_value": None, "rated_before": 0, "swapped": int(slot.swapped),
            "side": None, "x": None, "y": None, "text": "", "mark": "",
            "seconds": _number(event.get("seconds"), "seconds", least=0),
        }  # fmt: skip
        if kind == "rating":
            criterion = self.criteria.named(event.get("criterion"))
            if criterion is None:
                raise _Wrong("there is no such criterion")
            value: Any = event.get("value")
            if not criterion.allowed(value):
                allowed = ", ".join(str(number) for number, _ in criterion.values)
                raise _Wrong(f"allowed are {allowed}" + (", and 0 for unreadable" if criterion.unreadable else ""))
            before = c.execute(
                "SELECT value FROM log WHERE reader = ? AND number = ? AND kind = 'rating' AND criterion = ? "
                "ORDER BY seq DESC LIMIT 1",
                (reader, slot.number, criterion.name),
            ).fetchone()
            row |= {
                "criterion": criterion.name, "value": self.criteria.recorded(criterion, value, slot.swapped),
                "old_value": before["value"] if before else None, "rated_before": int(before is not None),
            }  # fmt: skip
        if kind in ("comment", "mark"):
            row["text"] = _text(event.get("text", ""))
        if kind == "mark":
            side = event.get("side")
            if type(side) is not int or side not in (0, 1):
                raise _Wrong("its side is neither 0 nor 1")
            row |= {
                "side": side ^ int(slot.swapped),
                "x": _number(event.get("x"), "x"),
                "y": _number(event.get("y"), "y"),
            }
            if row["x"] is None or row["y"] is None:
                raise _Wrong("it has no place")
        if kind == "unmark":
            mark = event.get("mark")
            if not isinstance(mark, str) or not _ID.fullmatch(mark):
                raise _Wrong("names no mark")
            row["mark"] = _plain_id(mark)
        return row

    def answers(self, reader: str, number: int) -> Answers:
        """What holds now: of each criterion the last value that arrived."""
        values: dict[str, int | None] = {}
        comment, seconds = "", 0.0
        marks: dict[str, dict[str, Any]] = {}
        for row in self.rows("SELECT * FROM log WHERE reader = ? AND number = ? ORDER BY seq", (reader, number)):
            seconds = max(seconds, row["seconds"] or 0.0)
            if row["kind"] == "rating":
                values[row["criterion"]] = row["value"]
            elif row["kind"] == "comment":
                comment = row["text"]
            elif row["kind"] == "mark":
                marks[row["id"]] = {"id": _hyphened(row["id"]), "side": row["side"], "x": row["x"], "y": row["y"],
                                    "text": row["text"]}  # fmt: skip
            elif row["kind"] == "unmark":
                marks.pop(row["mark"], None)
        return Answers(values, comment, list(marks.values()), seconds)

    def progress(self, reader: str) -> dict[int, tuple[int, float]]:
        """Of each case that was begun: how many criteria have a value, and seconds."""
        found = self.rows(
            "SELECT number, count(DISTINCT CASE kind WHEN 'rating' THEN criterion END) AS rated, "
            "max(seconds) AS seconds FROM log WHERE reader = ? GROUP BY number",
            (reader,),
        )
        return {row["number"]: (row["rated"], row["seconds"] or 0.0) for row in found}

    def ratings(
        self, patients: dict[str, str], reader: str | None = None, cases: Iterable[str] | None = None
    ) -> list[Rating]:
        """The last value of every reader, case, criterion and occasion, as the study's tables take them.

        Parameters
        ----------
        patients : dict
            Whose case it is, by the case's name.
        reader : str, optional
            Only hers.
        cases : iterable of str, optional
            Only of these.
        """
        where, given = ("AND reader = ?", [reader]) if reader is not None else ("", [])
        if cases is not None:
            names = list(cases)
            where, given = f"{where} AND case_name IN ({', '.join('?' * len(names))})", [*given, *names]
        last = self.rows(
            f"SELECT * FROM log WHERE seq IN (SELECT max(seq) FROM log WHERE kind = 'rating' {where} "
            "GROUP BY reader, case_name, occasion, criterion) ORDER BY seq",
            given,
        )
        comments = {
            (row["reader"], row["case_name"], row["occasion"]): row["text"]
            for row in self.rows(
                f"SELECT * FROM log WHERE seq IN (SELECT max(seq) FROM log WHERE kind = 'comment' {where} "
                "GROUP BY reader, case_name, occasion)",
                given,
            )
        }
        order = {one.name: place for place, one in enumerate(self.criteria.criteria)}
        latest: dict[tuple[str, str, int], str] = {}
        for row in last:  # a comment is of a case, and stands once: with its last criterion
            key = (row["reader"], row["case_name"], row["occasion"])
            if order.get(row["criterion"], -1) >= order.get(latest.get(key, ""), -1):
                latest[key] = row["criterion"]
        return [
            Rating(
                row["reader"], row["case_name"], row["criterion"], row["value"],
                comments.get(key, "") if latest[key] == row["criterion"] else "", row["occasion"],
                patients.get(row["case_name"], ""),
            )
            for row in last
            for key in [(row["reader"], row["case_name"], row["occasion"])]
        ]  # fmt: skip


class _Wrong(Exception):
    """An event that will never be kept."""


def _digest(reader: str, event: dict[str, Any]) -> str:
    """Of what an event says; ids may be written in two ways."""
    try:
        plain = json.dumps([reader, {**event, "id": ""}], sort_keys=True, allow_nan=False)
    except ValueError:
        raise _Wrong("a number in it is not finite") from None
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _plain_id(identity: str) -> str:
    return identity.replace("-", "").lower()


def _hyphened(identity: str) -> str:
    return "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]))


def _number(value: Any, name: str, *, least: float = -1e15) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _Wrong(f"{name} is no number")
    if not least <= value <= 1e15:  # first of all: an integer of 400 digits is no float
        raise _Wrong(f"{name} is out of range")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("its text is no text")
    if len(value) > LONGEST_TEXT:
        raise _Wrong(f"its text has {len(value)} characters; allowed are {LONGEST_TEXT}")
    return _writable(value).replace("\0", "�")


def _writable(text: str) -> str:
    """Without halves of letters, which JSON can say and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """SQLite's exceptions as ours."""
    try:
        yield
    except UnicodeDecodeError as error:  # of a text that no version of ours wrote
        raise FormatError(f"{path}: is damaged: a text in it is no UTF-8; move it away") from error
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise FormatError(f"{path}: is no log of a reader study, or damaged ({error}); move it away") from error
        raise FileError(f"{path}: cannot be used ({error}); give a folder with space and permission") from error
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: cannot be used ({error.strerror or error}); give another folder") from error


def same_study(log: Log, name: str, value: str, what: str) -> None:
    """Refuse to go on with other criteria or images than the log was begun with."""
    if (kept := log.setting(name, value)) != value:
        raise OptionError(f"{log.path}: was begun with {what} {kept}, and {value} is given now; choose another folder")
