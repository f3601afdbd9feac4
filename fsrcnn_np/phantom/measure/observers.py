"""Limited observers of a signal that is known exactly in a background that is known statistically.

Both learn a template from training patches and score test patches that they have never seen. Learnt from few, a
Hotelling template fits the training noise: on the training patches its area is too high, on others too low, and the
truth for infinitely many lies between (K. Fukunaga, R. R. Hayes, IEEE Trans. PAMI 11(8), 1989). Both are reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImageError
from .channels import eye_filter, laguerre_gauss
from .geometry import Floats, positive


class Scores(NamedTuple):
    """An observer's answers."""

    present: Floats
    absent: Floats
    trained_present: Floats  #: on the patches that it learnt from
    trained_absent: Floats


class Patches(NamedTuple):
    """Square cut-outs with the signal's place at the same point of each."""

    present: Floats  #: (n, side, side)
    absent: Floats  #: (m, side, side)
    pitch: float  #: mm
    centre: tuple[float, float]  #: of the signal, mm from the upper left corner


Observer = Callable[[Patches, Patches], Scores]


def hotelling(train: Patches, test: Patches, *, width: float, count: int = 10) -> Scores:
    """Channelised Hotelling observer with Laguerre–Gauss channels.

    Parameters
    ----------
    train, test : Patches
        Disjoint cases at the same pixel size.
    width : float
        The channels' width, mm.
    count : int
        How many.

    Returns
    -------
    Scores
        K⁻¹(mean with − mean without) · channel outputs, K the mean of both classes' covariances (Myers, Barrett,
        J. Opt. Soc. Am. A 4(12), 1987).
    """
    positive(width, "width")

    def outputs(patches: Floats, like: Patches) -> Floats:
        shape = (patches.shape[1], patches.shape[2])
        channels = laguerre_gauss(shape, pitch=like.pitch, centre=like.centre, width=width, count=count)
        return patches.reshape(len(patches), -1) @ channels.reshape(count, -1).T

    learn_present, learn_absent = (outputs(_checked(p, 2 * count), train) for p in (train.present, train.absent))
    signal = learn_present.mean(0) - learn_absent.mean(0)
    covariance = (np.cov(learn_present.T) + np.cov(learn_absent.T)) / 2
    template = np.linalg.lstsq(np.atleast_2d(covariance), signal, rcond=1e-12)[0]
    present, absent = (outputs(_checked(p, 2), test) @ template for p in (test.present, test.absent))
    return Scores(present, absent, learn_present @ template, learn_absent @ template)


def non_prewhitening(train: Patches, test: Patches, *, zoom: float = 4.5) -> Scores:
    """Non-prewhitening matched filter behind an eye filter (A. E. Burgess, J. Opt. Soc. Am. A 11(4), 1994).

    Parameters
    ----------
    train, test : Patches
        Disjoint cases at the same pixel size and of the same shape.
    zoom : float
        See `channels.eye_filter`.

    Returns
    -------
    Scores
        Σ over pixels of patch × signal filtered twice, times pitch²; the signal is the training sets' mean difference.
    """
    signal = _checked(train.present, 2).mean(0) - _checked(train.absent, 2).mean(0)
    shape = (signal.shape[0], signal.shape[1])
    eye = eye_filter(shape, pitch=train.pitch, zoom=zoom)
    template = np.fft.ifft2(np.fft.fft2(signal) * eye**2).real * train.pitch**2
    present, absent, learnt, learnt_absent = (
        np.tensordot(_checked(p, 2), template, 2) for p in (test.present, test.absent, train.present, train.absent)
    )
    return Scores(present, absent, learnt, learnt_absent)


def _checked(patches: ArrayLike, least: int) -> Floats:
    array = np.asarray(patches, np.float64)
    if array.ndim != 3 or len(array) < least or not np.isfinite(array).all():
        raise ImageError(f"found patches of shape {array.shape}; at least {least} finite ones are needed")
    return array
