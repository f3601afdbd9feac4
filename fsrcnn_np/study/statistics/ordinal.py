"""Ordinal regression of ratings on readers: visual grading regression for a scale that compares two images.

Cumulative logit: logit P(rating > k) = β_reader - θ_k. The middle between the thresholds below and above "no
preference" is where either image is preferred as often; a reader's preference is her distance from it. It is a
maximum-likelihood fit on counts, so that its time does not depend on the number of cases.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import OptionError

FARTHEST = 25.0  #: log-odds; beyond it the likelihood has no maximum that could be told from infinity
_ROUNDS, _STEP = 200, 1e-10
Floats = NDArray[np.float64]


class Preference(NamedTuple):
    """A reader's preference in log-odds: above 0 the SR image, below 0 the original; exp of it is an odds ratio."""

    estimate: float  #: ±inf or NaN where there is no finite one; the note says why
    low: float  #: 95 % confidence interval, with patients as clusters
    high: float
    p: float
    note: str = ""


def ordinal_preference(counts: ArrayLike, *, neutral: int = 3) -> tuple[Preference, ...]:
    """Preference of each reader by the proportional-odds model with common thresholds.

    Parameters
    ----------
    counts : array_like of int, readers×values
        How often each reader gave the values 1, 2, …; or, with the patients apart, patients×readers×values.
    neutral : int
        The value that means no preference.

    Returns
    -------
    tuple of Preference
        One a reader. With two dimensions the variance is the information's; with three it is the sandwich over
        patients, times G / (G - 1).

    Notes
    -----
    A reader all of whose ratings are the highest (or lowest) value that anybody gave has the estimate +inf (-inf), and
    the others' are what they are without her. Where all of a reader's ratings are equal the sandwich tells nothing,
    and the information's variance is taken. Where nobody rated below, or nobody above `neutral`, the middle cannot be
    placed, and no estimate is given.

    References
    ----------
    McCullagh, "Regression models for ordinal data", J. Royal Stat. Soc. B 42(2), 1980. Smedby, Fredrikson, "Visual
    grading regression", British J. Radiology 83, 2010. Agresti, "Analysis of ordinal paired comparison data", J. Royal
    Stat. Soc. C 41(2), 1992.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim not in (2, 3) or table.shape[-1] < neutral + 1 or (table < 0).any():
        raise OptionError(f"found counts of shape {table.shape}; give readers×values or patients×readers×values")
    total = table if table.ndim == 2 else table.sum(0)
    clusters = None if table.ndim == 2 else table
    found: list[Preference | None] = [None] * len(total)
    for reader in np.flatnonzero(total.sum(1) == 0):
        found[reader] = _none("no rating")
    kept = np.flatnonzero(total.sum(1) > 0)
    while kept.size:  # who sits at an end is infinitely far, and says nothing of the others
        used = np.flatnonzero(total[kept].sum(0) > 0)
        at_end = [r for r in kept if total[r, used[-1]] == total[r].sum() or total[r, used[0]] == total[r].sum()]
        if not at_end or len(used) == 1:
            break
        for reader in at_end:
            top = total[reader, used[-1]] > 0
            found[reader] = _infinite(int(used[-1 if top else 0]) + 1, neutral, top)
        kept = np.array([r for r in kept if r not in at_end], np.intp)
    if kept.size:
        fitted = _fit(total[kept], None if clusters is None else clusters[:, kept], neutral)
        for reader, preference in zip(kept, fitted, strict=True):
            found[reader] = preference
    return tuple(preference for preference in found if preference is not None)


def _none(note: str) -> Preference:
    return Preference(math.nan, math.nan, math.nan, math.nan, note)


def _infinite(value: int, neutral: int, top: bool) -> Preference:
    if value == neutral:
        return _none(f"every rating is {neutral}, and no reader rated {'above' if top else 'below'} it")
    sign = math.inf if top else -math.inf
    end = "highest" if top else "lowest"
    return Preference(sign, math.nan, math.nan, math.nan, f"every rating is {value}, the {end} that was given")


def _fit(total: Floats, clusters: Floats | None, neutral: int) -> list[Preference]:
    used = np.flatnonzero(total.sum(0) > 0)
    below, above = int((used < neutral - 1).sum()), int((used > neutral - 1).sum())
    if not below or not above:
        if len(used) == 1:
            return [_none(f"every rating is {used[0] + 1}") for _ in total]
        return [_none(f"no rating {'above' if below else 'below'} {neutral}: no finite estimate") for _ in total]
    counts = total[:, used]
    readers, thresholds = len(counts), len(used) - 1
    # Parameters: θ of every boundary, then β of every reader but the first, who is at 0.
    parameters = _start(counts)
    for _ in range(_ROUNDS):
        value, scores, hessian = _likelihood(parameters, counts)
        gradient = np.einsum("rk,rkp->p", counts, scores)
        try:
            step = np.linalg.solve(-hessian, gradient)
        except np.linalg.LinAlgError:
            break
        size = 1.0  # the likelihood is concave: halving always finds a rise
        while size > 1e-6 and not _likelihood(parameters + size * step, counts)[0] >= value:
            size /= 2
        parameters = parameters + size * step
        if np.abs(step).max() < _STEP or np.abs(parameters).max() > FARTHEST:
            break
    if np.abs(parameters).max() > FARTHEST or np.abs(step).max() > 1e-6:
        return [_none("the readers' ratings are too far apart: no finite estimate") for _ in total]
    _, scores, hessian = _likelihood(parameters, counts)
    information = np.linalg.inv(-hessian)
    covariance = information
    if clusters is not None:
        flat = clusters[:, :, used].reshape(len(clusters), -1)
        flat = flat[flat.any(1)]
        each = flat @ scores.reshape(-1, len(parameters))
        groups = len(flat)
        if groups > 1:
            covariance = information @ (each.T @ each) @ information * groups / (groups - 1)
    out = []
    for reader in range(readers):
        contrast = np.zeros(len(parameters))
        contrast[below - 1] -= 0.5  # between the last value below and what comes next
        contrast[thresholds - above] -= 0.5  # between what comes before and the first value above
        if reader:
            contrast[thresholds + reader - 1] = 1
        constant = np.count_nonzero(counts[reader]) == 1
        variance = float(contrast @ (information if constant else covariance) @ contrast)
        out.append(_preference(float(contrast @ parameters), math.sqrt(max(0.0, variance))))
    return out


def _preference(estimate: float, error: float) -> Preference:
    from scipy.special import ndtr

    half = 1.959963984540054 * error
    p = 2 * float(ndtr(-abs(estimate) / error)) if error > 0 else math.nan
    return Preference(estimate, estimate - half, estimate + half, p)


def _start(counts: Floats) -> Floats:
    """Thresholds of all ratings together, and no difference between readers."""
    share = np.cumsum(counts.sum(0))[:-1] / counts.sum()
    return np.concatenate([np.log(share / (1 - share)), np.zeros(len(counts) - 1)])


def _likelihood(parameters: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood; the score of one rating in each cell, readers×values×parameters; and the Hessian."""
    readers, values = counts.shape
    thresholds = values - 1
    theta, beta = parameters[:thresholds], np.concatenate([[0.0], parameters[thresholds:]])
    if (np.diff(theta) <= 0).any():
        return -math.inf, np.zeros((readers, values, len(parameters))), np.zeros((len(parameters),) * 2)
    with np.errstate(over="ignore"):
        inner = 1 / (1 + np.exp(-(theta - beta[:, None])))
    cumulative = np.column_stack([np.zeros(readers), inner, np.ones(readers)])
    density = cumulative * (1 - cumulative)
    bend = density * (1 - 2 * cumulative)
    slope = np.zeros((readers, values + 1, len(parameters)))  # of θ_k - β_r by the parameters
    for k in range(thresholds):
        slope[:, k + 1, k] = 1
    for r in range(1, readers):
        slope[r, 1:-1, thresholds + r - 1] = -1
    chance = np.maximum(np.diff(cumulative, axis=1), 1e-300)
    first = density[:, :, None] * slope
    scores = np.diff(first, axis=1) / chance[:, :, None]
    second = np.einsum("rk,rkp,rkq->rkpq", bend, slope, slope)
    curvature = np.diff(second, axis=1) / chance[:, :, None, None] - scores[..., :, None] * scores[..., None, :]
    value = float((counts * np.log(chance)).sum())
    return value, scores, np.einsum("rk,rkpq->pq", counts, curvature)
