"""What campaigns counted, kept as rows of JSON; the sum of the rows is the table in docs/attacks.md.

A row says target, seed, cases, seconds and faults by kind. Cases that are not guided are made of target, seed and their
number alone, so that `python -m fuzz TARGET --seed SEED --cases CASES` runs a row's cases again, as far as the target's
changes and seeds are the same. Rows with a `seed` of null are counts of before rows were kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from .campaign import Count

RESULTS = Path(__file__).parent / "results.jsonl"
_BEGIN, _END = "<!-- fuzz -->", "<!-- /fuzz -->"


def add(path: Path, target: str, seed: int, guided: bool, count: Count) -> None:
    """Append a campaign's row."""
    row = {"target": target, "seed": seed, "guided": guided, "cases": count.cases, "seconds": round(count.seconds, 1)}
    with path.open("a") as stream:
        stream.write(json.dumps(row | {"faults": dict(sorted(count.faults.items()))}) + "\n")


def rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(found: list[dict[str, Any]]) -> str:
    """Cases by target, as Markdown, with their sum."""
    plain: dict[str, int] = defaultdict(int)
    guided: dict[str, int] = defaultdict(int)
    for row in found:
        (guided if row["guided"] else plain)[row["target"]] += row["cases"]
    lines = ["| target | changed by chance | guided by coverage |", "|---|---|---|"]
    lines += [f"| {name} | {plain[name]:,} | {guided[name] or 0:,} |" for name in sorted(plain.keys() | guided.keys())]
    lines += [
        f"| **together {sum(plain.values()) + sum(guided.values()):,}** | {sum(plain.values()):,} | {sum(guided.values()):,} |"
    ]
    return "\n".join(lines)


def page(path: Path) -> None:
    """Put the table of RESULTS between a page's marks."""
    before, _, rest = path.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    path.write_text(f"{before}{_BEGIN}\n{table(rows(RESULTS))}\n{_END}{after}")
