"""The one place where what is measured meets what enlarges: original, bicubic and SR of a 12-bit picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...images.imresize import imresize
from ..draw import PIXEL_SPACING
from ..processing import WHITE

if TYPE_CHECKING:
    from ...network.weights import Weights

    Model = Weights | str | os.PathLike[str]

ORIGINAL, BICUBIC, SR = "original", "bicubic", "SR"
IMAGES = (ORIGINAL, BICUBIC, SR)


class Enlarged(NamedTuple):
    """One processing of a picture."""

    name: str
    pixels: NDArray[np.uint16]
    scale: int
    pitch: float  #: mm


class Enlarger:
    """A model, ready to enlarge.

    Parameters
    ----------
    weights : Weights, str or path
        As of `fsrcnn_np.upscale`.
    threads : int
    engine : str, optional
    """

    def __init__(self, weights: Model, threads: int, engine: str | None = None) -> None:
        from ...convert import load_weights
        from ...pipeline import model_name

        self._model = load_weights(weights) if isinstance(weights, str | os.PathLike) else weights
        self._threads, self._engine = threads, engine
        self.name = model_name(self._model)
        self.sha256 = self._model.sha256
        self.scale = self._model.architecture.scale

    def all(self, pixels: NDArray[np.uint16]) -> Iterator[Enlarged]:
        """The original, and both enlargements, rounded to whole values and saturated as they are written."""
        from ...pipeline import upscale

        yield Enlarged(ORIGINAL, pixels, 1, PIXEL_SPACING)
        fine = PIXEL_SPACING / self.scale
        bicubic = imresize(pixels, self.scale, threads=self._threads)
        yield Enlarged(BICUBIC, np.minimum(bicubic, WHITE), self.scale, fine)
        sr = upscale(pixels, weights=self._model, data_range=WHITE, threads=self._threads, engine=self._engine)
        yield Enlarged(SR, sr, self.scale, fine)
