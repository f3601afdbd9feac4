"""The `piqe-np` command: words in, words out; no arithmetic.

Exit status: 0 all well (an output that existed and was kept is a line, not a failure), 1 some inputs failed (each named
in one line, the others done), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from piqe_np.bands import band, bands
from piqe_np.compiled import thread_count
from piqe_np.console import command, complain
from piqe_np.errors import PiqeError
from piqe_np.line import printable
from piqe_np.overlay import overlay
from piqe_np.score import ENGINES, PiqeResult, Scaling, engine_named, piqe

from . import csv_cells
from .command_completion import add_completion
from .command_parser import Parser, finished, parse
from .errors import DiskFullError, FileError, FormatError, FsrcnnError, part_of_the_call
from .piqe_table import table_path, write_table
from .progress import bars as progress_bars
from .range_table import range_of, range_or_table, unmatched
from .run_log import FAILED, KEPT, SKIPPED, RunLog, run_options, stops
from .standard_streams import STANDARD_INPUT, STREAM, check_one, saying, scratch, spool
from .version import __version__

if TYPE_CHECKING:
    from .files import Input


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""

    def body() -> int:
        from .files import find_inputs
        from .files.atomic import check_place
        from .files.inputs import check_apart

        options = parse(command_parser(), arguments, mixed=True)
        thread_count(options.threads, "PIQE_NP_THREADS")  # wrong for every input: found out before the first
        engine_named(options.engine)
        if options.output is not None:
            with part_of_the_call():
                check_place(options.output)
        if options.masks is not None:
            check_apart(options.inputs, options.masks)
        log = RunLog(options, command="piqe-np", states=("scored", KEPT, SKIPPED, FAILED), data=True)
        try:
            if not check_one(options.inputs):
                return _run(options, find_inputs(options.inputs, without=options.masks), log)
            with scratch() as folder:
                return _run(options, [_standard_input(folder)], log)
        except DiskFullError as error:  # so would all that follow
            return complain("piqe-np", f"{error}; stopped", 1)

    return command("piqe-np", body, (PiqeError, FsrcnnError))


def command_parser() -> Parser:
    """Every option there is."""
    limits = ", ".join(f"{name} to {highest}" for name, highest in bands().items())
    parser = Parser(
        prog="piqe-np",
        description="PIQE, MATLAB's image quality score without a reference: 0 excellent, 100 bad. "
        f"MathWorks' bands: {limits}.",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder, glob, file.h5::/dataset; - for stdin")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="a table with a header line, one row an image")
    parser.add_argument(
        "-o",
        "--output",
        type=table_path,
        metavar="FILE",
        help="also write all scores here, with every digit, one row an image: .csv or .json",
    )
    parser.add_argument("--masks", type=Path, metavar="DIR", help="write the three masks and an overlay picture here")
    parser.add_argument(
        "--data-range",
        type=range_or_table,
        metavar="R|LOW:HIGH|CSV",
        help="values of black and white: 4095 for 12 bits in 16, -2048:2047 with a sign; or a CSV file with the "
        "columns path and data_range; default: the file's own, else the class's, as in MATLAB",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="default: $PIQE_NP_THREADS, else the CPUs available")
    parser.add_argument("--engine", choices=tuple(ENGINES), help="default: the fastest there is")
    parser.add_argument("--overwrite", action="store_true", help="replace what exists; otherwise it is kept")
    run_options(parser, form)
    return finished(add_completion(parser), f"piqe-np {__version__}")


def _standard_input(folder: Path) -> Input:
    """The image from standard input, by that name; what is wrong with it is one line, as of any other."""
    from .files import Input

    try:
        return Input(str(spool(folder)), STANDARD_INPUT, STANDARD_INPUT)
    except FsrcnnError as error:
        return Input(STREAM, STANDARD_INPUT, STANDARD_INPUT, str(error))


def _run(options: argparse.Namespace, inputs: Sequence[Input], log: RunLog) -> int:
    from .files import OutputExists

    rows: list[dict[str, Any]] = []
    log.several = len(inputs) > 1
    for line in unmatched(options.data_range, inputs):
        log.warn(line)
    hidden = True if log.quiet or len(inputs) == 1 else None
    with log.summing_up(), progress_bars()(inputs, leave=False, unit="image", disable=hidden) as bar:
        for item in bar:
            row, goes_on = _one(item, options, log, first=not any("score" in row for row in rows))
            rows += [] if row is None else [row]
            if not goes_on:
                return 1
    if options.output is not None:
        try:
            write_table(options.output, rows, overwrite=options.overwrite)
        except OutputExists as kept:
            log.say(str(kept))
        except FileError as error:
            log.complain(f"{error}; stopped" if stops(error) else str(error))
            return 1
    return log.status


def _one(item: Input, options: argparse.Namespace, log: RunLog, *, first: bool) -> tuple[dict[str, Any] | None, bool]:
    """An input's row of the table, and whether the run goes on; `first` of those with a score."""
    from .files import NoPicture

    name = STANDARD_INPUT if item.name == STANDARD_INPUT else item.path
    log.begin()
    try:
        with saying({item.path: name} if name != item.path else {}):
            record, remarks, kept = _score(item, options)
    except NoPicture as other:
        log.end(name, SKIPPED, "no-picture", f"{other}; skipped")
        return None, True
    except Exception as error:
        return {"input": name, "error": log.failed(name, error)}, not stops(error)
    record["input"] = name
    if options.csv:
        values = (f"{value:.4f}" if key == "score" else value for key, value in record.items())
        log.tell(*([csv_cells.line(record)] if first else []), csv_cells.line(values))
    else:
        log.show(_text_line(record))
    scaled = str(Scaling(record["low"], record["high"], record["scaling"]))
    said = remarks + kept
    log.note(range=scaled, remarks=said, **{key: value for key, value in record.items() if key != "input"})
    log.end(name, log.states[0], lines=[f"{name}: {'; '.join(said)}"] if said else [])
    return record | {"remarks": remarks}, True


