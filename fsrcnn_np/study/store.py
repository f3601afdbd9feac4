"""The study's memory: one SQLite file with a record an image, written by one process and committed image by image.

    about      what the numbers were made with; another model, version or engine is refused
    images     one row an image: what the cohort says of it, and what was measured; nothing that a second run would
               find otherwise
    effort     what it cost, and how the file looked on disk; differs from run to run
    left_out   what was given and not used, and why
    ratings    of the readers

Readers may open it at any time, also while a run writes (write-ahead log). The file belongs on a local disk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from piqe_np.line import writable

from ..database import for_reading
from ..errors import FileError, FormatError, FsrcnnError, NotThereError, OptionError
from .cohort import TEXTS, Cohort, Entry
from .records import About, Blocks, Case, LeftOut, Rating, Study

NAME, LOCK = "study.sqlite", "study.lock"
APPLICATION, SCHEMA = 0x46535253, 1  # "FSRS"
BUSY = 30.0  #: seconds to wait for another process that writes, a reader's ratings for instance

CLAIMS = ("patient", "breast", "view")  #: columns that a DICOM knows, too
IMAGES = ("original", "bicubic", "sr")
#: columns that `measuring.measure` fills
MEASURED = (
    "key", "pixels", "rows", "columns", "dtype", "low", "high", "scaling",
    *(f"{what}_{image}" for image in IMAGES for what in ("piqe", "active", "artifact", "noisy")),
    *(f"{what}_{image}" for image in IMAGES[1:] for what in ("checkerboard", "psnr", "ssim")),
    "remarks",
)  # fmt: skip
#: columns that the cohort fills, and CLAIMS also the DICOM
KNOWN = (*TEXTS, "age", "groups")
_NUMBERS = {"age", "low", "high"} | {c for c in MEASURED if c.endswith(IMAGES)}

_TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE images (name TEXT PRIMARY KEY, position INTEGER, "
    + ", ".join(f"{c} {'REAL' if c in _NUMBERS else 'INTEGER' if c in ('rows', 'columns') else 'TEXT'}"
                for c in (*KNOWN, *MEASURED, "sr"))
    + ")",
    "CREATE TABLE effort (name TEXT PRIMARY KEY, stamp TEXT, seconds REAL, memory INTEGER)",
    "CREATE TABLE left_out (what TEXT, why TEXT, name TEXT, stamp TEXT, PRIMARY KEY (what, why))",
    "CREATE TABLE ratings (reader TEXT, case_name TEXT, criterion TEXT, occasion INTEGER, value INTEGER, comment TEXT, "
    "patient TEXT, PRIMARY KEY (reader, case_name, criterion, occasion))",
    "CREATE INDEX images_pixels ON images (pixels)",
)  # fmt: skip


def store_path(results: str | PathLike[str]) -> Path:
    """Where the store of a folder of results lies; a store's own path stays."""
    path = Path(results)
    return path / NAME if path.is_dir() or path.suffix != ".sqlite" else path


def _there(results: str | PathLike[str]) -> Path:
    path = store_path(results)
    if not path.exists():
        raise NotThereError(f"{path}: there is no such store; make it: fsrcnn-np study run COHORT -o {path.parent}")
    return path


