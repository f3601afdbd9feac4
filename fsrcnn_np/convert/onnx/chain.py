"""The nodes of an ONNX model, followed from its input to its output, and what they amount to.

A model is a chain: padding, convolution, PReLU, again and again, and at the end a ConvTranspose, or a convolution and a
pixel shuffle (DepthToSpace, or Reshape–Transpose–Reshape). Border, scale and offset stand in the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..activation import OPERATORS, PLAIN, Sides, combined, slope_of
from ..conventions import Fact, Found, Layer, listing, offset_fact
from ..subpixel import from_subpixel

_PASSED = ("Identity", "Cast", "Dropout", "Squeeze", "Unsqueeze")
#: What exporters compute paddings and kernels with, from constants alone.
_FOLDED = (
    "Add", "Cast", "Concat", "ConstantOfShape", "Div", "Gather", "Identity", "Mul", "Reshape", "Slice", "Squeeze",
    "Sub", "Transpose", "Unsqueeze",
)  # fmt: skip
_MOST_FOLDED, _MOST_DEPTH, _MOST_NODES = 1 << 26, 50, 10_000
#: NCHW to NHWC, and back.
_CHANNEL_MOVES = ((0, 2, 3, 1), (0, 3, 1, 2))
#: A pixel shuffle in three nodes.
_SHUFFLE = ["Reshape", "Transpose", "Reshape"]
#: Reshape (n, c, a, b, h, w) or (n, a, b, c, h, w), then this order: rows get a, columns b.
_SHUFFLES = ((0, 1, 4, 2, 5, 3), (0, 3, 4, 1, 5, 2))


class Chain:
    """Follows the picture through the graph, and notes what is done to it."""

    def __init__(self, onnx: Any, graph: Any, opsets: list[Any]):
        if len(graph.node) > _MOST_NODES:
            raise WeightsError(f"{len(graph.node)} nodes are no FSRCNN; at most {_MOST_NODES} are read")
        self.onnx, self.graph, self.opsets = onnx, graph, opsets
        self.maker = {output: node for node in graph.node for output in node.output}
        self.constants: dict[str, np.ndarray | None] = dict(self._initializers())
        self.layers: list[Layer] = []
        self.last: Layer | None = None
        self.facts: dict[str, Fact] = {"input_mean": Fact(0.0, "nothing is subtracted from the input")}
        self.notes: list[str] = []
        self.borders: dict[str, str] = {}  # border → the layer that has it
        self.edge = self.zeros = 0  # of Pad nodes before the next layer
        self.padding = (0, 0, "")  # replicated rows, zero rows, and name of the convolution before
        self.phase_first = False  # in a shuffle of three nodes: the channels of a phase lie side by side
        self.shuffle: list[str] = []  # Reshape and Transpose met after the last convolution

    def _initializers(self) -> Iterator[tuple[str, np.ndarray]]:
        for tensor in self.graph.initializer:
            yield tensor.name, self._values(tensor, tensor.name)
        if len(self.graph.sparse_initializer):
            raise WeightsError("the model has sparse parameters; export it with dense ones")

    def _values(self, tensor: Any, name: str) -> np.ndarray:
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            raise WeightsError(f"{name} keeps its values in another file; export the model as a single file")
        return np.asarray(self.onnx.numpy_helper.to_array(tensor))

    def constant(self, name: str, depth: int = 0) -> np.ndarray | None:
        """The value of a tensor that depends on constants alone."""
        if name in self.constants or name not in self.maker or depth > _MOST_DEPTH:
            return self.constants.get(name)
        self.constants[name] = None  # until it is known; nodes in circles end here
        node = self.maker[name]
        if node.op_type == "Constant":
            value = next(iter(self._attributes(node).values()))
            is_tensor = isinstance(value, self.onnx.TensorProto)
            self.constants[name] = self._values(value, name) if is_tensor else np.asarray(value)
        elif node.op_type in _FOLDED:
            inputs = {key: self.constant(key, depth + 1) for key in node.input if key}
            if all(value is not None for value in inputs.values()):
                self.constants[name] = self._folded(node, inputs)
        return self.constants[name]

    def _folded(self, node: Any, inputs: Mapping[str, Any]) -> np.ndarray:
        from onnx.reference import ReferenceEvaluator

        values = [inputs[key] for key in node.input if key]
        # What an operator makes of its inputs is at most as large as the product of their sizes.
        most = np.prod(values[0] if node.op_type == "ConstantOfShape" else [v.size for v in values], dtype=float)
        if most > _MOST_FOLDED:
            raise WeightsError(
                f"{node.name or node.op_type} declares a constant of more than {_MOST_FOLDED} values"
                "; give the file of an FSRCNN"
            )
        helper = self.onnx.helper
        ends = [helper.make_empty_tensor_value_info(key) for key in (*inputs, node.output[0])]
        graph = helper.make_graph([node], "constant", ends[:-1], ends[-1:])
        model = helper.make_model(graph, opset_imports=self.opsets)
        return np.asarray(ReferenceEvaluator(model).run(None, dict(inputs))[0])

    def _attributes(self, node: Any) -> dict[str, Any]:
        return {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}

    def walk(self) -> None:
        """From the input to the output."""
        named = {tensor.name for tensor in self.graph.initializer}
        inputs = [value.name for value in self.graph.input if value.name not in named]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            raise WeightsError(
                f"{len(inputs)} inputs and {len(self.graph.output)} outputs were found; an FSRCNN has one picture each"
            )
        at, end = inputs[0], self.graph.output[0].name
        for _ in range(len(self.graph.node)):
            if at == end:
                return
            users = [n for n in self.graph.node if at in n.input and n.op_type != "Shape"]
            if len(users) > 1 and self.layers and self.last is None:
                at = self._spelled_out(at, users)
                continue
            if len(users) != 1:
                names = ", ".join(f"{n.op_type} {n.name}".strip() for n in users) or "nothing"
                raise WeightsError(f"{at} goes to {names}; an FSRCNN is a chain without branches: this model is none")
            self.step(users[0], at)
            at = users[0].output[0]
        if at != end:
            raise WeightsError(f"the nodes do not lead from {inputs[0]} to {end}; a damaged model: export it again")

    def _spelled_out(self, at: str, users: list[Any]) -> str:
        """A PReLU of several nodes, as tf2onnx writes one: the value in which its branches end."""
        sides: dict[str, Sides] = {at: PLAIN}
        for node in self.graph.node:  # which stand in order
            if not any(key in sides for key in node.input) or node.op_type not in OPERATORS:
                continue
            found = [sides.get(key, self.constant(key)) for key in node.input]
            values = [value for value in found if value is not None]
            if len(values) == len(found):
                attributes = {"alpha": 0.01, **self._attributes(node)}
                name = node.name or node.output[0]
                sides[node.output[0]] = combined(name, node.op_type, values, attributes)
        taken = {key for node in self.graph.node if node.output[0] in sides for key in node.input}
        ends = [name for name in sides if name not in taken]
        layer = self.layers[-1]
        if len(ends) != 1 or layer.slope is not None:
            names = ", ".join(f"{n.op_type} {n.name}".strip() for n in users)
            raise WeightsError(f"{at} goes to {names}; an FSRCNN is a chain without branches: this model is none")
        self.layers[-1] = layer._replace(slope=slope_of(ends[0], sides[ends[0]]))
        return ends[0]

    def step(self, node: Any, at: str) -> None:
        """Take in one node."""
        name = node.name or node.output[0]
        if node.domain not in ("", "ai.onnx"):
            raise self._foreign(node, name)
        attributes = self._attributes(node)
        match node.op_type:
            case "Pad":
                self._pad(node, name, attributes)
            case "Conv" if self.last is None:
                self._conv(node, name, attributes)
            case "ConvTranspose" if self.last is None:
                self._transposed(node, name, attributes)
            case "PRelu" | "LeakyRelu" | "Relu":
                self._activation(node, name, attributes)
            case "DepthToSpace" if self.last is None and self.layers:
                mode = attributes.get("mode", b"DCR").decode()
                self._shuffled(name, int(attributes["blocksize"]), phase_first=mode != "CRD")
            case "Reshape" | "Transpose" if self.last is None and self.layers:
                self._reshaped(node, name, attributes)
            case "Transpose" if self._at_an_end() and tuple(attributes.get("perm", ())) in _CHANNEL_MOVES:
                pass  # the channels go first or last
            case "Reshape" if self._at_an_end() and self._to_one_channel(node):
                pass
            case "Reshape" if self.shuffle == _SHUFFLE:
                pass  # opset 9 merges rows, then columns
            case "Add" | "Sub":
                self._added(node, name, at)
            case "Mul" | "Div" if self.last is not None or not self.layers:
                self._scaled(node, name, at)
            case "Clip" if self.last is not None:
                self.notes.append(f"{name} clips the output; here integers saturate, and floats are not clipped")
            case operator if operator not in _PASSED:
                raise self._foreign(node, name)

    def _at_an_end(self) -> bool:
        return not self.layers or self.last is not None

    def _to_one_channel(self, node: Any) -> bool:
        """Whether a Reshape only moves the one channel, which stands first or last in what it makes."""
        shape = self.constant(node.input[1]) if len(node.input) > 1 else None
        return shape is not None and shape.size == 4 and 1 in (shape[1], shape[3])

    def _foreign(self, node: Any, name: str) -> WeightsError:
        operator = f"{node.domain}.{node.op_type}".lstrip(".")
        return WeightsError(
            f"{name} is a {operator} here; an FSRCNN is made of Pad, Conv, PRelu and, at the end, ConvTranspose, or "
            f"Conv and DepthToSpace; before it: {listing(tuple(self.layers))}"
        )

    def _parameter(self, node: Any, index: int, what: str, name: str) -> np.ndarray:
        value = self.constant(node.input[index]) if len(node.input) > index else None
        if value is None:
            raise WeightsError(f"{name} has no constant {what}; export the trained model, unquantised")
        return value

    def _pad(self, node: Any, name: str, attributes: Mapping[str, Any]) -> None:
        mode = attributes.get("mode", b"constant").decode()
        pads = attributes["pads"] if "pads" in attributes else self._parameter(node, 1, "padding", name)
        pads = [int(v) for v in np.ravel(pads)]
        value = self.constant(node.input[2]) if len(node.input) > 2 else attributes.get("value")
        if mode not in ("edge", "constant") or (mode == "constant" and value is not None and np.any(value)):
            raise WeightsError(f"{name} pads by {mode!r} {value}; a border of zeros or replicated values is expected")
        sides = pads[2:4] + pads[6:8] if len(pads) == 8 and not any(pads[:2] + pads[4:6]) else pads
        if len(sides) != 4 or len(set(sides)) > 1:
            raise WeightsError(f"{name} pads by {pads}; the same on all four sides is expected")
        if mode == "edge" and self.zeros:
            raise WeightsError(f"{name} replicates zeros that were padded before; no border of an FSRCNN does")
        self.edge, self.zeros = (self.edge + sides[0], 0) if mode == "edge" else (self.edge, self.zeros + sides[0])

    def _conv(self, node: Any, name: str, attributes: Mapping[str, Any]) -> None:
        self._end_of_last()
        weight = self._parameter(node, 1, "kernel", name)
        for key in ("strides", "dilations", "group"):
            if np.any(np.ravel(attributes.get(key, 1)) != 1):
                raise WeightsError(f"{name}: {key} are {attributes[key]}; an FSRCNN's convolutions have 1")
        if weight.ndim != 4:
            raise WeightsError(f"{name} has a kernel of shape {weight.shape}; (out, in, rows, columns) is expected")
        own = self._pads(name, attributes, (weight.shape[2] - 1) // 2)
        if own[0] != own[2] or own[1] != own[3] or own[0] != own[1]:
            raise WeightsError(f"{name}: pads are {own}; the same on all four sides is expected")
        around, wanted = self.edge + self.zeros + own[0], weight.shape[2] // 2
        if around != wanted:
            raise WeightsError(f"{name} is padded by {around}; {wanted} is expected, which keeps the size")
        self.padding = (self.edge, around - self.edge, name)
        self.edge = self.zeros = 0
        bias = self._parameter(node, 2, "bias", name) if len(node.input) > 2 and node.input[2] else None
        self.layers.append(Layer(name, weight, bias))

    def _end_of_last(self) -> None:
        """Settle the border of the convolution before, which is no deconvolution."""
        if self.layers:
            edge, zeros, name = self.padding
            if edge and zeros:
                raise WeightsError(f"{name} is padded by {edge} replicated and {zeros} zeros; one kind is expected")
            if edge or zeros:
                self.borders["replicate" if edge else "zero"] = name

    def _pads(self, name: str, attributes: Mapping[str, Any], same: int) -> list[int]:
        auto = attributes.get("auto_pad", b"NOTSET").decode()
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            return [same] * 4
        if auto not in ("NOTSET", "VALID"):
            raise WeightsError(f"{name}: auto_pad is {auto!r}, which is none of ONNX; export the model again")
        return [int(v) for v in attributes.get("pads", [0] * 4)] if auto == "NOTSET" else [0] * 4

    def _transposed(self, node: Any, name: str, attributes: Mapping[str, Any]) -> None:
        self._end_of_last()
        weight = self._parameter(node, 1, "kernel", name)
        stride = [int(v) for v in attributes.get("strides", [1, 1])]
        scale = stride[0]
        auto = attributes.get("auto_pad", b"NOTSET").decode()
        if auto != "NOTSET" or "output_shape" in attributes or np.any(np.ravel(attributes.get("dilations", 1)) != 1):
            raise WeightsError(f"{name}: auto_pad, output_shape and dilations are not read; export it with pads")
        if stride != [scale] * 2 or scale not in (2, 3, 4) or attributes.get("group", 1) != 1 or weight.ndim != 4:
            raise WeightsError(
                f"{name}: strides {stride}, kernel {weight.shape}; 2, 3 or 4 in both directions, and (in, 1, 9, 9), "
                "are expected"
            )
        pads = self._pads(name, attributes, 0)
        if pads[0] != pads[1] or (self.edge, self.zeros) not in ((0, 0), (1, 0)):
            raise WeightsError(
                f"{name}: pads {pads} after {self.edge} replicated and {self.zeros} zero rows; the same above and to "
                "the left, after one replicated row or none, is expected"
            )
        self.borders["replicate" if self.edge else "zero"] = name
        offset = pads[0] - scale * self.edge
        more = [int(v) for v in attributes.get("output_padding", [0, 0])]
        rows, columns = (scale * (2 * self.edge - 1) + 9 - pads[a] - pads[a + 2] + more[a] for a in (0, 1))
        self.edge = self.zeros = 0
        bias = self._parameter(node, 2, "bias", name) if len(node.input) > 2 and node.input[2] else None
        self.last = Layer(name, weight, bias)
        self.facts["scale"] = Fact(scale, f"strides of {name}")
        self.facts["deconvolution_offset"] = offset_fact(offset, f"pads of {name}", name, (rows, columns), self.notes)

    def _activation(self, node: Any, name: str, attributes: Mapping[str, Any]) -> None:
        if self.last is not None or not self.layers or self.layers[-1].slope is not None:
            raise WeightsError(f"{name}, a {node.op_type}, does not follow a convolution; an FSRCNN has one after each")
        if node.op_type == "PRelu":
            slope = self._parameter(node, 1, "slope", name)
        else:
            slope = np.array([attributes.get("alpha", 0.01) if node.op_type == "LeakyRelu" else 0.0], np.float32)
            self.notes.append(f"{name} is a {node.op_type}: a PReLU with the slope {slope[0]:g}")
        self.layers[-1] = self.layers[-1]._replace(slope=slope)

    def _reshaped(self, node: Any, name: str, attributes: Mapping[str, Any]) -> None:
        self.shuffle.append(node.op_type)
        if node.op_type == "Transpose":
            order = tuple(attributes.get("perm", ()))
            self.phase_first = order == _SHUFFLES[1]
            if order not in _SHUFFLES:
                raise WeightsError(f"{name} permutes by {order}; a pixel shuffle is {' or '.join(map(str, _SHUFFLES))}")
        if self.shuffle == _SHUFFLE:
            self._shuffled(
                name, round((self.layers[-1].weight.shape[0] / self._channels()) ** 0.5), phase_first=self.phase_first
            )
        elif self.shuffle != _SHUFFLE[: len(self.shuffle)]:
            raise WeightsError(
                f"{name}: {'–'.join(self.shuffle)} is no pixel shuffle"
                "; export the model with PixelShuffle, or with ConvTranspose"
            )

    def _channels(self) -> int:
        return 3 if self.layers[0].weight.shape[1] == 3 else 1

    def _shuffled(self, name: str, block: int, *, phase_first: bool) -> None:
        channels = self._channels()
        end = self.layers.pop()
        edge, zeros, _ = self.padding
        self.last, scale, offset = from_subpixel(end, edge + zeros, channels, phase_first=phase_first)
        if block != scale or end.slope is not None:
            raise WeightsError(f"{name}: blocks of {block} after {listing((end,))}; its channels are to be block²")
        if edge > 1:
            raise WeightsError(f"{end.name} sees {edge} replicated rows of features; a deconvolution here sees one")
        if edge or zeros:
            self.borders["replicate" if edge else "zero"] = end.name
        self.facts |= {
            "scale": Fact(scale, f"channels of {end.name}"),
            "deconvolution_offset": Fact(offset, f"pixel shuffle after {end.name}"),
        }

    def _added(self, node: Any, name: str, at: str) -> None:
        value = self.constant(next((key for key in node.input if key != at), ""))
        if value is None:
            raise WeightsError(f"{name} adds the picture to something; an FSRCNN has no such branch")
        sign = 1 if node.op_type == "Add" else -1
        if not self.layers and self.last is None:
            if not value.size or np.ptp(value) or (sign < 0 and node.input[0] != at):
                raise WeightsError(f"{name} takes {value.shape} off the input; a single mean is expected")
            mean = self.facts["input_mean"].value - sign * float(value.flat[0])
            self.facts["input_mean"] = Fact(mean, f"{name} before the first layer")
            return
        layer = self.last or self.layers[-1]
        if sign < 0 or layer.bias is not None or layer.slope is not None:
            raise WeightsError(f"{name} {node.op_type}s a constant after {layer.name}; an FSRCNN has one bias a layer")
        bias = value.ravel()
        if self.last is not None:
            self.last = layer._replace(bias=bias)
        else:
            self.layers[-1] = layer._replace(bias=np.broadcast_to(bias, layer.weight.shape[:1]))

    def _scaled(self, node: Any, name: str, at: str) -> None:
        """Multiplication by 255, or division by it, at an end: which range the layers themselves take and give."""
        value = self.constant(next((key for key in node.input if key != at), ""))
        factor = float(value.item()) if value is not None and value.size == 1 else 0.0
        if node.op_type == "Div":
            factor = 1 / factor if factor and node.input[0] == at else 0.0
        if not np.isclose(factor, [255, 1 / 255], rtol=1e-6, atol=0).any():
            raise self._foreign(node, name)
        before = self.last is None
        inner = (0.0, 255.0) if (factor > 1) == before else (0.0, 1.0)
        source = f"{node.op_type} {name} {'before the first' if before else 'after the last'} layer"
        if before:
            mean = self.facts["input_mean"]
            self.facts["input_mean"] = Fact(mean.value * factor, mean.source)
        known = self.facts.get("value_range")
        if known is not None and known.value != inner:
            self.facts["value_range"] = Fact(None, f"{known.source} and {source} scale to different ranges")
        else:
            self.facts["value_range"] = Fact(inner, source)

    def found(self, form: str, header: Any) -> Found:
        """What the nodes amount to."""
        if self.last is None:
            raise WeightsError(
                f"no ConvTranspose and no pixel shuffle was found; the layers: {listing(tuple(self.layers))}"
            )
        if len(self.borders) > 1:
            which = "; ".join(f"{name} has a {border} border" for border, name in self.borders.items())
            self.facts["border"] = Fact(None, f"{which}; here all layers have the same")
        else:
            border, name = next(iter(self.borders.items()), ("zero", "no padding at all"))
            self.facts["border"] = Fact(border, f"padding of {name}")
        layers = []
        for layer in self.layers:
            if layer.slope is None:
                self.notes.append(f"{layer.name} has no activation: a PReLU with the slope 1")
                layer = layer._replace(slope=np.ones(1, layer.weight.dtype))
            layers.append(layer)
        return Found(form, tuple(layers), self.last, self.facts, tuple(self.notes), header)
