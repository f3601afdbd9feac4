"""Whether an array that the caller gives can take a result."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.masked import is_masked

from ..errors import OptionError


def check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], source: Any, name: str = "out") -> None:
    """Refuse an array that cannot take a result of this shape and dtype (in either byte order).

    Parameters
    ----------
    out : ndarray
        The caller's.
    source : ndarray
        What is read while `out` is written; between its pixels is fine.
    name : str
        For the message.

    Raises
    ------
    OptionError
        With what was found and what is allowed.
    """
    if not isinstance(out, np.ndarray):
        raise OptionError(f"{name} is a {type(out).__name__}; allowed is a NumPy array, {dtype} of shape {shape}")
    check_target(out, shape, dtype, name)
    if shares_memory(out, source):
        raise OptionError(f"{name} overlaps the image in memory; give an array of its own")


def check_target(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], name: str) -> None:
    """As `check_out`, of anything that has a shape; what is no NumPy array need not have a dtype."""
    if not hasattr(out, "shape") or not hasattr(out, "__setitem__"):
        raise OptionError(f"{name} is a {type(out).__name__}; allowed is an array of {dtype} of shape {shape}")
    found = np.dtype(getattr(out, "dtype", dtype))
    if tuple(out.shape) != shape or found.newbyteorder("=") != dtype.newbyteorder("="):
        raise OptionError(f"{name} is {found} of shape {tuple(out.shape)}; the result is {dtype} of shape {shape}")
    if not isinstance(out, np.ndarray):
        return
    if not out.flags.writeable:
        raise OptionError(f"{name} is read-only; give an array that can be written")
    if is_masked(out):
        raise OptionError(f"{name} is a masked array, whose mask would hide the result; give a plain one")
    if _on_itself(out):
        raise OptionError(f"{name} has several pixels in one place (a broadcast array); give an ordinary array")


def _on_itself(array: NDArray[Any]) -> bool:
    """Whether elements lie on one another, as in broadcast arrays and windows that slide; slices never do."""
    extent = array.itemsize
    for stride, size in sorted((abs(stride), size) for stride, size in zip(array.strides, array.shape, strict=True)):
        if size > 1 and stride < extent:
            return True
        extent += stride * (size - 1)
    return False


def shares_memory(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays have a byte in common, in memory or in a mapped file; if too hard to tell, whether they could.

    Two maps of one file lie at different addresses, and are the same bytes all the same.
    """
    files = _in_file(one), _in_file(other)
    if files[0] is not None and files[1] is not None and files[0][0] == files[1][0]:
        one, other = files[0][1], files[1][1]
    try:
        return np.shares_memory(one, other, max_work=1_000_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


class _Placed:
    """An array of that form at that address, whose bytes are never touched."""

    def __init__(self, array: NDArray[Any], address: int):
        self.__array_interface__ = array.__array_interface__ | {"data": (address, True), "strides": array.strides}


def _in_file(array: NDArray[Any]) -> tuple[tuple[int, int], NDArray[Any]] | None:
    """Of a view of a memory map, which file, and an array that lies at its place in it; else None."""
    root: Any = array
    found = root if isinstance(root, np.memmap) else None
    while isinstance(root := root.base, np.ndarray):
        found = root if isinstance(root, np.memmap) else found
    if found is None or found.filename is None or array.dtype.hasobject:
        return None
    try:
        file = os.stat(found.filename)
    except OSError:
        return None
    place = found.offset + array.ctypes.data - found.ctypes.data
    return (file.st_dev, file.st_ino), np.asarray(_Placed(array, (1 << 40) + place))
