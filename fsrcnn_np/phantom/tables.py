"""Exponentials and logarithms without a mathematical library: tables of correctly rounded decimals.

`decimal` rounds ln and exp correctly (General Decimal Arithmetic Specification 1.70), so the tables are the same with
every libm; what is between their entries is found by + and × alone.
"""

from __future__ import annotations

import decimal
import functools

import numpy as np
from numpy.typing import NDArray

STEPS = 64  #: entries of the table of exponentials per unit


def decimal_context() -> decimal.Context:
    """Twenty-five decimal digits, halves to even: the same on every machine."""
    return decimal.Context(prec=25, rounding=decimal.ROUND_HALF_EVEN)


@functools.cache
def exponentials(largest: int = 24) -> NDArray[np.float64]:
    """exp(−k/64) for k = 0 … 64·largest."""
    context = decimal_context()
    return np.array([float(context.exp(decimal.Decimal(-k) / STEPS)) for k in range(STEPS * largest + 1)])


def exp_minus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(−x) for x from 0 to 24, within 1e-9 of it: the table's entry before, and four terms from there."""
    k = np.floor(x * STEPS).astype(np.int64)
    r = x - k / STEPS
    return exponentials()[k] * (1 - r * (1 - r * (0.5 - r * 0.16666666666666666)))


def log_units(value: float, units: int) -> int:
    """ln(value)·units, rounded."""
    product = decimal_context().ln(decimal.Decimal(value)) * units
    return int(product.to_integral_value(decimal.ROUND_HALF_EVEN))


@functools.cache
def logarithms(size: int, units: int) -> NDArray[np.int32]:
    """ln(k)·units, rounded to whole numbers, for k = 0 … size − 1; that of 0 is taken as 0."""
    return np.array([0] + [log_units(k, units) for k in range(1, size)], np.int32)
