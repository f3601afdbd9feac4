"""Grey pictures, pictures of RGB, and which models take which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError
from ..images.colour import BLUE, GREEN, RED
from .weights import Weights


def check_channels(shape: Sequence[int], weights: Weights) -> None:
    """Refuse a grey picture where the model takes three channels.

    (A grey model takes pictures of RGB: their luma.)

    Raises
    ------
    ImageError
    """
    if weights.architecture.channels == 3 and len(shape) == 2:
        raise ImageError(
            f"found a grey image, and {weights.architecture} takes three channels; take a grey model "
            "(weights='x2', --weights x2), or make three equal planes of it: numpy.stack([image] * 3, axis=-1)"
        )


def of_grey(
    forward: Callable[..., NDArray[Any]], plane: NDArray[Any], weights: Weights, **options: Any
) -> NDArray[Any]:
    """What a model makes of a grey plane, to measure it: of a model of RGB the luma, and three equal planes before it.

    Parameters
    ----------
    forward : callable
        Of an engine; takes `options`, too.
    plane : ndarray, H×W
    weights : Weights

    Returns
    -------
    ndarray, H·scale × W·scale
    """
    if weights.architecture.channels == 1:
        return forward(plane, weights, **options)
    high = forward(np.repeat(plane[..., None], 3, axis=-1), weights, **options)
    return RED * high[..., 0] + GREEN * high[..., 1] + BLUE * high[..., 2]
