"""Compile every kernel into $NUMBA_CACHE_DIR, so that no process that finds that folder compiles one again.

Run where an image is built: `NUMBA_CACHE_DIR=/opt/kernels python docs/container/warm.py`; with the names of parts
(`numba`, `jpeg`, `phantom`) only these.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import fsrcnn_np
import piqe_np
from fsrcnn_np.phantom import phantom


def numba() -> None:
    """The engines "numba": the network's, and PIQE's for every class, grey and RGB."""
    fsrcnn_np.upscale(np.zeros((48, 48)), weights="x2-small", engine="numba")
    for dtype in ("uint8", "uint16", "int16", "float32", "float64"):
        for shape in ((48, 48), (48, 48, 3)):
            piqe_np.piqe(np.zeros(shape, dtype), engine="numba")


def jpeg() -> None:
    """The walk through a JPEG's coded data, by which damage is found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "grey.jpg")
        iio.imwrite(path, np.zeros((48, 48), np.uint8))
        fsrcnn_np.read(path)


def draw() -> None:
    """The phantom, and the detector's counts of it."""
    for processed in (True, False):
        phantom(shape=(256, 256), processed=processed)


PARTS = {"numba": numba, "jpeg": jpeg, "phantom": draw}


def main() -> int:
    """Run the parts, and say how much was compiled."""
    from numba.core import event

    started = time.monotonic()
    with event.install_recorder("numba:compile") as compiled:
        for part in sys.argv[1:] or PARTS:
            PARTS[part]()
    print(f"{len(compiled.buffer) // 2} kernels compiled in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
