"""Every image in a row: what the tables are computed of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..records import Blocks, Case
from .render import Line, Table
from .units import groupings

TEXTS = ("patient", "breast", "view", "density", "morphology", "distribution", "birads")
SCORES = ("piqe_original", "piqe_bicubic", "piqe_sr")
MEASURES = ("checkerboard", "checkerboard_bicubic", "psnr", "psnr_bicubic", "ssim", "ssim_bicubic")
SHARES = ("active", "artifact", "noisy")


def case_table(cases: Sequence[Case]) -> Table:
    """One record an image; the lines show names and scores."""
    own = [name for name in groupings(cases) if name not in TEXTS]
    records = tuple(_record(case, own) for case in cases)
    lines = tuple(
        Line((case.path, *("" if score is None else f"{score:.2f}" for score in _scores(case)), case.error))
        for case in cases
    )
    head = ("image", "original", "bicubic", "SR", "why not")
    return Table("cases", "Every image: PIQE", head, lines, records, words=frozenset({0, 4}))


def _scores(case: Case) -> tuple[float | None, ...]:
    return case.piqe_original, case.piqe_bicubic, case.piqe_sr


def _record(case: Case, own: Sequence[str]) -> dict[str, Any]:
    record: dict[str, Any] = {"path": case.path} | {name: getattr(case, name) for name in (*TEXTS, "age")}
    record |= {name: case.groups.get(name, "") for name in own}
    record |= {name: getattr(case, name) for name in SCORES}
    for image in ("original", "bicubic", "sr"):
        blocks: Blocks | None = getattr(case, f"blocks_{image}")
        record |= {f"{name}_{image}": None if blocks is None else getattr(blocks, name) for name in SHARES}
    low, high = case.data_range or (None, None)
    return record | {name: getattr(case, name) for name in MEASURES} | {
        "low": low, "high": high, "scaling": case.scaling, "seconds": case.seconds, "memory": case.memory,
        "sr": case.sr, "error": case.error, "remarks": "; ".join(case.remarks),
    }  # fmt: skip
