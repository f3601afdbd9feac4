"""`fsrcnn-np weights list | show | convert`."""

import json

import numpy as np
import pytest
import torch
from scipy.io import savemat
from test_authors import as_cells, cells

from fsrcnn_np import load_weights, save_weights
from fsrcnn_np.cli import main
from models import random_weights


def command(*words) -> int:
    return main(["weights", *map(str, words)])


@pytest.fixture
def authors_like(tmp_path):
    """A file of the authors' form, of noise."""
    weights = random_weights(np.random.default_rng(0), (4, 2, 1), 3, "replicate", dtype=np.float32, shared_slope=True)
    path = tmp_path / "x3.mat"
    savemat(path, as_cells(cells(weights)))
    return path


def test_list(capsys):
    assert command("list") == 0
    assert "FSRCNN(56,12,4) x2" in capsys.readouterr().out.splitlines()[0]
    assert command("list", "--json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first["name"] == "x2"
    assert first["sha256"] == load_weights("x2").sha256


def test_show(capsys):
    assert command("show", "x2") == 0
    out, err = capsys.readouterr()
    for word in (
        "FSRCNN(56,12,4) x2",
        "replicate",
        "one a channel",
        "licence",
        "sha256",
        "bicubic interpolation",
        "epochs",
    ):
        assert word in out
    assert err == ""
    assert command("show", "x2", "--json") == 0
    described = json.loads(capsys.readouterr().out)
    assert described["probe"]["psnr"]["binning"]["model"] > described["probe"]["psnr"]["binning"]["bicubic"]


def test_show_says_the_convention_and_warns(authors_like, capsys):
    assert command("show", authors_like) == 0
    out, err = capsys.readouterr()
    assert "the file's name, x3.mat" in out
    assert "one row and column too far up and left" in out
    assert "one a layer" in out
    assert "fsrcnn-np: the model is worse than bicubic" in err


def test_convert_and_align(authors_like, tmp_path, capsys):
    assert command("convert", authors_like, tmp_path / "a.h5", "--align", "--licence", "mine") == 0
    assert "a.h5: fsrcnn-np" in capsys.readouterr().out
    weights = load_weights(tmp_path / "a.h5")
    assert (weights.deconvolution_offset, weights.licence) == (3, "mine")
    assert command("convert", authors_like, tmp_path / "b.h5") == 0
    assert load_weights(tmp_path / "b.h5").deconvolution_offset == 4
    assert command("convert", authors_like, tmp_path / "b.h5") == 0  # a line, not a failure
    assert "b.h5: exists already and is kept" in capsys.readouterr().out
    assert command("convert", tmp_path / "a.h5", tmp_path / "b.h5") == 1
    assert "b.h5: exists, made otherwise: " in capsys.readouterr().err
    assert load_weights(tmp_path / "b.h5").deconvolution_offset == 4
    assert command("convert", tmp_path / "a.h5", tmp_path / "b.h5", "--overwrite", "--dtype", "float64") == 0
    assert load_weights(tmp_path / "b.h5").dtype == np.float64


def test_what_onnxruntime_does_not_run_is_said(tmp_path, capsys):
    save_weights(random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero"), tmp_path / "m.h5")
    assert command("convert", tmp_path / "m.h5", tmp_path / "m.onnx") == 0
    assert "double precision, which onnxruntime does not run; --dtype float32" in capsys.readouterr().err
    assert command("convert", tmp_path / "m.h5", tmp_path / "m.onnx", "--dtype", "float32", "--overwrite") == 0
    assert "double precision" not in capsys.readouterr().err


def test_what_is_assumed_is_printed(tmp_path, capsys):
    weights = random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero", dtype=np.float32)
    state, names = {}, ["a", "b", "c", "d"]
    for name, (weight, bias, slope) in zip(names, weights.convolutions, strict=True):
        state |= {f"{name}.0.weight": weight, f"{name}.0.bias": bias, f"{name}.1.weight": slope}
    state |= {"up.weight": weights.deconvolution.weight, "up.bias": weights.deconvolution.bias}
    torch.save({key: torch.tensor(value) for key, value in state.items()}, tmp_path / "model.pth")
    assert command("convert", tmp_path / "model.pth", tmp_path / "m.h5") == 1
    assert "scale cannot be told" in capsys.readouterr().err
    assert command("convert", tmp_path / "model.pth", tmp_path / "m.h5", "--scale", 2) == 0
    out, err = capsys.readouterr()
    assert "ASSUMED: padding=k//2, as PyTorch ports have it" in out
    assert "model.pth does not say, so it was assumed: border = zero" in err
    said = ("--scale", 2, "--border", "zero", "--offset", 4, "--value-range", 0, 1, "--input-mean", 0)
    assert command("show", tmp_path / "model.pth", *said) == 0
    out, err = capsys.readouterr()
    assert "ASSUMED" not in out
    assert "assumed" not in err


def test_a_refusal_is_one_line(tmp_path, capsys):
    weights = random_weights(np.random.default_rng(0), (4, 2, 1), 2, "replicate", dtype=np.float32)
    save_weights(weights, tmp_path / "m.h5")
    assert command("convert", tmp_path / "m.h5", tmp_path / "m.pth") == 1
    err = capsys.readouterr().err
    assert err.startswith("fsrcnn-np: the model has a replicate border")
    assert err.count("\n") == 1
    assert command("convert", tmp_path / "m.h5", tmp_path / "m.pth", "--with-module") == 0
    assert (tmp_path / "fsrcnn_torch.py").is_file()
    assert command("show", tmp_path / "none.h5") == 2
    assert command("convert", tmp_path / "m.h5", tmp_path / "m.xyz") == 2


@pytest.mark.parametrize("words", [("show",), ("convert", "a"), ("show", "x2", "--offset", "3", "--align"), ("what",)])
def test_wrong_usage(words):
    with pytest.raises(SystemExit) as stopped:
        command(*words)
    assert stopped.value.code == 2
