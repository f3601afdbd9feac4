"""A frozen graph, followed from its output back to its input.

The FSRCNN that OpenCV's dnn_superres names (github.com/Saafke/FSRCNN_Tensorflow) is convolutions with SAME padding,
biases added, PReLUs spelled out, and at the end a convolution with DepthToSpace. Keras' Conv2DTranspose is read too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..activation import OPERATORS, PLAIN, Sides, combined, slope_of
from ..conventions import MOST_BYTES, Fact, Found, Layer
from ..subpixel import from_subpixel
from .graph import Node, nodes_of, tensor

_PASSED = ("Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Transpose", "Squeeze", "ExpandDims")
_ADDS = ("Add", "AddV2", "BiasAdd")
_MOST_DEPTH = 100  # of the operations between two convolutions
_MADE_OF = "an FSRCNN is made of Conv2D, biases, PReLUs and, at the end, DepthToSpace or Conv2DBackpropInput"


def found(path: Path) -> Found:
    """Read a frozen graph.

    Raises
    ------
    WeightsError
        Damaged, variables that were not frozen, an operation that no FSRCNN has, or no FSRCNN.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise WeightsError(f"{size} bytes are no FSRCNN; at most {MOST_BYTES} are read")
    return _Graph(nodes_of(memoryview(path.read_bytes()))).found()


def _bare(name: str) -> str:
    """A node's name without the number of its output."""
    return name.removeprefix("^").partition(":")[0]


