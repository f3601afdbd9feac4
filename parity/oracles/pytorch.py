"""PyTorch running the network layer by layer, in float64."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..store import RUN_NOW, Goldens, Vector

HOW_TO = "install PyTorch (pip install 'fsrcnn-np[torch]') and run again"


def available() -> bool:
    """Whether PyTorch is installed."""
    return find_spec("torch") is not None


def run(vectors: Iterable[Vector]) -> Goldens:
    """All network vectors, now."""
    import torch

    with torch.no_grad():
        results = {vector.id: network(vector) for vector in vectors if vector.kind == "network"}
    return Goldens("PyTorch", torch.__version__, RUN_NOW, results)


def network(vector: Vector) -> dict[str, Any]:
    """The result of every layer, with the names of matlab/fsrcnn_steps.m, by the module that `convert` ships."""
    import torch
    from torch import nn

    from fsrcnn_np.convert.torch.module import FSRCNN

    def double(array: Any) -> torch.Tensor:
        return torch.from_numpy(np.array(array, np.float64))

    fields = vector.inputs
    scale, offset, mean = (float(np.ravel(fields[name])[0]) for name in ("scale", "offset", "input_mean"))
    *weights, last = fields["weights"]
    slopes = [double(slope).ravel() for slope in fields["slopes"]]
    module = FSRCNN(
        len(weights[0]), len(weights[1]), len(weights) - 3, int(scale), border=str(fields["border"]),
        deconvolution_offset=int(offset), input_mean=mean, slopes=[len(slope) for slope in slopes],
    ).double()  # fmt: skip
    blocks = [part for part in module.modules() if isinstance(part, nn.Conv2d | nn.PReLU)]
    x, out = double(vector.image)[None, None] - mean, {}
    for i, name in enumerate(fields["names"][: len(weights)]):
        convolution, prelu = blocks[2 * i : 2 * i + 2]
        convolution.weight.data = double(weights[i]).reshape(convolution.weight.shape)
        convolution.bias.data, prelu.weight.data = double(fields["biases"][i]).ravel(), slopes[i]
        x = prelu(convolution(x))
        out[name] = x[0].numpy()
    module.deconv.weight.data = double(last).reshape(-1, 1, 9, 9)
    module.deconv.bias.data = double(fields["biases"][-1]).ravel()
    out["deconvolution"] = module(double(vector.image)[None, None])[0, 0].numpy()
    return out
