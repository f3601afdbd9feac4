"""Readers and the study's owner: whoever has a token that was printed is who it was printed for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from typing import NamedTuple

from piqe_np.line import has_controls

from ..errors import OptionError
from .log import Log

DAYS = 90
OWNER = "owner"


class Person(NamedTuple):
    """Who asks."""

    name: str
    owner: bool


class Unknown(Exception):
    """Nobody; the message says why."""


def check_names(names: list[str]) -> list[str]:
    """Readers' names, each once; é is one letter in them, also where it was given in two.

    Raises
    ------
    OptionError
        A name twice, or none that can be shown.
    """
    names = [unicodedata.normalize("NFC", name) for name in names]
    seen: set[str] = set()
    for name in names:
        if not 0 < len(name) <= 60 or has_controls(name) or name != name.strip():
            raise OptionError(f"--reader {name!r}: allowed are 1 to 60 printable characters, no blanks around them")
        if name.casefold() == OWNER:
            raise OptionError(f"--reader {name!r}: is the name of the study's owner; choose another")
        if name.casefold() in seen:
            raise OptionError(f"--reader {name!r}: was given twice; each reader needs a name of her own")
        seen.add(name.casefold())
    return names


def new_token(log: Log, name: str, *, owner: bool = False, days: float = DAYS) -> str:
    """A new token of 256 random bits; earlier ones of the same person stay valid. Only its digest is kept."""
    token = secrets.token_urlsafe(32)
    now = time.time()
    with log.writing() as c:
        row = (_digest(token), name, int(owner), now, now + days * 86400)
        c.execute("INSERT INTO tokens (digest, reader, owner, made, expires) VALUES (?, ?, ?, ?, ?)", row)
    return token


def revoke(log: Log, name: str) -> int:
    """Make every token of a person invalid; gives how many were valid."""
    with log.writing() as c:
        found = c.execute(
            "UPDATE tokens SET revoked = ? WHERE reader = ? AND revoked IS NULL", (time.time(), name)
        )  # fmt: skip
        return found.rowcount


def person(log: Log, token: str) -> Person:
    """Whose token this is.

    Raises
    ------
    Unknown
        Nobody's, or no longer.
    """
    if not 20 <= len(token) <= 100 or not token.isascii():
        raise Unknown("this link is not of this study: open the one that was printed")
    digest = _digest(token)
    rows = log.rows("SELECT * FROM tokens WHERE digest = ?", (digest,))
    if not rows or not hmac.compare_digest(rows[0]["digest"], digest):
        raise Unknown("this link is not of this study: open the one that was printed")
    if rows[0]["revoked"] is not None:
        raise Unknown("this link was revoked: ask for a new one")
    if rows[0]["expires"] < time.time():
        raise Unknown("this link has expired: ask for a new one")
    return Person(rows[0]["reader"], bool(rows[0]["owner"]))


def _digest(token: str) -> str:
    """Of 256 random bits a plain hash tells nothing; words would need a slow one."""
    return hashlib.sha256(f"fsrcnn-np reader {token}".encode()).hexdigest()
