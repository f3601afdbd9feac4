"""committed → removed here: what the archive keeps need not be kept twice for ever."""

from __future__ import annotations

import time

from .lines import say
from .settings import Keep
from .store import Store, sync_folder

_BETWEEN = 60.0  # seconds between looks
_DAY = 86400.0


class Keeper:
    """Removes files of committed objects after their days; objects in any other state stay."""

    def __init__(self, store: Store, keep: Keep) -> None:
        self._store, self._keep, self._next = store, keep, 0.0

    def step(self) -> bool:
        """Remove what is due; False: there is nothing now. Doing it twice changes nothing."""
        if not self._keep.days or time.monotonic() < self._next:
            return False
        now = time.time()
        self._store.ledger.count_from(now)
        rows = self._store.ledger.to_remove(now - self._keep.days * _DAY)
        for row in rows:
            path = self._store.path(row.file)
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            self._store.ledger.removed(row.id)  # after the file: what is written down has happened
        if rows:
            say(f"{len(rows)} files removed that the archive has had for {self._keep.days:g} days")
        else:
            self._next = time.monotonic() + _BETWEEN
        return bool(rows)
