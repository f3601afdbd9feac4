"""Where others call from: Dask's workers, pools that are spawned or served by a fork, executors, loops, iterators."""

import multiprocessing
import signal
import sys

import pytest

import programs

#: What each worker computes, before and after another one of them.
WORK = """
import os, sys, threading, time
import numpy as np, fsrcnn_np, piqe_np
image = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
def work(number):
    large = fsrcnn_np.upscale(image, weights="x2-small", threads=1 + number % 3)
    return large.tobytes(), piqe_np.piqe(image, threads=1 + number % 2).score, os.getpid()
def same(found):
    expected = work(0)[:2]
    return all(one[:2] == expected for one in found)
"""

POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from worker import *
def main():
    found = []
    for method in sys.argv[1:]:
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(["worker"])
        with ProcessPoolExecutor(2, context) as pool:  # no call has been made in this process
            found += pool.map(work, range(4))
    print(same(found), os.getpid() not in {one[2] for one in found})
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def run(tmp_path):
    """A program's words; it can import what the workers do."""
    (tmp_path / "worker.py").write_text(WORK)

    def ran(code, *arguments, **named):
        (tmp_path / "program.py").write_text(code)
        start = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); import os\n"
        start += "os.environ['PYTHONPATH'] += os.pathsep + sys.path[0]\n"
        start += "runpy.run_path(os.path.join(sys.path[0], 'program.py'), run_name='__main__')"
        return programs.run(start, str(tmp_path), *arguments, **named)

    return ran


def test_pools_that_begin_anew_before_any_call(run):
    methods = set(multiprocessing.get_all_start_methods()) & {"spawn", "forkserver"}
    assert run(POOLS, *methods) == "True True\n"


DASK = """
import dask.array as da
from distributed import Client, LocalCluster
from worker import *
def main():
    expected = fsrcnn_np.upscale(image, weights="x2-small")
    lazy = fsrcnn_np.upscale(da.from_array(image, chunks=(30, 25)), weights="x2-small")
    for processes in map(bool, map(int, sys.argv[1:])):
        cluster = LocalCluster(n_workers=2, threads_per_worker=2, processes=processes, dashboard_address=None)
        with cluster, Client(cluster) as client:
            scores = client.map(work, range(6), pure=False)
            whole = np.array_equal(lazy.compute(), expected)
            long = client.map(lambda n: fsrcnn_np.upscale(np.tile(image, (n, 9))).shape, range(5, 9), pure=False)
            time.sleep(0.1)
            client.cancel(long)
            del long
            print(whole, same(client.gather(scores)), same([client.submit(work, 9, pure=False).result()]))
if __name__ == "__main__":
    main()
"""


def test_dask_s_workers(run):
    """Their tasks are cancelled while they compute, and the next ones are as before; `0` would be threads of ours."""
    assert run(DASK, "1", DASK_LOGGING__DISTRIBUTED="critical") == "True True True\n"


#: Workers as PyTorch's DataLoader has them: forked daemons that fill a queue, ended when the iterator is dropped.
LOADER = """
import multiprocessing
from worker import *
def fill(queue, context):
    for number in range(1000):
        queue.put(work(number))
def loaded(context, workers):
    queue = context.Queue(2)
    processes = [context.Process(target=fill, args=(queue, context), daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        while True:
            yield queue.get()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        ended.append([process.exitcode for process in processes])
def main():
    context = multiprocessing.get_context(sys.argv[1])
    for close in (True, False):
        items = loaded(context, 2)
        found = [next(items) for _ in range(4)]
        if close:
            items.close()
        del items
        print(same(found), ended.pop(), threading.active_count())
ended = []
if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fork is Linux's")
def test_workers_of_a_loader_that_is_dropped_half_way(run):
    assert run(LOADER, "fork") == "True [-15, -15] 1\n" * 2


EXECUTORS = """
import concurrent.futures as futures, signal
from concurrent.futures.process import BrokenProcessPool
from worker import *
large = np.tile(image, (12, 12))
def long(number):
    begun.set()
    return fsrcnn_np.upscale(large, weights="x2-small", threads=2, out=outs[number]).tobytes()
begun, outs = threading.Event(), np.ones((4, 1440, 1200), np.uint8)
def killed(number):
    work(number)
    os.kill(os.getpid(), signal.SIGKILL)
