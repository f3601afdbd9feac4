"""A built-in picture that shows whether a converted model does what a super-resolution network has to: beat bicubic.

A kernel that is transposed, flipped or in the wrong order has a legal shape; only a picture tells.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..engine import engine_named
from ..images.imresize import imresize
from ..images.quality import psnr
from ..network.channels import of_grey
from ..network.weights import Weights

#: Low-resolution side. Small enough for a dozen runs of any engine.
SIDE = 64
#: dB where the output has values that are no numbers.
_NOTHING = -99.0
#: dB by which a changed model has to be better before it is called the likely one.
_CLEARLY = 0.3


@dataclass(frozen=True)
class Row:
    """PSNR in dB on the probe picture, reduced in one way."""

    reduced_by: str  #: "bicubic" or "binning"
    model: float
    bicubic: float


@dataclass(frozen=True)
class Probe:
    """What the probe found.

    Attributes
    ----------
    rows : tuple of Row
        The model beside bicubic interpolation, on the picture reduced by MATLAB's bicubic and by binning: models are
        trained on either.
    better : mapping
        What raises the PSNR clearly where it is done to the model, and to what; best first.
    """

    rows: tuple[Row, ...]
    better: dict[str, float]

    @property
    def suspicious(self) -> bool:
        """Lower than bicubic on both reductions, or clearly better when changed."""
        return all(row.model < row.bicubic for row in self.rows) or bool(self.better)

    @property
    def warning(self) -> str:
        """One line, empty where nothing is suspicious."""
        if not self.suspicious:
            return ""
        below = all(row.model < row.bicubic for row in self.rows)
        what = "the model is worse than bicubic on the probe picture" if below else "the model could be better"
        if not self.better:
            return f"{what}: a legal shape does not exclude a wrong order of axes, border or range; check the export"
        change, psnr = next(iter(self.better.items()))
        best = max(row.model for row in self.rows)
        return f"{what}: {psnr:.2f} dB instead of {best:.2f} with {change}; is it meant so?"


def probe(weights: Weights) -> Probe:
    """Run the model on the probe picture, and look whether a changed one would do better."""
    scale = weights.architecture.scale
    cases = {how: reduced(scale, how) for how in ("bicubic", "binning")}
    rows = tuple(Row(how, _psnr(weights, low), _bicubic(low, scale)) for how, low in cases.items())
    best = max(rows, key=lambda row: row.model - row.bicubic)
    low = cases[best.reduced_by]
    found = {name: _psnr(changed, low) for name, changed in _changed(weights)}
    better = {name: psnr for name, psnr in found.items() if psnr > best.model + _CLEARLY}
    return Probe(rows, dict(sorted(better.items(), key=lambda item: -item[1])))


@functools.cache
def picture(scale: int) -> np.ndarray:
    """The probe picture in [0, 1], `SIDE · scale` square: shading, discs, slanted bars, strokes and rings.

    Sampled four times as finely and averaged, so that its edges are as sharp as a photograph's.
    """
    side = SIDE * scale
    fine = (np.arange(4 * side) + 0.5) / (4 * side)
    y, x = fine[:, None], fine[None, :]
    canvas = 0.35 + 0.25 * y + 0.15 * np.sin(5 * x + 2 * y)
    for row, column, radius, grey in ((0.22, 0.25, 0.16, 0.85), (0.25, 0.29, 0.07, 0.2), (0.62, 0.18, 0.1, 0.95)):
        canvas[(y - row) ** 2 + (x - column) ** 2 < radius**2] = grey
    bars = ((0.3, 0.05, 0.9), (0.3, 0.12, 0.15), (1.7, -0.75, 0.8), (0.12, 0.83, 0.95), (0.2, 0.86, 0.1))
    for slope, shift, grey in bars:
        canvas[np.abs(y - slope * x - shift) < 0.012 * np.hypot(1, slope)] = grey
    rings = np.hypot(y - 0.3, x - 0.75)
    canvas = np.where(rings < 0.2, 0.5 + 0.4 * np.sign(np.sin(40 * np.pi * rings**1.3)), canvas)
    strokes = (y > 0.62) & (y < 0.8) & (x > 0.4) & (x < 0.95)
    pattern = (np.sin(70 * x + 30 * np.floor(9 * y)) > 0.3) & (np.sin(95 * y) > -0.7)
    canvas = np.where(strokes, np.where(pattern, 0.1, 0.92), canvas)
    return canvas.reshape(side, 4, side, 4).mean((1, 3))


def reduced(scale: int, how: str) -> np.ndarray:
    """The probe picture at low resolution, by MATLAB's "bicubic" or by "binning"."""
    high = picture(scale)
    if how == "bicubic":
        return imresize(high, 1 / scale)
    return high.reshape(SIDE, scale, SIDE, scale).mean((1, 3))


def _bicubic(low: np.ndarray, scale: int) -> float:
    return _decibel(imresize(low, scale), scale)


def _psnr(weights: Weights, low: np.ndarray) -> float:
    start, end = weights.value_range
    with np.errstate(all="ignore"):  # a model that is none may overflow
        high = of_grey(engine_named(None).forward, (start + (end - start) * low).astype(np.float32), weights)
        high = high.astype(np.float64)
        return _decibel((high - start) / (end - start), weights.architecture.scale)


def _decibel(high: np.ndarray, scale: int) -> float:
    """PSNR with peak 1, the whole picture: a wrong border is to be seen."""
    found = psnr(np.clip(high, 0, 1), picture(scale), data_range=1)
    return found if np.isfinite(found) else _NOTHING


def _changed(weights: Weights) -> Iterator[tuple[str, Weights]]:
    """Models that a file could have meant."""
    names = weights.architecture.layer_names
    spatial = [i for i, layer in enumerate(weights.convolutions) if layer.weight.shape[-1] > 1]
    last = weights.deconvolution

    def with_kernels(which: list[int], change: str) -> Weights:
        layers = list(weights.convolutions)
        for i in which:
            kernel = layers[i].weight
            kernel = kernel.swapaxes(2, 3) if change == "transposed" else kernel[:, :, ::-1, ::-1]
            layers[i] = layers[i]._replace(weight=kernel)
        return replace(weights, convolutions=tuple(layers))

    for change in ("transposed", "turned by 180°"):
        for i in spatial:
            yield f"the kernel of {names[i]} {change}", with_kernels([i], change)
        yield f"the kernels of all convolutions {change}", with_kernels(spatial, change)
    turned = {"transposed": last.weight.swapaxes(2, 3), "turned by 180°": last.weight[:, :, ::-1, ::-1]}
    for change, kernel in turned.items():
        yield f"the kernel of deconvolution {change}", replace(weights, deconvolution=last._replace(weight=kernel))
    other = "zero" if weights.border == "replicate" else "replicate"
    yield f"border={other!r} (--border {other})", replace(weights, border=other)
    for offset in {3, 4} - {weights.deconvolution_offset}:
        what = f"deconvolution_offset={offset} (--offset {offset})"
        yield what, replace(weights, deconvolution_offset=offset)
    if weights.value_range == (0.0, 1.0):
        yield "value_range=(0, 255) (--value-range 0 255)", replace(weights, value_range=(0.0, 255.0))
