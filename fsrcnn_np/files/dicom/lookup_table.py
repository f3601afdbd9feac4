"""Lookup tables as they are stored, of palettes and of VOI: PS3.3 C.7.6.3.1.5, C.11.1.1, C.11.2.1.1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Descriptor(NamedTuple):
    """What a table's descriptor says."""

    entries: int
    first: int  #: the value that the first entry is for
    bits: int  #: of an entry


def described(values: Iterable[Any], *, signed: bool) -> Descriptor:
    """A descriptor's three numbers; of 65536 entries it says 0, and the first value often without its sign.

    Raises
    ------
    TypeError, ValueError
        It has not three whole numbers.
    """
    entries, first, bits = (int(value) for value in values)
    return Descriptor(entries % 0x10000 or 0x10000, first - 0x10000 if signed and first > 0x7FFF else first, bits)


def entries_of(data: bytes, said: Descriptor, *, little: bool) -> NDArray[Any] | None:
    """A table's entries, uint16 in words, or uint8 two in a word; None: it has another length than it says."""
    if len(data) == 2 * said.entries and (said.entries > 1 or said.bits > 8):
        return np.frombuffer(data, "<u2" if little else ">u2").astype(np.uint16)
    if len(data) != said.entries + said.entries % 2:
        return None
    if not little:
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    return np.frombuffer(data, np.uint8)[: said.entries]
