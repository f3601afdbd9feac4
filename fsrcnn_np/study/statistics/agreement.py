"""How far readers agree with each other, and with themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import OptionError
from .clusters import DRAWS, SEED, interval, resampled_sums

SCALE = (1, 2, 3, 4, 5)
METRICS = ("ordinal", "interval", "nominal")
WEIGHTS = ("quadratic", "linear", "none")


class Agreement(NamedTuple):
    """A coefficient of agreement: 1 perfect, 0 as by chance; NaN where it is undefined, and the note says why."""

    value: float
    low: float  #: 95 % confidence interval
    high: float
    n: int  #: cases that two or more readers rated
    note: str = ""


ONE_VALUE = "undefined: all ratings are the same"
ONE_CONSTANT = "one reader's ratings are all the same: 0 whatever the other's are"


def weighted_kappa(a: ArrayLike, b: ArrayLike, *, weights: str = "quadratic") -> Agreement:
    """Cohen's weighted kappa of two readers.

    Parameters
    ----------
    a, b : array_like of int, n values each of 1 to 5
        Ratings of the same cases in the same order.
    weights : {"quadratic", "linear", "none"}
        What a disagreement by one, two, … steps of the scale counts.

    Returns
    -------
    Agreement
        The interval is large-sample, with breasts taken for independent.

    References
    ----------
    Cohen, "Weighted kappa", Psychological Bulletin 70(4), 1968. Variance: Fleiss, Cohen, Everitt, "Large sample
    standard errors of kappa and weighted kappa", Psychological Bulletin 72(5), 1969.
    """
    first, second = _whole(a), _whole(b)
    if first.shape != second.shape or first.ndim != 1:
        raise OptionError(f"found ratings of shapes {first.shape} and {second.shape}; give pairs")
    if weights not in WEIGHTS:
        raise OptionError(f"weights {weights!r}; allowed are {', '.join(WEIGHTS)}")
    n, k = len(first), len(SCALE)
    if not n:
        return Agreement(math.nan, math.nan, math.nan, 0, "no case was rated by both")
    _check_scale(first, second)
    table = np.bincount((first - 1) * k + second - 1, minlength=k * k).reshape(k, k) / n
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    w = 1 - (apart**2 if weights == "quadratic" else apart if weights == "linear" else np.sign(apart))
    rows, columns = table.sum(1), table.sum(0)
    seen, expected = float((w * table).sum()), float(rows @ w @ columns)
    if 1 - expected < 1e-12:
        return Agreement(math.nan, math.nan, math.nan, n, ONE_VALUE)
    kappa = (seen - expected) / (1 - expected)
    if 1 in (np.count_nonzero(rows), np.count_nonzero(columns)):
        return Agreement(0.0, math.nan, math.nan, n, ONE_CONSTANT)
    means = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread = float((table * np.square(w - means * (1 - kappa))).sum()) - (kappa - expected * (1 - kappa)) ** 2
    half = 1.959963984540054 * math.sqrt(max(0.0, spread) / n) / (1 - expected)
    return Agreement(kappa, kappa - half, min(1.0, kappa + half), n)


def krippendorff_alpha(
    counts: ArrayLike,
    *,
    metric: str = "ordinal",
    patients: ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Agreement:
    """Krippendorff's alpha of any number of readers; cases may lack some of them.

    Parameters
    ----------
    counts : array_like of int, cases×values
        How many readers gave a case each of the values 1, 2, …, in their order.
    metric : {"ordinal", "interval", "nominal"}
        How far apart two values are.
    patients : array_like, one a case, optional
        Who are resampled for the interval; each case by itself by default.
    draws, seed : int
        Of the resampling; 0 draws: no interval.

    References
    ----------
    Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011.
    """
    table = np.asarray(counts)
    whose = np.arange(len(table)) if patients is None else np.asarray(patients)
    return krippendorff_alphas([table], [whose], metric=metric, draws=draws, seed=seed)[0]


def krippendorff_alphas(
    counts: Sequence[ArrayLike],
    patients: Sequence[ArrayLike],
    *,
    metric: str = "ordinal",
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[Agreement]:
    """`krippendorff_alpha` of several criteria, with the same resampled patients for all of them."""
    tables = [np.asarray(table, np.float64) for table in counts]
    if metric not in METRICS or any(table.ndim != 2 for table in tables):
        raise OptionError(f"give cases×values, and a metric of {', '.join(METRICS)}; found {metric!r}")
    for table, whose in zip(tables, patients, strict=True):
        if not np.isfinite(table).all() or (table < 0).any() or len(table) != len(np.asarray(whose)):
            raise OptionError("give counts from 0 on, and one patient for each case")
    everyone = np.unique(np.concatenate([np.asarray(whose) for whose in patients]))
    values = [table.shape[1] for table in tables]
    sums = [
        _coincidences(table, np.searchsorted(everyone, np.asarray(whose)), len(everyone))
        for table, whose in zip(tables, patients, strict=True)
    ]
    drawn = resampled_sums(np.hstack(sums), draws=draws, seed=seed) if draws and len(everyone) else None
    found, first = [], 0
    for table, k, per_patient in zip(tables, values, sums, strict=True):
        n = int((table.sum(1) >= 2).sum())
        value = float(_alpha(per_patient.sum(0)[None], k, metric)[0]) if n else math.nan
        note = "" if not math.isnan(value) else ONE_VALUE if n else "no case was rated twice"
        low, high = math.nan, math.nan
        if drawn is not None and not note:
            low, high = interval(_alpha(drawn[:, first : first + k * k], k, metric))
        found.append(Agreement(value, low, high, n, note))
        first += k * k
    return found


def _coincidences(table: NDArray[np.float64], whose: NDArray[np.intp], patients: int) -> NDArray[np.float64]:
    """Of each patient: how often two values met in a case, weighted as alpha wants it; patients×values²."""
    rated = table.sum(1) >= 2  # a value that nothing can be compared with tells nothing of agreement
    table, whose = table[rated], whose[rated]
    values = table.shape[1]
    pairs = table[:, :, None] * table[:, None, :] - table[:, :, None] * np.eye(values)
    each = (pairs / (table.sum(1) - 1)[:, None, None]).reshape(len(table), values * values)
    sums = np.zeros((patients, values * values))
    np.add.at(sums, whose, each)
    return sums


def _alpha(coincidences: NDArray[np.float64], values: int, metric: str) -> NDArray[np.float64]:
    """Of each row, a matrix of coincidences laid out flat: 1 - observed disagreement / expected."""
    observed = coincidences.reshape(-1, values, values)
    marginal = observed.sum(2)
    if metric == "ordinal":
        middle = np.cumsum(marginal, 1) - marginal / 2
        distance = np.square(middle[:, :, None] - middle[:, None, :])
    else:
        step = np.subtract.outer(np.arange(values), np.arange(values)).astype(np.float64)
        distance = np.square(step)[None] if metric == "interval" else (step != 0).astype(np.float64)[None]
    seen = (observed * distance).sum((1, 2))
    expected = (marginal[:, :, None] * marginal[:, None, :] * distance).sum((1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (marginal.sum(1) - 1) * seen / expected, np.nan))


class Repeatability(NamedTuple):
    """One reader's first and second rating of the same cases."""

    n: int
    same: float  #: share of equal ratings, 0 to 1
    within_one: float  #: share at most one step apart
    kappa: Agreement
    coefficient: float  #: 1.96·√2·s_w: 95 % of second ratings lie within it (Bland, Altman, BMJ 313, 1996)


