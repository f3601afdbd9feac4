"""`imresize` in machine code has the reference's bits, for every processor whose code this machine can run."""

import re
from dataclasses import replace

import naive_imresize
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np import imresize
from fsrcnn_np.errors import OptionError
from fsrcnn_np.images import imresize as reference
from fsrcnn_np.images import llvm
from fsrcnn_np.images.llvm import across, arithmetic, kernels, passes
from piqe_np import compiled
from piqe_np.llvm import target

DTYPES = ("uint8", "int8", "uint16", "int16", "float32", "float64")
HOST = target.host("FSRCNN_NP_TARGET")
PROCESSORS = {"host": HOST, "no FMA": target.PLAIN, "four lanes": replace(HOST, lanes=4)}
if HOST.lanes == 16:
    PROCESSORS["AVX2"] = replace(target.AVX2, cpu="x86-64-v3")
METHODS = sorted(set(reference.METHODS) - {"cubic", "triangle"})


def both_passes(shape, scale, method="bicubic", antialiasing=True):
    size, scales = reference._size_and_scales(shape[:2], scale)
    kernel = reference.METHODS[method]
    return [
        reference.Pass(axis, reference.contributions(shape[axis], scales[axis], size[axis], kernel, antialiasing))
        for axis in sorted((0, 1), key=scales.__getitem__)
    ]


