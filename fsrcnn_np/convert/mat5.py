"""MATLAB's MAT-files of version 5 (`save -v6`, `-v7`): checked first, then read by scipy.

scipy allocates what an array's header declares, and decompresses without a limit, so the whole file is walked before:
every size must be covered by bytes that are there. Format: MathWorks, "MAT-File Format", chapter 1, level 5.
"""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import WeightsError
from .layers import MOST_BYTES, first_line

_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}  # of a value of each numeric data type
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_MOST_DEPTH, _MOST_ARRAYS = 40, 200_000

#: A variable that is an object, which scipy does not decode.
OBJECT = "object"


class Element(NamedTuple):
    """A data element: its type and its bytes."""

    kind: int
    data: memoryview


def is_mat5(head: bytes) -> bool:
    """Whether a file that begins with these 128 bytes is a level 5 MAT-file."""
    return len(head) >= 128 and head[124:128] in (b"\x00\x01IM", b"\x01\x00MI")


def check(path: Path) -> dict[str, str]:
    """Walk the file and give its variables: name → "object" or "data".

    Raises
    ------
    WeightsError
        Truncated, or a size that the file does not hold, or one beyond `MOST_BYTES`.
    """
    if path.stat().st_size > MOST_BYTES:
        raise WeightsError(f"{path.stat().st_size} bytes are no FSRCNN; at most {MOST_BYTES} are read")
    data = memoryview(path.read_bytes())
    walk = _Walk("<" if bytes(data[126:128]) == b"IM" else ">")
    return dict(walk.variables(data[128:]))


def read(path: Path) -> dict[str, Any]:
    """The variables of a checked file, as `plain` gives them.

    Raises
    ------
    WeightsError
        scipy cannot read it.
    """
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loadmat(path, mat_dtype=False)
    except Exception as error:  # a parser's errors on a damaged file are of any kind
        raise WeightsError(f"a damaged MAT-file ({first_line(error)}); copy it again, or save it again") from None
    return {name: plain(value) for name, value in found.items() if not name.startswith("__")}


