"""Layers in, weights out: every wrong one is named, and nothing of the convention is assumed in silence."""

from pathlib import Path

import numpy as np
import pytest

from fsrcnn_np.convert.conventions import Asked, ConventionWarning, Fact, Found, Layer, build, scale_in_name
from fsrcnn_np.convert.subpixel import from_subpixel
from fsrcnn_np.errors import WeightsError
from fsrcnn_np.network.reference import forward
from models import random_weights

SETTLED = {
    "scale": Fact(2, "test"),
    "border": Fact("zero", "test"),
    "deconvolution_offset": Fact(4, "test"),
    "value_range": Fact((0.0, 1.0), "test"),
    "input_mean": Fact(0.0, "test"),
}


@pytest.fixture
def path(tmp_path) -> Path:
    """A file, whose content does not matter here."""
    file = tmp_path / "model.bin"
    file.write_bytes(b"model")
    return file


def layers_of(weights) -> tuple[list[Layer], Layer]:
    return [Layer(f"c{i}", *layer) for i, layer in enumerate(weights.convolutions)], Layer("up", *weights.deconvolution)


def found(layers, last, facts=SETTLED) -> Found:
    return Found("a test", tuple(layers), last, facts)


@pytest.fixture
def model():
    return random_weights(np.random.default_rng(5), (5, 3, 2), 2, "zero", dtype=np.float32)


def test_right_layers_are_taken_as_they_are(model, path):
    weights = build(found(*layers_of(model)), Asked(), path)
    assert weights.sha256 == model.sha256
    assert weights.provenance["convention"]["border"] == {"value": "zero", "source": "test", "assumed": False}
    assert weights.provenance["converted_from"]["file"] == "model.bin"


def swapped(kernel):
    return kernel.swapaxes(0, 1)


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (0, lambda a: a._replace(weight=np.repeat(a.weight, 3, 1)), r"3 channels go in and 1 come out"),
        (0, lambda a: a._replace(weight=a.weight[:, :, 1:-1, 1:-1]), r"\(5, 1, 3, 3\); \(5, 1, 5, 5\) is expected"),
        (1, lambda a: a._replace(weight=swapped(a.weight)), r"shrinking \(in the file: c1\)"),
        (3, lambda a: a._replace(weight=a.weight[:, :2]), r"mapping_2 \(in the file: c3\) has weight \(3, 2, 3, 3\)"),
        (4, lambda a: a._replace(weight=swapped(a.weight)), r"expanding .* are its first two axes swapped\?"),
        (2, lambda a: a._replace(bias=a.bias[:-1]), r"mapping_1 .* has bias of shape \(2,\); \(3,\) is expected"),
        (2, lambda a: a._replace(slope=a.slope[:-1]), r"mapping_1 .* slope of shape \(2,\); \(3,\) or a single one"),
        (2, lambda a: a._replace(slope=None), "mapping_1 .* has no PReLU; 3 slopes"),
        (3, lambda a: a._replace(weight=a.weight * np.float32(np.nan)), "mapping_2/weight has 81 values that are NaN"),
        (3, lambda a: a._replace(weight=a.weight.astype(np.int8)), "mapping_2 .* is int8; allowed are float16"),
    ],
)  # fmt: skip
def test_a_wrong_layer_is_named(model, path, index, change, message):
    layers, last = layers_of(model)
    layers[index] = change(layers[index])
    with pytest.raises(WeightsError, match=message):
        build(found(layers, last), Asked(), path)


def test_a_wrong_deconvolution_is_named(model, path):
    layers, last = layers_of(model)
    for weight, message in [
        (last.weight[:, :, 1:-1, 1:-1], r"deconvolution \(in the file: up\) has weight \(5, 1, 7, 7\)"),
        (swapped(last.weight), "axes swapped"),
        (last.weight[:-1], r"\(4, 1, 9, 9\); \(5, 1, 9, 9\) is expected"),
    ]:
        with pytest.raises(WeightsError, match=message):
            build(found(layers, last._replace(weight=weight)), Asked(), path)
    with pytest.raises(WeightsError, match="followed by a PReLU"):
        build(found(layers, last._replace(slope=np.ones(1, np.float32))), Asked(), path)


