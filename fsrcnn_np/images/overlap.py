"""Whether two array-likes keep their numbers in one place, seen through wrappers and HDF5's virtual datasets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.on_demand import is_instance

from .destination import shares_memory

DEEP = 3  # wrappers around wrappers


def overlapping_memory(source: Any, destination: Any, step: int, room: int) -> bool:
    """Whether the memory behind two array-likes overlaps, as far as a look at their rows tells.

    Parameters
    ----------
    source, destination : array-like
        Or sequences of such: each counts.
    step, room : int
        Rows of either that are looked at at a time.
    """
    return any(shares_memory(a, b) for b in _in_memory(destination, room) for a in _in_memory(source, step))


def _in_memory(array: Any, step: int) -> Iterator[NDArray[Any]]:
    """The memory behind an array-like that only wraps it: what gives the same bytes twice, without a copy."""
    if isinstance(array, np.ndarray):
        yield array
    elif isinstance(array, list | tuple):
        for part in array:
            yield from _in_memory(part, step)
    elif isinstance(array, memoryview):
        yield np.asarray(array)
    else:
        with suppress(Exception):  # it cannot be read, or not yet: that is found out elsewhere
            one, again = np.asarray(array[0:1]), np.asarray(array[0:1])
            if shares_memory(one, again):
                for first in range(0, int(array.shape[0]), step):
                    yield np.asarray(array[first : first + step])


def overlapping_stores(source: Any, destination: Any) -> bool:
    """Whether an array or a dataset that one holds, at any depth, overlaps one that the other holds.

    Parameters
    ----------
    source, destination : array-like
        What is read, and what is written meanwhile. That a destination merely knows its source is fine.
    """
    ours = [store for store in _stores(destination, DEEP) if store is not source]
    return any(_same(one, other) for one in _stores(source, DEEP) for other in ours)


def _stores(array: Any, depth: int) -> Iterator[Any]:
    if isinstance(array, np.ndarray) or _is_dataset(array):
        yield array
    elif depth:
        values = list(getattr(array, "__dict__", {}).values())
        for kind in type(array).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            values += [getattr(array, name, None) for name in ((slots,) if isinstance(slots, str) else slots)]
        for value in values:
            if hasattr(value, "shape") and hasattr(value, "dtype"):
                yield from _stores(value, depth - 1)


def _is_dataset(array: Any) -> bool:
    return is_instance(array, "h5py", "Dataset")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return shares_memory(one, other)
    if _is_dataset(one) and _is_dataset(other):
        with suppress(Exception):  # closed meanwhile: reading says so
            return bool(one == other or _maps(one, other) or _maps(other, one))
    return False


def _maps(virtual: Any, dataset: Any) -> bool:
    """Whether a virtual dataset has pixels of another one."""
    if not virtual.is_virtual:
        return False
    folder = os.path.dirname(os.path.abspath(virtual.file.filename))
    for part in virtual.virtual_sources():
        file = virtual.file.filename if part.file_name == "." else os.path.join(folder, part.file_name)
        same = os.path.exists(file) and os.path.samefile(file, dataset.file.filename)
        if same and "/" + part.dset_name.lstrip("/") == dataset.name:
            return True
    return False
