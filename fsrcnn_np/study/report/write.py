"""A study's tables, figures and report.html, written into the folder of its results."""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from ...errors import FsrcnnError, MissingExtraError, OptionError
from ...network.weights import Weights
from ...progress import Progress, reports
from .. import tables
from ..figures import Chart, bland_altman, boxes, check, choose, encoded_both, plate, rating_bars, slopes
from ..records import LeftOut, Study
from ..statistics import PRESETS
from ..tables import Table
from ..tables.readings import Readings
from .methods import methods
from .paper import MEANINGS, paper_lines, summary, tally

NAME = "report.html"
_DATE = re.compile(r"Report of (\d{4}-\d\d-\d\d)\.</p>")  #: as the page has it
MOST_LEFT_OUT = 500  #: lines in the report; all of them are in left_out.csv


@dataclass(frozen=True)
class Report:
    """What was written, and what could not be made and why."""

    path: Path
    written: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


@reports("report", unit="step")
def write_report(
    study: Study,
    folder: str | PathLike[str],
    *,
    preset: str = "r-3.6",
    unit: str = "breast",
    best: str | None = None,
    worst: str | None = None,
    plates: bool = True,
    weights: Weights | None = None,
    threads: int | None = None,
    date: datetime.date | None = None,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> Report:
    """Write `report.html`, and beside it every table as CSV and JSON and every figure as PNG and SVG.

    Parameters
    ----------
    study : Study
        Of `store.read_study`.
    folder : path
        Gets `report.html`, `methods.txt`, `table1.csv` and `.json` and so on, `cases.csv`, `left_out.csv`, `figures/`.
    preset : {"r-3.6", "exact", "pratt", "scipy"}
        Of the signed-rank test.
    unit : {"breast", "image"}
        What Table 3 counts.
    best, worst : str, optional
        Cases for the plates, by path; default: the best and the worst rated.
    plates : bool
        Whether to make the plates, which enlarges two images again.
    weights : Weights, optional
        The model for the plates; default: the shipped one that the study was made with.
    threads : int, optional
    date : datetime.date, optional
        Of the report; default: that of the one that is there, else today.
    overwrite : bool
        Replace what is there of another report; otherwise nothing is written where one file of it would be another.
    progress : callable or bool, optional
        Gets steps done and steps in all; True shows a bar (tqdm) on standard error.

    Returns
    -------
    Report

    Raises
    ------
    MissingExtraError
        Jinja2 or matplotlib is not installed.
    OptionError
        An unknown preset or unit, or a case that the study does not have.
    OutputExists
        All of it is there, to the byte.
    OutputDiffers
        Something of it is there, and is another.
    FileError
        The folder cannot be written.
    """
    from ...files.atomic import write_together

    template = _template()
    check()
    if preset not in PRESETS:
        raise OptionError(f"preset {preset!r}; allowed are {', '.join(PRESETS)}")
    folder = Path(folder)
    chosen = choose(study, best=best, worst=worst) if plates else []
    readings = Readings(study.ratings)
    makers = _charts(study, readings, unit)
    steps = len(makers) + len(chosen) + 2

    def tell(done: int) -> None:
        if callable(progress):
            progress(done, steps)

    tell(0)
    one, three = tables.table1(study.cases), tables.table3(study.cases, unit=unit)
    respected = tables.patients_respected(study.cases, unit=unit)
    readers = _reader_tables(readings, preset)
    cases = tables.case_table(study.cases)
    tell(1)
    charts: dict[str, dict[str, Any]] = {}
    written: dict[Path, bytes] = {}

    def put(chart: Chart) -> None:
        pictures = encoded_both(chart)
        charts[chart.name] = _pictured(chart, pictures)
        written.update({folder / "figures" / name: data for name, data in pictures.items()})

    for done, make in enumerate(makers, 2):
        put(make())
        tell(done)
    missing: list[LeftOut] = []
    for done, candidate in enumerate(chosen, 2 + len(makers)):
        try:
            chart = plate(candidate, study, weights or _model(study), threads=threads)
        except FsrcnnError as error:
            missing.append(LeftOut(f"plate of {candidate.case.path}", str(error)))
        else:
            put(chart)
        tell(done)
    left_out = [*study.left_out, *(LeftOut(c.path, c.error) for c in study.cases if c.error), *missing]
    paragraph = methods(study, preset=preset, unit=unit)
    lines = paper_lines(study, one, three)
    shown = {table.name: _shown(table) for table in (one, three, respected, *readers)}
    for table in (one, three, respected, *readers, cases, _left_out_table(left_out)):
        for suffix, render in (("csv", tables.csv), ("json", tables.json)):
            written[folder / f"{table.name}.{suffix}"] = render(table).encode()
    written[folder / "methods.txt"] = f"{paragraph}\n".encode()
    page = template.render(
        study=study,
        date=(date or _earlier(folder / NAME) or datetime.date.today()).isoformat(),
        summary=summary(study, one, three),
        methods=paragraph,
        tables=shown,
        charts=charts,
        lines=lines,
        tally=tally(lines),
        meanings=MEANINGS,
        remarks=[(case.path, remark) for case in study.cases for remark in case.remarks][:MOST_LEFT_OUT],
        left_out=left_out[:MOST_LEFT_OUT],
        left_out_more=max(0, len(left_out) - MOST_LEFT_OUT),
        files=sorted(path.relative_to(folder).as_posix() for path in written),
    )
    written[folder / NAME] = page.encode()
    write_together(written, overwrite=overwrite)
    tell(steps)
    return Report(folder / NAME, tuple(written), tuple(missing))


def _earlier(path: Path) -> datetime.date | None:
    """The date of a report that is there: the same study would be the same page on every day."""
    try:
        found = _DATE.search(path.read_text(encoding="utf-8"))
        return datetime.date.fromisoformat(found[1]) if found else None
    except (OSError, ValueError):
        return None


def check_extra() -> None:
    """Raise a MissingExtraError where no report can be made here: before hours of measuring, not after."""
    _template()
    check()


def _template() -> Any:
    """The page, which escapes all that it is given."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("reports need Jinja2: pip install 'fsrcnn-np[study]'") from error
    source = resources.files(__package__).joinpath("report.html.jinja").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )


def _charts(study: Study, readings: Readings, unit: str) -> list[Callable[[], Chart]]:
    makers: list[Callable[[], Chart]] = []
    if any(case.piqe_sr is not None for case in study.cases):
        for draw in (slopes, bland_altman, boxes):
            makers.append(lambda draw=draw: draw(study.cases, unit=unit))  # type: ignore[misc]
    if study.ratings:
        makers.append(lambda: rating_bars(readings))
    return makers


def _reader_tables(readings: Readings, preset: str) -> list[Table]:
    if not readings.readers:
        return []
    made = [tables.table2(readings, preset=preset), tables.preference(readings)]
    if len(readings.readers) > 1:
        made += [tables.agreement(readings), tables.pairs_of_readers(readings)]
    return [*made, tables.repeated(readings)]


def _model(study: Study) -> Weights:
    """The shipped model with the parameters that the study names."""
    from ...convert import load_weights, shipped

    for path in shipped().values():
        weights = load_weights(path)
        if weights.sha256 == study.about.sha256:
            return weights
    raise OptionError(
        f"the study's model {study.about.model} (sha256 {study.about.sha256[:12]}) is none that ships; give its file: "
        "--weights FILE"
    )


def _left_out_table(left_out: Sequence[LeftOut]) -> Table:
    records = tuple({"what": one.what, "why": one.why} for one in left_out)
    return Table("left_out", "Left out", ("what", "why"), (), records)


def _shown(table: Table) -> dict[str, Any]:
    """A table for the page, with its CSV inside."""
    data = base64.b64encode(tables.csv(table).encode()).decode()
    return {"table": table, "csv": f"data:text/csv;charset=utf-8;base64,{data}"}


def _pictured(chart: Chart, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    """A chart for the page: shapes as SVG, plates, which are pixels, as PNG."""
    plate = chart.name.startswith("plate")
    suffix, kind = (".png", "image/png") if plate else (".svg", "image/svg+xml")
    data = base64.b64encode(pictures[chart.name + suffix]).decode()
    return {"chart": chart, "uri": f"data:{kind};base64,{data}", "plate": plate}