@pytest.mark.parametrize("missing", [0, 1, 2, 4])
def test_a_missing_layer_is_an_error_that_lists_what_is_there(model, path, missing):
    layers, last = layers_of(model)
    del layers[missing]
    if missing == 2:  # one mapping layer less is a legal network
        assert build(found(layers, last), Asked(), path).architecture.m == 1
        return
    with pytest.raises(WeightsError, match=r"the file has: .*up 9×9 5→1 \(deconvolution\)"):
        build(found(layers, last), Asked(), path)


def test_an_extra_layer_is_an_error(model, path):
    layers, last = layers_of(model)
    with pytest.raises(WeightsError, match=r"mapping_3 .*is a layer missing or too many"):
        build(found([*layers, layers[0]], last), Asked(), path)


def test_too_few_or_far_too_large(model, path):
    layers, last = layers_of(model)
    with pytest.raises(WeightsError, match="2 convolutions before the deconvolution"):
        build(found(layers[:2], last), Asked(), path)

    def claims(*shape):  # one value, claimed to be many
        return np.broadcast_to(np.float32(0), shape)

    vector = claims(1024)
    huge = [
        Layer("a", claims(1024, 1, 5, 5), vector, vector), Layer("b", claims(1024, 1024, 1, 1), vector, vector),
        *[Layer("c", claims(1024, 1024, 3, 3), vector, vector)] * 20,
        Layer("d", claims(1024, 1024, 1, 1), vector, vector),
    ]  # fmt: skip
    with pytest.raises(WeightsError, match="far more than any FSRCNN"):
        build(found(huge, Layer("e", claims(1024, 1, 9, 9))), Asked(), path)
    with pytest.raises(WeightsError, match="d is 4096"):
        build(found([huge[0]._replace(weight=claims(4096, 1, 5, 5)), *huge[1:]], last), Asked(), path)


def test_what_is_assumed_is_said(model, path):
    facts = {**SETTLED, "border": Fact("zero", "as ports do", assumed=True)}
    with pytest.warns(ConventionWarning, match=r"border = zero \(as ports do\)\. Say border=… to settle it"):
        assumed = build(found(*layers_of(model), facts), Asked(), path)
    assert assumed.provenance["convention"]["border"]["assumed"] is True
    said = build(found(*layers_of(model), facts), Asked(border="replicate"), path)
    assert said.border == "replicate"
    assert said.provenance["convention"]["border"] == {"value": "replicate", "source": "asked for", "assumed": False}


def test_the_scale_is_never_guessed(model, path, tmp_path):
    facts = {name: fact for name, fact in SETTLED.items() if name != "scale"}
    with pytest.raises(WeightsError, match=r"scale cannot be told: .* say scale=2, 3 or 4 \(--scale\)"):
        build(found(*layers_of(model), facts), Asked(), path)
    assert build(found(*layers_of(model), facts), Asked(scale=3), path).architecture.scale == 3
    named = tmp_path / "x4.bin"
    named.write_bytes(b"model")
    weights = build(found(*layers_of(model), facts), Asked(), named)
    assert weights.architecture.scale == 4
    assert weights.provenance["convention"]["scale"]["source"] == "the file's name, x4.bin"
    assert build(found(*layers_of(model), facts), Asked(scale=2), named).architecture.scale == 2
    with pytest.raises(WeightsError, match="scale=3 was asked for, but the file's is 2"):
        build(found(*layers_of(model)), Asked(scale=3), path)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("x2.mat", 2), ("X3.mat", 3), ("fsrcnn_x4.pth", 4), ("fsrcnn-s x2.onnx", 2), ("2x.pth", 2),
        ("net_×3_best.mat", 3),
        ("x5.mat", None), ("x22.mat", None), ("0x2f.mat", None), ("x2_to_x4.mat", None), ("model.mat", None),
        ("max2.mat", None), ("x2_x2.mat", 2),
    ],
)  # fmt: skip
def test_scale_in_name(name, scale):
    assert scale_in_name(Path(name)) == scale


