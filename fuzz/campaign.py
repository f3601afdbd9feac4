"""A campaign of one target: children one after the other, watched from outside, until the time is over."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .child import LARGEST, STATE, keep, memory_folder
from .oracle import HANG, Fault

ROOT = Path(__file__).parents[1]
STILL = 60.0  #: seconds by the clock without a new case: it waits for something
START = 240.0  #: seconds for a child to load and compile
ENDLESS = 10**12  #: cases


@dataclass
class Count:
    """What a campaign did: cases, and faults by kind (children keep the inputs)."""

    cases: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)


def campaign(
    target: str, *, seconds: float, seed: int, found: Path, cases: int = ENDLESS, corpus: Path | None = None
) -> Count:
    """Attack a target; a child that crashes or hangs is followed by another. With a corpus guided by coverage."""
    for folder in (found, corpus):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    count, begin = Count(), time.monotonic()
    before = _lines(found)
    while seconds - (time.monotonic() - begin) > 0.5 and count.cases < cases:
        with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
            child = _Child(target, seed, count.cases, cases - count.cases, Path(folder), found.resolve(), corpus)
            fault = child.work(seconds - (time.monotonic() - begin))
        count.cases = max(count.cases, child.number) + (fault is not None and child.under_way)
        if fault is not None:
            keep(found, target, fault, child.data)
        if not child.number and not count.cases:  # it never comes to a case
            break
    count.seconds = time.monotonic() - begin
    count.faults.update(line.split('"fault": "')[1].split(":")[0] for line in _lines(found)[len(before) :])
    return count


def merge(target: str, corpus: Path) -> int:
    """Make a corpus small: what meets no branch that others do not is left out. Gives how many inputs are left."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        child = _Child(target, 0, 0, 0, Path(folder), Path(folder), corpus)
        child.merge()
    return len(list(corpus.iterdir()))


class _Child:
    """One child: how far it came, what it had in hand, and what it died of."""

    def __init__(
        self, target: str, seed: int, first: int, cases: int, folder: Path, found: Path, corpus: Path | None
    ) -> None:
        self._folder, self._state = folder, folder / "state"
        (folder / "place").mkdir()
        self._state.write_bytes(bytes(STATE.size + LARGEST))
        module = "fuzz.child" if corpus is None else "fuzz.guided_child"
        self._command = [sys.executable, "-m", module, target, "--seed", str(seed), "--first", str(first)]
        self._command += ["--cases", str(cases), "--folder", str(folder), "--found", str(found)]
        self._command += ["--corpus", str(corpus.resolve())] if corpus is not None else []
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.number, self.under_way, self.data = 0, False, b""

    def work(self, seconds: float) -> Fault | None:
        """Until the time is over, all cases are done, or it falls."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*self._command, "--seconds", str(seconds)], cwd=ROOT, stdout=said, stderr=said, env=self._environment
            )
            fault = self._watch(process)
            self.number, _, size, under_way = STATE.unpack(self._state.read_bytes()[: STATE.size])
            self.under_way = bool(under_way)
            self.data = self._state.read_bytes()[STATE.size : STATE.size + size]
            said.seek(0)
            words = said.read().decode("utf-8", "replace")[-2000:]
        if fault is None and process.returncode != 0:
            kind = "crash" if under_way else "start"
            fault = Fault(kind, f"exit status {process.returncode}: {words}", str(process.returncode))
        return fault

    def merge(self) -> None:
        """Run every input of the corpus once, and keep those that are needed."""
        with tempfile.TemporaryFile() as said:
            command = [*self._command, "--seconds", "0", "--merge"]
            subprocess.run(command, cwd=ROOT, stdout=said, stderr=said, env=self._environment, check=True)

    def _watch(self, process: subprocess.Popen[bytes]) -> Fault | None:
        """Wait for a child's end; kill it where one case has no end."""
        last, since = -1, time.monotonic()
        while True:
            try:
                process.wait(0.2)
                return None
            except subprocess.TimeoutExpired:
                pass
            with self._state.open("rb") as stream:
                number, began, _, under_way = STATE.unpack(stream.read(STATE.size))
            if number != last or not under_way:
                if number != last:
                    last, since = number, time.monotonic()
                waited = time.monotonic() - since > (STILL if number else START)
            else:
                spent = _processor_time(process.pid) - began
                waited = spent > 2 * HANG or time.monotonic() - since > STILL
            if waited:
                process.kill()
                process.wait()
                return Fault("hang", f"more than {HANG:.0f} s in one case", "hang")


def _processor_time(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _lines(found: Path) -> list[str]:
    path = found / "found.jsonl"
    return path.read_text().splitlines() if path.exists() else []
