"""RATINGS.csv → ratings: one row a rating, or one row with the counts of each value, as the paper's Table 2 prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from ..errors import FormatError
from .csv_rows import Row, Sheet, number, read_sheet
from .records import LeftOut, Rating

VALUES = ("1", "2", "3", "4", "5")
MOST_COUNTED = 100_000  #: ratings that the counts of a file may come to: each is a record in memory
UNREADABLE = {"", "na", "n/a", "nan", "none", "null", "unreadable", "-", "–"}
ALLOWED = "allowed are the whole numbers 1 to 5, or NA"
NEEDED = {"reader", "criterion"}
COLUMNS = (*sorted(NEEDED), "case", "value", "comment", "occasion", "patient", *VALUES)
ALIASES = {name: name for name in COLUMNS} | {
    "rating": "value",
    "score": "value",
    "rater": "reader",
    "observer": "reader",
    "image": "case",
    "repeat": "occasion",
    "session": "occasion",
    "remark": "comment",
}


@dataclass(frozen=True)
class Ratings:
    """What a file holds, and what of it is not used."""

    ratings: tuple[Rating, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...] = ()


def read_ratings(path: str | PathLike[str]) -> Ratings:
    """Read a CSV of ratings.

    Parameters
    ----------
    path : path
        Columns `reader`, `criterion`, `case`, `value`; and any of `patient`, `occasion` (1, or 2 and more where the
        reader saw the case again) and `comment`. Or `reader`, `criterion` and the columns `1` to `5` with counts.
        Commas, semicolons or tabs, with or without a byte order mark.

    Returns
    -------
    Ratings
        An unreadable case (NA) has the value None. A cell or row that cannot be used is named, the rest is read.

    Raises
    ------
    FileError, FormatError
        It cannot be read, or has neither `case` and `value` nor all the counts.
    """
    sheet = read_sheet(path, needed=NEEDED, aliases=ALIASES)
    counted = all(value in sheet.columns for value in VALUES)
    if not counted and not {"case", "value"} <= set(sheet.columns):
        raise FormatError(
            f"{path}: found the columns {', '.join(sheet.columns)}; needed are reader, criterion, case, value; "
            "or reader, criterion, 1, 2, 3, 4, 5 with counts"
        )
    sheet.unknown(set(COLUMNS))
    one = _counts if counted else _rating
    seen: dict[tuple[object, ...], int] = {}
    found: list[Rating] = []
    for row in sheet.rows:
        for name in ("reader", "criterion", *(() if counted else ("case",))):
            if not row[name]:
                sheet.complain(row, name, f"is empty; give the {name}")
                break
        else:
            for name in ("reader", "criterion", "patient"):  # é in one letter or in two is the same name
                row.cells[name] = unicodedata.normalize("NFC", row[name])
            occasion = _whole(row["occasion"]) if row["occasion"] else 1
            key = (row["reader"], row["criterion"], row["case"], row["occasion"] if occasion is None else occasion)
            if key in seen:
                sheet.complain(row, "", f"repeats row {seen[key]}; give a second reading the occasion 2")
                continue
            seen[key] = row.number
            found += one(sheet, row)
            if counted and len(found) > MOST_COUNTED:
                raise FormatError(
                    f"{path}: up to row {row.number} the counts come to {len(found)} ratings; allowed are "
                    f"{MOST_COUNTED} in a file: give a row a rating, or a file for some of the readers"
                )
    return Ratings(tuple(found), tuple(sheet.left_out), tuple(sheet.remarks))


def _rating(sheet: Sheet, row: Row) -> Iterator[Rating]:
    value: int | None = None
    if row["value"].casefold() not in UNREADABLE:
        value = _whole(row["value"])
        if value is None or not 1 <= value <= 5:
            sheet.complain(row, "value", f"found {row['value']!r}; {ALLOWED}")
            return
    occasion = _whole(row["occasion"]) if row["occasion"] else 1
    if occasion is None or occasion < 1:
        sheet.complain(row, "occasion", f"found {row['occasion']!r}; allowed are 1, 2, 3, …")
        return
    yield Rating(row["reader"], row["case"], row["criterion"], value, row["comment"], occasion, row["patient"])


def _counts(sheet: Sheet, row: Row) -> Iterator[Rating]:
    """Of counted ratings nobody knows the case: each gets a name of its own."""
    total = 0
    for value in VALUES:
        count = _whole(row[value]) if row[value] else 0
        if count is None or not 0 <= count <= MOST_COUNTED:
            allowed = f"allowed is how often this rating was given, {MOST_COUNTED} at most"
            sheet.complain(row, value, f"found {row[value]!r}; {allowed}")
            continue
        for _ in range(count):
            total += 1
            case = f"{row['reader']}, {row['criterion']}, {total}"
            yield Rating(row["reader"], case, row["criterion"], int(value), patient=case)


def _whole(text: str) -> int | None:
    try:
        value = number(text)
    except ValueError:
        return None
    return int(value) if value == int(value) else None
