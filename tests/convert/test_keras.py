"""Keras' whole models, against TensorFlow's arithmetic in loops; the files by Keras' documented layout."""

import json
import zipfile

import h5py
import keras_writer
import numpy as np
import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.convert import ConventionWarning
from fsrcnn_np.errors import WeightsError
from fsrcnn_np.network.reference import forward
from models import random_weights

SAID = {"value_range": (0, 1)}


def model(scale, **options):
    return random_weights(np.random.default_rng(scale), (5, 3, 2), scale, "zero", dtype=np.float32, **options)


def agrees(weights, entries):
    picture = np.random.default_rng(1).random((6, 7))
    scale = weights.architecture.scale
    expected = keras_writer.run(entries, picture)[: 6 * scale, : 7 * scale]
    np.testing.assert_allclose(forward(picture, weights, dtype=np.float64), expected, rtol=0, atol=1e-12)


WRITERS = {
    "h5, functional": lambda path, e: keras_writer.write_h5(path / "model.h5", e),
    "h5, sequential": lambda path, e: keras_writer.write_h5(path / "model.h5", e, style="sequential"),
    "h5 of Keras 3": lambda path, e: keras_writer.write_h5(path / "model.h5", e, style="functional 3"),
    "keras, functional": lambda path, e: keras_writer.write_archive(path / "model.keras", e),
    "keras, sequential": lambda path, e: keras_writer.write_archive(path / "model.keras", e, style="sequential"),
    "keras of 2.12": lambda path, e: keras_writer.write_archive(
        path / "model.keras", e, style="sequential", container="_layer_checkpoint_dependencies"
    ),
}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("writer", WRITERS)
def test_whole_models(tmp_path, writer, scale):
    entries = keras_writer.layers(model(scale, shared_slope=scale == 3), shared_axes=(2, 3) if scale == 4 else (1, 2))
    WRITERS[writer](tmp_path, entries)
    (path,) = tmp_path.iterdir()
    weights = load_weights(path, **SAID)
    assert (weights.border, weights.deconvolution_offset) == ("zero", (9 - scale) // 2)
    agrees(weights, entries)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_output_padding_that_gives_the_whole_size(tmp_path, scale):
    entries = keras_writer.layers(model(scale), last={"output_padding": [scale - 1, scale - 1]})
    keras_writer.write_h5(tmp_path / "model.h5", entries)
    weights = load_weights(tmp_path / "model.h5", **SAID)
    assert not weights.provenance["notes"]
    agrees(weights, entries)


def test_a_smaller_output_is_noted(tmp_path):
    entries = keras_writer.layers(model(2), last={"output_padding": [0, 0]})
    keras_writer.write_h5(tmp_path / "model.h5", entries)
    weights = load_weights(tmp_path / "model.h5", **SAID)
    assert weights.provenance["notes"][0] == "up gives 1 row(s) less than scale × input"
    picture = np.random.default_rng(1).random((6, 7))
    found = forward(picture, weights, dtype=np.float64)[:-1, :-1]
    np.testing.assert_allclose(found, keras_writer.run(entries, picture), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("scale", "offset"), [(2, 4), (3, 3), (4, 3)])
def test_the_backend_torch_cuts_the_larger_half_first(tmp_path, scale, offset):
    """Its ConvTranspose2d pads the same on both sides, and adds what is missing at the end."""
    keras_writer.write_h5(tmp_path / "model.h5", keras_writer.layers(model(scale)), backend="torch")
    assert load_weights(tmp_path / "model.h5", **SAID).deconvolution_offset == offset


def test_a_larger_output_is_cropped_and_said(tmp_path):
    entries = keras_writer.layers(model(2), last={"padding": "valid"})
    keras_writer.write_h5(tmp_path / "model.h5", entries)
    with pytest.warns(ConventionWarning, match=r"7 row\(s\) more and 7 column\(s\) more.*cropped evenly"):
        weights = load_weights(tmp_path / "model.h5", **SAID)
    assert weights.deconvolution_offset == 4
    entries.append(("Cropping2D", {"name": "cut", "cropping": [[4, 3], [4, 3]]}, []))
    keras_writer.write_h5(tmp_path / "cropped.h5", entries)
    weights = load_weights(tmp_path / "cropped.h5", **SAID)
    assert weights.deconvolution_offset == 4
    agrees(weights, entries)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (1, {"padding": "valid"}, "conv2d_0 has padding 'valid'; 'same'"),
        (1, {"strides": [2, 2]}, "conv2d_0 has strides or groups"),
        (1, {"dilation_rate": [2, 2]}, "conv2d_0 is dilated"),
        (1, {"kernel_size": [3, 3]}, r"conv2d_0 has arrays of \(5, 5, 1, 5\), \(5,\); a kernel \(3, 3"),
        (1, {"activation": "tanh"}, "conv2d_0 has the activation 'tanh'.*tf2onnx"),
        (1, {"activation": "relu"}, "p_re_lu_0 does not follow a convolution"),
        (1, {"use_bias": False}, r"a kernel \(5, 5, channels, channels\) is expected"),
        (-1, {"strides": [2, 3]}, r"up has strides \[2, 3\]; the same"),
        (-1, {"activation": "sigmoid"}, "up ends in 'sigmoid'"),
        (-1, {"strides": [5, 5]}, r"up has strides \[5, 5\]"),
    ],
)
def test_what_is_no_fsrcnn_is_named(tmp_path, place, change, message):
    entries = keras_writer.layers(model(2))
    entries[place][1].update(change)
    for writer in ("h5, functional", "keras, functional"):
        WRITERS[writer](tmp_path, entries)
    for path in tmp_path.iterdir():
        with pytest.raises(WeightsError, match=message):
            load_weights(path, **SAID)


