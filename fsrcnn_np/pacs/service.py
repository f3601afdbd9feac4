"""`fsrcnn-np dicom serve`: a listener and four workers around one store, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piqe_np.console import Troubles

from ..errors import FsrcnnError, OptionError
from ..network.weights import Weights
from .commitment import Committer
from .deriving import Deriver
from .incoming import Incoming, guard
from .keeping import Keeper
from .library import COMPRESSED, UNCOMPRESSED, import_pynetdicom
from .lines import say
from .metrics import Metrics
from .peer import Certificates, Peer, is_loopback
from .receiving import Receiver
from .sending import Link, Outgoing, wait_seconds
from .settings import Settings
from .store import Store
from .web import Credentials, Root, Web, parse_root
from .web_sending import WebLink

_IDLE = 0.2  # seconds between looks for work
_METRICS = 5.0  # seconds between files
_NEGOTIATION = 10.0  # seconds until a connection must have said who it is
_MORE_CONNECTIONS = 64  # than associations, before they say who they are


@dataclass(frozen=True)
class Address:
    """Where the service listens, under which name, and to whom.

    Attributes
    ----------
    title : str
        Own AE title; peers have to call it by this.
    host, port
    calling : tuple of str
        AE titles that may call; empty: every one, on the loopback interface only.
    open : bool
        Another interface than loopback is meant, without TLS.
    certificates : Certificates, optional
        TLS for both directions.
    """

    title: str
    host: str = "127.0.0.1"
    port: int = 11112
    calling: tuple[str, ...] = ()
    open: bool = False
    certificates: Certificates | None = None

    def check(self) -> None:
        """Raise an OptionError if anybody could send here who is not meant to."""
        if is_loopback(self.host):
            return
        if not (self.open or self.certificates):
            raise OptionError(
                f"--bind {self.host} is reachable by others; give --tls-certificate, --tls-key and --tls-authority, "
                "or --open-network to do without"
            )
        if not self.calling:
            raise OptionError(f"--bind {self.host} is reachable by others; name those that may send: --calling AE")


class Service:
    """The running service.

    Parameters
    ----------
    folder : Path
        Of the store.
    address : Address
    peer : Peer or Root
        To which objects are forwarded: by DIMSE, or by DICOMweb.
    settings : Settings
    model : Weights
    metrics : Path, optional
    credentials : Credentials, optional
        For DICOMweb.

    Raises
    ------
    FileError
        The store or the port cannot be had.
    OptionError
        The settings ask for what the archive's kind does not have.
    """

    def __init__(
        self,
        folder: Path,
        address: Address,
        peer: Peer | Root,
        settings: Settings,
        model: Weights,
        metrics: Path | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        address.check()
        if isinstance(peer, Root) and settings.commitment.how == "query":
            raise OptionError('how = "query" in [commitment] is C-FIND, which a web address does not have; give "qido"')
        certificates = address.certificates
        server_tls, client_tls = (certificates.server(), certificates.client()) if certificates else (None, None)
        self._pynetdicom = import_pynetdicom()
        self.store = Store(folder)
        self._settings, self._address = settings, address
        self._metrics = Metrics(metrics)
        self._incoming = Incoming(self.store.incoming, settings.limits)
        self._link: Link | WebLink
        root = parse_root(settings.commitment.qido_url) if settings.commitment.qido_url else peer
        web = Web(root, client_tls, credentials, settings.limits) if isinstance(root, Root) else None
        if isinstance(peer, Root):
            self._link = WebLink(Web(peer, client_tls, credentials, settings.limits))
        else:
            self._link = Link(address.title, peer, client_tls, settings.limits)
        self._receiver = Receiver(self.store, self._incoming, settings, self._metrics)
        self._deriver = Deriver(
            self.store, model, settings.treat.transfer_syntax, self._metrics, settings.limits.free_bytes
        )
        self._committer = Committer(self.store, self._link, web, settings, self._metrics)
        self._stop, self._guard = threading.Event(), threading.Lock()
        self._admitted: set[Any] = set()
        self._troubles = Troubles(say)  # of each worker
        self._server = self._listen(peer, server_tls)
        steps = {"derive": self._deriver.step, "send": self._send, "commit": self._committer.step}
        steps["keep"] = Keeper(self.store, settings.keep).step
        self._workers = [threading.Thread(target=self._work, args=item, name=item[0]) for item in steps.items()]

    @property
    def port(self) -> int:
        """Where it listens; another than was asked for only where that was 0."""
        return int(self._server.server_address[1])

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then let what is under way come to its end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            for worker in self._workers:
                worker.start()
            written = 0.0
            while not self._stop.wait(_IDLE):
                self._incoming.sweep()
                if time.monotonic() - written > _METRICS:
                    written = time.monotonic()
                    self._write_metrics()
        finally:  # whatever ends it, no worker is left
            self._stop.set()
        self._drain()

    def _drain(self) -> None:
        """No new associations; those that are there may end, and every worker's current step."""
        say("stopping: what is under way comes to its end")
        until = time.monotonic() + self._settings.limits.drain_seconds
        self._server.shutdown()
        while any(map(_under_way, self._server.active_associations)) and time.monotonic() < until:
            time.sleep(_IDLE)
        for association in self._server.active_associations:
            if _under_way(association):
                association.abort()
            elif association.dul.socket is not None:
                association.dul.socket.close()
        for worker in self._workers:
            worker.join()
        self._incoming.sweep()
        self._write_metrics()
        self.store.close()
        say("stopped")

    def _listen(self, peer: Peer | Root, tls: ssl.SSLContext | None) -> Any:
        evt, limits = self._pynetdicom.evt, self._settings.limits
        entity = self._pynetdicom.AE(ae_title=self._address.title)
        # Its own limit counts connections that have not said who they are: those keep nobody out here.
        entity.maximum_associations, entity.maximum_pdu_size = 1 << 30, limits.pdu_bytes
        entity.acse_timeout = min(limits.idle_seconds, _NEGOTIATION)
        entity.dimse_timeout = entity.network_timeout = limits.idle_seconds
        entity.require_called_aet = True
        callers = {*self._address.calling, *([peer.title] if isinstance(peer, Peer) else [])}
        entity.require_calling_aet = sorted(callers) if self._address.calling else []
        for context in self._pynetdicom.AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, [*UNCOMPRESSED, *COMPRESSED])
        entity.add_supported_context(self._pynetdicom.sop_class.Verification)
        # The archive reports as the provider of the service, on an association that it opens: PS3.4 J.3.3
        commitment = self._pynetdicom.sop_class.StorageCommitmentPushModel
        entity.add_supported_context(commitment, scu_role=False, scp_role=True)
        handlers = [
            (evt.EVT_CONN_OPEN, self._on_connection),
            (evt.EVT_REQUESTED, self._on_request),
            (evt.EVT_C_STORE, self._receiver.on_store),
            (evt.EVT_N_EVENT_REPORT, self._receiver.on_report),
        ]
        where = (self._address.host, self._address.port)
        try:
            server = entity.start_server(where, block=False, ssl_context=tls, evt_handlers=handlers)
        except OSError as error:
            self.store.close()
            raise OptionError(
                f"{where[0]} port {where[1]}: cannot be listened on ({error.strerror or error}); give another --port"
            ) from error
        server.handle_error = lambda *_: None  # a connection that broke before it began
        server.daemon_threads = True
        return server

    def _on_connection(self, event: Any) -> None:
        most = self._settings.limits.associations + _MORE_CONNECTIONS
        if len(self._server.active_associations) > most:
            event.assoc.dul.socket.close()
        else:
            guard(event.assoc, self._settings.limits)

    def _on_request(self, event: Any) -> None:
        """Reject what is one too many: local limit exceeded, for now (PS3.8 9.3.4)."""
        with self._guard:
            self._admitted = {one for one in self._admitted if one.is_alive() and not one.is_aborted}
            full = len(self._admitted) >= self._settings.limits.associations
            if not full:
                self._admitted.add(event.assoc)
        if full:
            event.assoc.acse.send_reject(0x02, 0x03, 0x02)
            event.assoc.is_rejected = True
            event.assoc.kill()  # waits until the peer has it

    def _work(self, name: str, step: Callable[[], bool]) -> None:
        while not self._stop.is_set():
            try:
                worked = step()
            except (Exception, MemoryError) as error:  # whatever it is, the next step may work
                self._complain(name, error)
                self._stop.wait(self._settings.forward.first_wait_seconds)
                continue
            self._troubles.over(name)
            if not worked:
                self._stop.wait(_IDLE)

    def _complain(self, name: str, error: BaseException) -> None:
        line = f"{name}: {error if isinstance(error, FsrcnnError | OSError) else type(error).__name__}; tried again"
        if isinstance(error, sqlite3.Error):
            line = f"{name}: the ledger cannot be written or read ({error}); make room on the store's disk; tried again"
        self._troubles.lasts(name, line)

    def _send(self) -> bool:
        ledger, now = self.store.ledger, time.time()
        rows = {row.id: row for row in ledger.to_send(now, self._settings.longest_wait)}
        if not rows:
            return False
        objects = [
            Outgoing(row.id, self.store.path(row.file), row.sop_class, row.syntax, uid=row.uid) for row in rows.values()
        ]
        for outcome in self._link.deliver(objects):
            if outcome.kind == "sent":
                ledger.sent(outcome.number)
                self._metrics.count("sent")
                say(f"object {outcome.number}: sent")
            elif outcome.kind == "retry":
                wait = wait_seconds(rows[outcome.number].tries, self._settings.forward)
                ledger.wait(outcome.number, time.time() + wait, outcome.line)
                self._metrics.count("send_retries")
            else:
                ledger.park(outcome.number, outcome.line)
                self._metrics.count("parked")
                say(f"object {outcome.number}: parked: {outcome.line}")
            if self._stop.is_set():
                break
        return True

    def _write_metrics(self) -> None:
        try:
            self._metrics.write(self.store.ledger, len(self._server.active_associations))
        except (OSError, sqlite3.Error) as error:
            self._complain("metrics", error)
        else:
            self._troubles.over("metrics")


def _under_way(association: Any) -> bool:
    """Whether a peer is at work; one that has connected and not yet said who it is (a probe of the port) is not."""
    return bool(association.is_established or association.is_released)
