"""RGB to luma and chroma and back in machine code has the reference's bits, for every processor whose code this machine
can run."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_imresize_engine import DTYPES, PROCESSORS, TARGETS

import fsrcnn_np
from fsrcnn_np.images import imresize, rgb
from fsrcnn_np.images.colour import YCbCr
from fsrcnn_np.images.llvm import colour, colour_kernels, passes
from fsrcnn_np.images.value_range import value_range
from models import random_weights
from piqe_np import compiled
from piqe_np.llvm import target

#: of a dtype; None is its own
RANGES = {
    "uint8": (None, 100, 1, (3, 250)), "int8": (None, 1, 100, (-100, 27)), "uint16": (None, 4095, (7, 60000)),
    "int16": (None, 4095, (-1024, 3071), (-2.5, 99.75)), "float32": (None, 1e-30, (-3.25, 77.7), (-1.5e38, 1.5e38)),
    "float64": (None, (1, 2), 1e300, (-3.25, 77.7), (-1e-300, 1e300)),
}  # fmt: skip
CASES = [(dtype, given) for dtype, all_given in RANGES.items() for given in all_given]


def picture(dtype, bounds, shape, rng):
    """Noise over the whole range, its ends among it."""
    noise = rng.random(shape).round(2)
    image = noise * bounds.span + bounds.low
    if np.dtype(dtype).kind == "f":
        return np.clip(image, bounds.low, bounds.high).astype(dtype)
    return np.clip(np.rint(image), np.ceil(bounds.low), np.floor(bounds.high)).astype(dtype)


def luma(shape, rng):
    """As a network makes it: beyond 0 and 1, too; with zeros of both signs, and far beyond all that pixels can be."""
    found = (rng.random(shape) * 1.5 - 0.25).astype(np.float32)
    found.flat[rng.integers(0, found.size, 9)] = [0.0, -0.0, 1e-45, -1e-45, 0.5, -1.0, 1e38, -1e38, 3e4]
    return found


def same_bits(found, expected):
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()


@settings(max_examples=25)
@pytest.mark.parametrize("processor", PROCESSORS)
@given(
    case=st.sampled_from(CASES), height=st.integers(16, 40), width=st.integers(16, 70), scale=st.integers(2, 4),
    threads=st.integers(1, 3), strip=st.sampled_from((1, passes._STRIP)), seed=st.integers(0, 999),
)  # fmt: skip
def test_the_bits_of_the_reference(processor, case, height, width, scale, threads, strip, seed):
    (dtype, given), rng = case, np.random.default_rng(seed)
    bounds, on = value_range(dtype, given), {"threads": threads, "processor": PROCESSORS[processor]}
    image, y = picture(dtype, bounds, (height, width, 3), rng), luma((height * scale, width * scale), rng)
    steps = imresize.enlarging((height, width), scale)
    expected, usual = rgb.split(image, bounds), passes._STRIP
    try:
        passes._STRIP = strip
        planes = colour.split(image, bounds, **on)
        found = colour.joined(YCbCr(y, *planes[1:]), steps, bounds, np.empty((*y.shape, 3), dtype), **on)
    finally:
        passes._STRIP = usual
    for plane, one in zip(planes, expected, strict=True):
        same_bits(plane, one)
    same_bits(found, rgb.joined(YCbCr(y, *planes[1:]), steps, bounds, np.empty_like(found)))


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_ones_of_any_layout(processor, dtype):
    rng, bounds = np.random.default_rng(3), value_range(dtype)
    image, y = picture(dtype, bounds, (35, 50, 3), rng), luma((70, 100), rng)
    steps, on = imresize.enlarging((35, 50), 2), {"threads": 2, "processor": PROCESSORS[processor]}
    planes = rgb.split(image, bounds)
    expected = rgb.joined(YCbCr(y, *planes[1:]), steps, bounds, np.empty((70, 100, 3), dtype))
    layouts = (
        np.asfortranarray, lambda a: np.moveaxis(np.moveaxis(a, -1, 0).copy(), 0, -1), lambda a: a[::-1].copy()[::-1],
        lambda a: np.repeat(a, 2, 1)[:, ::2], lambda a: np.repeat(a, 2, 0)[::2],
        lambda a: a[..., ::-1].copy()[..., ::-1],
    )  # fmt: skip
    for layout in layouts:
        for plane, one in zip(colour.split(layout(image), bounds, **on), planes, strict=True):
            same_bits(plane, one)
        out = layout(np.zeros_like(expected))
        assert colour.joined(YCbCr(y, *planes[1:]), steps, bounds, out, **on) is out
        same_bits(out, expected)
    swapped = np.zeros(expected.shape, expected.dtype.newbyteorder())
    np.testing.assert_array_equal(colour.joined(YCbCr(y, *planes[1:]), steps, bounds, swapped, **on), expected)
    inside = np.full((72, 103, 3), 77, dtype)
    colour.joined(YCbCr(y, *planes[1:]), steps, bounds, inside[1:-1, 2:-1], **on)
    np.testing.assert_array_equal(inside[1:-1, 2:-1], expected)
    inside[1:-1, 2:-1] = 77
    assert (inside == 77).all()


def test_what_is_no_number_becomes_the_least():
    """As behind the network itself: of a model whose luma overflows."""
    y, zeros = np.full((32, 32), np.nan, np.float32), np.zeros((16, 16), np.float32)
    steps, bounds = imresize.enlarging((16, 16), 2), value_range("int16", (-7, 100))
    found = colour.joined(YCbCr(y, zeros, zeros), steps, bounds, np.empty((32, 32, 3), np.int16))
    assert (found == -7).all()


@pytest.mark.parametrize("given", [None, 2, (-1, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros_keep_the_sign_that_they_have_in_the_reference(dtype, given):
    """Of a luma of −0 without chroma, green is −0; it stays so where the range is 0..1, and nothing is computed."""
    y, zeros = np.full((32, 32), -0.0, np.float32), np.zeros((16, 16), np.float32)
    steps, bounds = imresize.enlarging((16, 16), 2), value_range(dtype, given)
    planes, out = YCbCr(y, zeros, zeros), np.empty((32, 32, 3), dtype)
    found = colour.joined(planes, steps, bounds, out)
    assert np.signbit(found[..., 1]).all() == (given != 2)
    same_bits(found, rgb.joined(planes, steps, bounds, np.empty_like(out)))


def test_every_lane_comes_back():
    """A row of numbers, apart and together again, in each width of vectors."""
    for lanes in sorted({processor.lanes for processor in PROCESSORS.values()}):
        module = PROCESSORS["host"].module()
        f = module.function("there_and_back", "given split back")
        given, split, back = (colour_kernels.Rows.of(start, "float", (3, lanes)) for start in f.parameters)
        channels = colour_kernels.apart(f, [given[i].vector(lanes) for i in range(3)], lanes)
        for i, (channel, vector) in enumerate(zip(channels, colour_kernels.together(f, channels, lanes), strict=True)):
            split[i, 0], back[i, 0] = channel, vector
        row = np.arange(3 * lanes, dtype=np.float32)
        made = np.zeros((2, 3 * lanes), np.float32)
        code = target.Code(module, PROCESSORS["host"])
        code.run(row.ctypes.data, made[0].ctypes.data, made[1].ctypes.data)
        assert made[0].tolist() == row.reshape(lanes, 3).T.ravel().tolist()
        assert made[1].tolist() == row.tolist()


def readable(image, weights, scale, **given):
    """The whole step of a picture of RGB, by the reference's functions alone but for the network."""
    bounds = value_range(image.dtype, given.get("data_range"))
    y, cb, cr = rgb.split(image, bounds)
    y = fsrcnn_np.upscale(y, weights=weights)
    out = np.empty((*y.shape, 3), image.dtype)
    return rgb.joined(YCbCr(y, cb, cr), imresize.enlarging(image.shape[:2], scale), bounds, out)


