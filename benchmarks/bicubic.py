"""`imresize` ×2 of a mammogram's size beside OpenCV's and Pillow's bicubic, which are not MATLAB's answer.

OpenCV's kernel has a = −0.75 and rounds once, Pillow's has a = −0.5 as MATLAB's; neither rounds between the passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fsrcnn_np import imresize

from .peers import version

SHAPE = (3328, 2560)
Resize = Callable[[np.ndarray], Any]


def opencv(threads: int) -> Resize:
    import cv2

    cv2.setNumThreads(threads)
    return lambda image: cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def pillow(threads: int) -> Resize:
    from PIL import Image

    return lambda image: Image.fromarray(image).resize(
        (2 * image.shape[1], 2 * image.shape[0]), Image.Resampling.BICUBIC
    )


RESIZERS: dict[str, tuple[str, Callable[[int], Resize]]] = {
    "fsrcnn-np": ("numpy", lambda threads: lambda image: imresize(image, 2, threads=threads)),
    "OpenCV": ("opencv-contrib-python-headless", opencv),
    "Pillow": ("pillow", pillow),
}


def measured(threads: int, repeats: int) -> Iterator[dict[str, Any]]:
    """A row for each who and dtype; the first run does not count."""
    rng = np.random.default_rng(0)
    for dtype, high in (("uint16", 4096), ("uint8", 256)):
        image = rng.integers(0, high, SHAPE).astype(dtype)
        for name, (package, made) in RESIZERS.items():
            row = {"suite": "imresize", "peer": name, "form": dtype, "shape": SHAPE, "threads": threads}
            if version(package) is None:
                yield row | {"missing": f"not installed ({package})"}
                continue
            resize = made(threads)
            walls = []
            for _ in range(repeats + 1):
                start = time.perf_counter()
                resize(image)
                walls.append(time.perf_counter() - start)
            yield row | {"version": version(package), "walls": walls[1:]}
