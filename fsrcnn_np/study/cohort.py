"""COHORT → the images to measure: a folder, or a CSV with what is known of each image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike
from pathlib import Path

from piqe_np.line import unnamed, writable

from ..errors import OptionError, unreadable
from ..files import find_inputs
from ..files.target import SEPARATOR, split
from .csv_rows import Row, Sheet, number, numbers, read_sheet
from .records import LeftOut

TEXTS = ("patient", "breast", "view", "density", "morphology", "distribution", "birads")
COLUMNS = ("path", *TEXTS, "age", "data_range", "truth")
ALIASES = {name: name for name in COLUMNS} | {"file": "path", "laterality": "breast", "bi-rads": "birads"}
SIDES = {"l": "L", "left": "L", "r": "R", "right": "R"}
OLDEST = 130

Range = float | tuple[float, float]


@dataclass(frozen=True)
class Entry:
    """One image of a cohort, before it is read.

    Attributes
    ----------
    name : str
        As tables show it, and unique: the path below the cohort's folder, else the whole path; with `::/dataset`.
    path : str
        What `fsrcnn_np.files.read` takes.
    place : str
        Where the cohort names it, for messages: "cohort.csv, row 5"; of a folder the path itself.
    texts : mapping of str to str
        TEXTS that are known: `breast` is "L" or "R", `view` in capitals.
    age : float or None
    groups : mapping of str to str
        The user's own columns.
    data_range : float, (float, float) or None
        Stored values of black and white, where the CSV says so.
    truth : str or None
        Path of the picture that SR should be.
    """

    name: str
    path: str
    place: str
    texts: Mapping[str, str] = field(default_factory=dict)
    age: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    data_range: Range | None = None
    truth: str | None = None


@dataclass(frozen=True)
class Cohort:
    """Entries in their order, and what was given and is not among them.

    `remarks` are to be said and leave nothing out.
    """

    name: str
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...] = ()
    folder: str = ""  #: where names that are no whole path begin


def read_cohort(path: str | PathLike[str], *, without: str | PathLike[str] | None = None) -> Cohort:
    """Find the images of a cohort.

    Parameters
    ----------
    path : path
        A folder: all images below it. Or a CSV with the column `path` and any of `patient, breast, view, density,
        morphology, distribution, birads, age, data_range, truth`; further columns are groups of the user's own. Paths
        are relative to the CSV's folder. `data_range` is R for 0..R, or LOW:HIGH. Commas, semicolons or tabs, a byte
        order mark and decimal commas are as they come.
    without : path, optional
        A folder below the cohort's that does not belong to it: the results.

    Returns
    -------
    Cohort
        A row that cannot be used is among `left_out`, with its row and column.

    Raises
    ------
    FileError, FormatError
        The cohort is neither, cannot be read, or has no column `path`.
    OptionError
        The results' folder is the cohort's.
    """
    if os.path.isdir(path):
        return _folder(Path(path), without)
    if not os.path.exists(path):
        raise unreadable(path, FileNotFoundError(), "give a folder of images, or a CSV with their paths")
    return _csv(Path(path))


def _folder(folder: Path, without: str | PathLike[str] | None) -> Cohort:
    if without is not None and Path(without).resolve() == folder.resolve():
        raise OptionError(f"{folder} is the cohort itself; choose another folder for the results (-o)")
    entries, left_out = [], []
    for found in find_inputs([folder], without=without):
        if found.error:
            why = unnamed(found.path, found.error) + ("; skipped" if found.skipped else "")
            left_out.append(LeftOut(found.path, why, found.skipped))
        else:
            entries.append(Entry(_name(found.path, folder), found.path, found.path))
    return Cohort(folder.resolve().name, tuple(entries), tuple(left_out), folder=str(folder.resolve()))


def _csv(path: Path) -> Cohort:
    sheet = read_sheet(path, needed={"path"}, aliases=ALIASES)
    own = [column for column in sheet.columns if column and column not in COLUMNS]
    remarks = [f"{path}, column {column}: {_meaning(column)}" for column in own]
    entries: dict[str, Entry] = {}
    rows: dict[str, int] = {}
    for row in sheet.rows:
        entry = _entry(sheet, row, own)
        if entry is not None:
            identity = os.path.realpath(split(entry.path).path) + SEPARATOR + str(split(entry.path).dataset)
            if identity in rows:
                sheet.complain(
                    row, "path", f"{entry.name} stands in row {rows[identity]} already; this row is not used"
                )
            else:
                rows[identity], entries[identity] = row.number, entry
    return Cohort(
        path.stem, tuple(entries.values()), tuple(sheet.left_out), tuple(remarks), str(path.parent.resolve())
    )  # fmt: skip


def _meaning(column: str) -> str:
    """What becomes of a column that is not one of ours; a slip of the pen looks like one of ours."""
    near = get_close_matches(column.casefold(), COLUMNS, 1, 0.75)
    return "taken as a group of your own" + (f"; did you mean {near[0]}?" if near else "")


def _entry(sheet: Sheet, row: Row, own: list[str]) -> Entry | None:
    """The row's entry; none, and a complaint, where one of its cells would make it another image's."""
    if not row["path"]:
        sheet.complain(row, "path", "is empty; give the image's file")
        return None
    # A wrong age is a cell that is not used; anything else that is wrong could be another image's row.
    age = next(numbers(sheet, row, "age", lambda years: 0 <= years <= OLDEST, f"allowed are 0 to {OLDEST} years"), None)
    before = len(sheet.left_out)
    folder = sheet.path.parent
    path = os.path.join(folder, row["path"])
    if not os.path.exists(split(path).path):
        sheet.complain(row, "path", str(unreadable(row["path"], FileNotFoundError())))
    truth = os.path.join(folder, row["truth"]) if row["truth"] else None
    if truth and not os.path.exists(split(truth).path):
        sheet.complain(row, "truth", str(unreadable(row["truth"], FileNotFoundError())))
    texts = {column: row[column] for column in TEXTS if row[column]}
    if "breast" in texts:
        side = SIDES.get(texts["breast"].casefold())
        if side is None:
            sheet.complain(row, "breast", f"found {texts['breast']!r}; allowed are L and R")
        texts["breast"] = side or ""
    if "view" in texts:
        texts["view"] = texts["view"].upper()
    span = next(_range(sheet, row), None)
    if len(sheet.left_out) > before:
        return None
    groups = {column: row[column] for column in own if row[column]}
    return Entry(_name(path, folder), path, f"{sheet.path}, row {row.number}", texts, age, groups, span, truth)


def _range(sheet: Sheet, row: Row) -> Iterator[Range]:
    text = row["data_range"]
    if not text:
        return
    low, colon, high = text.rpartition(":")
    try:
        span = (number(low) if colon else 0.0), number(high)
        if span[0] >= span[1]:
            raise ValueError
    except ValueError:
        sheet.complain(row, "data_range", f"found {text!r}; allowed is R > 0 for 0..R, or LOW:HIGH with LOW below HIGH")
    else:
        yield span if colon else span[1]


def _name(path: str, folder: Path) -> str:
    """The path below the folder, else whole; the same wherever the folder is moved to, and with / everywhere."""
    target = split(path)
    whole = Path(os.path.abspath(target.path))
    base = Path(os.path.abspath(folder))
    name = (whole.relative_to(base) if whole.is_relative_to(base) else whole).as_posix()
    return writable(name + (SEPARATOR + target.dataset if target.dataset else ""))
