"""The paper's line: one mammogram, file to file, beside the network alone.

Honjo et al. 2022 enlarge a mammogram in MATLAB and ask for less than a minute each. Here the whole command is timed in
a fresh process (start, decode, network, encode, write, rename), and in a process that runs already the file beside the
network alone, alternately. The picture is the package's procedural phantom.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = 60.0  # seconds
SHAPE = (3328, 4096)
FORMS = {".png": "16-bit PNG → PNG", ".tif": "16-bit TIFF (deflate) → TIFF", ".dcm": "DICOM → DICOM"}


def measured(threads: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Wall seconds for each format of a full-field detector's size."""
    environment = os.environ | {"FSRCNN_NP_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        for source in written(Path(folder), SHAPE):
            walls = []
            for number in range(repeats):
                command = [sys.executable, "-m", "fsrcnn_np", "upscale", str(source), "-o", f"{folder}/{number}"]
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, env=environment)
                walls.append(time.perf_counter() - start)
            command = [sys.executable, "-m", __name__, str(source), f"{folder}/warm", str(repeats)]
            inside = subprocess.run(command, check=True, capture_output=True, env=environment, text=True)
            yield {
                "suite": "mammogram", "peer": "fsrcnn-np", "form": FORMS[source.suffix], "shape": SHAPE,
                "threads": threads, "walls": walls, "source_bytes": source.stat().st_size,
                "target_met": statistics.median(walls) < TARGET, **json.loads(inside.stdout),
            }  # fmt: skip


def written(folder: Path, shape: tuple[int, int]) -> list[Path]:
    """A phantom as PNG, TIFF and, where pydicom is, DICOM."""
    from imageio.v3 import imwrite
    from tifffile import imwrite as write_tiff

    from fsrcnn_np.errors import MissingExtraError
    from fsrcnn_np.phantom import phantom
    from fsrcnn_np.phantom.dicom_object import encoded

    drawn = phantom(shape=shape)
    places = [folder / f"mammogram{suffix}" for suffix in FORMS]
    imwrite(places[0], drawn.pixels)
    write_tiff(places[1], drawn.pixels, compression="deflate")
    try:
        places[2].write_bytes(encoded(drawn))
    except MissingExtraError:
        places.pop()
    return places


def _inside(source: Path, folder: Path, repeats: int) -> dict[str, list[float]]:
    """Of this process, after a first run: the file, and the network alone into memory that is there."""
    import numpy as np

    from fsrcnn_np import read, upscale, upscale_file

    pixels = read(source).pixels
    out = np.empty([2 * size for size in pixels.shape], pixels.dtype)
    found: dict[str, list[float]] = {"file": [], "network": []}
    for number in range(repeats + 1):
        for name, run in (
            ("network", lambda: upscale(pixels, out=out)),
            ("file", lambda: upscale_file(source, folder / source.name)),
        ):
            (folder / source.name).unlink(missing_ok=True)
            start = time.perf_counter()
            run()
            if number:
                found[name].append(time.perf_counter() - start)
    return found


if __name__ == "__main__":
    print(json.dumps(_inside(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
