"""Pictures too large for memory: read and written some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fsrcnn_np.files.hdf5_plugins import without_plugins

_BAND = 1 << 22  # pixels that are looked at at a time


class Rows:
    """A dataset of an HDF5 file that stays there: an array as far as shape, dtype, rows and extremes go.

    The file is open only while rows are read.
    """

    def __init__(self, path: Path, dataset: Any) -> None:
        self._path, self._name = path, dataset.name
        self.shape: tuple[int, ...] = dataset.shape
        self.ndim, self.size = len(self.shape), int(dataset.size)
        self.dtype: np.dtype[Any] = dataset.dtype.newbyteorder("=")

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        import h5py

        with without_plugins(), h5py.File(self._path, "r") as file:
            return np.asarray(file[self._name][rows], self.dtype)

    def min(self, initial: float) -> float:
        """The least value, or `initial`."""
        return min(self._extremes[0], initial)

    def max(self, initial: float) -> float:
        """The greatest value, or `initial`."""
        return max(self._extremes[1], initial)

    @cached_property
    def _extremes(self) -> tuple[float, float]:
        found = [(band.min(), band.max()) for band in self._bands()]
        return min(low for low, _ in found), max(high for _, high in found)

    def _bands(self) -> Iterator[NDArray[Any]]:
        step = max(1, _BAND // self.shape[1])
        return (self[first : first + step] for first in range(0, self.shape[0], step))


@dataclass(frozen=True)
class Made:
    """Pixels that are made while they are written.

    Parameters
    ----------
    shape, dtype
        Of the whole picture.
    fill : callable
        Called with what takes rows of it, as slices from the first to the last.
    step : int
        A divisor of the numbers of the rows that come at a time, but for the last ones.
    """

    shape: tuple[int, ...]
    dtype: DTypeLike
    fill: Callable[[Any], None]
    step: int