def test_layers_that_an_fsrcnn_has_not(tmp_path):
    path = tmp_path / "model.h5"
    entries = keras_writer.layers(model(2))
    keras_writer.write_h5(path, [*entries, ("Lambda", {"name": "shuffle"}, [])])
    with pytest.raises(WeightsError, match="shuffle, after the deconvolution, is a Lambda"):
        load_weights(path)
    keras_writer.write_h5(path, [*entries[:3], ("BatchNormalization", {"name": "norm"}, []), *entries[3:]])
    with pytest.raises(WeightsError, match=r"norm is a BatchNormalization.*tf2onnx"):
        load_weights(path)
    keras_writer.write_h5(path, entries[:-1])
    with pytest.raises(WeightsError, match="has no Conv2DTranspose"):
        load_weights(path)
    entries[2][2][0] = np.ones((6, 7, 5), np.float32)
    keras_writer.write_h5(path, entries)
    with pytest.raises(WeightsError, match=r"p_re_lu_0 has alpha \(6, 7, 5\), one a pixel"):
        load_weights(path)


def test_other_activations_are_slopes(tmp_path):
    entries = keras_writer.layers(model(2))
    entries[2] = ("LeakyReLU", {"name": "leaky", "negative_slope": 0.25}, [])
    entries[3][1]["activation"] = "relu"
    del entries[4]
    keras_writer.write_archive(tmp_path / "model.keras", entries)
    found = load_weights(tmp_path / "model.keras", **SAID)
    assert [layer.slope.tolist() for layer in found.convolutions[:2]] == [[0.25], [0.0]]


def test_branches_are_refused(tmp_path):
    config = keras_writer.config(keras_writer.layers(model(2)), "functional 2")
    by_name = {entry["name"]: entry for entry in config["config"]["layers"]}
    by_name["conv2d_2"]["inbound_nodes"] = [[["conv2d_0", 0, 0, {}]]]
    keras_writer.write_h5(tmp_path / "model.h5", keras_writer.layers(model(2)))
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(WeightsError, match="joins branches, or is used twice"):
        load_weights(tmp_path / "model.h5")


def test_weights_without_their_model_and_damaged_files(tmp_path):
    entries = keras_writer.layers(model(2))
    keras_writer.write_h5(tmp_path / "x2.weights.h5", entries, with_config=False)
    with pytest.raises(WeightsError, match=r"without the model; save the whole model.*model\.save\('x2\.keras'\)"):
        load_weights(tmp_path / "x2.weights.h5")
    keras_writer.write_h5(tmp_path / "x2.h5", entries)
    with h5py.File(tmp_path / "x2.h5", "a") as file:
        file.attrs["model_config"] = "{" * 5000
    with pytest.raises(WeightsError, match="is no JSON"):
        load_weights(tmp_path / "x2.h5")
    keras_writer.write_archive(tmp_path / "x2.keras", entries)
    with zipfile.ZipFile(tmp_path / "x2.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for change, message in (
        ({"model.weights.h5": parts["model.weights.h5"][:5000]}, "damaged"),
        (
            {"config.json": b'{"class_name": "FSRCNN", "config": {}}'},
            "the class FSRCNN, which does not list its layers",
        ),
        ({"config.json": b"[]"}, "no JSON object"),
    ):
        with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
            for name, content in (parts | change).items():
                archive.writestr(name, content)
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / "bad.keras")
    for size in (0.3, 0.9):
        whole = (tmp_path / "x2.h5").read_bytes()
        (tmp_path / "cut.h5").write_bytes(whole[: int(size * len(whole))])
        with pytest.raises(WeightsError):
            load_weights(tmp_path / "cut.h5")


def test_an_external_link_is_not_followed(tmp_path):
    entries = keras_writer.layers(model(2))
    keras_writer.write_h5(tmp_path / "other.h5", entries)
    keras_writer.write_h5(tmp_path / "x2.h5", entries)
    with h5py.File(tmp_path / "x2.h5", "a") as file:
        del file["model_weights/conv2d_0"]
        file["model_weights/conv2d_0"] = h5py.ExternalLink("other.h5", "/model_weights/conv2d_0")
    with pytest.raises(WeightsError, match="conv2d_0 has arrays of none"):
        load_weights(tmp_path / "x2.h5")


def test_a_damaged_heap_ends_no_process(tmp_path):
    """libhdf5 believes the sizes in it: some damage ends the process that reads the configuration's text."""
    path = tmp_path / "x2.h5"
    keras_writer.write_h5(path, keras_writer.layers(model(2)))
    whole = path.read_bytes()
    at = whole.index(b"GCOL")
    rng = np.random.default_rng(0)
    for part in range(4):
        damaged = bytearray(whole)
        damaged[at + 4 : at + 64] = bytes([255] * 60) if part == 0 else rng.bytes(60)
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"damaged|no JSON"):
            load_weights(path, **SAID)
