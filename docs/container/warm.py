"""Compile every kernel into $NUMBA_CACHE_DIR, so that no process that finds that folder compiles one again.

Run where an image is built: `NUMBA_CACHE_DIR=/opt/kernels python docs/container/warm.py`; with the names of parts
(`piqe`, `numba`, `phantom`) only these.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import fsrcnn_np
import piqe_np
from fsrcnn_np.phantom import phantom


def score() -> None:
    """PIQE of every class, grey and RGB."""
    for dtype in ("uint8", "uint16", "int16", "float32", "float64"):
        for shape in ((48, 48), (48, 48, 3)):
            piqe_np.piqe(np.zeros(shape, dtype))


def enlarge() -> None:
    """The engine "numba"."""
    fsrcnn_np.upscale(np.zeros((48, 48)), weights="x2-small", engine="numba")


def draw() -> None:
    """The phantom, and the detector's counts of it."""
    for processed in (True, False):
        phantom(shape=(256, 256), processed=processed)


PARTS = {"piqe": score, "numba": enlarge, "phantom": draw}


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
