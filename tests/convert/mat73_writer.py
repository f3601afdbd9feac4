"""-v7.3 MAT-files by MATLAB's conventions, through h5py: user block, reversed dimensions, references, empties."""

from typing import Any

import h5py
import numpy as np

CLASSES = {"float64": "double", "float32": "single", "bool": "logical"}


class Cell:
    """A cell array: a list of rows."""

    def __init__(self, rows: list[list[Any]]):
        self.rows = rows


class StructArray:
    """A struct array of one row: a list of dicts with the same keys."""

    def __init__(self, items: list[dict[str, Any]]):
        self.items = items


def write_mat73(path, variables: dict[str, Any], *, title: bytes = b"MATLAB 7.3 MAT-file, Platform: GLNXA64") -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        refs = file.create_group("#refs#")
        for name, value in variables.items():
            _put(file, file, name, value, refs)
    with open(path, "r+b") as raw:
        raw.write(title.ljust(116) + bytes(8) + b"\x00\x02IM")


def matlab_shape(array: np.ndarray) -> np.ndarray:
    """At least two dimensions, and no trailing ones beyond."""
    array = np.atleast_2d(array)
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def _put(file, group, name: str, value: Any, refs) -> Any:
    if isinstance(value, dict):
        item = group.create_group(name)
        for field, inner in value.items():
            _put(file, item, field, inner, refs)
        return _class(item, "struct")
    if isinstance(value, StructArray):
        item = group.create_group(name)
        for field in value.items[0]:
            _references(file, item, field, [[entry[field] for entry in value.items]], refs)
        return _class(item, "struct")
    if isinstance(value, Cell):
        return _class(_references(file, group, name, value.rows, refs), "cell")
    if isinstance(value, str):
        codes = np.frombuffer(value.encode("utf-16-le"), np.uint16)[None]
        item = _array(group, name, codes, "char")
        item.attrs["MATLAB_int_decode"] = np.int32(2)
        return item
    array = matlab_shape(np.asarray(value))
    return _array(group, name, array, CLASSES.get(array.dtype.name, array.dtype.name))


def _array(group, name: str, array: np.ndarray, kind: str) -> Any:
    if array.size:
        return _class(group.create_dataset(name, data=array.T), kind)
    item = group.create_dataset(name, data=np.array(array.shape, np.uint64))
    item.attrs["MATLAB_empty"] = np.uint8(1)
    return _class(item, kind)


def _references(file, group, name: str, rows: list[list[Any]], refs) -> Any:
    made = np.empty((len(rows[0]), len(rows)), h5py.ref_dtype)  # reversed
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            refs.attrs["count"] = refs.attrs.get("count", 0) + 1
            made[j, i] = _put(file, refs, f"r{refs.attrs['count']}", value, refs).ref
    return group.create_dataset(name, data=made, dtype=h5py.ref_dtype)


def _class(item, kind: str) -> Any:
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item
