"""The MATLAB struct `fsrcnn`, as `weights/matlab/export_fsrcnn_weights.m` writes it, and as this package does.

fsrcnn.format       'fsrcnn-np weights'
fsrcnn.schema       1
fsrcnn.layers       cell row of scalar structs, a layer each, with the toolbox's properties: Name, Weights, Bias,
                    Alpha, Stride, Padding…, Cropping…, Normalization, Mean
fsrcnn.header       JSON text, in files of this package only: border, offset, range, licence, provenance, sha256
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...network.weights import Weights
from ..conventions import Fact, Found, Layer
from ..header import FORMAT, SCHEMA, header_text, parse
from . import toolbox
from .script import export_script

VARIABLE = "fsrcnn"
FORM = "a MATLAB struct of export_fsrcnn_weights.m"


def is_struct(variables: Mapping[str, Any]) -> bool:
    """Whether a variable `fsrcnn` with our format is there."""
    struct = variables.get(VARIABLE)
    return isinstance(struct, Mapping) and struct.get("format") == FORMAT


def found(variables: Mapping[str, Any]) -> Found:
    """Read the struct's layers.

    Raises
    ------
    WeightsError
        Another schema, or layers that are none of an FSRCNN.
    """
    struct = variables[VARIABLE]
    schema = struct.get("schema")
    if not isinstance(schema, np.ndarray) or schema.size != 1 or schema.item() != SCHEMA:
        raise WeightsError(f"fsrcnn.schema is {schema!r:.40}; this version reads {SCHEMA}: update fsrcnn-np")
    cell = struct.get("layers")
    if not isinstance(cell, np.ndarray) or cell.dtype != object or not all(isinstance(v, Mapping) for v in cell.flat):
        raise WeightsError(f"fsrcnn.layers is no cell array of structs; export it again with {export_script()}")
    layers = list(cell.ravel("F"))
    if isinstance(struct.get("header"), str):
        return _own(layers, struct["header"])
    result = toolbox.found(layers, FORM)
    if (span := struct.get("value_range")) is not None and np.size(span) == 2:
        low, high = (float(v) for v in np.ravel(span))
        return Found(
            result.form, result.layers, result.last,
            {**result.facts, "value_range": Fact((low, high), "fsrcnn.value_range")}, result.notes,
        )  # fmt: skip
    return result


_HEAD = b"MATLAB 5.0 MAT-file, written by fsrcnn-np".ljust(116)  # level 5's descriptive text


def encoded(weights: Weights) -> bytes:
    """A -v7 MAT-file with the struct."""
    from scipy.io import savemat

    layers = np.empty((1, 2 * len(weights.convolutions) + 1), object)
    for i, (name, (weight, bias, slope)) in enumerate(
        zip(weights.architecture.layer_names, weights.convolutions, strict=True)
    ):
        layers[0, 2 * i] = {
            "Name": name, "FilterSize": np.array([weight.shape[2:]], float), "Weights": weight.transpose(2, 3, 1, 0),
            "Bias": bias[None, None], "Stride": np.ones((1, 2)), "PaddingMode": "same",
            "PaddingValue": 0.0 if weights.border == "zero" else "replicate",
        }  # fmt: skip
        layers[0, 2 * i + 1] = {"Name": f"{name}_prelu", "Alpha": slope[None, None]}
    weight, bias = weights.deconvolution
    scale, top = weights.architecture.scale, weights.deconvolution_offset
    crop = [[top, 9 - scale - top, top, 9 - scale - top]]
    layers[0, -1] = {
        "Name": "deconvolution", "FilterSize": np.array([[9.0, 9.0]]), "Weights": weight.transpose(2, 3, 1, 0),
        "Bias": bias[None, None], "Stride": np.full((1, 2), float(scale)), "CroppingMode": "manual",
        "CroppingSize": np.array(crop, float),
    }  # fmt: skip
    struct = {"format": FORMAT, "schema": float(SCHEMA), "layers": layers, "header": header_text(weights)}
    written = io.BytesIO()
    savemat(written, {VARIABLE: struct}, do_compression=True, long_field_names=True)
    data = bytearray(written.getvalue())
    data[: len(_HEAD)] = _HEAD  # SciPy's says when it was written: the same model gives the same bytes
    return bytes(data)


def _own(layers: list[Mapping[str, Any]], text: str) -> Found:
    """What `encoded` wrote: convolutions and PReLUs in turn, the deconvolution, and the convention in the header."""
    kernels = [layer for layer in layers if "Weights" in layer]
    slopes = [layer for layer in layers if "Alpha" in layer]
    if len(slopes) != len(kernels) - 1:
        raise WeightsError(
            f"fsrcnn.layers: {len(kernels)} with Weights and {len(slopes)} with Alpha are no FSRCNN"
            "; export the network again"
        )
    read = [
        Layer(
            toolbox.name_of(layer, i), toolbox.kernel(layer, f"layer {i + 1}"),
            toolbox.numbers(layer, "Bias", f"layer {i + 1}").reshape(-1),
            toolbox.numbers(slopes[i], "Alpha", f"slope {i + 1}") if i < len(slopes) else None,
        )
        for i, layer in enumerate(kernels)
    ]  # fmt: skip
    return Found("a MATLAB struct of fsrcnn-np", tuple(read[:-1]), read[-1], header=parse(text))