def read_study(results: str | PathLike[str]) -> Study:
    """Everything that a store knows, for tables, figures and report.

    Parameters
    ----------
    results : path
        The folder of results, or its `study.sqlite`.

    Returns
    -------
    Study
        Cases in the cohort's order: images that were measured. Of images with the same pixels the first is a case;
        the others, and all that failed, are `left_out`.

    Raises
    ------
    FileError
        There is no store, or it cannot be read.
    FormatError
        It is no store, or one of another version.
    """
    path = _there(results)
    with _opened(path, reading=True) as connection, _one_line(path):
        about, name, stored = _about(connection)
        twice = _duplicates(connection)
        cases = [
            _case(row) for row in connection.execute(
                "SELECT images.*, effort.seconds, effort.memory FROM images LEFT JOIN effort USING (name) "
                "WHERE position IS NOT NULL AND key IS NOT NULL AND name NOT IN (SELECT name FROM left_out "
                "WHERE name IS NOT NULL) ORDER BY position"
            ) if row["name"] not in twice
        ]  # fmt: skip
        left_out = [LeftOut(*row) for row in connection.execute(
            "SELECT what, why FROM left_out LEFT JOIN images USING (name) ORDER BY position, left_out.rowid"
        )]  # fmt: skip
        left_out += [LeftOut(copy, f"has the same pixels as {first}; it counts once") for copy, first in twice.items()]
        ratings = [
            Rating(row["reader"], row["case_name"], row["criterion"], row["value"], row["comment"], row["occasion"],
                   row["patient"])
            for row in connection.execute("SELECT * FROM ratings ORDER BY rowid")
        ]  # fmt: skip
        return Study(cases, ratings, about, left_out, name, stored.get("folder", ""))


class Kept(NamedTuple):
    """What a store has of an image that was measured."""

    key: str
    stamp: str  #: of what was asked for and how the files looked
    sr: str  #: where the SR image was kept; may be empty
    doubted: bool  #: a later run left it out


