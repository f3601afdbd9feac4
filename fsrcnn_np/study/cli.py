"""`fsrcnn-np study …`: words in, words out; no arithmetic."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from piqe_np.console import complain

from ..command_options import data_range, folder
from ..engine import DEFAULT, ENGINES
from ..run_log import RunLog, one_line, run_options
from .cli_report import add_commands as add_report
from .cli_tables import add_commands as add_tables

if TYPE_CHECKING:
    from .records import LeftOut
    from .run import Outcome


def add_commands(subparsers: Any) -> Any:
    """Add `study` to the commands of `fsrcnn-np`; `options.run` does what was asked for and gives the exit status.

    What comes back is where a door adds a command of its own.
    """
    study = subparsers.add_parser("study", help="a cohort through the paper's analysis: run, tables, report")
    commands = study.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_demo(commands)
    add_tables(commands)
    add_report(commands)
    return commands


def _add_run(commands: Any) -> None:
    """`run`."""
    job = commands.add_parser("run", help="measure every image of a cohort; goes on where it was stopped")
    job.add_argument("cohort", metavar="COHORT", help="a folder, or a CSV with the column path and what is known")
    job.add_argument(
        "-o", "--output", required=True, type=folder, metavar="RESULTS", help="folder for store and report"
    )
    job.add_argument("--weights", default="x2", metavar="NAME|FILE", help="a shipped model's name, or a file (x2)")
    job.add_argument(
        "--data-range",
        type=data_range,
        metavar="R|LOW:HIGH",
        help="values of black and white, where neither the CSV nor the file says any; default: the dtype's",
    )
    job.add_argument("--save-sr", action="store_true", help="keep the SR images: RESULTS/sr, same format and depth")
    job.add_argument("--again", action="store_true", help="measure again what has changed, or has killed its worker")
    _add_crew(job)
    job.set_defaults(run=run)


def _add_demo(commands: Any) -> None:
    """`demo`."""
    job = commands.add_parser("demo", help="the whole study on phantoms with simulated readers; needs no file")
    job.add_argument("-o", "--output", required=True, type=folder, metavar="DIR", help="folder for images and results")
    job.add_argument("--cases", type=int, default=24, metavar="N", help="breasts (default 24; the paper has 136)")
    job.add_argument("--seed", type=int, default=0, help="of the cohort (default 0)")
    job.add_argument("--overwrite", action="store_true", help="draw and measure anew what other options have made")
    job.add_argument("--full-size", action="store_true", help="phantoms of 3328×2560; default: half of that, both ways")
    job.add_argument("--weights", default="x2", metavar="NAME|FILE", help="a shipped model's name, or a file (x2)")
    _add_crew(job)
    job.set_defaults(run=demo)


def _add_crew(job: argparse.ArgumentParser) -> None:
    job.add_argument("--workers", type=int, default=1, metavar="N", help="processes; 0: in this one (default 1)")
    job.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers measure, tcp://host:8786")
    job.add_argument("--threads", type=int, metavar="N", help="of each worker; default: the CPUs divided among them")
    job.add_argument("--engine", choices=tuple(ENGINES), help=f"default: {DEFAULT}, the fastest")
    job.add_argument("--no-report", action="store_true", help="measure only; `study report` makes it")
    run_options(job)


def run(options: argparse.Namespace) -> int:
    """`fsrcnn-np study run`: a line an image, and one of all."""
    from .cohort import read_cohort
    from .run import run as outcomes

    _check_extra(options)
    cohort = read_cohort(options.cohort, without=options.output)
    log = _log(options)
    log.say(*cohort.remarks)
    found = outcomes(
        cohort,
        options.output,
        weights=options.weights,
        data_range=options.data_range,
        save_sr=options.save_sr,
        again=options.again,
        **_crew(options),
    )
    return _tell(found, cohort.left_out, log, options)


def demo(options: argparse.Namespace) -> int:
    """`fsrcnn-np study demo`: the same on phantoms."""
    from ..progress import bar
    from .demo_study import DATA, SHAPE, draw_cohort, measure_cohort

    _check_extra(options)
    log = _log(options)
    log.say(DATA)
    shape = (2 * SHAPE[0], 2 * SHAPE[1]) if options.full_size else SHAPE
    with bar("phantoms", unit="phantom", hidden=log.quiet) as progress:
        ratings = draw_cohort(
            options.output, cases=options.cases, seed=options.seed, shape=shape, overwrite=options.overwrite,
            progress=progress,
        )  # fmt: skip
    found = measure_cohort(
        options.output, ratings, weights=options.weights, again=options.overwrite, **_crew(options)
    )  # fmt: skip
    return _tell(found, [], log, options)


def _check_extra(options: argparse.Namespace) -> None:
    from ..errors import MissingExtraError
    from .report import check_extra

    try:
        if not options.no_report:
            check_extra()
    except MissingExtraError as error:
        raise MissingExtraError(f"{error}; or measure without a report: --no-report") from error


def _crew(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("workers", "dask", "threads", "engine")}


def _log(options: argparse.Namespace) -> RunLog:
    from .run import KEPT, LEFT_OUT, MEASURED, SKIPPED

    return RunLog(options, states=(MEASURED, KEPT, SKIPPED, LEFT_OUT), several=True)


def _tell(outcomes: Iterator[Outcome], left_out: Sequence[LeftOut], log: RunLog, options: argparse.Namespace) -> int:
    """A line an image, one of all, and the report; gives the exit status."""
    from ..errors import FsrcnnError, OptionError
    from .run import KEPT, LEFT_OUT, MEASURED, SKIPPED

    ended: dict[str, str] = {}
    stopped = False
    reasons = {MEASURED: "", KEPT: "exists", SKIPPED: "no-picture", LEFT_OUT: "refused"}
    with log.summing_up():
        for one in left_out:
            log.end(one.what, SKIPPED if one.skipped else LEFT_OUT, "cohort", one.why, lines=[str(one)])
        try:
            for outcome in outcomes:
                if outcome.name in ended:  # a copy of another, which is found at the end
                    log.counts[ended[outcome.name]] -= 1
                ended[outcome.name] = outcome.state
                if outcome.piqe is not None:
                    log.note(piqe=outcome.piqe, seconds=outcome.seconds, remarks=outcome.remarks)
                log.end(outcome.name, outcome.state, reasons[outcome.state], outcome.why, lines=_lines(outcome))
        except FsrcnnError as error:
            if not ended:
                raise OptionError(str(error)) from error  # so it would be of every image
            stopped = bool(complain("fsrcnn-np", f"stopped: {error}", 1))
    if stopped:
        return 1
    reported = options.no_report or _report(log, options)
    return log.status if reported else 1


def _report(log: RunLog, options: argparse.Namespace) -> bool:
    """Write the report; whether that was possible."""
    from ..convert import load_weights
    from ..errors import FsrcnnError
    from .report import write_report
    from .store import read_study

    try:
        study = read_study(options.output)
        if warning := study.about.checkerboard.get("warning"):
            log.say(f"WARNING: {warning}")
        done = write_report(
            study,
            options.output,
            weights=load_weights(options.weights),
            threads=options.threads,
            overwrite=True,  # it shows the store, and is renewed with it
        )
    except FsrcnnError as error:
        complain("fsrcnn-np", f"no report: {error}", 1)
        return False
    log.say(f"wrote {done.path}, and beside it {len(done.written) - 1} tables and figures")
    return True


def _lines(outcome: Outcome) -> list[str]:
    """What is said of one image; of one that was kept nothing."""
    place = f"{outcome.done}/{outcome.total} " if outcome.total else ""
    if outcome.why:
        return [place + outcome.why]
    if outcome.piqe is None:
        return []
    original, bicubic, sr = outcome.piqe
    scores = f"PIQE {original:.2f}, bicubic {bicubic:.2f}, SR {sr:.2f}"
    return [one_line(f"{place}{outcome.name}: {scores}, {outcome.seconds:.1f} s", outcome.remarks)]
