"""MathWorks' names of quality (documentation of ``piqe``)."""

from __future__ import annotations

import math


def bands() -> dict[str, int]:
    """Each name and the highest whole score that has it."""
    return {"excellent": 20, "good": 35, "fair": 50, "poor": 80, "bad": 100}


def band(score: float) -> str:
    """The name for a score, which is rounded to a whole number for it."""
    return next((name for name, highest in bands().items() if math.floor(score + 0.5) <= highest), "bad")
