"""Text for people: printable, one line, not endless, whatever a name, a file or a library put into it."""

from __future__ import annotations

import re
import unicodedata

#: Characters of a message; a path has at most 4096, a name 255.
LONGEST = 1500
_BREAK = re.compile(r"\s*[\r\n]\s*")


def printable(text: str) -> str:
    """Names as people can read them, each on its line: no terminal codes, no line ends."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def writable(text: str) -> str:
    """Bytes of a file's name that are no UTF-8, spelled out: files of text, tables and stores take no others."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character of UTF-16, as JSON can say it
        return text.encode("utf-8", "backslashreplace").decode()


def is_utf8(text: str) -> bool:
    """Whether UTF-8 can hold a text: bytes that are none, and halves of letters, it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_controls(text: str) -> bool:
    """Whether a text has control characters, or bytes that are no text: no table, page or database holds these."""
    return any(unicodedata.category(c) in ("Cc", "Cs") for c in text)


def message(text: object) -> str:
    """One printable line of at most LONGEST characters; a longer one is without its middle."""
    line = printable(_BREAK.sub(" ", str(text)).strip())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 400]} … {line[-397:]}"


def refused(error: OSError) -> str:
    """What the system does not do, as a message: a name that is too long, say."""
    if error.filename is None or not error.strerror:
        return message(f"the system refuses: {error}")
    return message(f"{message(error.filename)}: the system refuses: {error.strerror}")


def about(name: object, text: object) -> str:
    """A message on something, with its name before it where the message does not have it."""
    said = message(name)
    return str(text) if re.search(rf"(?<!\w){re.escape(said)}(?!\w)", str(text)) else f"{said}: {text}"


def unnamed(name: object, text: object) -> str:
    """A message on something, without its name before it."""
    return str(text).removeprefix(f"{name}: ").removeprefix(f"{message(name)}: ")
