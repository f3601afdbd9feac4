"""Calls on eight threads of a Python without the GIL: `python3.13t tests/concurrency/free_threads.py --calls 4000`.

It needs NumPy alone; what else is installed there is used, and what is missing is said. Each kind of call (a function,
an engine, a dtype, a size, a number of threads) must have one hash, whoever makes it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.append(str(Path(__file__).parents[1]))  # models

import fsrcnn_np
import piqe_np
from models import random_weights

DTYPES = (np.uint8, np.uint16, np.float32)
SIZES = ((40, 50), (200, 190))
WEIGHTS = random_weights(np.random.default_rng(0), (6, 4, 2), 2, "replicate", dtype=np.float32)  # no file is read
NEEDED = {"llvm": "llvmlite", "numba": "numba"}


def there(library: str) -> bool:
    return importlib.util.find_spec(library) is not None


def kinds() -> tuple[dict[str, Callable[[], Any]], list[str]]:
    """What is called, by name; and what cannot be, and why."""
    found: dict[str, Callable[[], Any]] = {}
    missing = []
    for engine in ("reference", "llvm", "numba"):
        if engine in NEEDED and not there(NEEDED[engine]):
            missing.append(f'engine "{engine}" ({NEEDED[engine]} is not installed)')
            continue
        for dtype in DTYPES:
            for size in SIZES:
                values = np.random.default_rng(size).integers(0, 256, size, np.uint8)
                pixels = values.astype(dtype) if dtype is not np.float32 else (values / 255).astype(dtype)
                for threads in (1, 3):
                    name = f"{engine} {pixels.dtype} {size} on {threads}"
                    found[f"upscale {name}"] = lambda pixels=pixels, threads=threads, engine=engine: fsrcnn_np.upscale(
                        pixels, weights=WEIGHTS, engine=engine, threads=threads
                    )
                    found[f"piqe {name}"] = lambda pixels=pixels, threads=threads, engine=engine: np.float64(
                        piqe_np.piqe(pixels, engine=engine, threads=threads).score
                    )
                if engine == "reference":
                    found[f"imresize {pixels.dtype} {size}"] = lambda pixels=pixels: fsrcnn_np.imresize(pixels, 2)
    for library in ("h5py", "imagecodecs"):
        if not there(library):
            missing.append(f"files that need {library} (not installed)")
    return found, missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=18)
    given = parser.parse_args()
    names, missing = kinds()
    hashes, begun = defaultdict[str, Counter[str]](Counter), time.monotonic()

    def call(number: int) -> tuple[str, str]:
        name = random.Random(f"{given.seed} {number}").choice(sorted(names))
        return name, hashlib.sha256(np.ascontiguousarray(names[name]()).tobytes()).hexdigest()

    with ThreadPoolExecutor(given.threads) as pool:
        for name, value in pool.map(call, range(given.calls)):
            hashes[name][value] += 1
    several = [name for name, values in hashes.items() if len(values) > 1]
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    version = f"Python {sys.version.split()[0]}, GIL {'on' if gil else 'off'}, NumPy {np.__version__}"
    print(f"{version}: {given.calls} calls of {len(hashes)} kinds on {given.threads} threads, {len(several)} kinds "
          f"with more than one hash, {time.monotonic() - begun:.0f} s")  # fmt: skip
    for name in several:
        print(f"{name}: {dict(hashes[name])}")
    print("left out:", "; ".join(missing) or "nothing")
    return bool(several)


if __name__ == "__main__":
    sys.exit(main())
