"""What else moves a picture's PIQE score: `python -m parity.piqe_changes IMAGE …`.

Enlarging and shrinking by MATLAB's bicubic `imresize`, in the picture's own class (so rounded after each of its two
passes, as of every picture of integers), and noise. docs/piqe.md has the table of MathWorks' example lighthouse.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fsrcnn_np import imresize
from fsrcnn_np.files import read
from fsrcnn_np.images.value_range import to_integers
from piqe_np import piqe


def changed(image: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """A picture of 8 bits and what is done to it, by name."""
    yield "as it is", image
    yield "`imresize(A, 2)`", imresize(image, 2)
    yield "`im2uint8(imresize(im2double(A), 2))`", to_integers(imresize(image / 255, 2) * 255, np.uint8)
    yield "`imresize(A, 0.5)`", imresize(image, 0.5)
    for deviation in (5, 10, 40):
        noise = np.random.default_rng(0).normal(0, deviation, image.shape)
        yield f"noise of standard deviation {deviation}", to_integers(image + noise, np.uint8)


def table(name: str, image: np.ndarray) -> str:
    """One row for each change."""
    lines = [f"| {name} | PIQE |", "|---|---|"]
    lines += [f"| {how} | {piqe(picture).score:.2f} |" for how, picture in changed(image)]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.piqe_changes", description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="8-bit images")
    options = parser.parse_args()
    for path in options.images:
        pixels = read(path).pixels
        if pixels.dtype != np.uint8:
            raise SystemExit(f"{path} is {pixels.dtype}; give 8-bit images")
        print(table(Path(path).name, pixels))
    return 0


if __name__ == "__main__":
    sys.exit(main())
