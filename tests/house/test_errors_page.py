"""docs/errors.md: every row's command, run, ends with the status and the words that it says."""

import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fsrcnn_np import cli, piqe_cli

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `((?:fsrcnn|piqe)-np [^`]+)` \| (\d) \| ([^|]+) \|", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grey = (np.arange(64 * 64, dtype=np.uint32) * 7919 % 251).astype(np.uint8).reshape(64, 64)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG")
    Path("cut.jpg").write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2] + b"\xff\xd9")
    Path("empty.png").write_bytes(b"")
    Path("text.png").write_text("no picture")
    np.save("grey.npy", grey)
    np.save("objects.npy", np.array([None, 3]), allow_pickle=True)


def test_the_page_has_rows():
    assert len(ROWS) >= 10


@pytest.mark.parametrize(("command", "status", "words"), ROWS)
def test_row(folder, command, status, words, capsys):
    name, *arguments = shlex.split(command)
    try:
        found = (cli if name == "fsrcnn-np" else piqe_cli).main(arguments)
    except SystemExit as ended:
        found = ended.code
    err = capsys.readouterr().err
    assert (found, words.strip() in err) == (int(status), True), err
    assert len(err.splitlines()) == 1
