"""The phantom beside real mammograms: `python -m parity.phantom_texture [--mammograms DIR] [--write]`.

Draws eight breasts of either preset and measures the rows of `fsrcnn_np.phantom.texture` on them; --write puts the
tables into docs/phantom.md. The mammograms' own rows are kept here, since the pictures are not ours to ship;
--mammograms measures them anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from fsrcnn_np import compare
from fsrcnn_np.files import read
from fsrcnn_np.phantom import phantom
from fsrcnn_np.phantom.texture import Texture, texture
from fsrcnn_np.study.scores import BICUBIC, ORIGINAL, SR
from parity.report import renew

PAGE = Path(__file__).parents[1] / "docs" / "phantom.md"
SEEDS = range(8)
TOLERANCE = 0.25  #: beyond the range of the real ones

#: preset → mammograms that it is to behave like, the value of their white, and their rows
REAL = {
    "noisy": {
        "1_L_CC.png": (65535, Texture(2.562, 0.135, 0.112, -2.913, 0.054, 23.266, 46.055)),
        "1_R_CC.png": (65535, Texture(2.598, 0.141, 0.117, -2.931, 0.060, 19.958, 47.606)),
        "birads_L_CC_8bit.png": (255, Texture(1.924, 0.187, 0.091, -3.012, 0.075, 48.906, 29.303)),
        "gmic_0_L_CC_12in16.png": (4095, Texture(2.162, 0.108, 0.143, -2.794, 0.070, 60.286, 45.100)),
    },
    "smooth": {"GH133.dcm": (4095, Texture(0.417, 0.132, 0.127, -3.201, 0.519, 26.695, 0.144))},
}
HEAD = ("high-pass SD, %", "lag-1", "power ratio", "slope", "1st percentile", "active, %", "noisy of these, %")
ACCEPTED = Texture._fields[:-1]  #: what has to agree; the noisy blocks are PIQE's answer and follow


def allowed(preset: str, row: str) -> tuple[float, float]:
    """From the least of the mammograms' values less a quarter of it to the largest and a quarter.

    The active share is that of the breast in the frame, which no processing decides: there all mammograms count.
    """
    presets = REAL if row == "active" else (preset,)
    values = [getattr(rows, row) for one in presets for _, rows in REAL[one].values()]
    low, high = min(values), max(values)
    return low - TOLERANCE * abs(low), high + TOLERANCE * abs(high)


def outside(preset: str, rows: Texture) -> list[str]:
    """What of a phantom is not like the mammograms."""
    found = []
    for name in ACCEPTED:
        low, high = allowed(preset, name)
        if not low <= getattr(rows, name) <= high:
            found.append(f"{name} is {getattr(rows, name):.3f}, allowed are {low:.3f} to {high:.3f}")
    return found


def drawn(preset: str, seed: int) -> Texture:
    one = phantom(seed, preset=preset)
    return texture(one.pixels, one.data_range)


def table(measured: dict[str, list[Texture]]) -> str:
    """The mammograms, what is allowed, and the phantoms."""
    lines = [f"| inside the breast | {' | '.join(HEAD)} |", f"|---|{'---|' * len(HEAD)}"]
    for preset, phantoms in measured.items():
        lines += [_line(name.split(".")[0], rows) for name, (_, rows) in REAL[preset].items()]
        ends = [allowed(preset, name) for name in ACCEPTED]
        lines.append(f"| *allowed for `{preset}`* | {' | '.join(f'{a:.3g}…{b:.3g}' for a, b in ends)} | follows |")
        lines += [_line(f"phantom `{preset}`, seed {seed}", rows) for seed, rows in enumerate(phantoms)]
    return "\n".join(lines) + "\n"


def _line(name: str, rows: Iterable[float]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3g}' for value in rows)} |"


def scores() -> str:
    """PIQE of the phantom, and enlarged: what follows."""
    lines = ["| phantom, seed 0 | original | bicubic ×2 | SR ×2 (x2) |", "|---|---|---|---|"]
    for preset in REAL:
        one = phantom(preset=preset)
        found = compare(one.pixels, data_range=one.data_range)
        lines.append(f"| `{preset}` | {' | '.join(f'{found.piqe(which):.2f}' for which in (ORIGINAL, BICUBIC, SR))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.phantom_texture", description=__doc__.split("\n")[0])
    parser.add_argument("--mammograms", type=Path, metavar="DIR", help="measure the mammograms in this folder, too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/phantom.md")
    options = parser.parse_args()
    if options.mammograms:
        for preset in REAL.values():
            for name, (white, _) in preset.items():
                print(_line(name, texture(read(options.mammograms / name).pixels, white)))
    measured = {preset: [drawn(preset, seed) for seed in SEEDS] for preset in REAL}
    faults = [
        f"{preset}, seed {seed}: {fault}"
        for preset, phantoms in measured.items()
        for seed, rows in enumerate(phantoms)
        for fault in outside(preset, rows)
    ]
    text, piqe = table(measured), scores()
    print(text, piqe, *faults, sep="\n")
    if options.write:
        renew(PAGE, {"phantom:texture": text, "phantom:piqe": piqe})
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
