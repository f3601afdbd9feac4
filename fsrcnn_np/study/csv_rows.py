"""CSV as people's spreadsheets write it: commas, semicolons or tabs, a byte order mark, decimal commas.

Rows are read one by one; whoever reads them says what is wrong with a cell by its row and column, and goes on.
"""

from __future__ import annotations

import csv
import io
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
    """One row: `cells` by column; `number` as a spreadsheet counts, line ends within cells not being any."""

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
        semicolon and tab with which the head has most of the needed columns, then most columns; or a first line says
        it, as spreadsheets know: sep=;
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
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: is neither UTF-8, UTF-16 nor Windows-1252; save it as CSV in UTF-8") from error
    if "\0" in text:
        raise FormatError(f"{path}: is no text; give a CSV file")
    # Of what Python takes for line ends, spreadsheets know these three: \n, \r\n, \r.
    lines = list(io.StringIO(text, newline=""))
    sheet, number = Sheet(path, [], []), 0
    try:
        delimiter, above = _delimiter(lines, needed, aliases or {})
        reader = csv.reader(lines[above:], delimiter=delimiter, strict=True)
        for number, cells in enumerate(reader, above + 1):
            if not any(cell.strip() for cell in cells):
                continue
            if not sheet.columns:
                sheet.columns = _columns(cells, needed, aliases or {})
                continue
            if len(cells) > len(sheet.columns) and any(cell.strip() for cell in cells[len(sheet.columns) :]):
                sheet.complain(number, "", f"{len(cells)} cells under {len(sheet.columns)} columns")
                continue
            values = {name: _plain(cell) for name, cell in zip(sheet.columns, cells, strict=False)}
            sheet.rows.append(Row(number, values))
    except csv.Error as error:
        raise FormatError(f"{path}: row {number + 1} is no CSV ({error}); mend that row") from error
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
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _delimiter(lines: list[str], needed: set[str], aliases: Aliases) -> tuple[str, int]:
    """What stands between cells, and how many lines stand above the head to say so."""
    above, head = next(((n, line) for n, line in enumerate(lines) if line.strip()), (0, ""))
    said = head.strip().strip('"')
    if said[:4].casefold() == "sep=" and said[4:] in tuple(DELIMITERS):
        return said[4:], above + 1

    def fits(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([head], delimiter=delimiter), [])
        return len(needed & set(_columns(cells, needed, aliases))), len(cells)

    return max(DELIMITERS, key=fits), 0


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
