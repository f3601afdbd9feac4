"""What the way of storing a picture does to its PIQE score: `python -m parity.bit_depth [IMAGE …] [--write]`.

One 8-bit picture, stored in several ways that all look the same on a screen; and the phantom's 12 bits, as they are.
The default is the phantom alone; --write puts its table into docs/piqe.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fsrcnn_np.files import read
from fsrcnn_np.phantom import phantom
from piqe_np import piqe
from piqe_np.matlab import round_half_away

from .pages import renewed

PAGE = Path(__file__).parents[1] / "docs" / "piqe.md"
NAME = "python -m parity.bit_depth --write"


def stored(eight: np.ndarray) -> Iterator[tuple[str, np.ndarray, float]]:
    """The ways of storing 8 bits: what they are called, the array, its white."""
    yield "8 bits in uint8", eight, 255
    yield "8 bits in uint16, v·257", eight.astype(np.uint16) * 257, 65535
    for bits in (14, 12, 10):
        white = 2**bits - 1
        scaled = round_half_away(eight * (white / 255)).astype(np.uint16)
        yield f"{bits} bits in uint16, round(v·{white}/255)", scaled, white
    yield "12 bits in uint16, v·16", eight.astype(np.uint16) * 16, 4080
    yield "8 bits in uint16, v", eight.astype(np.uint16), 255
    yield "float64 in [0, 1], v/255", eight / 255, 1


def table(name: str, eight: np.ndarray, twelve: np.ndarray | None = None) -> str:
    """Scores by class, as MATLAB has it, and with the right data_range."""
    rows = list(stored(eight))
    if twelve is not None:
        rows.append(("the original: 12 bits in uint16", twelve, 4095))
    lines = [f"| {name}, stored as | by class | with `data_range=` | |", "|---|---|---|---|"]
    for how, image, white in rows:
        by_class, right = piqe(image).score, piqe(image, data_range=white).score
        lines.append(f"| {how} | {by_class:.4f} | {white} | {right:.4f} |")
    return "\n".join(lines) + "\n"


def tables(paths: list[str]) -> Iterator[str]:
    for path in paths:
        pixels = read(path).pixels
        if pixels.dtype != np.uint8:
            raise SystemExit(f"{path} is {pixels.dtype}; give 8-bit images")
        yield table(Path(path).name, pixels)
    if not paths:
        twelve = phantom().pixels
        yield table("The phantom", round_half_away(twelve * (255 / 4095)).astype(np.uint8), twelve)


def page_with(text: str) -> str:
    """docs/piqe.md with this table in its place."""
    return renewed(PAGE.read_text(encoding="utf-8"), {NAME: f"\n{text}\n"})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.bit_depth", description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="8-bit images; default: the phantom")
    parser.add_argument("--write", action="store_true", help="put the phantom's table into docs/piqe.md")
    options = parser.parse_args()
    for text in tables(options.images):
        print(text)
    if options.write:
        PAGE.write_text(page_with(next(tables([]))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
