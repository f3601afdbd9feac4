"""The pieces with pytest-benchmark: `pytest benchmarks`. Each result is checked before it is timed."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fsrcnn_np.engine.llvm import forward, packing, schedule, target, upscale_plane
from fsrcnn_np.engine.llvm.layout import Layout
from fsrcnn_np.engine.windows import window
from fsrcnn_np.images.value_range import value_range
from fsrcnn_np.network import reference
from piqe_np import piqe

from . import stages
from .graphs import benchmark_weights

WEIGHTS = benchmark_weights()
LAYOUT = Layout(WEIGHTS.architecture, WEIGHTS.border, WEIGHTS.deconvolution_offset, target.host())


@pytest.fixture(scope="module")
def image() -> NDArray[np.float32]:
    image = np.random.default_rng(0).random((512, 512), np.float32)
    part = slice(200, 240)
    expected = reference.forward(image[part, :100], WEIGHTS, dtype=np.float64)
    assert np.abs(forward(image[part, :100], WEIGHTS) - expected).max() < 1e-5
    return image


@pytest.mark.parametrize("stage", stages.stages(), ids=lambda stage: stage.name)
def test_stage(benchmark: Any, stage: stages.Stage, image: NDArray[np.float32]) -> None:
    benchmark(stage.run)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_pixels(benchmark: Any, image: NDArray[np.float32], dtype: str) -> None:
    high = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    plane = (image * high).astype(dtype)
    out = np.empty((1024, 1024), dtype)
    benchmark(upscale_plane, plane, WEIGHTS, value_range(dtype), threads=1, out=out)


def test_a_reference_to_compare(benchmark: Any, image: NDArray[np.float32]) -> None:
    benchmark.pedantic(reference.forward, (image, WEIGHTS), rounds=2)


def test_compiling(benchmark: Any) -> None:
    benchmark(lambda: target.loaded(schedule.module(LAYOUT), target.host()))


def test_packing(benchmark: Any) -> None:
    benchmark(packing.packed, WEIGHTS, LAYOUT)


def test_preparing(benchmark: Any, image: NDArray[np.float32]) -> None:
    plane = (image * 65535).astype(np.uint16)
    benchmark(window, plane, (-4, 516), (-8, 548), WEIGHTS, value_range("uint16"), LAYOUT.pitch // 4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_piqe(benchmark: Any, image: NDArray[np.float32], dtype: str) -> None:
    plane = (image * np.iinfo(dtype).max).astype(dtype)
    part = plane[:60, :70]
    assert piqe(part).score == piqe(part, engine="reference").score
    benchmark(piqe, plane, threads=1)
