"""Reading, network and writing of several files overlap; what comes out is what each alone gives."""

import json
import shutil
import threading
import time

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from fsrcnn_np import upscale_file
from fsrcnn_np.cli import main
from fsrcnn_np.files.together import together
from fsrcnn_np.steps_at_once import overlapped


def steps(log, wait=0.0):
    def step(kind):
        def run(job):
            log.append((kind, "begins", job))
            time.sleep(wait)
            log.append((kind, "ends", job))
            return job

        return run

    return [step(kind) for kind in ("read", "work", "write")]


def test_steps_of_different_jobs_meet_and_three_are_in_hand():
    log = []
    with overlapped(range(9), steps(log, 0.01), threading.Event()) as results:
        for number, result in enumerate(results):
            assert result.result() == number
            log.append(("", "given", number))
    for job in range(9):
        assert [kind for kind, what, which in log if which == job and what == "ends"] == ["read", "work", "write"]
        if job >= 3:
            assert log.index(("read", "begins", job)) > log.index(("", "given", job - 3))
    meetings = [log.index(("read", "begins", job + 1)) < log.index(("work", "ends", job)) for job in range(8)]
    meetings += [log.index(("work", "begins", job + 1)) < log.index(("write", "ends", job)) for job in range(8)]
    assert any(meetings)


def test_a_failure_is_its_jobs_alone():
    def work(job):
        if job == 2:
            raise ValueError(job)
        return job

    written = []
    with overlapped(range(5), (int, work, written.append), threading.Event()) as results:
        said = [result.exception() for result in results]
    assert [type(error) for error in said] == [type(None), type(None), ValueError, type(None), type(None)]
    assert written == [0, 1, 3, 4]


def test_the_end_waits_for_what_runs_and_begins_nothing_more():
    log, stopping = [], threading.Event()
    with overlapped(range(50), steps(log, 0.02), stopping) as results:
        next(results).result()
    assert stopping.is_set()
    before = list(log)
    assert sum(what == "begins" for _, what, _ in log) == sum(what == "ends" for _, what, _ in log)
    time.sleep(0.1)
    assert log == before


@pytest.mark.parametrize("jobs", [[0], [0, 1, 2]])
def test_without_threads_one_after_the_other(jobs, monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    log = []
    with overlapped(jobs, steps(log), threading.Event()) as results:
        assert [result.result() for result in results] == jobs
    assert [job for _, _, job in log] == sorted(jobs * 6)


def test_a_setting_stays_while_anybody_needs_it():
    log = []

    class Setting:
        def __enter__(self):
            log.append("enters")

        def __exit__(self, *_):
            log.append("leaves")

    setting = together(Setting)
    first, second = setting(), setting()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert log == ["enters"]
    second.__exit__(None, None, None)
    with setting(), setting():
        pass
    assert log == ["enters", "leaves"] * 2


def test_a_folder_of_all_kinds(tmp_path, capsys):
    """Lines in the order of the inputs, one an input; the same bytes as each alone; records that fit."""
    folder, rng = tmp_path / "in", np.random.default_rng(0)
    folder.mkdir()
    for number in range(4):
        image = rng.integers(0, 4096, (90 + number, 70)).astype(np.uint16)
        iio.imwrite(folder / f"{number}a.png", image)
        tifffile.imwrite(folder / f"{number}b.tif", image, compression=8)
        np.save(folder / f"{number}c.npy", image)
    (folder / "1broken.png").write_bytes((folder / "1a.png").read_bytes()[:200])
    (folder / "2d.png").write_bytes(b"")
    shutil.copy(folder / "0a.png", folder / "3kept.png")
    (tmp_path / "out").mkdir()
    upscale_file(folder / "3kept.png", tmp_path / "out" / "3kept.png")
    capsys.readouterr()
    assert main(["upscale", str(folder), "-o", str(tmp_path / "out"), "--report", str(tmp_path / "report")]) == 1
    said = capsys.readouterr()
    names = sorted(path.name for path in folder.iterdir())
    fine = [name for name in names if name not in ("1broken.png", "2d.png")]
    assert [line.split(": ")[0].rsplit("/", 1)[-1] for line in said.out.splitlines()[:-1]] == fine
    assert [line.split("/")[-1].split(":")[0] for line in said.err.splitlines()] == ["1broken.png", "2d.png"]
    assert said.out.splitlines()[-1].startswith("12 written, 1 kept, 0 skipped, 2 failed")
    records = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert [record["input"].rsplit("/", 1)[-1] for record in records] == names
    for name in fine:
        upscale_file(folder / name, tmp_path / "alone" / name)
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
