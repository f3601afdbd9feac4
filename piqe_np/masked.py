"""NumPy's masked arrays, told without their module, which takes longer to import than many an image to score."""

from __future__ import annotations

import sys
from typing import Any


def is_masked(image: Any) -> bool:
    """Whether it is a masked array; where `numpy.ma` was not imported yet, nothing is."""
    module = sys.modules.get("numpy.ma")
    return module is not None and bool(module.isMaskedArray(image))