def main():
    expected = fsrcnn_np.upscale(large, weights="x2-small").tobytes()
    pool = futures.ThreadPoolExecutor(2)
    running = [pool.submit(long, number) for number in range(4)]
    begun.wait()
    pool.shutdown(wait=False, cancel_futures=True)  # what runs goes on
    whole = [one.result() == expected for one in running if not one.cancelled()]
    untouched = [bool((outs[number] == 1).all()) for number in range(4) if running[number].cancelled()]
    print(all(whole), all(untouched), len(whole) + len(untouched))
    with futures.ProcessPoolExecutor(2) as pool:
        try:
            pool.submit(killed, 1).result()
        except BrokenProcessPool:
            print("broken")
    with futures.ProcessPoolExecutor(2) as pool:
        print(same(pool.map(work, range(4))))
    print(same([work(1)]), threading.active_count())
if __name__ == "__main__":
    main()
"""


def test_executors_that_are_shut_down_amid_and_workers_that_are_killed(run):
    assert run(EXECUTORS).splitlines() == ["True True 4", "broken", "True", "True 1"]


#: The first Ctrl-C ends the loop, which waits for its threads; what they made is whole.
CTRL_C = """
import asyncio, atexit, signal
from worker import *
large, out = np.tile(image, (12, 12)), np.zeros((1440, 1200), np.uint8)
expected = fsrcnn_np.upscale(large, weights="x2-small")
told = []
def progress(done, total):
    if not told:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    told.append(done)
    if sys.argv[1] == "raises":
        raise InterruptedError
async def main():
    await asyncio.to_thread(fsrcnn_np.upscale, large, weights="x2-small", threads=2, out=out, progress=progress)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", np.array_equal(out, expected), out.any(), threading.active_count())
print(same([work(1)]))
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to a thread are POSIX's")
@pytest.mark.parametrize(("kind", "end"), [("goes on", "True True"), ("raises", "False False")])
def test_ctrl_c_while_an_event_loop_waits_for_a_thread(kind, end, run):
    assert run(CTRL_C, kind) == f"interrupted {end} 1\nTrue\n"


CANCELLED = """
import asyncio
from worker import *
large = np.tile(image, (12, 12))
outs = np.zeros((6, 1440, 1200), np.uint8)
expected = fsrcnn_np.upscale(large, weights="x2-small")
async def call(number):
    return await asyncio.to_thread(fsrcnn_np.upscale, large, weights="x2-small", threads=2, out=outs[number])
async def main():
    tasks = [asyncio.create_task(call(number)) for number in range(6)]
    await asyncio.sleep(0.01)
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    print([type(one).__name__ for one in found])
    try:
        async with asyncio.timeout(0.001):
            await call(0)
    except TimeoutError:
        print("late")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(call(1))
            raise ZeroDivisionError
    except* ZeroDivisionError:
        print("group")
asyncio.run(main())
print([bool((one == expected).all() or number % 2 == 0 and not one.any()) for number, one in enumerate(outs)])
print(same([work(1)]), threading.active_count())
"""


def test_tasks_that_are_cancelled(run):
    """A thread cannot be: it ends its call, or has not begun it; nothing half done is left."""
    assert run(CANCELLED).splitlines() == [
        str(["CancelledError", "ndarray"] * 3), "late", "group", str([True] * 6), "True 1",
    ]  # fmt: skip


#: Iterators with threads behind them are closed, dropped, or still there when the interpreter ends.
ITERATORS = """
import gc
from concurrent.futures import ThreadPoolExecutor
from worker import *
from fsrcnn_np.reader.pyramid import tiles
from fsrcnn_np.steps_at_once import overlapped
def enlarged(pool, pictures):
    for future in [pool.submit(fsrcnn_np.upscale_batch, [one, one], weights="x2-small") for one in pictures]:
        yield future.result()
def own():
    with ThreadPoolExecutor(2) as pool:
        yield from enlarged(pool, [image] * 20)
def in_steps():
    stopping = threading.Event()
    steps = [lambda number: image[: 20 + number], lambda part: fsrcnn_np.upscale(part, weights="x2-small")]
    with overlapped(list(range(20)), steps, stopping) as done:
        for one in done:
            yield one.result()
def made():
    yield tiles(np.tile(image, (40, 40)).astype(np.uint16), threads=3)
    yield own()
    yield in_steps()
for iterator in made():
    next(iterator), next(iterator)
    iterator.close()
    print(threading.active_count(), list(iterator))
for iterator in made():
    next(iterator)
    del iterator
print(threading.active_count(), same([work(0)]))
kept = list(made())
for iterator in kept:
    next(iterator)
"""


def test_iterators_that_are_closed_dropped_or_left(run):
    assert run(ITERATORS).splitlines() == ["1 []"] * 3 + ["1 True"]
