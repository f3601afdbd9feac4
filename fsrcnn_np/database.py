"""SQLite files on a disk that cannot be written: read as they are, where nothing in them is lost by that."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from .errors import FileError

_NOT_WRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def for_reading(path: Path, **options: Any) -> sqlite3.Connection:
    """A connection to a database that is there.

    One with a write-ahead log needs a file beside it that all who have it open share. Where none can be made, nobody
    writes the database either, and it is read without.

    Parameters
    ----------
    path : Path
    **options
        Of `sqlite3.connect`.

    Raises
    ------
    sqlite3.Error
        It cannot be opened, or is no database.
    FileError
        What was written last is not in it yet, and cannot be taken over.
    """
    connection = sqlite3.connect(path, **options)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NOT_WRITABLE:
            raise
    except BaseException:
        connection.close()
        raise
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        raise FileError(
            f"{path}: what was written last lies in {log.name} and cannot be taken over here, where nothing can be "
            "written; copy the folder to another disk"
        )
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, **options)  # SQLite, "URI Filenames"
