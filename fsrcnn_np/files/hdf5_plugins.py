"""HDF5 unpacks with plugins, libraries of code that it looks for by the number of a filter: none is loaded for a file.

A file names the number, and the library would run every library in `HDF5_PLUGIN_PATH` (or a folder that was compiled
in) to see whether it is the one: "HDF5 Dynamically Loaded Filters", The HDF Group.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: deflate, shuffle, fletcher32, szip, nbit, scaleoffset: HDF5's own; LZF: h5py's
OWN_FILTERS = (1, 2, 3, 4, 5, 6, 32000)

_lock = threading.Lock()
_paths: list[bytes] = []
_within: dict[object, int] = {}  #: for each file that is open a mark, and the thread that opened it


@contextmanager
def without_plugins() -> Iterator[None]:
    """Within it HDF5 has no folder to look for plugins in, whatever thread asks; after it those that it had."""
    from h5py import h5pl

    mark = object()
    with _lock:
        _within[mark] = threading.get_ident()
        if len(_within) == 1:
            _paths[:] = [h5pl.get(n) for n in range(h5pl.size())]
            for _ in _paths:
                h5pl.remove(0)
    try:
        yield
    finally:
        with _lock:
            if _within.pop(mark, None) is not None:
                _restore_paths()


def _restore_paths() -> None:
    from h5py import h5pl

    if not _within:
        for path in _paths:
            h5pl.append(path)


def _in_child() -> None:
    """After a fork there is no other thread, which would be within or hold the lock."""
    global _lock
    _lock = threading.Lock()
    if _within:
        for mark in [mark for mark, thread in _within.items() if thread != threading.get_ident()]:
            del _within[mark]
        _restore_paths()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def filters_of(dataset: Any) -> list[int]:
    """The numbers of a dataset's filters, in the order in which it is packed."""
    plan = dataset.id.get_create_plist()
    return [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]


def foreign_values(dataset: Any) -> str:
    """Why the values of a dataset are not to be had of its file alone, and what to do; empty: they are."""
    if dataset.external or dataset.is_virtual:
        return "lies in another file; name that file instead"
    plugins = [number for number in filters_of(dataset) if number not in OWN_FILTERS]
    if plugins:
        return (
            f"is packed with filter {plugins[0]}, a plugin, and none is loaded; pack it with gzip: h5repack -f GZIP=4"
        )
    return ""
