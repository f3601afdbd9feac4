"""matplotlib without a home: nothing printed; without any folder to write to: one line."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORT = """
import os, tempfile
from fsrcnn_np.drawing import import_matplotlib
from fsrcnn_np.errors import FileError
if {nowhere}:
    def mkdtemp(*_, **__):
        raise FileNotFoundError(2, "No usable temporary directory found")
    tempfile.mkdtemp = mkdtemp
try:
    import_matplotlib()
except FileError as error:
    print(error)
"""


def run(nowhere, tmp_path):
    (tmp_path / "file").touch()
    environment = {"HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", IMPORT.format(nowhere=nowhere)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_without_a_home_nothing_is_printed(tmp_path):
    done = run(False, tmp_path)
    assert (done.stdout, done.stderr) == ("", "")


def test_without_any_folder_one_line(tmp_path):
    done = run(True, tmp_path)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert "MPLCONFIGDIR" in done.stdout
