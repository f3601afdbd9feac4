"""`fsrcnn-np measure`: words in, words out."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.console import complain, say

from ...command_options import folder

if TYPE_CHECKING:
    from ...files import Provenance
    from ...network.weights import Weights
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
    from ...drawing import can_draw
    from ...errors import DiskFullError, FsrcnnError, part_of_the_call
    from ...files import OutputExists
    from ...files.atomic import check_writable
    from ...pipeline import loaded
    from ...progress import bar
    from . import figures
    from .run import check_seed, measure

    drawn = can_draw(lambda line: complain("fsrcnn-np", line, 0))
    check_seed(options.seed)
    with part_of_the_call():
        model = loaded(options.weights)
    made = _made_by(model, options)
    names = [f"measure{suffix}" for suffix in (".txt", ".csv", ".json")]
    if drawn:
        names += [f"measure_{name}{s}" for name in ("thresholds", "curves", "patches") for s in figures.SUFFIXES]
    kept = [] if options.overwrite else [name for name in names if _is_there(options.output / name, made)]
    if kept:
        say(f"{options.output}: {', '.join(kept)} exist already and are kept; --overwrite replaces them")
    if len(kept) == len(names):
        return 0
    check_writable(options.output / names[0])
    with bar("measure") as progress:
        found = measure(
            weights=model, seed=options.seed, quick=options.quick, threads=options.threads, progress=progress
        )
    failed = 0
    for path, write in _jobs(found, options, made, drawn):
        if path.name in kept:
            continue
        try:
            write()
        except OutputExists as there:  # of a run that was killed before its JSON was written
            say(str(there))
        except DiskFullError:
            raise
        except FsrcnnError as error:
            failed += complain("fsrcnn-np", str(error), 1)
        else:
            say(f"wrote {path}")
    return 1 if failed else 0


def _made_by(model: Weights, options: argparse.Namespace) -> Provenance:
    from ...files.record import made_by
    from ...pipeline import model_name

    return made_by(
        "Measurements on digital breasts", "measure", settings={"seed": options.seed, "quick": options.quick},
        scale=model.architecture.scale, model=model_name(model), sha256=model.sha256,
    )  # fmt: skip


def _is_there(path: Path, wanted: Provenance) -> bool:
    """Whether an output is there that would come out again; raises OutputDiffers of another.

    A text or CSV has no place for what made it: its digest is in the JSON that was written with it.
    """
    from ...files import OutputExists
    from ...files.made import check_free, in_json
    from ...files.picture import differs

    tables = path.with_name("measure.json")
    if path.suffix in (".txt", ".csv"):
        if not path.exists() or not tables.exists():
            return False
        if in_json(tables, path.name) != hashlib.sha256(path.read_bytes()).hexdigest():
            raise differs(path, f"exists, and is not the one that {tables.name} was written with")
        return True
    try:
        check_free(path, wanted, overwrite=False)
    except OutputExists:
        return True
    return False


def _jobs(found: Measurement, options: argparse.Namespace, made: Provenance, drawn: bool) -> Iterator[Job]:
    """Every output and what writes it; the tables first, on the screen too."""
    from functools import partial

    from ...files import write_text
    from ...files.record import text_of
    from . import figures, table

    texts = {".txt": table.text(found), ".csv": table.csv(found)}
    say(texts[".txt"])
    digests = {f"measure{suffix}": hashlib.sha256(text.encode()).hexdigest() for suffix, text in texts.items()}
    texts[".json"] = table.json(found, json.loads(text_of(made, **digests)))
    for suffix, content in texts.items():
        path = options.output / f"measure{suffix}"
        yield path, partial(write_text, path, content, overwrite=options.overwrite)
    if drawn:
        pictures = {"thresholds": figures.thresholds(found), "curves": figures.curves(found)}
        pictures["patches"] = figures.patches(found, options.weights, options.threads)
        for name, figure in pictures.items():
            for suffix in figures.SUFFIXES:
                path = options.output / f"measure_{name}{suffix}"
                yield path, partial(figures.write, figure, path, provenance=made, overwrite=options.overwrite)
