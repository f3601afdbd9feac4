"""Wilcoxon's signed-rank test of ratings against 3, by the convention that is asked for.

The paper's printed p values fit one convention only: R 3.6's `wilcox.test(x, mu = 3, exact = FALSE, correct = TRUE)`.
Later releases of R and of SciPy treat zeros in other ways, so that convention is written out here and calls neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import OptionError

NEUTRAL = 3
ALL_NEUTRAL = "every rating is 3: the test is undefined (R and SciPy give NaN), 1.000 as the paper prints"
MOST_EXACT = 500  #: differing values, where there are more than two sizes of difference
MOST_PAIRS = 4_000_000  #: numbers of positive ones, each with each, where there are one or two sizes
Values = NDArray[np.float64]


class SignedRank(NamedTuple):
    """One signed-rank test, two-sided."""

    p: float  #: 1 where no value differs
    w: float  #: sum of the ranks of positive differences: R's V
    n: int  #: values that differ
    z: float  #: standard normal deviate; NaN where the distribution is exact or left to SciPy
    effect: float  #: rank-biserial correlation, -1 to 1: (W+ - W-) / (W+ + W-), zeros dropped; NaN where n is 0
    note: str = ""


def ratings(counts: Sequence[int]) -> NDArray[np.int64]:
    """Ratings 1, 2, … as often as counted."""
    return np.repeat(np.arange(1, len(counts) + 1), counts)


def signed_rank(sample: ArrayLike, *, mu: float = NEUTRAL, preset: str = "r-3.6") -> SignedRank:
    """Test whether values lie around `mu`.

    Parameters
    ----------
    sample : array_like of float
        Finite values.
    mu : float
    preset : {"r-3.6", "exact", "pratt", "scipy"}
        r-3.6: values equal to `mu` are dropped, normal approximation, variance corrected for ties, continuity
        correction. exact: dropped likewise, then the distribution over all signs of the (mean) ranks. pratt: they take
        part in the ranking and are dropped after it; normal approximation, both corrections. scipy:
        `scipy.stats.wilcoxon(sample - mu)` with the defaults of the SciPy that is installed.

    Returns
    -------
    SignedRank

    Raises
    ------
    OptionError
        An unknown preset; values that are not finite; too many different values for `exact`.

    References
    ----------
    Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6), 1945. Pratt, "Remarks on zeros and
    ties in the Wilcoxon signed rank procedures", J. Am. Stat. Assoc. 54, 1959. Kerby, "The simple difference formula",
    Comprehensive Psychology 3, 2014 (the effect).
    """
    if preset not in PRESETS:
        raise OptionError(f"preset {preset!r}; allowed are {', '.join(PRESETS)}")
    differences = np.asarray(sample, np.float64).ravel() - mu
    if not np.isfinite(differences).all():
        raise OptionError("a value is not finite; leave unreadable ratings out")
    kept = differences[differences != 0]  # before any test is called: what they do with zeros changes by release
    if not kept.size:
        return SignedRank(1.0, 0.0, 0, math.nan, math.nan, ALL_NEUTRAL)
    ranks = _ranks(kept)
    w = float(ranks[kept > 0].sum())
    total = len(kept) * (len(kept) + 1) / 2
    p, z, note = PRESETS[preset](differences, kept)
    return SignedRank(p, w, len(kept), z, 2 * w / total - 1, note)


def _r36(differences: Values, kept: Values) -> tuple[float, float, str]:
    """Zeros dropped, normal approximation, tie and continuity correction."""
    n = len(kept)
    ranks = _ranks(kept)
    return _normal(ranks[kept > 0].sum(), n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24 - _ties(kept) / 48)


def _pratt(differences: Values, kept: Values) -> tuple[float, float, str]:
    """As `_r36`, but ranked among the zeros; both moments without the zeros' ranks."""
    n, zeros = len(differences), len(differences) - len(kept)
    ranks = _ranks(differences)
    mean = (n * (n + 1) - zeros * (zeros + 1)) / 4
    variance = (n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1)) / 24 - _ties(kept) / 48
    return _normal(ranks[differences > 0].sum(), mean, variance)


def _normal(w: float, mean: float, variance: float) -> tuple[float, float, str]:
    from scipy.special import ndtr

    distance = float(w) - mean
    z = (distance - math.copysign(0.5, distance) if distance else 0.0) / math.sqrt(variance)
    return min(1.0, 2 * float(ndtr(-abs(z)))), z, ""


def _exact(differences: Values, kept: Values) -> tuple[float, float, str]:
    """Every sign as likely as the other, the ranks as they are: of equal sizes a binomial number is positive."""
    from scipy.stats import binom

    ranks = np.rint(2 * _ranks(kept)).astype(np.int64)
    doubled, sizes = np.unique(ranks, return_counts=True)
    if len(kept) > MOST_EXACT if len(doubled) > 2 else np.prod(sizes + 1.0) > MOST_PAIRS:
        raise OptionError(
            f"{len(kept)} differing values of {len(doubled)} sizes; exact takes {MOST_EXACT}, of two sizes some "
            f"{2 * math.isqrt(MOST_PAIRS)}, or use r-3.6"
        )
    sums: NDArray[Any] = np.zeros(1, np.int64)
    chances: NDArray[Any] = np.ones(1)
    for rank, size in zip(doubled, sizes, strict=True):
        positive = np.arange(size + 1)
        sums = np.add.outer(sums, rank * positive).ravel()
        chances = np.multiply.outer(chances, binom.pmf(positive, size, 0.5)).ravel()
        if len(doubled) > 2:  # bring equal sums together
            chances = np.bincount(sums, chances)
            sums = np.flatnonzero(chances)
            chances = chances[sums]
    total = int(doubled @ sizes)
    observed = int(ranks[kept > 0].sum())
    # The distribution is symmetric: as far from the middle, on either side.
    as_far = np.abs(2 * sums - total) >= abs(2 * observed - total)
    return min(1.0, float(chances[as_far].sum())), math.nan, ""


def _scipy(differences: Values, kept: Values) -> tuple[float, float, str]:
    import warnings

    import scipy
    from scipy.stats import wilcoxon

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # older releases warn of small samples with zeros
        return float(wilcoxon(differences).pvalue), math.nan, f"defaults of SciPy {scipy.__version__}"


PRESETS: dict[str, Callable[[Values, Values], tuple[float, float, str]]] = {
    "r-3.6": _r36,
    "exact": _exact,
    "pratt": _pratt,
    "scipy": _scipy,
}


def _ranks(differences: Values) -> Values:
    """Mean ranks of the sizes, from 1."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(np.abs(differences)), np.float64)


def _ties(kept: Values) -> float:
    """Sum of t³ - t over the sizes, each taken t times."""
    t = np.unique(np.abs(kept), return_counts=True)[1].astype(np.float64)
    return float((t**3 - t).sum())