class Store:
    """The store, open for writing by one process at a time.

    Parameters
    ----------
    results : path
        A folder; made where it is missing.
    about : About
        What the numbers will be made with.
    key : mapping
        All settings that decide a number of any image; a store with others is refused.

    Raises
    ------
    OptionError
        The store was made with something else, or another run writes it.
    FileError, FormatError
        It cannot be written, is no store, or is one of another version.
    """

    def __init__(self, results: str | PathLike[str], about: About, key: Mapping[str, Any]) -> None:
        self.path = Path(results, NAME)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{results}: cannot be made ({error.strerror or error}); give another") from error
        self._lock = _locked(self.path.with_name(LOCK))
        try:
            self._connection = _connect(self.path)
        except BaseException:
            self._lock.close()
            raise
        try:
            with _one_line(self.path):
                if _any_table(self._connection):
                    _check(self._connection, self.path)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
            with self.writing():
                _prepare(self._connection, self.path)
                _agree(self._connection, self.path, about, key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Everything has been committed already."""
        self._connection.close()
        self._lock.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with _transaction(self._connection, self.path):
            yield self._connection

    def begin(self, cohort: Cohort) -> None:
        """Take over what the cohort says now; what was measured stays as it is."""
        with self.writing() as c:
            c.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)",
                (("cohort", writable(cohort.name)), ("folder", writable(cohort.folder))),
            )
            c.execute("UPDATE images SET position = NULL")
            c.execute("DELETE FROM left_out WHERE name IS NULL")
            there = {name for (name,) in c.execute("SELECT name FROM images WHERE key IS NOT NULL")}
            for position, entry in enumerate(cohort.entries, 1):
                told = _told(entry)
                if entry.name in there:  # of a measured image these may be the DICOM's, and were held against it
                    told = {column: value for column, value in told.items() if column not in CLAIMS}
                _put(c, "images", "name", {"name": entry.name, "position": position, **told})
            c.execute("DELETE FROM images WHERE position IS NULL AND key IS NULL")
            c.execute("DELETE FROM left_out WHERE name NOT IN (SELECT name FROM images WHERE position IS NOT NULL)")
            for one in cohort.left_out:
                _leave_out(c, one)

    def measured(self) -> dict[str, Kept]:
        """What is there of images that were measured, by name."""
        rows = self._connection.execute(
            "SELECT name, key, stamp, sr, name IN (SELECT name FROM left_out) FROM images JOIN effort USING (name) "
            "WHERE key IS NOT NULL"
        )
        return {name: Kept(key, stamp, sr or "", bool(doubted)) for name, key, stamp, sr, doubted in rows}

    def quarantined(self) -> dict[str, str]:
        """Image → stamp of the time when it had killed its workers."""
        return dict(tuple(row) for row in self._connection.execute(
            "SELECT name, stamp FROM left_out WHERE stamp IS NOT NULL"
        ))  # fmt: skip

    def put(self, entry: Entry, report: Mapping[str, Any], *, stamp: str, sr: str = "") -> None:
        """The record of an image that was measured; committed when this returns."""
        record = {column: report["record"].get(column) for column in MEASURED}
        effort = {"stamp": stamp, "seconds": report["seconds"], "memory": report["memory"]}
        with self.writing() as c:
            _put(c, "images", "name", {"name": entry.name, **report["identity"], **record, "sr": sr})
            _put(c, "effort", "name", {"name": entry.name, **effort})
            c.execute("DELETE FROM left_out WHERE name = ?", (entry.name,))

    def same(self, name: str, report: Mapping[str, Any], *, stamp: str) -> None:
        """The image's file looks different and holds the same."""
        with self.writing() as c:
            _put(c, "images", "name", {"name": name, **report["identity"]})
            _put(c, "effort", "name", {"name": name, "stamp": stamp})
            c.execute("DELETE FROM left_out WHERE name = ?", (name,))

    def leave_out(self, one: LeftOut, name: str, *, stamp: str | None = None) -> None:
        """Why an image has no record, or keeps the one it had; with a stamp: not to be tried again."""
        with self.writing() as c:
            c.execute("DELETE FROM left_out WHERE name = ?", (name,))
            _leave_out(c, one, name, stamp)

    def duplicates(self) -> dict[str, str]:
        """Image → the earlier one with the same pixels."""
        return _duplicates(self._connection)


def add_ratings(results: str | PathLike[str], ratings: Iterable[Rating]) -> None:
    """Keep ratings, all or none; one of the same reader, case, criterion and occasion is replaced.

    Parameters
    ----------
    results : path
        The folder of results, or its `study.sqlite`; a run may be writing it.
    ratings : iterable of Rating

    Raises
    ------
    FileError, FormatError
        There is no store, it cannot be written, or is none of this version.
    """
    path = _there(results)
    with _opened(path) as connection, _transaction(connection, path):
        for rating in ratings:
            values = asdict(rating)
            key = "reader, case_name, criterion, occasion"
            _put(connection, "ratings", key, {"case_name": values.pop("case"), **values})


def _connect(path: Path, *, reading: bool = False) -> sqlite3.Connection:
    with _one_line(path):
        connect = for_reading if reading else sqlite3.connect
        connection = connect(path, timeout=BUSY, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection


@contextmanager
def _opened(path: Path, *, reading: bool = False) -> Iterator[sqlite3.Connection]:
    """Checked to be a store of ours."""
    connection = _connect(path, reading=reading)
    try:
        with _one_line(path):
            _check(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    with _one_line(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _locked(path: Path) -> sqlite3.Connection:
    """Held as long as it is open, on every system, and gone with the process however it ends."""
    with _one_line(path):
        lock = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except BaseException as error:
            lock.close()
            if not isinstance(error, sqlite3.OperationalError) or "locked" not in str(error):
                raise
            raise OptionError(f"{path.parent}: another run writes these results; wait for it, or stop it") from error
        return lock


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """SQLite's exceptions as ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "full" in text:
            raise FileError(f"{path}: the disk is full; make room and run again, nothing is lost") from error
        if "not a database" in text or "malformed" in text:
            raise FormatError(f"{path}: is no study's store, or damaged ({text}); choose another folder") from error
        raise FileError(f"{path}: cannot be used ({text}); give a folder with space and permission") from error
    except (
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    ) as error:  # no version of ours wrote that
        if isinstance(error, FsrcnnError):
            raise
        raise FormatError(
            f"{path}: is damaged: a value in it cannot be read ({error}); choose another folder"
        ) from error


def _prepare(c: sqlite3.Connection, path: Path) -> None:
    """An empty file becomes a store; anything else has to be one."""
    if _any_table(c):
        _check(c, path)
        return
    for statement in _TABLES:
        c.execute(statement)
    c.execute(f"PRAGMA application_id = {APPLICATION}")
    c.execute(f"PRAGMA user_version = {SCHEMA}")


def _any_table(c: sqlite3.Connection) -> bool:
    return bool(c.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _check(c: sqlite3.Connection, path: Path) -> None:
    application, schema = (c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if application != APPLICATION:
        raise FormatError(f"{path}: is a database, but no study's store; choose another folder")
    if schema != SCHEMA:
        raise FormatError(
            f"{path}: a store of layout {schema}; this version reads {SCHEMA}; use the fsrcnn-np that made it, "
            "or choose another folder"
        )


def _agree(c: sqlite3.Connection, path: Path, about: About, key: Mapping[str, Any]) -> None:
    """A new store learns what it is made with; another must have been made with the same."""
    stored = dict(c.execute("SELECT name, value FROM about"))
    for name, value in key.items():
        now = json.dumps(value, ensure_ascii=False, sort_keys=True)
        was = stored.get(f"key {name}")
        if was is None and not stored:
            c.execute("INSERT INTO about VALUES (?, ?)", (f"key {name}", now))
        elif was != now:
            made, asked = ("none" if text == "null" else text or "unknown" for text in (was, now))
            raise OptionError(
                f"{path}: was made with {name} {made}, and {asked} is asked for now; choose another folder for the "
                "results, or ask for the same"
            )
    c.execute("INSERT OR REPLACE INTO about VALUES ('about', ?)", (json.dumps(asdict(about), ensure_ascii=False),))


def _about(c: sqlite3.Connection) -> tuple[About, str, dict[str, str]]:
    stored = dict(c.execute("SELECT name, value FROM about"))
    known = {field.name for field in fields(About)}
    values = {name: value for name, value in json.loads(stored.get("about", "{}")).items() if name in known}
    return About(**values), stored.get("cohort", ""), stored


def _told(entry: Entry) -> dict[str, Any]:
    """What the cohort says of an image, as columns."""
    groups = json.dumps(dict(entry.groups), ensure_ascii=False, sort_keys=True)
    return {**{column: entry.texts.get(column, "") for column in TEXTS}, "age": entry.age, "groups": groups}


def _put(c: sqlite3.Connection, table: str, key: str, values: Mapping[str, Any]) -> None:
    """Insert a row, or change these columns of the one that is there."""
    names = ", ".join(values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    marks = ", ".join("?" * len(values))
    c.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changes}",
        tuple(values.values()),
    )


def _leave_out(c: sqlite3.Connection, one: LeftOut, name: str | None = None, stamp: str | None = None) -> None:
    values = (writable(one.what), writable(one.why), name, stamp)
    c.execute("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?, ?)", values)


def _duplicates(c: sqlite3.Connection) -> dict[str, str]:
    first: dict[str, str] = {}
    copies = {}
    for name, pixels in c.execute(
        "SELECT name, pixels FROM images WHERE position IS NOT NULL AND key IS NOT NULL ORDER BY position"
    ):
        if first.setdefault(pixels, name) != name:
            copies[name] = first[pixels]
    return copies


def _case(row: sqlite3.Row) -> Case:
    def blocks(image: str) -> Blocks | None:
        shares: Sequence[float | None] = [row[f"{what}_{image}"] for what in ("active", "artifact", "noisy")]
        return None if None in shares else Blocks(*(float(v) for v in shares if v is not None))

    values: dict[str, Any] = {name: row[name] or "" for name in TEXTS}
    for image in IMAGES:
        values |= {f"piqe_{image}": row[f"piqe_{image}"], f"blocks_{image}": blocks(image)}
    for what in ("checkerboard", "psnr", "ssim"):
        values |= {what: row[f"{what}_sr"], f"{what}_bicubic": row[f"{what}_bicubic"]}
    return Case(
        row["name"], **values, age=row["age"], groups=json.loads(row["groups"]),
        scaling=row["scaling"], data_range=(row["low"], row["high"]), seconds=row["seconds"], memory=row["memory"],
        sr=row["sr"] or "", remarks=tuple(json.loads(row["remarks"])),
    )  # fmt: skip