def repeatability(first: ArrayLike, second: ArrayLike) -> Repeatability:
    """How far a reader repeats herself: ratings of 1 to 5 of the same cases on two occasions."""
    a, b = _whole(first), _whole(second)
    kappa = weighted_kappa(a, b)
    if not len(a):
        return Repeatability(0, math.nan, math.nan, kappa, math.nan)
    steps = np.abs(a - b)
    within = math.sqrt(float(np.square(steps).mean()) / 2)
    return Repeatability(
        len(a), float((steps == 0).mean()), float((steps <= 1).mean()), kappa, 1.96 * math.sqrt(2) * within
    )


def _whole(ratings: ArrayLike) -> NDArray[np.int64]:
    """Ratings as integers; 3.5 is none, and is not cut to 3."""
    given = np.asarray(ratings, np.float64)
    if not (np.isfinite(given) & (given == np.rint(given))).all():
        raise OptionError("found a rating that is no whole number; leave unreadable ones out")
    return given.astype(np.int64)


def _check_scale(*ratings: NDArray[np.int64]) -> None:
    for sample in ratings:
        if not np.isin(sample, SCALE).all():
            wrong = sample[~np.isin(sample, SCALE)][0]
            raise OptionError(f"found the rating {wrong}; allowed are {SCALE[0]} to {SCALE[-1]}")
