"""MATLAB's structs, -v7 and -v7.3; the M-script runs under Octave on a struct in place of a network."""

import os
import struct
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from mat73_writer import Cell, StructArray, write_mat73
from scipy.io import loadmat, savemat

from fsrcnn_np import load_weights
from fsrcnn_np.convert import ConventionWarning, matlab, save_weights
from fsrcnn_np.convert.matlab import mat73
from fsrcnn_np.errors import WeightsError
from fsrcnn_np.files import mat5
from models import random_weights

SCRIPTS = Path(__file__).parents[2] / "weights" / "matlab"


def model(dsm=(5, 3, 2), scale=2, **options):
    options = {"dtype": np.float32, **options}
    return random_weights(np.random.default_rng([*dsm, scale]), dsm, scale, "zero", **options)


def matlab_kernel(weight):
    """(out, in, rows, columns) → (rows, columns, in, out), one element after the other."""
    out, channels, rows, columns = weight.shape
    kernel = np.empty((rows, columns, channels, out), weight.dtype)
    for o, c, y, x in np.ndindex(weight.shape):
        kernel[y, x, c, o] = weight[o, c, y, x]
    return kernel


def deconvolution_kernel(weight):
    """(in, 1, rows, columns) → (rows, columns, NumFilters = 1, NumChannels)."""
    kernel = np.empty((9, 9, 1, len(weight)), weight.dtype)
    for d, _, y, x in np.ndindex(weight.shape):
        kernel[y, x, 0, d] = weight[d, 0, y, x]
    return kernel


