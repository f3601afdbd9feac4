"""HTTP to the DICOMweb root of an archive (PS3.18): one host, bounded answers, nothing followed and nothing unpacked.

The standard library's client: it follows no redirect, knows no proxy and reads nothing from the environment. What it
lacks is a bound on how long a peer may take; a guard cuts the connection.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FsrcnnError, OptionError, unreadable
from .peer import is_loopback
from .settings import Limits

ENVIRONMENT = "FSRCNN_NP_DICOMWEB"  #: what a file of credentials would hold
BLOCK = 1 << 16  # bytes that are read or sent at a time; the guard wants as many within its time
_MOST_BYTES = 1 << 23  # of an answer in JSON
_CREDENTIALS = "give a file with one line, USER:PASSWORD or Bearer TOKEN"
_MOST_CREDENTIALS = 1 << 14
_HOST = re.compile(r"[A-Za-z0-9.\-_:]+")
_PATH = re.compile(r"[!-~]*")
_LATER = {401, 403, 404, 407, 408, 425, 429} | set(range(300, 400))  # about the archive, not about the object


class WebError(FsrcnnError):
    """An archive that cannot be asked, or whose answer is none. The message has no word of what it said.

    Attributes
    ----------
    away : bool
        It would be the same for every other object: the archive cannot be reached, or lets nobody in now.
    """

    def __init__(self, line: str, *, away: bool = False) -> None:
        super().__init__(line)
        self.away = away


@dataclass(frozen=True)
class Root:
    """The address below which an archive offers its services: PS3.18 8.2."""

    secure: bool
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.path}"


def is_web(text: str) -> bool:
    """Whether a peer is given by a web address."""
    return text.lower().startswith(("http://", "https://"))


def parse_root(text: str) -> Root:
    """http(s)://HOST[:PORT]/PATH without a user, a query or a fragment; an OptionError if it is none."""
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise OptionError(f"{text!r} is no address, such as https://archive.example/dicom-web; give one") from error
    if "@" in parts.netloc:  # not quoted: a password may be in it
        raise OptionError("the address of the archive has a user in it; give --credentials FILE instead")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or not _PATH.fullmatch(parts.path):
        raise OptionError(f"{text!r} is no address, such as https://archive.example/dicom-web; give one")
    if parts.query or parts.fragment or port == 0:
        raise OptionError(f"{text!r} is no DICOMweb root: it has no query, no fragment, and a port from 1; give one")
    secure = parts.scheme == "https"
    return Root(secure, host, port or (443 if secure else 80), parts.path.rstrip("/"))


