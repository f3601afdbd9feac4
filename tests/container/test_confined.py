"""The commands as a container runs them: root read-only, no home, a user without a name, no /tmp, no network."""

import sys

import imageio.v3 as iio
import numpy as np
import pytest

from cell import HOW, UID, Cell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' containers are of another kind")


@pytest.fixture
def cell(tmp_path):
    cell = Cell(tmp_path)
    iio.imwrite(cell.data / "in.png", np.random.default_rng(0).integers(0, 65536, (40, 36)).astype(np.uint16))
    return cell


def files(cell):
    return sorted(path.relative_to(cell.data).as_posix() for path in cell.data.rglob("*") if path.is_file())


def kernels_alone(errors):
    """Nothing was said, but that kernels have no folder, where a fresh checkout has none compiled yet."""
    lines = errors.decode().splitlines()
    return all("NUMBA_CACHE_DIR" in line for line in lines) and len(lines) <= 1


def test_it_is_what_it_says(cell):
    script = (
        "import os, pwd, socket\n"
        "for path in ('/x', '/tmp/x'):\n"
        "    try: open(path, 'w'); print('written', path)\n"
        "    except OSError: pass\n"
        "try: pwd.getpwuid(os.geteuid()); print('has a name')\n"
        "except KeyError: pass\n"
        "try: socket.create_connection(('1.1.1.1', 53), 2); print('network')\n"
        "except OSError: pass\n"
        "print(os.geteuid(), os.environ.get('HOME'))\n"
    )
    done = cell.python("-c", script)
    assert done.returncode == 0, done.stderr
    if HOW == "namespaces":
        import os

        assert done.stdout.decode() == f"{UID if os.geteuid() == 0 else 0} None\n"


@pytest.mark.parametrize("at", ["data", "/"])
def test_score(cell, at):
    done = cell.python("-m", "piqe_np", "/data/in.png", at=at)
    assert done.returncode == 0, done.stderr
    assert kernels_alone(done.stderr)
    assert files(cell) == ["in.png"]  # no folder called ~, no kernels in the working folder


@pytest.mark.parametrize("at", ["data", "/"])
def test_upscale(cell, at):
    done = cell.python("-m", "fsrcnn_np", "upscale", "/data/in.png", "-o", "/data/out", at=at)
    assert (done.returncode, done.stderr) == (0, b"")
    assert files(cell) == ["in.png", "out/in.png"]


def test_through_a_pipe(cell):
    data = (cell.data / "in.png").read_bytes()
    done = cell.python("-m", "fsrcnn_np", "upscale", "-", "-o", "-", stdin=data)
    assert done.returncode == 0, done.stderr
    assert iio.imread(done.stdout, extension=".png").shape == (80, 72)
    assert files(cell) == ["in.png"]
    nowhere = cell.python("-m", "fsrcnn_np", "upscale", "-", "-o", "-", stdin=data, at="/")
    if nowhere.returncode:  # not even shared memory
        assert nowhere.returncode == 2
        assert len(nowhere.stderr.splitlines()) == 1
        assert b"TMPDIR" in nowhere.stderr


def test_figures(cell):
    done = cell.python("-m", "fsrcnn_np", "compare", "in.png", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert kernels_alone(done.stderr)
    assert files(cell) == [
        "in.png", "out/comparison.csv", "out/comparison.json", "out/comparison.txt", "out/in_comparison.png",
    ]  # fmt: skip


def test_no_place_for_figures_is_one_line(cell):
    done = cell.python("-m", "fsrcnn_np", "compare", "/data/in.png", "-o", "/data/out", at="/")
    if done.returncode:
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert b"MPLCONFIGDIR" in done.stderr
        done = cell.python(
            "-m", "fsrcnn_np", "compare", "/data/in.png", "-o", "/data/out", at="/", MPLCONFIGDIR="/data/mpl"
        )
        assert done.returncode == 0, done.stderr
