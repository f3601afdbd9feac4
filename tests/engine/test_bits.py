"""The same bits, whatever the work is cut into and wherever it runs."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from engines import FAST, HOST, LLVM
from hypothesis import given, settings
from hypothesis import strategies as st

from fsrcnn_np.convert import load_weights
from fsrcnn_np.engine import engine_named, strips
from fsrcnn_np.engine.llvm import groups
from fsrcnn_np.engine.llvm.layout import RING
from fsrcnn_np.images.value_range import ValueRange
from fsrcnn_np.network.bands import Band
from models import random_weights
from piqe_np.compiled import worthwhile

ROOT = Path(__file__).parents[2]


def model(seed, border, m=3, offset=4, scale=2):
    return random_weights(np.random.default_rng(seed), (9, 5, m), scale, border, dtype=np.float32, offset=offset)


borders = st.sampled_from(["zero", "replicate"])
engines = st.sampled_from(["numba", "llvm, host"])


@given(
    height=st.integers(1, 60), width=st.integers(1, 90), rows=st.integers(1, 30), columns=st.integers(1, 70),
    threads=st.integers(1, 3), border=borders, m=st.sampled_from([1, 3, 4]), name=engines,
)  # fmt: skip
def test_strips_and_threads(height, width, rows, columns, threads, border, m, name):
    weights, run = model(1, border, m), FAST[name]
    image = np.random.default_rng([height, width]).random((height, width), np.float32)
    np.testing.assert_array_equal(run(image, weights, size=(rows, columns), threads=threads), run(image, weights))


@settings(max_examples=80)
@given(data=st.data(), border=borders, m=st.sampled_from([1, 2, 3, 4, 5]), scale=st.sampled_from([2, 3]), name=engines)
def test_part_cut_with_its_halo_at_multiples_of_four(data, border, m, scale, name):
    run = FAST[name]
    height, width = data.draw(st.integers(1, 80)), data.draw(st.integers(1, 60))
    weights = model(m, border, m, scale=scale)
    image = np.random.default_rng([height, width, m]).random((height, width), np.float32)
    whole = run(image, weights)
    top = 4 * data.draw(st.integers(0, (height - 1) // 4))
    bottom = data.draw(st.sampled_from([height, *range(top + 4, height, 4)]))
    left = data.draw(st.integers(0, width - 1))
    right = data.draw(st.integers(left + 1, width))
    part = run(np.ascontiguousarray(image[top:bottom, left:right]), weights)
    first, last = (0 if top == 0 else top + weights.halo), (height if bottom == height else bottom - weights.halo)
    begin, end = (0 if left == 0 else left + weights.halo), (width if right == width else right - weights.halo)
    if first < last and begin < end:
        inner = part[(first - top) * scale : (last - top) * scale, (begin - left) * scale : (end - left) * scale]
        np.testing.assert_array_equal(inner, whole[first * scale : last * scale, begin * scale : end * scale])


def test_one_row_less_than_the_halo_is_too_little():
    """So that the test above cannot pass because nothing depends on anything."""
    weights, run = model(1, "zero", 4), FAST["llvm, host"]
    image = np.random.default_rng(0).random((64, 20), np.float32)
    inner = slice(2 * (weights.halo - 1), 2 * (weights.halo + 4))
    assert not np.array_equal(run(image[4:], weights)[inner], run(image, weights)[8:][inner])


@pytest.mark.parametrize("m", [1, 2, 3, 4, 7, 8])
def test_groups_start_where_every_layer_loses_one_row(m):
    """Counting instead of computing: which rows of a cut at a multiple of 4 are safe after each layer."""
    fours = [range(start, start + 4) for start in range(groups.start(0) - 4, 404, 4)]
    safe = [row for rows in fours for row in rows if rows[0] - 2 >= 0 and rows[-1] + 2 < 400]
    first, last = 2, 400 - 3
    assert safe == list(range(first, last + 1))  # of the features, each of which needs two rows of the image beside it
    for layer in range(1, m + 1):
        safe = []
        for start in range(groups.start(layer) - 4, 404, 4):
            inner = all(first <= row <= last for row in range(start, start + 4))
            outer = [start - 1, None, None, start + 4]
            safe += [start + i for i, row in enumerate(outer) if inner and (row is None or first <= row <= last)]
        first, last = first + 1, last - 1
        assert safe == list(range(first, last + 1))


def test_steps_only_read_rows_that_exist():
    delays = groups.delays(12)
    assert -delays[0] % 4 == groups.start(0)
    for layer in range(1, 13):
        assert delays[layer - 1] - delays[layer] + 4 <= 3  # newest row read ≤ newest row of the layer before
        assert (delays[layer] + 1) - (delays[layer - 1] - 3) < RING  # oldest row read is still in the ring
        assert -delays[layer] % 4 == groups.start(layer)


@pytest.mark.parametrize("border", ["zero", "replicate"])
def test_width_of_vectors(border):
    image = np.random.default_rng(3).random((37, 131), np.float32)
    for dsm in [(56, 12, 4), (13, 17, 2)]:
        weights = random_weights(np.random.default_rng(4), dsm, 2, border, dtype=np.float32)
        results = {name: run(image, weights) for name, run in LLVM.items() if "no FMA" not in name}
        first = next(iter(results.values()))
        for name, result in results.items():
            np.testing.assert_array_equal(result, first, err_msg=name)


@pytest.mark.parametrize("name", ["llvm", "numba"])
def test_run_after_run_with_and_without_out(name):
    weights, forward = load_weights("x2"), engine_named(name).forward
    image = np.random.default_rng(0).random((140, 300), np.float32)
    first = forward(image, weights)
    out = np.full_like(first, np.nan)
    assert forward(image, weights, out=out, threads=3) is out
    np.testing.assert_array_equal(out, first)
    np.testing.assert_array_equal(forward(image, weights, threads=1), first)


@given(
    height=st.integers(1, 50), width=st.integers(1, 40), rows=st.integers(1, 60), border=borders,
    name=st.sampled_from(["llvm", "numba", "reference"]),
)  # fmt: skip
def test_bands(height, width, rows, border, name):
    """Rows of an image made from those that they need: the same bits, or with NumPy's BLAS nearly."""
    weights, engine, levels = model(2, border, 4), engine_named(name), ValueRange(0, 4095, "12 bits")
    image = np.random.default_rng([height, width]).integers(0, 4096, (height, width)).astype(np.float64)
    whole = engine.upscale_plane(image, weights, levels)
    for first in range(0, height, rows):
        last = min(first + rows, height)
        top, bottom = engine.rows_needed(first, last, height, weights)
        part = engine.upscale_plane(image[top:bottom], weights, levels, band=Band(first, last, top, height))
        wanted = whole[2 * first : 2 * last]
        np.testing.assert_allclose(part, wanted, rtol=0, atol=0.05 if name == "reference" else 0)


