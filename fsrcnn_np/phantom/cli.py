"""`fsrcnn-np phantom -o DIR`: words in, words out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..command_options import folder
from ..run_log import KEPT, WRITTEN, RunLog, run_options, stops
from .anatomy import DENSITIES
from .calcifications import MORPHOLOGIES
from .distributions import DISTRIBUTIONS

if TYPE_CHECKING:
    from .draw import Phantom


def add_commands(subparsers: Any) -> None:
    """Add `phantom` to the commands of `fsrcnn-np`; `options.run` does what was asked for and gives the exit status."""
    from . import processing
    from .draw import NONE, VIEWS

    job = subparsers.add_parser("phantom", help="mammograms of nobody with known calcifications; truth as JSON")
    job.add_argument("-o", "--output", required=True, type=folder, metavar="DIR", help="folder for the results")
    job.add_argument("--seed", type=int, default=0, help="of the first (default 0)")
    job.add_argument(
        "--count", type=int, default=1, metavar="N", help="how many, of seeds one after another (default 1)"
    )
    job.add_argument("--density", choices=tuple(DENSITIES), default="c")
    job.add_argument("--morphology", choices=(*MORPHOLOGIES, NONE), default="fine pleomorphic")
    job.add_argument("--distribution", choices=DISTRIBUTIONS, help="default: grouped")
    job.add_argument("--view", choices=VIEWS, default="CC")
    job.add_argument("--dose", type=float, default=1.0, help="over that of a usual exposure (default 1)")
    job.add_argument("--shape", type=int, nargs=2, default=(3328, 2560), metavar=("ROWS", "COLUMNS"))
    job.add_argument("--preset", choices=tuple(processing.PRESETS), help="how it is processed (default noisy)")
    job.add_argument("--raw", action="store_true", help="the detector's 14-bit counts instead of the processed picture")
    job.add_argument(
        "--format", choices=("png", "tif", "dicom"), default="png", help="dicom: the labels as PNG; needs its extra"
    )
    job.add_argument("--overwrite", action="store_true", help="replace outputs that exist; otherwise they are kept")
    run_options(job)
    job.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """`fsrcnn-np phantom`."""
    from ..errors import FsrcnnError, OptionError
    from .draw import phantom

    _check(options)
    if options.format == "dicom":
        from ..files.dicom.library import import_pydicom

        import_pydicom()  # or one line, before anything is drawn
    log = RunLog(options, several=options.count > 1)
    with log.summing_up():
        for seed in range(options.seed, options.seed + options.count):
            log.begin()
            try:
                drawn = phantom(
                    seed, density=options.density, morphology=options.morphology, distribution=options.distribution,
                    view=options.view, dose=options.dose, shape=tuple(options.shape), processed=not options.raw,
                    preset=options.preset,
                )  # fmt: skip
                _write(drawn, options, log)
            except OptionError:  # so would be all
                raise
            except FsrcnnError as error:
                log.failed(f"phantom_{seed}", error)
                if stops(error):
                    break
    return log.status


def _check(options: argparse.Namespace) -> None:
    """Raise an OptionError of options that go for no phantom, or not together; fill those that were left out."""
    from ..errors import OptionError
    from .draw import MOST_SEED, NONE

    if not 1 <= options.count <= 10_000:
        raise OptionError(f"--count is {options.count}; allowed are 1 to 10000")
    if options.raw and options.preset is not None:
        raise OptionError("--raw is what comes before processing, and --preset says how to process; give one of them")
    if options.morphology == NONE and options.distribution is not None:
        raise OptionError(
            "--distribution is of calcifications, and --morphology none draws none; leave one of them out"
        )
    if options.count > 1 and options.seed + options.count - 1 > MOST_SEED:
        raise OptionError(
            f"--seed and --count lead to {options.seed + options.count - 1}; allowed are seeds up to 2**64 - 1"
        )
    options.distribution = options.distribution or "grouped"
    options.preset = options.preset or "noisy"


def _write(drawn: Phantom, options: argparse.Namespace, log: RunLog) -> None:
    """The picture, the labels and the truth, each whole or not at all; a line for the three."""
    from functools import partial

    from ..files import OutputExists, write
    from ..files.atomic import write_bytes
    from .dicom_object import encoded
    from .provenance import of_phantom

    facts = json.dumps(described(drawn), indent=1).encode() + b"\n"
    stem, suffix = f"phantom_{drawn.seed}", f".{options.format}"
    of_pixels = of_phantom(drawn.parameters, data_range=drawn.data_range)
    picture: dict[str, Callable[..., object]] = {
        f"{stem}{suffix}": partial(write, pixels=drawn.pixels, provenance=of_pixels)
    }
    if options.format == "dicom":
        picture, suffix = {f"{stem}.dcm": partial(write_bytes, data=encoded(drawn))}, ".png"
    of_labels = of_phantom(drawn.parameters, part="labels")
    jobs: dict[str, Callable[..., object]] = {  # the truth first: pictures beside it are its own
        f"{stem}.json": partial(write_bytes, data=facts),
        **picture,
        f"{stem}_labels{suffix}": partial(write, pixels=drawn.labels, provenance=of_labels),
    }
    written, kept = [], []
    for name, job in jobs.items():
        path = Path(options.output, name)
        try:
            job(path, overwrite=options.overwrite)
            written.append(str(path))
        except OutputExists:
            kept.append(str(path))
    said = [f"wrote {', '.join(written)}"] if written else []
    said += [f"kept {', '.join(kept)}, which --overwrite replaces"] if kept else []
    log.note(output=Path(options.output, *picture))
    log.end(stem, WRITTEN if written else KEPT, "" if written else "exists", lines=["; ".join(said)])


def described(drawn: Phantom) -> dict[str, Any]:
    """What is true of a phantom, as JSON has it; rows and columns in pixels, lengths in mm."""
    return {
        "parameters": drawn.parameters._asdict(),
        "data_range": drawn.data_range,
        "pixel_spacing_mm": drawn.pixel_spacing,
        "calcifications": [{"label": number, **one._asdict()} for number, one in enumerate(drawn.calcifications, 1)],
    }
