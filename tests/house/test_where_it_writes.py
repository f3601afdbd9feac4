"""The commands write in their output, in temporary folders and in the cache, and nowhere else; they call nobody.

Python's own audit events tell: every opening for writing, rename, removal, new folder, socket and program.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

WATCHED = r"""
import atexit, json, os, sys
seen, log = [], os.environ["PLACES_LOG"]
CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
           "os.chown", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile"}
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1] or "", arguments[2] or 0
        if any(letter in mode for letter in "wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            seen.append((event, os.path.abspath(os.fsdecode(arguments[0]))))
    elif event in CHANGES:
        within = any(isinstance(one, int) and one > 2 for one in arguments[1:])  # rmtree, inside a folder seen already
        places = [] if within and event in ("os.remove", "os.rmdir") else arguments[:2]
        places = [one for one in places if isinstance(one, (str, bytes))]
        seen.extend((event, os.path.abspath(os.fsdecode(one))) for one in places)
    elif event in NETWORK or event in ("subprocess.Popen", "os.exec", "os.system", "os.posix_spawn"):
        seen.append((event, ascii(arguments)))

def at_the_end():
    kept = list(seen)
    with open(log, "w") as file:
        json.dump(kept, file)

atexit.register(at_the_end)
sys.addaudithook(hook)
"""

COMMANDS = {
    "upscale": ["fsrcnn_np", "upscale", "in.png", "in.tif", "in.jpg", "-o", "out"],
    "numba": ["fsrcnn_np", "upscale", "in.png", "--engine", "numba", "--weights", "x2-small", "-o", "out/numba"],
    "one file": ["fsrcnn_np", "upscale", "in.png", "-o", "out/a.h5"],
    "a pipe": ["fsrcnn_np", "upscale", "-", "-o", "-"],
    "compare": ["fsrcnn_np", "compare", "in.png", "-o", "out"],
    "phantom": ["fsrcnn_np", "phantom", "-o", "out", "--shape", "256", "256"],
    "convert": ["fsrcnn_np", "weights", "convert", "x2-small", "out/small.npz.h5"],
    "show": ["fsrcnn_np", "weights", "show", "x2"],
    "piqe": ["piqe_np", "in.png", "--masks", "out/masks", "-o", "out/scores.csv", "--report", "out/night.jsonl"],
    "what fails": ["fsrcnn_np", "upscale", "nosuch.png", "in.png", "-o", "out", "--data-range", "3"],
}  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    home = tmp_path_factory.mktemp("places")
    for name in ("work", "home", "tmp", "hook"):
        (home / name).mkdir()
    grey = np.random.default_rng(0).integers(0, 256, (48, 40)).astype(np.uint8)
    for name in ("in.png", "in.tif", "in.jpg"):
        iio.imwrite(home / "work" / name, grey)
    (home / "hook" / "sitecustomize.py").write_text(WATCHED)
    return home


def watched(places, words, stdin=b""):
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(places / "home"), "TMPDIR": str(places / "tmp"), "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join([str(places / "hook"), str(ROOT)]), "PLACES_LOG": str(places / "log.json"),
    }  # fmt: skip
    environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, *words], cwd=places / "work", env=environment, input=stdin, capture_output=True
    )
    return done, json.loads((places / "log.json").read_text())


def elsewhere(places, seen):
    """What was touched outside the output, the temporary folder and the caches."""
    allowed = [places / "work" / "out", places / "tmp", places / "home", places / "log.json", Path(os.devnull)]
    caches = ("__pycache__",)  # Numba's kernels and Python's bytecode, beside the source
    for event, what in seen:
        if event == "subprocess.Popen" and what.startswith(("('uname', ['uname', '-p']", "('fc-list', ")):
            continue  # Python's own platform.processor(), and matplotlib's list of fonts
        path = Path(what)
        inside = any(path == one or one in path.parents for one in allowed) or any(c in path.parts for c in caches)
        if not path.is_absolute() or not inside:
            yield event, what


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_else_is_written_and_nobody_called(places, name):
    words = COMMANDS[name]
    stdin = (places / "work" / "in.png").read_bytes() if "-" in words else b""
    before = {path: path.read_bytes() for path in (places / "work").glob("in.*")}
    done, seen = watched(places, ["-m", *words], stdin)
    assert done.returncode == (1 if name == "what fails" else 0), done.stderr
    assert list(elsewhere(places, seen)) == []
    assert {path: path.read_bytes() for path in (places / "work").glob("in.*")} == before
    assert {path.name for path in (places / "work").iterdir()} <= {"in.png", "in.tif", "in.jpg", "out"}
    if "-o" in words and "-" not in words:
        assert any(event in ("open", "os.rename") for event, _ in seen), "the hook sees what is written"


@pytest.mark.parametrize(
    "line",
    [
        "open('stray', 'w')", "import os; os.mkdir('stray')", "import socket; socket.getaddrinfo('localhost', 80)",
        "import os; os.open('in.png', os.O_RDWR)", "import subprocess, sys; subprocess.run([sys.executable, '-V'])",
    ],
)  # fmt: skip
def test_each_kind_would_be_seen(places, line):
    done, seen = watched(places, ["-c", line])
    assert done.returncode == 0, done.stderr
    assert list(elsewhere(places, seen)) != []
    for stray in (places / "work").glob("stray*"):
        stray.rmdir() if stray.is_dir() else stray.unlink()


def test_importing_writes_and_calls_nothing(places):
    done, seen = watched(
        places, ["-B", "-c", "import fsrcnn_np, piqe_np; [getattr(fsrcnn_np, n) for n in dir(fsrcnn_np)]"]
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [one for one in seen if one[1] != str(places / "log.json")] == []
