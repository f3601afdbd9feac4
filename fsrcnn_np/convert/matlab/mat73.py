"""MATLAB's MAT-files of version 7.3: HDF5 by MATLAB's conventions.

512 bytes before the HDF5 begin with "MATLAB 7.3 MAT-file"; dimensions are reversed; the attribute MATLAB_class
names the class; a cell is a dataset of references into the group #refs#, a struct is a group, a struct array a
group of datasets of references; text is uint16; an empty array keeps its dimensions as values, MATLAB_empty = 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...files.hdf5_heap import opened
from ...files.hdf5_plugins import foreign_values
from ...files.hdf5_stored import check_stored
from ...files.mat5 import OBJECT
from ..conventions import MOST_BYTES, first_line, shortened

_NUMERIC = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"single", "double", "logical"}
_MOST_DEPTH, _MOST_ARRAYS = 40, 20_000
_MOST_VISITS = 64  #: of one value, by references: MATLAB writes each one once


def is_mat73(head: bytes) -> bool:
    """Whether a file that begins with these 128 bytes says that it is a -v7.3 MAT-file."""
    return head.startswith(b"MATLAB 7.3 MAT-file") or head[124:128] == b"\x00\x02IM"


def read(path: Path) -> dict[str, Any]:
    """The variables: arrays with MATLAB's dimensions, text as str, a struct as dict, a cell as an object array.

    A struct array is an object array of dicts; an object, a function handle or a sparse array is `OBJECT`.

    Raises
    ------
    WeightsError
        Truncated, not by MATLAB's conventions, values kept in another file, or more than `MOST_BYTES` declared.
    """
    with _opened(path) as file:
        _check_sizes(file)
        reader = _Reader(file)
        return {name: reader.value(file[name], name) for name in file if not name.startswith("#")}


def _check_sizes(file: Any) -> None:
    """Hold what the whole file declares against the limit: `mat-io`, too, reads what is declared."""
    import h5py

    total = 0

    def look(name: str, item: Any) -> None:
        nonlocal total
        if not isinstance(item, h5py.Dataset):
            return
        if item.external or item.is_virtual:
            raise WeightsError(
                f"{shortened(name)} keeps its values in another file; save the variables again, in one file"
            )
        if why := foreign_values(item):
            raise WeightsError(f"{shortened(name)} {why}")
        total += item.nbytes
        if total > MOST_BYTES:
            raise WeightsError(
                f"{shortened(name)} declares {item.shape} of {item.dtype}: far more than an FSRCNN holds"
                "; give the file of an FSRCNN"
            )
        check_stored(item)
        if item.attrs.get("MATLAB_empty", 0) and (item.dtype.kind not in "ui" or item.size > 32 or np.all(item[()])):
            raise WeightsError(f"{shortened(name)} is marked as empty, and is not; save the variables again")

    file.visititems(look)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:

    try:
        with opened(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"the -v7.3 MAT-file is damaged or truncated ({first_line(error)}); copy it again") from None


def _class(item: Any) -> str:
    found = item.attrs.get("MATLAB_class", b"")
    return found.decode("latin-1") if isinstance(found, bytes) else str(found)


class _Reader:
    def __init__(self, file: Any):
        self.file, self.arrays_left, self.bytes_left = file, _MOST_ARRAYS, MOST_BYTES
        self.visits: Counter[int] = Counter()

    def value(self, item: Any, name: str, depth: int = 0) -> Any:
        import h5py

        self.arrays_left -= 1
        self.visits[place := h5py.h5o.get_info(item.id).addr] += 1
        if depth > _MOST_DEPTH or self.arrays_left < 0 or self.visits[place] > _MOST_VISITS:
            raise WeightsError(
                f"{shortened(name)}: references lead to too many values, or go round in circles; "
                "save the variables again"
            )
        if not isinstance(item, h5py.Dataset | h5py.Group):
            raise WeightsError(
                f"{shortened(name)} is a {type(item).__name__.lower()}, and no value; save the variables again"
            )
        kind = _class(item)
        if not kind:
            raise WeightsError(
                f"{shortened(name)} has no attribute MATLAB_class: this HDF5 file was not written by MATLAB's save"
                "; give a file that was"
            )
        if {"MATLAB_object_decode", "MATLAB_sparse"} & set(item.attrs):
            return OBJECT
        if isinstance(item, h5py.Group):
            return self.struct(item, name, depth) if kind == "struct" else OBJECT
        self.bytes_left -= item.nbytes
        if self.bytes_left < 0:
            raise WeightsError(
                f"{shortened(name)}: the variables hold more than {MOST_BYTES} bytes: no FSRCNN is that large"
                "; give the file of an FSRCNN"
            )
        if item.attrs.get("MATLAB_empty", 0):
            return self.empty(item, kind)
        if kind == "char":
            return item[()].T.astype(np.uint16).tobytes("F").decode("utf-16-le", "replace")
        if kind == "cell":
            return self.references(item, name, depth)
        return item[()].T if kind in _NUMERIC else OBJECT

    def empty(self, item: Any, kind: str) -> Any:
        shape = tuple(int(n) for n in item[()].ravel())
        if kind == "char":
            return ""
        return np.empty(shape, object if kind in ("cell", "struct") else np.float64)

    def references(self, item: Any, name: str, depth: int) -> np.ndarray:
        """What a dataset of references points to, in MATLAB's dimensions."""
        import h5py

        if h5py.check_ref_dtype(item.dtype) is not h5py.Reference:
            raise WeightsError(
                f"{shortened(name)} is {item.dtype}, where references to values are expected; save it again"
            )
        found = np.empty(item.shape, object)
        for place, reference in np.ndenumerate(item[()]):
            if not reference:
                raise WeightsError(f"{shortened(name)}: a reference leads nowhere; the file is damaged, save it again")
            where = f"{name}{{{', '.join(str(i + 1) for i in place[::-1])}}}"
            found[place] = self.value(self.file[reference], where, depth + 1)
        return found.T

    def struct(self, group: Any, name: str, depth: int) -> Any:
        items = {field: group[field] for field in group}
        if items and all(not _class(item) and hasattr(item, "shape") for item in items.values()):
            columns = {field: self.references(item, f"{name}.{field}", depth) for field, item in items.items()}
            shapes = {column.shape for column in columns.values()}
            if len(shapes) > 1:
                raise WeightsError(
                    f"{shortened(name)} is a struct array whose fields have different sizes; save it again"
                )
            found = np.empty(shapes.pop(), object)
            for place in np.ndindex(found.shape):
                found[place] = {field: column[place] for field, column in columns.items()}
            return found
        return {field: self.value(item, f"{name}.{field}", depth + 1) for field, item in items.items()}
