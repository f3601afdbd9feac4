"""ONNX: exporters' models read, ours written; onnxruntime gives our output."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from fsrcnn_np import load_weights
from fsrcnn_np.convert import ConventionWarning, save_weights
from fsrcnn_np.convert.probe import _changed
from fsrcnn_np.errors import MissingExtraError, WeightsError
from fsrcnn_np.network.reference import forward
from models import random_weights

RANGE = {"value_range": (0, 1)}


def run(path, picture: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (name,) = (value.name for value in session.get_inputs())
    return session.run(None, {name: picture[None, None].astype(np.float32)})[0][0, 0]


def agrees(path, weights, shape=(11, 8)) -> None:
    picture = np.random.default_rng(1).random(shape)
    found, expected = run(path, picture), forward(picture, weights, dtype=np.float64)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def model(scale=2, border="zero", **options):
    options = {"dtype": np.float32, **options}
    return random_weights(np.random.default_rng(scale), (6, 3, 2), scale, border, **options)


@pytest.mark.parametrize(
    ("scale", "border", "offset", "mean"),
    [
        (2, "zero", 4, 0.0), (2, "replicate", 4, 0.3), (3, "replicate", 3, 0.0), (3, "replicate", 4, 0.0),
        (4, "zero", 6, 0.0), (4, "replicate", 2, 0.5), (2, "zero", 2, 0.0), (3, "zero", 6, 0.1),
        (4, "replicate", 6, 0.0),
    ],
)  # fmt: skip
def test_what_is_written_runs_and_gives_our_output(tmp_path, scale, border, offset, mean):
    weights = model(scale, border, offset=offset, mean=mean, shared_slope=scale == 3)
    save_weights(weights, tmp_path / "out.onnx")
    for shape in ((11, 8), (1, 1), (5, 17)):  # height and width are free
        agrees(tmp_path / "out.onnx", weights, shape)


@pytest.mark.shared
def test_the_authors_model_in_onnxruntime(shared, tmp_path):
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat")
    save_weights(weights, tmp_path / "x2.onnx")
    agrees(tmp_path / "x2.onnx", weights, (40, 30))


class Port(nn.Module):
    """An FSRCNN with either border, and either end."""

    def __init__(self, border="zeros", end="deconvolution", scale=2):
        super().__init__()
        layers = []
        for channels, out, size in ((1, 6, 5), (6, 3, 1), (3, 3, 3), (3, 6, 1)):
            mode = border if size > 1 else "zeros"
            layers += [nn.Conv2d(channels, out, size, padding=size // 2, padding_mode=mode), nn.PReLU(out)]
        self.body, self.end, self.border = nn.Sequential(*layers), end, border
        if end == "shuffle":
            self.up, self.shuffle = nn.Conv2d(6, scale**2, 3, padding=1, bias=False), nn.PixelShuffle(scale)
        else:
            more = scale if border == "replicate" else 0
            self.up = nn.ConvTranspose2d(6, 1, 9, scale, 4 + more, scale - 1)

    def forward(self, x):
        x = self.body(x)
        if self.end == "shuffle":
            return self.shuffle(self.up(x))
        return self.up(F.pad(x, (1, 1, 1, 1), mode="replicate") if self.border == "replicate" else x)


def exported(path, network, *, opset=13, dynamic=True) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    axes = {"x": {2: "h", 3: "w"}, "y": {2: "H", 3: "W"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        torch.onnx.export(
            network.eval(), (torch.zeros(1, 1, 11, 8),), str(path), opset_version=opset, dynamo=False,
            input_names=["x"], output_names=["y"], dynamic_axes=axes,
        )  # fmt: skip


@pytest.mark.parametrize("opset", [9, 11, 17])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("border", "end", "scale"),
    [
        ("zeros", "deconvolution", 2),
        ("zeros", "shuffle", 3),
        ("replicate", "deconvolution", 3),
        ("zeros", "shuffle", 2),
    ],
)
def test_what_pytorch_exports(tmp_path, border, end, scale, opset, dynamic):
    """Reshape–Transpose–Reshape in opset 9, DepthToSpace later; paddings computed by nodes from opset 11 on."""
    path = tmp_path / "model.onnx"
    exported(path, Port(border, end, scale), opset=opset, dynamic=dynamic)
    weights = load_weights(path, **RANGE)
    assert (weights.architecture.scale, weights.border) == (scale, {"zeros": "zero"}.get(border, border))
    agrees(path, weights)


def test_the_value_range_is_not_assumed_in_silence(tmp_path):
    exported(tmp_path / "model.onnx", Port())
    with pytest.warns(ConventionWarning, match="value_range"):
        load_weights(tmp_path / "model.onnx")


def changed(path, change) -> None:
    loaded = onnx.load(path)
    change(loaded.graph)
    onnx.save(loaded, path)


def test_half_precision_and_constant_nodes(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())
    expected = load_weights(path, **RANGE)

    def halve(graph):
        for tensor in list(graph.initializer):
            array = numpy_helper.to_array(tensor).astype(np.float16)
            graph.initializer.remove(tensor)
            constant = helper.make_node(
                "Constant", [], [tensor.name], value=numpy_helper.from_array(array, tensor.name)
            )
            graph.node.insert(0, constant)

    changed(path, halve)
    weights = load_weights(path, **RANGE)
    assert weights.dtype == np.float32
    for name, array in weights.arrays().items():
        np.testing.assert_array_equal(array, expected.arrays()[name].astype(np.float16))


def node(graph, operator: str, index: int = 0):
    return [n for n in graph.node if n.op_type == operator][index]


def replaced(graph, operator: str, index: int, **attributes) -> None:
    """Other attributes for one node."""
    where = node(graph, operator, index)
    kept = [a for a in where.attribute if a.name not in attributes]
    del where.attribute[:]
    where.attribute.extend(kept + [helper.make_attribute(k, v) for k, v in attributes.items()])


def renamed(graph, operator: str, index: int, to: str, inputs: int, **attributes) -> None:
    where = node(graph, operator, index)
    where.op_type = to
    del where.input[inputs:]
    del where.attribute[:]
    where.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())


def test_kernels_made_of_constants(tmp_path):
    """Exporters leave chains of nodes where a kernel or slope should stand; old opsets have their own forms of them."""
    path = tmp_path / "model.onnx"
    exported(path, Port(), opset=9)
    expected = load_weights(path, **RANGE)

    def change(graph):
        slope, kernel = node(graph, "PRelu").input[1], node(graph, "Conv").input[1]
        values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        parts = [
            numpy_helper.from_array(values[slope].ravel(), "flat"),
            numpy_helper.from_array(values[kernel].transpose(2, 3, 1, 0).copy(), "turned"),
        ]
        for tensor in [t for t in graph.initializer if t.name in (slope, kernel)]:
            graph.initializer.remove(tensor)
        graph.initializer.extend(parts)
        graph.node.insert(0, helper.make_node("Unsqueeze", ["flat"], [slope], axes=[1, 2]))
        graph.node.insert(0, helper.make_node("Transpose", ["turned"], [kernel], perm=[3, 2, 0, 1]))

    changed(path, change)
    weights = load_weights(path, **RANGE)
    assert weights.sha256 == expected.sha256
    agrees(path, weights)


def test_other_activations_are_slopes(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())

    def change(graph):
        renamed(graph, "PRelu", 0, "LeakyRelu", 1, alpha=0.2)
        renamed(graph, "PRelu", 0, "Relu", 1)
        renamed(graph, "PRelu", 0, "Identity", 1)

    changed(path, change)
    weights = load_weights(path, **RANGE)
    assert [float(layer.slope[0]) for layer in weights.convolutions[:3]] == pytest.approx([0.2, 0, 1])
    assert len(weights.provenance["notes"]) == 3
    agrees(path, weights)


def test_bias_in_an_add_and_mean_in_a_sub(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())

    def change(graph):
        graph.initializer.append(numpy_helper.from_array(np.float32(0.25), "mean"))
        first, last = node(graph, "Conv"), node(graph, "ConvTranspose")
        graph.node.insert(0, helper.make_node("Sub", ["x", "mean"], ["centred"]))
        first.input[0] = "centred"
        (bias,) = [t for t in graph.initializer if t.name == last.input[2]]
        reshaped = numpy_helper.from_array(numpy_helper.to_array(bias).reshape(1, 1, 1, 1), "bias4")
        graph.initializer.append(reshaped)
        del last.input[2]
        last.output[0] = "before"
        graph.node.append(helper.make_node("Add", ["bias4", "before"], ["y"]))

    changed(path, change)
    weights = load_weights(path, **RANGE)
    assert weights.input_mean == 0.25
    agrees(path, weights)


def test_a_clip_at_the_end_is_noted(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())

    def change(graph):
        node(graph, "ConvTranspose").output[0] = "before"
        graph.node.append(helper.make_node("Clip", ["before"], ["y"]))

    changed(path, change)
    assert "clips the output" in load_weights(path, **RANGE).provenance["notes"][0]


def test_a_missing_output_padding_is_noted(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())
    changed(path, lambda graph: replaced(graph, "ConvTranspose", 0, output_padding=[0, 0]))
    assert "gives 1 row(s) less than scale × input" in load_weights(path, **RANGE).provenance["notes"][0]


@pytest.mark.parametrize(("more", "rows"), [(0, 1), (1, 2)])
def test_a_larger_output_is_warned_of(tmp_path, more, rows):
    """Padding 3: cropped at the end it lies a pixel off what an even crop gives."""
    path = tmp_path / "model.onnx"
    exported(path, Port())
    changed(path, lambda graph: replaced(graph, "ConvTranspose", 0, pads=[3] * 4, output_padding=[more] * 2))
    with pytest.warns(ConventionWarning, match=rf"{rows} row\(s\) more and {rows} column.*--offset 4 crops evenly"):
        cropped = load_weights(path, **RANGE)
    assert cropped.deconvolution_offset == 3
    even = load_weights(path, deconvolution_offset=4, **RANGE)
    picture = np.random.default_rng(1).random((7, 6))
    whole = run(path, picture)
    np.testing.assert_allclose(forward(picture, cropped, dtype=np.float64), whole[:14, :12], rtol=0, atol=2e-6)
    np.testing.assert_allclose(forward(picture, even, dtype=np.float64)[:13, :11], whole[1:14, 1:12], rtol=0, atol=2e-6)
    assert any("offset=4" in what for what, _ in _changed(cropped))


def test_an_uncropped_output_is_cropped_evenly(tmp_path):
    """Padding 0: cropped at the end alone it would be no offset of an FSRCNN's."""
    path = tmp_path / "model.onnx"
    exported(path, Port())
    changed(path, lambda graph: replaced(graph, "ConvTranspose", 0, pads=[0] * 4, output_padding=[1] * 2))
    with pytest.warns(ConventionWarning, match=r"8 row\(s\) more and 8 column\(s\) more.*cropped evenly"):
        weights = load_weights(path, **RANGE)
    assert weights.deconvolution_offset == 4
    picture = np.random.default_rng(1).random((7, 6))
    found = forward(picture, weights, dtype=np.float64)
    np.testing.assert_allclose(found, run(path, picture)[4:18, 4:16], rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: replaced(g, "Conv", 0, strides=[2, 2]), r"strides are \[2, 2\]; an FSRCNN's convolutions have 1"),
        (lambda g: replaced(g, "Conv", 0, dilations=[2, 2]), "dilations are"),
        (lambda g: replaced(g, "Conv", 0, pads=[1] * 4), "is padded by 1; 2 is expected"),
        (lambda g: replaced(g, "Conv", 0, pads=[2, 1, 2, 1]), "the same on all four sides is expected"),
        (lambda g: replaced(g, "ConvTranspose", 0, strides=[5, 5]), r"strides \[5, 5\]"),
        (lambda g: replaced(g, "ConvTranspose", 0, pads=[4, 3, 4, 5]), r"pads \[4, 3, 4, 5\]"),
        (lambda g: renamed(g, "PRelu", 0, "Sigmoid", 1), "is a Sigmoid here; an FSRCNN is made of"),
        (lambda g: renamed(g, "ConvTranspose", 0, "Identity", 1), "no ConvTranspose and no pixel shuffle was found"),
        (lambda g: setattr(node(g, "Conv"), "domain", "com.microsoft"), r"is a com\.microsoft\.Conv here"),
        (lambda g: g.node.append(helper.make_node("Relu", ["x"], ["z"])), "a chain without branches"),
        (lambda g: g.output.append(helper.make_tensor_value_info("z", 1, [1])), "1 inputs and 2 outputs"),
        (lambda g: g.initializer.pop(), "has no constant"),
        (lambda g: setattr(g.initializer[0], "data_location", TensorProto.EXTERNAL), "values in another file"),
    ],
)  # fmt: skip
def test_what_no_fsrcnn_does_is_refused(tmp_path, change, message):
    path = tmp_path / "model.onnx"
    exported(path, Port())
    loaded = onnx.load(path)
    change(loaded.graph)
    path.write_bytes(loaded.SerializeToString())
    with pytest.raises(WeightsError, match=message):
        load_weights(path, **RANGE)


