"""The fast engines, on each target: the reference's bits, however they are run."""

import functools
import multiprocessing
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import CLASSES, picture, same_bits

import piqe_np
from piqe_np import OptionError, piqe
from piqe_np.llvm import target
from piqe_np.llvm.measuring import VARIABLE

ROOT = Path(piqe_np.__file__).parents[1]
HERE = Path(__file__).parent
RUNS = {"llvm": ("llvm", ""), "avx2": ("llvm", "avx2"), "plain": ("llvm", "plain"), "numba": ("numba", "")}


def runnable(name: str) -> bool:
    best = target.host(VARIABLE)
    return not name or (
        name in target.NAMED and (name == "plain" or (best.fma and best.lanes >= target.NAMED[name].lanes))
    )


@pytest.fixture(params=[name for name, (_, lesser) in RUNS.items() if runnable(lesser)])
def fast(request, monkeypatch):
    """A fast engine on one of the targets that this processor can run."""
    engine, lesser = RUNS[request.param]
    monkeypatch.setenv(VARIABLE, lesser)
    return functools.partial(piqe, engine=engine)


@pytest.mark.parametrize("rgb", [False, True], ids=["grey", "rgb"])
@pytest.mark.parametrize("dtype", CLASSES)
def test_every_size_modulo_16(dtype, rgb, fast):
    for rest in range(16):
        image = picture(16 + rest, 48 - rest, dtype, rgb, rest)
        assert same_bits(fast(image), piqe(image, engine="reference"))


@pytest.mark.parametrize("rgb", [False, True], ids=["grey", "rgb"])
@pytest.mark.parametrize("dtype", [*CLASSES, "int8"])
def test_a_range_that_the_caller_gives(dtype, rgb, fast):
    low, high = (-7.5, 80.25) if np.dtype(dtype).kind == "f" else (3, 120)
    values = picture(70, 130, "float64", rgb).clip(0, 1) * (high - low) + low
    image = values.astype(dtype)
    found = fast(image, data_range=(low, high))
    assert same_bits(found, piqe(image, data_range=(low, high), engine="reference"))


def test_levels_beyond_white_of_rounded_grey(fast):
    """RGB in whole numbers, black between two of them: grey is rounded above white, and its level is 300."""
    image = np.random.default_rng(2).integers(1, 3, (70, 90, 3)).astype(np.uint8)
    found = fast(image, data_range=(0.5, 2.2))
    assert same_bits(found, piqe(image, data_range=(0.5, 2.2), engine="reference"))


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 9, 15, 16, 17])
def test_rows_of_blocks_that_fill_no_vector(rows, fast):
    image = picture(16 * rows, 70, "uint16")
    assert same_bits(fast(image), piqe(image, engine="reference"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_every_value_of_a_class(dtype, fast):
    count = 2 ** (8 * np.dtype(dtype).itemsize)
    image = np.arange(count).astype(dtype.replace("int16", "uint16").replace("uuint", "uint")).view(dtype)
    image = image.reshape(-1, 64)
    assert same_bits(fast(image), piqe(image, engine="reference"))
    image = np.random.default_rng(8).permutation(image.ravel()).reshape(image.shape)
    assert same_bits(fast(image), piqe(image, engine="reference"))


def test_images_however_they_lie_in_memory(fast):
    image = picture(90, 140, "uint16")
    moved = np.frombuffer(b"x" + image.tobytes(), np.uint16, offset=1).reshape(image.shape)
    read_only = image.copy()
    read_only.flags.writeable = False
    for other in (
        image.T.copy().T,
        image[::-1][::-1],
        image.astype(">u2"),
        moved,
        read_only,
        np.pad(image, 9)[9:-9, 9:-9],
    ):
        assert same_bits(fast(other), piqe(image, engine="reference"))
    rgb = picture(90, 140, "float32", rgb=True)
    for other in (np.moveaxis(np.moveaxis(rgb, 2, 0).copy(), 0, 2), np.pad(rgb, ((0, 0), (3, 0), (0, 1)))[:, 3:, :3]):
        assert same_bits(fast(other), piqe(rgb, engine="reference"))


@pytest.mark.parametrize("width", [1, 253, 256, 257, 260, 381, 384, 385, 388, 509, 512, 513, 516, 767, 771, 1023, 1030])
def test_widths_around_a_tile(width, fast):
    image = picture(40, width)
    assert same_bits(fast(image), piqe(image, engine="reference"))


@pytest.mark.parametrize("dtype", CLASSES)
@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 2**32), scale=st.floats(0.5, 1))
def test_any_image(dtype, height, width, seed, scale):
    image = picture(height, width, dtype, seed=seed)
    assert same_bits(piqe(image), piqe(image, engine="reference"))
    if dtype.startswith("u"):
        data_range = scale * np.iinfo(dtype).max
        dark = (image * scale).astype(dtype)
        assert same_bits(piqe(dark, data_range=data_range), piqe(dark, data_range=data_range, engine="reference"))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((33, 50), np.uint8),
        np.full((50, 33), 65535, np.uint16),
        np.arange(80 * 90).reshape(80, 90).astype(np.uint16),
        np.linspace(0, 1, 100)[None].repeat(40, 0),
        np.array([[3]], np.uint8),
        np.pad(picture(40, 60), ((40, 9), (1200, 600))),
        np.indices((64, 64)).sum(0).astype(np.uint8) % 2 * 255,
        np.random.default_rng(0).normal(size=(64, 64)) * 1e160,
        np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32) * 1e30,
        np.full((32, 32), np.finfo(float).max),
    ],
    ids=["black", "white", "ramp16", "ramp", "pixel", "black-around", "checkers", "beyond-squares", "huge", "largest"],
)
def test_special_images(image, fast):
    found = fast(image)
    assert same_bits(found, piqe(image, engine="reference"))
    assert np.isfinite(found.score)


