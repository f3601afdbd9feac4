"""Dtypes, value ranges, layouts, of every engine. What is refused is refused before: tests/pipeline."""

from fractions import Fraction

import numpy as np
import pytest

from fsrcnn_np.engine import ENGINES, engine_named
from fsrcnn_np.images.value_range import ValueRange, value_range
from models import random_weights

WEIGHTS = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "replicate", dtype=np.float32)
DTYPES = ["uint8", "int8", "uint16", "int16", "float32", "float64"]


def plane(dtype, shape=(13, 17), seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


@pytest.fixture(params=ENGINES)
def engine(request):
    return engine_named(request.param)


def half_away(value):
    """Round a Fraction half away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


@pytest.mark.parametrize("dtype", DTYPES[:4])
@pytest.mark.parametrize("low_high", [None, (3, 100), (-100, 90), (0, 27)])
def test_integers_are_rounded_half_away_from_zero_exactly(dtype, low_high, engine):
    range_ = ValueRange(*low_high, "given") if low_high else value_range(dtype)
    low, high = range_.low, range_.high
    pixels = plane(dtype)
    network = engine.forward(((pixels.astype(np.float64) - low) / (high - low)).astype(np.float32), WEIGHTS)
    least, most = max(low, np.iinfo(dtype).min), min(high, np.iinfo(dtype).max)
    exact = [Fraction(float(v)) * Fraction(high - low) + Fraction(low) for v in network.ravel()]
    expected = [min(max(half_away(value), least), most) for value in exact]
    result = engine.upscale_plane(pixels, WEIGHTS, range_)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result.ravel(), np.array(expected))


@pytest.mark.parametrize(
    ("bias", "pixel"), [(0.5, 1), (1.5, 2), (-0.5, -1), (-2.5, -3), (0.49999997, 0), (7, 4), (-9, -4)]
)
def test_halves_and_saturation(bias, pixel, engine):
    """A network that says the same number everywhere, and pixel values that are the network's own."""
    zeros = [
        layer._replace(**{name: 0 * array for name, array in layer._asdict().items()}) for layer in WEIGHTS.convolutions
    ]
    last = WEIGHTS.deconvolution._replace(weight=0 * WEIGHTS.deconvolution.weight, bias=np.array([bias], np.float32))
    constant = WEIGHTS.__class__(
        WEIGHTS.architecture, "zero", tuple(zeros), last, value_range=(-4, 4)
    )  # fmt: skip
    own = ValueRange(-4, 4, "the network's")
    assert (engine.upscale_plane(np.zeros((3, 5), np.int16), constant, own) == pixel).all()
    assert (engine.upscale_plane(np.zeros((3, 5)), constant, own) == np.float32(bias)).all()


@pytest.mark.parametrize("dtype", DTYPES[4:])
def test_floats_are_not_clipped(dtype, engine):
    pixels = 12000 * plane(dtype) - 4000
    result = engine.upscale_plane(pixels, WEIGHTS, ValueRange(-1000, 4000, "given"))
    expected = engine.forward(((pixels + 1000) / 5000).astype(np.float32), WEIGHTS).astype(np.float64) * 5000 - 1000
    assert result.dtype == dtype
    assert (result > 4000).any()
    assert (result < -1000).any()
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-2)


def test_value_range_and_mean_of_the_network(engine):
    scaled = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "zero", dtype=np.float32, mean=7.5)
    scaled = scaled.__class__(
        scaled.architecture, "zero", scaled.convolutions, scaled.deconvolution, value_range=(-1, 3), input_mean=7.5
    )
    pixels = plane("uint16")
    expected = engine.forward((pixels / 65535 * 4 - 1).astype(np.float32), scaled).astype(np.float64)
    result = engine.upscale_plane(pixels, scaled, value_range("uint16"))
    np.testing.assert_allclose(result, np.clip((expected + 1) / 4 * 65535, 0, 65535), rtol=0, atol=0.52)


@pytest.mark.parametrize("given", [(-1000.3, 3000.7), (0, 4095), (-2048, 2047)])
def test_one_normalisation(given, monkeypatch):
    """Every engine's network sees the same float32: (v − low) / span in float64, rounded once."""
    pixels = np.arange(-1000, 3000, dtype=np.int16).reshape(50, 80)
    range_, seen = ValueRange(*given, "given"), []
    expected = ((pixels.astype(np.float64) - range_.low) / range_.span).astype(np.float32)
    from fsrcnn_np.engine import windows
    from fsrcnn_np.network import reference

    for module in (windows, reference):
        right = module.normalise
        monkeypatch.setattr(module, "normalise", lambda *a, right=right, **o: seen.append(right(*a, **o)) or seen[-1])
    for name in ENGINES:
        seen.clear()
        engine_named(name).upscale_plane(pixels, WEIGHTS, range_)
        assert np.array_equal(seen[0].reshape(expected.shape), expected), name  # a line a channel in the fast ones


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype, engine):
    pixels, range_ = plane(dtype), value_range(dtype)
    expected = engine.upscale_plane(pixels, WEIGHTS, range_)
    wide = np.zeros((26, 51), dtype)
    wide[::2, ::3] = pixels
    read_only = pixels.copy()
    read_only.flags.writeable = False
    for image in (np.asfortranarray(pixels), wide[::2, ::3], pixels[::-1, ::-1].copy()[::-1, ::-1], read_only):
        np.testing.assert_array_equal(engine.upscale_plane(image, WEIGHTS, range_), expected)
    whole, swapped = np.zeros((53, 70), dtype), pixels.dtype.newbyteorder()
    outs = [
        np.zeros_like(expected),
        np.asfortranarray(expected),
        whole[1::2, 1::2][:26, :34],
        whole[::-2, ::-2][:26, :34],
        np.zeros(expected.shape, swapped),
    ]
    for out in outs:
        out[...] = 0
        assert engine.upscale_plane(pixels, WEIGHTS, range_, out=out) is out
        np.testing.assert_array_equal(out, expected)


def test_out_touches_nothing_else(engine):
    whole = np.full((40, 50), 7, np.uint8)
    engine.upscale_plane(plane("uint8"), WEIGHTS, value_range("uint8"), out=whole[5:31, 8:42])
    whole[5:31, 8:42] = 7
    assert (whole == 7).all()


def test_progress_counts_to_the_end(engine, monkeypatch):
    seen = []
    monkeypatch.setattr("fsrcnn_np.network.reference.STRIP_PIXELS", 2000)
    monkeypatch.setattr("fsrcnn_np.engine.strips.START", 1)
    image = plane("uint8", (300, 40))
    engine.upscale_plane(image, WEIGHTS, value_range("uint8"), threads=2, progress=lambda *at: seen.append(at))
    assert seen == [(i + 1, len(seen)) for i in range(len(seen))]
    assert len(seen) > 1


def test_progress_can_stop_the_work_and_nothing_half_done_is_left(engine, monkeypatch):
    monkeypatch.setattr("fsrcnn_np.engine.strips.START", 1)

    def stop(done, total):
        raise KeyboardInterrupt

    out = np.full((600, 80), 9, np.uint8)
    image = plane("uint8", (300, 40))
    with pytest.raises(KeyboardInterrupt):
        engine.upscale_plane(image, WEIGHTS, value_range("uint8"), threads=2, progress=stop, out=out)
    assert not out.any()
