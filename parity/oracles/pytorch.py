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
    """The result of every layer, with the names of matlab/fsrcnn_steps.m."""
    import torch
    from torch.nn import functional as F

    def double(array: Any) -> torch.Tensor:
        return torch.from_numpy(np.array(array, np.float64))

    fields = vector.inputs
    scale, offset, mean = (float(np.ravel(fields[name])[0]) for name in ("scale", "offset", "input_mean"))
    mode = {"replicate": "replicate", "zero": "constant"}[str(fields["border"])]
    x = double(vector.image)[None, None] - mean
    out = {}
    for name, weight, bias, slope in zip(
        fields["names"], fields["weights"], fields["biases"], fields["slopes"], strict=False
    ):
        kernel = double(weight)
        kernel = kernel.reshape(*kernel.shape, *(1,) * (4 - kernel.ndim))
        radius = kernel.shape[-1] // 2
        padded = F.pad(x, (radius,) * 4, mode=mode) if radius else x
        x = F.prelu(F.conv2d(padded, kernel, double(bias).ravel()), double(slope).ravel())
        out[name] = x[0].numpy()
    ring = mode == "replicate"
    if ring:
        x = F.pad(x, (1, 1, 1, 1), mode=mode)
    whole = F.conv_transpose2d(x, double(fields["weights"][-1]).reshape(-1, 1, 9, 9), stride=int(scale))[0, 0]
    bias = float(np.ravel(fields["biases"][-1])[0])
    first = int(offset + scale * ring)
    height, width = (int(scale) * n for n in vector.image.shape)
    # A kernel can end before the image does: nothing is stamped there.
    whole = F.pad(whole, (0, 16, 0, 16))
    out["deconvolution"] = whole[first : first + height, first : first + width].numpy() + bias
    return out
