"""Cells of a CSV that a spreadsheet may open: what names say is text, never a formula."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: A spreadsheet would take a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def cell(value: Any) -> str:
    """A value as the CSV holds it: a text that would be a formula has a ' before it, numbers have every digit."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA) and not _NUMBER.fullmatch(value) else value
    return repr(float(value)) if isinstance(value, float) else str(value)


def line(values: Iterable[Any]) -> str:
    """One row, without its end; what ends a line is quoted inside a value."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerow(map(cell, values))
    return stream.getvalue()[:-1]


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A head and rows; what a row lacks is an empty cell."""
    return "".join(f"{one}\n" for one in (line(columns), *(line(row.get(name) for name in columns) for row in rows)))
