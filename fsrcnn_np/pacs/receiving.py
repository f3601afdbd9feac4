"""What comes in: C-STORE, C-ECHO, and the archive's answers about storage commitment. Each is answered with a status.

0x0000 is answered only when the object is whole, looked at, on the disk under its final name, and in the ledger.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from .commitment import take_report
from .incoming import Incoming, Part
from .ledger import OtherBytes
from .library import import_pynetdicom
from .lines import say
from .metrics import Metrics
from .settings import Settings, Treat
from .store import Store
from .whole import Facts, NotWhole, facts_of

# PS3.4 B.2.3, PS3.7 C
SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
OTHER_CLASS = 0xA900
NOT_UNDERSTOOD = 0xC000
TOO_LARGE = 0xC001
OTHER_BYTES = 0xC002


class Receiver:
    """Answers what peers send."""

    def __init__(self, store: Store, incoming: Incoming, settings: Settings, metrics: Metrics) -> None:
        self._store, self._incoming, self._settings, self._metrics = store, incoming, settings, metrics

    def on_store(self, event: Any) -> Any:
        """EVT_C_STORE: a status, with an Error Comment (PS3.7 C.4) where it is none of success."""
        part = self._incoming.take(event.dataset_path)
        try:
            status, comment = self._kept(part, event.request)
        finally:
            part.discard()  # if it was not renamed
        self._metrics.count("received" if status == SUCCESS else "refused")
        if status == SUCCESS:
            return status
        say(f"an object was refused with 0x{status:04X}: {comment}")
        answer = import_pynetdicom().dsutils.Dataset()
        answer.Status, answer.ErrorComment = status, comment[:64]
        return answer

    def on_report(self, event: Any) -> tuple[int, None]:
        """EVT_N_EVENT_REPORT: see `commitment.take_report`."""
        return take_report(self._store.ledger, event.event_type, event.event_information, self._metrics), None

    def _kept(self, part: Part, request: Any) -> tuple[int, str]:
        if part.large:
            return TOO_LARGE, f"more than {self._settings.limits.object_bytes} bytes"
        if part.full:
            return OUT_OF_RESOURCES, "the disk is full"
        try:
            part.close(sync=True)
            facts = facts_of(Path(part.name))
            if facts.uid != str(request.AffectedSOPInstanceUID) or facts.sop_class != str(request.AffectedSOPClassUID):
                return OTHER_CLASS, "the data set has another SOP class or instance than was announced"
            known = self._store.ledger.known(facts.uid)
            if known is not None:
                return self._again(known.sha256 == facts.sha256)
            file = self._store.keep(Path(part.name), facts.sha256)
            number = self._store.ledger.add(self._row(facts, file))
        except NotWhole as error:
            return NOT_UNDERSTOOD, str(error)
        except OtherBytes:
            return self._again(False)
        except (OSError, sqlite3.Error):
            return OUT_OF_RESOURCES, "it cannot be written to the disk"
        say(f"object {number}: received, {facts.size} bytes")
        return SUCCESS, ""

    def _again(self, same: bool) -> tuple[int, str]:
        return (SUCCESS, "") if same else (OTHER_BYTES, "this SOP Instance UID is here with other bytes")

    def _row(self, facts: Facts, file: str) -> dict[str, Any]:
        treated = is_treated(facts, self._settings.treat)
        forward = self._settings.forward.originals if treated else self._settings.forward.rest
        return row_of(facts, file) | {"state": "received", "forward": int(forward), "treat": int(treated)}


def row_of(facts: Facts, file: str) -> dict[str, Any]:
    """What the ledger keeps of an object's header."""
    return {
        "uid": facts.uid,
        "sop_class": facts.sop_class,
        "syntax": facts.syntax,
        "file": file,
        "size": facts.size,
        "sha256": facts.sha256,
    }


def is_treated(facts: Facts, treat: Treat) -> bool:
    """Whether an object is to be super-resolved. What this program made itself never is."""
    fits = (
        (facts.sop_class, treat.sop_classes),
        (facts.modality, treat.modalities),
        (facts.intent, treat.presentation_intents),
    )
    return not facts.ours and all(not allowed or value in allowed for value, allowed in fits)
