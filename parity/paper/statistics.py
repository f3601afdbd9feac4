"""The paper's statistics, by SciPy: section 2.5, with the conventions that its printed p values settle.

`wilcox.test(x, mu = 3, exact = FALSE, correct = TRUE)` of R: zeros dropped, normal approximation, variance corrected
for ties, continuity correction. R is held against these functions by the suite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class PairedT(NamedTuple):
    """A paired t test: t, degrees of freedom, two-sided p, 95 % confidence interval of the mean difference."""

    t: float
    df: float
    p: float
    low: float
    high: float


def ratings(counts: Sequence[int]) -> np.ndarray:
    """Ratings 1, 2, … as often as counted."""
    return np.repeat(np.arange(1, len(counts) + 1), counts)


def wilcoxon_against_3(sample: Sequence[float] | np.ndarray) -> float:
    """Two-sided p of the signed-rank test against 3; NaN, as in R, where every value is 3."""
    from scipy.stats import wilcoxon

    differences = np.asarray(sample, float) - 3
    if not differences.any():
        return math.nan
    return float(wilcoxon(differences, zero_method="wilcox", correction=True, method="asymptotic").pvalue)


def paired_t(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> PairedT:
    """The paired t test of two samples, as R's `t.test(a, b, paired = TRUE)`."""
    from scipy.stats import ttest_rel

    found = ttest_rel(a, b)
    interval = found.confidence_interval(0.95)
    return PairedT(
        float(found.statistic), float(found.df), float(found.pvalue), float(interval.low), float(interval.high)
    )


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's adjusted p values: the chance of any false finding among all tests is bounded."""
    values = np.asarray(p, float)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def benjamini_hochberg(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's adjusted p values: the share of false findings is bounded."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(np.asarray(p, float)))