def toolbox_layers(weights, *, mean=0.25, **changes) -> list[dict]:
    """The properties of a Deep Learning Toolbox network of this model; `changes` go to the first convolution."""
    layers = [
        {"Name": "image", "InputSize": np.array([[24.0, 24.0, 1.0]]), "Normalization": "zerocenter",
         "Mean": np.full((24, 24), mean, np.float32)}
    ]  # fmt: skip
    for i, (weight, bias, slope) in enumerate(weights.convolutions):
        size = weight.shape[-1]
        layers.append(
            {"Name": f"conv_{i + 1}", "FilterSize": np.full((1, 2), float(size)), "Stride": np.ones((1, 2)),
             "PaddingMode": "same", "PaddingSize": np.full((1, 4), size // 2.0), "PaddingValue": np.zeros((1, 1)),
             "Weights": matlab_kernel(weight), "Bias": bias[None, None]}
        )  # fmt: skip
        layers.append({"Name": f"prelu_{i + 1}", "Alpha": slope[None, None]})
    scale, top = weights.architecture.scale, weights.deconvolution_offset
    crop = [[top, 9 - scale - top, top, 9 - scale - top]]
    layers.append(
        {"Name": "up", "FilterSize": np.full((1, 2), 9.0), "Stride": np.full((1, 2), float(scale)),
         "CroppingMode": "manual", "CroppingSize": np.array(crop, float),
         "Weights": deconvolution_kernel(weights.deconvolution.weight), "Bias": weights.deconvolution.bias[None]}
    )  # fmt: skip
    layers[1].update(changes)
    return layers


def export(layers: list[dict], **fields) -> dict:
    return {"format": "fsrcnn-np weights", "schema": np.ones((1, 1)), "layers": layers, **fields}


def write(path: Path, layers: list[dict], version: str, **fields) -> Path:
    """The struct of the M-script, as MATLAB saves it."""
    if version == "-v7.3":
        write_mat73(path, {"fsrcnn": export(Cell([layers]), **fields)})
        return path
    cell = np.empty((1, len(layers)), object)
    cell[0, :] = layers
    savemat(path, {"fsrcnn": export(cell, **fields)}, do_compression=True)
    return path


def same(weights, expected) -> None:
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(weights.arrays()[name], array)
        assert weights.arrays()[name].dtype == array.dtype


@pytest.mark.parametrize("version", ["-v7", "-v7.3"])
@pytest.mark.parametrize(("dsm", "scale"), [((5, 3, 2), 2), ((4, 1, 1), 3), ((1, 1, 1), 4), ((5, 1, 2), 2)])
def test_structs_with_their_trailing_ones_dropped(tmp_path, version, dsm, scale):
    expected = model(dsm, scale)
    path = write(tmp_path / "m.mat", toolbox_layers(expected), version, value_range=np.array([[0.0, 1.0]]))
    weights = load_weights(path)
    same(weights, expected)
    assert (weights.architecture.scale, weights.border, weights.deconvolution_offset) == (scale, "zero", 4)
    assert weights.input_mean == 0.25
    assert weights.provenance["convention"]["input_mean"]["source"] == "Mean of image"


def test_the_value_range_is_not_assumed_in_silence(tmp_path):
    path = write(tmp_path / "m.mat", toolbox_layers(model()), "-v7")
    with pytest.warns(ConventionWarning, match="value_range"):
        load_weights(path)
    assert load_weights(path, value_range=(0, 255)).value_range == (0, 255)


def test_a_mean_image_that_varies_is_said(tmp_path):
    layers = toolbox_layers(model())
    layers[0]["Mean"] = np.linspace(0.4, 0.6, 576, dtype=np.float32).reshape(24, 24)
    path = write(tmp_path / "m.mat", layers, "-v7", value_range=np.array([[0.0, 1.0]]))
    with pytest.warns(ConventionWarning, match=r"the mean of Mean of image, 24×24 with values 0\.4 to 0\.6"):
        assert load_weights(path).input_mean == pytest.approx(0.5)
    assert load_weights(path, input_mean=0.5).input_mean == 0.5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_cropping_same_crops_the_odd_row_below(tmp_path, scale):
    layers = toolbox_layers(model(scale=scale))
    layers[-1]["CroppingMode"] = "same"
    path = write(tmp_path / "m.mat", layers, "-v7", value_range=np.array([[0.0, 1.0]]))
    assert load_weights(path).deconvolution_offset == {2: 3, 3: 3, 4: 2}[scale]


def test_one_number_of_cropping(tmp_path):
    layers = toolbox_layers(model())
    del layers[-1]["CroppingMode"], layers[-1]["CroppingSize"]
    layers[-1]["Cropping"] = np.full((1, 2), 4.0)
    weights = load_weights(write(tmp_path / "m.mat", layers, "-v7", value_range=np.array([[0.0, 1.0]])))
    assert weights.deconvolution_offset == 4
    assert "gives 1 row(s) less than scale × input" in weights.provenance["notes"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Stride": np.full((1, 2), 2.0)}, "conv_1: Stride is"),
        ({"DilationFactor": np.full((1, 2), 2.0)}, "conv_1: DilationFactor is"),
        ({"PaddingMode": "manual", "PaddingSize": np.zeros((1, 4))}, "conv_1: padding is .*'same' is expected"),
        ({"PaddingValue": "symmetric-include-edge"}, "conv_1: PaddingValue is 'symmetric"),
        ({"PaddingValue": "replicate"}, "border cannot be told: conv_1 pads with replicate; conv_4 pads with zero"),
        ({"Weights": np.empty((0, 0))}, r"conv_1: Weights is \(0, 0\); numbers are expected: an untrained network"),
        ({"NumGroups": np.full((1, 1), 2.0)}, "conv_1 is a grouped convolution; .*its layers: image: input"),
        ({"TrainedMean": np.ones((1, 1, 8)), "Weights": None, "FilterSize": None}, None),
    ],
)  # fmt: skip
def test_what_an_fsrcnn_does_not_do_is_refused(tmp_path, changes, message):
    layers = toolbox_layers(model(), **changes)
    if message is None:
        layers[1] = {"Name": "norm", "TrainedMean": np.ones((1, 1, 8))}
        message = "norm is a batch normalization"
    with pytest.raises(WeightsError, match=message):
        load_weights(write(tmp_path / "m.mat", layers, "-v7"))