def _score(item: Input, options: argparse.Namespace) -> tuple[dict[str, Any], list[str], list[str]]:
    """One input's record, remarks on it, and what is said of this run alone: a rerun's table is the same."""
    from .files import NoPicture, read
    from .files.record import source_of

    if item.error:
        raise (NoPicture if item.skipped else FormatError)(item.error)
    picture = read(item.path, allow=["alpha"])
    given, said = range_of(options.data_range, item.path)
    declared = picture.data_range if given is None else None
    wanted = given if declared is None else declared
    result = piqe(picture.pixels, data_range=wanted, threads=options.threads, engine=options.engine)
    if declared is not None:
        result = replace(result, scaling=result.scaling._replace(source=picture.data_range_origin))
    remarks = [*said, *picture.remarks, *result.remarks]
    if given is None and picture.range_doubt:
        remarks.append(picture.range_doubt)
    kept: list[str] = []
    if options.masks:
        stem, source = options.masks / item.stem, source_of(item.path)
        kept = _write_masks(stem, picture.pixels, result, source, overwrite=options.overwrite)
    active, artifact, noise = result.block_shares
    return (
        {
            "input": item.path,
            "score": result.score,
            "band": band(result.score),
            "low": result.scaling.low,
            "high": result.scaling.high,
            "scaling": result.scaling.source,
            "height": result.shape[0],
            "width": result.shape[1],
            "active": active,
            "artifact": artifact,
            "noise": noise,
        },
        remarks,
        kept,
    )


def _write_masks(
    stem: Path, pixels: np.ndarray, result: PiqeResult, source: dict[str, str], *, overwrite: bool
) -> list[str]:
    """Three masks and the overlay beside each other; a remark on those that existed and were kept."""
    from .files import OutputExists, write
    from .files.record import made_by
    from .images.value_range import ValueRange

    pictures: dict[str, Callable[[], np.ndarray]] = {
        "activity": lambda: result.activity_mask,
        "noticeable_artifacts": lambda: result.noticeable_artifacts_mask,
        "noise": lambda: result.noise_mask,
        "overlay": lambda: overlay(pixels, result),
    }
    kept, bounds = [], ValueRange(*result.scaling)
    for name, picture in pictures.items():
        found, path = picture(), stem.with_name(f"{stem.name}_{name}.png")
        shown = found.astype(np.uint8) * 255 if found.dtype == bool else found
        made = made_by("PIQE's blocks, shown", "PIQE mask", settings={"mask": name}, value_range=bounds, **source)
        try:
            write(path, shown, provenance=made, overwrite=overwrite)
        except OutputExists:
            kept.append(str(path))
    return [f"kept {', '.join(kept)}, which --overwrite replaces"] if kept else []


def _text_line(record: dict[str, Any]) -> str:
    scaled = Scaling(record["low"], record["high"], record["scaling"])
    return f"{printable(record['input'])}: {record['score']:.4f}  {record['band']}  (scaled from {scaled})"