def plain(value: Any) -> Any:
    """scipy's form → text as str, a struct as dict (or an object array of dicts), a cell as an object array."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names is not None:
        dicts = np.empty(value.shape, object)
        for place in np.ndindex(value.shape):
            dicts[place] = {name: plain(value[place][name]) for name in value.dtype.names}
        return dicts.item() if dicts.size == 1 else dicts
    if value.dtype == object:
        cells = np.empty(value.shape, object)
        for place in np.ndindex(value.shape):
            cells[place] = plain(value[place])
        return cells
    if value.dtype.kind == "U":
        return str(value.item()) if value.size == 1 else "".join(map(str, value.ravel()))
    return value


class _Walk:
    """Goes through nested elements, counting what scipy would allocate."""

    def __init__(self, order: str):
        self.order, self.bytes_left, self.arrays_left = order, MOST_BYTES, _MOST_ARRAYS

    def variables(self, data: memoryview) -> Iterator[tuple[str, str]]:
        """(name, "object" or "data") of each variable; the subsystem, where objects keep their data, has no name."""
        for element in self.elements(data, top=True):
            if element.kind == _COMPRESSED:
                (element,) = self.elements(self.decompressed(element.data))
            if element.kind != _MATRIX:
                raise WeightsError(f"MAT-file: a data element of type {element.kind} where a variable is expected")
            name, kind = self.matrix(element.data, 0)
            if name:
                yield name, OBJECT if kind in (_OBJECT, _OPAQUE) else "data"

    def elements(self, data: memoryview, *, top: bool = False) -> Iterator[Element]:
        """Split bytes into data elements."""
        at = 0
        while at < len(data):
            if at + 8 > len(data):
                raise WeightsError("the MAT-file is truncated; copy it again from its source")
            kind, size = struct.unpack_from(self.order + "II", data, at)
            start = at + 8
            if kind >> 16:  # the small format: size and type in one word, up to 4 bytes in the other
                kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if start + size > len(data) or (start == at + 4 and size > 4):
                raise WeightsError(
                    f"the MAT-file is truncated: {size} bytes are declared, {len(data) - start} are there; "
                    "copy it again"
                )
            yield Element(kind, data[start : start + size])
            padded = start + size if top or start == at + 4 else start + -(-size // 8) * 8
            at = at + 8 if start == at + 4 else padded

    def decompressed(self, data: memoryview) -> memoryview:
        inflater = zlib.decompressobj()
        try:
            found = inflater.decompress(data, self.bytes_left)
            more = inflater.unconsumed_tail and inflater.decompress(inflater.unconsumed_tail, 1)
        except zlib.error as error:
            raise WeightsError(f"the MAT-file is damaged ({error}); copy it again from its source") from None
        if more:
            raise WeightsError(f"the MAT-file decompresses to more than {MOST_BYTES} bytes; no FSRCNN is that large")
        if not inflater.eof:
            raise WeightsError("the MAT-file is truncated inside a compressed variable; copy it again from its source")
        self.bytes_left = max(1, self.bytes_left - len(found))
        return memoryview(found)

    def matrix(self, data: memoryview, depth: int) -> tuple[str, int]:
        """Check one array and all inside it; give its name and class."""
        self.arrays_left -= 1
        if depth > _MOST_DEPTH or self.arrays_left < 0:
            raise WeightsError("the MAT-file nests arrays too deeply, or has too many, for a model")
        if not data:  # an empty cell
            return "", 0
        parts = list(self.elements(data))
        if not parts or parts[0].kind != _UINT32 or len(parts[0].data) != 8:
            raise WeightsError("the MAT-file is damaged: an array without its flags; copy it again")
        kind = parts[0].data[0 if self.order == "<" else 3]
        if kind == _OPAQUE:
            self.nested(parts[4:], depth)
            return self.text(parts, 1), kind
        if len(parts) < 3 or parts[1].kind != _INT32 or len(parts[1].data) % 4:
            raise WeightsError("the MAT-file is damaged: an array without dimensions; copy it again")
        dimensions = struct.unpack(f"{self.order}{len(parts[1].data) // 4}i", parts[1].data)
        if min(dimensions, default=0) < 0:
            raise WeightsError(f"the MAT-file is damaged: dimensions {dimensions}; copy it again")
        count = math.prod(dimensions)
        name, rest = self.text(parts, 2), parts[3:]
        if kind in (_STRUCT, _OBJECT):
            rest = rest[1:] if kind == _OBJECT else rest
            length = struct.unpack(self.order + "i", rest[0].data)[0] if rest and len(rest[0].data) == 4 else 0
            fields = len(rest[1].data) // length if length > 0 and len(rest) > 1 else 0
            rest, count = rest[2:], count * fields
        if kind in (_CELL, _STRUCT, _OBJECT) and count != len(rest):
            self.too_large(name, dimensions, len(rest))
        if kind in (_CELL, _STRUCT, _OBJECT, _FUNCTION):
            self.nested(rest, depth)
        elif kind not in (_CHAR, _SPARSE):
            for part in rest:
                if len(part.data) // _BYTES.get(part.kind, 1) != count:
                    self.too_large(name, dimensions, len(part.data) // _BYTES.get(part.kind, 1))
            if kind == 9 and depth == 0 and not name:  # uint8 without a name: the subsystem, itself a MAT stream
                self.subsystem(rest[0].data, depth)
        elif kind == _CHAR and count > sum(len(part.data) for part in rest):
            self.too_large(name, dimensions, sum(len(part.data) for part in rest))
        return name, kind

    def nested(self, parts: list[Element], depth: int) -> None:
        for part in parts:
            if part.kind != _MATRIX:
                raise WeightsError(
                    f"the MAT-file is damaged: type {part.kind} where an array is expected; copy it again"
                )
            self.matrix(part.data, depth + 1)

    def subsystem(self, data: memoryview, depth: int) -> None:
        for part in self.elements(data[8:]):
            self.nested([part], depth)

    def text(self, parts: list[Element], index: int) -> str:
        if len(parts) <= index or parts[index].kind != _INT8:
            raise WeightsError("the MAT-file is damaged: an array without a name; copy it again")
        return bytes(parts[index].data).decode("latin-1")

    def too_large(self, name: str, dimensions: tuple[int, ...], found: int) -> None:
        size = "×".join(map(str, dimensions))
        raise WeightsError(
            f"the MAT-file is damaged: {name or 'an array'} declares {size} and holds {found} values; copy it again"
        )
