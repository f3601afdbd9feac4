"""Two breasts of a patient are no two patients: means over clusters, and resampling of whole patients."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import OptionError
from .paired import rounding

DRAWS, SEED = 2000, 20220433
_AT_ONCE = 4_000_000  #: drawn patients in memory
_ROUNDS, _STEP = 100, 1e-12


class Clustered(NamedTuple):
    """A mean with its clusters respected; NaN for what one cluster cannot tell."""

    mean: float
    low: float  #: 95 % confidence interval
    high: float
    p: float  #: two-sided, of the mean being 0
    clusters: int
    correlation: float  #: within a cluster, as estimated; 0 where every cluster has one value


def clustered_mean(values: ArrayLike, clusters: ArrayLike) -> Clustered:
    """Mean of correlated values by generalised estimating equations.

    Identity link, exchangeable working correlation, sandwich variance times G / (G - 1), t distribution with G - 1
    degrees of freedom, for G clusters. With one value in every cluster it is the t test exactly.

    Parameters
    ----------
    values : array_like, n
        Finite: the differences of pairs, say.
    clusters : array_like, n
        Whose value it is: the patient.

    Raises
    ------
    OptionError
        Different lengths, or no value.

    References
    ----------
    Liang, Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73(1), 1986.
    """
    from scipy.special import stdtr, stdtrit

    y = np.asarray(values, np.float64)
    if y.ndim != 1 or not y.size or len(np.asarray(clusters)) != len(y):
        raise OptionError("give one cluster for each value, and at least one value")
    number = np.unique(np.asarray(clusters), return_inverse=True)[1].ravel()
    sizes = np.bincount(number).astype(np.float64)
    count, means = len(sizes), np.bincount(number, y) / sizes
    mean, correlation = float(y.mean()), 0.0
    for _ in range(_ROUNDS):
        correlation = _correlation(y - mean, number, sizes)
        weights = sizes / (1 + (sizes - 1) * correlation)
        before, mean = mean, float(weights @ means / weights.sum())
        if abs(mean - before) <= _STEP * (abs(mean) + _STEP):
            break
    if count < 2:
        return Clustered(mean, math.nan, math.nan, math.nan, count, correlation)
    error = float(np.sqrt(np.square(weights * (means - mean)).sum() * count / (count - 1)) / weights.sum())
    if not error > rounding(mean):
        return Clustered(mean, math.nan, math.nan, math.nan, count, correlation)
    half = float(stdtrit(count - 1, 0.975)) * error
    return Clustered(
        mean, mean - half, mean + half, 2 * float(stdtr(count - 1, -abs(mean / error))), count, correlation
    )


def _correlation(residuals: NDArray[np.float64], number: NDArray[np.intp], sizes: NDArray[np.float64]) -> float:
    """Liang and Zeger's moment estimate for one parameter in the mean, kept where weights stay positive."""
    squares = np.bincount(number, residuals**2)
    products = float((np.bincount(number, residuals) ** 2 - squares).sum() / 2)
    pairs = float((sizes * (sizes - 1)).sum() / 2)
    if pairs <= 1 or not squares.any():
        return 0.0
    spread = float(squares.sum() / (len(residuals) - 1))
    least = -1 / (sizes.max() - 1)
    return float(np.clip(products / (pairs - 1) / spread, 0.99 * least, 0.99))


def resampled_sums(per_patient: ArrayLike, *, draws: int = DRAWS, seed: int = SEED) -> NDArray[np.float64]:
    """Sums over patients drawn with replacement: the patient bootstrap.

    Parameters
    ----------
    per_patient : array_like, G×m
        Each patient's share of m sums: the number of her breasts, the sum of their differences, …
    draws, seed : int

    Returns
    -------
    ndarray, draws×m, float64
        Statistics of the resampled cohorts are functions of these; the 2.5th and 97.5th percentiles of one are its
        95 % interval (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).
    """
    sums = np.asarray(per_patient, np.float64)
    patients = len(sums)
    rng = np.random.default_rng(seed)
    out = np.empty((draws, sums.shape[1]))
    step = max(1, _AT_ONCE // max(1, patients))
    for first in range(0, draws, step):
        rows = min(step, draws - first)
        drawn = rng.integers(patients, size=(rows, patients)) + patients * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * patients).reshape(rows, patients)
        out[first : first + rows] = times.astype(np.float64) @ sums
    return out


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """2.5th and 97.5th percentiles of resampled values; NaN where fewer than half of them are finite."""
    finite = values[np.isfinite(values)]
    if 2 * finite.size < values.size or not finite.size:
        return math.nan, math.nan
    low, high = np.quantile(finite, (0.025, 0.975))
    return float(low), float(high)
