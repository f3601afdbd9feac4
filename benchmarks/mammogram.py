"""The paper's line: one mammogram, file to file.

Honjo et al. 2022 enlarge a mammogram in MATLAB and ask for less than a minute each. Here the whole command is timed in
a fresh process: start, decode, network, encode, write, rename. The picture is the package's procedural phantom.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGET = 60.0  # seconds
SHAPE = (3328, 4096)


def measured(threads: int, repeats: int) -> dict[str, Any]:
    """Wall seconds of `fsrcnn-np upscale` on a 16-bit PNG of a full-field detector's size."""
    from imageio.v3 import imwrite

    from fsrcnn_np.phantom import phantom

    walls = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "mammogram.png"
        imwrite(source, phantom(shape=SHAPE).pixels)
        for number in range(repeats):
            command = [sys.executable, "-m", "fsrcnn_np", "upscale", str(source), "-o", str(Path(folder) / str(number))]
            start = time.perf_counter()
            subprocess.run(
                command, check=True, capture_output=True, env=os.environ | {"FSRCNN_NP_THREADS": str(threads)}
            )
            walls.append(time.perf_counter() - start)
        size = source.stat().st_size
    return {
        "suite": "mammogram", "peer": "fsrcnn-np", "form": "16-bit PNG → PNG", "shape": SHAPE, "threads": threads,
        "walls": walls, "source_bytes": size, "target_met": statistics.median(walls) < TARGET,
    }  # fmt: skip