def picture(dtype, shape, seed, extremes=False):
    """Noise over the whole range; or of its ends alone, so that sums leave it."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 2, shape).astype(float) if extremes else rng.random(shape)
    if np.dtype(dtype).kind == "f":
        return (noise * 3 - 1).astype(dtype)
    limits = np.iinfo(dtype)
    return np.rint(noise * (int(limits.max) - int(limits.min)) + limits.min).astype(dtype)


def same_bits(found, expected):
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.flags.c_contiguous
    assert found.tobytes() == expected.tobytes()


sides = st.integers(16, 70)


@pytest.mark.parametrize("processor", PROCESSORS)
@given(
    data=st.data(),
    shape=st.tuples(sides, sides),
    colour=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    scale=st.one_of(st.sampled_from((2, 3, 4, 1, 1.7)), st.tuples(sides, sides), st.floats(1, 5)),
    method=st.sampled_from(METHODS),
    threads=st.integers(1, 4),
)
def test_the_bits_of_the_reference(processor, data, shape, colour, dtype, scale, method, threads):
    image = picture(dtype, (*shape, 3) if colour else shape, data.draw(st.integers(0, 99)), data.draw(st.booleans()))
    steps = both_passes(shape, scale, method, data.draw(st.booleans()))
    assert llvm.fits(image.shape, steps)
    expected = reference.resized(image, steps)
    strip, columns = passes._STRIP, across._BLOCK
    try:
        passes._STRIP, across._BLOCK = (
            data.draw(st.sampled_from((1, 5000, strip))),
            data.draw(st.sampled_from((17, 256))),
        )
        found = llvm.resized(image, steps, threads=threads, processor=PROCESSORS[processor])
    finally:
        passes._STRIP, across._BLOCK = strip, columns
    same_bits(found, expected)


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [2, 0.5, (70, 20)])
def test_whole_numbers_agree_with_the_naive_twin_bit_for_bit(processor, dtype, scale):
    """At ×2 and ÷2 every sum is exact; (70, 20) is one of each, the columns first."""
    image = picture("uint8", (35, 40), 5, extremes=True).astype(dtype)
    if np.dtype(dtype).kind == "f":
        convert = float if dtype == "float64" else lambda value: float(np.float32(value))
    else:
        convert = naive_imresize.to_class(np.iinfo(dtype).min, np.iinfo(dtype).max)
    expected = np.array(naive_imresize.resize(image.tolist(), scale, convert)).astype(dtype)
    found = llvm.resized(image, both_passes(image.shape, scale), processor=PROCESSORS[processor])
    if np.dtype(dtype).kind == "f":
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == "float32" else 1e-13, atol=1e-12)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scale", [0.3, 0.06, (20, 300)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_taps(dtype, scale):
    image = picture(dtype, (300, 310), 1)
    steps = both_passes(image.shape, scale)
    same_bits(llvm.resized(image, steps, threads=2), reference.resized(image, steps))


@pytest.mark.parametrize("value", [0.49999999999999994, 0.5, 1.4999999999999998, 2.5, 254.49999999999997, 254.5, 300.0])
@pytest.mark.parametrize("kind", ["float", "double"])
def test_halves_are_rounded_away_from_zero(value, kind):
    """One tap, whose weight is the value, of pixels that are 1 or −1."""
    for dtype, sign in (("uint8", 1), ("int16", 1), ("int16", -1)):
        weight = float(arithmetic.FLOATS[kind](value))
        module = HOST.module()
        lanes = kernels.lanes(HOST, kind)
        kernels.add_down(module, lanes, dtype, kind, 1)
        image, made = np.full((1, lanes), sign, dtype), np.zeros((1, lanes), dtype)
        indices, weights = np.zeros((1, 1), np.int64), np.full((1, 1), weight, arithmetic.FLOATS[kind])
        code = across.Code(module, HOST)
        code.run(image.ctypes.data, 0, indices.ctypes.data, weights.ctypes.data, 1, 1, made.ctypes.data, 0, lanes)
        limits = np.iinfo(dtype)
        expected = naive_imresize.to_class(limits.min, limits.max)(sign * weight)
        assert made.tolist() == [[expected] * lanes]


def test_in_which_numbers():
    """float32 only where nothing is rounded: bicubic ×2 in 128ths, of 16 bits; ×4 in 1024ths, of 8 bits alone."""
    found = {
        (dtype, scale): arithmetic.arithmetic(np.dtype(dtype), reference.contributions(40, scale).weights)
        for dtype in DTYPES
        for scale in (2.0, 4.0, 3.0, 0.5)
    }
    exact = {key for key, kind in found.items() if kind == "float"}
    assert exact == {
        *((dtype, 2.0) for dtype in DTYPES[:4]), *((dtype, 0.5) for dtype in ("uint8", "int8", "int16")),
        ("uint8", 4.0), ("int8", 4.0),
    }  # fmt: skip


def test_twice_the_width_has_taps_alike():
    for length in (16, 41):
        weights, (even, odd), before, after = across.doubling(reference.contributions(length, 2.0), length)
        assert (weights * 128).tolist() == [[-3, 29, 111, -9], [-9, 111, 29, -3]]
        assert (even, odd) == (-2, -1)
        assert before.tolist() == [1, 0]
        assert after.tolist() == [length - 1, length - 2]
    assert across.doubling(reference.contributions(16, 3.0), 16) is None
    assert across.doubling(reference.contributions(16, 1.9, 32), 16) is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [2, 1.3])
def test_large_ones_go_through_machine_code(dtype, scale, monkeypatch):
    image = picture(dtype, (610, 620), 2)
    expected = reference.resized(image, both_passes(image.shape, scale))
    monkeypatch.setattr(reference, "resized", None)
    same_bits(imresize(image, scale), expected)
    layouts = (
        np.asfortranarray(image), image.astype(image.dtype.newbyteorder()), np.repeat(image, 2, axis=1)[:, ::2],
        image[::-1, ::-1].copy()[::-1, ::-1],
    )  # fmt: skip
    for number, other in enumerate(layouts):
        same_bits(imresize(other, scale, threads=number + 1), expected)


def test_colour_of_any_layout():
    image = picture("uint16", (300, 310, 3), 3)
    expected = reference.resized(image, both_passes(image.shape, 2))
    for other in (image, np.asfortranarray(image), np.moveaxis(np.moveaxis(image, -1, 0).copy(), 0, -1)):
        same_bits(imresize(other, 2), expected)


def test_narrow_ones_and_far_taps_are_the_references():
    assert not llvm.fits((15, 10**6), both_passes((15, 1000), 2))
    assert not llvm.fits((100, 100), both_passes((100, 100), (3, 100)))
    far = both_passes((16, 300_000), (16, 30), "lanczos3")
    assert llvm.fits((16, 300_000), far)
    assert not llvm.fits((16, 300_000, 3), far)
    image = picture("uint8", (7, 50_000), 4)
    same_bits(imresize(image, 2), reference.resized(image, both_passes(image.shape, 2)))


def test_without_executable_memory_the_reference_gives_the_same(monkeypatch):
    image = picture("uint16", (400, 410), 6)
    expected = imresize(image, 2)
    monkeypatch.setattr(compiled, "_no_executable_memory", lambda: "Permission denied")
    monkeypatch.setattr(llvm, "resized", None)
    same_bits(imresize(image, 2), expected)


def test_a_target_that_is_none(monkeypatch):
    monkeypatch.setenv("FSRCNN_NP_TARGET", "sse9")
    with pytest.raises(OptionError, match="FSRCNN_NP_TARGET='sse9' is no target"):
        imresize(np.zeros((600, 600), np.uint8), 2)


def test_many_small_ones_go_to_the_machine_code(monkeypatch):
    """After so many elements that compiling is worth its time; with the same bits."""
    image = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    monkeypatch.setattr(reference, "_made", 0)
    taken, found = [], []
    for _ in range(3):
        found.append(imresize(image, 2))
        taken.append(reference.machine_code_for(image.shape, both_passes(image.shape, 2)))
        monkeypatch.setattr(reference, "_made", reference._MANY // 2 + reference._made)
    assert [one is not None for one in taken] == [False, False, True]
    same_bits(found[1], found[0])
    same_bits(found[2], found[0])


@pytest.mark.parametrize("threads", [0, -1, 2.5, "2", True])
def test_no_such_number_of_threads(threads):
    with pytest.raises(OptionError, match=re.escape(f"threads={threads!r}")):
        imresize(np.zeros((3, 3)), 2, threads=threads)


X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
TARGETS = {
    "AVX-512": (target.AVX512, X86, "skylake-avx512", r"vfmadd\w+ps\s.*%zmm", r"vmulpd\s.*%zmm"),
    "AVX2": (target.AVX2, X86, "haswell", r"vfmadd\w+ps\s.*%ymm", r"vmulpd\s.*%ymm"),
    "no FMA": (target.PLAIN, X86, "x86-64", r"mulps\s.*%xmm", r"mulpd\s.*%xmm"),
    "aarch64": (target.NEON, ARM, "generic", r"fmla\s.*\.4s", r"fmul\s.*\.2d"),
    "Apple": (target.NEON, "arm64-apple-macosx11.0", "apple-m1", r"fmla", r"fmul"),
    "Windows": (target.AVX2, "x86_64-pc-windows-msvc", "haswell", r"vfmadd\w+ps\s.*%ymm", r"vmulpd\s.*%ymm"),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_compiling(name, dtype):
    base, triple, cpu, fused, apart = TARGETS[name]
    processor = target.Target(base.lanes, base.registers, base.fma, triple, cpu, base.features)
    for kind in ["double"] if dtype.startswith("float") else ["float", "double"]:
        module, lanes = processor.module(), kernels.lanes(processor, kind)
        kernels.add_doubled(module, lanes, dtype, kind, 4, (-2, -1))
        kernels.add_across(module, lanes, dtype, kind, 4)
        kernels.add_down(module, lanes, dtype, kind, 0)
        text = target.assembly(module, processor)
        assert not re.search(r"\b(callq?|bl)\s", text), "calls into a library"
        assert re.search(fused if kind == "float" else apart, text)
        if kind == "double":
            assert not re.search("fmadd|fmla", text), "a product and a sum of doubles are fused"
