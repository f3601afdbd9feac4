"""The `fsrcnn-np` command: words in, words out; no arithmetic.

Exit status: 0 all well (an output that the same means made of the same input is kept: a line, not a failure), 1 some
inputs failed (each named in one line, the others done; an output made otherwise is one of them), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import glob
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from piqe_np.console import command, complain
from piqe_np.errors import PiqeError
from piqe_np.line import printable

from . import command_options
from .command_completion import add_completion
from .command_parser import Parser, finished, parse
from .engine import DEFAULT, ENGINES, engine_named
from .errors import DiskFullError, FormatError, FsrcnnError, OptionError, part_of_the_call
from .progress import Progress, bar
from .range_table import range_of, range_or_table, unmatched
from .run_log import FAILED, KEPT, SKIPPED, WRITTEN, RunLog, one_line, run_options, stops
from .version import __version__

if TYPE_CHECKING:
    from .files import Input
    from .network.weights import Weights
    from .study.job import Compared


_One = Callable[["Input", Progress], str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""

    def body() -> int:
        options = parse(command_parser(), arguments)
        try:
            return int(options.run(options))
        except DiskFullError as error:  # so would all that follow
            return _complain(f"{error}; stopped", 1)

    return command("fsrcnn-np", body, (FsrcnnError, PiqeError))


def command_parser() -> Parser:
    """Every command and option there is."""
    from .files import WRITTEN
    from .files.dicom import TRANSFER_SYNTAXES
    from .files.reading import ALLOWANCES

    parser = Parser(
        prog="fsrcnn-np", description="FSRCNN super-resolution of mammograms and other pictures, x2 to x4, on the CPU."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    job = commands.add_parser("upscale", help="super-resolve files; same format, dtype and bit depth")
    _add_inputs(job)
    job.add_argument(
        "-o",
        "--output",
        required=True,
        action=command_options.Destination,
        metavar="DIR|FILE",
        help="folder for the results; or, of one input, the file to write: its suffix converts; - is standard output",
    )
    job.add_argument(
        "--format",
        choices=[suffix[1:] for suffix in WRITTEN],
        metavar="SUFFIX",
        help="of -o -: png, tif, npy, …; default: the input's own format",
    )
    _add_job_options(job, table=True)
    job.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=ALLOWANCES,
        help="leave out transparency; of DICOM: images with Burned In Annotation; clear bits above Bits Stored",
    )
    job.add_argument(
        "--transfer-syntax",
        default="explicit",
        choices=tuple(TRANSFER_SYNTAXES),
        help="of DICOM: how pixels are encoded, always without loss (explicit: uncompressed)",
    )
    job.add_argument(
        "--remap-uids",
        type=command_options.words,
        default="",
        metavar="TEXT",
        help="of DICOM: map every UID with this text, references too; the same text maps alike",
    )
    job.add_argument(
        "--presentation-states",
        action="store_true",
        help="of DICOM: carry presentation states among the inputs over to the results that they refer to",
    )
    job.add_argument(
        "--sidecar",
        action="store_true",
        help="where a format has no place for what made the file (NPY, PGM, BMP, …): write NAME.provenance.json beside",
    )
    run_options(job)
    job.set_defaults(run=upscale)

    job = commands.add_parser(
        "compare", help="original, bicubic and SR side by side: PIQE table (text, CSV, JSON) and a figure"
    )
    _add_inputs(job)
    _add_output(job)
    _add_job_options(job, table=True)
    job.add_argument("--wide", action="store_true", help="comparison.csv with one row an image, not one a score")
    job.add_argument(
        "--square",
        type=_square,
        metavar="ROW,COLUMN[,SIDE]",
        help="what to magnify, in pixels of the original (upper left corner); default: the brightest small spots",
    )
    run_options(job)
    job.set_defaults(run=compare)

    job = commands.add_parser("demo", help="the whole job on a procedural phantom; needs no file")
    _add_output(job)
    _add_job_options(job, data_range=False)
    job.add_argument("--seed", type=int, default=0, help="of the phantom (default 0)")
    job.set_defaults(run=demo)

    from .convert.cli import add_commands as add_weights
    from .files.cli import add_commands as add_provenance
    from .pacs.cli import add_commands as add_dicom
    from .phantom.cli import add_commands as add_phantom
    from .phantom.measure.cli import add_commands as add_measure
    from .reader.cli import add_commands as add_reading
    from .study.cli import add_commands as add_study

    add_provenance(commands)
    add_phantom(commands)
    add_measure(commands)
    add_weights(commands)
    add_reading(add_study(commands))
    add_dicom(commands)
    return finished(add_completion(parser), f"fsrcnn-np {__version__}")


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder, glob, or file.h5::/dataset")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", required=True, type=command_options.folder, metavar="DIR", help="folder for the results"
    )


def _add_job_options(parser: argparse.ArgumentParser, *, data_range: bool = True, table: bool = False) -> None:
    parser.add_argument("--weights", default="x2", metavar="NAME|FILE", help="a shipped model's name, or a file (x2)")
    if data_range:
        parser.add_argument(
            "--data-range",
            type=range_or_table if table else command_options.data_range,
            metavar="R|LOW:HIGH|CSV" if table else "R|LOW:HIGH",
            help="values of black and white: 4095 for 12 bits in 16, -2048:2047 with a sign"
            + ("; or a CSV file with the columns path and data_range" if table else "")
            + "; default: the file's own, else the dtype's",
        )
    parser.add_argument("--threads", type=int, metavar="N", help="default: $FSRCNN_NP_THREADS, else the CPUs available")
    parser.add_argument("--engine", choices=tuple(ENGINES), help=f"default: {DEFAULT}, the fastest")
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist; otherwise they are kept")


def _square(text: str) -> tuple[int, ...]:
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (2, 3) or min(values, default=-1) < 0 or (len(values) == 3 and values[2] < 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not ROW,COLUMN or ROW,COLUMN,SIDE in whole pixels")
    return values


def upscale(options: argparse.Namespace) -> int:
    """`fsrcnn-np upscale`."""
    from . import files
    from .cli_streams import streamed, upscale_streams
    from .pipeline import FileJob
    from .upscale_files import upscaled_files

    settings = {
        "weights": _checked(options),
        "threads": options.threads,
        "engine": options.engine,
        "overwrite": options.overwrite,
        "allow": options.allow,
        "transfer_syntax": options.transfer_syntax,
        "remap_uids": options.remap_uids,
        "sidecar": options.sidecar,
    }
    if streamed(options):
        return upscale_streams(options, settings)
    inputs = files.find_inputs(options.inputs, without=options.output)
    one_file = _one_file(options, inputs)
    log = RunLog(options, several=len(inputs) > 1)
    for line in unmatched(options.data_range, inputs):
        log.warn(line)

    def begun(item: files.Input) -> FileJob:
        place = options.output if one_file else options.output / item.name
        return FileJob(item.path, place, data_range=range_of(options.data_range, item.path)[0], **settings)

    def each(items: Sequence[Input]) -> None:
        with upscaled_files([partial(begun, item) for item in items if not item.error]) as following:

            def one(item: Input, progress: Progress) -> str:
                done = following(progress)
                remarks = [*range_of(options.data_range, item.path)[1], *done.remarks]
                log.note(output=done.path, range=str(done.value_range), remarks=remarks)
                log.note(source_sha256=done.provenance.source_sha256, seconds=round(done.seconds, 3))
                size = "×".join(map(str, done.shape))
                return one_line(f"{done.path}: {size}, range {done.value_range}, {done.seconds:.1f} s", remarks)

            _each(items, one, log)

    with log.summing_up():
        if options.presentation_states:
            _with_states(options, inputs, each, log)
        else:
            each(inputs)
    return log.status


def _with_states(
    options: argparse.Namespace, inputs: Sequence[Input], each: Callable[[Sequence[Input]], None], log: RunLog
) -> None:
    """The images first, then the presentation states that refer to them."""
    from .files.dicom import carry_over, is_state

    states = [item for item in inputs if not item.error and is_state(Path(item.path))]
    images = [item for item in inputs if item not in states]
    each(images)
    results = [(Path(item.path), options.output / item.name) for item in images if not item.error]
    results = [pair for pair in results if all(path.is_file() for path in pair)]

    def carried(item: Input, progress: Progress) -> str:
        place = options.output / item.name
        remarks = carry_over(
            Path(item.path), results, place, remap_uids=options.remap_uids, overwrite=options.overwrite
        )
        log.note(output=place, remarks=remarks)
        return one_line(f"{place}: a presentation state, carried over", remarks)

    _each(states, carried, log)


def _one_file(options: argparse.Namespace, inputs: Sequence[Input]) -> bool:
    """Whether `-o` is the file to write, rather than a folder."""
    from . import files

    output: Path = options.output
    if not options.folder_meant and files.names_a_file(output):
        if len(inputs) != 1:
            raise OptionError(f"{output} names a file, but {len(inputs)} inputs were found; give a folder")
        return True
    source, suffix = Path(options.inputs[0]), output.suffix
    several = len(options.inputs) > 1 or len(inputs) != 1 or source.is_dir() or glob.has_magic(options.inputs[0])
    if several or options.folder_meant or output.is_dir() or not suffix[1:2].isalpha():
        return False
    if suffix.lower() == source.suffix.lower():
        return True
    raise OptionError(
        f"{output}: {suffix} names no format; of one input a file can be written that ends with one of "
        f"{', '.join(files.WRITTEN)}; if a folder is meant, end it with a slash: {output}/"
    )


def compare(options: argparse.Namespace) -> int:
    """`fsrcnn-np compare`."""
    from . import files
    from .files.inputs import check_apart

    model = _checked(options)
    check_apart(options.inputs, options.output)
    inputs = files.find_inputs(options.inputs, without=options.output)
    log = RunLog(options, states=("compared", KEPT, SKIPPED, FAILED), several=len(inputs) > 1)
    for line in unmatched(options.data_range, inputs):
        log.warn(line)
    with log.summing_up():
        _compare_each(options, inputs, model, log)
    return log.status


def _compare_each(options: argparse.Namespace, inputs: Sequence[Input], model: Weights, log: RunLog) -> None:
    from . import files
    from .drawing import can_draw
    from .study.job import compare_files

    done = []
    suffix = ".png" if can_draw(log.warn) else None
    with bar("compare", hidden=log.quiet) as progress:
        outcomes = compare_files(
            inputs,
            options.output,
            weights=model,
            data_range=options.data_range,
            square=options.square,
            suffix=suffix,
            threads=options.threads,
            engine=options.engine,
            overwrite=options.overwrite,
            wide=options.wide,
            progress=progress,
        )
        for outcome, item in zip(outcomes, inputs, strict=False):  # to its end, where it renews the tables
            if isinstance(outcome, files.NoPicture):
                log.end(item.path, SKIPPED, "no-picture", f"{outcome}; skipped")
            elif isinstance(outcome, Exception):
                log.failed(item.path, outcome)
                if stops(outcome):
                    break
            else:
                done.append(outcome)
                _log_compared(item.path, outcome, log)
    log.say(*_about_tables(options.output, done))


def _log_compared(path: str, done: Compared, log: RunLog) -> None:
    lines = [*_shown(done), ""]
    if done.comparison is None:
        log.end(path, KEPT, "exists", f"{done.kept[0]} exists and was kept", lines=lines)
        return
    scores = [score._asdict() for score in done.comparison.scores]
    log.note(output=done.written[0], range=str(done.comparison.value_range), remarks=[*done.remarks], scores=scores)
    log.end(path, log.states[0], lines=lines)


def demo(options: argparse.Namespace) -> int:
    """`fsrcnn-np demo`."""
    from .drawing import can_draw
    from .study.demo import demo as run

    model = _checked(options)
    suffix = ".png" if can_draw(lambda line: _complain(line, 0)) else None
    with bar("demo") as progress:
        done = run(
            options.output,
            seed=options.seed,
            weights=model,
            suffix=suffix,
            threads=options.threads,
            engine=options.engine,
            overwrite=options.overwrite,
            progress=progress,
        )
    print(*map(printable, [*_shown(done), "", *_about_tables(options.output, [done])]), sep="\n", flush=True)
    return 0


def _shown(done: Compared) -> list[str]:
    """A comparison's table, where its picture went, and a line of remarks."""
    from .study.table import block, record

    lines = []
    if done.comparison is not None:
        lines += block(record(done.comparison) | {"input": printable(done.name)}).splitlines()
    lines += [f"wrote {path}" for path in done.written if path.stem != "comparison"]  # the tables of all come last
    lines += [f"{path} exists and was kept; --overwrite replaces it" for path in done.kept]
    return [*lines, f"{done.name}: {'; '.join(done.remarks)}"] if done.remarks else lines


