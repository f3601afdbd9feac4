"""One campaign's cases, in a process of its own: `python -m fuzz.child TARGET …`; started by `campaign.py`."""

from __future__ import annotations

import argparse
import gc
import json
import mmap
import os
import random
import resource
import struct
import sys
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


def parser() -> argparse.ArgumentParser:
    """What the parent says to a child."""
    told = argparse.ArgumentParser()
    told.add_argument("target")
    told.add_argument("--seed", type=int, required=True)
    told.add_argument("--first", type=int, required=True)
    told.add_argument("--cases", type=int, required=True)
    told.add_argument("--seconds", type=float, required=True)
    told.add_argument("--folder", type=Path, required=True, help="has `state`; cases write in `place`")
    told.add_argument("--found", type=Path, required=True)
    return told


def main() -> None:
    options = parser().parse_args()
    warnings.simplefilter("ignore")  # of ours, as a command says them in a line of its own
    campaign = Campaign(target_named(options.target), options.folder, options.found, options.first)
    campaign.run(options.seed, options.cases, options.seconds)


class Campaign:
    """Cases one after the other; what falls is kept in `found`."""

    def __init__(self, target: Target, folder: Path, found: Path, first: int) -> None:
        self.target, self.number = target, first
        self._place, self._found = folder / "place", found
        self._kept: dict[str, int] = {}
        with (folder / "state").open("r+b") as stream:
            self._state = mmap.mmap(stream.fileno(), STATE.size + LARGEST)

    def seeds(self) -> list[bytes]:
        """The seeds, tried unjudged, so that what is needed is loaded and compiled; and the last net of memory."""
        seeds = list(self.target.seeds())
        for data in seeds:
            judge(self.target, data, self._place)
        resource.setrlimit(resource.RLIMIT_AS, (_size() + MOST_MEMORY, resource.RLIM_INFINITY))
        gc.collect()
        gc.freeze()  # modules are not looked through again
        forget_peak()
        return seeds

    def run(self, seed: int, cases: int, seconds: float) -> None:
        """Changed seeds, until there were so many or the time ends."""
        with watched():
            seeds = self.seeds()
            end, last = time.monotonic() + seconds, self.number + cases
            while time.monotonic() < end and self.number < last:
                self.one(case(self.target, seeds, seed, self.number))

    def one(self, data: bytes) -> None:
        """One case."""
        self._tell(data, 1)
        fault = judge(self.target, data, self._place)
        self.number += 1
        self._tell(b"", 0)
        if fault is not None:
            self._keep(fault, data)

    def _tell(self, data: bytes, under_way: int) -> None:
        size = min(len(data), LARGEST)
        self._state[STATE.size : STATE.size + size] = data[:size]
        self._state[: STATE.size] = STATE.pack(self.number, time.process_time(), size, under_way)

    def _keep(self, fault: Fault, data: bytes) -> None:
        key = f"{fault.kind} {fault.where}"
        self._kept[key] = self._kept.get(key, 0) + 1
        if self._kept[key] <= SAME:
            keep(self._found, self.target.name, fault, data)


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
