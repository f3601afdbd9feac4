"""From stored values to what is shown: grey, polarity, windows, size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.value_range import ValueRange, normalise
from .spots import Floats, interior, outline_step, shrink

Window = tuple[float, float]


def display_plane(pixels: NDArray[Any], bounds: ValueRange, inverted: bool) -> Floats:
    """Grey, of RGB the luma, with black at 0 and white at 1; the negative where low values are bright."""
    plane = normalise(pixels, bounds)
    if plane.ndim == 3:
        from ..images.colour import rgb_to_ycbcr

        plane = rgb_to_ycbcr(plane).y
    return np.subtract(1, plane, out=plane) if inverted else plane


def resample(plane: Floats, shape: tuple[int, int]) -> Floats:
    """The plane in another size, each new pixel the mean of the old ones that it covers."""
    from PIL import Image

    return np.asarray(Image.fromarray(plane).resize(shape[::-1], Image.Resampling.BOX))


def tissue_window(plane: Floats) -> Window:
    """What to show as black and white of a whole view: nearly the darkest and the brightest inside the tissue."""
    return window(shrink(plane, outline_step(plane.shape))[interior(plane)])


def window(values: Floats, above: float = -np.inf) -> Window:
    """From the 0.5th percentile to the 99.95th; of the values above a background, where there are such."""
    chosen = values[values > above]
    low, high = (float(v) for v in np.percentile(chosen if chosen.size else values, (0.5, 99.95)))
    return (low, high) if high > low else (low, low + 1.0)
