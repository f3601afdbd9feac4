"""What options are: the types that signatures share; `progress.Progress` is another."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from .network.weights import Weights

#: A shipped model's name, the path of a file, or a model.
Model = Weights | str | PathLike[str]
#: The values of black and white: R for 0..R, or (low, high).
DataRange = float | Sequence[float]
