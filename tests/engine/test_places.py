"""The engine in threads, forked and spawned processes, Dask and DataLoader workers, and without any home."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import dask
import dask.array
import numpy as np
import pytest
import torch

from fsrcnn_np.engine import engine_named
from models import random_weights

WEIGHTS = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "zero", dtype=np.float32)
ROOT = Path(__file__).parents[2]


def image(seed):
    return np.random.default_rng(seed).random((240, 160), np.float32)


def upscaled(seed, name="llvm"):
    return engine_named(name).forward(image(seed), WEIGHTS, threads=2)


@pytest.fixture(params=["llvm", "numba"])
def work(request):
    return partial(upscaled, name=request.param)


@pytest.mark.parametrize("name", ["llvm", "numba"])
def test_several_threads_compile_at_once(name):
    forward = engine_named(name).forward
    weights = random_weights(np.random.default_rng(1), (11, 3, 1), 4, "replicate", dtype=np.float32)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: forward(image(0), weights, threads=2), range(4)))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_several_threads_at_once(work):
    expected = [work(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(work, range(8)), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
def test_processes(method, work):
    expected = [work(seed) for seed in range(2)]  # before the fork: the engine has been used, with threads
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        for found, wanted in zip(pool.map(work, range(2)), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask_workers(scheduler, work):
    rows, engine = dask.array.from_array(image(1), chunks=(120, 160)), engine_named(work.keywords["name"])
    result = rows.map_overlap(
        lambda block: engine.forward(block, WEIGHTS), depth={0: 8, 1: 0}, boundary="none", trim=False, dtype="f4",
        chunks=((256, 256), (320,)),
    )  # fmt: skip
    with dask.config.set({"multiprocessing.context": "spawn"}):
        top, bottom = dask.compute(result.blocks[0], result.blocks[1], scheduler=scheduler, num_workers=2)
    np.testing.assert_array_equal(np.concatenate([top[:240], bottom[-240:]]), work(1))


class Images(torch.utils.data.Dataset):
    def __init__(self, work):
        self.work = work

    def __len__(self):
        return 4

    def __getitem__(self, number):
        return torch.from_numpy(self.work(number))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_data_loader_workers(work):
    expected = [work(seed) for seed in range(4)]
    for found, wanted in zip(torch.utils.data.DataLoader(Images(work), num_workers=2), expected, strict=True):
        np.testing.assert_array_equal(found[0].numpy(), wanted)
    del found
    torch.multiprocessing.reductions.shared_cache.clear()  # else these end after PyTorch does, and print


def test_fresh_process_without_home_or_writable_folder(tmp_path):
    """Nothing is cached, so nothing needs to be written, and nothing is said."""
    (tmp_path / "home").mkdir(mode=0o500)
    code = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests']\n"
        "import numpy as np, models, fsrcnn_np.engine.llvm\n"
        "weights = models.random_weights(np.random.default_rng(0), (6, 4, 2), 2, 'zero', dtype=np.float32)\n"
        "image = np.random.default_rng(3).random((240, 160), np.float32)\n"
        "sys.stdout.buffer.write(fsrcnn_np.engine.llvm.forward(image, weights).tobytes())"
    )
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "FSRCNN_NP_TARGET")
    environment = {k: v for k, v in os.environ.items() if k in kept}
    for home in ({}, {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "home")}):
        done = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", code, str(ROOT)],
            env=environment | home, cwd=tmp_path / "home", capture_output=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        np.testing.assert_array_equal(np.frombuffer(done.stdout, np.float32), upscaled(3).ravel())
        assert not list((tmp_path / "home").iterdir())


def test_no_numba_and_no_compiler_of_other_people_in_llvm():
    """The engine's start is quick because it needs LLVM only."""
    code = "import sys, fsrcnn_np.engine.llvm; print(*sorted({'numba', 'scipy', 'h5py', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
