"""The `piqe-np` command: words in, words out; no arithmetic.

Exit status: 0 all well (an output that existed and was kept is a line, not a failure), 1 some inputs failed (each named
in one line, the others done), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from piqe_np.bands import band, bands
from piqe_np.compiled import thread_count
from piqe_np.console import command, complain, printable
from piqe_np.errors import ImageError, OptionError, PiqeError
from piqe_np.overlay import overlay
from piqe_np.score import ENGINES, PiqeResult, Scaling, engine_named, piqe

from .command_completion import add_completion
from .command_options import data_range
from .command_parser import Parser, finished, parse
from .errors import FsrcnnError
from .version import __version__

if TYPE_CHECKING:
    from .files import Input


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""

    def body() -> int:
        options = parse(command_parser(), arguments, mixed=True)
        thread_count(options.threads, "PIQE_NP_THREADS")  # wrong for every input: found out before the first
        engine_named(options.engine)
        return _run(options)

    return command("piqe-np", body, (OptionError, FsrcnnError))


def command_parser() -> Parser:
    """Every option there is."""
    limits = ", ".join(f"{name} to {highest}" for name, highest in bands().items())
    parser = Parser(
        prog="piqe-np",
        description="PIQE, MATLAB's image quality score without a reference: 0 excellent, 100 bad. "
        f"MathWorks' bands: {limits}.",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder, glob, or file.h5::/dataset")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array, with every digit of the scores")
    form.add_argument("--csv", action="store_true", help="a table with a header line")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="write the three masks and an overlay picture here")
    parser.add_argument(
        "--data-range",
        type=data_range,
        metavar="R|LOW:HIGH",
        help="values of black and white: 4095 for 12 bits in 16, --data-range=-2048:2047 with a sign; default: the "
        "file's own, else the class's, as in MATLAB",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="default: $PIQE_NP_THREADS, else the CPUs available")
    parser.add_argument("--engine", choices=tuple(ENGINES), help="default: the fastest there is")
    parser.add_argument("--overwrite", action="store_true", help="replace masks that exist; otherwise they are kept")
    return finished(add_completion(parser), f"piqe-np {__version__}")


def _run(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from .files import NoPicture, find_inputs

    records: list[dict[str, Any]] = []
    failed = 0
    inputs = find_inputs(options.inputs)
    with tqdm(inputs, leave=False, unit="image", disable=None if len(inputs) > 1 else True) as bar:
        for item in bar:
            try:
                record, remarks = _score(item, options)
            except NoPicture as other:
                _complain(f"{other}; skipped", 0)
                continue
            except (FsrcnnError, PiqeError) as error:
                problem = (
                    str(error) if str(Path(item.path.partition("::")[0])) in str(error) else f"{item.path}: {error}"
                )
            except MemoryError:
                problem = f"{item.path}: not enough memory; use a smaller image or a machine with more"
            except Exception as error:  # a fault of ours: still one line, and the rest of the batch
                problem = f"{item.path}: unexpected {type(error).__name__}: {error}; please report it"
            else:
                records.append(record)
                for remark in remarks:
                    _complain(f"{item.path}: {remark}", 0)
                if options.csv:
                    if len(records) == failed + 1:
                        _say(bar, _csv_line(record))
                    values = (f"{value:.4f}" if name == "score" else value for name, value in record.items())
                    _say(bar, _csv_line(values))
                elif not options.json:
                    _say(bar, _text_line(record))
                continue
            failed += _complain(problem, 1)
            records.append({"input": item.path, "error": problem})
    if options.json:
        print(json.dumps(records, indent=2))
    return 1 if failed else 0


def _score(item: Input, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """One input's record, and remarks for the user."""
    from .files import read

    if item.error:
        raise ImageError(item.error)
    picture = read(item.path, allow=["alpha"])
    declared = picture.data_range if options.data_range is None else None
    wanted = options.data_range if declared is None else declared
    result = piqe(picture.pixels, data_range=wanted, threads=options.threads, engine=options.engine)
    if declared is not None:
        result = replace(result, scaling=result.scaling._replace(source=picture.data_range_origin))
    remarks = [*picture.remarks, *result.remarks]
    if options.data_range is None and picture.range_doubt:
        remarks.append(picture.range_doubt)
    if options.masks:
        remarks += _write_masks(options.masks / item.stem, picture.pixels, result, overwrite=options.overwrite)
    active, artifact, noise = result.block_shares
    return {
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
    }, remarks


def _write_masks(stem: Path, pixels: np.ndarray, result: PiqeResult, *, overwrite: bool) -> list[str]:
    """Three masks and the overlay beside each other; a line for each that existed and was kept."""
    from .files import OutputExists, write

    pictures: dict[str, Callable[[], np.ndarray]] = {
        "activity": lambda: result.activity_mask,
        "noticeable_artifacts": lambda: result.noticeable_artifacts_mask,
        "noise": lambda: result.noise_mask,
        "overlay": lambda: overlay(pixels, result),
    }
    kept = []
    for name, picture in pictures.items():
        found = picture()
        try:
            write(
                stem.with_name(f"{stem.name}_{name}.png"),
                found.astype(np.uint8) * 255 if found.dtype == bool else found,
                overwrite=overwrite,
            )
        except OutputExists as error:
            kept.append(str(error))
    return kept


def _text_line(record: dict[str, Any]) -> str:
    scaled = Scaling(record["low"], record["high"], record["scaling"])
    return f"{printable(record['input'])}: {record['score']:.4f}  {record['band']}  (scaled from {scaled})"


def _csv_line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)  # what ends a line is quoted inside a value
    return line.getvalue()[:-1]


def _say(bar: Any, line: str) -> None:
    with bar.external_write_mode(file=sys.stdout):
        print(line, flush=True)


def _complain(text: str, status: int) -> int:
    return complain("piqe-np", text, status)
