"""`fsrcnn-np measure`: words in, words out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.console import complain, say

from ...command_options import folder

if TYPE_CHECKING:
    from .run import Measurement

Job = tuple[Path, Callable[[], object]]


def add_commands(subparsers: Any) -> None:
    """Add `measure` to the commands of `fsrcnn-np`; `options.run` does what was asked for and gives the exit status."""
    job = subparsers.add_parser(
        "measure", help="contrast, sharpness, noise and detectability of calcifications, on digital breasts"
    )
    job.add_argument("-o", "--output", required=True, type=folder, metavar="DIR", help="folder for tables and figures")
    job.add_argument("--weights", default="x2", metavar="NAME|FILE", help="a shipped model's name, or a file (x2)")
    job.add_argument("--seed", type=int, default=0, help="of breasts and noise (default 0)")
    job.add_argument("--quick", action="store_true", help="one diameter, small breasts: to see that it works")
    job.add_argument("--threads", type=int, metavar="N", help="default: $FSRCNN_NP_THREADS, else the CPUs available")
    job.add_argument("--overwrite", action="store_true", help="replace outputs that exist; otherwise they are kept")
    job.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """`fsrcnn-np measure`: tables always, figures where matplotlib is there."""
    from ...errors import FileError, FsrcnnError
    from ...files import OutputExists
    from ...progress import bar
    from . import figures
    from .run import measure

    drawn = True
    try:
        figures.check()
    except FileError as missing:
        drawn = False
        complain("fsrcnn-np", f"tables without figures: {missing}", 0)
    names = [f"measure{suffix}" for suffix in (".txt", ".csv", ".json")]
    if drawn:
        names += [f"measure_{name}{s}" for name in ("thresholds", "curves", "patches") for s in figures.SUFFIXES]
    paths = [options.output / name for name in names]
    if not options.overwrite and all(path.exists() for path in paths):
        for path in paths:
            say(f"{path}: exists already and is kept; --overwrite replaces it")
        return 0
    with bar("measure") as progress:
        found = measure(
            weights=options.weights, seed=options.seed, quick=options.quick, threads=options.threads, progress=progress
        )
    failed = 0
    for path, write in _jobs(found, options, drawn):
        try:
            write()
        except OutputExists as kept:
            say(str(kept))
        except FsrcnnError as error:
            failed += complain("fsrcnn-np", str(error), 1)
        else:
            say(f"wrote {path}")
    return 1 if failed else 0


def _jobs(found: Measurement, options: argparse.Namespace, drawn: bool) -> Iterator[Job]:
    """Every output and what writes it; the tables first, on the screen too."""
    from functools import partial

    from ...files import write_text
    from . import figures, table

    text = table.text(found)
    say(text)
    renders = ((".txt", text), (".csv", table.csv(found)), (".json", table.json(found)))
    for suffix, content in renders:
        path = options.output / f"measure{suffix}"
        yield path, partial(write_text, path, content, overwrite=options.overwrite)
    if drawn:
        pictures = {"thresholds": figures.thresholds(found), "curves": figures.curves(found)}
        pictures["patches"] = figures.patches(found, options.weights, options.threads)
        for name, figure in pictures.items():
            for suffix in figures.SUFFIXES:
                path = options.output / f"measure_{name}{suffix}"
                yield path, partial(figures.write, figure, path, overwrite=options.overwrite)
