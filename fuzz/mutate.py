"""Bytes and words, changed by chance; the same random numbers change them alike."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Sequence

#: (random, an input, all seeds) → another input
Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
NUMBERS = (
    0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 257, 1023, 1024, 4095, 32767, 32768,
    65535, 65536, 2**24 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip
WORDS = (
    "", "0", "-0", "-1", "1e999", "-1e999", "nan", "NaN", "inf", "-inf", "1e-320", "0x10", "1_000", "1,5", "１２", "²",
    "9" * 25, "9" * 5000, "9" * 400, "0." + "0" * 400 + "1", "true", "null", "=1+1", "+1", "-x", "@x", "'=1", "\t=1", "\x1b[2J",
    "\x00", "\x07", "\r", "\n", "\u2028", "\ufeff", "\u202e", "é", "𝔸", "\\ud800", "%s", "{0.__class__}", "{left}", "{",
    "../../etc/passwd", "/dev/zero", "x" * 300, "x" * 5000, "<script>alert(1)</script>", '"', "'", "[", "]", "(", "::",
    ":", ",", ";", "--", "-", "#", "\\", "$(id)", "CON", ".",
)  # fmt: skip
_TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z_]+|\d+(?:\.\d+)?|[ \t]+|.', re.S)


def changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """One to twenty changes of bytes; the beginning, where headers are, is changed more often."""
    new = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6, 20))):
        _one_change(rng, new, seeds)
    return bytes(new)


def _one_change(rng: random.Random, new: bytearray, seeds: Sequence[bytes]) -> None:
    length = len(new)
    if not length:
        new += rng.randbytes(rng.randrange(1, 40))
        return
    at = rng.randrange(min(length, rng.choice((16, 64, 256, length, length))))
    match rng.randrange(12):
        case 0 | 1 | 2:
            new[at] ^= 1 << rng.randrange(8)
        case 3 | 4:
            new[at] = rng.choice((0, 1, 127, 128, 254, 255, rng.randrange(256)))
        case 5 | 6:
            size = rng.choice((2, 4, 8))
            number = rng.choice(NUMBERS) % (1 << 8 * size)
            new[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
        case 7:
            del new[at : at + rng.choice((1, 2, 4, 16, 100, length))]
        case 8:
            new[at:at] = rng.randbytes(rng.choice((1, 2, 4, 16)))
        case 9:
            size = rng.choice((1, 4, 16, 64, length))
            to = rng.randrange(length)
            new[to:to] = new[at : at + size]
        case 10:
            other = rng.choice(seeds) if seeds else bytes(new)
            new[at:] = other[at:]
        case _:
            size = rng.choice((1, 4, 16, 64))
            new[at : at + size] = bytes([rng.choice((0, 255, 32, 49))]) * min(size, length - at)


def words_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes], *, words: Sequence[str] = ()) -> bytes:
    """One to six changes of the words of a text; a byte here and there, too."""
    if rng.random() < 0.1:
        return changed(rng, data, seeds)
    tokens = list(_tokens(data))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(tokens)) if tokens else 0
        match rng.randrange(8):
            case 0 | 1 | 2:
                tokens[at : at + 1] = [rng.choice(WORDS)]
            case 3:
                tokens[at:at] = [rng.choice(words or WORDS)]
            case 4:
                del tokens[at : at + rng.choice((1, 1, 3, 20))]
            case 5:
                tokens[at:at] = tokens[at : at + rng.choice((1, 5, 20))]
            case 6:
                tokens[at : at + 1] = tokens[at : at + 1] * rng.choice((2, 10, 2000 if rng.random() < 0.02 else 3))
            case _:
                other = _tokens(rng.choice(seeds)) if seeds else tuple(tokens)
                if tokens and other:
                    tokens[at] = rng.choice(other)
    return "".join(tokens).encode("utf-8", "surrogateescape")


@functools.lru_cache(64)
def _tokens(data: bytes) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(data.decode("utf-8", "surrogateescape")))


class Choices:
    """An input's bytes as choices: what is no file (options, arrays, requests) is made of these."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        """The next byte; 0 at the end."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def number(self, below: int) -> int:
        """A number from 0."""
        value = self.byte() if below <= 256 else self.byte() << 8 | self.byte()
        return value % below

    def of(self, things: Sequence[object]) -> object:
        """One of them."""
        return things[self.number(len(things))]

    def rest(self) -> bytes:
        """What was not taken yet."""
        return self._data[self._at :]
