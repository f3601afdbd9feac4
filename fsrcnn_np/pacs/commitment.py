"""sent → committed: the archive says that it keeps what it was sent (PS3.4 J), or is asked whether it is there."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .ledger import Ledger, Row
from .library import end, import_pynetdicom
from .lines import say
from .metrics import Metrics
from .sending import Link, wait_seconds
from .settings import BEFORE_SENDING_AGAIN, Settings
from .store import Store
from .web import Web, WebError
from .web_asking import Instance, TooLarge, has, retrieve
from .web_sending import WebLink
from .whole import NotWhole, facts_of, pixels_digest

_PUSH, _PUSH_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"  # PS3.4 J.3.5
_FIND = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root: PS3.4 C.6.2
_NO_SUCH_OBJECT = 0x0112  # PS3.3 C.14.1.1: the archive does not have it
_PENDING = (0xFF00, 0xFF01)
_OTHER_PIXELS = "the archive gives back other pixels than it was sent"


class Committer:
    """Asks the archive whether it keeps what it was sent."""

    def __init__(
        self, store: Store, link: Link | WebLink, web: Web | None, settings: Settings, metrics: Metrics
    ) -> None:
        self._store, self._ledger, self._metrics = store, store.ledger, metrics
        self._link = link if isinstance(link, Link) else None
        self._peer, self._web, self._settings = link.peer, web, settings

    def step(self) -> bool:
        """Ask for all that is due; False: nothing is."""
        how = self._settings.commitment.how
        rows = [] if how == "none" else self._ledger.to_ask(time.time(), self._settings.longest_wait)
        if not rows:
            return False
        link = self._link
        if link is not None and how == "commitment":
            if self._ask(link, rows):
                return True
            if not self._settings.commitment.fall_back:
                self._later(rows, f"{link.peer} offers no storage commitment")
                return True
        if self._web is not None and (link is None or how != "query"):
            self._by_qido(self._web, rows)
        elif link is not None:
            self._by_find(link, rows)
        return True

    def _ask(self, link: Link, rows: Sequence[Row]) -> bool:
        """N-ACTION (PS3.4 J.3.2); False where the peer does not offer the service."""
        pynetdicom = import_pynetdicom()
        transaction = f"2.25.{uuid.uuid4().int}"
        request = pynetdicom.dsutils.Dataset()
        request.TransactionUID = transaction
        request.ReferencedSOPSequence = [_reference(row) for row in rows]
        until = time.time() + self._settings.commitment.answer_seconds
        on_report = (pynetdicom.evt.EVT_N_EVENT_REPORT, self._on_report)
        association = link.open([pynetdicom.build_context(_PUSH)], [on_report])
        if not association.is_established:
            end(association)
            if association.is_rejected or not association.rejected_contexts:
                self._later(rows, f"{link.peer} takes no association")
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
                self._later(rows, f"{link.peer} {said} to storage commitment")
                return True
            self._linger(association, transaction)
        finally:
            end(association)
        return True

    def _linger(self, association: Any, transaction: str) -> None:
        until = time.monotonic() + self._settings.commitment.linger_seconds
        while association.is_established and time.monotonic() < until:
            if all(self._ledger.row(number).state != "sent" for number in self._ledger.asked_for(transaction).values()):
                return
            time.sleep(0.05)

    def _on_report(self, event: Any) -> tuple[int, None]:
        return take_report(self._ledger, event.event_type, event.event_information, self._metrics), None

    def _by_find(self, link: Link, rows: Sequence[Row]) -> None:
        """Ask by C-FIND for each: PS3.4 C.4.1."""
        pynetdicom = import_pynetdicom()
        association = link.open([pynetdicom.build_context(_FIND)])
        if not association.is_established or not association.accepted_contexts:
            self._later(rows, f"{link.peer} offers neither storage commitment nor queries")
            end(association)
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
                    self._later([row], f"{link.peer} gave no answer to a query")
                    continue
                there = any(
                    status.get("Status") in _PENDING and found is not None and found.get("SOPInstanceUID") == row.uid
                    for status, found in answers
                )
                self._found(row, there)
        finally:
            end(association)

    def _by_qido(self, web: Web, rows: Sequence[Row]) -> None:
        """Ask by QIDO-RS for each (PS3.18 10.6), and read back what is found: only that shows that it is whole."""
        away = ""
        try:
            for row in rows:
                if away:
                    self._later([row], away)
                    continue
                facts = facts_of(self._store.path(row.file))
                wanted = Instance(facts.study, facts.series, facts.uid)
                try:
                    there = has(web, wanted)
                    other = there and self._settings.commitment.read_back and self._differs(web, wanted, row)
                except WebError as error:
                    away = str(error) if error.away else ""
                    self._later([row], str(error))
                    continue
                if other:
                    self._ledger.park(row.id, _OTHER_PIXELS)
                    say(f"object {row.id}: parked: {_OTHER_PIXELS}")
                else:
                    self._found(row, there)
        finally:
            web.close()

    def _differs(self, web: Web, wanted: Instance, row: Row) -> bool:
        """Whether the archive gives back other pixels than it was sent; what stands beside them, it may correct."""
        back = self._store.incoming / f"{secrets.token_hex(16)}.part"
        own = self._store.path(row.file)
        try:
            with open(back, "xb") as stream:
                back.chmod(0o600)
                retrieve(web, wanted, stream, 2 * row.size + (1 << 20))
            return facts_of(back)[:2] != facts_of(own)[:2] or pixels_digest(back) != pixels_digest(own)
        except (NotWhole, TooLarge):
            return True
        finally:
            Path(back).unlink(missing_ok=True)

    def _found(self, row: Row, there: bool) -> None:
        if there:
            self._ledger.committed([row.id])
            self._metrics.count("committed")
        elif row.tries < 3:  # an archive may need a moment until it finds what it has taken
            self._later([row], "the archive does not find it yet")
        else:
            self._ledger.send_again(
                row.id, time.time() + BEFORE_SENDING_AGAIN, "the archive did not find it; sent again"
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
            ledger.send_again(number, time.time() + BEFORE_SENDING_AGAIN, "the archive did not have it; sent again")
        else:
            ledger.park(number, f"the archive does not keep it: reason 0x{reason:04X}")
            say(f"object {number}: parked: the archive does not keep it: reason 0x{reason:04X}")
    return 0


def _reference(row: Row) -> Any:
    item = import_pynetdicom().dsutils.Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = row.sop_class, row.uid
    return item
