"""Where the memory of a process goes: `python -m benchmarks.resident`, MiB after each step of a first full-size result.

What is mapped of files (libraries, which processes share) can be taken back by the system at any time, but counts as
resident. Two fresh processes of each dtype, of which the second finds the machine code that the first kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SHAPE = (3328, 4096)
NAMES = {"VmRSS": "resident", "RssAnon": "own", "RssFile": "of files", "VmHWM": "peak"}  # Linux


def resident() -> dict[str, float]:
    """MiB of this process now, as Linux tells."""
    lines = (line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    found = {name: value for name, value in lines if name in NAMES}
    return {NAMES[name]: int(value.split()[0]) / 1024 for name, value in found.items()}


def steps(dtype: np.dtype) -> dict[str, dict[str, float]]:
    """What this process has after each step."""
    found = {"Python, NumPy": resident()}
    size = SHAPE[0] * SHAPE[1]
    image = np.resize(np.arange(4096, dtype=np.float32) / 4095, size).reshape(SHAPE)
    image = (image * 65535).astype(dtype) if dtype.kind == "u" else image
    found[f"image, {size * dtype.itemsize / 2**20:.0f} MiB"] = resident()
    from fsrcnn_np import load_weights, upscale

    weights = load_weights("x2")
    found["h5py, model"] = resident()
    import llvmlite.binding  # noqa: F401

    found["LLVM's library"] = resident()
    upscale(np.zeros((8, 8), dtype), weights=weights)
    found["compiling, or loading what was kept"] = resident()
    large = upscale(image, weights=weights)
    found[f"result, {large.nbytes / 2**20:.0f} MiB, and two threads' work"] = resident()
    return found


def text() -> str:
    """A table for each dtype."""
    tables = []
    for name in ("uint16", "float32"):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "FSRCNN_NP_THREADS": "2"}
            command = [sys.executable, "-m", "benchmarks.resident", name]
            fresh, kept = (
                json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
                for _ in range(2)
            )
        rows = [f"| {name}, 3328×4096 ×2, MiB after | nothing kept | code kept | of it of files |", "|---|---|---|---|"]
        rows += [
            f"| {step} | {fresh[step]['resident']:.0f} | {kept[step]['resident']:.0f} | {kept[step]['of files']:.0f} |"
            for step in fresh
        ]
        peaks = [list(found.values())[-1]["peak"] for found in (fresh, kept)]
        rows.append(f"| **peak** | **{peaks[0]:.0f}** | **{peaks[1]:.0f}** | |")
        tables.append("\n".join(rows))
    return "\n\n".join(tables)


if __name__ == "__main__":
    print(json.dumps(steps(np.dtype(sys.argv[1]))) if sys.argv[1:] else text())