@pytest.mark.parametrize(
    ("engine", "scale", "shape", "band"),
    [
        (None, 2, (150, 210), 64), (None, 3, (150, 210), 70), (None, 2, (300, 160), 1), (None, 2, (150, 210), 10**6),
        ("numba", 2, (150, 210), 64),
    ],
)  # fmt: skip
def test_bands_have_the_bits_of_the_whole(engine, scale, shape, band, monkeypatch):
    """Bands are of 64 rows at least."""
    weights = random_weights(np.random.default_rng(1), (5, 3, 2), scale, "replicate")
    image = picture("uint16", value_range("uint16", 4095), (*shape, 3), np.random.default_rng(2))
    expected = readable(image, weights, scale, data_range=4095) if engine is None else None
    monkeypatch.setattr("fsrcnn_np.stream.BAND_PIXELS", band * shape[1])
    monkeypatch.setattr(rgb, "joined", None)  # the machine code's
    seen = []
    found = fsrcnn_np.upscale(
        image, weights=weights, data_range=4095, engine=engine, threads=2, progress=lambda *now: seen.append(now)
    )
    if engine is None:
        same_bits(found, expected)
    else:
        monkeypatch.setattr("fsrcnn_np.stream.BAND_PIXELS", 10**9)
        same_bits(found, fsrcnn_np.upscale(image, weights=weights, data_range=4095, engine=engine))
    assert seen == sorted(seen)
    assert seen[-1] == (shape[0], shape[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (9, 9), (15, 8000), (8000, 15), (300, 310)])
