"""Many tests at once: adjusted p values. The paper corrects for nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p values: the chance of any false finding among all tests is bounded.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6(2), 1979.
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(adjusted, 1)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Benjamini and Hochberg's adjusted p values: the share of false findings is bounded.

    Benjamini, Hochberg, "Controlling the false discovery rate", J. Royal Stat. Soc. B 57(1), 1995.
    """
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(np.asarray(p, np.float64)))