class _Graph:
    def __init__(self, nodes: dict[str, Node]):
        self.nodes = nodes
        self.notes: list[str] = []

    def node(self, name: str) -> Node:
        """The node that makes this value, Identity and the like skipped."""
        for _ in range(len(self.nodes)):
            if _bare(name) not in self.nodes:
                raise WeightsError(f"the graph has no node {_bare(name)!r}; a damaged model: export it again")
            node = self.nodes[_bare(name)]
            if node.op not in _PASSED or not node.inputs:
                return node
            name = node.inputs[0]
        raise WeightsError(f"the node {_bare(name)} is its own input; a damaged model: export it again")

    def constant(self, name: str) -> np.ndarray | None:
        node = self.node(name)
        if node.op.startswith(("Variable", "VarHandle", "ReadVariable")):
            raise WeightsError(
                f"{node.name} is a variable, and its values are not in the graph; freeze it first "
                "(convert_variables_to_constants), or make an ONNX model of it with tf2onnx"
            )
        data = node.attributes.get("value")
        return tensor(node.name, data) if node.op == "Const" and isinstance(data, memoryview) else None

    def parameter(self, node: Node, index: int, what: str) -> np.ndarray:
        value = self.constant(node.inputs[index]) if len(node.inputs) > index else None
        if value is None:
            raise WeightsError(f"{node.name} has no constant {what}; freeze the trained model, unquantised")
        return value

    def biased(self, node: Node) -> tuple[Node, np.ndarray | None]:
        """What a bias is added to, and the bias."""
        if node.op not in _ADDS or len(node.inputs) != 2:
            return node, None
        for one, other in (node.inputs, node.inputs[::-1]):
            if (bias := self.constant(other)) is not None:
                return self.node(one), bias
        return node, None

    def end(self) -> Node:
        used = {_bare(name) for node in self.nodes.values() for name in node.inputs}
        ends = [node for name, node in self.nodes.items() if name not in used and node.op not in ("Const", "NoOp")]
        if len(ends) != 1:
            names = ", ".join(f"{node.op} {node.name}" for node in ends[:4]) or "none"
            raise WeightsError(f"{len(ends)} outputs were found ({names}); an FSRCNN has one picture")
        return self.node(ends[0].name)

    def found(self) -> Found:
        last, facts, name = self.last(*self.biased(self.end()))
        layers: list[Layer] = []
        while (node := self.node(name)).op != "Placeholder":
            if len(layers) > 100:
                raise WeightsError("more than 100 layers are no FSRCNN; give the file of an FSRCNN")
            slope, node = self.activation(name)
            node, bias = self.biased(node)
            layers.append(self.convolution(node, bias)._replace(slope=slope))
            name = node.inputs[0]
        return Found("a frozen TensorFlow graph", tuple(layers[::-1]), last, facts, tuple(self.notes))

    def last(self, node: Node, bias: np.ndarray | None) -> tuple[Layer, dict[str, Fact], str]:
        """The deconvolution, in either clothing, with its facts and the name of what it sees."""
        facts = {
            "input_mean": Fact(0.0, "nothing is subtracted from the input"),
            "border": Fact("zero", f"SAME padding of {node.name}"),
        }
        if node.op == "DepthToSpace":
            block = node.attributes.get("block_size")
            if not isinstance(block, int):
                raise WeightsError(f"{node.name} has the block_size {block!r}; a whole number is expected")
            if len(node.inputs) != 1:
                raise WeightsError(f"{node.name} has {len(node.inputs)} inputs; one is expected")
            inner, own = self.biased(self.node(node.inputs[0]))
            convolution = self.convolution(inner, own)
            channels = 3 if convolution.weight.shape[0] == 3 * block**2 else 1
            begin = (convolution.weight.shape[2] - 1) // 2
            layer, scale, offset = from_subpixel(convolution, begin, channels, phase_first=True)
            if block != scale:
                raise WeightsError(f"{node.name} has blocks of {block} after {scale**2} channels; block² are expected")
            if bias is not None:
                if own is not None:
                    raise WeightsError(f"{node.name} has a bias before it and one after it; one is expected")
                layer = layer._replace(bias=bias.ravel())
            source = f"of {node.name} after {inner.name}"
            facts |= {"scale": Fact(scale, f"blocks {source}"), "deconvolution_offset": Fact(offset, f"taps {source}")}
            return layer, facts | {"border": Fact("zero", f"SAME padding of {inner.name}")}, inner.inputs[0]
        if node.op != "Conv2DBackpropInput" or len(node.inputs) != 3:
            raise WeightsError(f"{node.name}, at the end, is a {node.op}; {_MADE_OF}")
        kernel = self.parameter(node, 1, "kernel")
        strides = self.checked(node, kernel)
        scale = strides[1] if len(strides) == 4 else 0
        if strides != [1, scale, scale, 1] or scale not in (2, 3, 4):
            raise WeightsError(f"{node.name} has strides {strides}; 2, 3 or 4 in both directions are expected")
        offset = (kernel.shape[0] - scale) // 2  # SAME pads k − s in all, the smaller half first
        facts |= {
            "scale": Fact(scale, f"strides of {node.name}"),
            "deconvolution_offset": Fact(offset, f"SAME padding of {node.name}"),
        }
        bias = None if bias is None else bias.ravel()
        return Layer(node.name, kernel.transpose(3, 2, 0, 1), bias), facts, node.inputs[2]

    def checked(self, node: Node, kernel: np.ndarray) -> list[int]:
        """A convolution's strides, once its layout and padding are known to be an FSRCNN's."""
        attributes: dict[str, Any] = {"data_format": "NHWC", "dilations": [], "padding": ""} | node.attributes
        strides = attributes.get("strides", [])
        lists = (attributes["dilations"], strides)
        if not all(isinstance(one, list) and all(isinstance(v, int) for v in one) for one in lists):
            raise WeightsError(f"{node.name} has strides or dilations that are no whole numbers; copy the graph again")
        if attributes["padding"] != "SAME":
            raise WeightsError(
                f"{node.name} has {attributes['padding']} padding; SAME, which keeps the size, is expected"
            )
        if attributes["data_format"] != "NHWC" or any(d != 1 for d in attributes["dilations"]):
            raise WeightsError(
                f"{node.name} is {attributes['data_format']} or dilated; NHWC without dilation is expected"
            )
        if kernel.ndim != 4 or kernel.shape[0] % 2 == 0 or kernel.shape[0] != kernel.shape[1]:
            raise WeightsError(f"{node.name} has a kernel {kernel.shape}; (rows, columns, in, out), odd, is expected")
        return list(strides)

    def convolution(self, node: Node, bias: np.ndarray | None) -> Layer:
        if node.op != "Conv2D" or len(node.inputs) != 2:
            raise WeightsError(f"{node.name} is a {node.op} here; {_MADE_OF}")
        kernel = self.parameter(node, 1, "kernel")
        if self.checked(node, kernel) != [1, 1, 1, 1]:
            raise WeightsError(f"{node.name} has strides; an FSRCNN's convolutions have none")
        return Layer(node.name, kernel.transpose(3, 2, 0, 1), None if bias is None else bias.ravel())

    def activation(self, name: str) -> tuple[np.ndarray, Node]:
        """The slope of the PReLU that makes this value, and the node that it takes."""
        known: dict[str, Sides | np.ndarray] = {}
        source: dict[str, Node] = {}

        def value(key: str, depth: int) -> Sides | np.ndarray:
            node = self.node(key)
            if node.name in known:
                return known[node.name]
            if depth > _MOST_DEPTH:
                raise WeightsError(f"{node.name} has more than {_MOST_DEPTH} operations before it; {_MADE_OF}")
            inner = self.biased(node)[0]
            if (constant := self.constant(node.name)) is not None:
                known[node.name] = constant
            elif inner.op == "Conv2D":
                source[node.name], known[node.name] = node, PLAIN
            elif node.op in OPERATORS:
                inputs = [value(one, depth + 1) for one in node.inputs]
                known[node.name] = combined(node.name, node.op, inputs, {"alpha": 0.2} | node.attributes)
            else:
                raise WeightsError(f"{node.name} is a {node.op} here; {_MADE_OF}")
            return known[node.name]

        sides = value(name, 0)
        if len(source) != 1 or not isinstance(sides, Sides):
            which = " and ".join(sorted(source)) or "a constant"
            raise WeightsError(f"{_bare(name)} is made of {which}; an FSRCNN is a chain without branches")
        node = next(iter(source.values()))
        if sides is PLAIN:
            self.notes.append(f"{node.name} has no activation: a PReLU with the slope 1")
        return slope_of(_bare(name), sides), node
