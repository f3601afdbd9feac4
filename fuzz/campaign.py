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
START = 120.0  #: seconds for a child to load and compile


@dataclass
class Count:
    """What a campaign did: cases, and faults by kind (children keep the inputs)."""

    cases: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)


def campaign(target: str, *, seconds: float, seed: int, found: Path) -> Count:
    """Attack a target; a child that crashes or hangs is followed by another."""
    found.mkdir(parents=True, exist_ok=True)
    count, begin, first = Count(), time.monotonic(), 0
    before = _lines(found)
    with tempfile.NamedTemporaryFile(dir=memory_folder()) as state:
        while (left := seconds - (time.monotonic() - begin)) > 0.5:
            state.truncate(0)
            state.truncate(STATE.size + LARGEST)
            number, fault, data = _child(target, seed, first, left, Path(state.name), found)
            count.cases += max(0, number - first)
            first = number
            if fault is not None:
                keep(found, target, fault, data)
                first += 1
                if number == 0 and fault.kind == "start":
                    break
    count.seconds = time.monotonic() - begin
    count.faults.update(line.split('"fault": "')[1].split(":")[0] for line in _lines(found)[len(before) :])
    return count


def _child(
    target: str, seed: int, first: int, seconds: float, state: Path, found: Path
) -> tuple[int, Fault | None, bytes]:
    """One child's work: how far it came, and what it died of, with the input."""
    command = [sys.executable, "-m", "fuzz.child", target, "--seed", str(seed), "--first", str(first)]
    command += ["--seconds", str(seconds), "--state", str(state), "--found", str(found)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=said, stderr=said, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        fault = _watch(process, state)
        number, _, size, under_way = STATE.unpack(state.read_bytes()[: STATE.size])
        data = state.read_bytes()[STATE.size : STATE.size + size]
        said.seek(0)
        words = said.read().decode("utf-8", "replace")[-2000:]
    if fault is None and process.returncode != 0:
        kind = "crash" if under_way else "start"
        fault = Fault(kind, f"exit status {process.returncode}: {words}", str(process.returncode))
    return (number if number else first), fault, data


def _watch(process: subprocess.Popen[bytes], state: Path) -> Fault | None:
    """Wait for a child's end; kill it where one case has no end."""
    last, since = -1, time.monotonic()
    while True:
        try:
            process.wait(0.2)
            return None
        except subprocess.TimeoutExpired:
            pass
        with state.open("rb") as stream:
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
