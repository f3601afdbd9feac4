"""Who is at the other end, and the certificates of both."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, OptionError

_PEER = re.compile(r"(?P<title>[^@]+)@(?P<host>\[[0-9a-fA-F:]+\]|[^:@\[\]]+):(?P<port>[0-9]{1,5})")
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # PS3.5 6.2, AE: no control characters, no backslash


@dataclass(frozen=True)
class Peer:
    """An application entity on the network: PS3.8 7.1."""

    title: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.title}@{self.host}:{self.port}"


@dataclass(frozen=True)
class Certificates:
    """PEM files for TLS on both sides of this program: its own, and whom it believes (PS3.15 B)."""

    certificate: Path
    key: Path
    authority: Path

    def server(self) -> ssl.SSLContext:
        """For connections that come in; a peer must show a certificate of the authority."""
        context = _LateHandshake(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._load(context)

    def client(self) -> ssl.SSLContext:
        """For connections that go out; the certificate must be the host's."""
        return self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            context.load_verify_locations(self.authority)
        except OSError as error:
            raise FileError(
                f"{self.certificate}, {self.key}, {self.authority}: no usable PEM files: {error}"
                "; give files of certificates and keys in PEM"
            ) from error
        return context


def web_client(certificate: Path | None, key: Path | None, authority: Path | None) -> ssl.SSLContext | None:
    """For https: whom to believe, if not the system's authorities, and our own certificate, if one is asked for.

    Raises
    ------
    OptionError
        A certificate without its key.
    FileError
        No usable PEM files.
    """
    if bool(certificate) != bool(key):
        raise OptionError("--tls-certificate and --tls-key go together; give both or neither")
    if not (certificate or authority):
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        named = ", ".join(str(path) for path in (certificate, key, authority) if path)
        raise FileError(f"{named}: no usable PEM files: {error}; give files of certificates and keys in PEM") from error
    return context


class _LateHandshake(ssl.SSLContext):
    """Shakes hands at the first read, in the connection's own thread: who stalls there keeps no other one waiting."""

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        options["do_handshake_on_connect"] = False
        return super().wrap_socket(sock, *arguments, **options)


def parse_peer(text: str) -> Peer:
    """AE@HOST:PORT, with an IPv6 host in brackets; an OptionError if it is none."""
    found = _PEER.fullmatch(text)
    if not found or not 0 < int(found["port"]) < 65536:
        raise OptionError(f"{text!r} is no AE@HOST:PORT, such as PACS@127.0.0.1:4242; give one")
    return Peer(ae_title(found["title"]), found["host"].strip("[]"), int(found["port"]))


def ae_title(text: str) -> str:
    """An AE title, at most 16 characters (PS3.5 6.2); an OptionError if it is none."""
    title = text.strip()
    if not title or not _TITLE.fullmatch(title):
        raise OptionError(
            f"{text!r} is no AE title: 1 to 16 printable ASCII characters without a backslash are allowed"
        )
    return title


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, out of reach for every other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
