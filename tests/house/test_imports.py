"""Imports run one way through the house, and the packages themselves import quickly and quietly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UPPER = ("convert", "study", "pipeline")
#: floor → what it must not import
FORBIDDEN = {
    "piqe_np": ["fsrcnn_np"],
    "fsrcnn_np/network": [f"fsrcnn_np.{name}" for name in (*UPPER, "files", "engine")],
    "fsrcnn_np/engine": [f"fsrcnn_np.{name}" for name in (*UPPER, "files")],
    "fsrcnn_np/images": [f"fsrcnn_np.{name}" for name in (*UPPER, "files", "network", "engine")],
    "fsrcnn_np/files": [f"fsrcnn_np.{name}" for name in (*UPPER, "network", "engine")],
    "fsrcnn_np/phantom": [f"fsrcnn_np.{name}" for name in (*UPPER, "network", "engine")],
    "fsrcnn_np": ["fsrcnn_np.cli", "fsrcnn_np.piqe_cli"],
}
#: phantom/measure enlarges what it measures, in one place
ENTRY_POINTS = {"fsrcnn_np/__main__.py", "piqe_np/__main__.py", "fsrcnn_np/phantom/measure/enlarged.py"}


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


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_one_way(floor):
    broken = []
    for path in sorted((ROOT / floor).rglob("*.py")):
        here = path.relative_to(ROOT).as_posix()
        if here in ENTRY_POINTS:
            continue
        for name in imported(path):
            for forbidden in FORBIDDEN[floor]:
                crosses = name == forbidden or name.startswith(forbidden + ".")
                if crosses:
                    broken.append(f"{here} imports {name}")
    assert not broken


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
