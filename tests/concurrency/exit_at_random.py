"""The interpreter's exit while threads compile or compute: `python tests/concurrency/exit_at_random.py --runs 50`.

Each run is a process whose threads call a package at random places of their work while the main thread ends. It must
exit with status 0, say nothing, and not hang. Cold: the first call, so that the exit falls into imports, reading the
model and compiling, with an empty cache if `--empty`; warm: after one call, into machine code.
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
import sys, threading, time
package, engine, state, daemon, seconds = sys.argv[1:]
import numpy as np
import fsrcnn_np, piqe_np
work = {"upscale": fsrcnn_np.upscale, "piqe": piqe_np.piqe}[package]
side = 40 if engine == "reference" else 300 if package == "upscale" else 520
image = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
if state == "warm":
    work(image, engine=engine)
def again():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        work(image, engine=engine, threads=2)
        if daemon == "waited":
            return
for _ in range(3):
    threading.Thread(target=again, daemon=daemon == "daemon").start()
time.sleep(float(seconds))
"""
#: Seconds; a machine beside much other work may need ten for what takes one.
TIMEOUT = 120
PACKAGES, ENGINES = ("upscale", "piqe"), ("llvm", "numba", "reference")


def run(package: str, engine: str, state: str, daemon: str, seconds: float, *, empty: bool = False) -> str:
    """What went wrong in one process; empty if nothing did."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"NUMBA_CACHE_DIR": cache} if empty else {})
        arguments = [package, engine, state, daemon, str(seconds)]
        try:
            done = subprocess.run(
                [sys.executable, "-c", CODE, *arguments], env=environment, capture_output=True, timeout=TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return "hangs"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return "" if done.returncode == 0 and not said else f"status {done.returncode}: {said[-1] if said else ''}"


def main() -> int:
    """Every package, engine, state and kind of thread, so many times; a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50, help="of each kind (50)")
    parser.add_argument("--only", default="", help="kinds whose line has this text")
    parser.add_argument("--seed", type=int, default=18, help="of the moments (18)")
    parser.add_argument("--empty", action="store_true", help="Numba's cache is empty in each process")
    given = parser.parse_args()
    dice, fallen = random.Random(given.seed), 0
    for package in PACKAGES:
        for engine in ENGINES:
            for state in ("cold", "warm"):
                for daemon in ("daemon", "waited"):
                    kind = f"{package} {engine} {state} {daemon}"
                    if given.only not in kind:
                        continue
                    begun, found = time.monotonic(), dict[str, int]()
                    for _ in range(given.runs):
                        longest = 0.05 if state == "warm" else 4 if given.empty and engine == "numba" else 0.6
                        if wrong := run(package, engine, state, daemon, dice.uniform(0, longest), empty=given.empty):
                            found[wrong] = found.get(wrong, 0) + 1
                    fallen += sum(found.values())
                    said = "; ".join(f"{count}× {wrong}" for wrong, count in found.items()) or "all well"
                    print(f"{kind:34} {given.runs} runs, {time.monotonic() - begun:.0f} s: {said}", flush=True)
    return fallen > 0


if __name__ == "__main__":
    sys.exit(main())