def test_pictures_of_any_shape(shape):
    weights = random_weights(np.random.default_rng(1), (4, 2, 1), 2, "zero")
    image = picture("uint8", value_range("uint8"), (*shape, 3), np.random.default_rng(2))
    same_bits(fsrcnn_np.upscale(image, weights=weights), readable(image, weights, 2))


def test_the_reference_is_numpy_alone(monkeypatch):
    weights = random_weights(np.random.default_rng(1), (4, 2, 1), 2, "zero")
    image = picture("uint8", value_range("uint8"), (300, 310, 3), np.random.default_rng(2))
    expected = fsrcnn_np.upscale(image, weights=weights)
    monkeypatch.setattr(target, "loaded", None)
    monkeypatch.setattr(compiled, "_no_executable_memory", lambda: "Permission denied")
    monkeypatch.setattr(colour, "split", None)
    found = fsrcnn_np.upscale(image, weights=weights, engine="reference")
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("where", ["split", "joined"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_what_is_interrupted_does_not_look_whole(where, dtype, monkeypatch):
    class Interrupted(BaseException):
        pass

    calls, real = [], passes.in_strips

    def in_strips(*given):
        *others, run = given

        def one(*given):
            calls.append(given)
            if len(calls) > (3 if where == "split" else 40):
                raise Interrupted
            run(*given)

        real(*others, one)

    monkeypatch.setattr(colour, "in_strips", in_strips)
    monkeypatch.setattr(passes, "_STRIP", 1)
    image = picture(dtype, value_range(dtype), (300, 310, 3), np.random.default_rng(2))
    out = np.full((600, 620, 3), 7, dtype)
    with pytest.raises(Interrupted):
        fsrcnn_np.upscale(image, out=out, threads=2)
    assert len(calls) <= (5 if where == "split" else 42)
    assert not out.any()


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_compiling(name, dtype):
    base, triple, cpu, _, apart = TARGETS[name]
    processor = target.Target(base.lanes, base.registers, base.fma, triple, cpu, base.features)
    module = processor.module()
    colour_kernels.add_split(module, processor.lanes, dtype, unit=False)
    colour_kernels.add_joined(module, processor.lanes, dtype, unit=False)
    text = target.assembly(module, processor)
    assert not re.search(r"\b(callq?|bl)\s", text), "calls into a library"
    assert re.search(apart, text)
    assert not re.search("fmadd|fmsub|fnmadd|fmla|fmls", text), "a product and a sum are fused"
