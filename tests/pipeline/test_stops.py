"""How a command ends before its end: signals, a closed pipe, kill -9, a full disk."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import errors
from fsrcnn_np.cli import main
from fsrcnn_np.files import atomic, unfinished

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def begun(*words):
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of which more lines are written than a small pipe holds."""
    folder = tmp_path_factory.mktemp("many")
    image = np.random.default_rng(1).integers(0, 65536, (600, 500), np.uint16)
    iio.imwrite(folder / "0.png", image)
    for number in range(1, 60):
        shutil.copy(folder / "0.png", folder / f"{number}{'_' * 200}.png")
    return folder


class Held:
    """A command that cannot come to its end before its lines are read: its pipe holds few of them."""

    def __init__(self, *words, **options):
        ours, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(words, stdout=theirs, stderr=theirs, env=ENVIRONMENT, **options)
        os.close(theirs)
        self._stream = open(ours, "rb", buffering=0)  # noqa: SIM115 - closed by rest

    def until(self, moment):
        """Read so far, not a byte further than needed."""
        got = b""
        while moment.encode() not in got:
            piece = self._stream.read(64)
            assert piece, got.decode()
            got += piece

    def rest(self):
        """What it says to its end."""
        with self._stream:
            said = self._stream.read().decode()
        self.process.wait(timeout=30)
        return said.splitlines()


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("command", ["fsrcnn_np", "piqe_np"])
@pytest.mark.parametrize("moment", ["argparse\n", "0.png: "])
def test_during_imports_and_work(moment, command, number, many, tmp_path):
    """From the moment at which Python itself is up: no traceback, no half file, and at once."""
    how = ["upscale", str(many), "-o"] if command == "fsrcnn_np" else [str(many), "--masks"]
    held = Held(sys.executable, "-X", "importtime", "-m", command, *how, str(tmp_path / "out"))
    held.until(moment)
    held.process.send_signal(number)
    lines = held.rest()
    assert not [line for line in lines if "Traceback" in line]
    assert lines[-1].endswith("; files already written are whole")
    assert held.process.returncode == STATUS[number]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("number", STATUS)
def test_as_process_1(number, many, tmp_path):
    """No default action ends process 1 of a PID namespace: a container's command must hear signals itself."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rpf", "true"], capture_output=True).returncode:
        pytest.fail("unshare (util-linux) makes no PID namespace here; the test needs it")
    for moment, words in enumerate((["-X", "importtime"], [])):
        words = [sys.executable, "-c", PROCESS_1, *words, "-m", "fsrcnn_np", "upscale", str(many), "-o"]
        held = Held("unshare", "-rpf", "--kill-child", *words, str(tmp_path / str(moment)))
        held.until(("argparse\n", "0.png: ")[moment])
        (child,) = Path(f"/proc/{held.process.pid}/task/{held.process.pid}/children").read_text().split()
        os.kill(int(child), number)
        said = held.rest()
        assert held.process.returncode == STATUS[number], said
        assert not [line for line in said if "Traceback" in line]


PROCESS_1 = """
import os, sys
assert os.getpid() == 1
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

BUSY = """
import sys, time
from piqe_np import console, stopping
def body():
    open(sys.argv[1], "w").close()
    stopping.leftovers.add(sys.argv[1])
    print("begun", flush=True)
    while True:
        try:
            time.sleep(60)
        except BaseException:  # as if the signal found the main thread in machine code
            pass
sys.exit(console.command("it", body, ()))
"""


@pytest.mark.parametrize("number", STATUS)
def test_what_does_not_end_by_itself(number, tmp_path):
    """A thread ends the process within two seconds, and takes away what is half written."""
    half = tmp_path / "half"
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(half)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == STATUS[number], said
    assert len(said.splitlines()) == 1
    assert not half.exists()


SUM = """
import argparse, sys, time
from fsrcnn_np.run_log import RunLog
from piqe_np import console
def body():
    log = RunLog(argparse.Namespace(quiet=False, json="json" in sys.argv, report=None))
    with log.summing_up():
        for name in "ab":
            log.end(name, "written", lines=[name])
        while True:  # as if the signal found the main thread in machine code
            try:
                print("busy", flush=True)
                time.sleep(60)
            except BaseException:
                pass
sys.exit(console.command("it", body, ()))
"""


