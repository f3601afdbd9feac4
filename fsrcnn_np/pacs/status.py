"""How far the objects of a store have come, as text and JSON: by their numbers, nothing of what is in them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from .ledger import Row


def record(row: Row) -> dict[str, Any]:
    """What is told of an object."""
    return {
        "object": row.id,
        "made_of": row.source,
        "state": row.state,
        "parked": bool(row.parked),
        "forwarded": bool(row.forward),
        "to_derive": bool(row.treat),
        "bytes": row.size,
        "removed_here": bool(row.removed),
        "tries": row.tries,
        "next_try": row.due or None,
        "line": "; ".join(part for part in (row.note, row.remark) if part),
    }


def as_json(rows: Sequence[Row], counts: dict[str, int]) -> str:
    """Everything, for programs."""
    return json.dumps({"counts": counts, "objects": [record(row) for row in rows]}, indent=2)


def as_text(rows: Sequence[Row], counts: dict[str, int]) -> str:
    """How many are in which state, and one line for each object that is not committed."""
    lines = [", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())]
    lines += [_line(row) for row in rows if row.state != "committed" or row.remark]
    return "\n".join(lines)


def _line(row: Row) -> str:
    origin = f" (of {row.source})" if row.source else ""
    words = [f"object {row.id}{origin}: {'parked, ' if row.parked else ''}{row.state}"]
    if row.treat:
        words.append("something is to be made of it")
    if not row.forward:
        words.append("stays here")
    if row.due > time.time() and not row.parked:
        words.append(f"next try in {row.due - time.time():.0f} s")
    return "; ".join(part for part in (", ".join(words), row.note, row.remark) if part)