def test_nodes_that_no_longer_fit_our_header(tmp_path):
    path = tmp_path / "out.onnx"
    save_weights(model(2, "zero"), path)
    changed(path, lambda graph: replaced(graph, "ConvTranspose", 0, pads=[3, 3, 4, 4]))
    with pytest.raises(
        WeightsError, match=r"deconvolution_offset is 4 in what fsrcnn-np wrote .* and 3 by the pads of"
    ):
        load_weights(path)


def test_borders_that_differ_are_asked_about(tmp_path):
    """padding_mode='replicate' does not reach the deconvolution."""
    path, network = tmp_path / "model.onnx", Port("replicate")
    network.border, network.up = "zeros", nn.ConvTranspose2d(6, 1, 9, 2, 4, 1)
    exported(path, network)
    with pytest.raises(WeightsError, match=r"border cannot be told: .* has a replicate border; .* has a zero border"):
        load_weights(path, **RANGE)
    assert load_weights(path, **RANGE, border="replicate").border == "replicate"


def test_a_reflected_border_is_refused(tmp_path):
    exported(tmp_path / "model.onnx", Port("reflect"))
    with pytest.raises(WeightsError, match="pads by 'reflect'"):
        load_weights(tmp_path / "model.onnx", **RANGE)


def test_declared_sizes_are_not_believed(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())

    def claim(graph):
        graph.initializer[0].dims[:] = [1 << 20, 1 << 20, 3, 3]

    changed(path, claim)
    with pytest.raises(WeightsError, match="no readable ONNX file, or a damaged one"):
        load_weights(path, **RANGE)

    def compute(graph):
        first = node(graph, "Conv")
        shape = numpy_helper.from_array(np.array([1 << 20, 1 << 20], np.int64), "shape")
        graph.initializer.append(shape)
        graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["huge"], name="filled"))
        first.input[1] = "huge"

    exported(path, Port())
    changed(path, compute)
    with pytest.raises(WeightsError, match="filled declares a constant of more than"):
        load_weights(path, **RANGE)

    def double(graph):  # and double, and double …
        kernel = node(graph, "Conv").input
        for i in range(45):
            graph.node.insert(
                0, helper.make_node("Concat", [kernel[1]] * 2, [f"twice_{i}"], axis=0, name=f"double_{i}")
            )
            kernel[1] = f"twice_{i}"

    exported(path, Port())
    changed(path, double)
    with pytest.raises(WeightsError, match="declares a constant of more than"):
        load_weights(path, **RANGE)

    def circle(graph):
        graph.node.append(helper.make_node("Identity", ["b"], ["a"]))
        graph.node.append(helper.make_node("Identity", ["a"], ["b"]))
        node(graph, "Conv").input[1] = "a"

    exported(path, Port())
    changed(path, circle)
    with pytest.raises(WeightsError, match="has no constant kernel"):
        load_weights(path, **RANGE)


