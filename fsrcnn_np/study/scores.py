"""One PIQE of one image, and what the images and the ways of scoring them are called."""

from __future__ import annotations

from typing import NamedTuple

ORIGINAL, BICUBIC, SR = "original", "bicubic", "SR"
NATIVE, EXPORT, CLASS = "native depth", "8-bit export", "MATLAB's class scaling"


class Score(NamedTuple):
    """One PIQE of one image."""

    image: str  #: "original", "bicubic" or "SR"
    scoring: str  #: "native depth", "8-bit export" or "MATLAB's class scaling"
    scaling: str  #: which stored values became 0 and 255
    shape: tuple[int, ...]
    piqe: float
