"""ONNX models ↔ `Weights`; see `chain` for how one is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingExtraError, WeightsError
from ...network.weights import Weights
from ..conventions import MOST_BYTES, ORDERS, Fact, Found, first_line
from ..header import KEY, header_text, parse
from .chain import Chain

#: Operators of the highest opset below 18, in which onnxruntime runs everything written here.
OPSET, IR_VERSION = 17, 8
PIXELS = "Image.BitmapPixelFormat"  #: ONNX's own name (docs/MetadataProps.md) of what a picture is, "Rgb8", say
FIRST_OPSET = 7  #: whose operators have the inputs that are read


def found(path: Path) -> Found:
    """Read an ONNX model.

    Raises
    ------
    MissingExtraError
        `onnx` is not installed.
    WeightsError
        Values outside the file, an operator that no FSRCNN has, a branch, or no FSRCNN.
    """
    onnx = _onnx(f"reading {path}")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise WeightsError(f"{size} bytes are no FSRCNN; at most {MOST_BYTES} are read")
    try:
        model = onnx.load(path, load_external_data=False)
        chain = Chain(onnx, model.graph, list(model.opset_import))
        versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
        latest = onnx.defs.onnx_opset_version()
        if len(versions) != 1 or not FIRST_OPSET <= versions[0] <= latest:
            told = f"names the opset {versions[0]}" if versions else "names no opset"
            chain.notes.append(
                f"the model {told}; {FIRST_OPSET} to {latest} are known: its operators were taken as those are"
            )
        chain.walk()
    except WeightsError:
        raise
    except Exception as error:  # protobuf's errors, and those of nodes without what they have to have, are of any kind
        raise WeightsError(f"no readable ONNX file, or a damaged one ({first_line(error)}); export it again") from None
    described = {entry.key: entry.value for entry in model.metadata_props}
    header, order = described.get(KEY), described.get(PIXELS, "").lower()[:3]
    if order in ORDERS:
        chain.facts["channel_order"] = Fact(order, f"{PIXELS} of the model")
    form = f"an ONNX model{' of fsrcnn-np' if header else ''}"
    return chain.found(form, parse(header) if header else None)


def encoded(weights: Weights) -> bytes:
    """A model with dynamic height and width; a replicate border as Pad nodes of mode "edge".

    Raises
    ------
    MissingExtraError
        `onnx` is not installed.
    """
    onnx = _onnx("writing ONNX")
    helper, scale, channels = onnx.helper, weights.architecture.scale, weights.architecture.channels
    values: dict[str, np.ndarray] = {}
    nodes: list[Any] = []
    at = "low"

    def add(operator: str, name: str, inputs: Mapping[str, np.ndarray], **attributes: Any) -> None:
        nonlocal at
        values.update(inputs)
        nodes.append(helper.make_node(operator, [at, *inputs], [name], name=name, **attributes))
        at = name

    def pad(name: str, by: int) -> None:
        add("Pad", f"{name}/pad", {f"{name}/pads": np.array([0, 0, by, by, 0, 0, by, by], np.int64)}, mode="edge")

    if weights.input_mean:
        add("Sub", "centred", {"input_mean": np.array(weights.input_mean, weights.dtype)})
    for name, (weight, bias, slope) in zip(weights.architecture.layer_names, weights.convolutions, strict=True):
        radius = weight.shape[-1] // 2
        if radius and weights.border == "replicate":
            pad(name, radius)
            radius = 0
        parameters = {f"{name}/weight": weight, f"{name}/bias": bias}
        add("Conv", name, parameters, kernel_shape=weight.shape[2:], pads=[radius] * 4)
        add("PRelu", f"{name}/prelu", {f"{name}/slope": slope[:, None, None]})
    # Output size: scale · (H − 1) + 9 − begin − end + more = scale · H, with H two more under a replicate border.
    begin, end, more = weights.deconvolution_offset, 9 - scale - weights.deconvolution_offset, 0
    if weights.border == "replicate":
        pad("deconvolution", 1)
        begin, end = begin + scale, end + scale
    if end < 0:
        end, more = 0, -end
    weight, bias = weights.deconvolution
    add(
        "ConvTranspose", "high", {"deconvolution/weight": weight, "deconvolution/bias": bias}, kernel_shape=[9, 9],
        strides=[scale] * 2, pads=[begin, begin, end, end], output_padding=[more] * 2,
    )  # fmt: skip
    kind = helper.np_dtype_to_tensor_dtype(weights.dtype)
    graph = helper.make_graph(
        nodes,
        "FSRCNN",
        [helper.make_tensor_value_info("low", kind, ["batch", channels, "height", "width"])],
        [helper.make_tensor_value_info("high", kind, ["batch", channels, f"{scale}*height", f"{scale}*width"])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="fsrcnn-np")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, {KEY: header_text(weights)} | ({PIXELS: "Rgb8"} if channels == 3 else {}))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _onnx(what: str) -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError:
        raise MissingExtraError(f"{what} needs onnx: pip install 'fsrcnn-np[onnx]'") from None
    return onnx