def test_damaged_files(tmp_path):
    path = tmp_path / "model.onnx"
    exported(path, Port())
    whole = path.read_bytes()
    for part in (0.1, 0.5, 0.95):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(WeightsError, match=r"damaged|inputs and"):
            load_weights(path, **RANGE)
    path.write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"damaged|0 inputs"):
        load_weights(path, **RANGE)


def test_without_onnx(tmp_path, uninstalled):
    weights = model()
    (tmp_path / "x2.onnx").write_bytes(b"\x08\x08")
    uninstalled("onnx")
    for action in (lambda: load_weights(tmp_path / "x2.onnx"), lambda: save_weights(weights, tmp_path / "out.onnx")):
        with pytest.raises(MissingExtraError, match=r"pip install 'fsrcnn-np\[onnx\]'"):
            action()
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.parametrize(
    ("first", "last", "inner"),
    [(("Div", 255), None, (0, 1)), (None, ("Mul", 255), (0, 1)), (("Mul", 255), ("Div", 255), (0, 255)),
     (("Mul", 1 / 255), ("Mul", 255), (0, 1)), (("Div", 255), ("Div", 255), None), (None, ("Mul", 2), "Mul here")],
)  # fmt: skip
def test_scaling_at_the_ends_says_the_range(tmp_path, first, last, inner):
    path = tmp_path / "model.onnx"
    exported(path, Port())

    def change(graph):
        for (operator, factor), name in ((first or ("", 0), "before"), (last or ("", 0), "after")):
            if operator:
                graph.initializer.append(numpy_helper.from_array(np.float32(factor), name))
        if first:
            node(graph, "Conv").input[0] = "scaled"
            graph.node.insert(0, helper.make_node(first[0], ["x", "before"], ["scaled"]))
        if last:
            node(graph, "ConvTranspose").output[0] = "inner"
            graph.node.append(helper.make_node(last[0], ["inner", "after"], ["y"]))

    changed(path, change)
    if inner is None or isinstance(inner, str):
        with pytest.raises(WeightsError, match=inner or "value_range cannot be told: .*different ranges"):
            load_weights(path)
    else:
        assert load_weights(path).value_range == inner


