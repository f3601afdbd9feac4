"""Other places and times: rights of new files, a working directory that is gone, a decimal comma, clocks that jump.

Without home, /tmp, a user's name and a network: tests/container.
"""

import ast
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from faulty import ENVIRONMENT, ROOT, run


@pytest.mark.parametrize(("mask", "files", "folders"), [("077", 0o600, 0o700), ("002", 0o664, 0o775)])
def test_outputs_have_the_rights_that_the_user_gives(mask, files, folders, picture, tmp_path):
    np.save(picture.with_suffix(".npy"), np.zeros((20, 20), np.uint8))
    out = tmp_path / "out"
    umask = f'umask {mask}; "$@"'
    assert (
        run("fsrcnn_np", "upscale", picture.parent, "-o", out, "--sidecar", "--report", out / "r", shell=umask)[0] == 0
    )
    assert run("piqe_np", picture, "-o", out / "scores.csv", "--masks", out / "masks", shell=umask)[0] == 0
    assert run("fsrcnn_np", "weights", "convert", "x2-small", out / "model.h5", shell=umask)[0] == 0
    found = list(out.rglob("*"))
    assert len(found) == 11
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {files}
    assert {path.stat().st_mode & 0o777 for path in (out, *found) if path.is_dir()} == {folders}


def test_the_working_directory_is_gone(picture, tmp_path):
    gone = f'mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && "$@"'
    assert run("piqe_np", picture, shell=gone)[::2] == (0, "")
    status, _, said = run("fsrcnn_np", "upscale", picture, "-o", "out", shell=gone)
    assert status == 1
    assert said.startswith(f"fsrcnn-np: {picture}: out/picture.png: cannot be written (No such file or directory)")
    status, _, said = run("fsrcnn_np", "compare", "picture.png", "-o", tmp_path / "out", shell=gone)
    assert (status, said) == (1, "fsrcnn-np: the working directory is gone; go to one that is there\n")


COMMA = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")
assert locale.localeconv()["decimal_point"] == ","
from fsrcnn_np.cli import main
from fsrcnn_np.piqe_cli import main as piqe
source, out = sys.argv[1:]
assert piqe([source, "--csv", "-o", f"{out}/scores.csv"]) == 0
for suffix in ("png", "tif", "h5", "dcm"):
    assert main(["upscale", source, "-o", f"{out}/out.{suffix}", "--overwrite"]) == 0
assert main(["weights", "convert", "x2-small", f"{out}/model.mat"]) == 0
"""


def test_a_decimal_comma(tmp_path):
    """A program around ours may have set one: the same bytes come out."""
    from pacs_peers import mammogram, save

    source = save(mammogram(1, shape=(40, 50)), tmp_path / "a.dcm")
    places = tmp_path / "locales"
    places.mkdir()
    made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(places / "de_DE.UTF-8")]
    if not shutil.which("localedef") or subprocess.run(made, capture_output=True, check=False).returncode > 1:
        pytest.fail("no German locale can be made here: apt-get install locales")
    comma = {"LOCPATH": str(places), "LC_ALL": "de_DE.UTF-8"}
    script = [COMMA, COMMA.replace('"")', '"C")').replace('== ","', '== "."')]
    for name, code, more in zip(("comma", "point"), script, (comma, {}), strict=True):
        (tmp_path / name).mkdir()
        words = [sys.executable, "-c", code, str(source), str(tmp_path / name)]
        done = subprocess.run(words, env=ENVIRONMENT | more, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "comma").iterdir())
    assert len(names) == 6
    for name in names:
        ours, theirs = ((tmp_path / place / name).read_bytes() for place in ("comma", "point"))
        assert ours == theirs, name


@pytest.mark.parametrize("step", [-3600, 31536000])
def test_clocks_that_jump(step, picture, tmp_path):
    """With each look at the clock an hour back, or a year on: the work and its durations are the same."""
    report = tmp_path / "night.jsonl"
    words = ["fsrcnn_np", "upscale", picture, "-o", tmp_path / "out", "--report", report]
    status, out, said = run(*words, CLOCK=step)
    assert (status, said) == (0, "")
    assert 0 <= json.loads(report.read_text())["seconds"] < 60
    assert 0 <= float(out.rsplit(", ", 1)[1].removesuffix(" s\n")) < 60
    assert run(*words, shell='TZ=Europe/Berlin "$@"', CLOCK=step)[0] == 0
    assert not list((tmp_path / "out").glob(".*"))


#: Who asks what time it is; nobody measures a duration by it. Times that outlive the process, or meet those of files.
CLOCKS = {
    "files/unfinished.py": "the age of a file",
    "pacs/commitment.py": "when to ask again, kept in the ledger",
    "pacs/keeping.py": "days since an object was committed",
    "pacs/ledger.py": "when an object was committed",
    "pacs/metrics.py": "when the service began",
    "pacs/service.py": "when to send again, kept in the ledger",
    "pacs/status.py": "how long until then",
    "reader/log.py": "when a click was received",
    "reader/people.py": "when a link expires",
}


def test_durations_come_from_a_clock_that_does_not_jump():
    found = set()
    for path in [*(ROOT / "fsrcnn_np").rglob("*.py"), *(ROOT / "piqe_np").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = f"{node.value.id}.{node.attr}"
                if name in ("time.time", "time.time_ns", "datetime.now", "datetime.today", "datetime.utcnow"):
                    found.add(path.relative_to(ROOT / path.relative_to(ROOT).parts[0]).as_posix())
    assert found == set(CLOCKS)
