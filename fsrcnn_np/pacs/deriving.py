"""received → derived → checked: one object at a time, the answer on the disk before it is in the ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..errors import FileError, FsrcnnError, MissingExtraError
from ..network.weights import Weights
from .ledger import OtherBytes, Row
from .lines import say, without_values
from .metrics import Metrics
from .receiving import row_of
from .store import Store, derived_name, sync_folder
from .whole import facts_of

_MOST_TRIES = 10  # that ended with the process: an object that breaks it does so each time


class Deriver:
    """Makes super-resolved objects of received ones."""

    def __init__(
        self, store: Store, model: Weights, transfer_syntax: str, metrics: Metrics, free_bytes: int = 0
    ) -> None:
        self._store, self._model, self._syntax, self._metrics = store, model, transfer_syntax, metrics
        self._free_bytes = free_bytes

    def step(self) -> bool:
        """Do the next thing; False: there is none."""
        unchecked = self._store.ledger.to_check()
        if unchecked:
            self._check(unchecked[0])
            return True
        row = self._store.ledger.to_derive()
        if row is None:
            return False
        self._derive(row)
        return True

    def _derive(self, row: Row) -> None:
        ledger = self._store.ledger
        if shutil.disk_usage(self._store.folder).free < self._free_bytes:
            raise FileError(f"less than {self._free_bytes} bytes are free on the disk; make room")
        if ledger.count_try(row.id) > _MOST_TRIES:
            self._give_up(row, f"{_MOST_TRIES} tries ended before there was a result")
            return
        file = derived_name(row.file)
        source, target = self._store.path(row.file), self._store.path(file)
        try:
            if not target.exists():  # else the process was killed before this was written down
                self._upscale(source, target)
            sync_folder(target.parent)
            facts = facts_of(target)
            state = {"state": "derived", "source": row.id, "forward": 1, "treat": 0}
            number = ledger.add(row_of(facts, file) | state, derived_of=row.id)
        except OtherBytes:
            self._give_up(row, "what was made of it has the UID of another object that is here")
        except MemoryError:
            self._give_up(row, "not enough memory")
        except MissingExtraError as error:
            self._give_up(row, str(error))
        except OSError:  # the disk is full, or away: nothing that the object can do about
            ledger.discount_try(row.id)
            raise
        except FsrcnnError as error:
            self._give_up(row, without_values(error, source))
        except Exception as error:  # a fault of ours: the object goes its way all the same
            self._give_up(row, f"unexpected {type(error).__name__}: {without_values(error, source)}; please report it")
        else:
            self._metrics.count("derived")
            say(f"object {row.id}: object {number} was made of it")

    def _upscale(self, source: Path, target: Path) -> None:
        from ..pipeline import upscale_file

        upscale_file(source, target, weights=self._model, transfer_syntax=self._syntax)
        target.chmod(0o600)

    def _give_up(self, row: Row, why: str) -> None:
        self._store.ledger.not_derived(row.id, f"nothing was made of it: {why}")
        self._metrics.count("not_derived")
        say(f"object {row.id}: nothing was made of it: {why}")

    def _check(self, row: Row) -> None:
        from ..files.dicom.check import check_files

        assert row.source is not None
        source, derived = self._store.path(self._store.ledger.row(row.source).file), self._store.path(row.file)
        try:
            broken = [breach for breach in check_files(source, derived) if not breach.inherited]
            why = f"breaks {len(broken)} rules, {broken[0].tag}: {broken[0].rule}" if broken else ""
        except Exception as error:  # what cannot be checked is not sent
            why = f"cannot be checked: {without_values(error, source)}"
        if why:
            self._store.ledger.park(row.id, why)
            say(f"object {row.id}: parked: {why}")
        else:
            self._store.ledger.checked(row.id)
