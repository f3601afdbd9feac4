"""What reaches a terminal: no control character of a name, a tag, a text or a library's message; no colours."""

import json
import os
import re
import subprocess
import sys
import threading

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
EVIL = "\x1b]0;title\x07\x1b[31m\r\x08\x7f\x9b2J\u202e"
#: what the line discipline and tqdm write
ALLOWED = re.compile("\r|\n|\t|\x1b\\[A")


def on_a_terminal(*words, **environment):
    """Status and everything that a terminal gets from a command, both streams."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # without a size there are no bars
    variables = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=variables
    )
    os.close(theirs)
    got = bytearray()

    def read():
        try:
            while piece := os.read(ours, 65536):
                got.extend(piece)
        except OSError:  # Linux: the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process.wait()
    reader.join()
    os.close(ours)
    return process.returncode, got.decode()


def controls(text):
    return sorted({c for c in ALLOWED.sub("", text) if not c.isprintable()})


@pytest.fixture
def evil(tmp_path):
    """Names, tags and texts of files that would command a terminal."""
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    iio.imwrite(tmp_path / f"good{EVIL}.png", image)
    iio.imwrite(tmp_path / "a.png", image)
    (tmp_path / f"broken{EVIL}.png").write_bytes((tmp_path / "a.png").read_bytes()[:50])
    tifffile.imwrite(tmp_path / f"text{EVIL}.tif", image, description="\x1b[31m red \x07", metadata=None)
    tifffile.imwrite(
        tmp_path / "odd.tif", np.stack([image] * 4, 2), photometric="separated", description="\x1b[31m\x07"
    )
    (tmp_path / f"model{EVIL}.h5").write_bytes(b"\x1b[31m\x07 no model")
    (tmp_path / f"table{EVIL}.csv").write_text(f"path\n{EVIL.replace(chr(13), '')}.png\n")
    return tmp_path


def dicom(path):
    """An object that is refused with a message that quotes one of its texts."""
    from pydicom.dataset import FileDataset, FileMetaDataset

    data = FileDataset(str(path), {}, preamble=b"\0" * 128, file_meta=FileMetaDataset())
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.3"
    data.Rows = data.Columns = 8
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 7, 0, 1
    data.PhotometricInterpretation = "EVIL 12345"
    data.PixelData = bytes(64)
    data.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(b"EVIL 12345", b"EVIL\x1b[31m\x07"))


def test_names_tags_and_messages(evil):
    dicom(evil / f"d{EVIL}.dcm")
    every = sorted(map(str, evil.iterdir()))
    model = next(one for one in every if "model" in one)
    table = next(one for one in every if "table" in one)
    bars = 0
    for words in (
        ["fsrcnn_np", "upscale", *every, "-o", str(evil / f"out{EVIL}")],
        ["piqe_np", *every, "--masks", str(evil / f"masks{EVIL}")],
        ["piqe_np", "--json", *every],
        ["piqe_np", "--csv", *every],
        ["fsrcnn_np", "weights", "show", model],
        ["fsrcnn_np", "upscale", every[0], "-o", "out", "--weights", model],
        ["fsrcnn_np", "study", "run", table, "-o", str(evil / f"study{EVIL}"), "--no-report", "--workers", "0"],
        ["fsrcnn_np", "upscale", f"--{EVIL.replace(chr(0), '')}"],
        ["fsrcnn_np", EVIL],
        ["fsrcnn_np", "dicom", "check", next(one for one in every if one.endswith(".dcm")), EVIL],
    ):
        status, shown = on_a_terminal(*words)
        assert status in (0, 1, 2)
        assert shown
        bars += "tile/s" in shown or "image/s" in shown or "s/image" in shown
        assert "Traceback" not in shown
        assert controls(shown) == [], (words[:3], shown)
    assert bars >= 2


@pytest.mark.parametrize("words", [["fsrcnn_np", "--help"], ["piqe_np", "--help"], ["fsrcnn_np", "study", "run", "-h"]])
def test_help_has_no_colours(words):
    status, shown = on_a_terminal(*words)
    assert status == 0
    assert controls(shown) == []


def test_data_in_a_pipe_is_what_it_is(evil):
    """Only a terminal's text is changed: JSON holds the name itself."""
    (name,) = (str(path) for path in evil.iterdir() if path.name.startswith("good"))
    done = subprocess.run([sys.executable, "-m", "piqe_np", "--json", name], capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[0])["input"] == name


def test_lines_in_a_log_are_printable_too(evil, capsys):
    """What is in a log gets to a terminal later."""
    from fsrcnn_np.cli import main
    from fsrcnn_np.piqe_cli import main as piqe_main

    dicom(evil / f"d{EVIL}.dcm")
    every = sorted(map(str, evil.iterdir()))
    assert main(["upscale", *every, "-o", str(evil / f"out{EVIL}")]) == 1
    assert piqe_main(every) == 1
    assert main(["weights", "convert", "x2-small", str(evil / f"model{EVIL}.h5")]) == 1
    said = capsys.readouterr()
    assert said.out
    assert len(said.err.splitlines()) > 4
    assert controls(said.out + said.err) == []
