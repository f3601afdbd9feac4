"""CSV as people's spreadsheets write it: commas, semicolons or tabs, a byte order mark, decimal commas.

Rows are read one by one; whoever reads them says what is wrong with a cell by its row and column, and goes on.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from ..errors import FormatError, unreadable
from .records import LeftOut

DELIMITERS = ",;\t"
Aliases = Mapping[str, str]  #: another name of a column → its name here


@dataclass(frozen=True)
class Row:
    """One row: `cells` by column; `number` as a spreadsheet counts, the head being row 1."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell, stripped; empty where the column or the cell is missing."""
        return self.cells.get(column, "")


@dataclass
class Sheet:
    """A CSV file: columns by their names here, rows; what was left out of it, and what should be known of it."""

    path: Path
    columns: list[str]
    rows: list[Row]
    left_out: list[LeftOut] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def complain(self, row: Row | int, column: str, why: str) -> None:
        """Note one cell (or, with an empty column, one row) that is not used."""
        number = row if isinstance(row, int) else row.number
        place = f"row {number}" + (f", column {column}" if column else "")
        self.left_out.append(LeftOut(f"{self.path}, {place}", why))

    def unknown(self, known: set[str]) -> None:
        """Note the columns that nobody asks for."""
        for column in self.columns:
            if column not in known:
                self.remarks.append(f"{self.path}, column {column}: unknown, not read")


def read_sheet(path: str | PathLike[str], *, needed: set[str], aliases: Aliases | None = None) -> Sheet:
    """Read a CSV file with a head.

    Parameters
    ----------
    path : path
        UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252. The delimiter is the one of comma,
        semicolon and tab that the head has most of.
    needed : set of str
        Columns without which there is nothing to read.
    aliases : mapping, optional
        Names of columns are compared without case, blanks and underlines; an alias stands for its column.

    Raises
    ------
    FileError
        It cannot be opened.
    FormatError
        It has no head, or lacks a needed column.
    """
    path = Path(path)
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error, "give a CSV file") from error
    if "\0" in text:
        raise FormatError(f"{path}: is no text; give a CSV file")
    lines = text.splitlines(keepends=True)
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(lines, delimiter=delimiter)
    sheet = Sheet(path, [], [])
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not sheet.columns:
                sheet.columns = _columns(cells, needed, aliases or {})
                continue
            if len(cells) > len(sheet.columns) and any(cell.strip() for cell in cells[len(sheet.columns) :]):
                sheet.complain(reader.line_num, "", f"{len(cells)} cells under {len(sheet.columns)} columns")
                continue
            values = {name: _plain(cell) for name, cell in zip(sheet.columns, cells, strict=False)}
            sheet.rows.append(Row(reader.line_num, values))
    except csv.Error as error:
        raise FormatError(f"{path}: row {reader.line_num} is no CSV ({error}); mend that row") from error
    if missing := sorted(needed - set(sheet.columns)):
        found = ", ".join(sheet.columns) or "nothing"
        raise FormatError(f"{path}: no column {missing[0]}; found {found}; needed are {', '.join(sorted(needed))}")
    for column in sorted({name for name in sheet.columns if sheet.columns.count(name) > 1}):
        raise FormatError(f"{path}: two columns {column}; name each once")
    return sheet


def number(text: str) -> float:
    """A number with a point or a decimal comma; ValueError for anything else, also for NaN and infinities."""
    value = float(text.strip().replace(",", ".", 1))
    if not math.isfinite(value) or "_" in text:
        raise ValueError(text)
    return value


def numbers(sheet: Sheet, row: Row, column: str, check: Callable[[float], bool], allowed: str) -> Iterator[float]:
    """The cell's number, or nothing: an empty cell silently, any other with a complaint."""
    text = row[column]
    if not text:
        return
    try:
        value = number(text)
    except ValueError:
        sheet.complain(row, column, f"{text!r} is no number; {allowed}")
        return
    if check(value):
        yield value
    else:
        sheet.complain(row, column, f"found {text}; {allowed}")


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _columns(cells: list[str], needed: set[str], aliases: Aliases) -> list[str]:
    known = {_key(name): name for name in needed} | {_key(other): name for other, name in aliases.items()}
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [known.get(_key(name), name) for name in names]


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c not in " _-.")


def _plain(cell: str) -> str:
    """Without blanks around, and without the quote that keeps a spreadsheet from taking text for a formula."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r") else text
