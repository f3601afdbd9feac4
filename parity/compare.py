"""The ways to compare two answers. Each gives how far apart they are, where, and how many elements differ.

bit        elements that are not the same bits (a NaN is the same as any NaN); dtype and shape too
ulp        steps from one representable number to the other
absolute   |ours − theirs| / unit, where the unit is 1 or a bound of its own for each element
flips      decisions that differ
ties       how far from .5 the exact value of integers lies that differ by one, as part of the class's largest
           value; infinite where any differ by more. Zero or nearly so: both neighbours are right
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Difference:
    """How far two answers are apart.

    Attributes
    ----------
    worst : float
        In the comparison's own measure; infinite where the answers cannot be compared.
    where : tuple of int
        Index of the worst element.
    count : int
        Elements that differ at all.
    remark : str
        Why they cannot be compared, if so.
    """

    worst: float
    where: tuple[int, ...] = ()
    count: int = 0
    remark: str = ""


def compare(kind: str, ours: Any, theirs: Any, unit: Any = 1.0) -> Difference:
    """Hold `ours` against `theirs` by one of the kinds; `unit` is the exact value for "ties"."""
    if kind not in MEASURES:
        return Difference(np.inf, remark=f"comparison {kind!r} is unknown; there are {', '.join(MEASURES)}")
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return Difference(np.inf, remark=f"ours is of shape {ours.shape}, the oracle's of {theirs.shape}")
    if kind in ("bit", "flips", "ties") and ours.dtype != theirs.dtype:
        return Difference(np.inf, remark=f"ours is {ours.dtype}, the oracle's is {theirs.dtype}")
    if kind == "flips" and ours.dtype != np.bool_:
        return Difference(np.inf, remark=f"decisions are {ours.dtype}, not bool")
    return MEASURES[kind](ours, theirs, np.asarray(unit, np.float64))


def _bit(ours: np.ndarray, theirs: np.ndarray, _: np.ndarray) -> Difference:
    differs = _bits(ours) != _bits(theirs)
    if ours.dtype.kind == "f":
        differs &= ~(np.isnan(ours) & np.isnan(theirs))
    return _counted(differs)


def _flips(ours: np.ndarray, theirs: np.ndarray, _: np.ndarray) -> Difference:
    return _counted(ours != theirs)


def _ulp(ours: np.ndarray, theirs: np.ndarray, _: np.ndarray) -> Difference:
    if ours.dtype != theirs.dtype or ours.dtype.kind != "f":
        return Difference(np.inf, remark=f"ulp compares floats of one dtype, not {ours.dtype} and {theirs.dtype}")
    a, b = (_ordered(array) for array in (ours, theirs))
    across_zero = np.abs(a.astype(np.float64)) + np.abs(b.astype(np.float64))
    distance = np.where((a < 0) != (b < 0), across_zero, np.abs(a - b))  # the difference itself could overflow
    one_nan = np.isnan(ours) != np.isnan(theirs)
    both_nan = np.isnan(ours) & np.isnan(theirs)
    return _worst(np.where(one_nan, np.inf, np.where(both_nan, 0.0, distance)))


def _absolute(ours: np.ndarray, theirs: np.ndarray, unit: np.ndarray) -> Difference:
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        distance = np.abs(a - b) / unit  # a unit of zero allows nothing: 0/0 is taken up by `same`
    return _worst(np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance)))


def _ties(ours: np.ndarray, theirs: np.ndarray, exact: np.ndarray) -> Difference:
    apart = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))
    from_half = np.abs(np.abs(exact - np.trunc(exact)) - 0.5) / np.iinfo(ours.dtype).max
    distance = np.where(apart > 1, np.inf, np.where(apart == 1, from_half, 0.0))
    found = _worst(distance)
    return Difference(found.worst, found.where, int(np.count_nonzero(apart)))


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def _ordered(array: np.ndarray) -> np.ndarray:
    """Floats as whole numbers that count the representable ones; −0 and +0 are the same."""
    bits = np.ascontiguousarray(array).view(f"i{array.dtype.itemsize}").reshape(array.shape)
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits, bits).astype(np.int64)


def _counted(differs: np.ndarray) -> Difference:
    count = int(np.count_nonzero(differs))
    return Difference(float(count), _index(np.argmax(differs), differs.shape) if count else (), count)


def _worst(distance: np.ndarray) -> Difference:
    if not distance.size:
        return Difference(0.0)
    at = np.argmax(distance)
    worst = float(distance.ravel()[at])
    return Difference(worst, _index(at, distance.shape) if worst else (), int(np.count_nonzero(distance)))


def _index(at: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(at, shape))


MEASURES = {"bit": _bit, "ulp": _ulp, "absolute": _absolute, "flips": _flips, "ties": _ties}