def test_mixed_dtypes(model, path):
    layers, last = layers_of(model)
    wide = last._replace(weight=last.weight.astype(np.float64))
    assert build(found(layers, wide), Asked(), path).sha256 == model.sha256
    exact = last._replace(weight=last.weight.astype(np.float64) + 1e-12)
    assert build(found(layers, exact), Asked(), path).dtype == np.float64
    half = [Layer(a.name, *(p.astype(np.float16) for p in a[1:])) for a in layers]
    weights = build(found(half, last), Asked(), path)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights.convolutions[1].weight, layers[1].weight.astype(np.float16))


def shuffled(maps: np.ndarray, scale: int) -> np.ndarray:
    """The pixel shuffle of one output channel, by its definition."""
    _, height, width = maps.shape
    out = np.empty((height * scale, width * scale))
    for a in range(scale):
        for b in range(scale):
            out[a::scale, b::scale] = maps[a * scale + b]
    return out


@pytest.mark.parametrize(("scale", "size"), [(2, 3), (3, 3), (4, 3), (2, 1), (2, 5), (3, 5), (4, 5)])
def test_a_convolution_and_pixel_shuffle_become_a_deconvolution(scale, size):
    rng = np.random.default_rng([scale, size])
    kernel = rng.standard_normal((scale**2, 2, size, size))
    phase, tap = np.arange(scale)[:, None], np.arange(size) - size // 2
    inside = (phase + 4 - scale * tap >= 0) & (phase + 4 - scale * tap <= 8)  # taps outside the 9×9 kernel are zero
    kernel = (
        kernel.reshape(scale, scale, 2, size, size) * inside[:, None, None, :, None] * inside[None, :, None, None, :]
    )
    kernel = kernel.reshape(scale**2, 2, size, size)
    layer, found_scale, offset = from_subpixel(Layer("up", kernel, np.full(scale**2, 0.5)), size // 2)
    assert found_scale == scale
    assert layer.weight.shape == (2, 1, 9, 9)
    maps = rng.standard_normal((2, 6, 7))
    around = np.pad(maps, ((0, 0), (size // 2,) * 2, (size // 2,) * 2))
    phases = np.full((scale**2, 6, 7), 0.5)
    for y in range(size):
        for x in range(size):
            phases += np.tensordot(kernel[:, :, y, x], around[:, y : y + 6, x : x + 7], 1)
    out = np.full((6 * scale, 7 * scale), layer.bias[0])
    for i in range(6):
        for j in range(7):
            for ky in range(9):
                for kx in range(9):
                    r, c = scale * i + ky - offset, scale * j + kx - offset
                    if 0 <= r < out.shape[0] and 0 <= c < out.shape[1]:
                        out[r, c] += maps[:, i, j] @ layer.weight[:, 0, ky, kx]
    np.testing.assert_allclose(out, shuffled(phases, scale), rtol=0, atol=1e-12)


def test_what_no_deconvolution_does_is_refused():
    rng = np.random.default_rng(1)
    for kernel, bias, message in [
        (rng.random((4, 2, 5, 5)), None, "5×5 taps a phase at scale 2 are no 9×9 kernel"),
        (rng.random((5, 2, 3, 3)), None, "scale² = 4, 9 or 16 channels"),
        (rng.random((4, 2, 3, 3)), np.arange(4.0), "one bias a phase"),
    ]:
        with pytest.raises(WeightsError, match=message):
            from_subpixel(Layer("up", kernel, bias), kernel.shape[-1] // 2)


def test_a_single_bias_less_layer_is_zero(model, path):
    layers, last = layers_of(model)
    layers[2] = layers[2]._replace(bias=None)
    weights = build(found(layers, last), Asked(), path)
    np.testing.assert_array_equal(weights.convolutions[2].bias, 0)
    assert np.isfinite(forward(np.ones((4, 4)), weights)).all()
