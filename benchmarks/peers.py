"""Ours and the others, each behind the same two calls: write the model to a file, and read it to run it.

A model is a function: image (H, W) float32 → result (2H, 2W) float32. Reading is timed with the first result, writing
is not.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

Shape = tuple[int, int]
Run = Callable[[np.ndarray], np.ndarray]


class Peer(NamedTuple):
    """Someone who runs the network."""

    name: str
    package: str  #: on PyPI; its version is in the table
    forms: tuple[str, ...]
    write: Callable[[str, Shape, Path], None]  #: form, shape, path
    read: Callable[[str, Shape, Path, int], Run]  #: form, shape, path, threads


def write_ours(form: str, shape: Shape, path: Path) -> None:
    from fsrcnn_np.convert import save_weights

    from .graphs import benchmark_weights

    save_weights(benchmark_weights(), path)


def ours(form: str, shape: Shape, path: Path, threads: int) -> Run:
    from fsrcnn_np.convert import load_weights
    from fsrcnn_np.engine.llvm import forward

    weights = load_weights(path)
    out = np.zeros((2 * shape[0], 2 * shape[1]), np.float32) if form == "out= given" else None
    return lambda image: forward(image, weights, threads=threads, out=out)


def write_torch(form: str, shape: Shape, path: Path) -> None:
    import torch

    from .graphs import benchmark_weights, torch_module

    torch.save(torch_module(benchmark_weights(), rewritten="rewritten" in form), path)


def torch(form: str, shape: Shape, path: Path, threads: int) -> Run:
    import torch

    torch.set_num_threads(threads)
    memory = torch.channels_last if "channels_last" in form else torch.contiguous_format
    module = torch.load(path, weights_only=False).to(memory_format=memory)  # written by ourselves a moment ago

    def run(image: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            low = torch.from_numpy(image)[None, None].to(memory_format=memory)
            return module(low)[0, 0].numpy()

    return run


def write_onnx(form: str, shape: Shape, path: Path) -> None:
    from .graphs import benchmark_weights, onnx_graph

    onnx_graph(benchmark_weights(), path, rewritten=form == "rewritten", shape=shape)


def onnxruntime(form: str, shape: Shape, path: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return lambda image: session.run(None, {"low": image[None, None]})[0][0, 0]


def openvino(form: str, shape: Shape, path: Path, threads: int) -> Run:
    import openvino

    # Where the processor has bfloat16, OpenVINO would use it, and be five orders of magnitude less exact.
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    core = openvino.Core()
    request = core.compile_model(core.read_model(str(path)), "CPU", settings).create_infer_request()
    return lambda image: request.infer([image[None, None]])[0][0, 0]


def opencv(form: str, shape: Shape, path: Path, threads: int) -> Run:
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(str(path))

    def run(image: np.ndarray) -> np.ndarray:
        net.setInput(image[None, None])
        return net.forward()[0, 0]

    return run


GRAPHS = ("as exported", "rewritten")
TORCH = ("eager", "channels_last", "channels_last, rewritten")
PEERS = {
    peer.name: peer
    for peer in (
        Peer("fsrcnn-np", "llvmlite", ("out= given", "new result"), write_ours, ours),
        Peer("OpenVINO", "openvino", GRAPHS, write_onnx, openvino),
        Peer("PyTorch", "torch", TORCH, write_torch, torch),
        Peer("ONNX Runtime", "onnxruntime", GRAPHS, write_onnx, onnxruntime),
        Peer("OpenCV dnn", "opencv-contrib-python-headless", GRAPHS, write_onnx, opencv),
    )
}


def version(package: str) -> str | None:
    """None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
