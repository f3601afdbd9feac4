"""Compile every kernel into $NUMBA_CACHE_DIR, so that no process that finds that folder compiles one again.

Run where an image is built: `NUMBA_CACHE_DIR=/opt/kernels python docs/container/warm.py`; with names of classes
(`uint8 uint16`) only what scores these.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import fsrcnn_np
import piqe_np
from fsrcnn_np.phantom import phantom

CLASSES = ("uint8", "uint16", "int16", "float32", "float64")


def main() -> int:
    """Score, enlarge and draw something small of every class."""
    from numba.core import event

    started, only = time.monotonic(), sys.argv[1:]
    with event.install_recorder("numba:compile") as compiled:
        for dtype in only or CLASSES:
            for shape in ((48, 48), (48, 48, 3)):
                piqe_np.piqe(np.zeros(shape, dtype))
        if not only:
            fsrcnn_np.upscale(np.zeros((48, 48)), weights="x2-small", engine="numba")
            for processed in (True, False):
                phantom(shape=(256, 256), processed=processed)
    print(f"{len(compiled.buffer) // 2} kernels compiled in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
