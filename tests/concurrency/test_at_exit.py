"""The interpreter ends while threads work, daemon threads too: no crash, no hang, not a word."""

import random
import threading

import pytest

import exit_at_random
import programs
from piqe_np import compiled

#: A daemon thread is within `unbroken` when the main thread ends, and another one comes to it then.
ABANDONED = """
import sys, threading, time
from piqe_np import unbroken
unbroken.PATIENCE = 0.2
inside = threading.Event()
def works():
    with unbroken.unbroken(callers=sys.argv[1] == "callers"):
        inside.set()
        time.sleep(float(sys.argv[2]))
        print("whole", flush=True)
def comes_late():
    inside.wait()
    while not unbroken.ending():
        time.sleep(0.01)
    try:
        with unbroken.unbroken():
            print("begun", flush=True)
    finally:
        print("ended", flush=True)
for work in (works, comes_late):
    threading.Thread(target=work, daemon=True).start()
inside.wait()
"""


def test_the_end_waits_for_what_goes_on_and_lets_nothing_new_begin():
    assert sorted(programs.run(ABANDONED, "ours", "0.5").split()) == ["ended", "whole"]


def test_the_end_waits_for_a_caller_s_own_objects_but_not_for_ever():
    assert "whole" in programs.run(ABANDONED, "callers", "0.1")
    assert "whole" not in programs.run(ABANDONED, "callers", "1000", timeout=30)


#: The main thread computes on its way out, after ours has run.
LATE = """
import atexit, numpy as np
image = np.arange(200 * 200, dtype=np.uint16).reshape(200, 200)
def last():
    print(fsrcnn_np.upscale(image, threads=3).sum() == expected, piqe_np.piqe(image, threads=3).score == score)
atexit.register(last)
import fsrcnn_np, piqe_np
expected, score = fsrcnn_np.upscale(image).sum(), piqe_np.piqe(image).score
"""


def test_the_main_thread_can_still_compute_on_its_way_out():
    assert programs.run(LATE).split() == ["True", "True"]


#: h5py alone hangs here, every time: its way out needs the lock that a daemon thread was taken down with.
STREAM = """
import sys, threading, time
import h5py, numpy as np, fsrcnn_np
file = h5py.File(sys.argv[1], "w")
pixels = np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8)
source = file.create_dataset("a", data=pixels, chunks=(64, 64), compression="gzip")
target = file.create_dataset("b", (600, 600), np.uint8, chunks=(64, 64), compression="gzip")
seen = threading.Event()
def work():
    while True:
        fsrcnn_np.upscale_stream(source, target, rows=10, progress=lambda done, total: seen.set())
threading.Thread(target=work, daemon=True).start()
seen.wait()
"""


def test_daemon_threads_that_stream_from_hdf5(tmp_path):
    programs.run(STREAM, str(tmp_path / "a.h5"))


@pytest.mark.parametrize(
    "kind",
    [
        ("upscale", "llvm", "cold", "daemon"),
        ("upscale", "reference", "cold", "daemon"), ("piqe", "llvm", "cold", "daemon"),
        ("piqe", "llvm", "cold", "waited"), ("piqe", "numba", "warm", "daemon"),
    ],
)  # fmt: skip
def test_at_a_moment_of_the_first_or_a_later_call(kind):
    """Few moments of many; `exit_at_random.py` tries as many as it is told."""
    assert exit_at_random.run(*kind, random.uniform(0, 0.3)) == ""


def test_python_that_ends_and_starts_no_threads(monkeypatch):
    """From 3.12 on while it waits for others' threads; that is not the system's limit, and nothing is said."""

    def refused(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    done = []
    monkeypatch.setattr(threading.Thread, "start", refused)
    compiled.run_tasks(done.append, 5, 3)
    assert done == [0, 1, 2, 3, 4]