class Credentials:
    """A user with a password or a bearer token (RFC 7617, RFC 6750), from a file or the environment.

    The file is read anew for each connection, so that a token may be renewed while the service runs.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.header()  # what is wrong with it is said at once

    def header(self) -> str:
        """The value of Authorization; empty: there are none."""
        if self._file is None:
            text, where = os.environ.get(ENVIRONMENT, ""), f"the environment's {ENVIRONMENT}"
        else:
            where = str(self._file)
            try:
                with open(self._file, encoding="utf-8") as stream:
                    text = stream.read(_MOST_CREDENTIALS)
            except OSError as error:
                raise unreadable(where, error, _CREDENTIALS) from None
            except UnicodeDecodeError:
                raise OptionError(f"{where}: is no text; {_CREDENTIALS}") from None
        text = text.strip()
        if not text and self._file is None:
            return ""
        kind, _, token = text.partition(" ")
        if kind.lower() == "bearer" and re.fullmatch(r"[A-Za-z0-9\-._~+/]+=*", token.strip()):
            return f"Bearer {token.strip()}"
        if ":" in text and text.isprintable():
            import base64

            return f"Basic {base64.b64encode(text.encode()).decode()}"
        raise OptionError(f"{where} holds neither USER:PASSWORD nor Bearer TOKEN on one line; give one")


class Answer(NamedTuple):
    """What an archive said: a status of HTTP and the body, whole."""

    status: int
    body: bytes


class Web:
    """Requests to one archive, over one connection as long as it lasts. Not for several threads at a time.

    Parameters
    ----------
    root : Root
    tls : SSLContext, optional
        For https; by default the system's authorities are believed.
    credentials : Credentials, optional
    limits : Limits
        `idle_seconds`: without any progress.

    Raises
    ------
    OptionError
        Credentials would go over the network in the clear.
    """

    def __init__(self, root: Root, tls: ssl.SSLContext | None, credentials: Credentials | None, limits: Limits) -> None:
        self.root, self._credentials, self._seconds = root, credentials, limits.idle_seconds
        if credentials and credentials.header() and not root.secure and not is_loopback(root.host):
            raise OptionError(
                f"{root}: credentials go over https alone, or to this machine itself; give an https:// address"
            )
        self._tls = (tls or ssl.create_default_context()) if root.secure else None
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """End the connection; the next request makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def get(self, path: str, accept: str) -> Answer:
        """GET, with an answer of a few megabytes at most."""
        with self.open("GET", path, {"Accept": accept}) as (answer, pieces):
            return Answer(answer.status, _bounded(pieces))

    def post(self, path: str, headers: dict[str, str], body: Iterable[bytes], size: int) -> Answer:
        """POST a body of so many bytes, piece by piece."""
        headers = headers | {"Content-Length": str(size)}
        with self.open("POST", path, headers, body) as (answer, pieces):
            return Answer(answer.status, _bounded(pieces))

    @contextlib.contextmanager
    def open(
        self, method: str, path: str, headers: dict[str, str], body: Iterable[bytes] | None = None
    ) -> Iterator[tuple[http.client.HTTPResponse, Iterator[bytes]]]:
        """An answer's head, and its body in pieces.

        Raises
        ------
        WebError
            There is no connection, no HTTP at its other end, or no progress.
        OSError
            `body` cannot be read.
        """
        connection = self._connected()
        answer = None
        try:
            with _Guard(connection.sock, self._seconds, str(self.root)) as guard:
                own = {"Accept-Encoding": "identity", "User-Agent": "fsrcnn-np"}
                if self._credentials and (header := self._credentials.header()):
                    own["Authorization"] = header
                with guard.translated():
                    # who does not want the rest may have said so already, and closed
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        told = None if body is None else _told(body, guard)
                        connection.request(method, f"{self.root.path}{path}", told, own | headers)
                    guard.alive()
                    answer = connection.getresponse()
                if answer.getheader("Content-Encoding", "identity").lower() != "identity":
                    raise WebError(
                        f"{self.root} gave a packed answer that was not asked for; ask the archive's administrator"
                    )
                yield answer, _pieces(answer, guard)
        except _Unreadable as error:
            raise error.reason from None
        finally:
            if answer is None or not answer.isclosed():
                self.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is not None and self._connection.sock is not None:
            return self._connection
        seconds = min(self._seconds, 30)
        if self._tls:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                self.root.host, self.root.port, timeout=seconds, context=self._tls, blocksize=BLOCK
            )
        else:
            made = http.client.HTTPConnection(self.root.host, self.root.port, timeout=seconds, blocksize=BLOCK)
        try:
            made.connect()
            made.sock.settimeout(self._seconds)
        except OSError as error:
            made.close()
            why = (
                "its certificate is not believed"
                if isinstance(error, ssl.SSLCertVerificationError)
                else "no connection"
            )
            raise WebError(f"{self.root} cannot be reached ({why})", away=True) from None
        self._connection = made
        return made


def means_later(status: int) -> bool:
    """Whether a status of HTTP is about the archive and its access rather than about the object."""
    return status in _LATER or status >= 500


class _Unreadable(Exception):
    """Our own file failed while it was sent: no fault of the archive."""

    def __init__(self, reason: OSError) -> None:
        self.reason = reason


class _Guard:
    """Cuts a connection on which nothing moves on for so many seconds, whatever trickles in."""

    def __init__(self, connection: socket.socket, seconds: float, where: str) -> None:
        self._socket, self._seconds, self._where = connection, seconds, where
        self._until, self._done, self.cut = time.monotonic() + seconds, threading.Event(), False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Guard:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._done.set()
        self._thread.join()

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """What goes wrong with the connection, as a WebError without a word of what came over it."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "it took too long" if self.cut or isinstance(error, TimeoutError) else type(error).__name__
            raise WebError(f"{self._where} gave no answer ({why})", away=True) from None

    def alive(self) -> None:
        """Something has moved on."""
        self._until = time.monotonic() + self._seconds

    def _watch(self) -> None:
        while not self._done.wait(max(0.01, self._until - time.monotonic())):
            if time.monotonic() > self._until:
                self.cut = True
                with contextlib.suppress(OSError):  # not the TLS socket's own: another thread reads it
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                return


def _told(body: Iterable[bytes], guard: _Guard) -> Iterator[bytes]:
    try:
        for piece in body:
            guard.alive()
            yield piece
    except OSError as error:
        raise _Unreadable(error) from error


def _pieces(answer: http.client.HTTPResponse, guard: _Guard) -> Iterator[bytes]:
    """The body; a WebError where it does not come to its end."""
    came = 0
    while True:
        with guard.translated():
            piece = answer.read1(BLOCK)
            if not piece:
                if guard.cut or answer.length:  # read1 says nothing of what is missing
                    raise http.client.IncompleteRead(b"", answer.length)
                answer.close()
                return
        came += len(piece)
        if came >= BLOCK:
            came = 0
            guard.alive()
        yield piece


def _bounded(pieces: Iterator[bytes]) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > _MOST_BYTES:
            raise WebError(
                f"the archive's answer has more than {_MOST_BYTES} bytes; ask for less: --series or --instance"
            )
    return bytes(data)