def test_input_layers(tmp_path):
    for changes, message in [
        ({"InputSize": np.array([[24.0, 24.0, 4.0]])}, "takes 4 channels"),
        (
            {"Normalization": "zerocenter", "Mean": np.array([[[0.4, 0.5, 0.6]]])},
            r"differs from channel to channel.*say input_mean",
        ),
        ({"Normalization": "zscore"}, "normalises by 'zscore'"),
        ({"Mean": np.empty((0, 0))}, r"input_mean cannot be told: .*say input_mean=0"),
    ]:
        layers = toolbox_layers(model())
        layers[0].update(changes)
        with pytest.raises(WeightsError, match=message):
            load_weights(write(tmp_path / "m.mat", layers, "-v7"))


def test_the_m_script_under_octave(tmp_path):
    expected = model((5, 1, 2), 3)
    cells = {"kernels": [], "biases": [], "slopes": []}
    for weight, bias, slope in expected.convolutions:
        cells["kernels"].append(matlab_kernel(weight))
        cells["biases"].append(bias[None, None])
        cells["slopes"].append(slope[None, None])
    arrays = {name: np.empty((1, len(values)), object) for name, values in cells.items()}
    for name, values in cells.items():
        arrays[name][0, :] = values
    arrays |= {
        "up_kernel": deconvolution_kernel(expected.deconvolution.weight), "up_bias": expected.deconvolution.bias[None],
        "stride": 3.0, "crop": np.array([[4.0, 2.0, 4.0, 2.0]]), "mean_image": np.full((24, 24), 0.5, np.float32),
    }  # fmt: skip
    savemat(tmp_path / "arrays.mat", arrays)
    done = subprocess.run(
        ["octave-cli", "--no-init-file", "--quiet", Path(__file__).with_name("standin.m")],
        env={**os.environ, "STANDIN_FOLDER": str(tmp_path), "STANDIN_SCRIPTS": str(SCRIPTS)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "refused: Unknown option Range" in done.stdout
    assert "refused: The network has branches" in done.stdout
    for name, span in [("series", None), ("dag", (0, 1)), ("dlnetwork", (0, 1)), ("own_layers", None)]:
        weights = load_weights(tmp_path / f"{name}.mat", value_range=span)
        same(weights, expected)
        assert (weights.architecture.scale, weights.deconvolution_offset, weights.input_mean) == (3, 4, 0.5)
        assert weights.value_range == ((0, 255) if name == "own_layers" else (0, 1))


@pytest.mark.parametrize("what", ["5", "'net'", "@sin", "[]", "true"])
def test_the_m_script_refuses_what_is_no_network(tmp_path, what):
    path = tmp_path / "x.mat"
    code = f"addpath('{SCRIPTS}'); export_fsrcnn_weights({what}, '{path}')"
    done = subprocess.run(
        ["octave-cli", "--no-init-file", "--quiet", "--eval", code],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode
    assert "A network, or its layers, is expected; this is " in done.stderr
    assert not path.exists()


def test_a_public_training_scripts_plan(tmp_path):
    """FSRCNN(48,12,2), an input layer with zerocenter and its mean, and Cropping 4 all round: a row less than ×2."""
    expected = model((48, 12, 2), 2)
    layers = toolbox_layers(expected)
    layers[0].update({"Normalization": "zerocenter", "Mean": np.full((41, 41), 0.25, np.float32)})
    layers[-1]["CroppingSize"] = np.full((1, 4), 4.0)
    weights = load_weights(write(tmp_path / "m.mat", layers, "-v7"), value_range=(0, 1))
    same(weights, expected)
    assert (weights.deconvolution_offset, weights.input_mean) == (4, 0.25)
    assert "gives 1 row(s) less than scale × input" in weights.provenance["notes"][0]


def test_octave_reads_what_we_write(tmp_path):
    expected = model()
    save_weights(expected, tmp_path / "ours.mat")
    code = (
        f"load('{tmp_path / 'ours.mat'}'); l = fsrcnn.layers; disp(size(l)); disp(size(l{{1}}.Weights)); "
        "printf('%.9g\\n', l{1}.Weights(2, 3, 1, 4), l{end}.Weights(7, 2, 1, 3)); disp(l{end}.Name)"
    )
    done = subprocess.run(
        ["octave-cli", "--no-init-file", "--quiet", "--eval", code],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[0].split() == ["1", "11"]
    assert lines[1].split() == ["5", "5", "1", "5"]
    assert float(lines[2]) == pytest.approx(expected.convolutions[0].weight[3, 0, 1, 2], rel=1e-8)
    assert float(lines[3]) == pytest.approx(expected.deconvolution.weight[2, 0, 6, 1], rel=1e-8)
    assert lines[4] == "deconvolution"


# -v7.3 --------------------------------------------------------------------------------------------------------------


def test_values_of_every_class(tmp_path):
    path = tmp_path / "v.mat"
    write_mat73(
        path,
        {
            "numbers": np.arange(24.0).reshape(2, 3, 4), "single": np.ones((5, 1), np.float32), "text": "ä text",
            "none": np.empty((0, 3)), "cell": Cell([["a", np.ones((1, 2))], [Cell([["deep"]]), np.empty((0, 0))]]),
            "struct": {"a": np.array([[1.0, 2.0]]), "inner": {"b": "x"}},
            "array": StructArray([{"k": "one", "v": np.ones((2, 2))}, {"k": "two", "v": np.zeros((1, 1))}]),
        },
    )  # fmt: skip
    found = mat73.read(path)
    np.testing.assert_array_equal(found["numbers"], np.arange(24.0).reshape(2, 3, 4))
    assert found["single"].dtype == np.float32
    assert found["text"] == "ä text"
    assert found["none"].shape == (0, 3)
    assert found["cell"].shape == (2, 2)
    assert found["cell"][1, 0][0, 0] == "deep"
    assert found["cell"][1, 1].shape == (0, 0)
    assert found["struct"]["inner"] == {"b": "x"}
    assert [entry["k"] for entry in found["array"].ravel()] == ["one", "two"]


@pytest.mark.shared
def test_genuine_v73_files(shared):
    first = mat73.read(shared / "matlab_networks" / "mat73_testfile1.mat")
    data = first["data"]
    np.testing.assert_array_equal(data["arr_two_three"].shape, (3, 2))
    assert data["arr_char"] == "test"
    assert data["string_"] == "tasdfasdf"
    assert data["cell_char_"].shape == (2, 3)
    assert data["cell_char_"][0, 0] == "Smith"
    assert data["cell_"].shape == (1, 7)
    assert data["struct_"]["test"].tolist() == [[1, 2, 3, 4]]
    assert [entry["type"] for entry in data["struct2_"].ravel()] == ["big", "little"]
    assert data["arr_float"].dtype == np.float32
    assert data["missing_"] is mat5.OBJECT
    assert data["sparse_"] is mat5.OBJECT
    second = mat73.read(shared / "matlab_networks" / "mat73_testfile2.mat")["raw1"]
    assert second.shape == (1, 5)
    assert second[0, 4]["channel"].item() == 5
    assert second[0, 0]["label"] == ""  # MATLAB_empty
    with pytest.raises(WeightsError, match="a MAT-file with the variables data, keys, secondvar; the FSRCNN authors'"):
        load_weights(shared / "matlab_networks" / "mat73_testfile1.mat", scale=2)


def test_v73_that_is_not_matlabs(tmp_path):
    path = tmp_path / "m.mat"
    write_mat73(path, {"fsrcnn": export(Cell([toolbox_layers(model())]))})
    with h5py.File(path, "r+") as file:
        del file["fsrcnn/format"].attrs["MATLAB_class"]
    with pytest.raises(WeightsError, match=r"fsrcnn\.format has no attribute MATLAB_class"):
        load_weights(path)
    plain = tmp_path / "plain.mat"
    with h5py.File(plain, "w") as file:
        file["x"] = np.ones(3)
    with pytest.raises(WeightsError, match="no attribute format"):
        load_weights(plain)


def v73(tmp_path) -> Path:
    path = tmp_path / "m.mat"
    write_mat73(path, {"fsrcnn": export(Cell([toolbox_layers(model())]))})
    return path


def test_v73_declares_too_much(tmp_path):
    path = v73(tmp_path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("huge", (1 << 20, 1 << 20), "f8", chunks=(64, 64))
    with pytest.raises(WeightsError, match=r"huge declares .* far more than an FSRCNN holds"):
        load_weights(path)


def test_v73_empty_that_is_not(tmp_path):
    path = v73(tmp_path)
    with h5py.File(path, "r+") as file:
        file["trap"] = np.array([1 << 40, 1 << 40], np.uint64)
        file["trap"].attrs["MATLAB_empty"] = np.uint8(1)
    with pytest.raises(WeightsError, match="trap is marked as empty, and is not"):
        load_weights(path)


def test_v73_values_elsewhere(tmp_path):
    path = v73(tmp_path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("secret", (8,), "u1", external=[(str(tmp_path / "other"), 0, 8)])
    with pytest.raises(WeightsError, match="secret keeps its values in another file"):
        load_weights(path)


def test_v73_references_that_fan_out(tmp_path):
    """Twelve cells, each of ten references to the next: 10¹² values in 9 kB."""
    path = v73(tmp_path)
    with h5py.File(path, "r+") as file:
        below = file.create_dataset("#refs#/leaf", data=np.ones((1, 1)))
        below.attrs["MATLAB_class"] = np.bytes_("double")
        for level in range(12):
            cell = file.create_dataset(f"#refs#/{level}" if level < 11 else "fan", (10, 1), h5py.ref_dtype)
            cell.attrs["MATLAB_class"] = np.bytes_("cell")
            for row in range(10):
                cell[row, 0] = below.ref
            below = cell
    with pytest.raises(WeightsError, match="references lead to too many values") as caught:
        load_weights(path)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_v73_references_in_circles(tmp_path):
    path = v73(tmp_path)
    with h5py.File(path, "r+") as file:
        cell = file.create_dataset("round", (1, 1), h5py.ref_dtype)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
        cell[0, 0] = cell.ref
    with pytest.raises(WeightsError, match="references lead to too many values, or go round in circles"):
        load_weights(path)
    with h5py.File(path, "r+") as file:
        file["round"][0, 0] = h5py.Reference()
    with pytest.raises(WeightsError, match="a reference leads nowhere"):
        load_weights(path)


# Damaged -v7 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["-v7", "-v7.3"])
def test_truncated_anywhere(tmp_path, version):
    whole = write(tmp_path / "m.mat", toolbox_layers(model()), version, value_range=np.array([[0.0, 1.0]])).read_bytes()
    for part in (0.03, 0.3, 0.6, 0.9, 0.99):
        cut = tmp_path / "x2.mat"
        cut.write_bytes(whole[: max(130, int(len(whole) * part))])
        with pytest.raises(WeightsError, match=r"truncated|damaged|variables"):
            load_weights(cut)


def test_flipped_bytes_end_in_an_error_or_in_a_model(tmp_path):
    whole = bytearray(write(tmp_path / "m.mat", toolbox_layers(model()), "-v7").read_bytes())
    inside = bytearray(zlib.decompress(bytes(whole[136:])))
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(inside), 150):
        changed = bytearray(inside)
        changed[place] ^= 1 << rng.integers(8)
        path = tmp_path / "x2.mat"
        path.write_bytes(bytes(whole[:128]) + bytes(changed))
        with suppress(WeightsError):
            load_weights(path, value_range=(0, 1), input_mean=0)


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def variable(kind: int, dimensions: tuple[int, ...], *contents: bytes, name: bytes = b"weights_conv") -> bytes:
    flags = element(6, struct.pack("<II", kind, 0))
    shape = element(5, struct.pack(f"<{len(dimensions)}i", *dimensions))
    return element(14, flags + shape + element(1, name) + b"".join(contents))


def mat_file(path: Path, *elements: bytes) -> Path:
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + b"\x00\x01IM" + b"".join(elements))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (variable(6, (1 << 20, 1 << 20), element(9, bytes(8))), "declares 1048576×1048576 and holds 1 values"),
        (variable(1, (1 << 30, 1)), "declares 1073741824×1 and holds 0 values"),
        (variable(1, (50000, 50000), element(14, b"")), "declares 50000×50000 and holds 1"),
        (variable(2, (1 << 28, 1), element(5, struct.pack("<i", 8)), element(1, b"field".ljust(8))), "declares 2684"),
        (variable(4, (1 << 30, 1), element(16, b"a")), "declares 1073741824×1"),
        (variable(6, (-1, 4), element(9, bytes(8))), r"dimensions \(-1, 4\)"),
        (element(14, element(5, bytes(8))), "an array without its flags"),
        (element(3, bytes(8)), "an element of type 3 where a variable"),
        (struct.pack("<II", 14, 1 << 31), "truncated: 2147483648 bytes are declared"),
        (struct.pack("<II", 15, 12) + zlib.compress(bytes(900))[:12], "truncated inside a compressed variable"),
        (struct.pack("<II", 15, 8) + b"no zlib!", "damaged"),
        (b"\x01\x02", "truncated"),
    ],
)  # fmt: skip
def test_sizes_are_not_believed(tmp_path, content, message):
    with pytest.raises(WeightsError, match=message):
        load_weights(mat_file(tmp_path / "x2.mat", content))


def test_a_bomb_is_not_inflated(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab, "MOST_BYTES", 4 << 20)
    packed = zlib.compress(bytes(5 << 20))
    with pytest.raises(WeightsError, match="decompresses to more than"):
        load_weights(mat_file(tmp_path / "x2.mat", struct.pack("<II", 15, len(packed)) + packed))


def test_deep_nesting(tmp_path):
    inner = variable(6, (1, 1), element(9, bytes(8)), name=b"")
    for _ in range(60):
        inner = variable(1, (1, 1), inner, name=b"")
    with pytest.raises(WeightsError, match="nests arrays too deeply"):
        load_weights(mat_file(tmp_path / "x2.mat", inner))


@pytest.mark.parametrize("compressed", [True, False])
def test_values_as_scipy_reads_them(tmp_path, compressed):
    path = tmp_path / "all.mat"
    items = np.array([("first", np.ones((1, 2))), ("second", np.zeros((3, 1)))], [("name", object), ("value", object)])
    variables = {
        "row": np.arange(3.0), "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4), "single": np.float32([[1.5]]),
        "text": "hello ä", "cell": np.array([["x", np.ones(2)]], object), "flag": np.array([[True, False]]),
        "s": {"u": 1, "v": {"w": "deep"}}, "complex": np.ones(3) + 2j, "none": np.empty((0, 3)), "items": items,
    }  # fmt: skip
    savemat(path, variables, do_compression=compressed)
    found, expected = dict(mat5.read(path, most=1 << 20)), loadmat(path)
    assert set(found) == set(variables)
    for name in ("row", "cube", "single", "flag", "complex", "none"):
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].shape == expected[name].shape
    assert found["single"].dtype == np.float32
    assert found["text"] == "hello ä"
    assert found["cell"].shape == (1, 2)
    assert found["cell"][0, 0] == "x"
    assert found["s"]["v"] == {"w": "deep"}
    assert [item["name"] for item in found["items"].ravel()] == ["first", "second"]
    np.testing.assert_array_equal(found["items"].ravel()[1]["value"], np.zeros((3, 1)))


def test_no_model_in_a_mat_file(tmp_path):
    savemat(tmp_path / "x2.mat", {"a": 1.0, "b": "text"})
    with pytest.raises(WeightsError, match="a MAT-file with the variables a, b; the FSRCNN authors' cells"):
        load_weights(tmp_path / "x2.mat")
    savemat(tmp_path / "x2.mat", {"fsrcnn": 1.0})
    with pytest.raises(WeightsError, match="a struct fsrcnn with format = 'fsrcnn-np weights'"):
        load_weights(tmp_path / "x2.mat")
    savemat(tmp_path / "x2.mat", {"fsrcnn": {"format": "fsrcnn-np weights", "schema": 2.0, "layers": 0.0}})
    with pytest.raises(WeightsError, match="this version reads 1"):
        load_weights(tmp_path / "x2.mat")
