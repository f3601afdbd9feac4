"""A part of an image's rows: what is made at a time, and what of the image is at hand for it."""

from __future__ import annotations

from typing import NamedTuple

from .weights import Weights


class Band(NamedTuple):
    """Rows of an image that are made at a time, and the part of the image that is at hand for it."""

    first: int
    last: int  #: exclusive
    top: int  #: row of the image that is the first at hand
    height: int  #: rows of the whole image


def rows_needed(first: int, last: int, height: int, weights: Weights) -> tuple[int, int]:
    """Rows of the image that the results of rows `first` to `last` depend on."""
    return max(first - weights.halo, 0), min(last + weights.halo, height)
