"""The paired t test, and how large an effect is."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import OptionError


class PairedT(NamedTuple):
    """A paired t test of a - b: t, degrees of freedom, two-sided p, 95 % confidence interval of the mean difference.

    NaN where there is no such number: of one pair, or where all pairs differ by the same amount.
    """

    t: float
    df: float
    p: float
    low: float
    high: float
    difference: float
    sd: float  #: of the differences; 0 where they are the same but for their last bits


def rounding(size: float) -> float:
    """What a spread that is none may come to by the last bits of values of this size: ten, as in R's `t.test`."""
    return float(10 * np.finfo(float).eps * abs(size))


def paired_t(a: ArrayLike, b: ArrayLike) -> PairedT:
    """The paired t test of two samples, two-sided: R's `t.test(a, b, paired = TRUE)`.

    Parameters
    ----------
    a, b : array_like, n values each, finite

    Raises
    ------
    OptionError
        Samples of different lengths, or none.
    """
    from scipy.stats import ttest_1samp

    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise OptionError(f"found samples of shapes {first.shape} and {second.shape}; give pairs, at least one")
    differences = first - second
    n, mean = len(differences), float(differences.mean())
    sd = float(differences.std(ddof=1)) if n > 1 else math.nan
    if not sd > rounding(max(np.abs(first).max(), np.abs(second).max())):  # R: "data are essentially constant"
        return PairedT(math.nan, n - 1, math.nan, math.nan, math.nan, mean, sd * 0)
    test = ttest_1samp(differences, 0)
    low, high = test.confidence_interval()
    return PairedT(float(test.statistic), n - 1, float(test.pvalue), float(low), float(high), mean, sd)


def hedges_g(difference: ArrayLike, sd: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Mean difference in units of the differences' SD (Cohen's d_z), with Hedges' correction for small samples.

    Parameters
    ----------
    difference, sd, n : array_like
        Of the differences: mean, standard deviation, number. They broadcast.

    Returns
    -------
    ndarray of float64
        NaN where the SD is zero or missing, and of two pairs, where the correction leaves nothing.

    References
    ----------
    Hedges, "Distribution theory for Glass's estimator of effect size", J. Educational Statistics 6(2), 1981, with the
    approximation 1 - 3 / (4 df - 1).
    """
    df = np.asarray(n, np.float64) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        g = np.asarray(difference, np.float64) / np.asarray(sd, np.float64) * (1 - 3 / (4 * df - 1))
    return np.where(np.isfinite(g) & (df > 1), g, np.nan)
