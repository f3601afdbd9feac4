"""A training checkpoint's parameters as the library's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsrcnn_np import Architecture, Convolution, Deconvolution, Weights


def model_of(network: Mapping[str, Any], *, scale: int = 2, **facts: Any) -> Weights:
    """The model of a `train.FSRCNN` state dict; `facts` are further fields of `Weights`."""
    found = {name: tensor.cpu().numpy() for name, tensor in network.items()}
    layers = sum(name.startswith("slopes.") for name in found)
    convolutions = tuple(
        Convolution(found[f"convolutions.{i}.weight"], found[f"convolutions.{i}.bias"], found[f"slopes.{i}"])
        for i in range(layers)
    )
    d, s, m = convolutions[0].weight.shape[0], convolutions[1].weight.shape[0], layers - 3
    return Weights(
        architecture=Architecture(d, s, m, scale),
        border="replicate",
        convolutions=convolutions,
        deconvolution=Deconvolution(found["deconvolution"], found["deconvolution_bias"]),
        value_range=(0.0, 1.0),
        **facts,
    )
