"""Names that are no text, and settings of other programs that the user's shell hands on: never "please report it"."""

import json
import os
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import piqe_cli
from fsrcnn_np.cli import main

NAME = os.fsdecode(b"b\xff.png")
FAST = ["--weights", "x2-small", "--engine", "reference"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (NAME, "c$x$.png"):
        with open(name, "wb") as file:
            file.write(iio.imwrite("<bytes>", np.arange(1024, dtype=np.uint8).reshape(32, 32), extension=".png"))
    return tmp_path


def test_compare_names_that_are_no_utf8(here, capsys):
    """The figure, and each of its tables, could not be written; the rest of the batch was not done."""
    assert main(["compare", NAME, "c$x$.png", "-o", "out", *FAST]) == 0
    assert "2 compared" in capsys.readouterr().out
    assert os.path.isfile(os.path.join("out", os.fsdecode(b"b\xff_comparison.png")))
    written = json.loads((here / "out/comparison.json").read_text(encoding="utf-8"))
    assert [one["input"] for one in written["comparisons"]] == [r"b\xff.png", "c$x$.png"]
    before = (here / "out/comparison.json").read_bytes()
    assert main(["compare", NAME, "c$x$.png", "-o", "out", *FAST]) == 0
    assert "2 kept" in capsys.readouterr().out
    assert (here / "out/comparison.json").read_bytes() == before


def test_scores_of_names_that_are_no_utf8(here):
    for table in ("scores.csv", "scores.json"):
        assert piqe_cli.main([NAME, "-o", table]) == 0
        assert piqe_cli.main([NAME, "-o", table]) == 0  # and the same again is kept
        assert r"b\xff.png" in (here / table).read_text(encoding="utf-8").replace("\\\\", "\\")


def test_tables_that_are_kept_take_another_form(here, capsys):
    assert main(["compare", "c$x$.png", "-o", "out", *FAST]) == 0
    assert len((here / "out/comparison.csv").read_text().splitlines()) == 7
    assert main(["compare", "c$x$.png", "-o", "out", "--wide", *FAST]) == 0
    assert "exists and was kept" in capsys.readouterr().out
    assert len((here / "out/comparison.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "variables", "status", "said"),
    [
        (["fsrcnn_np", "compare", "c$x$.png", "-o", "out", *FAST], {"MPLBACKEND": "nosuch"}, 0, "mend MPLBACKEND"),
        (
            ["fsrcnn_np", "upscale", "c$x$.png", "-o", "out", "--engine", "numba"],
            {"NUMBA_DISABLE_JIT": "1"},
            2,
            "forbids",
        ),
    ],
)
def test_settings_of_other_programs(here, words, variables, status, said):
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "unexpected" not in done.stderr


def test_a_link_that_leads_nowhere_is_no_free_place(here, capsys):
    os.symlink("nowhere/a.png", "link.png")
    assert main(["upscale", "c$x$.png", "-o", "link.png", *FAST]) == 1
    assert "link.png: is a link that leads nowhere; --overwrite" in capsys.readouterr().err
    assert main(["upscale", "c$x$.png", "-o", "link.png", "--overwrite", *FAST]) == 0
    assert os.path.isfile("link.png")
    assert not os.path.islink("link.png")