@pytest.mark.parametrize("form", ["lines", "json"])
def test_the_sum_of_a_run_that_does_not_end_by_itself(form):
    """It is said once, before the process ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUM, form], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    while process.stdout.readline() != "busy\n":
        pass
    process.send_signal(signal.SIGTERM)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, len(said.splitlines())) == (143, 1)
    (line,) = [line for line in out.splitlines() if line != "busy"]
    assert '"summary": {"written": 2,' in line if form == "json" else line.startswith("2 written, 0 kept,")


def test_head(many, tmp_path):
    """The reader of the output goes: quiet, and with the status that the shell gives to SIGPIPE."""
    for words in (["piqe_np", str(many)], ["fsrcnn_np", "upscale", "--help"]):
        process = begun(*words)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 141, words
        assert said == ""
        process.stderr.close()


def stale(folder, near=True, age=0.0):
    machine = unfinished._machine() if near else "0123abcd"
    path = folder / f".a.png.{machine}-0011aabb.part"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def swept(folder, monkeypatch):
    monkeypatch.setattr(unfinished, "_swept", set())
    atomic.write_bytes(folder / "new.bin", b"whole", overwrite=True)


def test_what_the_dead_left_is_swept(tmp_path, monkeypatch):
    others = [tmp_path / name for name in (".a.png.part", ".a.png.0011aabb.part", "b.part", ".hidden")]
    for path in others:
        path.write_bytes(b"theirs")
    folder = tmp_path / f".a.{unfinished._machine()}-0011aabb.part"
    folder.mkdir()
    left = stale(tmp_path)
    swept(tmp_path, monkeypatch)
    assert sorted(tmp_path.iterdir()) == sorted([*others, folder, tmp_path / "new.bin"])
    assert not left.exists()


def test_what_the_living_write_is_not(tmp_path, monkeypatch):
    """A lock tells, whatever the process's number is in its own namespace."""
    path = stale(tmp_path)
    with open(path, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        swept(tmp_path, monkeypatch)
        assert path.exists()
    swept(tmp_path, monkeypatch)
    assert not path.exists()


def test_another_machines_after_a_day(tmp_path, monkeypatch):
    path = stale(tmp_path, near=False, age=3600)
    swept(tmp_path, monkeypatch)
    assert path.exists()
    path = stale(tmp_path, near=False, age=90000)
    swept(tmp_path, monkeypatch)
    assert not path.exists()


def test_killed_while_it_writes(tmp_path):
    """kill -9 leaves the file; the next run takes it away."""
    code = (
        "import sys, time, pathlib; from fsrcnn_np.files.atomic import write_bytes\n"
        "def slowly(stream):\n    stream.write(b'half'); stream.flush(); print('writing', flush=True); time.sleep(60)\n"
        "write_bytes(pathlib.Path(sys.argv[1]), slowly, overwrite=False)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert process.stdout.readline() == "writing\n"
    image = tmp_path / "in.png"
    iio.imwrite(image, np.zeros((20, 20), np.uint8))

    def again(name):
        done = begun("fsrcnn_np", "upscale", str(image), "-o", str(tmp_path / name))
        done.communicate(timeout=60)
        assert done.returncode == 0
        return list(tmp_path.glob(".*.part"))

    assert len(again("b.png")) == 1  # it lives
    process.kill()
    process.communicate()
    assert again("c.png") == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line(number, tmp_path, monkeypatch, capsys):
    for name in "abc":
        iio.imwrite(tmp_path / f"{name}.png", np.zeros((20, 20), np.uint8))

    def full(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", full)
    assert main(["upscale", *(str(tmp_path / f"{n}.png") for n in "abc"), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert os.strerror(number) in said[0]
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(errors.DiskFullError):
        atomic.write_bytes(tmp_path / "d", b"", overwrite=False)
