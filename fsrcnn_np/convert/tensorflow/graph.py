"""GraphDef: its nodes by name, and the tensors of its constants.

Field numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..conventions import KERAS
from . import wire

MOST_NODES, MOST_VALUES = 10_000, 1 << 24
#: DataType → NumPy's, and the field in which TensorProto lists its values one by one.
_TYPES: dict[int, tuple[str, int]] = {1: ("<f4", 5), 2: ("<f8", 6), 3: ("<i4", 7), 9: ("<i8", 10), 19: ("<f2", 13)}


@dataclass
class Node:
    """One operation."""

    name: str = ""
    op: str = ""
    inputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


def nodes_of(data: memoryview) -> dict[str, Node]:
    """All nodes by name.

    Raises
    ------
    WeightsError
        Damaged, too many nodes, two of one name, a SavedModel, or no graph.
    """
    found: dict[str, Node] = {}
    for number, value in wire.fields(data):
        if number == 1 and isinstance(value, int):
            raise WeightsError(
                f"a SavedModel, whose values lie in the folder variables/ beside it, is not a frozen graph; {KERAS}"
            )
        if number != 1:
            continue
        node = _node(wire.message(value))
        if node.name in found or len(found) >= MOST_NODES:
            why = "two nodes have one name" if node.name in found else f"more than {MOST_NODES} nodes"
            raise WeightsError(f"{why}: no FSRCNN; export it again")
        found[node.name] = node
    if not found:
        raise WeightsError(wire.DAMAGED.format("it has no nodes"))
    return found


def _node(data: memoryview) -> Node:
    node = Node()
    for number, value in wire.fields(data):
        match number:
            case 1:
                node.name = wire.text(value)
            case 2:
                node.op = wire.text(value)
            case 3:
                node.inputs.append(wire.text(value))
            case 5:
                entry = dict(wire.fields(wire.message(value)))
                if 1 in entry and 2 in entry:
                    node.attributes[wire.text(entry[1])] = _attribute(wire.message(entry[2]))
    return node


def _attribute(data: memoryview) -> Any:
    """A string, number, list of numbers, or a tensor (as its bytes: only constants are looked into)."""
    for number, value in wire.fields(data):
        match number:
            case 1:
                return [n for key, part in wire.fields(wire.message(value)) if key == 3 for n in wire.numbers(part)]
            case 2:
                return wire.text(value)
            case 3:
                return wire.signed(value)
            case 4:
                return wire.float32(value)
            case 5 | 6:
                return wire.integer(value)
            case 8:
                return wire.message(value)
    return None


def tensor(name: str, data: memoryview) -> np.ndarray:
    """The values of a TensorProto.

    Raises
    ------
    WeightsError
        A type other than floats and whole numbers, or fewer values than its shape says.
    """
    kind, shape, content = 0, [], None
    listed: dict[int, list[memoryview | int]] = {}
    for number, value in wire.fields(data):
        match number:
            case 1:
                kind = wire.integer(value)
            case 2:
                for part, dimension in wire.fields(wire.message(value)):
                    if part == 2:
                        sizes = [wire.signed(v) for key, v in wire.fields(wire.message(dimension)) if key == 1]
                        shape.append(sizes[0] if sizes else 0)
            case 4:
                content = wire.message(value)
            case _:
                listed.setdefault(number, []).append(value)
    if kind not in _TYPES:
        raise WeightsError(f"{name} is a tensor of type {kind}; floats are expected: export the model unquantised")
    dtype, place = _TYPES[kind]
    count = math.prod(shape)
    if not 0 <= count <= MOST_VALUES or any(size < 0 for size in shape) or len(shape) > 8:
        raise WeightsError(f"{name} has the shape {shape}: no FSRCNN's; give the file of an FSRCNN")
    values = _content(content, dtype) if content is not None else _listed(listed.get(place, []), dtype)
    if values.size == 1 != count and content is None:  # the last value stands for the rest
        values = np.full(count, values[0])
    if values.size != count:
        raise WeightsError(wire.DAMAGED.format(f"{name} has {values.size} values for the shape {shape}"))
    return values.reshape(shape).astype(np.dtype(dtype).newbyteorder("="))


def _content(data: memoryview, dtype: str) -> np.ndarray:
    return np.frombuffer(data[: len(data) // np.dtype(dtype).itemsize * np.dtype(dtype).itemsize], dtype)


def _listed(values: list[memoryview | int], dtype: str) -> np.ndarray:
    """Values one by one: floats packed or alone; whole numbers, and half floats as the bits of one, as varints."""
    if dtype in ("<f4", "<f8"):
        return _content(memoryview(b"".join(wire.message(value) for value in values)), dtype)
    found = [number for value in values for number in wire.numbers(value)]
    if dtype == "<f2":
        return np.array([number & 0xFFFF for number in found], "<u2").view("<f2")
    return np.array(found, np.int64).astype(dtype)
