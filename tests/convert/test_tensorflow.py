"""Frozen TensorFlow graphs, written here field by field: what they compute is what is read."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np import forward, load_weights
from fsrcnn_np.convert import ConventionWarning
from fsrcnn_np.errors import WeightsError
from models import random_weights

RANGE = {"value_range": (0, 1)}


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(array: np.ndarray, *, listed: bool = False) -> bytes:
    """TensorProto: its bytes, or its values one by one."""
    kind = {"float32": 1, "float64": 2, "int32": 3, "float16": 19}[array.dtype.name]
    shape = b"".join(field(2, field(1, size)) for size in array.shape)
    head = field(1, kind) + field(2, shape)
    if not listed:
        return head + field(4, array.tobytes())
    if kind == 19:
        return head + field(13, b"".join(varint(int(v)) for v in array.ravel().view(np.uint16)))
    return head + field({1: 5, 2: 6}[kind], array.tobytes())


class Graph:
    """A GraphDef under construction; every method gives the name of its node."""

    def __init__(self, **options):
        self.nodes: dict[str, bytes] = {}
        self.options = options

    def add(self, op: str, *inputs: str, name: str = "", **attributes) -> str:
        name = name or f"{op}_{len(self.nodes)}"
        data = field(1, name) + field(2, op) + b"".join(field(3, key) for key in inputs)
        for key, value in attributes.items():
            if isinstance(value, list):
                value = field(1, field(3, b"".join(varint(v) for v in value)))
            elif isinstance(value, np.ndarray):
                value = field(8, tensor(value, **self.options))
            else:
                value = field({str: 2, int: 3, float: 4}[type(value)], value)
            data += field(5, field(1, key) + field(2, value))
        self.nodes[name] = field(1, data)
        return name

    def constant(self, array, name: str = "") -> str:
        return self.add("Identity", self.add("Const", value=np.asarray(array), name=name))

    def __bytes__(self) -> bytes:
        return b"".join(self.nodes.values()) + field(4, field(1, 27))


def saafke(graph, z, slope):  # relu(z) + alpha (z − |z|) ½
    negative = graph.add("Mul", graph.constant(slope), graph.add("Sub", z, graph.add("Abs", z)))
    return graph.add("Add", graph.add("Relu", z), graph.add("Mul", negative, graph.constant(np.float32(0.5))))


def keras(graph, z, slope):  # relu(z) + (−alpha) relu(−z)
    below = graph.add("Relu", graph.add("Neg", z))
    alpha = graph.add("Const", value=-slope[None, None])
    return graph.add("AddV2", graph.add("Relu", z), graph.add("Mul", alpha, below))


def tf_minimum(graph, z, slope):  # max(0, z) + alpha min(0, z)
    zero = graph.constant(np.float32(0))
    below = graph.add("Mul", graph.add("Minimum", z, zero), graph.constant(slope))
    return graph.add("AddV2", graph.add("Maximum", zero, z), below)


ACTIVATIONS = {"Saafke": saafke, "Keras": keras, "minimum": tf_minimum}


def subpixel(weights):
    """The deconvolution as a convolution (rows, columns, in, scale² · channels) before DepthToSpace."""
    scale, offset = weights.architecture.scale, weights.deconvolution_offset
    channels = weights.architecture.channels
    kernel = np.zeros((5, 5, weights.architecture.d, scale**2, channels), np.float32)
    for t in range(5):
        for u in range(5):
            for a in range(scale):
                for b in range(scale):
                    row, column = a + offset - scale * (t - 2), b + offset - scale * (u - 2)
                    if 0 <= row <= 8 and 0 <= column <= 8:
                        kernel[t, u, :, a * scale + b] = weights.deconvolution.weight[:, :, row, column]
    return kernel.reshape(5, 5, -1, scale**2 * channels)


def frozen(weights, *, activation="Saafke", end="DepthToSpace", add="Add", **options) -> Graph:
    graph = Graph(**options)
    same = {"padding": "SAME", "data_format": "NHWC", "dilations": [1] * 4}
    at = graph.add("Transpose", graph.add("Placeholder"), graph.constant(np.int32([0, 2, 3, 1])))
    if options:
        at = graph.add("Placeholder")
    for number, (weight, bias, slope) in enumerate(weights.convolutions):
        kernel = graph.constant(weight.transpose(2, 3, 1, 0), f"f{number}")
        z = graph.add(add, graph.add("Conv2D", at, kernel, strides=[1] * 4, **same), graph.constant(bias))
        at = ACTIVATIONS[activation](graph, z, slope)
    scale = weights.architecture.scale
    if end == "DepthToSpace":
        last = graph.add("Conv2D", at, graph.constant(subpixel(weights)), strides=[1] * 4, **same)
        last = graph.add("DepthToSpace", last, block_size=scale, data_format="NHWC")
    else:
        kernel = graph.constant(weights.deconvolution.weight.transpose(2, 3, 1, 0))
        size = graph.add("Shape", at)
        last = graph.add("Conv2DBackpropInput", size, kernel, at, strides=[1, scale, scale, 1], **same)
    graph.add("BiasAdd", last, graph.constant(weights.deconvolution.bias), name="high")
    return graph


def model(scale=2, offset=4, **options):
    return random_weights(
        np.random.default_rng(scale), (6, 3, 2), scale, "zero", dtype=np.float32, offset=offset, **options
    )


def written(path, graph):
    path.write_bytes(bytes(graph))
    return path


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_part_is_read(tmp_path, activation, scale):
    weights = model(scale)
    path = written(tmp_path / "model.pb", frozen(weights, activation=activation, add="AddV2"))
    found = load_weights(path, **RANGE)
    assert found.sha256 == weights.sha256


@pytest.mark.parametrize(("scale", "offset"), [(2, 3), (3, 3), (4, 2)])
def test_keras_deconvolution(tmp_path, scale, offset):
    weights = model(scale, offset)
    found = load_weights(written(tmp_path / "model.pb", frozen(weights, end="Keras", add="BiasAdd")), **RANGE)
    assert found.deconvolution_offset == offset
    picture = np.random.default_rng(0).random((7, 9)).astype(np.float32)
    np.testing.assert_array_equal(forward(picture, found), forward(picture, weights))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_value_by_value(tmp_path, dtype):
    weights = model().astype(np.float64)
    graph = Graph(listed=True)
    array = np.asarray(weights.convolutions[0].weight, dtype)
    graph.add("Const", value=array, name="one")
    from fsrcnn_np.convert.tensorflow.graph import nodes_of, tensor

    node = nodes_of(memoryview(bytes(graph)))["one"]
    np.testing.assert_array_equal(tensor("one", node.attributes["value"]), array)


def test_a_value_that_is_not_said_is_named(tmp_path):
    path = written(tmp_path / "model.pb", frozen(model()))
    with pytest.warns(ConventionWarning, match="value_range = "):
        load_weights(path)


def changed(weights, what):
    graph = frozen(weights)
    match what:
        case "variable":
            graph.add("VariableV2", name="f0")
        case "branch":
            graph.add("Add", "high", "f0", name="other")
        case "valid":
            name = next(key for key in graph.nodes if key.startswith("Conv2D"))
            graph.nodes[name] = graph.nodes[name].replace(b"SAME", b"VALX")
        case "operation":
            name = next(key for key in graph.nodes if key.startswith("Relu"))
            graph.nodes[name] = graph.nodes[name].replace(b"\x04Relu", b"\x04Tanh")
        case "blocks":
            name = next(key for key in graph.nodes if key.startswith("DepthToSpace") or key == "high")
            graph.nodes[name] = graph.nodes[name].replace(b"block_size", b"block_sizf")
        case "strides":
            graph = frozen(weights, end="Conv2DBackpropInput")
            name = next(key for key in graph.nodes if key.startswith("Conv2DBackpropInput"))
            graph.nodes[name] = graph.nodes[name].replace(b"strides", b"stridet")
        case "saved":
            return field(1, 1) + field(2, field(2, b"".join(graph.nodes.values())))
        case "twice":
            return bytes(graph) + graph.nodes["high"]
        case "quantised":
            graph.add("Const", name="f0")
        case "circle":
            graph.add("Identity", "b", name="a")
            graph.add("Identity", "a", name="b")
            graph.add("BiasAdd", "a", "a", name="high")
    return bytes(graph)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("variable", "f0 is a variable.*freeze it"),
        ("branch", "an FSRCNN"),
        ("valid", "VALX padding; SAME"),
        ("operation", "is a Tanh here"),
        ("blocks", "has the block_size None; a whole number"),
        ("strides", r"has strides \[\]; 2, 3 or 4"),
        ("saved", "SavedModel.*tf2onnx"),
        ("twice", "two nodes have one name"),
        ("quantised", "no constant kernel"),
        ("circle", "its own input|outputs were found"),
    ],
)
def test_what_is_none_is_told(tmp_path, what, message):
    path = tmp_path / "model.pb"
    path.write_bytes(changed(model(), what))
    with pytest.raises(WeightsError, match=message):
        load_weights(path, **RANGE)


WHOLE = bytes(frozen(random_weights(np.random.default_rng(0), (2, 1, 1), 2, "zero", dtype=np.float32)))


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.booleans())
def test_a_damaged_file_is_one_line(tmp_path_factory, place, byte, cut):
    path = tmp_path_factory.getbasetemp() / "damaged.pb"
    path.write_bytes(WHOLE[:place] if cut else WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])
    message = ""
    try:
        load_weights(path, **RANGE)
    except WeightsError as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) < 1000


@pytest.mark.shared
@pytest.mark.parametrize("name", ["FSRCNN_x2", "FSRCNN-small_x2"])
def test_opencvs_models_as_tensorflow_runs_them(shared, name):
    weights = load_weights(shared / "models" / f"{name}.pb", **RANGE)
    oracle = np.load(shared / "models" / "tensorflow_2.21_outputs.npz")
    for engine in ("reference", None):
        found = forward(oracle["input"], weights, engine=engine)
        np.testing.assert_allclose(found, oracle[name], rtol=0, atol=1e-6)
