"""Commands that are killed at random and run again: the same bytes as a run that nobody touched, and no stray file.

    python tests/faults/kills.py --kills 200 --seed 1  # which moments it meets depends on the machine
    python tests/faults/kills.py --kills 20 --commands "dicom fetch" "study report"

Half of the signals fall anywhere, half while something is being written. The suite does a few (test_kills.py), and
holds these lists against the parser. More of study run is in tests/study/attacks.py.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "pacs"), str(TESTS / "study"), str(TESTS.parent)]

from cohort_images import rows  # noqa: E402

STUDY, OBJECTS = "1.2.826.99.0", 6
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
#: of a comparison, in its JSON and its text
DURATIONS = re.compile(rb'"seconds": \{[^}]*\}|bicubic [\d.]+ s, SR [\d.]+ s, PIQE [\d.]+ s')
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
#: By the command's name. IN is a folder of pictures, OUT of the results, DATA of other inputs; ARCHIVE and PEER are a
#: running archive's addresses.
COMMANDS = {
    "upscale": ["upscale", "IN", "-o", "OUT", "--weights", "x2-small", "--sidecar"],
    "compare": ["compare", "IN/a.png", "IN/b.tif", "-o", "OUT", "--weights", "x2-small"],
    "piqe-np": ["IN", "-o", "OUT/scores.csv", "--masks", "OUT/masks", "--overwrite"],
    "weights convert": ["weights", "convert", "x2-small", "OUT/model.onnx", "--overwrite"],
    "phantom": ["phantom", "-o", "OUT", "--shape", "256", "256", "--count", "3"],
    "demo": ["demo", "-o", "OUT", "--weights", "x2-small"],
    "measure": ["measure", "-o", "OUT", "--quick", "--weights", "x2-small"],
    "study run": ["study", "run", "IN", "-o", "OUT", "--weights", "x2-small", "--save-sr", "--no-report"],
    "study demo": ["study", "demo", "-o", "OUT", "--cases", "2", "--no-report", "--weights", "x2-small"],
    "study table1": ["study", "table1", "DATA/study", "-o", "OUT/table1.csv"],
    "study table2": ["study", "table2", "DATA/ratings.csv", "-o", "OUT/table2.json"],
    "study table3": ["study", "table3", "DATA/study", "-o", "OUT/table3.txt"],
    "study report": ["study", "report", "OUT"],
    "dicom fetch": ["dicom", "fetch", "ARCHIVE", "--study", STUDY, "-o", "OUT"],
    "dicom send": ["dicom", "send", "DATA/objects", "PEER"],
}
#: What else is killed, and where: servers, by those who talk to them.
SERVERS = {"dicom serve": "tests/pacs/kill_at_random.py", "study read": "tests/reader/kill_at_random.py"}
#: These write nothing, but for the lines of --report, which are flushed one by one, and one statement of SQLite.
READERS = ("provenance", "weights list", "weights show", "dicom check", "dicom queue")


def pictures(folder: Path, side: int) -> Path:
    """One of each of PNG, TIFF, HDF5, DICOM and NPY."""
    import numpy as np

    from fsrcnn_np import files
    from pacs_peers import mammogram, save

    rng = np.random.default_rng(0)
    for name in ("a.png", "b.tif", "c.h5", "d.npy"):
        files.write(folder / name, rng.integers(0, 65536, (side, side), np.uint16))
    save(mammogram(1, shape=(side, side)), folder / "e.dcm")
    return folder


@contextmanager
def places(command: str, place: Path, side: int) -> Iterator[dict[str, str]]:
    """What stands for IN, DATA, ARCHIVE and PEER in a command's words, as far as it has them."""
    words = " ".join(COMMANDS[command])
    data, found = place / "data", {"IN": str(place / "in"), "DATA": str(place / "data")}
    data.mkdir()
    if "IN" in words:
        (place / "in").mkdir()
        pictures(place / "in", side)
    if "DATA/ratings" in words:
        rows = [f"{reader},Artifacts,{case},{(reader + case) % 5 + 1}" for reader in (1, 2) for case in range(20)]
        (data / "ratings.csv").write_text("\n".join(["reader,criterion,case,value", *rows, ""]))
    if "DATA/study" in words or command == "study report":
        study = ["study", "demo", "-o", str(data / "study"), "--cases", "2", "--no-report", "--weights", "x2-small"]
        finished([sys.executable, "-m", "fsrcnn_np", *study])
    if not {"ARCHIVE", "PEER"} & {*COMMANDS[command]}:
        yield found
        return
    from pacs_peers import Orthanc, mammogram, run, save

    (data / "objects").mkdir()
    for number in range(OBJECTS):
        save(mammogram(number, study=STUDY, shape=(side, side)), data / "objects" / f"{number}.dcm")
    with closing(Orthanc(place / "orthanc")) as orthanc:
        if "ARCHIVE" in COMMANDS[command]:
            run("send", data / "objects", orthanc.peer)
        yield found | {"ARCHIVE": orthanc.web, "PEER": orthanc.peer}
        assert sorted(orthanc.instances(STUDY)) == [f"1.2.826.99.{number}.1" for number in range(OBJECTS)]


