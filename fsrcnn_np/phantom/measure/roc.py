"""Area under the ROC curve of two sets of scores: estimate, intervals, paired tests.

Scores of cases with the signal (present) and without (absent); the larger, the more it looks like a signal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ImageError, OptionError

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate and its confidence interval."""

    value: float
    low: float
    high: float


class Paired(NamedTuple):
    """Two areas on the same cases, and the test of their difference."""

    difference: float  #: first less second
    error: float  #: its standard error; nan where the test has none
    p: float  #: two-sided


def auc(present: ArrayLike, absent: ArrayLike) -> float:
    """Probability that a case with the signal scores higher than one without, ties half (Mann–Whitney).

    Parameters
    ----------
    present, absent : array_like, (n,) and (m,)

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ImageError
        Fewer than two scores of a kind, or NaN.
    """
    return float(_placements(_scores(present), _scores(absent))[0].mean())


def delong(present: ArrayLike, absent: ArrayLike) -> tuple[Floats, Floats]:
    """Areas of k sets of scores on the same cases, and their covariance.

    Parameters
    ----------
    present, absent : array_like, (k, n) and (k, m)

    Returns
    -------
    areas : ndarray, (k,)
    covariance : ndarray, (k, k)

    Notes
    -----
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44, 1988; placements by midranks, as X. Sun and W. Xu,
    IEEE Signal Processing Letters 21(11), 2014.
    """
    p, a = np.atleast_2d(np.asarray(present, float)), np.atleast_2d(np.asarray(absent, float))
    if len(p) != len(a):
        raise ImageError(f"found {len(p)} sets of scores with the signal and {len(a)} without; both need the same")
    pairs = [_placements(_scores(one), _scores(other)) for one, other in zip(p, a, strict=True)]
    v10, v01 = np.stack([v for v, _ in pairs]), np.stack([v for _, v in pairs])
    covariance = np.atleast_2d(np.cov(v10)) / v10.shape[1] + np.atleast_2d(np.cov(v01)) / v01.shape[1]
    return v10.mean(1), covariance


def delong_interval(present: ArrayLike, absent: ArrayLike, *, level: float = 0.95) -> Interval:
    """Area with a normal interval, DeLong's variance, cut at 0 and 1."""
    from scipy.stats import norm

    areas, covariance = delong(present, absent)
    reach = float(norm.ppf(0.5 + _level(level) / 2)) * math.sqrt(covariance[0, 0])
    return Interval(float(areas[0]), max(float(areas[0]) - reach, 0.0), min(float(areas[0]) + reach, 1.0))


