"""The night that README.md shows is one that the command really has."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import night  # noqa: E402


def test_the_log_has_a_line_of_each_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(night, "PICTURES", 2)
    night.prepare(tmp_path / "evening", shape=(256, 256))
    first = [word if word != "evening" else "evening/breast_0.png" for word in night.COMMAND]
    assert len(night.in_a_pipe(tmp_path, first)) >= 1
    log = night.in_a_pipe(tmp_path)
    shown = list(night.chosen(log))
    assert all(any(kind in line for line in shown) for kind in night.KINDS)
    assert shown[-1] == log[-1]


def test_the_page_shows_this_command_in_ten_lines():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = page.partition("<!-- night -->\n")[2].partition("<!-- /night -->")[0].splitlines()
    assert block[0] == block[-1] == "```"
    lines = block[1:-1]
    assert len(lines) <= 10
    words = " ".join(night.COMMAND)
    assert sum(line.startswith(f"$ fsrcnn-np {words}") for line in lines) == 2
    assert all(any(kind in line for line in lines) for kind in night.KINDS)
    assert any("%|" in line for line in lines)
