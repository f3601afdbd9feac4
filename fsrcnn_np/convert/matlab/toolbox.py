"""Layers of MATLAB's Deep Learning Toolbox, as mappings of their properties → `Found`.

They come from network objects and from the structs that `weights/matlab/export_fsrcnn_weights.m` writes. Weights are
(rows, columns, in, out) in `Convolution2DLayer` and (rows, columns, filters, channels), that is out and in, in
`TransposedConvolution2DLayer`; trailing dimensions of 1 are dropped. What is a layer of which kind is told by its
properties, since a file keeps no class for each layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..conventions import Fact, Found, Layer, offset_fact

Properties = Mapping[str, Any]

INPUT, CONVOLUTION, DECONVOLUTION, PRELU, OUTPUT = (
    "input", "convolution", "transposed convolution", "PReLU", "output",
)  # fmt: skip
#: The first that has all of its properties is the layer's kind.
_KINDS = (
    (INPUT, ("InputSize", "Normalization")),
    (DECONVOLUTION, ("Weights", "CroppingMode")),
    (DECONVOLUTION, ("Weights", "CroppingSize")),
    (DECONVOLUTION, ("Weights", "Cropping")),
    ("grouped convolution", ("Weights", "NumGroups")),
    (CONVOLUTION, ("Weights", "FilterSize")),
    ("fully connected layer", ("Weights", "OutputSize")),
    (CONVOLUTION, ("Weights", "Bias")),
    ("batch normalization", ("TrainedMean",)),
    ("pooling", ("PoolSize",)),
    (PRELU, ("Alpha",)),
    ("classification output", ("Categories",)),
    ("classification output", ("Classes",)),
    (OUTPUT, ("ResponseNames",)),
    (OUTPUT, ("LossFunction",)),
    ("softmax", ("VectorFormat",)),
    ("layer without parameters (ReLU, say)", ("Name",)),
)
_OURS = (INPUT, CONVOLUTION, DECONVOLUTION, PRELU, OUTPUT)


def kind(layer: Properties) -> str:
    """What a layer is, in words; "unknown layer" where its properties do not tell."""
    return next((name for name, needed in _KINDS if all(key in layer for key in needed)), "unknown layer")


def listing(layers: Sequence[Properties]) -> str:
    """All layers in one line: `conv_1: convolution 3×3×1×8`."""
    return ", ".join(f"{name_of(layer, i)}: {_described(layer)}" for i, layer in enumerate(layers))


def found(layers: Sequence[Properties], form: str) -> Found:
    """Read an FSRCNN off the layers.

    Raises
    ------
    WeightsError
        A layer of a kind that an FSRCNN has not, or with a stride, padding or normalisation that it has not; the
        message lists all layers.
    """
    for i, layer in enumerate(layers):
        if kind(layer) not in _OURS:
            raise WeightsError(
                f"{name_of(layer, i)} is a {kind(layer)}; an FSRCNN is made of an image input, convolutions with a "
                f"PReLU each, and a transposed convolution, so this network is none; its layers: {listing(layers)}"
            )
    convolutions: list[Layer] = []
    last: Layer | None = None
    facts: dict[str, Fact] = {"input_mean": Fact(0.0, "the network has no input layer that subtracts one")}
    paddings: dict[str, str] = {}
    notes: list[str] = []
    for i, layer in enumerate(layers):
        name, what = name_of(layer, i), kind(layer)
        if what == INPUT:
            facts["input_mean"] = _input_mean(layer, name)
        elif what == OUTPUT:
            continue
        elif last is not None:
            raise WeightsError(
                f"{name} comes after the transposed convolution, where an FSRCNN ends: {listing(layers)}"
                "; save the network without it"
            )
        elif what == PRELU:
            if not convolutions or convolutions[-1].slope is not None:
                raise WeightsError(f"{name} does not follow a convolution; the layers: {listing(layers)}")
            convolutions[-1] = convolutions[-1]._replace(slope=numbers(layer, "Alpha", name))
        else:
            weight = kernel(layer, name)
            now = Layer(name, weight, numbers(layer, "Bias", name).reshape(-1))
            if what == CONVOLUTION:
                convolutions.append(now)
                if weight.shape[-1] > 1:
                    paddings[_border(layer, name, weight.shape[-2:])] = name
                _all_one(layer, "Stride", name)
                _all_one(layer, "DilationFactor", name)
            else:
                last = now
                facts["scale"] = _scale(layer, name)
                facts["deconvolution_offset"] = _offset(layer, name, facts["scale"].value, notes)
    if last is None:
        raise WeightsError(f"there is no transposed convolution; the layers: {listing(layers)}")
    facts["border"] = _agreed(paddings)
    return Found(form, tuple(convolutions), last, facts, tuple(notes))


def name_of(layer: Properties, index: int) -> str:
    """The layer's own name, or its number."""
    name = layer.get("Name")
    return name if isinstance(name, str) and name else f"layer {index + 1}"


def _described(layer: Properties) -> str:
    what = kind(layer)
    for key in ("Weights", "InputSize"):
        value = _value(layer.get(key))
        if isinstance(value, np.ndarray) and value.size:
            shape = value.shape if key == "Weights" else value.ravel().astype(int)
            return f"{what} {'×'.join(map(str, shape))}"
    return what


def _value(item: Any) -> Any:
    """A learnable parameter is kept as a struct with a field Value."""
    return item["Value"] if isinstance(item, Mapping) and "Value" in item else item


