"""`--data-range FILE.csv`: each file's own range, from a table with the columns `path` and `data_range`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .command_options import data_range
from .errors import FsrcnnError, OptionError
from .files import Input
from .files.target import split
from .types import DataRange

COLUMNS = "the columns path and data_range"


@dataclass
class RangeTable:
    """What a table says of which file.

    Parameters
    ----------
    path : Path
        Of the table.
    ranges : dict
        By a file's place (and dataset): the row's number, and the range, or None where the cell is empty.
    """

    path: Path
    ranges: dict[str, tuple[int, DataRange | None]]
    used: set[str] = field(default_factory=set)

    def of(self, path: str) -> tuple[DataRange | None, str]:
        """The range of an input, and a remark: where the table lacks it, the file's own or the dtype's is taken."""
        for key in (_key(path), _key(str(split(path).path))):
            if key in self.ranges:
                self.used.add(key)
                return self.ranges[key][1], ""
        return None, f"{self.path} has no row for it: its range is the file's own, else the dtype's"

    def unmatched(self) -> Iterator[str]:
        """A line for each row of a file that was no input."""
        for key, (row, _) in self.ranges.items():
            if key not in self.used:
                yield f"{self.path}, row {row}: {key} is none of the inputs; the row was not used"


def range_or_table(text: str) -> DataRange | RangeTable:
    """R, LOW:HIGH, or the name of a CSV file.

    Raises
    ------
    argparse.ArgumentTypeError
        None of these, or a table with something wrong in it: every row must be right, since a range decides results.
    """
    if not text.lower().endswith(".csv"):
        return data_range(text)
    try:
        return read_ranges(Path(text))
    except FsrcnnError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def read_ranges(path: Path) -> RangeTable:
    """Read a table; its paths are relative to its own folder.

    Raises
    ------
    FileError, FormatError
        It cannot be read, is no CSV, or lacks a column.
    OptionError
        A row that is wrong, or two of one file.
    """
    from .study.csv_rows import read_sheet

    sheet = read_sheet(path, needed={"path", "data_range"})
    found = RangeTable(path, {})
    for wrong in sheet.left_out:
        raise OptionError(str(wrong))
    for row in sheet.rows:
        place = f"{path}, row {row.number}"
        if not row["path"]:
            raise OptionError(f"{place}: no path; needed are {COLUMNS}")
        key = _key(os.path.join(path.parent, row["path"]))
        if key in found.ranges:
            raise OptionError(f"{place}: {row['path']} is in row {found.ranges[key][0]} already; give each file once")
        try:
            found.ranges[key] = row.number, data_range(row["data_range"]) if row["data_range"] else None
        except argparse.ArgumentTypeError as error:
            raise OptionError(f"{place}: {error}") from error
    if not found.ranges:
        raise OptionError(f"{path}: no rows; needed is one a file, under {COLUMNS}")
    return found


def range_of(given: DataRange | RangeTable | None, path: str) -> tuple[DataRange | None, list[str]]:
    """The range that the command line gives for one input, and remarks."""
    if not isinstance(given, RangeTable):
        return given, []
    found, remark = given.of(path)
    return found, [remark] if remark else []


def unmatched(given: DataRange | RangeTable | None, inputs: Iterable[Input]) -> list[str]:
    """Lines for the rows of a table that no input uses: known before the first is read."""
    if not isinstance(given, RangeTable):
        return []
    for item in inputs:
        given.of(item.path)
    return list(given.unmatched())


def _key(path: str) -> str:
    """One file's place, however it is written."""
    target = split(path)
    return os.path.realpath(target.path) + (f"::{target.dataset}" if target.dataset else "")
