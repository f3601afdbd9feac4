"""A night's run in ten lines, as README.md shows it: really run, on phantoms, in a folder that goes away.

`python docs/night.py` prints them; `--page README.md` writes them between the page's markers `night` (extra `dicom`).
First the command runs at a terminal, and Ctrl-C stops it; then it runs again into a pipe and goes on from there.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
COMMAND = ("upscale", "evening", "-o", "morning", "--data-range", "4095")
PICTURES, STOP_AFTER = 8, 3  # how many are done before Ctrl-C
SHAPE = (1664, 1280)
SHOWN = 110  # columns


def prepare(folder: Path, shape: tuple[int, int] = SHAPE) -> None:
    """Phantoms of 12 bits, one copied by half, and a DICOM that is no image."""
    from pydicom.dataset import FileDataset, FileMetaDataset

    import fsrcnn_np.files as files
    from fsrcnn_np.phantom import phantom

    folder.mkdir()
    for seed in range(PICTURES):
        files.write(folder / f"breast_{seed}.png", phantom(seed, shape=shape).pixels)
    whole = (folder / "breast_0.png").read_bytes()
    (folder / "copied_by_half.png").write_bytes(whole[: len(whole) // 2])
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"  # Basic Text SR
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    report = FileDataset("", {}, preamble=bytes(128), file_meta=meta)
    report.SOPClassUID, report.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    report.Modality = "SR"
    report.save_as(folder / "report.dcm", enforce_file_format=True)


def at_a_terminal(folder: Path) -> list[str]:
    """What a terminal shows when Ctrl-C comes after some pictures: a bar in the middle of one, and the last line."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "fsrcnn_np", *COMMAND], cwd=folder, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        stopped = False  # once: a second Ctrl-C would end it in the middle of a line
        try:
            while piece := os.read(ours, 65536):
                shown.extend(piece)
                if not stopped and len(list((folder / "morning").glob("*.png"))) >= STOP_AFTER and b"%|" in piece:
                    stopped = True
                    process.send_signal(signal.SIGINT)
        except OSError:  # Linux: the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process.wait()
    reader.join()
    os.close(ours)
    pieces = [piece.strip() for piece in re.split(r"[\r\n]+|\x1b\[A", shown.decode()) if piece.strip()]
    bars = [piece for piece in pieces if re.search(r"\d%\|", piece)]
    middle = min(bars, key=lambda bar: abs(int(re.findall(r"(\d+)%\|", bar)[-1]) - 60))
    return [middle, pieces[-1]]


def in_a_pipe(folder: Path, command: Sequence[str] = COMMAND) -> list[str]:
    """The lines of the log."""
    done = subprocess.run(
        [sys.executable, "-m", "fsrcnn_np", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout.splitlines()


KINDS = ("kept", "range 0..4095", "copied_by_half", "report.dcm")


def chosen(log: list[str]) -> Iterator[str]:
    """Of a log one line of each kind, in its order, and how it ends; `…` where pictures are left out."""
    first = [next(number for number, line in enumerate(log) if kind in line) for kind in KINDS]
    for number in sorted({*first, len(log) - 1}):
        yield log[number]
        if number == first[1]:
            yield "…"


def lines() -> list[str]:
    """Both runs as a reader of the page sees them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder / "evening")
        terminal = at_a_terminal(folder)
        log = in_a_pipe(folder)
    words = f"$ fsrcnn-np {' '.join(COMMAND)}"
    text = [words, *terminal, f"{words} >night.log 2>&1; cat night.log", *chosen(log)]
    return [line if len(line) <= SHOWN else line[: SHOWN - 1] + "…" for line in text]


def main() -> int:
    """Run, and print or write the block."""
    from parity.pages import renewed

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="write the lines into this page")
    page = parser.parse_args().page
    if find_spec("pydicom") is None:
        parser.exit(2, f"{parser.prog}: the run needs pydicom: pip install 'fsrcnn-np[dicom]'\n")
    block = "```\n" + "\n".join(lines()) + "\n```\n"
    print(block, end="")
    if page is not None:
        page.write_text(renewed(page.read_text(encoding="utf-8"), {"night": block}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
