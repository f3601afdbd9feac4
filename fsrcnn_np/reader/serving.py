"""The process: a socket, Uvicorn, signals."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, OptionError

PATIENCE = 30.0  #: seconds that a request may take to arrive


@dataclass(frozen=True)
class Address:
    """Where the study is served.

    Attributes
    ----------
    host : str
        Of the interface.
    port : int
        0 takes a free one.
    names : tuple of str
        By which browsers may call this machine, beside `host`.
    certificate, key : Path or None
        PEM files; with them it is TLS.
    open_network : bool
        Other machines may connect without TLS.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    open_network: bool = False

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.certificate is not None

    def check(self) -> None:
        """Raise an OptionError for what must not be, a FileError for certificates that are none."""
        if not 0 <= self.port < 65536:
            raise OptionError(f"--port is {self.port}; allowed are 0..65535")
        for name in self.names:
            try:
                _asked_for(name)
            except UnicodeError:
                raise OptionError(f"--name {name!r} is no name of a machine; give one") from None
        if (self.certificate is None) != (self.key is None):
            raise OptionError("--certificate and --key go together; give both or neither")
        if not is_loopback(self.host) and not self.tls and not self.open_network:
            raise OptionError(
                f"--host {self.host} lets other machines connect, and images and tokens would go over the "
                "network in the clear; give --certificate and --key, or --open-network if the network itself is safe"
            )
        if self.certificate and self.key:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError) as error:
                why = error.strerror or error
                raise FileError(
                    f"{self.certificate}, {self.key}: no certificate with its key ({why}); give both as PEM files"
                ) from error

    def known_names(self) -> set[str]:
        """Host names that are ours; numeric addresses need not be named."""
        own = {"localhost", self.host.lower(), *map(_asked_for, self.names)}
        return own if is_loopback(self.host) else {*own, socket.gethostname().lower()}

    def link(self, port: int) -> str:
        """What a browser is given, without a path."""
        host = self.names[0] if self.names else self.host
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _asked_for(name: str) -> str:
    """A machine's name as browsers send it: letters beyond ASCII spelled out (RFC 3490)."""
    return name.encode("idna").decode().lower()


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, out of reach for every other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(address: Address) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    OptionError
        The port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=512)
    except OSError as error:
        why = error.strerror or error
        raise OptionError(
            f"{address.host} port {address.port}: cannot be listened on ({why}); give another --port"
        ) from error


def patient(seconds: float = PATIENCE) -> Any:
    """Uvicorn's HTTP/1.1, which hangs up where a request is not complete so long after its first byte.

    Uvicorn itself waits for ever: headers or a body that trickle would hold a connection each.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._deadline = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def send_400_response(self, msg: str) -> None:
            """To what is no HTTP; an answer that is under way goes nowhere, and what Uvicorn cannot say is not said."""
            if self.cycle is not None:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            try:
                super().send_400_response(msg)
            except h11.LocalProtocolError:
                self.transport.close()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _look(self) -> None:
            state = self.conn.their_state
            if not (state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0])):
                self._forget()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self.transport.close)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Patient


def serve(app: Any, listening: socket.socket, address: Address) -> None:
    """Answer until SIGINT or SIGTERM; requests that have begun are finished first."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """A signal ends the loop, and nothing else: the command then ends as it should."""
            numbers = (signal.SIGINT, signal.SIGTERM)
            before = [signal.signal(number, self.handle_exit) for number in numbers]
            try:
                yield
            finally:
                for number, handler in zip(numbers, before, strict=True):
                    signal.signal(number, handler)

    config = uvicorn.Config(
        app, loop="asyncio", http=patient(), ws="none", lifespan="off", access_log=False, log_config=None,
        log_level="critical", server_header=False, proxy_headers=False, timeout_keep_alive=75, limit_concurrency=2000,
        timeout_graceful_shutdown=3, ssl_certfile=address.certificate, ssl_keyfile=address.key,
    )  # fmt: skip
    Server(config).run(sockets=[listening])