def _about_tables(folder: Path, done: Sequence[Compared]) -> list[str]:
    """Where the tables of all are, and what has to be known to read them."""
    from .study.table import NOTES

    if all(one.comparison is None for one in done):
        return []
    return [*NOTES, f"wrote {folder / 'comparison'}.txt, .csv and .json"]


def _checked(options: argparse.Namespace) -> Weights:
    """What would fail for every input is wrong usage: found out before the first."""
    from piqe_np.compiled import thread_count

    from .convert import load_weights

    thread_count(options.threads, "FSRCNN_NP_THREADS", OptionError)
    engine_named(options.engine)
    with part_of_the_call():
        return load_weights(options.weights)


def _each(inputs: Sequence[Input], one: _One, log: RunLog) -> None:
    """Every input in turn: its line on success, one line on failure, and on to the next."""
    for number, item in enumerate(inputs, 1):
        label = item.name if len(inputs) == 1 else f"{number}/{len(inputs)} {item.name}"
        if not _one_of_them(item, label, one, log):
            break


def _one_of_them(item: Input, label: str, one: _One, log: RunLog) -> bool:
    """Whether the run goes on."""
    from .files import NoPicture, OutputExists

    log.begin()
    try:
        if item.error:
            raise (NoPicture if item.skipped else FormatError)(item.error)
        with bar(label, hidden=log.quiet) as progress:
            line = one(item, progress)
    except OutputExists as kept:
        log.end(item.path, KEPT, "exists", str(kept))
    except NoPicture as other:
        log.end(item.path, SKIPPED, "no-picture", f"{other}; skipped")
    except Exception as error:
        log.failed(item.path, error)
        return not stops(error)
    else:
        log.end(item.path, WRITTEN, lines=[line])
    return True


def _complain(text: str, status: int) -> int:
    return complain("fsrcnn-np", text, status)