@pytest.mark.parametrize("distance", [1, 2, 3, 4])
@pytest.mark.parametrize("side", ["above", "below", "left", "right"])
def test_light_just_outside_a_black_tile(side, distance, fast):
    """What the filter reaches beyond a tile of blocks makes the tile's own pixels not black any more."""
    image = np.zeros((48, 3 * 512), np.uint8)
    row = {"above": 16 - distance, "below": 31 + distance}.get(side, 20)
    column = {"left": 512 - distance, "right": 1023 + distance}.get(side, 700)
    image[row, column] = 255
    found = fast(image)
    assert same_bits(found, piqe(image, engine="reference"))
    variance = found.blocks.variance[1, 32:64]
    assert variance.any() == (distance <= 3)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    monkeypatch.setattr("piqe_np.score.START", 1)
    image = picture(700, 530, "uint16")
    one = piqe(image, threads=1)
    for threads in (2, 3, 7, 64):
        assert same_bits(piqe(image, threads=threads), one)
    assert same_bits(piqe(image, threads=3, engine="reference"), one)


def test_several_python_threads_at_once(monkeypatch):
    monkeypatch.setattr("piqe_np.score.START", 1)
    images = [picture(300, 200, dtype, seed=3) for dtype in CLASSES]
    expected = [piqe(image, threads=1) for image in images]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(5):
            for image, right in zip(images, expected, strict=True):
                if not same_bits(piqe(image, threads=2), right):
                    wrong.append(image)

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def _score(queue: "multiprocessing.SimpleQueue[float]") -> None:
    queue.put(piqe(picture(520, 530), threads=3).score)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12 dislikes a fork beside threads
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_other_processes_after_use_in_this_one(method):
    expected = piqe(picture(520, 530), threads=3).score
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=_score, args=(queue,), daemon=True)
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert queue.get() == expected


SCORES = textwrap.dedent("""
    import sys
    sys.path[:0] = sys.argv[1:3]
    from images import picture
    from piqe_np import piqe
    for dtype in sys.argv[4:]:
        print(piqe(picture(90, 530, dtype), engine=sys.argv[3]).score.hex())
    assert ("numba" in sys.modules) == (sys.argv[3] == "numba")
""")


def scores(package_at: Path, engine: str, *classes: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Scores from a fresh process that takes the package from a folder."""
    return subprocess.run(
        [sys.executable, "-c", SCORES, str(package_at), str(HERE), engine, *classes],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def expected_scores(*classes: str) -> list[str]:
    return [piqe(picture(90, 530, dtype), engine="reference").score.hex() for dtype in classes]


def test_a_processor_without_vectors_or_fma_gives_the_same_bits(tmp_path):
    done = scores(
        ROOT, "numba", "uint8", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path)
    )
    assert done.stdout.split() == expected_scores("uint8")
    done = scores(ROOT, "llvm", *CLASSES, PIQE_NP_TARGET="plain")
    assert done.stdout.split() == expected_scores(*CLASSES)


def test_a_target_that_is_none(monkeypatch):
    monkeypatch.setenv(VARIABLE, "mmx")
    with pytest.raises(
        OptionError, match=r"PIQE_NP_TARGET='mmx' is no target that this processor can run; allowed are "
    ):
        piqe(picture(20, 20))


def test_nowhere_to_cache_kernels(tmp_path):
    """A read-only package and no home: kernels are compiled anyway, with one warning."""
    shutil.copytree(ROOT / "piqe_np", tmp_path / "piqe_np", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "piqe_np" / "__pycache__").touch()  # a file: not even root can make the folder
    nowhere = str(tmp_path / "piqe_np" / "__pycache__" / "x")
    folders = {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "NUMBA_CACHE_DIR": nowhere}
    done = scores(tmp_path, "numba", "uint8", **folders, PYTHONDONTWRITEBYTECODE="1")
    assert done.stdout.split() == expected_scores("uint8")
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1
    done = scores(tmp_path, "llvm", "uint8", **folders, PYTHONDONTWRITEBYTECODE="1")
    assert done.stdout.split() == expected_scores("uint8")
    assert done.stderr == ""  # it keeps nothing
