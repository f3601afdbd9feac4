"""One network in the forms that the peers read: as it is exported, and as a smart user rewrites it.

The rewrite: a transposed 9×9 convolution of stride s to one channel is a convolution of size 2r + 1 to s² channels and
a pixel shuffle. Output row s·i + p takes feature row i + dy through kernel row p + offset − s·dy, and columns likewise.

Peers get a zero border, which their convolutions have built in; ours is timed with the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fsrcnn_np.convert import load_weights, save_weights
from fsrcnn_np.network.weights import Weights


def benchmark_weights() -> Weights:
    """The shipped x2 model, float32, with a zero border."""
    return replace(load_weights("x2").astype(np.float32), border="zero")


def shuffled_deconvolution(weights: Weights) -> np.ndarray:
    """The deconvolution as a convolution: (s², d, 2r + 1, 2r + 1)."""
    scale, offset, reach = weights.architecture.scale, weights.deconvolution_offset, weights.reach
    kernel = weights.deconvolution.weight[:, 0]
    result = np.zeros((scale, scale, len(kernel), 2 * reach + 1, 2 * reach + 1), kernel.dtype)
    taps = [(p, dy, p + offset - scale * dy) for p in range(scale) for dy in range(-reach, reach + 1)]
    for p, dy, ky in taps:
        for q, dx, kx in taps:
            if 0 <= ky <= 8 and 0 <= kx <= 8:
                result[p, q, :, dy + reach, dx + reach] = kernel[:, ky, kx]
    return result.reshape(scale * scale, *result.shape[2:])


def onnx_graph(weights: Weights, path: Path, *, rewritten: bool, shape: tuple[int, int] | None = None) -> None:
    """Write the network as ONNX, with free or with fixed height and width."""
    import onnx
    from onnx import helper, numpy_helper

    save_weights(weights, path, overwrite=True)
    model = onnx.load(path)
    graph = model.graph
    if rewritten:
        last = graph.node[-1]
        assert last.op_type == "ConvTranspose"
        kernel = shuffled_deconvolution(weights)
        reach = kernel.shape[-1] // 2
        bias = np.repeat(weights.deconvolution.bias, len(kernel))
        graph.initializer.extend([numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(bias, "biases")])
        convolution = helper.make_node("Conv", [last.input[0], "kernel", "biases"], ["phases"], pads=[reach] * 4)
        shuffle = helper.make_node(
            "DepthToSpace", ["phases"], [last.output[0]], blocksize=weights.architecture.scale, mode="CRD"
        )
        del graph.node[-1]
        graph.node.extend([convolution, shuffle])
    if shape is not None:
        for value, factor in ((graph.input[0], 1), (graph.output[0], weights.architecture.scale)):
            for dim, size in zip(value.type.tensor_type.shape.dim, (1, 1, *shape), strict=True):
                dim.ClearField("dim_param")
                dim.dim_value = size if size == 1 else size * factor
    onnx.save(model, path)


def torch_module(weights: Weights, *, rewritten: bool) -> Any:
    """The network as a PyTorch module."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for weight, bias, slope in weights.convolutions:
        out, in_, size, _ = weight.shape
        convolution, prelu = nn.Conv2d(in_, out, size, padding=size // 2), nn.PReLU(len(slope))
        for parameter, value in ((convolution.weight, weight), (convolution.bias, bias), (prelu.weight, slope)):
            parameter.data = torch.from_numpy(value.copy())
        layers += [convolution, prelu]
    d, scale = weights.architecture.d, weights.architecture.scale
    kernel, bias = weights.deconvolution
    if rewritten:
        kernel = shuffled_deconvolution(weights)
        bias = np.repeat(bias, len(kernel))
        last: nn.Module = nn.Conv2d(d, len(kernel), kernel.shape[-1], padding=kernel.shape[-1] // 2)
    else:
        offset = weights.deconvolution_offset
        last = nn.ConvTranspose2d(d, 1, 9, stride=scale, padding=offset, output_padding=2 * offset + scale - 9)
    last.weight.data, last.bias.data = torch.from_numpy(kernel.copy()), torch.from_numpy(bias.copy())
    return nn.Sequential(*layers, last, *([nn.PixelShuffle(scale)] if rewritten else [])).eval()
