"""The contrast at which an observer is right in three of four forced choices: one threshold a diameter, like CDMAM.

CDMAM's cumulative curve (R. Visser, N. Karssemeijer, CDCOM manual, 2008; European guidelines for quality assurance in
breast cancer screening, 4th ed., 2006, 2b.2.4.1) for two alternatives in place of four.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ImageError

CHANCE, THRESHOLD = 0.5, 0.75
NEAR = (0.65, 0.9)  #: some share must lie on the threshold's side of each
_STEPS = 200


def share_right(contrast: ArrayLike, threshold: float, slope: float) -> NDArray[np.float64]:
    """½ + ½/(1 + (contrast/threshold)^−slope): ¾ at the threshold."""
    ratio = np.asarray(contrast, np.float64) / threshold
    return CHANCE + (1 - CHANCE) / (1 + ratio**-slope)


def fit_threshold(
    contrasts: ArrayLike, shares: ArrayLike, variances: ArrayLike, *, start: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Threshold and slope of the curve nearest to measured shares.

    Parameters
    ----------
    contrasts, shares, variances : array_like, (n,), n ≥ 2
        Contrasts above 0; shares of right answers (areas under the ROC curve are such), and their variances.
    start : (float, float), optional
        Threshold and slope to begin with: those of nearly the same shares.

    Returns
    -------
    threshold, slope : float
        nan, nan where it would be guessed: all shares below 0.65 or above 0.9, or the threshold beyond half the least
        contrast or twice the greatest.

    Raises
    ------
    ImageError
        Fewer than two points, or none positive.

    Notes
    -----
    Weighted least squares in the logarithm of both parameters, Gauss–Newton from a straight line through the shares'
    logits, halving a step that does not help.
    """
    c, p, v = (np.asarray(a, np.float64) for a in (contrasts, shares, variances))
    if c.ndim != 1 or len(c) < 2 or not len(c) == len(p) == len(v) or not (c > 0).all() or not np.isfinite(p).all():
        raise ImageError(f"found contrasts {c.tolist()} and shares {p.tolist()}; at least two, above 0, are needed")
    if p.max() < NEAR[0] or p.min() > NEAR[1]:
        return math.nan, math.nan
    weight = 1 / np.sqrt(np.maximum(v, 1e-6))
    x = np.log(c)
    state = _begin(x, p) if start is None or not np.isfinite(start).all() else np.log(start)

    def residual(s: NDArray[np.float64]) -> NDArray[np.float64]:
        return (share_right(c, math.exp(s[0]), math.exp(s[1])) - p) * weight

    best = residual(state)
    for _ in range(_STEPS):
        k, r = math.exp(state[1]), share_right(c, math.exp(state[0]), math.exp(state[1]))
        bell = (r - CHANCE) * (1 - r) / (1 - CHANCE)
        jacobian = np.stack([-k * bell, bell * k * (x - state[0])], 1) * weight[:, None]
        step = np.linalg.lstsq(jacobian, -best, rcond=None)[0]
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))  # at most a factor e at once
        while np.abs(step).max() > 1e-12 and not np.square(residual(state + step)).sum() < np.square(best).sum():
            step /= 2
        if np.abs(step).max() <= 1e-10:
            break
        state = state + step
        best = residual(state)
    threshold, slope = math.exp(state[0]), math.exp(state[1])
    return (threshold, slope) if c.min() / 2 <= threshold <= 2 * c.max() else (math.nan, math.nan)


def _begin(x: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of threshold and slope by a straight line through the logits."""
    inside = np.clip(shares, CHANCE + 0.01, 0.99)
    slope, height = np.polyfit(x, np.log((inside - CHANCE) / (1 - inside)), 1)
    return np.array([-height / slope if slope > 0.2 else x.mean(), math.log(max(float(slope), 0.2))])
