"""sent → committed: the archive says that it keeps what it was sent (PS3.4 J), or is asked whether it is there."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Sequence
from typing import Any

from .ledger import Ledger, Row
from .library import import_pynetdicom
from .lines import say
from .metrics import Metrics
from .sending import Link, wait_seconds
from .settings import Settings
from .store import Store
from .whole import facts_of

_PUSH, _PUSH_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"  # PS3.4 J.3.5
_FIND = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root: PS3.4 C.6.2
_NO_SUCH_OBJECT = 0x0112  # PS3.3 C.14.1.1: the archive does not have it
_PENDING = (0xFF00, 0xFF01)
_MOST_BYTES = 1 << 20  # of an answer
_BEFORE_SENDING_AGAIN = 30.0  # seconds


class Committer:
    """Asks the archive whether it keeps what it was sent."""

    def __init__(self, store: Store, link: Link, settings: Settings, metrics: Metrics) -> None:
        self._store, self._ledger, self._link, self._metrics = store, store.ledger, link, metrics
        self._settings = settings

    def step(self) -> bool:
        """Ask for all that is due; False: nothing is."""
        how = self._settings.commitment.how
        rows = [] if how == "none" else self._ledger.to_ask(time.time())
        if not rows:
            return False
        if how == "commitment" and self._ask(rows):
            return True
        if how == "commitment" and not self._settings.commitment.fall_back:
            self._later(rows, f"{self._link.peer} offers no storage commitment")
            return True
        if how == "qido" or self._settings.commitment.qido_url:
            self._by_qido(rows)
        else:
            self._by_find(rows)
        return True

    def _ask(self, rows: Sequence[Row]) -> bool:
        """N-ACTION (PS3.4 J.3.2); False where the peer does not offer the service."""
        pynetdicom = import_pynetdicom()
        transaction = f"2.25.{uuid.uuid4().int}"
        request = pynetdicom.dsutils.Dataset()
        request.TransactionUID = transaction
        request.ReferencedSOPSequence = [_reference(row) for row in rows]
        until = time.time() + self._settings.commitment.answer_seconds
        on_report = (pynetdicom.evt.EVT_N_EVENT_REPORT, self._on_report)
        association = self._link.open([pynetdicom.build_context(_PUSH)], [on_report])
        if not association.is_established:
            if association.is_rejected or not association.rejected_contexts:
                self._later(rows, f"{self._link.peer} takes no association")
                return True
            return False
        try:
            if not association.accepted_contexts:
                return False
            self._ledger.asked([row.id for row in rows], transaction, until)  # the answer may come at once
            answer, _ = association.send_n_action(request, 1, _PUSH, _PUSH_INSTANCE)
            status = answer.get("Status")
            if status != 0:
                said = "gave no answer" if status is None else f"answered 0x{status:04X}"
                self._later(rows, f"{self._link.peer} {said} to storage commitment")
                return True
            self._linger(association, transaction)
        finally:
            if association.is_established:
                association.release()
        return True

    def _linger(self, association: Any, transaction: str) -> None:
        until = time.monotonic() + self._settings.commitment.linger_seconds
        while association.is_established and time.monotonic() < until:
            if all(self._ledger.row(number).state != "sent" for number in self._ledger.asked_for(transaction).values()):
                return
            time.sleep(0.05)

    def _on_report(self, event: Any) -> tuple[int, None]:
        return take_report(self._ledger, event.event_type, event.event_information, self._metrics), None

    def _by_find(self, rows: Sequence[Row]) -> None:
        """Ask by C-FIND for each: PS3.4 C.4.1."""
        pynetdicom = import_pynetdicom()
        association = self._link.open([pynetdicom.build_context(_FIND)])
        if not association.is_established or not association.accepted_contexts:
            self._later(rows, f"{self._link.peer} offers neither storage commitment nor queries")
            if association.is_established:
                association.release()
            return
        try:
            for row in rows:
                facts = facts_of(self._store.path(row.file))
                wanted = pynetdicom.dsutils.Dataset()
                wanted.QueryRetrieveLevel, wanted.SOPInstanceUID = "IMAGE", row.uid
                wanted.StudyInstanceUID, wanted.SeriesInstanceUID = facts.study, facts.series
                answers = list(association.send_c_find(wanted, _FIND)) if association.is_established else []
                statuses = [status.get("Status") for status, _ in answers]
                if not statuses or statuses[-1] != 0:
                    self._later([row], f"{self._link.peer} gave no answer to a query")
                    continue
                there = any(
                    status.get("Status") in _PENDING and found is not None and found.get("SOPInstanceUID") == row.uid
                    for status, found in answers
                )
                self._found(row, there)
        finally:
            if association.is_established:
                association.release()

    def _by_qido(self, rows: Sequence[Row]) -> None:
        """Ask by QIDO-RS for each: PS3.18 10.6."""
        for row in rows:
            facts = facts_of(self._store.path(row.file))
            url = (
                f"{self._settings.commitment.qido_url.rstrip('/')}/studies/{facts.study}/series/{facts.series}/instances?"
                + urllib.parse.urlencode({"SOPInstanceUID": row.uid})
            )
            asking = urllib.request.Request(url, headers={"Accept": "application/dicom+json"})
            try:
                with urllib.request.urlopen(asking, timeout=self._settings.limits.idle_seconds) as answer:
                    text = answer.read(_MOST_BYTES)
                found = json.loads(text) if text else []
                there = any(row.uid in item["00080018"]["Value"] for item in found)
            except (OSError, ValueError, KeyError, TypeError) as error:
                missing = isinstance(error, urllib.error.HTTPError) and error.code == 404
                if not missing:
                    self._later([row], f"the archive gave no answer to QIDO-RS ({type(error).__name__})")
                    continue
                there = False
            self._found(row, there)

    def _found(self, row: Row, there: bool) -> None:
        if there:
            self._ledger.committed([row.id])
            self._metrics.count("committed")
        elif row.tries < 3:  # an archive may need a moment until it finds what it has taken
            self._later([row], "the archive does not find it yet")
        else:
            self._ledger.send_again(
                row.id, time.time() + _BEFORE_SENDING_AGAIN, "the archive did not find it; sent again"
            )
            say(f"object {row.id}: the archive does not find it; it is sent again")

    def _later(self, rows: Sequence[Row], why: str) -> None:
        for row in rows:
            self._ledger.wait(row.id, time.time() + wait_seconds(row.tries, self._settings.forward), why)


def take_report(ledger: Ledger, event_type: int, report: Any, metrics: Metrics) -> int:
    """What an N-EVENT-REPORT (PS3.4 J.3.3) says goes into the ledger; gives the status to answer with.

    Kept objects are committed; what the archive does not have is sent again; what it refuses is parked.
    """
    if event_type not in (1, 2):
        return 0x0113  # no such event type
    transaction = str(report.get("TransactionUID") or "")
    asked = ledger.asked_for(transaction)
    if not asked:
        return 0x0110  # processing failure: no such transaction
    kept = [str(item.get("ReferencedSOPInstanceUID")) for item in report.get("ReferencedSOPSequence") or ()]
    numbers = [asked[uid] for uid in kept if uid in asked]
    ledger.committed(numbers)
    metrics.count("committed", len(numbers))
    for item in report.get("FailedSOPSequence") or ():
        number = asked.get(str(item.get("ReferencedSOPInstanceUID")))
        if number is None or ledger.row(number).state != "sent":
            continue
        reason = int(item.get("FailureReason") or 0)
        if reason == _NO_SUCH_OBJECT:
            ledger.send_again(number, time.time() + _BEFORE_SENDING_AGAIN, "the archive did not have it; sent again")
        else:
            ledger.park(number, f"the archive does not keep it: reason 0x{reason:04X}")
            say(f"object {number}: parked: the archive does not keep it: reason 0x{reason:04X}")
    return 0


def _reference(row: Row) -> Any:
    item = import_pynetdicom().dsutils.Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = row.sop_class, row.uid
    return item
