"""`fsrcnn-np study table1 | table2 | table3`: words in, words out; no arithmetic."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from piqe_np.console import complain, say

if TYPE_CHECKING:
    from .records import Case, LeftOut, Rating
    from .tables import Table

#: Table 2 and what stands beside it → the function of `tables` that makes it.
PARTS = {
    "table2": "table2",
    "preference": "preference",
    "agreement": "agreement",
    "kappa": "pairs_of_readers",
    "repeatability": "repeated",
}
PRESETS = ("r-3.6", "exact", "pratt", "scipy")
SUFFIXES = {".txt": "text", ".csv": "csv", ".json": "json", ".tex": "latex"}


class Found(NamedTuple):
    """Cases or ratings, what of their source is not used, and what should be known of it."""

    records: Sequence[Case | Rating]
    left_out: Sequence[LeftOut]
    remarks: Sequence[str]


def add_commands(commands: Any) -> None:
    """Add `table1`, `table2` and `table3` to the commands of `fsrcnn-np study`."""
    cases = (
        "folder of a study's results, or a CSV: path, piqe_original, piqe_bicubic, piqe_sr, patient, breast, density, …"
    )
    job = commands.add_parser("table1", help="patients and findings")
    job.add_argument("source", metavar="RESULTS|CASES.csv", help=cases)
    _add_output(job)
    job.set_defaults(run=table1)

    job = commands.add_parser("table2", help="ratings: signed-rank tests, ordinal regression, agreement")
    job.add_argument(
        "source",
        nargs="?",
        metavar="RATINGS.csv|RESULTS",
        help="a CSV: reader, case, criterion, value, and occasion, patient, comment; or reader, criterion, 1, 2, 3, 4, "
        "5 with counts; or the folder of a study's results",
    )
    job.add_argument("--paper", action="store_true", help="the paper's 56 cells, printed beside recomputed")
    job.add_argument("--preset", choices=PRESETS, default=PRESETS[0], help="how to test (r-3.6, the paper's way)")
    job.add_argument("--part", choices=tuple(PARTS), default="table2", help="what of it (table2)")
    _add_output(job)
    job.set_defaults(run=table2)

    job = commands.add_parser("table3", help="PIQE of original, bicubic and SR by groups, and the paired t test")
    job.add_argument("source", metavar="RESULTS|CASES.csv", help=cases)
    job.add_argument("--unit", choices=("breast", "image"), default="breast", help="what is counted (breast)")
    job.add_argument("--patients", action="store_true", help="the differences with patients respected: GEE, bootstrap")
    _add_output(job)
    job.set_defaults(run=table3)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=tuple(SUFFIXES.values()), help="default: by the output's suffix, else text")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=f"{', '.join(SUFFIXES)}; default: none")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")


def table1(options: argparse.Namespace) -> int:
    """`fsrcnn-np study table1`."""
    from .tables import table1 as make

    return _show(options, _cases, make)


def table2(options: argparse.Namespace) -> int:
    """`fsrcnn-np study table2`."""
    from ..errors import OptionError
    from . import tables

    if options.paper:
        if options.source is not None or options.part != "table2":
            raise OptionError("--paper takes the paper's own counts: give neither a file nor --part with it")
        return _show(options, lambda _: Found((), (), ()), lambda _: tables.paper_table2(preset=options.preset))
    if options.source is None:
        raise OptionError("give RATINGS.csv or a folder of results; or --paper")
    if options.part == "table2":
        return _show(options, _ratings, lambda ratings: tables.table2(ratings, preset=options.preset))
    return _show(options, _ratings, getattr(tables, PARTS[options.part]))


def table3(options: argparse.Namespace) -> int:
    """`fsrcnn-np study table3`."""
    from .tables import patients_respected
    from .tables import table3 as make

    chosen = patients_respected if options.patients else make
    return _show(options, _cases, lambda cases: chosen(cases, unit=options.unit))


def _show(
    options: argparse.Namespace,
    read: Callable[[str], Found],
    make: Callable[[Any], Table],
) -> int:
    """Read, make the table, print or write it; what was left out is a line each, and status 1."""
    from ..errors import OptionError
    from ..files import OutputExists, write_text
    from .tables import RENDERS

    format = options.format
    if options.output is not None and format is None:
        format = SUFFIXES.get(options.output.suffix.lower())
        if format is None:
            raise OptionError(f"{options.output}: its suffix names no format; allowed are {', '.join(SUFFIXES)}")
    try:
        found, left_out, remarks = read(options.source)
        shown = RENDERS[format or "text"](make(found))
        for one in (*remarks, *left_out):
            complain("fsrcnn-np", str(one), 1)
        if options.output is None:
            print(shown, end="")
        else:
            write_text(options.output, shown, overwrite=options.overwrite)
            say(f"wrote {options.output}")
    except OutputExists as kept:
        say(str(kept))
    return 1 if left_out else 0


def _cases(source: str) -> Found:
    if Path(source).is_dir():
        from .store import read_study

        study = read_study(source)
        return Found(study.cases, study.left_out, ())
    from .cases_file import read_cases

    file = read_cases(source)
    return Found(file.cases, file.left_out, ())


def _ratings(source: str) -> Found:
    if Path(source).is_dir():
        from .store import read_study

        return Found(read_study(source).ratings, (), ())
    from .ratings_file import read_ratings

    file = read_ratings(source)
    return Found(file.ratings, file.left_out, file.remarks)
