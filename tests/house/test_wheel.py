"""The sdist builds the wheel, the same bytes anywhere and at any time, and it works away, with its models inside."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

JOB = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import fsrcnn_np, piqe_np
from fsrcnn_np.convert import shipped
home = pathlib.Path(sys.argv[1]).resolve()
assert pathlib.Path(fsrcnn_np.__file__).resolve().is_relative_to(home), fsrcnn_np.__file__
assert all(path.resolve().is_relative_to(home) for path in shipped().values()), shipped()
image = np.arange(20 * 24, dtype=np.uint16).reshape(20, 24) * 130
result = fsrcnn_np.upscale(image)
assert result.shape == (40, 48) and result.dtype == np.uint16, result
assert 0 <= piqe_np.piqe(result).score <= 100
import scipy.io
scipy.io.savemat("other.mat", {"x": image})
try:
    fsrcnn_np.load_weights("other.mat")
except fsrcnn_np.WeightsError as error:
    (script,) = [word for word in str(error).split() if word.endswith("export_fsrcnn_weights.m")]
    assert pathlib.Path(script).is_file() and pathlib.Path(script).resolve().is_relative_to(home), script
print(*shipped())
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source") / "checkout"  # what git has, not what lies about here
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, source / name)
    else:
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "*cache*", "*.egg-info"))
    return source


def built(source: Path, folder: Path, *what: str, **environment: str) -> tuple[Path, Path]:
    command = [sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def built_once(checkout, tmp_path_factory) -> tuple[Path, Path]:
    """The wheel, made of the sdist as pip does it, and the sdist."""
    return built(checkout, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(built_once) -> Path:
    return built_once[0]


def test_two_builds_are_equal_byte_by_byte(built_once, checkout, tmp_path):
    """Another folder, other times and permissions of the files, another time zone; this wheel straight of the tree."""
    source = tmp_path / "elsewhere" / "another name"
    shutil.copytree(checkout, source)
    for path in source.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(path.stat().st_mode & 0o700)
    again = built(source, tmp_path / "dist", "--sdist", "--wheel", TZ="Asia/Kathmandu", LC_ALL="C")
    assert [path.name for path in again] == [path.name for path in built_once]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built_once]


def test_source_date_epoch_is_the_date_of_every_file(checkout, tmp_path):
    wheel, sdist = built(checkout, tmp_path, "--sdist", "--wheel", SOURCE_DATE_EPOCH="1700000000")
    assert {item.date_time for item in zipfile.ZipFile(wheel).infolist()} == {(2023, 11, 14, 22, 13, 20)}
    with tarfile.open(sdist) as archive:
        assert {item.mtime for item in archive} == {1700000000}


def test_what_is_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "fsrcnn_np/_weights/fsrcnn_x2.h5" in names
    assert "fsrcnn_np/py.typed" in names
    assert "piqe_np/py.typed" in names
    reader = ROOT / "fsrcnn_np" / "reader"  # what a browser gets, and what is asked by default
    for path in (*(reader / "page").iterdir(), reader / "honjo2022.toml"):
        assert path.relative_to(ROOT).as_posix() in names
    assert not [name for name in names if name.startswith(("tests/", "parity/", "benchmarks/")) or name.endswith(".so")]
    carried = {Path(name).suffix for name in names if name.startswith("fsrcnn_np/_weights/")}
    assert carried == {".h5", ".md", ".m"}, "models, their card, and MATLAB's export; nothing of the training"
    assert "fsrcnn_np/_weights/README.md" in names
    assert "fsrcnn_np/_weights/matlab/export_fsrcnn_weights.m" in names
    assert {Path(n).name for n in names if n.endswith(".h5")} == {p.name for p in (ROOT / "weights").glob("*.h5")}


def test_isolated_from_the_checkout(wheel, tmp_path):
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", JOB, str(target)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "x2" in done.stdout.split()


def test_uninstalled_checkout(tmp_path):
    """Without any installation, from another folder: the models beside the packages are found."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += "import fsrcnn_np; print(fsrcnn_np.load_weights('x2').architecture)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "FSRCNN(56,12,4) x2", done.stderr
