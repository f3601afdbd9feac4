"""One campaign's cases, in a process of its own: `python -m fuzz.child TARGET …`; started by `campaign.py`."""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
from pathlib import Path

from .oracle import Fault, forget_peak, judge, watched
from .target import Target
from .targets import target_named

#: What the child tells beside its end: cases done, processor time when the case began, bytes of the case, whether it
#: is under way; then the case itself, so that it survives a crash.
STATE, LARGEST = struct.Struct("<QdIB"), 1 << 20
#: A net below all limits: what asks for more has MemoryError, which is a fault.
MOST_MEMORY = 6 << 30
SAME = 2  #: inputs that are kept of one fault


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--found", type=Path, required=True)
    options = parser.parse_args()
    target = target_named(options.target)
    with tempfile.TemporaryDirectory(dir=memory_folder()) as place:
        warnings.simplefilter("ignore")  # of ours, as a command says them in a line of its own
        Campaign(target, Path(place), options.state, options.found).run(options.seed, options.first, options.seconds)


class Campaign:
    """Cases one after the other; what falls is kept in `found`."""

    def __init__(self, target: Target, place: Path, state: Path, found: Path) -> None:
        self._target, self._place, self._found = target, place, found
        self._kept: dict[str, int] = {}
        with state.open("r+b") as stream:
            self._state = mmap.mmap(stream.fileno(), STATE.size + LARGEST)

    def run(self, seed: int, first: int, seconds: float) -> None:
        """The seeds themselves, unjudged (they load and compile what is needed), then changed ones until the time ends."""
        seeds = list(self._target.seeds())
        with watched():
            for data in seeds:
                judge(self._target, data, self._place)
            resource.setrlimit(resource.RLIMIT_AS, (_size() + MOST_MEMORY, resource.RLIM_INFINITY))
            forget_peak()
            number, end = first, time.monotonic() + seconds
            while time.monotonic() < end:
                self.one(case(self._target, seeds, seed, number), number)
                number += 1
            self._tell(number, b"", 0)

    def one(self, data: bytes, number: int) -> None:
        """One case."""
        self._tell(number, data, 1)
        fault = judge(self._target, data, self._place)
        self._state[STATE.size - 1] = 0
        if fault is not None:
            self._keep(fault, data)

    def _tell(self, number: int, data: bytes, under_way: int) -> None:
        size = min(len(data), LARGEST)
        self._state[STATE.size : STATE.size + size] = data[:size]
        self._state[: STATE.size] = STATE.pack(number, time.process_time(), size, under_way)

    def _keep(self, fault: Fault, data: bytes) -> None:
        key = f"{fault.kind} {fault.where}"
        self._kept[key] = self._kept.get(key, 0) + 1
        if self._kept[key] <= SAME:
            keep(self._found, self._target.name, fault, data)


def case(target: Target, seeds: list[bytes], seed: int, number: int) -> bytes:
    """The case of this number: it depends on nothing else."""
    rng = random.Random(f"{target.name} {seed} {number}")
    return target.change(rng, rng.choice(seeds), seeds)[:LARGEST]


def keep(found: Path, target: str, fault: Fault, data: bytes) -> Path:
    """An input that fell, and beside it what was seen."""
    import hashlib

    path = found / f"{target}-{fault.kind}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    with (found / "found.jsonl").open("a") as stream:
        stream.write(json.dumps({"input": path.name, "fault": str(fault)}) + "\n")
    return path


def memory_folder() -> str | None:
    """Where files cost no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _size() -> int:
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