def numbers(layer: Properties, key: str, name: str) -> np.ndarray:
    """A parameter that has to be there."""
    value = _value(layer.get(key))
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not value.size:
        shape = getattr(value, "shape", type(value).__name__)
        raise WeightsError(
            f"{name}: {key} is {shape if value is not None else 'missing'}; numbers are expected: "
            "an untrained network, or layers without values? Save the trained network"
        )
    return value


def _list(layer: Properties, key: str) -> list[float]:
    value = layer.get(key)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        return [float(v) for v in value.ravel()]
    return []


def _text(layer: Properties, key: str) -> str:
    value = layer.get(key)
    return value if isinstance(value, str) else ""


def kernel(layer: Properties, name: str) -> np.ndarray:
    """(rows, columns, in, out) → (out, in, rows, columns); of a deconvolution (…, out, in) → (in, out, …)."""
    weight = numbers(layer, "Weights", name)
    if weight.ndim > 4:
        raise WeightsError(f"{name}: Weights have shape {weight.shape}; rows×columns×in×out is expected, ungrouped")
    return weight.reshape(weight.shape + (1,) * (4 - weight.ndim)).transpose(3, 2, 0, 1)


def _all_one(layer: Properties, key: str, name: str) -> None:
    if any(v != 1 for v in _list(layer, key)):
        raise WeightsError(f"{name}: {key} is {_list(layer, key)}; an FSRCNN's convolutions have 1")


def _border(layer: Properties, name: str, size: tuple[int, ...]) -> str:
    """What a convolution sees outside the image, "zero" or "replicate"."""
    padding = _list(layer, "PaddingSize") or _list(layer, "Padding")
    wanted = [float(n // 2) for n in size for _ in range(2)]
    if _text(layer, "PaddingMode") != "same" and padding != wanted:
        raise WeightsError(f"{name}: padding is {padding}; 'same' is expected, which keeps the size: {wanted}")
    value = layer.get("PaddingValue", 0)
    if isinstance(value, np.ndarray):
        value = value.item() if value.size == 1 else 0 if not value.size else None
    if value not in (0, "replicate"):
        raise WeightsError(f"{name}: PaddingValue is {value!r}; an FSRCNN's is 0 or 'replicate' here")
    return "zero" if value == 0 else "replicate"


def _agreed(paddings: Mapping[str, str]) -> Fact:
    """The transposed convolution of the toolbox sees zeros outside, so a replicate border cannot be its own."""
    if set(paddings) == {"zero"}:
        return Fact("zero", "PaddingValue of the convolutions")
    which = "; ".join(f"{name} pads with {border}" for border, name in paddings.items())
    return Fact(None, f"{which}; the transposed convolution sees zeros; here all layers have the same border")


def _scale(layer: Properties, name: str) -> Fact:
    stride = _list(layer, "Stride")
    if not stride or len(set(stride)) > 1 or stride[0] not in (2, 3, 4):
        raise WeightsError(f"{name}: Stride is {stride}; the scale, 2, 3 or 4, is expected in both directions")
    return Fact(int(stride[0]), f"Stride of {name}")


def _offset(layer: Properties, name: str, scale: int, notes: list[str]) -> Fact:
    """What is cropped above and to the left."""
    if _text(layer, "CroppingMode") == "same":
        # MATLAB crops the odd row, if there is one, at the bottom.
        return Fact((9 - scale) // 2, f"Cropping 'same' of {name}")
    crop = _list(layer, "CroppingSize") or _list(layer, "Cropping")
    crop = {1: crop * 4, 2: [v for v in crop for _ in range(2)]}.get(len(crop), crop)
    if len(crop) != 4 or crop[0] != crop[2]:
        raise WeightsError(f"{name}: CroppingSize is {crop}; the same above and to the left is expected")
    rows, columns = (9 - scale - int(crop[0] + cropped) for cropped in (crop[1], crop[3]))
    return offset_fact(int(crop[0]), f"CroppingSize of {name}", name, (rows, columns), notes)


def _input_mean(layer: Properties, name: str) -> Fact:
    """The mean that the input layer subtracts; of a mean image, its mean."""
    size = _list(layer, "InputSize")
    if len(size) == 3 and size[2] not in (1, 3):
        raise WeightsError(f"{name} takes {int(size[2])} channels; 1 (grey) and 3 (RGB) are read")
    normalization = layer["Normalization"]
    inner: Properties = normalization if isinstance(normalization, Mapping) else {}
    method = _text(inner, "Type") or (normalization if isinstance(normalization, str) else "")
    if method in ("", "none"):
        return Fact(0.0, f"{name} does not normalise")
    if method != "zerocenter":
        raise WeightsError(f"{name} normalises by {method!r}; allowed are 'none' and 'zerocenter' (a mean subtracted)")
    for source in (layer, inner):
        for key in ("Mean", "AverageImage"):
            mean = source.get(key)
            if isinstance(mean, np.ndarray) and mean.dtype.kind == "f" and mean.size:
                return _mean_of(mean.astype(np.float64), f"{key} of {name}")
    return Fact(None, f"{name} subtracts a mean ('zerocenter') that the file does not hold")


def _mean_of(mean: np.ndarray, source: str) -> Fact:
    low, high = float(mean.min()), float(mean.max())
    if low == high:
        return Fact(low, source)
    shape = "×".join(map(str, mean.shape))
    if mean.ndim == 3 and mean.shape[2] == 3 and np.ptp(mean.mean((0, 1))):
        return Fact(None, f"{source}, {shape}, differs from channel to channel, and one for all is read")
    return Fact(float(mean.mean()), f"the mean of {source}, {shape} with values {low:.4g} to {high:.4g}", assumed=True)