def words_of(command: str, found: dict[str, str], out: Path) -> list[str]:
    """The command line."""
    names = found | {"OUT": str(out)}
    words = [re.sub(f"^({'|'.join(names)})", lambda name: names[name[0]], word) for word in COMMANDS[command]]
    return [sys.executable, "-m", "piqe_np" if command == "piqe-np" else "fsrcnn_np", *words]


def begun(command: str, found: dict[str, str], out: Path) -> Path:
    """A folder for results, with what the command goes on with."""
    if command == "study report":
        shutil.copytree(Path(found["DATA"], "study"), out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, hidden ones too; of a comparison's tables without the durations, of a store its rows."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    texts = {}
    for name, path in found.items():
        if path.name == "study.sqlite":
            texts[name] = repr(rows(path.parent)).encode()
        elif path.name not in ("study.sqlite-wal", "study.sqlite-shm"):  # of whoever had it open last
            texts[name] = DURATIONS.sub(b"", path.read_bytes())
    return texts


def finished(words: list[str]) -> float:
    """Run it to its end; the seconds that it took."""
    started = time.monotonic()
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def killed(words: list[str], out: Path, rng: random.Random, seconds: float) -> tuple[str, bool]:
    """Begin it and send a signal; gives what was sent and when, and whether it had ended by itself."""
    number, amid = rng.choice(SIGNALS), rng.random() < 0.5
    before = set(contents_names(out))
    process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    if amid:
        while process.poll() is None and set(contents_names(out)) <= before:
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.02))
    else:
        time.sleep(rng.uniform(0, seconds))
    at = time.monotonic() - started
    process.send_signal(number)
    _, said = process.communicate()
    late = process.returncode == 0
    early = number == signal.SIGINT and "files already written are whole" not in said  # Python itself was starting
    assert early or ("Traceback" not in said and process.returncode in (0, -number, 128 + number)), said
    name = signal.Signals(number).name
    return f"{name} after {at:.2f} s{' while writing' if amid else ''}{', ended' if late else ''}", late


def contents_names(folder: Path) -> list[str]:
    """Names of all entries, while somebody may be making and removing them."""
    return [os.path.join(root, name) for root, _, names in os.walk(folder) for name in names]


def attack(command: str, place: Path, *, side: int, kills: int, rng: random.Random) -> list[str]:
    """Undisturbed, then killed so often and run again; gives what was done, and fails where the two differ."""
    with places(command, place, side) as found:
        plain, out = (begun(command, found, place / name) for name in ("plain", "again"))
        seconds = finished(words_of(command, found, plain))
        words = words_of(command, found, out)
        done = []
        for _ in range(kills):
            what, ended = killed(words, out, rng, seconds)
            done.append(what)
            if ended:  # the next one is to meet work again
                compare(out, plain, done)
                shutil.rmtree(out, ignore_errors=True)
                begun(command, found, out)
        finished(words)
    compare(out, plain, done)
    return done


def compare(out: Path, plain: Path, done: list[str]) -> None:
    """Fail where the two folders differ."""
    ours, theirs = contents(out), contents(plain)
    assert ours.keys() == theirs.keys(), done
    differing = [name for name in theirs if ours[name].replace(bytes(out), bytes(plain)) != theirs[name]]
    for name in differing:
        kept = Path(tempfile.mkdtemp())  # to be looked at
        (kept / "again").write_bytes(ours[name])
        (kept / "plain").write_bytes(theirs[name])
        print(f"{name}: not the same; both are in {kept}")
    assert not differing, (differing, done)


def main() -> None:
    """The full form; prints each signal and what was compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=300, help="of the pictures")
    parser.add_argument("--commands", nargs="+", choices=tuple(COMMANDS), default=tuple(COMMANDS))
    options = parser.parse_args()
    rng, left, number = random.Random(options.seed), options.kills, 0
    while left > 0:
        command = options.commands[number % len(options.commands)]
        with tempfile.TemporaryDirectory() as folder:
            done = attack(command, Path(folder), side=options.side, kills=min(left, 5), rng=rng)
        print(f"{command}: {'; '.join(done)}: the same files, byte for byte", flush=True)
        left, number = left - len(done), number + 1
    print(f"{options.kills} signals, seed {options.seed}")


if __name__ == "__main__":
    main()
