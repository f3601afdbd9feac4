"""Forks while threads make their first call or write files: `python tests/concurrency/forks_at_random.py --forks 30`.

Each run is a process whose threads import, read a model, compile, compute and write while the main thread forks at
random moments. The child must make its own call, with the bits of the parent, and end; so must the parent.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import os, signal, sys, threading, time
work, folder, engine, *moments = sys.argv[1:]
import numpy as np
import fsrcnn_np, piqe_np
image = np.random.default_rng(0).integers(0, 256, (200, 190), np.uint8)
def call():
    return fsrcnn_np.upscale(image, engine=engine, weights="x2-small", threads=2).tobytes(), piqe_np.piqe(image).score
def writes(name):
    np.save(f"{name}.npy", image)
    for suffix in ("png", "h5", "tif", "npy"):
        out = f"{name}-large.{suffix}"
        fsrcnn_np.upscale_file(f"{name}.npy", out, weights="x2-small", threads=2, overwrite=True)
        fsrcnn_np.read(out)
def again(number):
    end = time.monotonic() + max(map(float, moments)) + 0.1
    while time.monotonic() < end:
        writes(f"{folder}/{os.getpid()}-{number}") if work == "files" else call()
threads = [threading.Thread(target=again, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
begun, children = time.monotonic(), []
for moment in sorted(map(float, moments)):
    time.sleep(max(0, begun + moment - time.monotonic()))
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(40)  # it hangs
        try:
            if work == "files":
                writes(f"{folder}/{os.getpid()}")
            os.write(writing, repr(call()).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        os._exit(0)
    os.close(writing)
    children.append((child, reading))
found = []
for child, reading in children:
    with open(reading, "rb") as stream:
        found.append(stream.read())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("hangs" if status == -signal.SIGALRM else f"status {status}" if status else "ended")
for thread in threads:
    thread.join()
expected = repr(call()).encode()
print("\\n".join(f"said {one[:200]!r}" for one in found if one not in (b"", expected)))
"""
#: Seconds for a process; a machine beside much other work may need twenty for what takes one.
TIMEOUT = 180


def run(work: str, moments: list[float], engine: str = "llvm", *, empty: bool = False) -> list[str]:
    """What went wrong in one process that forks at these moments after its threads began; empty if nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": f"{folder}/cache"} if empty else {}
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", CODE, work, folder, engine]
        try:
            done = subprocess.run(
                [*command, *map(str, moments)], env=os.environ | {"PYTHONPATH": str(ROOT)} | cache,
                capture_output=True, text=True, timeout=TIMEOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return ["the parent hangs"]
    said = [line for line in done.stdout.splitlines() if line and line != "ended"]
    said += done.stderr.splitlines()[-1:]
    return said + [f"the parent ends with {done.returncode}"] * (done.returncode != 0)


def main() -> int:
    """Every kind of work, so many forks; a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=30, help="of each kind, five to a process (30)")
    parser.add_argument("--seed", type=int, default=18, help="of the moments (18)")
    parser.add_argument("--kinds", nargs="+", default=["first", "empty", "files", "numba"], help="default: all")
    given = parser.parse_args()
    dice, fallen = random.Random(given.seed), 0
    for kind in given.kinds:
        begun, found, forks = time.monotonic(), list[str](), 0
        while forks < given.forks:
            count = min(5, given.forks - forks)
            longest = 2.0 if kind == "files" else 0.5 if kind == "first" else 1.5
            moments = [dice.uniform(0, longest) for _ in range(count)]
            engine = "numba" if kind == "numba" else "llvm"
            found += run("files" if kind == "files" else "calls", moments, engine, empty=kind == "empty")
            forks += count
        fallen += len(found)
        print(f"{kind:6} {forks} forks, {time.monotonic() - begun:.0f} s: {'; '.join(found) or 'all well'}", flush=True)
    return fallen > 0


if __name__ == "__main__":
    sys.exit(main())
