"""docs/container/Dockerfile without Docker: its commands, run in a fresh folder; then what it starts, confined.

What stands for the image's downloads are the libraries of the environment that runs the tests. Not tried here: the
base image, and what pip would fetch for it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from cell import ROOT, Cell

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the image is of Linux")
FILE = ROOT / "docs" / "container" / "Dockerfile"
PLACE = "/opt/fsrcnn-np"  # in the image; in the test a folder of the test


def instructions():
    """Stages of (instruction, words), as Docker reads them: comments out, continued lines joined."""
    text = re.sub(r"\\\n", " ", FILE.read_text())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages = []
    for name, rest in lines:
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest))
    return stages


def variables(stage):
    words = [word for name, rest in stage if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The folder that the image takes from its build stage, made by the build's own commands."""
    folder = tmp_path_factory.mktemp("image")
    folder.chmod(0o755)
    target, source = folder / "fsrcnn-np", folder / "src"
    source.mkdir()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder),
        # the libraries are here already, and nothing is downloaded
        "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PIP_CACHE_DIR": str(folder / "pip"),
    }  # fmt: skip
    for name, rest in instructions()[0]:
        rest = rest.replace(PLACE, str(target))
        if name == "COPY":
            *sources, destination = rest.split()
            for one in sources:
                into = source / destination / (one if destination.endswith("/") else "")
                into.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (ROOT / one).is_dir() else shutil.copy
                copy(ROOT / one, into)
        elif name == "ENV":
            environment |= dict(word.split("=", 1) for word in shlex.split(rest))
        elif name == "RUN":
            if "warm.py" in rest:
                rest += " numba"  # one part: all take half a minute
            done = subprocess.run(["/bin/sh", "-ec", rest], cwd=source, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, (rest, done.stdout, done.stderr)
            if "-m venv" in rest:
                (inside,) = target.glob("lib/python*/site-packages")
                (inside / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
            if "warm.py" in rest:
                assert re.search(r"[1-9]\d* kernels compiled", done.stdout)
    return target


@pytest.fixture
def cell(tmp_path, image):
    cell = Cell(tmp_path, image)
    iio.imwrite(cell.data / "in.png", np.random.default_rng(0).integers(0, 65536, (40, 36)).astype(np.uint16))
    return cell


def environment(image):
    found = {name: value.replace(PLACE, str(image)) for name, value in variables(instructions()[-1]).items()}
    return found | {"PATH": found["PATH"].replace("$PATH", "/usr/bin:/bin"), "PYTHONPATH": ""}


def test_it_has_the_form_that_docker_reads():
    build, final = instructions()
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in [*build, *final]} <= known
    assert build[0][1].endswith(" AS build")
    assert "-slim" in final[0][1]
    assert ("COPY", f"--from=build {PLACE} {PLACE}") in final
    (user,) = (rest for name, rest in final if name == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)  # nobody's number, not root's
    for name, rest in build:
        if name == "COPY":
            assert all((ROOT / one).exists() for one in rest.split()[:-1])
    assert variables(build).items() <= variables(final).items()


def test_its_start(cell, image):
    words = [word for name, rest in instructions()[-1] if name in ("ENTRYPOINT", "CMD") for word in eval(rest)]
    done = cell.run(*words, **environment(image))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"usage: fsrcnn-np")


def test_it_upscales(cell, image):
    done = cell.run("fsrcnn-np", "upscale", "in.png", "-o", "out", **environment(image))
    assert (done.returncode, done.stderr) == (0, b"")
    assert iio.imread(cell.data / "out" / "in.png").shape == (80, 72)


COUNTED = """
import sys
from numba.core import event
from fsrcnn_np.cli import main
with event.install_recorder("numba:compile") as compiled:
    status = main(["upscale", "in.png", "-o", "out", "--engine", "numba"])
print(len(compiled.buffer), file=sys.stderr)
sys.exit(status)
"""


def test_its_kernels_are_used_though_nothing_can_be_written(cell, image):
    kernels = image / "kernels"
    before = sorted(kernels.rglob("*"))
    assert any(path.suffix == ".nbc" for path in before)
    assert all(path.stat().st_mode & 0o044 for path in before)
    for path in image.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))  # an image's layers know whole seconds
    done = cell.run("python", "-c", COUNTED, **environment(image))
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"0\n"  # none was compiled, nothing was said
    assert iio.imread(cell.data / "out" / "in.png").shape == (80, 72)
    assert sorted(kernels.rglob("*")) == before


def test_another_user_s_kernels_are_not(cell, image):
    """A folder that a stranger made: what would be run from it is compiled instead."""
    kernels = cell.data / "kernels"
    shutil.copytree(image / "kernels", kernels)
    for path in (kernels, *kernels.iterdir()):
        path.chmod(0o777)
    done = cell.run("python", "-c", COUNTED, **(environment(image) | {"NUMBA_CACHE_DIR": "/data/kernels"}))
    assert done.returncode == 0, done.stderr
    assert not done.stderr.endswith(b"\n0\n")
    assert int(done.stderr.split()[-1]) > 0
