"""Standard streams that are closed, full, or that nobody reads."""

import shutil
import subprocess
import sys

import pytest
from faulty import ENVIRONMENT, run

COMMANDS = {
    "piqe": ["piqe_np", "FOLDER"],
    "upscale": ["fsrcnn_np", "upscale", "FOLDER", "-o", "OUT"],
    "compare": ["fsrcnn_np", "compare", "FOLDER", "-o", "OUT"],
    "weights": ["fsrcnn_np", "weights", "list"],
    "provenance": ["fsrcnn_np", "provenance", "PICTURE"],
    "phantom": ["fsrcnn_np", "phantom", "-o", "OUT", "--shape", "256", "256"],
    "study": ["fsrcnn_np", "study", "run", "FOLDER", "-o", "OUT", "--no-report", "--workers", "0"],
    "check": ["fsrcnn_np", "dicom", "check", "PICTURE"],
    "wrong": ["fsrcnn_np", "nosuch"],
}
#: as without any fault: the second picture of the folder is broken, a PNG has no provenance and is no DICOM
STATUS = dict.fromkeys(COMMANDS, 1) | {"weights": 0, "phantom": 0, "check": 2, "wrong": 2}


def words_of(command, picture, out):
    places = {"FOLDER": picture.parent, "PICTURE": picture, "OUT": out}
    return [places.get(word, word) for word in COMMANDS[command]]


@pytest.fixture
def folder(picture):
    picture.with_name("a.png").write_bytes(picture.read_bytes()[:60])
    return picture


@pytest.mark.parametrize("command", COMMANDS)
def test_closed_and_full(command, folder, tmp_path):
    """The work and the status are the same; what cannot be said is lost, but on standard output that is an error."""
    slow = command in ("compare", "phantom", "study")
    for number, streams in enumerate(("2>/dev/full", "<&- >&- 2>&-", ">/dev/full")[: 1 if slow else 3]):
        out = tmp_path / f"out{number}"
        status, _, said = run(*words_of(command, folder, out), shell=f'"$@" {streams}')
        if streams == ">/dev/full" and STATUS[command] != 2:
            assert status == 1
            assert "standard output cannot be written: No space left on device" in said or command == "provenance"
        else:
            assert status == STATUS[command]
            assert command != "upscale" or (out / "picture.png").is_file()  # behind one that fails


def test_no_file_gets_the_number_of_a_closed_stream():
    """Else what a library writes there gets into a file of ours."""
    code = (
        "import os\nfrom piqe_np import start\n"
        "for number in range(3): os.close(number)\n"
        "start.open_streams()\n"
        "os._exit(0 if os.open('/dev/null', os.O_RDONLY) == 3 else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=False).returncode == 0


def test_a_picture_to_a_closed_stream(picture):
    assert run("fsrcnn_np", "upscale", "-", "-o", "-", shell=f'"$@" <{picture} >&-')[::2] == (
        2, "fsrcnn-np: -o - is standard output, and that is closed; redirect it (> FILE), or name a file\n",
    )  # fmt: skip
    assert run("piqe_np", "-", shell='"$@" <&-')[::2] == (
        2, "piqe-np: - is standard input, and that is closed; pipe an image into it, or name a file\n",
    )  # fmt: skip


@pytest.mark.parametrize("command", ["piqe", "weights", "upscale"])
def test_nobody_reads(command, picture, tmp_path):
    for number in range(40 if command == "piqe" else 0):
        shutil.copy(picture, picture.with_name(f"{number}.png"))
    shell = '("$@"; echo $? >"$0") | true'
    status_file = tmp_path / "status"
    status, _, said = run(*words_of(command, picture, tmp_path / "out"), shell=shell.replace('"$0"', str(status_file)))
    assert (status, said) == (0, "")
    assert status_file.read_text() == "141\n"


def test_nobody_reads_what_went_wrong(tmp_path):
    """The status says it all the same."""
    shell = f'("$@" 2>&1; echo $? >{tmp_path}/status) | true'
    assert run("fsrcnn_np", "weights", "show", "nosuch", shell=shell) == (0, "", "")
    assert (tmp_path / "status").read_text() == "2\n"
