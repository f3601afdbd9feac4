"""What a process makes once, and the lock that compiling and a fork take."""

import multiprocessing
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import forks_at_random
import programs
from piqe_np.unbroken import alone, once


def test_many_threads_ask_and_one_makes():
    made = []

    @once(most=2)
    def squared(number):
        time.sleep(0.02)
        made.append(number)
        return [number**2]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(squared, [3] * 16))
    assert made == [3]
    assert all(result is found[0] for result in found)
    for number in (4, 5, 4, 5):
        squared(number)
    assert made == [3, 4, 5]  # the last two are kept
    squared(3)
    assert made == [3, 4, 5, 3]


def test_what_fails_is_not_kept_and_holds_nothing():
    tries = []

    @once(most=2)
    def fails(number):
        tries.append(number)
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fails(1)
    assert tries == [1, 1]
    with ThreadPoolExecutor(1) as pool:  # another thread gets the lock
        pool.submit(lambda: alone().__enter__).result(5)


FIRST_CALLS = """
import sys, threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import numpy as np, fsrcnn_np, piqe_np
from fsrcnn_np.convert import hdf5
from piqe_np.llvm import target
counted, load, loaded = Counter(), hdf5.load, target.loaded
def loads(path):
    counted["models"] += 1
    return load(path)
def compiles(module, processor):
    counted[module.functions[-1].title] += 1
    return loaded(module, processor)
hdf5.load, target.loaded = loads, compiles
import fsrcnn_np.engine.llvm.target
fsrcnn_np.engine.llvm.target.loaded = compiles
image = np.random.default_rng(0).integers(0, 256, (70, 90), np.uint8)
together = threading.Barrier(16)
def work(number):
    together.wait()
    return fsrcnn_np.upscale(image, threads=2).tobytes(), piqe_np.piqe(image, threads=2).score
with ThreadPoolExecutor(16) as pool:
    print(len(set(pool.map(work, range(16)))), sorted(counted.items()))
"""


def test_sixteen_threads_load_a_model_once_and_compile_once():
    results, counts = programs.run(FIRST_CALLS).strip().split(" ", 1)
    assert results == "1"
    counts = dict(eval(counts))
    assert counts["models"] == 1
    assert set(counts.values()) == {1}
    assert {"strip", "finish"} < set(counts)


#: One thread compiles, and holds every lock that there is for it, while another one forks.
FORK = """
import os, sys, threading, time
import numpy as np, fsrcnn_np, piqe_np
from piqe_np.llvm import target
engine = sys.argv[1]
if engine == "numba":
    from numba.core import compiler_lock
    lock = compiler_lock.global_compiler_lock
else:
    from piqe_np import unbroken
    lock = unbroken._locks["compile"]
inside = threading.Event()
def compiles():
    with lock:
        inside.set()
        time.sleep(0.2)
def last():
    image = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
    return fsrcnn_np.upscale(image, engine=engine, threads=2).tobytes() + str(piqe_np.piqe(image).score).encode()
last()
first = threading.Thread(target=compiles)
first.start()
inside.wait()
reading, writing = os.pipe()
if os.fork() == 0:
    with lock:  # it is free
        os.write(writing, b"1" if last() == last() else b"0")
    os._exit(0)
with lock:
    pass
first.join()
print(os.read(reading, 1).decode(), os.wait()[1])
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.parametrize("engine", ["llvm", "numba"])
def test_a_fork_waits_for_the_compiler(engine):
    assert programs.run(FORK, engine).split() == ["1", "0"]


#: One thread is in the middle of an import that a function of ours asked for, while another one forks.
FORK_AMID_IMPORT = """
import os, pathlib, signal, sys, threading
sys.path.insert(0, sys.argv[1])
pathlib.Path(sys.argv[1], "begun.py").write_text("import threading\\nnow = threading.Event()")
pathlib.Path(sys.argv[1], "slow.py").write_text("import begun, time\\nbegun.now.set()\\ntime.sleep(0.3)\\nwhole = 1")
import begun, piqe_np
piqe_np.PiqeError  # any name of ours
ours = {"__name__": "piqe_np.asks"}
exec("def ask():\\n    import slow\\n    return slow.whole", ours)
asking = threading.Thread(target=ours["ask"])
asking.start()
begun.now.wait()
if (child := os.fork()) == 0:
    signal.alarm(20)
    os._exit(10 + ours["ask"]())
asking.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
def test_a_fork_waits_for_imports(tmp_path):
    assert programs.run(FORK_AMID_IMPORT, str(tmp_path)) == "11\n"


#: Imported by another thread: it needs a lock that logging's hook has taken, and brings a hook of its own.
SLOW = """
import begun, time
begun.now.set()
time.sleep(0.2)
import logging, os, threading
logging.getLogger("slow")
lock, called = threading.Lock(), []
def before():
    called.append("before")
    lock.acquire()
def after():
    called.append("after")
    lock.release()
os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)
"""
FORK_AMID_HOOKS = """
import os, signal, sys, threading
sys.path.insert(0, sys.argv[1])
import begun, piqe_np
piqe_np.PiqeError  # any name of ours
assert "logging" not in sys.modules
import logging  # so that its hook is called before ours
ours = {"__name__": "piqe_np.asks"}
exec("def ask():\\n    import slow\\n    return slow", ours)
asking, register = threading.Thread(target=ours["ask"]), os.register_at_fork
asking.start()
begun.now.wait()
for _ in range(2):  # the second time the new hook is there
    if (child := os.fork()) == 0:
        signal.alarm(20)
        logging.getLogger("child")
        slow = ours["ask"]()
        os._exit(10 + len(slow.called) + slow.lock.locked())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asking.join()
slow = ours["ask"]()
print(slow.called, slow.lock.locked(), os.register_at_fork is register)
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
def test_hooks_that_come_while_a_fork_waits(tmp_path):
    (tmp_path / "begun.py").write_text("import threading\nnow = threading.Event()")
    (tmp_path / "slow.py").write_text(SLOW)
    *children, last = programs.run(FORK_AMID_HOOKS, str(tmp_path)).splitlines()
    assert children == ["12", "14"]
    assert last == "['before', 'after', 'before', 'after'] False True"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.parametrize("work", ["calls", "files"])
def test_forks_at_a_moment_of_a_first_call(work):
    """Few moments of many; `forks_at_random.py` tries as many as it is told."""
    assert forks_at_random.run(work, [random.uniform(0, 0.3)]) == []
