"""Every known mistake in PIQE, made on purpose, and the vectors that notice: `python -m parity.mistakes`.

Prints the table and exits with 1 if a mistake goes unnoticed or a vector does not catch what it says; with --write it
also renews mistakes.md. The mistakes are settings of the naive twin in tests/piqe, never of the package.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "piqe"))

from naive_piqe import naive_piqe as judge  # noqa: E402

from parity.piqe_vectors import PiqeVector, load  # noqa: E402

TABLE = Path(__file__).parents[1] / "mistakes.md"
EDGES = ("top", "bottom", "left", "right")

MISTAKES: dict[str, dict[str, Any]] = {
    "border zero": {"border": "constant"},
    "border reflect": {"border": "reflect"},
    "border symmetric": {"border": "symmetric"},
    "block variance with N": {"block_ddof": 0},
    "segment deviation with N": {"segment_ddof": 0},
    "noise deviations with N": {"noise_ddof": 0},
    "centre columns 7 and 8": {"centre": (7, 8)},
    "surround without 8 and 9": {"not_surround": (8, 9)},
    "grey unrounded": {"grey_store": "none"},
    "grey truncated": {"grey_store": "floor"},
    "grey of 4 digits": {"grey": (0.2989, 0.5870, 0.1140)},
    "grey of 3 digits": {"grey": (0.299, 0.587, 0.114)},
    "grey of 6 digits": {"grey": (0.298936, 0.587043, 0.114021)},
    "grey of OpenCV": {"grey_fixed": True},
    "BGR": {"order": "bgr"},
    "filter in float32": {"kind": np.float32},
    "sigma 1.5": {"sigma": 1.5},
    "10 segments": {"segments": 10},
    "segments of 5": {"segment": 5},
    "segments of 7": {"segment": 7, "segments": 10},
    **{f"3 edges, without {edge}": {"edges": tuple(e for e in EDGES if e != edge)} for edge in EDGES},
    "score without +1": {"plus_one": False},
    "padding symmetric": {"pad": "symmetric"},
    "padding zero": {"pad": "constant"},
    "padding by the remainder": {"pad_by": "remainder"},
    "divided by the maximum": {"scale": "maximum"},
    "half to even": {"half": "even"},
    "levels clipped": {"clip": True},
    "masks outside active blocks": {"everywhere": True},
    "activity threshold 0.0999": {"active": 0.0999},
    "activity threshold 0.1001": {"active": 0.1001},
    "flatness threshold 0.0999": {"flat": 0.0999},
    "flatness threshold 0.1001": {"flat": 0.1001},
    "noise factor 1.999": {"beta": 1.999},
    "noise factor 2.001": {"beta": 2.001},
}


def caught(vector: PiqeVector, truth: tuple[Any, ...], mistake: dict[str, Any]) -> str:
    """What the mistake changes of what is true: "levels", "masks", "score", in this order, or nothing."""
    levels, _, masks, score = truth
    wrong_levels, _, wrong_masks, wrong_score = judge(vector.image, vector.data_range, **mistake)
    if not np.array_equal(levels, wrong_levels):
        return "levels"
    if not np.array_equal(masks, wrong_masks):
        return "masks"
    return "score" if abs(score - wrong_score) > 1e-9 else ""


def catches(vectors: list[PiqeVector]) -> dict[str, dict[str, str]]:
    """Of every mistake: the vectors that catch it, and by what."""
    found = {}
    truths = [judge(vector.image, vector.data_range) for vector in vectors]
    for name, mistake in MISTAKES.items():
        by = {vector.id: caught(vector, truth, mistake) for vector, truth in zip(vectors, truths, strict=True)}
        found[name] = {id: what for id, what in by.items() if what}
    return found


def broken_promises(vectors: list[PiqeVector], found: dict[str, dict[str, str]]) -> list[str]:
    missing = [f"nothing catches: {name}" for name, by in found.items() if not by]
    return missing + [
        f"{vector.id} does not catch: {name}"
        for vector in vectors
        for name in vector.catches
        if vector.id not in found.get(name, {})
    ]


def as_markdown(vectors: list[PiqeVector], found: dict[str, dict[str, str]]) -> str:
    lines = [
        "# Mistakes in PIQE, and the vectors that catch them",
        "",
        "Written by `python -m parity.mistakes --write`. Each mistake is made in the naive twin of `tests/piqe`; a",
        "vector catches it if its levels or masks change, or its score by more than 1e-9.",
        "",
        "| mistake | made for it | also caught by | seen in |",
        "|---|---|---|---|",
    ]
    for name, by in found.items():
        meant = [vector.id for vector in vectors if name in vector.catches]
        seen = ", ".join(what for what in ("levels", "masks", "score") if what in by.values())
        lines.append(f"| {name} | {', '.join(meant)} | {len(set(by) - set(meant))} more | {seen} |")
    lines += ["", "| vector | image | exercises |", "|---|---|---|"]
    for vector in vectors:
        shape = "×".join(map(str, vector.image.shape))
        span = f", data_range {vector.data_range:g}" if vector.data_range else ""
        lines.append(f"| {vector.id} | {vector.image.dtype} {shape}{span} | {vector.exercises} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.mistakes", description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"renew {TABLE.name}")
    options = parser.parse_args()
    vectors = load()
    found = catches(vectors)
    table = as_markdown(vectors, found)
    print(table)
    if options.write:
        TABLE.write_text(table, encoding="utf-8")
    problems = broken_promises(vectors, found)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0
