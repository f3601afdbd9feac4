"""Protocol buffers on the wire: (field, value) pairs, nothing copied, nothing beyond the bytes that are there.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ...errors import WeightsError

DAMAGED = "no readable TensorFlow graph, or a damaged one: {}; export it again"


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Each field's number and value: an integer, or the bytes of a string, a message or a fixed-size number.

    Raises
    ------
    WeightsError
        A length reaches beyond the data, or a kind of field is none of protobuf.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind, value = key & 7, 0
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WeightsError(DAMAGED.format(f"field {key >> 3} is of kind {kind}"))
        if size > len(data) - at:
            raise WeightsError(
                DAMAGED.format(f"field {key >> 3} declares {size} bytes where {len(data) - at} are left")
            )
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise WeightsError(DAMAGED.format("it ends within a number"))
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value & (1 << 64) - 1, at
    raise WeightsError(DAMAGED.format("a number of more than ten bytes"))


def signed(value: int | memoryview) -> int:
    """An int32 or int64 field's number."""
    number = integer(value)
    return number - (1 << 64) if number >> 63 else number


def integer(value: int | memoryview) -> int:
    """An integer field's number, unsigned; a WeightsError where it is of another kind."""
    if not isinstance(value, int):
        raise WeightsError(DAMAGED.format("bytes stand where a number is expected"))
    return value


def message(value: int | memoryview) -> memoryview:
    """The bytes of a string or message; a WeightsError where it is an integer."""
    if isinstance(value, int):
        raise WeightsError(DAMAGED.format("a number stands where bytes are expected"))
    return value


def text(value: int | memoryview) -> str:
    """A string field; what is no UTF-8 is replaced."""
    return bytes(message(value)).decode("utf-8", "replace")


def numbers(value: int | memoryview) -> list[int]:
    """A repeated integer field: packed, or one of its values."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(signed(number))
    return found


def float32(value: int | memoryview) -> float:
    """A float field's number; a WeightsError where it has other than 4 bytes."""
    data = message(value)
    if len(data) != 4:
        raise WeightsError(DAMAGED.format(f"a float of {len(data)} bytes"))
    return float(struct.unpack("<f", data)[0])
