"""C-STORE to a peer: each object with what became of it. Only status 0x0000 is *sent*."""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from ..files.dicom.texts import as_stored, keep_stored
from .incoming import guard
from .library import IMPLICIT, UNCOMPRESSED, end, import_pynetdicom
from .peer import Peer
from .settings import Forward, Limits

_MOST_CONTEXTS = 128  # their numbers are odd and have eight bits: PS3.8 9.3.2.2
_AHEAD = 32  # PDUs that are read from the disk before the network has taken them


class Outgoing(NamedTuple):
    """An object to be sent."""

    number: int
    path: Path
    sop_class: str
    syntax: str
    bare: bool = False  #: the file has no meta information, and is read whole
    uid: str = ""  #: SOP Instance UID


class Outcome(NamedTuple):
    """What became of it: "sent", "retry" (later, it may work), "park" (it will not). `line` says why."""

    number: int
    kind: str
    line: str = ""


class Link:
    """The way to one peer.

    Parameters
    ----------
    own_title : str
        Our AE title.
    peer : Peer
    tls : SSLContext, optional
    limits : Limits
    """

    def __init__(self, own_title: str, peer: Peer, tls: ssl.SSLContext | None, limits: Limits) -> None:
        self.peer, self._tls, self._limits = peer, tls, limits
        self._entity = import_pynetdicom().AE(ae_title=own_title)
        self._entity.maximum_pdu_size = limits.pdu_bytes
        seconds = limits.idle_seconds
        self._entity.acse_timeout = self._entity.dimse_timeout = self._entity.network_timeout = seconds
        self._entity.connection_timeout = min(seconds, 30)

    def open(self, contexts: list[Any], handlers: Sequence[Any] = ()) -> Any:
        """An association, established or not; the caller releases it."""
        try:
            association = self._entity.associate(
                self.peer.host,
                self.peer.port,
                contexts=contexts,
                ae_title=self.peer.title,
                max_pdu=self._limits.pdu_bytes,
                tls_args=(self._tls, self.peer.host) if self._tls else None,
                evt_handlers=list(handlers),
            )
        except (OSError, UnicodeError) as error:  # of the host's name, which is looked up here
            return _Nobody(getattr(error, "strerror", None) or "no name of a host")
        if association.is_established:
            guard(association, self._limits)
            association.dul.to_provider_queue = _Bounded(association, self._limits.idle_seconds)
        return association

    def deliver(self, objects: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Send objects over one association after the other, in order."""
        rest = list(objects)
        while rest:
            now, contexts = _first_contexts(rest)
            rest = rest[len(now) :]
            association = self.open(contexts)
            try:
                for each in now:
                    yield self._deliver(association, each)
            finally:
                end(association)

    def _deliver(self, association: Any, each: Outgoing) -> Outcome:
        if association.rejected_contexts and not association.accepted_contexts:
            return Outcome(each.number, "park", f"{self.peer} takes nothing of its SOP class and transfer syntax")
        if not association.is_established:
            why = f" ({association.why})" if isinstance(association, _Nobody) else ""
            return Outcome(each.number, "retry", f"{self.peer} takes no association{why}")
        accepted = {
            str(context.transfer_syntax[0])
            for context in association.accepted_contexts
            if context.abstract_syntax == each.sop_class
        }
        native = each.syntax in UNCOMPRESSED and any(syntax in UNCOMPRESSED for syntax in accepted)
        if each.syntax not in accepted and not native:
            return Outcome(each.number, "park", f"{self.peer} does not take its SOP class in its transfer syntax")
        try:
            if each.syntax in accepted and not each.bare:
                answer = association.send_c_store(each.path)
            else:
                dataset = whole_data_set(each)
                with as_stored(dataset):
                    answer = association.send_c_store(dataset)
        except (OSError, RuntimeError) as error:
            return Outcome(each.number, "retry", f"it could not be sent ({type(error).__name__})")
        except Exception as error:  # its text may quote the object
            return Outcome(each.number, "park", f"it cannot be encoded ({type(error).__name__})")
        return outcome_of(each.number, self.peer, answer.get("Status"))


class _Nobody:
    """What there is in place of an association where the peer's name has no address."""

    is_established = is_rejected = False
    accepted_contexts = rejected_contexts = ()
    dul = SimpleNamespace(socket=None)

    def __init__(self, why: str) -> None:
        self.why = why


class _Bounded(queue.Queue):
    """What pynetdicom sends waits here; without a bound, that would be the whole object.

    A peer that takes nothing for so many seconds loses its connection, and the rest is dropped: no answer comes.
    """

    def __init__(self, association: Any, seconds: float) -> None:
        super().__init__(_AHEAD)
        self._association, self._seconds, self._given_up = association, seconds, False

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        until = time.monotonic() + self._seconds
        while not self._given_up:
            try:
                super().put(item, timeout=0.1)
                return
            except queue.Full:
                if time.monotonic() > until or not self._association.dul.is_alive():
                    self._give_up()

    def _give_up(self) -> None:
        self._given_up = True
        connection = self._association.dul.socket
        with contextlib.suppress(OSError, AttributeError):
            connection.socket.shutdown(socket.SHUT_RDWR)


def wait_seconds(tries: int, forward: Forward) -> float:
    """How long to wait after so many tries: doubled each time up to a limit, and by chance between half and 1.5."""
    longest = min(forward.first_wait_seconds * 2 ** min(tries, 30), forward.longest_wait_seconds)
    return longest * (0.5 + random.random())


def outcome_of(number: int, peer: object, status: int | None) -> Outcome:
    """What a status means: PS3.4 B.2.3, PS3.7 C."""
    if status is None:
        return Outcome(number, "retry", f"{peer} gave no answer")
    if status == 0:
        return Outcome(number, "sent")
    kind = "retry" if status & 0xF000 == 0xA000 else "park"
    return Outcome(number, kind, f"{peer} answered 0x{status:04X}")


def _first_contexts(objects: list[Outgoing]) -> tuple[list[Outgoing], list[Any]]:
    """As many objects as one association has contexts for, and the contexts."""
    build = import_pynetdicom().build_context
    wanted: dict[tuple[str, str], None] = {}
    count = 0
    for each in objects:
        more = dict.fromkeys([(each.sop_class, each.syntax)])
        if each.syntax in UNCOMPRESSED:  # every peer takes one of them
            more |= dict.fromkeys((each.sop_class, syntax) for syntax in (UNCOMPRESSED[0], IMPLICIT))
        if len(wanted | more) > _MOST_CONTEXTS:
            break
        wanted |= more
        count += 1
    return objects[:count], [build(sop_class, syntax) for sop_class, syntax in wanted]


def whole_data_set(each: Outgoing) -> Any:
    """The whole data set, to be encoded otherwise; within `as_stored` its texts are what they were."""
    from ..files.dicom.library import import_pydicom

    dataset = import_pydicom().dcmread(each.path, force=True)
    keep_stored(dataset)
    dataset.file_meta.TransferSyntaxUID = each.syntax
    return dataset
