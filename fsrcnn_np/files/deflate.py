"""Deflate (RFC 1951) of a part of a stream, ended at a flush point: parts made apart are one stream when joined.

By Intel's ISA-L (package isal), five times as fast as zlib and as small; where it is missing by Python's own zlib.
"""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Any

_fast: ModuleType
try:
    from isal import isal_zlib as _fast

    _LEVELS = {1: 1, 2: 1}
except ImportError:  # there is no build of it for this processor
    _fast = zlib
    # Of 16 bits the lower byte is noise, which no level compresses; 8 bits gain a tenth by lazy matching.
    _LEVELS = {1: 4, 2: 1}

#: Of a stream's first bytes ISA-L 2.32.1 (.write_first_byte in its assembly for x86) hashes a register that was never
#: set: it holds the compressor's address, which so decides one match in one stream of hundreds. These bytes,
#: flushed by themselves, go through other code of it, and the rest continues a begun stream. It costs 11 bytes.
_FIRST = 16

#: A part that shrinks so much is nearly flat: there the fast codecs leave a multiple of what zlib does, which is quick.
_FLAT, _THOROUGH = 32, 6

adler32, crc32 = _fast.adler32, _fast.crc32


def flushed(data: memoryview, sample: int) -> bytes:
    """Compressed without header, ended on a whole byte and not as the last block.

    Parameters
    ----------
    data : memoryview of bytes
    sample : int
        Bytes of a sample: 1 or 2.
    """
    found = _by(_fast, _LEVELS[sample], data)
    if len(found) * _FLAT > len(data):
        return found
    return min(found, _by(zlib, _THOROUGH, data), key=len)


def _by(codec: Any, level: int, data: memoryview) -> bytes:
    deflate = codec.compressobj(level, zlib.DEFLATED, -15, 9)
    parts = (data,) if codec is zlib else filter(len, (data[:_FIRST], data[_FIRST:]))
    return b"".join(deflate.compress(part) + deflate.flush(zlib.Z_SYNC_FLUSH) for part in parts)
