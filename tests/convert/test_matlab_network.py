"""Network objects: MATLAB's own classifiers are read and refused with their layers; an FSRCNN is a stand-in.

No FSRCNN that MATLAB saved as an object was at hand: the stand-in is written by mat-io in the form of the classifiers.
"""

import warnings

import numpy as np
import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.errors import MissingExtraError, WeightsError
from models import random_weights

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pandas deprecates an option that mat-io sets
    import matio
    from matio.utils.matclass import MatlabOpaque, MatlabOpaqueArray


def record(**fields) -> np.ndarray:
    """A MATLAB struct as mat-io writes it."""
    made = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        made[0, 0][name] = np.array([value]) if isinstance(value, str) else value
    return made


def layer(**fields) -> MatlabOpaque:
    """A layer of the toolbox: all its properties in a struct `any`."""
    return MatlabOpaque(
        {"Version": np.ones((1, 1)), "any": record(Version=np.ones((1, 1)), **fields)}, "nnet.cnn.layer.Layer"
    )


def layers_of(weights) -> list[MatlabOpaque]:
    image = record(
        Type="zerocenter", ImageSize=np.array([[24.0, 24.0, 1.0]]), AverageImage=np.full((24, 24), 0.5, np.float32)
    )
    made = [layer(Name="imageinput", InputSize=np.array([[24.0, 24.0, 1.0]]), Normalization=image)]
    for i, (weight, bias, slope) in enumerate(weights.convolutions):
        size = float(weight.shape[-1])
        made.append(
            layer(
                Name=f"conv_{i}", FilterSize=np.full((1, 2), size), Stride=np.ones((1, 2)), PaddingMode="same",
                DilationFactor=np.ones((1, 2)), PaddingSize=np.full((1, 4), size // 2),
                Weights=record(Value=weight.transpose(2, 3, 1, 0)), Bias=record(Value=bias[None, None]),
            )
        )  # fmt: skip
        made.append(MatlabOpaque({"Name": np.array([f"prelu_{i}"]), "Alpha": slope[None, None]}, "preluLayer"))
    scale = weights.architecture.scale
    made.append(
        layer(
            Name="up", FilterSize=np.full((1, 2), 9.0), Stride=np.full((1, 2), float(scale)), CroppingMode="manual",
            CroppingSize=np.array([[4.0, 5.0 - scale, 4.0, 5.0 - scale]]),
            Weights=record(Value=weights.deconvolution.weight.transpose(2, 3, 1, 0)),
            Bias=record(Value=weights.deconvolution.bias[None]),
        )
    )  # fmt: skip
    made.append(layer(Name="regression", ResponseNames=np.empty((0, 0), object), LossFunction="mean-squared-error"))
    return made


def objects(layers: list[MatlabOpaque]) -> np.ndarray:
    made = np.empty((len(layers), 1), object)
    made[:, 0] = layers
    return made


def network(layers: list[MatlabOpaque], kind: str = "SeriesNetwork") -> MatlabOpaque:
    return MatlabOpaque({"any": record(Version=np.ones((1, 1)), Layers=objects(layers))}, kind)


@pytest.fixture
def model():
    return random_weights(np.random.default_rng(8), (5, 3, 2), 3, "zero", dtype=np.float32)


@pytest.mark.parametrize("version", ["v7", "v7.3"])
@pytest.mark.parametrize("form", ["SeriesNetwork", "DAGNetwork", "layers"])
def test_a_stand_in_for_an_fsrcnn(tmp_path, model, form, version):
    layers = layers_of(model)
    array = MatlabOpaqueArray(objects(layers), "nnet.cnn.layer.Layer")
    path = tmp_path / "net.mat"
    matio.save_to_mat(str(path), {"net": array if form == "layers" else network(layers, form)}, version=version)
    weights = load_weights(path, value_range=(0, 1))
    for name, values in model.arrays().items():
        np.testing.assert_array_equal(weights.arrays()[name], values)
    assert (weights.architecture.scale, weights.border, weights.input_mean) == (3, "zero", 0.5)
    assert weights.provenance["convention"]["input_mean"]["source"] == "AverageImage of imageinput"
    notes = weights.provenance["notes"]
    assert "no genuine FSRCNN" in notes[0]
    assert len(notes) == (1 if form == "SeriesNetwork" else 2)  # the order of the layers is not known in the others


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "igreen1_trainedNet.mat",
            r"trainedNet \(SeriesNetwork\): batchnorm_1 is a batch normalization; .* imageinput: input 28×28×1, "
            r"conv_1: convolution 3×3×1×8, .* maxpool_1: pooling, .* fc: fully connected layer 7×7×32×10, softmax",
        ),
        ("saurabh_trainedNet.mat", r"net \(SeriesNetwork\): fc_3 is a fully connected layer; .*fc_2: fully connected"),
    ],
)
def test_classifiers_are_listed_and_refused(shared, file, message):
    with pytest.raises(WeightsError, match=message):
        load_weights(shared / "matlab_networks" / file)


def test_more_than_one_network(tmp_path, model):
    path = tmp_path / "net.mat"
    matio.save_to_mat(str(path), {"a": network(layers_of(model)), "b": network(layers_of(model))}, version="v7")
    with pytest.raises(WeightsError, match="2 networks: a, b; save one alone"):
        load_weights(path)


def test_an_object_that_is_no_network(tmp_path):
    path = tmp_path / "net.mat"
    matio.save_to_mat(str(path), {"a": MatlabOpaque({"Name": np.array(["x"])}, "SomeClass")}, version="v7")
    with pytest.raises(
        WeightsError, match=r"no network with layers was found among the objects a \(SomeClass\); run .*weights"
    ):
        load_weights(path)


def test_without_mat_io(tmp_path, model, uninstalled):
    path = tmp_path / "net.mat"
    matio.save_to_mat(str(path), {"net": network(layers_of(model))}, version="v7")
    uninstalled("matio")
    with pytest.raises(
        MissingExtraError, match=r"needs mat-io: pip install 'fsrcnn-np\[matlab\]'; or run .*weights/matlab"
    ):
        load_weights(path)


@pytest.mark.shared
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_object_is_an_error(shared, tmp_path, part):
    whole = (shared / "matlab_networks" / "saurabh_trainedNet.mat").read_bytes()
    path = tmp_path / "net.mat"
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(WeightsError, match="truncated"):
        load_weights(path)
