"""The floor that both engines share: thread counts and tasks on threads."""

import os
import threading
import time

import numpy as np
import pytest

from piqe_np import OptionError
from piqe_np.compiled import available_cpus, run_tasks, thread_count


@pytest.mark.parametrize("bad", [0, -1, True, False, 1.0, 2.5, "2", 1025, np.nan, [1]])
def test_impossible_threads(bad):
    with pytest.raises(OptionError, match="1 to 1024"):
        thread_count(bad, "PIQE_NP_THREADS")


@pytest.mark.parametrize("bad", ["0", "-1", "two", "1.5", "1025", "²", "9" * 5000])
def test_impossible_threads_in_the_environment(monkeypatch, bad):
    monkeypatch.setenv("SOME_THREADS", bad)
    with pytest.raises(KeyError, match="SOME_THREADS"):
        thread_count(None, "SOME_THREADS", KeyError)


def test_threads_by_argument_environment_and_machine(monkeypatch):
    monkeypatch.setenv("SOME_THREADS", " 3 ")
    assert thread_count(np.int64(5), "SOME_THREADS") == 5
    assert thread_count(None, "SOME_THREADS") == 3
    monkeypatch.setenv("SOME_THREADS", "")
    assert thread_count(None, "SOME_THREADS") == available_cpus() >= 1
    if hasattr(os, "sched_getaffinity"):
        assert available_cpus() <= len(os.sched_getaffinity(0))


def test_a_container_s_quota_is_respected(monkeypatch, tmp_path):
    from piqe_np import compiled

    monkeypatch.setattr(compiled, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 64, raising=False)
    assert available_cpus() == 64
    for text, cpus in (("max 100000", 64), ("150000 100000", 2), ("1000 100000", 1), ("nonsense", 64)):
        (tmp_path / "cpu.max").write_text(text)
        assert available_cpus() == cpus
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    for text, cpus in (("-1\n", 64), ("300000\n", 3)):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(text)
        assert available_cpus() == cpus


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_every_task_runs_once(threads, count):
    done: list[int] = []
    run_tasks(done.append, count, threads)
    assert sorted(done) == list(range(count))


def test_one_thread_runs_in_the_caller():
    seen: list[int] = []
    run_tasks(lambda _: seen.append(threading.get_ident()), 5, 1)
    assert set(seen) == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 4])
def test_the_first_exception_stops_the_rest_and_is_raised(threads):
    done: list[int] = []
    failing = threading.Event()

    def task(number: int) -> None:
        if number == 3:
            failing.set()
            raise ZeroDivisionError("task 3")
        if number > 3:  # on another thread: not before that one fails
            assert failing.wait(60)
        time.sleep(0.001)
        done.append(number)

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="task 3"):
        run_tasks(task, 10_000, threads)
    assert len(done) < 1000
    assert threading.active_count() == before
