"""Workers that die, files that kill them, schedulers that go: what was measured stays, and it is said."""

import json
import os
import signal
import subprocess
import sys

import pytest

from attacks import ENVIRONMENT, killed_again_and_again, memory_over, one_dask_worker_killed, untouched
from cohort_images import rows, small_images, small_model
from fsrcnn_np.errors import FileError, OptionError
from fsrcnn_np.study import dask_workers
from fsrcnn_np.study.measuring import measure
from fsrcnn_np.study.run import run
from fsrcnn_np.study.store import read_study
from fsrcnn_np.study.workers import _Process


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(small_model(tmp_path_factory.mktemp("model") / "model.h5"))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    small_images(folder, 8)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory, cohort, weights):
    return untouched(cohort, tmp_path_factory.mktemp("plain"), weights)


def test_two_processes_give_the_same_store(tmp_path, cohort, weights, plain):
    list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, workers=2))
    assert rows(tmp_path / "r") == plain


def test_killed_at_random_points(tmp_path, cohort, weights):
    found, _ = killed_again_and_again(cohort, tmp_path / "r", weights, kills=3)
    assert found == untouched(cohort, tmp_path / "s", weights, save_sr=True)
    assert sorted(path.name for path in (tmp_path / "r/sr").iterdir()) == [f"{n:03}.png" for n in range(8)]


def deadly(kills, name="003.png"):
    """A `_Process.begin` whose worker dies of one image, so many times; it is stopped before, or it might be done."""
    real, left = _Process.begin, [kills]

    def begin(worker, task):
        dies = task["name"] == name and left[0] > 0
        if dies:
            left[0] -= 1
            worker.process.send_signal(signal.SIGSTOP)
            os.waitpid(worker.process.pid, os.WUNTRACED)
        real(worker, task)
        if dies:
            worker.process.kill()

    return begin


def test_a_killed_worker_costs_nothing(tmp_path, cohort, weights, plain, monkeypatch):
    monkeypatch.setattr(_Process, "begin", deadly(2))
    list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, workers=2))
    assert rows(tmp_path / "r") == plain


def test_a_file_that_kills_is_quarantined_after_three_tries_and_named(tmp_path, cohort, weights, plain, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(_Process, "begin", deadly(3))
        found = list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, workers=2))
    (left,) = [one for one in found if one.state == "left out"]
    assert left.name == "003.png"
    assert left.why.endswith("has killed its worker 3 times (signal 9) and is not tried again; --again does")
    assert len(read_study(tmp_path / "r").cases) == 7
    (left,) = [o for o in run(cohort, tmp_path / "r", weights=weights, data_range=4095) if o.state == "left out"]
    assert left.why.endswith("003.png: has killed its worker 3 times; --again tries it again")
    list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, again=True))
    assert rows(tmp_path / "r") == plain


def test_a_worker_says_nothing_but_reports_and_ends_with_its_input(cohort, weights):
    task = {"name": "a", "path": str(cohort / "none.png"), "weights": weights, "sha256": "no", "engine": "llvm"}
    done = subprocess.run(
        [sys.executable, "-c", "from fsrcnn_np.study.workers import serve; serve()"], env=ENVIRONMENT, check=True,
        input=json.dumps(task) + "\n", capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["state"] == "stop"


@pytest.mark.parametrize("workers", [-1, 1000, True, 1.5])
def test_impossible_numbers_of_workers(tmp_path, cohort, weights, workers):
    with pytest.raises(OptionError, match="workers is"):
        list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, workers=workers))


def test_memory_stays(tmp_path, weights):
    if not sys.platform.startswith("linux"):
        return  # where a process's memory is read from a file
    small_images(tmp_path / "images", 150, side=32)
    found = memory_over(tmp_path / "images", tmp_path / "r", weights, every=50)
    grown = [found[-1][place] - found[0][place] for place in (1, 2)]
    assert max(grown) < 8 << 20, found  # an image kept for each would be more


@pytest.mark.filterwarnings("ignore")  # Dask's own
class TestDask:
    def test_one_of_two_workers_killed(self, tmp_path, cohort, weights, plain):
        found, killed = one_dask_worker_killed(cohort, tmp_path / "r", weights, after=3)
        assert (found, killed) == (plain, 1)

    def test_a_file_that_kills_and_a_scheduler_that_goes(self, tmp_path, cohort, weights, monkeypatch):
        from distributed import LocalCluster

        def deadly(task):
            if task["name"] == "003.png":
                os.kill(os.getpid(), signal.SIGKILL)
            return measure(task)

        monkeypatch.setattr(dask_workers, "measure", deadly)
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            found = list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, dask=cluster.scheduler_address))
            (left,) = [one for one in found if one.state == "left out"]
            assert left.name == "003.png"
            assert "has killed its worker 3 times" in left.why
            assert len(read_study(tmp_path / "r").cases) == 7

            monkeypatch.setattr(dask_workers, "measure", measure)
            monkeypatch.setattr(dask_workers, "PATIENCE", 3)
            going = run(cohort, tmp_path / "s", weights=weights, data_range=4095, dask=cluster.scheduler_address)
            next(going)
            cluster.close()
            with pytest.raises(FileError, match=r"the Dask scheduler at .* has gone.*run again to go on"):
                list(going)
        assert read_study(tmp_path / "s").cases

    def test_no_scheduler(self, tmp_path, cohort, weights, monkeypatch):
        monkeypatch.setattr(dask_workers, "PATIENCE", 0.5)
        with pytest.raises(FileError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
            list(run(cohort, tmp_path / "r", weights=weights, data_range=4095, dask="tcp://127.0.0.1:9"))
