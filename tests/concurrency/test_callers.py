"""Where calls come from: an event loop, pools of processes before any call, a fork amid writing."""

import os
import sys
import types

import numpy as np
import pytest

import programs
from fsrcnn_np.dask_array import is_dask_array
from piqe_np.masked import is_masked
from piqe_np.on_demand import is_instance

#: A process forked while an output was being written has the same open file, and lives on.
FORK_AMID_WRITING = """
import os, signal, sys
from pathlib import Path
import numpy as np, fsrcnn_np
from fsrcnn_np.files.atomic import write_bytes
import h5py, io
stream = io.BytesIO()
with h5py.File(stream, "w") as file:
    file["image"] = np.zeros((20, 20), np.uint8)
children = []
def data(open_file):
    open_file.write(stream.getvalue())
    pid = os.fork()
    if pid == 0:
        signal.pause()
    children.append(pid)
path = Path(sys.argv[1])
write_bytes(path, data, overwrite=False)
print(fsrcnn_np.read(path).pixels.shape)
with h5py.File(path, "r+") as file:
    print(file["image"].shape)
os.kill(children[0], signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_keeps_no_lock_on_an_output(tmp_path):
    assert programs.run(FORK_AMID_WRITING, str(tmp_path / "a.h5")).splitlines() == ["(20, 20)"] * 2


POOLS = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np, fsrcnn_np, piqe_np
image = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
def work(number):
    engine = (None, "numba")[number % 2]
    return fsrcnn_np.upscale(image, engine=engine, threads=2).sum(), piqe_np.piqe(image, engine=engine).score
def main():
    method, first = sys.argv[1:]
    if first == "after":
        work(0), work(1)
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        found = list(pool.map(work, range(4)))
    print(found == [work(number) for number in range(4)])
if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fork is Linux's")
@pytest.mark.parametrize("first", ["before", "after"])
def test_fork_pools_before_and_after_a_first_call(first):
    assert programs.run(POOLS, "fork", first) == "True\n"


ASYNCIO = """
import asyncio, threading
import numpy as np, fsrcnn_np, piqe_np
image = np.random.default_rng(0).integers(0, 256, (220, 170), np.uint8)
def stopping(done, total):
    if stopped.is_set():
        raise InterruptedError
stopped = threading.Event()
async def main():
    expected, score = fsrcnn_np.upscale(image).tobytes(), piqe_np.piqe(image).score
    calls = [asyncio.to_thread(fsrcnn_np.upscale, image, threads=2) for _ in range(20)]
    found = await asyncio.gather(*calls, *[asyncio.to_thread(piqe_np.piqe, image) for _ in range(20)])
    print({one.tobytes() for one in found[:20]} == {expected}, {one.score for one in found[20:]} == {score})
    task = asyncio.create_task(asyncio.to_thread(fsrcnn_np.upscale, image, progress=stopping))
    await asyncio.sleep(0)
    task.cancel()
    stopped.set()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    loop = asyncio.get_running_loop()
    again = await loop.run_in_executor(None, fsrcnn_np.upscale, image)
    print(again.tobytes() == expected)
asyncio.run(main())
print(threading.active_count())
"""


def test_an_event_loop():
    assert programs.run(ASYNCIO).splitlines() == ["True True", "cancelled", "True", "1"]


def test_a_library_that_another_thread_is_importing(monkeypatch):
    """Its module is there, without names."""
    for name, kind in (("numpy.ma", "MaskedArray"), ("dask.array", "Array"), ("h5py", "Dataset")):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        assert not is_instance(np.zeros((20, 20), np.uint8), name, kind)
    assert not is_masked(np.zeros((20, 20), np.uint8))
    assert not is_dask_array(np.zeros((20, 20), np.uint8))
