"""How large a strip is, and which rows it needs."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...network.bands import Band
from ...network.weights import Weights
from . import groups
from .groups import GROUP
from .layout import STAMP_VECTORS, Layout, up

STRIPS_PER_THREAD = 4  # so that no thread waits long for the last one,
SHORT, LONG = 256, 2048  # unless strips became shorter than this: each costs about 10 rows beside its own


class Needs(NamedTuple):
    """Rows that a strip works on, ends excluded."""

    stamped: tuple[int, int]  #: rows whose features reach its results, whole groups, also outside the image
    layers: list[tuple[int, int]]  #: layers 0 … m, from the first row of the first group
    image: tuple[int, int]  #: for the 5×5 layer, also outside the image

    @classmethod
    def of(cls, top: int, bottom: int, height: int, weights: Weights) -> Needs:
        """Of the high-resolution rows from low-resolution row `top` to `bottom` of an image `height` rows high."""
        a, offset = weights.architecture, weights.deconvolution_offset
        first = -((8 - offset - a.scale * top) // a.scale)
        end = (a.scale * bottom - 1 + offset) // a.scale + 1
        first -= (first - groups.start(a.m + 1)) % GROUP
        end += (groups.start(a.m + 1) - end) % GROUP
        low, high = max(first, 0), min(end, height)
        layers = []
        for layer in range(a.m, 0, -1):
            low -= (low - groups.start(layer)) % GROUP
            layers.append((low, high))
            high += (groups.start(layer) - high) % GROUP  # the end of the last group
            low, high = max(low - 1, 0), min(high + 1, height)
        low -= (low - groups.start(0)) % GROUP
        layers.append((low, high))
        high += (groups.start(0) - high) % GROUP
        return cls((first, end), layers[::-1], (low - 2, high + 2))


def rows_needed(first: int, last: int, height: int, weights: Weights) -> tuple[int, int]:
    """Rows of the image that the results of rows `first` to `last` depend on, to the bit."""
    top, bottom = Needs.of(first, last, height, weights).image
    return max(top, 0), min(bottom, height)


def good_size(band: Band, width: int, layout: Layout, threads: int) -> tuple[int, int]:
    """Rows and columns of strips that waste little and keep all threads busy."""
    height, unit = band.last - band.first, STAMP_VECTORS * layout.target.lanes
    columns = min(up(math.ceil(width / math.ceil(width / layout.width)), unit), layout.width)
    across = math.ceil(width / columns)
    wanted = min(math.ceil(STRIPS_PER_THREAD * threads / across), height // SHORT)
    parts = 1 if threads == 1 else max(wanted, math.ceil(threads / across))
    return min(up(math.ceil(height / parts), GROUP), LONG), columns
