"""The manual pages hold every command and option, in macros that man knows; completion completes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsrcnn_np import cli, piqe_cli
from fsrcnn_np.command_completion import script
from fsrcnn_np.command_parser import every
from fsrcnn_np.errors import OptionError

ROOT = Path(__file__).parents[2]
PARSERS = {"fsrcnn-np": cli.command_parser, "piqe-np": piqe_cli.command_parser}


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    command = [sys.executable, str(ROOT / "docs" / "manual.py"), "-o", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", PARSERS)
def test_every_option_is_in_the_page(name, manual):
    text = (manual / f"{name}.1").read_text(encoding="utf-8")
    plain = text.replace("\\-", "-")
    for parser in every(PARSERS[name]()):
        assert f'.SH "{parser.prog.upper()}"' in plain or parser.prog == name
        for action in parser._actions:
            assert all(option in plain for option in action.option_strings)
    assert "%(" not in text
    macros = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert macros <= {".TH", ".SH", ".TP", ".PP", ".nf", ".fi"}
    assert not re.search(r"(?<!^)(?<!\\)\\(?![-e(&fBR])", text)
    if groff := shutil.which("groff"):
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-K", "utf8", "-ww", manual / f"{name}.1"], capture_output=True, check=True
        )
        assert done.stderr == b""
        assert len(done.stdout.splitlines()) > 40


COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(( $# - 2 ))
COMPREPLY=()
"$(complete -p "$2" | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" "$2" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' bash is another system's")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["fsrcnn-np", "up"], {"upscale"}),
        (["fsrcnn-np", "study", "ta"], {"table1", "table2", "table3"}),
        (["fsrcnn-np", "upscale", "--over"], {"--overwrite"}),
        (["fsrcnn-np", "upscale", "--engine", "l"], {"llvm"}),
        (["fsrcnn-np", "upscale", "pic"], {"picture.png", "pictures"}),
        (["fsrcnn-np", "upscale", "-o", "pic"], {"picture.png", "pictures"}),
        (["fsrcnn-np", "compare", "-o", "pic"], {"pictures"}),
        (["piqe-np", "--js"], {"--json"}),
        (["piqe-np", "--masks", "pic"], {"pictures"}),
    ],
)
def test_bash_completes(words, offered, tmp_path):
    file = tmp_path / "completion"
    file.write_text(script(PARSERS[words[0]](), "bash"))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "picture.png").touch()
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", str(file), *words], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert {word.strip().rstrip("/") for word in done.stdout.splitlines()} == offered


@pytest.mark.parametrize("shell", ["zsh", "tcsh", "fish"])
def test_other_shells_get_every_command(shell):
    text = script(PARSERS["fsrcnn-np"](), shell)
    assert "transfer-syntax" in text
    assert all(name in text for name in ("upscale", "compare", "table1"))


def test_a_shell_that_is_not_known():
    with pytest.raises(OptionError, match="allowed are bash"):
        script(PARSERS["piqe-np"](), "cmd")


def test_without_shtab_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert piqe_cli.main(["--print-completion", "bash"]) == 2
    assert "fsrcnn-np[completion]" in capsys.readouterr().err
    assert cli.main(["--print-completion", "bash"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
