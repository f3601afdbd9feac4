"""A table as text for people, CSV for statistics, JSON for programs, LaTeX for a paper.

Text and LaTeX show the lines, rounded; CSV and JSON hold the records, in full precision.
"""

from __future__ import annotations

import json as json_module
import math
import re
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import csv_cells

FORMAT, SCHEMA = "fsrcnn-np study table", 1
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """What a row shows; a `heading` has one cell, which spans the table."""

    cells: tuple[str, ...]
    heading: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a study.

    Attributes
    ----------
    name : str
        Of its files: "table2".
    title : str
    head : tuple of str
    lines : tuple of Line
        As shown: of as many cells as the head.
    records : tuple of mapping
        The same with every digit, and what is not shown; all have the same keys.
    notes : tuple of str
        What has to be known to read it, one sentence or two each.
    words : frozenset of int
        Columns of words, set flush left; the first is always one.
    """

    name: str
    title: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    records: tuple[Record, ...]
    notes: tuple[str, ...] = ()
    words: frozenset[int] = field(default=frozenset({0}))


def text(table: Table) -> str:
    """For a terminal."""
    shown = [table.head, *(line.cells for line in table.lines if not line.heading)]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]

    def row(cells: Sequence[str]) -> str:
        padded = (
            cell + " " * (width - _width(cell)) if i in table.words else " " * (width - _width(cell)) + cell
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    rule = "-" * (sum(widths) + 2 * len(widths) - 2)
    body = [line.cells[0] if line.heading else row(line.cells) for line in table.lines]
    notes = [line for note in table.notes for line in textwrap.wrap(note, max(80, len(rule)))]
    return "\n".join([table.title, rule, row(table.head), rule, *body, rule, *notes]) + "\n"


def csv(table: Table) -> str:
    """One row a record; text that a spreadsheet would take for a formula has a ' before it."""
    names = list(table.records[0]) if table.records else [name for name in table.head if name]
    return csv_cells.table(names, table.records)


def json(table: Table) -> str:
    """The records, one a line; what is not finite is null."""
    document = {
        "format": FORMAT, "schema": SCHEMA, "name": table.name, "title": table.title, "notes": table.notes,
    }  # fmt: skip
    rows = ({name: _finite(value) for name, value in record.items()} for record in table.records)
    lines = ",\n".join(json_module.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    head = json_module.dumps(document, indent=1, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "rows": [\n{lines}\n ]\n}}\n'


def latex(table: Table) -> str:
    """A `table` that needs no package beyond LaTeX's own."""
    columns = "".join("l" if i in table.words else "r" for i in range(len(table.head)))

    def row(cells: Sequence[str]) -> str:
        return " & ".join(map(_tex, cells)) + r" \\"

    body = [
        rf"\multicolumn{{{len(columns)}}}{{l}}{{\textit{{{_tex(line.cells[0])}}}}} \\"
        if line.heading
        else row(line.cells)
        for line in table.lines
    ]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{_tex(_NUMBERED.sub('', table.title))}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            row(table.head),
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            *(rf"\par\footnotesize {_tex(note)}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


RENDERS: dict[str, Callable[[Table], str]] = {"text": text, "csv": csv, "json": json, "latex": latex}


def p_value(p: float) -> str:
    """As the paper prints it: three decimals, or < 0.001."""
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def stars(p: float) -> str:
    """The paper's: * below 0.05, ** below 0.01, *** below 0.001."""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def mean_sd(mean: float, sd: float) -> str:
    """Mean ± SD; of one value the mean alone, as in the paper's fatty group."""
    return "" if math.isnan(mean) else f"{mean:.2f}" if math.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def number(value: float, digits: int = 2) -> str:
    """A signed figure; nothing where there is none."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = f"{value:.{digits}f}"
    return rounded.removeprefix("-") if float(rounded) == 0 else rounded.replace("-", "−")


def span(low: float, high: float, digits: int = 2) -> str:
    """A confidence interval; nothing where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else f"{number(low, digits)} to {number(high, digits)}"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _width(cell: str) -> int:
    """Columns on a terminal: combining marks take none, wide characters two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)


_NUMBERED = re.compile(r"^Table \d+\. ")  # LaTeX numbers its tables itself
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "±": r"$\pm$", "×": r"$\times$",
    "≥": r"$\geq$", "≤": r"$\leq$", "−": "$-$", "∞": r"$\infty$", "α": r"$\alpha$", "κ": r"$\kappa$", "·": r"$\cdot$",
    "–": "--", "…": r"\ldots{}", "\n": " ", "\t": " ",
}  # fmt: skip


def _tex(cell: str) -> str:
    return "".join(_TEX.get(c, c) for c in cell)