def delong_test(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]) -> Paired:
    """Whether two observers' areas on the same cases differ (DeLong's test).

    Parameters
    ----------
    first, second : (present, absent)
        The same cases in the same order.
    """
    from scipy.stats import norm

    areas, c = delong(np.stack([first[0], second[0]]), np.stack([first[1], second[1]]))
    difference = float(areas[0] - areas[1])
    variance = float(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    if variance <= 1e-18:  # the same ranks: nothing differs, or nothing varies
        return Paired(difference, 0.0, 1.0 if difference == 0 else 0.0)
    error = math.sqrt(variance)
    return Paired(difference, error, float(2 * norm.sf(abs(difference) / error)))


def permutation_test(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, count: int = 2000, seed: int = 0
) -> Paired:
    """The same by permutation: in each case the two observers' ranks are exchanged at random.

    Parameters
    ----------
    first, second : (present, absent)
        The same cases in the same order.
    count, seed : int
        Permutations; p is (1 + as large ones)/(1 + count).

    Notes
    -----
    A. I. Bandos, H. E. Rockette, D. Gur, Statistics in Medicine 24, 2005. Ranks within each observer's cases make
    scores of different scale exchangeable.
    """
    _count(count)
    if [len(_scores(v)) for v in first] != [len(_scores(v)) for v in second]:
        raise ImageError("the two observers have different numbers of cases; a paired test needs the same cases")
    from scipy.stats import rankdata

    n = len(_scores(first[0]))
    one, other = (rankdata(np.concatenate([_scores(present), _scores(absent)])) for present, absent in (first, second))
    observed = auc(one[:n], one[n:]) - auc(other[:n], other[n:])
    # Of a case with and a case without, what counts is whether each is exchanged: four tables of who beats whom.
    beats = [[_beats(p[:n], a[n:]) for a in (one, other)] for p in (one, other)]
    both, crossed = beats[0][0] - beats[1][1], beats[0][1] - beats[1][0]
    sign = np.where(np.random.default_rng(seed).random((count, len(one))) < 0.5, -1.0, 1.0)
    # A pair's difference is ½·[sign with·(both + crossed) + sign without·(both − crossed)]: linear in the signs.
    found = sign[:, :n] @ (both + crossed).sum(1) + sign[:, n:] @ (both - crossed).sum(0)
    larger = np.count_nonzero(np.abs(found / 2 / both.size) >= abs(observed) - 1e-12)
    return Paired(observed, math.nan, (1 + larger) / (1 + count))


def bootstrap_interval(
    present: ArrayLike, absent: ArrayLike, *, count: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Area with a percentile interval: cases drawn anew with replacement, those with and without apart."""
    _count(count)
    areas = drawn_areas(present, absent, *case_draws(len(_scores(present)), len(_scores(absent)), count, seed))
    tail = (1 - _level(level)) / 2
    low, high = np.quantile(areas, [tail, 1 - tail])
    return Interval(auc(present, absent), float(low), float(high))


def case_draws(present: int, absent: int, count: int, seed: int | Sequence[int]) -> tuple[Floats, Floats]:
    """How often each case is drawn in each of `count` draws with replacement: (count, present) and (count, absent)."""
    rng = np.random.default_rng(seed)
    times = []
    for n in (present, absent):
        chosen = (rng.random((count, n)) * n).astype(np.intp) + n * np.arange(count)[:, None]
        times.append(np.bincount(chosen.ravel(), minlength=n * count).reshape(count, n).astype(np.float64))
    return times[0], times[1]


def drawn_areas(present: ArrayLike, absent: ArrayLike, with_: Floats, without: Floats) -> Floats:
    """Areas of the cases drawn so often (`case_draws`), one a draw."""
    beats = _beats(_scores(present), _scores(absent))
    return ((with_ @ beats) * without).sum(1) / beats.size


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """A share with its exact interval (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934)."""
    from scipy.stats import beta

    if not 0 <= successes <= trials or trials < 1:
        raise OptionError(f"{successes!r} of {trials!r}: allowed are whole numbers, 0 to the number of trials, from 1")
    tail = (1 - _level(level)) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return Interval(successes / trials, low, high)


def forced_choice(present: ArrayLike, absent: ArrayLike) -> Interval:
    """Share of disjoint pairs (first with first …) in which the signal scores higher, with its exact interval.

    Each case is in one pair, so the trials are independent and the interval is exact; a tie counts as wrong.
    """
    p, a = _scores(present), _scores(absent)
    n = min(len(p), len(a))
    return clopper_pearson(int(np.count_nonzero(p[:n] > a[:n])), n)


def detectability(area: float) -> float:
    """d′ = √2 Φ⁻¹(AUC); ±inf at 1 and 0."""
    from scipy.stats import norm

    return float(math.sqrt(2) * norm.ppf(area))


def area_of(d: float) -> float:
    """AUC = Φ(d′/√2)."""
    from scipy.stats import norm

    return float(norm.cdf(d / math.sqrt(2)))


def _placements(present: Floats, absent: Floats) -> tuple[Floats, Floats]:
    """Of each case with the signal the share of those without that it beats, and of each without the reverse."""
    from scipy.stats import rankdata

    n, m = len(present), len(absent)
    together = rankdata(np.concatenate([present, absent]))
    above = (together[:n] - rankdata(present)) / m
    below = 1 - (together[n:] - rankdata(absent)) / n
    return above, below


def _beats(present: Floats, absent: Floats) -> Floats:
    """1 where a case with scores higher than one without, ½ where they tie: (n, m)."""
    return np.heaviside(present[:, None] - absent[None], 0.5)


def _count(count: int) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise OptionError(f"count is {count!r}; allowed is a whole number from 1")


def _scores(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) < 2 or np.isnan(array).any():
        raise ImageError(f"found scores of shape {array.shape}; allowed are at least two numbers, none NaN")
    return array


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise OptionError(f"level is {level!r}; allowed is a number between 0 and 1, like 0.95")
    return level
