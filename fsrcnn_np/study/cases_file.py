"""CASES.csv → cases: scores that someone has, from here or from MATLAB, for the tables without a run."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

from .cohort import SIDES
from .csv_rows import Row, Sheet, numbers, read_sheet
from .records import Case, LeftOut
from .tables.cases import MEASURES, SCORES, SHARES, TEXTS

_SHARES = tuple(f"{name}_{image}" for image in ("original", "bicubic", "sr") for name in SHARES)
#: Written beside, of no use for the tables.
_PASSED = {*MEASURES, *_SHARES, "low", "high", "scaling", "seconds", "memory", "sr", "error", "remarks"}
_ALIASES = {name: name for name in ("path", *TEXTS, "age", *SCORES, *_PASSED)} | {
    "file": "path",
    "image": "path",
    "laterality": "breast",
    "bi-rads": "birads",
    "original": "piqe_original",
    "bicubic": "piqe_bicubic",
}


@dataclass(frozen=True)
class Cases:
    """What a file holds, and what of it is not used."""

    cases: tuple[Case, ...]
    left_out: tuple[LeftOut, ...]


def read_cases(path: str | PathLike[str]) -> Cases:
    """Read a CSV with a row an image.

    Parameters
    ----------
    path : path
        Columns `path`, and any of `piqe_original, piqe_bicubic, piqe_sr`, `patient, breast, view, density, morphology,
        distribution, birads, age`; what else a report's `cases.csv` has is passed over, and further columns are groups
        of the user's own.

    Returns
    -------
    Cases

    Raises
    ------
    FileError, FormatError
        It cannot be read, or has no column `path`.
    """
    sheet = read_sheet(path, needed={"path"}, aliases=_ALIASES)
    own = [name for name in sheet.columns if name and name not in _ALIASES.values()]
    found: dict[str, Case] = {}
    rows: dict[str, int] = {}
    for row in sheet.rows:
        if not row["path"]:
            sheet.complain(row, "path", "is empty; give the image's file")
        elif row["path"] in found:
            sheet.complain(
                row, "path", f"{row['path']} stands in row {rows[row['path']]} already; this row is not used"
            )
        else:
            found[row["path"]], rows[row["path"]] = _case(sheet, row, own), row.number
    return Cases(tuple(found.values()), tuple(sheet.left_out))


def _case(sheet: Sheet, row: Row, own: list[str]) -> Case:
    texts: dict[str, Any] = {name: row[name] for name in TEXTS}
    if texts["breast"]:
        side = SIDES.get(texts["breast"].casefold())
        if side is None:
            sheet.complain(row, "breast", f"found {texts['breast']!r}; allowed are L and R")
        texts["breast"] = side or ""
    texts["view"] = texts["view"].upper()
    # PIQE has no bounds of its own: a score may lie a little outside 0 to 100.
    scores: dict[str, Any] = {
        name: next(numbers(sheet, row, name, lambda _: True, "give a score"), None) for name in SCORES
    }
    age = next(numbers(sheet, row, "age", lambda v: 0 <= v <= 130, "allowed are years, 0 to 130"), None)
    groups = {name: row[name] for name in own if row[name]}
    return Case(row["path"], **texts, age=age, groups=groups, **scores, error=row["error"])