def test_a_prelu_spelled_out_and_a_channel_that_moves(tmp_path):
    """As tf2onnx writes a TensorFlow model: Relu + alpha (z − |z|) ½, and the picture's one channel last."""
    path = tmp_path / "model.onnx"
    exported(path, Port())
    plain = load_weights(path, **RANGE)

    def change(graph):
        for number, old in enumerate([n for n in graph.node if n.op_type == "PRelu"]):
            z, slope, out = old.input[0], old.input[1], old.output[0]
            half = f"half{number}"
            graph.initializer.append(numpy_helper.from_array(np.float32(0.5), half))
            new = [
                helper.make_node("Relu", [z], [f"relu{number}"]), helper.make_node("Abs", [z], [f"abs{number}"]),
                helper.make_node("Sub", [z, f"abs{number}"], [f"sub{number}"]),
                helper.make_node("Mul", [slope, f"sub{number}"], [f"mul{number}"]),
                helper.make_node("Mul", [f"mul{number}", half], [f"low{number}"]),
                helper.make_node("Add", [f"relu{number}", f"low{number}"], [out]),
            ]  # fmt: skip
            place = list(graph.node).index(old)
            graph.node.remove(old)
            for offset, each in enumerate(new):
                graph.node.insert(place + offset, each)
        node(graph, "Conv").input[0] = "first"
        graph.node.insert(0, helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2]))

    changed(path, change)
    assert load_weights(path, **RANGE).sha256 == plain.sha256


@pytest.mark.parametrize(("version", "told"), [(1, "the opset 1;"), (99, "the opset 99;"), (None, "no opset;")])
def test_an_opset_that_is_none_is_noted(tmp_path, version, told):
    path = tmp_path / "model.onnx"
    exported(path, Port())
    loaded = onnx.load(path)
    assert not load_weights(path, **RANGE).provenance["notes"]
    del loaded.opset_import[:]
    if version:
        loaded.opset_import.append(helper.make_opsetid("", version))
    onnx.save(loaded, path)
    assert told in load_weights(path, **RANGE).provenance["notes"][0]
