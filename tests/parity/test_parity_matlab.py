"""MATLAB's part, as far as Octave can stand in for it: the export, its check, and the toolbox network."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import fsrcnn_np
import piqe_np
from fsrcnn_np.images.colour import rgb2ycbcr_uint8
from harm import nudged
from models import random_weights
from parity import __main__ as command
from parity import checks, store, suite
from parity.oracles import matlab, octave
from piqe_np import matlab as numerics

STAND_INS = Path(__file__).parent / "toolbox"


@pytest.fixture(scope="module")
def exported(tmp_path_factory, vectors):
    return octave.export(vectors, tmp_path_factory.mktemp("goldens"))


def toolbox(vectors):
    """What MATLAB's own functions would say if they said what ours do."""
    found = []
    for vector in vectors:
        image, fields = vector.image, {}
        if vector.kind == "piqe":
            fields["im2double"] = numerics.im2double(image)
            if image.ndim == 3 and image.dtype != np.int16:
                fields["rgb2gray"] = numerics.rgb2gray(image)
            if "data_range" not in vector.inputs:
                result = piqe_np.piqe(image)
                fields["piqe"] = {"score": result.score} | {mask: getattr(result, mask) for mask in matlab.MASKS}
        elif vector.kind == "imresize":
            fields["imresize"] = fsrcnn_np.imresize(image, checks.scale_of(vector), **checks.resize_options(vector))
        elif vector.kind == "rgb2ycbcr":
            fields["rgb2ycbcr"] = rgb2ycbcr_uint8(image)
        elif vector.kind == "network":
            layers = checks.layers_of(image, checks.model_of(vector))
            fields["layers"] = {name: maps.astype(np.float32) for name, maps in layers.items()}
        if fields:
            found.append({"id": vector.id, **fields})
    return found


def as_matlab(path, exported, builtin):
    """The exported file under MATLAB's name and with its toolboxes' results."""
    content = store.read_mat(exported)
    store.write_mat(path, content | {"oracle": "MATLAB", "release": "R2099z", "builtin": builtin})
    return path


def test_one_call_exports_what_the_check_reads(exported, vectors, known):
    assert exported.name == f"goldens_octave{store.load_goldens(exported).release}.mat"
    rows = command.file_rows(exported, vectors, known)
    assert {row.status for row in rows} == {suite.PASS}
    assert {row.stage for row in rows} >= {"piqe.z", "network.layer", "matlab.im2double"}


def test_the_export_finds_the_vectors_beside_it_without_being_told(tmp_path):
    octave.evaluate(f"export_goldens('{tmp_path}');")
    (path,) = tmp_path.iterdir()
    assert sorted(store.load_goldens(path).results) == sorted(entry["id"] for entry in store.read_index()["vectors"])


def test_a_file_of_matlabs_passes_with_every_builtin_and_ulps(tmp_path, exported, vectors, known):
    lighthouse = np.arange(3072, dtype=np.uint8).reshape(32, 32, 3)
    result = piqe_np.piqe(lighthouse)
    own = {"score": result.score} | {mask: getattr(result, mask) for mask in matlab.MASKS}
    shipped = fsrcnn_np.load_weights("x2")
    from dataclasses import replace

    picture = np.linspace(0, 1, 56).reshape(7, 8)
    layers = checks.layers_of(picture, replace(shipped, border="zero"))
    extra = [
        {"id": "lighthouse", "image": lighthouse, "piqe": own},
        {"id": "shipped-x", "image": picture, "sha256": shipped.sha256, "layers": layers},
    ]
    path = as_matlab(tmp_path / "goldens_R2099z.mat", exported, toolbox(vectors) + extra)
    rows = command.file_rows(path, vectors, known)
    assert [row.details for row in rows if row.status != suite.PASS] == []
    stages = {stage for stage in known if stage.startswith("matlab.")}
    assert {row.stage for row in rows if row.oracle == "MATLAB's own functions"} == stages
    assert all(row.release == "R2099z" for row in rows)
    assert {row.ulps for row in rows if row.stage in ("matlab.piqe", "matlab.im2double", "matlab.rgb2gray")} == {0}
    for fault in ({"sha256": "0" * 64}, {"image": picture + 0.01}):
        path = as_matlab(tmp_path / "bad.mat", exported, [extra[1] | fault])
        lines = [line for row in command.file_rows(path, vectors, known) for line in row.details]
        assert lines
        assert all(line.startswith("vector shipped-x, stage matlab.layers") for line in lines)


