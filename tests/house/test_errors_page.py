"""docs/errors.md: every row's command, run, ends with the status and the very line that it says; nothing is missing."""

import contextlib
import importlib
import inspect
import pkgutil
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import fsrcnn_np
import piqe_np
from fsrcnn_np import cli, piqe_cli
from fsrcnn_np.command_parser import every
from fsrcnn_np.errors import FsrcnnError
from piqe_np.errors import PiqeError

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
FILES = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
ROWS = re.findall(
    r"^\| `((?:fsrcnn|piqe)-np[^`]*)`(?: without `(\w+)`)? \| (\d) \| `([^`]+)` \| [^|]+ \|$", PAGE, re.MULTILINE
)
CLASSES = re.findall(r"^\| `(\w+)`(?: \(([^)]+)\))? \| ([^|]*) \| (\d)(?:, of a command 0)? \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of the examples, as the page makes them."""
    folder, names = tmp_path_factory.mktemp("examples"), {}
    with contextlib.chdir(folder):
        exec(FILES, names)
    yield folder, names["PORT"]
    names["archive"].shutdown()
    names["archive"].server_close()


@pytest.fixture
def port(made, tmp_path, monkeypatch):
    """The archive's; each row is run in a folder of its own."""
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return str(made[1])


def test_every_row_is_one():
    """A row that the pattern above does not take would not be run."""
    assert len(ROWS) == len(re.findall(r"^\| `(?:fsrcnn|piqe)-np", PAGE, re.MULTILINE))


@pytest.mark.parametrize(("command", "without", "status", "line"), ROWS)
def test_row(port, command, without, status, line, capsys, monkeypatch):
    if without:
        for name in [name for name in sys.modules if name.split(".")[0] == without]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, without, None)
    name, *arguments = shlex.split(command.replace("PORT", port))
    try:
        found = (cli if name == "fsrcnn-np" else piqe_cli).main(arguments)
    except SystemExit as ended:
        found = ended.code
    out, err = (text.splitlines() for text in capsys.readouterr())
    said = out if status == "0" else err[-1:]
    pattern = ".*".join(map(re.escape, line.split("…")))
    assert (found, any(re.fullmatch(pattern, one) for one in said)) == (int(status), True), (out, err)
    figures = ["fsrcnn-np: tables without figures: figures need matplotlib: pip install 'fsrcnn-np[plot]'"]
    assert err[:-1] == (figures if without == "matplotlib" else []) or err[0].startswith("usage: ")


def test_every_command_has_a_row():
    commands = {one.prog for parser in (cli.command_parser(), piqe_cli.command_parser()) for one in every(parser)}
    assert {name for name in commands if not any(f"{row[0]} ".startswith(f"{name} ") for row in ROWS)} == set()
    assert {"fsrcnn-np dicom queue", "piqe-np"} <= commands


def own_classes():
    """Every exception of ours that can reach a caller, of all modules."""
    for package in (fsrcnn_np, piqe_np):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", ".torch.module")):
                importlib.import_module(module.name)
    found, more = set(), [FsrcnnError, PiqeError]
    while more:
        found |= set(more)
        more = [one for kind in more for one in kind.__subclasses__()]
    return [kind for kind in found if not kind.__name__.startswith("_") and kind not in (FsrcnnError, PiqeError)]


def test_every_class_is_on_the_page():
    ours = own_classes()
    assert {kind.__name__ for kind in ours} == {row[0] for row in CLASSES}
    for kind in ours:
        where, also, status = next(row[1:] for row in CLASSES if row[0] == kind.__name__)
        assert kind.exit_status == int(status), kind
        assert set(re.findall(r"`(\w+)`", also)) <= {base.__name__ for base in inspect.getmro(kind)}, kind
        homes = {"": ["fsrcnn_np.errors"], "both packages": ["fsrcnn_np.errors", "piqe_np.errors"]}
        places = [importlib.import_module(home) for home in homes.get(where, [where.strip("`")])]
        assert kind in [getattr(place, kind.__name__) for place in places]
