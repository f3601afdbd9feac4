"""Models compared by what they compute, and shown in one line or as a table."""

from dataclasses import replace

import numpy as np
import pytest

import fsrcnn_np
from models import random_weights


@pytest.fixture
def model():
    return random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero")


def test_equal_by_value(model, tmp_path):
    same = random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero")
    assert same is not model
    assert same == model
    assert hash(same) == hash(model)
    assert len({same, model}) == 1
    fsrcnn_np.save_weights(model, tmp_path / "model.h5")
    assert fsrcnn_np.load_weights(tmp_path / "model.h5") == model


def test_papers_do_not_count(model):
    told = replace(model, licence="CC0-1.0", provenance={"model": "mine"})
    assert told == model
    assert hash(told) == hash(model)


@pytest.mark.parametrize(
    "change",
    [
        {"border": "replicate"},
        {"deconvolution_offset": 3},
        {"value_range": (0, 255)},
        {"input_mean": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_an_output_counts(model, change):
    assert replace(model, **change) != model


def test_one_parameter_or_the_dtype_counts(model):
    weight, bias = model.deconvolution
    moved = weight.copy()
    moved[0, 0, 4, 4] = np.nextafter(moved[0, 0, 4, 4], weight.dtype.type(9))
    assert replace(model, deconvolution=fsrcnn_np.Deconvolution(moved, bias)) != model
    other = np.float32 if model.dtype == np.float64 else np.float64
    assert model.astype(other) != model
    assert model.astype(model.dtype) == model


def test_other_things_are_not_equal(model):
    assert model != model.sha256
    assert model != None  # noqa: E711
    assert model.__eq__(3) is NotImplemented


def test_shown_in_one_line_and_as_a_table(model):
    named = replace(model, licence="<none>", provenance={"model": "a&b", "history": [1, 2, 3], "epochs": 7})
    line = repr(named)
    assert "\n" not in line
    for part in ("a&b", "FSRCNN(4,2,1) x2", "zero", model.dtype.name, named.sha256[:12]):
        assert part in line
    page = named._repr_html_()
    for part in ("a&amp;b", "&lt;none&gt;", "FSRCNN(4,2,1) x2", named.sha256, "epochs", "3 entries"):
        assert part in page
    assert "None" not in model._repr_html_()


def test_layers_are_equal_by_value_and_shown_in_one_line(model):
    first, *_, last = model.convolutions
    same = fsrcnn_np.Convolution(*(array.copy() for array in first))
    assert same == first
    assert not same != first  # noqa: SIM202
    assert same in model.convolutions
    assert first != last
    assert first != first._replace(bias=first.bias + 1)
    assert first != fsrcnn_np.Convolution(*(array.astype(np.float16) for array in first))
    assert first != tuple(first)
    assert model.deconvolution == fsrcnn_np.Deconvolution(*model.deconvolution)
    assert model.deconvolution != model.deconvolution._replace(bias=np.float32([np.nan]))
    assert repr(first) == f"<Convolution weight 4×1×5×5, bias 4, slope {first.slope.size}, {model.dtype}>"
