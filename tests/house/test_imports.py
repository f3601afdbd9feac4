"""Imports run one way through the house, and the packages themselves import quickly and quietly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: doors to the outside: nothing but the command imports them
DOORS = ("pacs", "reader")
UPPER = ("convert", "phantom", "study", "pipeline", "stream", "batch", "dask_array", *DOORS)
#: floor → the rooms of fsrcnn_np that it must not import; a file lies on the deepest floor that holds it
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "piqe_np": ("",),
    "fsrcnn_np/images": (*UPPER, "files", "network", "engine"),
    "fsrcnn_np/files": (*UPPER, "network", "engine"),
    "fsrcnn_np/network": (*UPPER, "files", "engine"),
    "fsrcnn_np/engine": (*UPPER, "files"),
    "fsrcnn_np/convert": ("phantom", "study", "pipeline", "stream", "batch", "dask_array", *DOORS),
    "fsrcnn_np/phantom": ("convert", "study", "pipeline", "stream", "batch", "dask_array", "network", "engine", *DOORS),
    "fsrcnn_np/phantom/measure": ("study", *DOORS),  # it enlarges what phantom draws
    "fsrcnn_np/study": DOORS,
    "fsrcnn_np/pacs": ("reader",),
    "fsrcnn_np/reader": ("pacs",),
    "fsrcnn_np": DOORS,
}
#: what starts a command imports it
STARTS = {"fsrcnn_np/__main__.py", "piqe_np/__main__.py"}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function, by absolute name."""
    package = list(path.relative_to(ROOT).with_suffix("").parts)[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def files_on(floor: str) -> list[Path]:
    """The floor's own files, without those of a floor above it that has a line of its own."""
    deeper = [ROOT / other for other in FORBIDDEN if other.startswith(floor + "/")]
    found = sorted((ROOT / floor).rglob("*.py"))
    return [path for path in found if not any(path.is_relative_to(other) for other in deeper)]


def is_command(path: Path) -> bool:
    """fsrcnn_np/cli.py, fsrcnn_np/piqe_cli.py, a room's cli.py, study/cli_tables.py …"""
    return path.stem in {"cli", "piqe_cli"} or path.stem.startswith("cli_")


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_one_way(floor):
    broken = []
    for path in files_on(floor):
        here = path.relative_to(ROOT).as_posix()
        if here in STARTS or here == "fsrcnn_np/cli.py":
            continue
        for room in FORBIDDEN[floor]:
            forbidden = f"fsrcnn_np.{room}".rstrip(".")
            names = [name for name in imported(path) if name == forbidden or name.startswith(forbidden + ".")]
            broken += [f"{here} imports {name}" for name in names]
    assert not broken


def test_only_commands_import_commands():
    commands = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "fsrcnn_np").rglob("*.py")
        if is_command(path)
    }
    assert {"fsrcnn_np.cli", "fsrcnn_np.piqe_cli", "fsrcnn_np.study.cli", "fsrcnn_np.study.cli_tables"} <= set(commands)
    broken = []
    for package in ("fsrcnn_np", "piqe_np"):
        for path in sorted((ROOT / package).rglob("*.py")):
            here = path.relative_to(ROOT).as_posix()
            if here not in STARTS and not is_command(path):
                broken += [f"{here} imports {name}" for name in imported(path) & set(commands)]
    assert not broken


def test_no_two_files_of_tests_have_one_name():
    """pytest imports them by name alone: two of one name, and nothing of the suite is collected."""
    names = [path.name for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("package", ["fsrcnn_np", "piqe_np"])
def test_import_is_light(package):
    """Importing a package loads nothing but NumPy at most: no numba, scipy, h5py, imageio, torch, sockets."""
    code = f"import sys, {package}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"numba", "llvmlite", "scipy", "h5py", "imageio", "PIL", "tifffile", "torch", "pydicom", "matplotlib"}
    assert not loaded & heavy
    assert package in loaded


def test_every_public_name_is_there():
    import fsrcnn_np

    for name in fsrcnn_np.__all__:
        assert getattr(fsrcnn_np, name) is not None
    assert dir(fsrcnn_np) == sorted(fsrcnn_np.__all__)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = [line for line in readme.splitlines() if line.startswith("| `")]
    functions = [name for name in fsrcnn_np.__all__ if name.islower() and name != "__version__"]
    assert [name for name in functions if not any(f"`fsrcnn_np.{name}(" in line for line in table)] == []
    with pytest.raises(AttributeError):
        fsrcnn_np.no_such_name  # noqa: B018
