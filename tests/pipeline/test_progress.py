"""How far a job has come: a function that is called, or a bar."""

import subprocess
import sys

import numpy as np
import pytest

import fsrcnn_np
from fsrcnn_np.progress import reporting, reports

IMAGE = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)


def jobs(folder):
    fsrcnn_np.imresize(IMAGE, 1)
    np.save(folder / "a.npy", IMAGE)
    large = np.empty((80, 100), np.uint8)
    return {
        "upscale": lambda progress: fsrcnn_np.upscale(IMAGE, progress=progress),
        "colour": lambda progress: fsrcnn_np.upscale(np.dstack([IMAGE] * 3), progress=progress),
        "stream": lambda progress: fsrcnn_np.upscale_stream(IMAGE, large, progress=progress),
        "file": lambda progress: fsrcnn_np.upscale_file(
            folder / "a.npy", folder / "b.npy", overwrite=True, progress=progress
        ),
        "compare": lambda progress: fsrcnn_np.compare(IMAGE, progress=progress),
        "batch": lambda progress: fsrcnn_np.upscale_batch([IMAGE] * 3, progress=progress),
    }


NAMES = ("upscale", "colour", "stream", "file", "compare", "batch")


@pytest.mark.parametrize("name", NAMES)
def test_true_is_a_bar_on_standard_error(name, tmp_path, capsys):
    jobs(tmp_path)[name](True)
    said = capsys.readouterr()
    assert "%|" in said.err
    assert not said.out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nothing", [None, False])
def test_nothing_is_said_unasked(name, nothing, tmp_path, capfd):
    jobs(tmp_path)[name](nothing)
    assert not any(capfd.readouterr())


@pytest.mark.parametrize("name", NAMES)
def test_a_function_hears_the_end(name, tmp_path):
    heard = []
    jobs(tmp_path)[name](lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1] > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", ["yes", 1, 0.5])
def test_other_things_are_refused(name, wrong, tmp_path):
    with pytest.raises(fsrcnn_np.OptionError, match=r"progress is .*True"):
        jobs(tmp_path)[name](wrong)


def test_the_bar_goes_away_when_the_job_fails(capsys):
    def job():
        with reporting(True, "job") as tell:
            tell(1, 2)
            raise KeyError

    with pytest.raises(KeyError):
        job()
    assert capsys.readouterr().err.endswith("\r")


def test_a_decorated_job_takes_the_same(capsys):
    @reports("job", unit="step")
    def job(steps, *, progress=None):
        """What it does."""
        for done in range(steps):
            if callable(progress):
                progress(done + 1, steps)
        return progress

    assert job(2) is None
    assert job(2, progress=False) is None
    assert not capsys.readouterr().err
    job(2, progress=True)
    assert "2/2" in capsys.readouterr().err
    heard = []
    job(2, progress=lambda *numbers: heard.append(numbers))
    assert heard == [(1, 2), (2, 2)]
    assert job.__doc__ == "What it does."
    with pytest.raises(fsrcnn_np.OptionError, match="progress is 'yes'"):
        job(2, progress="yes")


def test_a_bar_is_neither_a_thread_nor_a_process_more():
    """From Python 3.14 on tqdm's lock between processes starts one, which watches over it."""
    code = (
        "import sys, threading, fsrcnn_np.progress as p\n"
        "with p.bar('x', always=True) as tell: tell(1, 2)\n"
        "print(threading.active_count(), 'multiprocessing.synchronize' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]
