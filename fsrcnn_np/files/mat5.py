"""MATLAB's MAT-files of version 5 (`save -v6`, `-v7`), read without believing a size in them.

scipy's reader was tried first: it allocates what an array's header declares, inflates without a limit, and a single
flipped bit can end the process (seen with scipy 1.17). Here every size has to be covered by bytes that are there.
Format: MathWorks, "MAT-File Format", chapter 1, level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from fsrcnn_np.errors import FormatError, FsrcnnError

#: What a variable is whose class holds no plain data: an object, a function handle, a sparse array.
OBJECT = object()

_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
#: Data types: of numbers as NumPy has them, of text as codecs.
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
#: Classes of arrays.
_CELL, _STRUCT, _OLD_OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX, _LOGICAL = 0x08, 0x02
_MOST_DEPTH, _MOST_ARRAYS = 40, 200_000
_AGAIN = "copy it again from its source"


class Element(NamedTuple):
    """A data element: its type and its bytes."""

    kind: int
    data: memoryview


def is_mat5(head: bytes) -> bool:
    """Whether a file that begins with these 128 bytes is a level 5 MAT-file."""
    return len(head) >= 128 and head[124:128] in (b"\x00\x01IM", b"\x01\x00MI")


def read(path: Path, *, most: int, error: type[FsrcnnError] = FormatError) -> Iterator[tuple[str, Any]]:
    """The variables one by one: arrays with MATLAB's dimensions (logical ones as bool), text as str, a struct as dict,
    a cell as an object array.

    A struct array is an object array of dicts. An object is `OBJECT`, but what is inside it is checked like the rest.

    Parameters
    ----------
    path : Path
    most : int
        Bytes that are read, and that all variables may have when inflated.
    error : type
        Of the exception where the file is truncated, damaged or larger.
    """
    if (size := path.stat().st_size) > most:
        raise error(f"the MAT-file has {size} bytes; at most {most} are read")
    data = memoryview(path.read_bytes())
    yield from _Reader("<" if data[126:128] == b"IM" else ">", most, error).variables(data[128:])


class _Reader:
    def __init__(self, order: Literal["<", ">"], most: int, error: type[FsrcnnError]):
        self.order, self.error = order, error
        self.most, self.bytes_left, self.arrays_left = most, most, _MOST_ARRAYS

    def variables(self, data: memoryview) -> Iterator[tuple[str, Any]]:
        """Name and value; the subsystem, where objects keep their properties, has no name."""
        for element in self.elements(data, top=True):
            inner = list(self.elements(self.inflated(element.data))) if element.kind == _COMPRESSED else [element]
            if len(inner) != 1 or inner[0].kind != _MATRIX:
                raise self.damaged(f"an element of type {element.kind} where a variable is expected")
            name, value = self.array(inner[0], 0)
            if name:
                yield name, value
            elif isinstance(value, np.ndarray) and value.dtype == np.uint8:  # a MAT stream of its own
                for part in self.elements(memoryview(value.tobytes("F"))[8:]):
                    self.array(part, 1)

    def elements(self, data: memoryview, *, top: bool = False) -> Iterator[Element]:
        """Split bytes into data elements."""
        at = 0
        while at < len(data):
            if at + 8 > len(data):
                raise self.error(f"the MAT-file is truncated; {_AGAIN}")
            kind, size = struct.unpack_from(self.order + "II", data, at)
            start = at + 8
            small = kind >> 16  # the small format: size and type in one word, up to 4 bytes in the other
            if small:
                kind, size, start = kind & 0xFFFF, small, at + 4
            if start + size > len(data) or (small and size > 4):
                raise self.error(
                    f"the MAT-file is truncated: {size} bytes are declared, {len(data) - start} are there; {_AGAIN}"
                )
            yield Element(kind, data[start : start + size])
            at = at + 8 if small else start + (size if top else -(-size // 8) * 8)

    def inflated(self, data: memoryview) -> memoryview:
        inflater = zlib.decompressobj()
        try:
            found = inflater.decompress(data, self.bytes_left)
            more = inflater.unconsumed_tail and inflater.decompress(inflater.unconsumed_tail, 1)
        except zlib.error as error:
            raise self.damaged(str(error)) from None
        if more:
            raise self.error(f"the MAT-file decompresses to more than {self.most} bytes, which are not read")
        if not inflater.eof:
            raise self.error(f"the MAT-file is truncated inside a compressed variable; {_AGAIN}")
        self.bytes_left = max(1, self.bytes_left - len(found))
        return memoryview(found)

    def array(self, element: Element, depth: int) -> tuple[str, Any]:
        """Name and value of an array."""
        self.arrays_left -= 1
        if depth > _MOST_DEPTH or self.arrays_left < 0:
            raise self.error("the MAT-file nests arrays too deeply, or has too many")
        if element.kind != _MATRIX:
            raise self.damaged(f"an element of type {element.kind} where an array is expected")
        if not element.data:
            return "", np.empty((0, 0))
        parts = list(self.elements(element.data))
        if parts[0].kind != _UINT32 or len(parts[0].data) != 8:
            raise self.damaged("an array without its flags")
        flags = parts[0].data if self.order == "<" else parts[0].data[3::-1]
        kind = flags[0]
        if kind == _OPAQUE:
            for part in parts[4:]:  # after name, type system and class
                self.array(part, depth + 1)
            return self.text(parts, 1), OBJECT
        if len(parts) < 3 or parts[1].kind != _INT32 or len(parts[1].data) % 4:
            raise self.damaged("an array without dimensions")
        shape = tuple(self.numbers(parts[1]).tolist())
        if len(shape) < 2 or len(shape) > 32 or min(shape) < 0:
            raise self.damaged(f"dimensions {shape[:8]}")
        name, rest = self.text(parts, 2), parts[3:]
        if kind in _CLASSES:
            numbers = self.numeric(rest, shape, np.dtype(_CLASSES[kind]), bool(flags[1] & _COMPLEX))
            return name, numbers != 0 if flags[1] & _LOGICAL else numbers
        if kind == _CHAR:
            return name, self.chars(rest, shape)
        if kind == _CELL:
            return name, self.cells(rest, shape, depth)
        if kind == _STRUCT:
            return name, self.structs(rest, shape, depth)
        if kind == _OLD_OBJECT:
            self.structs(rest[1:], shape, depth)
        elif kind == _FUNCTION:
            for part in rest:
                self.array(part, depth + 1)
        elif kind != _SPARSE:
            raise self.damaged(f"an array of class {kind}")
        return name, OBJECT

    def numeric(self, parts: list[Element], shape: tuple[int, ...], dtype: np.dtype, pair: bool) -> np.ndarray:
        if len(parts) != 1 + pair:
            raise self.damaged(f"{len(parts)} parts in an array of numbers")
        found = [self.numbers(part) for part in parts]
        for values in found:
            self.check_count(shape, len(values))
        real = found[0].astype(dtype)
        return (real + 1j * found[1] if pair else real).reshape(shape, order="F")

    def chars(self, parts: list[Element], shape: tuple[int, ...]) -> str:
        if len(parts) != 1 or parts[0].kind not in _TEXT:
            raise self.damaged("text of an unknown encoding")
        codec = _TEXT[parts[0].kind]
        if codec == "utf-16":
            codec += "-le" if self.order == "<" else "-be"
        found = bytes(parts[0].data).decode(codec, "replace")
        self.check_count(shape, len(found), fewer=True)
        return found

    def cells(self, parts: list[Element], shape: tuple[int, ...], depth: int) -> np.ndarray:
        self.check_count(shape, len(parts))
        found = np.empty(len(parts), object)
        for i, part in enumerate(parts):
            found[i] = self.array(part, depth + 1)[1]
        return found.reshape(shape, order="F")

    def structs(self, parts: list[Element], shape: tuple[int, ...], depth: int) -> Any:
        if len(parts) < 2 or parts[0].kind != _INT32 or len(parts[0].data) != 4:
            raise self.damaged("a struct without names of its fields")
        (length,) = self.numbers(parts[0]).tolist()
        names = bytes(parts[1].data)
        if length < 1 or len(names) % length:
            raise self.damaged(f"names of fields of {length} bytes")
        fields = [names[i : i + length].split(b"\0")[0].decode("latin-1") for i in range(0, len(names), length)]
        count = math.prod(shape)
        self.check_count((*shape, len(fields)), len(parts) - 2)
        values = [self.array(part, depth + 1)[1] for part in parts[2:]]
        if not fields:  # as many as are declared, of nothing
            return {} if count == 1 else np.empty((0, 0), object)
        found = np.empty(count, object)
        for i in range(count):
            found[i] = dict(zip(fields, values[i * len(fields) : (i + 1) * len(fields)], strict=True))
        return found[0] if count == 1 else found.reshape(shape, order="F")

    def numbers(self, part: Element) -> np.ndarray:
        dtype = np.dtype(_NUMBERS.get(part.kind, "V1")).newbyteorder(self.order)
        if dtype.kind == "V" or len(part.data) % dtype.itemsize:
            raise self.damaged(f"{len(part.data)} bytes of type {part.kind} where numbers are expected")
        return np.frombuffer(part.data, dtype)

    def text(self, parts: list[Element], index: int) -> str:
        if len(parts) <= index or parts[index].kind != _INT8:
            raise self.damaged("an array without a name")
        return bytes(parts[index].data).decode("latin-1")

    def check_count(self, shape: tuple[int, ...], found: int, *, fewer: bool = False) -> None:
        if math.prod(shape) != found and not (fewer and found > math.prod(shape)):
            raise self.damaged(f"an array declares {'×'.join(map(str, shape))} and holds {found} values")

    def damaged(self, what: str) -> FsrcnnError:
        return self.error(f"the MAT-file is damaged: {what}; {_AGAIN}")
