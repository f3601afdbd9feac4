"""Commands that are killed at random and run again: the same bytes as a run that nobody touched, and no stray file.

    python tests/faults/kills.py --kills 50 --seed 1  # which moments it meets depends on the machine

Half of the signals fall anywhere, half while something is being written. The suite does a few (test_kills.py); study
run has its own in tests/study/attacks.py, the DICOM service in tests/pacs/kill_at_random.py.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "pacs"), str(Path(__file__).parents[2])]

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
#: of a comparison, in its JSON and its text
DURATIONS = re.compile(rb'"seconds": \{[^}]*\}|bicubic [\d.]+ s, SR [\d.]+ s, PIQE [\d.]+ s')
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMMANDS = {
    "upscale": ["fsrcnn_np", "upscale", "IN", "-o", "OUT", "--weights", "x2-small", "--sidecar"],
    "compare": ["fsrcnn_np", "compare", "IN/a.png", "IN/b.tif", "-o", "OUT", "--weights", "x2-small"],
    "piqe": ["piqe_np", "IN", "-o", "OUT/scores.csv", "--masks", "OUT/masks", "--overwrite"],
    "convert": ["fsrcnn_np", "weights", "convert", "x2-small", "OUT/model.onnx", "--overwrite"],
    "phantom": ["fsrcnn_np", "phantom", "-o", "OUT", "--shape", "256", "256", "--count", "3"],
}


def pictures(folder: Path, side: int) -> Path:
    """One of each of PNG, TIFF, HDF5, DICOM and NPY."""
    import numpy as np

    from fsrcnn_np import files
    from pacs_peers import mammogram, save

    image = np.random.default_rng(0).integers(0, 65536, (side, side), np.uint16)
    for name in ("a.png", "b.tif", "c.h5", "d.npy"):
        files.write(folder / name, image)
    save(mammogram(1, shape=(side, side)), folder / "e.dcm")
    return folder


def words_of(command: str, source: Path, out: Path) -> list[str]:
    """The command line."""
    words = [re.sub("^IN", str(source), re.sub("^OUT", str(out), word)) for word in COMMANDS[command]]
    return [sys.executable, "-m", *words]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, hidden ones too; of a comparison's tables without the durations."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: DURATIONS.sub(b"", path.read_bytes()) for name, path in found.items()}


def finished(words: list[str]) -> float:
    """Run it to its end; the seconds that it took."""
    started = time.monotonic()
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def killed(words: list[str], out: Path, rng: random.Random, seconds: float) -> str:
    """Begin it and send a signal; gives what was sent and when, or that it had ended."""
    number, amid = rng.choice(SIGNALS), rng.random() < 0.5
    before = set(contents_names(out))
    process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    if amid:
        while process.poll() is None and set(contents_names(out)) <= before:
            pass
        time.sleep(rng.uniform(0, 0.02))
    else:
        time.sleep(rng.uniform(0, seconds))
    at = time.monotonic() - started
    process.send_signal(number)
    _, said = process.communicate()
    late = process.returncode == 0
    early = number == signal.SIGINT and "files already written are whole" not in said  # Python itself was starting
    assert "Traceback" not in said or early, said
    return (
        f"{signal.Signals(number).name} after {at:.2f} s{' while writing' if amid else ''}{', ended' if late else ''}"
    )


def contents_names(folder: Path) -> list[str]:
    """Names of all entries, while somebody may be making and removing them."""
    return [os.path.join(root, name) for root, _, names in os.walk(folder) for name in names]


def attack(command: str, source: Path, place: Path, *, kills: int, rng: random.Random) -> list[str]:
    """Undisturbed, then killed so often and run again; gives what was done, and fails where the two differ."""
    plain, out = place / f"{command}-plain", place / f"{command}-killed"
    seconds = finished(words_of(command, source, plain))
    words = words_of(command, source, out)
    done = [killed(words, out, rng, seconds) for _ in range(kills)]
    finished(words)
    assert contents(out).keys() == contents(plain).keys(), done
    ours, theirs = contents(out), contents(plain)
    differing = [name for name in theirs if ours[name].replace(bytes(out), bytes(plain)) != theirs[name]]
    assert not differing, (differing, done)
    return done


def main() -> None:
    """The full form; prints each signal and what was compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=300)
    parser.add_argument("--commands", nargs="+", choices=tuple(COMMANDS), default=tuple(COMMANDS))
    options = parser.parse_args()
    rng, left, number = random.Random(options.seed), options.kills, 0
    while left > 0:
        command = options.commands[number % len(options.commands)]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in").mkdir()
            source = pictures(Path(folder) / "in", options.side)
            done = attack(command, source, Path(folder), kills=min(left, 5), rng=rng)
        print(f"{command}: {'; '.join(done)}: the same files, byte for byte", flush=True)
        left, number = left - len(done), number + 1
    print(f"{options.kills} signals, seed {options.seed}")


if __name__ == "__main__":
    main()
