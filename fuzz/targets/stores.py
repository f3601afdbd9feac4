"""SQLite files that commands leave and read again: a study's store, a reader study's log, a service's ledger."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fsrcnn_np.pacs.cli import run_queue
from fsrcnn_np.pacs.store import Store as Objects
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.log import Log
from fsrcnn_np.reader.publish import log_csv
from fsrcnn_np.study.cohort import Cohort, Entry
from fsrcnn_np.study.records import About, Rating
from fsrcnn_np.study.store import NAME, Store, add_ratings, read_study

from ..mutate import NUMBERS, WORDS, changed
from ..target import Target

_EVENT = {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "kind": "rating", "case": 1, "criterion": "Artifacts",
          "value": 3, "seconds": 1.5, "at": 1790000000000}  # fmt: skip


def _closed(path: Path) -> bytes:
    """A file without a log beside it, small."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("VACUUM")
    connection.close()
    return path.read_bytes()


def _study() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder, About(), {"model": "x2"})
        entry = Entry("a.png", "a.png", "row 2", {"patient": "p"}, 50.0, {"site": "x"})
        store.begin(Cohort("c.csv", (entry,), ()))
        record = {"key": "k", "pixels": "d", "rows": 3, "columns": 4, "low": 0, "high": 255, "scaling": "x",
                  "piqe_original": 3.0, "piqe_bicubic": 4.0, "piqe_sr": 5.0, "remarks": "[]"}  # fmt: skip
        store.put(entry, {"record": record, "seconds": 1.0, "memory": 5, "identity": {}}, stamp="s")
        store.close()
        add_ratings(folder, [Rating("A", "a.png", "Artifacts", 3, "", 1, "p")])
        yield _closed(Path(folder, NAME))


def _log() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder, "log.sqlite"), read_criteria())
        log.arrange("Ann", ["a", "b"], seed=0, repeats=0)
        log.keep("Ann", [_EVENT])
        log.close()
        yield _closed(Path(folder, "log.sqlite"))


def _ledger() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        store = Objects(Path(folder, "store"))
        store.ledger.add({"uid": "1.2", "sop_class": "1.3", "syntax": "1.4", "file": "ab/cd.dcm", "size": 3,
                          "sha256": "ab", "state": "received", "forward": 1, "treat": 1})  # fmt: skip
        store.close()
        yield _closed(Path(folder, "store", "ledger.sqlite"))


def _values_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Values of rows through SQLite itself, or bytes of the file."""
    if rng.random() < 0.4:
        return changed(rng, data, seeds)
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for _ in range(rng.choice((1, 2, 4))):
        table = rng.choice(tables) if tables else "sqlite_master"
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] or ["name"]
        value = rng.choice(
            (None, rng.choice(NUMBERS) % 2**63, rng.choice(WORDS), b"\xff", 1e308, "{", "[1]", '{"a": {}}')
        )
        try:
            if rng.random() < 0.1:
                connection.execute(
                    rng.choice((f"DROP TABLE {table}", f"DELETE FROM {table}", "PRAGMA user_version = 9"))
                )
            else:
                connection.execute(f"UPDATE {table} SET {rng.choice(columns)} = ?", (value,))
        except (sqlite3.Error, UnicodeEncodeError):
            pass
    connection.commit()
    new = connection.serialize()
    connection.close()
    return new


def _in(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def run(data: bytes, place: Path) -> object:
        for beside in place.iterdir():
            if beside.is_file():
                beside.unlink()
        path = place / name
        path.write_bytes(data)
        return read(path)

    return run


def _whole_log(path: Path) -> None:
    log = Log(path, read_criteria())
    try:
        for reader in log.readers():
            for slot in log.slots(reader):
                log.answers(reader, slot.number)
            log.progress(reader)
        log.keep("Ann", [_EVENT, json.loads(json.dumps(_EVENT | {"id": "1f8fad5b-d9cb-469f-a165-70867728950e"}))])
        log_csv(log)
    finally:
        log.close()


def _queue(path: Path) -> None:
    for as_json in (False, True):
        with contextlib.redirect_stdout(io.StringIO()):
            run_queue(argparse.Namespace(store=path.parent, retry=True, json=as_json))


TARGETS = {
    "study-store": Target(
        "study-store", _study, _in(NAME, lambda path: repr(read_study(path.parent))), _values_changed
    ),
    "reader-log": Target("reader-log", _log, _in("log.sqlite", _whole_log), _values_changed),
    "ledger": Target("ledger", _ledger, _in("ledger.sqlite", _queue), _values_changed),
}
