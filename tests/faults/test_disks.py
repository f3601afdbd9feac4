"""Outputs that cannot be written: a disk that is full, read-only or fails; what is there is whole, and nothing else."""

import errno
import os
import subprocess
import sys

import pytest
from faulty import ENVIRONMENT, run

from cell import HOW, UNSHARE

COMMANDS = {
    "upscale": ["fsrcnn_np", "upscale", "FOLDER", "-o", "OUT/out"],
    "piqe": ["piqe_np", "FOLDER", "-o", "OUT/scores.csv"],
    "masks": ["piqe_np", "FOLDER", "--masks", "OUT/masks"],
    "report": ["piqe_np", "FOLDER", "--report", "OUT/night.jsonl"],
    "compare": ["fsrcnn_np", "compare", "FOLDER", "-o", "OUT/out"],
    "convert": ["fsrcnn_np", "weights", "convert", "x2-small", "OUT/model.h5"],
    "phantom": ["fsrcnn_np", "phantom", "-o", "OUT/out", "--shape", "256", "256", "--count", "2"],
    "study": ["fsrcnn_np", "study", "run", "FOLDER", "-o", "OUT/out", "--no-report", "--workers", "0"],
}
#: whole, though the command failed: a report to be appended to, a store to go on with
KEPT = {"night.jsonl", "study.sqlite", "study.sqlite-wal", "study.sqlite-shm", "study.lock"}


def words_of(command, folder, out):
    return [word.replace("FOLDER", str(folder)).replace("OUT", str(out)) for word in COMMANDS[command]]


@pytest.fixture
def several(picture):
    """The same picture three times, of which the first to fail is to be the last."""
    for name in ("q.png", "r.png"):
        picture.with_name(name).write_bytes(picture.read_bytes())
    return picture.parent


def complaints(said):
    """Lines but for the summary."""
    return [line for line in said.splitlines() if ": " in line and " kept, " not in line]


@pytest.mark.parametrize(
    ("number", "command"),
    [
        *((errno.ENOSPC, command) for command in COMMANDS if command != "compare"),
        (errno.EIO, "upscale"),
        (errno.EIO, "study"),
    ],
)
def test_a_disk_that_takes_nothing(number, command, several, tmp_path):
    out = tmp_path / "disk"
    out.mkdir()
    status, _, said = run(*words_of(command, several, out), WRITE=f"{number}:0:{out}/")
    assert status in (1, 2)
    assert {path.name for path in out.rglob("*") if path.is_file()} <= KEPT
    lines = complaints(said)
    assert lines
    assert all(os.strerror(number) in line or "disk is full" in line or "disk I/O" in line for line in lines), said
    if number == errno.ENOSPC:
        assert len(lines) == 1, said  # the others would fail alike


@pytest.mark.skipif(HOW != "namespaces", reason="the kernel lets nobody mount here; faults.c has done the same")
@pytest.mark.parametrize("command", ["upscale", "compare", "study"])
@pytest.mark.parametrize("disk", ["full", "read-only"])
def test_a_real_disk(disk, command, several, tmp_path):
    """A small file system in memory, mounted where nobody else sees it."""
    out = tmp_path / "disk"
    out.mkdir()
    script = (
        'out=$1; shift; mount -t tmpfs -o size=8k none "$out" || exit 99\n'
        + ('mount -o remount,ro "$out" || exit 99\n' if disk == "read-only" else "")
        + '"$@"; status=$?; find "$out" -type f; exit $status'
    )
    words = [sys.executable, "-m", *words_of(command, several, out)]
    done = subprocess.run(
        [*UNSHARE, "bash", "-c", script, "bash", str(out), *words],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2), done.stderr
    assert len(complaints(done.stderr)) == 1, done.stderr
    words = ("No space left", "disk is full") if disk == "full" else ("Read-only file system",)
    assert any(word in done.stderr for word in words)
    left = [line for line in done.stdout.splitlines() if line.startswith(str(out))]
    assert {os.path.basename(path) for path in left} <= KEPT


@pytest.mark.skipif(os.name != "posix", reason="Windows gives rights otherwise")
def test_nothing_is_computed_for_a_folder_that_takes_nothing(several, tmp_path, monkeypatch):
    """Known before, said before; what is there already is kept all the same."""
    from fsrcnn_np import upscale_file
    from fsrcnn_np.errors import FileError
    from fsrcnn_np.files import OutputExists, atomic

    source, out = several / "q.png", tmp_path / "out" / "deep" / "q.png"
    upscale_file(source, tmp_path / "there.png")
    monkeypatch.setattr(atomic.os, "access", lambda *_, **__: False)
    monkeypatch.setattr("fsrcnn_np.pipeline.upscale_frame", lambda *_, **__: pytest.fail("it was computed"))
    with pytest.raises(FileError, match=r"cannot be written \(Permission denied\)"):
        upscale_file(source, out)
    with pytest.raises(OutputExists):
        upscale_file(source, tmp_path / "there.png")


def test_a_full_disk_ends_what_is_fetched(tmp_path):
    """After the first object, as every other would fail alike."""
    from contextlib import closing

    import pacs_peers

    (tmp_path / "in").mkdir()
    for number in range(3):
        pacs_peers.save(pacs_peers.mammogram(number, study="1.2.826.99.9"), tmp_path / "in" / f"{number}.dcm")
    with closing(pacs_peers.Orthanc(tmp_path / "orthanc")) as orthanc:
        pacs_peers.run("send", tmp_path / "in", orthanc.peer)
        words = ["dicom", "fetch", orthanc.web, "--study", "1.2.826.99.9", "-o", tmp_path / "out"]
        status, _, said = run("fsrcnn_np", *words, WRITE=f"{errno.ENOSPC}:0:{tmp_path}/out/")
    assert status == 1
    assert len(complaints(said)) == 1, said
    assert said.splitlines()[0].endswith("No space left on device; make space, and run it again; stopped")
    assert not list((tmp_path / "out").iterdir())
