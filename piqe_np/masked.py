"""NumPy's masked arrays, told without their module, which takes longer to import than many an image to score."""

from __future__ import annotations

from typing import Any

from piqe_np.on_demand import is_instance


def is_masked(image: Any) -> bool:
    """Whether it is a masked array; where `numpy.ma` was not imported yet, nothing is."""
    return is_instance(image, "numpy.ma", "MaskedArray")
