"""The folder of the service: objects in files that are named by a hash, the ledger, and a lock.

DIR/ledger.sqlite   what is known of each object, and how far it has come
DIR/objects/ab/…    whole objects; …-derived.dcm was made of the object of the same name
DIR/incoming/       objects that are still arriving
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from ..errors import FileError
from .ledger import Ledger


class Store:
    """Files and ledger of one folder, held by one process at a time.

    Raises
    ------
    FileError
        The folder cannot be written, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        try:
            for made in (folder, folder / "objects", self.incoming):
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.ExitStack() as undo:
                self._lock = sqlite3.connect(folder / "lock.sqlite", timeout=0, check_same_thread=False)
                undo.callback(self._lock.close)
                self._lock.execute("BEGIN EXCLUSIVE")  # until the process ends, however it ends
                self.ledger = Ledger(folder / "ledger.sqlite")
                undo.pop_all()
        except sqlite3.DatabaseError as error:
            reason = "another process has it" if "locked" in str(error) else str(error)
            raise FileError(f"{folder}: cannot be used as a store: {reason}; give another --store") from error
        except OSError as error:
            raise FileError(
                f"{folder}: cannot be used as a store ({error.strerror or error}); give another --store"
            ) from error
        self._set_aside_unknown()

    def close(self) -> None:
        """Let go of the folder."""
        self.ledger.close()
        self._lock.close()

    def path(self, file: str) -> Path:
        """Where a file of the ledger is."""
        return self.folder / "objects" / file

    def keep(self, part: Path, sha256: str) -> str:
        """Rename a file that is on the disk into the store, durably; gives its name for the ledger."""
        file = f"{sha256[:2]}/{sha256}.dcm"
        target = self.path(file)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(target.parent.parent)
        os.replace(part, target)
        sync_folder(target.parent)
        return file

    def _set_aside_unknown(self) -> None:
        """Files that no row names: the process was killed before their senders were told that they had arrived.

        They are moved to DIR/unknown, not removed: it may be the ledger that is lost.
        """
        known = self.ledger.files()
        known |= {derived_name(file) for file in known}
        for path in (self.folder / "objects").glob("*/*"):
            if path.suffix == ".part":  # half a derived object
                path.unlink()
            elif path.relative_to(self.folder / "objects").as_posix() not in known:
                (self.folder / "unknown").mkdir(mode=0o700, exist_ok=True)
                os.replace(path, self.folder / "unknown" / path.name)


def derived_name(file: str) -> str:
    """The file of what is made of an object."""
    return file.removesuffix(".dcm") + "-derived.dcm"


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last; where a folder cannot be opened (Windows), the system sees to it."""
    with contextlib.suppress(PermissionError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