@pytest.mark.parametrize("field", ["im2double", "rgb2gray", "piqe", "imresize", "rgb2ycbcr", "layers"])
def test_a_builtin_that_differs_is_named(tmp_path, exported, vectors, known, field):
    builtin = [cell for cell in toolbox(vectors) if field in cell]
    cell = builtin[-1]
    if field == "layers":
        cell[field]["shrinking"] = cell[field]["shrinking"] + np.float32(1e-3)
    elif field == "piqe":
        cell[field]["score"] += 1e-6
    else:
        cell[field] = nudged(cell[field]) if cell[field].dtype.kind != "f" else cell[field] + 0.01
    path = as_matlab(tmp_path / "goldens.mat", exported, builtin)
    lines = [line for row in command.file_rows(path, vectors, known) for line in row.details]
    stage = f"matlab.{field}"
    assert len(lines) == 1
    assert lines[0].startswith(f"vector {cell['id']}, stage {stage} (")


def test_a_builtin_that_raised_there_and_a_stranger_are_named(tmp_path, exported, vectors, known):
    strangers = [{"id": vectors[0].id, "error_piqe": "Undefined function"}, {"id": "nobody", "im2double": np.eye(2)}]
    path = as_matlab(tmp_path / "goldens.mat", exported, strangers)
    lines = [line for row in command.file_rows(path, vectors, known) for line in row.details]
    assert any(f"vector {vectors[0].id}, stage matlab.piqe" in line and "Undefined function" in line for line in lines)
    assert any("vector nobody" in line and "export it again" in line for line in lines)


def test_a_file_that_is_none_is_one_line(tmp_path, vectors, known):
    (tmp_path / "x.mat").write_bytes(b"MATLAB 5.0 MAT-file, or not")
    for name in ("x.mat", "absent.mat"):
        (row,) = command.file_rows(tmp_path / name, vectors, known)
        assert row.status == suite.FAIL
        assert name in row.details[0]


def test_the_toolbox_network_is_laid_out_as_documented(tmp_path, vectors, known):
    """toolbox_network.m on stand-ins for the Deep Learning Toolbox's layers; see toolbox/README.md."""
    subjects = [v for v in vectors if v.kind == "network"]
    assert {v.inputs["border"] for v in subjects} == {"zero", "replicate"}
    assert {int(np.ravel(v.inputs["scale"])[0]) for v in subjects} == {2, 3, 4}
    store.write_vectors(tmp_path / "vectors.mat", subjects)
    octave.evaluate(
        f"addpath('{STAND_INS}'); found = load('{tmp_path}/vectors.mat'); results = cell(0, 1); "
        "for i = 1:numel(found.vectors) v = found.vectors{i}; "
        "r = struct('id', v.id, 'layers', toolbox_network(v.image, v)); results{i, 1} = r; end; "
        f"oracle = 'stand-in'; release = '0'; builtin = results; save('{tmp_path}/out.mat', 'oracle', 'release', "
        "'results', 'builtin', '-v7');"
    )
    rows = matlab.builtin_rows(vectors, store.load_goldens(tmp_path / "out.mat"), known)
    assert [(row.stage, row.status, row.vectors) for row in rows] == [("matlab.layers", suite.PASS, len(subjects))]


@pytest.mark.parametrize(
    ("border", "scale", "offset", "mean", "shared"),
    [
        ("zero", 2, 4, 0.25, False),
        ("replicate", 2, 4, 0.0, True),
        ("replicate", 3, 3, 0.5, False),
        ("zero", 4, 6, 0, True),
    ],
)
def test_matlab_runs_a_model_that_was_converted(tmp_path, border, scale, offset, mean, shared):
    weights = random_weights(
        np.random.default_rng(scale), (5, 3, 2), scale, border, offset=offset, mean=mean, shared_slope=shared
    )
    fsrcnn_np.save_weights(weights, tmp_path / "model.mat")
    picture = np.random.default_rng(7).random((6, 9))
    store.write_mat(tmp_path / "picture.mat", {"picture": picture})
    octave.evaluate(
        f"addpath('{STAND_INS}'); load('{tmp_path}/picture.mat'); "
        f"out = toolbox_network(picture, '{tmp_path}/model.mat'); save('{tmp_path}/out.mat', 'out', '-v7');"
    )
    found = store.read_mat(tmp_path / "out.mat")["out"]["deconvolution"]
    expected = fsrcnn_np.forward(picture, weights, dtype=np.float64, engine="reference")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6)


def test_a_mat_file_that_is_no_converted_model(tmp_path):
    store.write_mat(tmp_path / "other.mat", {"x": np.eye(2)})
    with pytest.raises(octave.OctaveError, match="was not written by fsrcnn-np; convert the model"):
        octave.evaluate(f"toolbox_network(zeros(3), '{tmp_path}/other.mat');")


def test_every_m_file_says_where_it_runs():
    for path in octave.MATLAB.glob("*.m"):
        text = path.read_text()
        assert "Octave" in text, path.name
        assert "MATLAB" in text, path.name


def test_octaves_failure_is_one_line():
    with pytest.raises(octave.OctaveError, match="octave failed: error: no luck"):
        octave.evaluate("error('no luck');")
    assert shutil.which("octave") or shutil.which("octave-cli")
