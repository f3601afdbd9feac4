"""The FSRCNN authors' released models: cells of weights in a MAT-file.

Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016; their release has x2, x3
and x4 of FSRCNN(56,12,4) and of FSRCNN-s, which is (32,5,1). `weights_conv`, `biases_conv` and `prelu_conv` are cells
with an entry a layer: a convolution's weights are (in, k · k, out), k · k down the columns first; the deconvolution's
are (1, 81, d); a PReLU has one slope; the last layer has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..conventions import Fact, Found, Layer

VARIABLES = ("weights_conv", "biases_conv", "prelu_conv")
FORM = "the FSRCNN authors' MAT-file"
_RELEASE = "the FSRCNN authors' release"
_X3 = f"{_RELEASE}: its x3 lies one row and column too far up and left; deconvolution_offset=3 (--align) mends it"


def is_authors(variables: Mapping[str, Any]) -> bool:
    """Whether these variables of a MAT-file are the authors'."""
    return "weights_conv" in variables


def found(variables: Mapping[str, Any], scale: int | None) -> Found:
    """Take the cells apart.

    Parameters
    ----------
    variables : mapping
    scale : int or None
        The scale, where it is known: the cells do not say it.

    Raises
    ------
    WeightsError
        A variable or a layer is missing, or has another form.
    """
    cells = {name: _cells(name, variables.get(name)) for name in VARIABLES}
    count = len(cells["weights_conv"])
    for name, cell in cells.items():
        if len(cell) != count:
            raise WeightsError(f"{name} has {len(cell)} cells and weights_conv {count}; one a layer is expected")
    if count < 5:
        raise WeightsError(
            f"weights_conv has {count} cells; 8 are expected in FSRCNN(56,12,4), 5 in FSRCNN-s (32,5,1): "
            "feature extraction, shrinking, mapping × m, expanding, deconvolution"
        )
    layers = []
    for i, (weight, bias, slope) in enumerate(zip(*cells.values(), strict=True)):
        name = f"cell {i + 1}"
        kernel = _kernel(name, weight)
        last = i == count - 1
        # MATLAB's convolution is (out, in, rows, columns) here; of the deconvolution, its single "in" is the output.
        kernel = kernel.transpose(3, 0, 1, 2)
        layers.append(Layer(name, kernel, _array(name, "biases_conv", bias), _slope(name, slope, last)))
    facts = {
        "border": Fact("replicate", _RELEASE),
        "deconvolution_offset": Fact(4, _X3 if scale == 3 else _RELEASE),
        "value_range": Fact((0.0, 1.0), _RELEASE),
        "input_mean": Fact(0.0, _RELEASE),
    }
    licence = "academic use only (the FSRCNN authors' release)"
    return Found(FORM, tuple(layers[:-1]), layers[-1], facts, licence=licence)


def _cells(name: str, value: Any) -> list[Any]:
    if not isinstance(value, np.ndarray) or value.dtype != object:
        what = "missing" if value is None else f"a {type(value).__name__}, not a cell array"
        raise WeightsError(f"{name} is {what}; the authors' file has the cells {', '.join(VARIABLES)}")
    return list(value.ravel("F"))


def _array(name: str, what: str, value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise WeightsError(f"{what}, {name}: {type(value).__name__} was found; an array of numbers is expected")
    return value if value.dtype.kind == "f" else value.astype(np.float64)


def _kernel(name: str, value: Any) -> np.ndarray:
    """(in, k · k, out) → (in, rows, columns, out); MATLAB drops a trailing dimension of 1."""
    array = _array(name, "weights_conv", value)
    shape = (*array.shape, *[1] * (3 - array.ndim))
    size = round(shape[1] ** 0.5) if len(shape) == 3 else 0
    if size**2 != shape[1] or not size:
        raise WeightsError(
            f"weights_conv, {name} has shape {array.shape}; (in, k·k, out) is expected, (1, 25, 56) in the first"
        )
    return array.reshape(shape[0], size, size, shape[2], order="F")


def _slope(name: str, value: Any, last: bool) -> np.ndarray | None:
    slope = _array(name, "prelu_conv", value)
    if slope.size:
        return slope
    if last:
        return None
    raise WeightsError(f"prelu_conv, {name} is empty; a slope is expected in every cell but the last")