CODE = """
import sys, numpy as np, models
from fsrcnn_np.engine.numba import forward
weights = models.random_weights(np.random.default_rng(0), (6, 5, 2), 2, "replicate", dtype=np.float32)
image = np.random.default_rng(3).random((30, 90), np.float32)
sys.stdout.buffer.write(forward(image, weights).tobytes())
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names of x86 processors")
def test_numba_on_other_processors():
    """The same bits on all that fuse a product and a sum, and nearly the same on those that do not."""

    def result(cpu):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
        if cpu:
            environment |= {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""}
        done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, check=True)
        return np.frombuffer(done.stdout, np.float32)

    plain = result("x86-64")
    if HOST.fma:
        here = result(None)
        np.testing.assert_array_equal(result("x86-64-v3"), here)
        assert 0 < np.abs(plain - here).max() < 1e-5


@pytest.mark.parametrize("start", [1, strips.START])
@pytest.mark.parametrize("width", [1, 5, 48, 113, 340])
@pytest.mark.parametrize("name", ["llvm", "numba"])
def test_small_pictures_on_any_number_of_threads(name, width, start, monkeypatch):
    """Around the heights of a group, and of what a second and a third thread is worth its start for."""
    monkeypatch.setattr(strips, "START", start)
    weights, forward = model(4, "zero"), engine_named(name).forward
    for height in (1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 113):
        image = np.random.default_rng(height).random((height, width), np.float32)
        one = forward(image, weights)
        for threads in (2, 3, 8):
            np.testing.assert_array_equal(forward(image, weights, threads=threads), one)


@pytest.mark.parametrize("threads", [1, 2, 3, 16, 1024])
def test_threads_for_the_work_that_there_is(threads):
    """Never more than may be taken, never none; for a large picture all."""
    found = [worthwhile(threads, side**2, strips.START) for side in (1, 32, 128, 200, 320, 1000, 100_000)]
    assert found == sorted(found)
    assert found[:3] == [1, 1, 1]
    assert found[-1] == threads
    assert found[3] == min(threads, 2)
