"""The FSRCNN authors' cells: x2, x3, x4 and FSRCNN-s, written here by the facts of their release."""

import numpy as np
import pytest
from mat73_writer import Cell, write_mat73
from scipy.io import savemat

import naive
from fsrcnn_np import load_weights
from fsrcnn_np.errors import WeightsError
from fsrcnn_np.network.reference import forward
from models import random_weights


def cells(weights) -> dict:
    """weights_conv, biases_conv and prelu_conv of a model with one slope a layer, element by element."""
    kernels, biases, slopes = [], [], []
    for weight, bias, slope in weights.convolutions:
        out, channels, size, _ = weight.shape
        kernel = np.empty((channels, size * size, out))
        for o, c, row, column in np.ndindex(weight.shape):
            kernel[c, row + size * column, o] = weight[o, c, row, column]
        kernels.append(kernel)
        biases.append(bias[:, None].astype(np.float32))
        slopes.append(slope.reshape(1, 1).astype(np.float32))
    weight, bias = weights.deconvolution
    kernel = np.empty((1, 81, len(weight)))
    for feature, _, row, column in np.ndindex(weight.shape):
        kernel[0, row + 9 * column, feature] = weight[feature, 0, row, column]
    kernels.append(kernel)
    biases.append(bias.reshape(1, 1).astype(np.float32))
    slopes.append(np.empty((1, 0)))
    return {"weights_conv": kernels, "biases_conv": biases, "prelu_conv": slopes}


def as_cells(columns: dict) -> dict:
    found = {}
    for name, values in columns.items():
        found[name] = np.empty((len(values), 1), object)
        for i, value in enumerate(values):
            found[name][i, 0] = value
    return found


def model(dsm=(56, 12, 4), scale=2):
    rng = np.random.default_rng([*dsm, scale])
    return random_weights(rng, dsm, scale, "replicate", dtype=np.float32, shared_slope=True)


@pytest.mark.parametrize("version", ["-v5", "-v7.3"])
@pytest.mark.parametrize(
    ("dsm", "scale"),
    [((56, 12, 4), 2), ((56, 12, 4), 3), ((56, 12, 4), 4), ((32, 5, 1), 2), ((32, 5, 1), 3), ((3, 1, 1), 4)],
)  # fmt: skip
def test_every_scale_and_the_small_one(tmp_path, dsm, scale, version):
    expected = model(dsm, scale)
    path = tmp_path / f"x{scale}.mat"
    if version == "-v5":
        savemat(path, as_cells(cells(expected)))
    else:
        write_mat73(path, {name: Cell([[value] for value in values]) for name, values in cells(expected).items()})
    weights = load_weights(path)
    assert weights.sha256 == expected.sha256  # float64 that is float32 in value, beside float32 biases
    assert weights.border == "replicate"
    assert weights.licence.startswith("academic use only")
    assert ("too far up" in weights.provenance["convention"]["deconvolution_offset"]["source"]) == (scale == 3)


def test_the_output_by_the_naive_twin(tmp_path):
    expected = model((3, 2, 1), 3)
    savemat(tmp_path / "x3.mat", as_cells(cells(expected)))
    picture = np.random.default_rng(3).random((5, 4))
    for offset in (None, 3):
        weights = load_weights(tmp_path / "x3.mat", deconvolution_offset=offset)
        assert weights.deconvolution_offset == (offset or 4)
        slow = naive.forward(
            picture.tolist(),
            [[array.tolist() for array in layer] for layer in expected.convolutions],
            [array.tolist() for array in expected.deconvolution],
            3, offset or 4, "replicate",
        )  # fmt: skip
        np.testing.assert_allclose(forward(picture, weights, dtype=np.float64), slow, rtol=0, atol=1e-12)


def without(values: dict, name: str) -> dict:
    return {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: without(v, "prelu_conv"), "prelu_conv is missing; the authors' file has the cells"),
        (lambda v: v | {"biases_conv": v["biases_conv"][:-1]}, "biases_conv has 7 cells and weights_conv 8"),
        (lambda v: {k: x[:4] for k, x in v.items()}, "weights_conv has 4 cells; 8 are expected"),
        (lambda v: v | {"prelu_conv": [np.empty((1, 0)), *v["prelu_conv"][1:]]}, "prelu_conv, cell 1 is empty"),
        (lambda v: v | {"prelu_conv": [*v["prelu_conv"][:-1], np.ones((1, 1))]}, "followed by a PReLU"),
        (lambda v: v | {"weights_conv": [v["weights_conv"][0][:, :24], *v["weights_conv"][1:]]}, r"\(1, 24, 56\)"),
        (lambda v: v | {"weights_conv": ["text", *v["weights_conv"][1:]]}, "weights_conv, cell 1: str was found"),
        (lambda v: {k: x[:3] + x[4:] for k, x in v.items()}, None),
        (lambda v: {k: x[:1] + x[2:] for k, x in v.items()}, r"shrinking \(in the file: cell 2\)"),
        (lambda v: v | {"weights_conv": [x * np.nan for x in v["weights_conv"]]}, "NaN"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path, change, message):
    path = tmp_path / "x2.mat"
    savemat(path, as_cells(change(cells(model()))))
    if message is None:  # one mapping layer less is a legal FSRCNN(56, 12, 3)
        assert load_weights(path).architecture.m == 3
        return
    with pytest.raises(WeightsError, match=message):
        load_weights(path)


def test_the_scale_is_asked_for(tmp_path):
    path = tmp_path / "model.mat"
    savemat(path, as_cells(cells(model(scale=4))))
    with pytest.raises(WeightsError, match="scale cannot be told"):
        load_weights(path)
    assert load_weights(path, scale=4).sha256 == model(scale=4).sha256


@pytest.mark.shared
def test_the_released_x2(shared):
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat")
    assert str(weights.architecture) == "FSRCNN(56,12,4) x2"
    assert (weights.border, weights.deconvolution_offset, weights.dtype) == ("replicate", 4, np.float32)
    slopes = [float(layer.slope[0]) for layer in weights.convolutions]
    assert len(slopes) == 7
    assert min(slopes) == pytest.approx(-0.8986289)
