"""`fsrcnn-np study report RESULTS`: words in, words out; no arithmetic."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from piqe_np.console import complain, say

from .cli_tables import PRESETS


def add_commands(commands: Any) -> None:
    """Add `report` to the commands of `fsrcnn-np study`."""
    job = commands.add_parser("report", help="report.html of a study's results, with tables and figures beside it")
    job.add_argument("results", metavar="RESULTS", type=Path, help="folder that `study run` made")
    job.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the report (RESULTS)")
    job.add_argument("--ratings", metavar="RATINGS.csv", help="the readers', in place of those in the store")
    job.add_argument("--preset", choices=PRESETS, default=PRESETS[0], help="how to test ratings (r-3.6, the paper's)")
    job.add_argument("--unit", choices=("breast", "image"), default="breast", help="what Table 3 counts (breast)")
    job.add_argument("--best", metavar="IMAGE", help="for the plates; default: the best rated")
    job.add_argument("--worst", metavar="IMAGE", help="for the plates; default: the worst rated")
    job.add_argument("--no-plates", action="store_true", help="none, which saves enlarging two images again")
    job.add_argument("--images", metavar="DIR", help="where the cohort's images lie now, if they were moved")
    job.add_argument("--weights", metavar="NAME|FILE", help="for the plates, if the study's model is none that ships")
    job.add_argument("--threads", type=int, metavar="N", help="default: $FSRCNN_NP_THREADS, else the CPUs available")
    job.add_argument("--overwrite", action="store_true", help="replace another report; otherwise it is kept")
    job.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """`fsrcnn-np study report`."""
    from ..errors import part_of_the_call
    from ..files import OutputExists
    from .report import write_report
    from .store import read_study

    weights = None
    if options.weights:
        from ..convert import load_weights

        with part_of_the_call():
            weights = load_weights(options.weights)
    study = read_study(options.results)
    if options.images:
        study = replace(study, folder=str(Path(options.images).resolve()))
    said: list[str] = []
    if options.ratings:
        from .ratings_file import read_ratings

        file = read_ratings(options.ratings)
        study = replace(study, ratings=file.ratings, left_out=(*study.left_out, *file.left_out))
        said = [*file.remarks, *map(str, file.left_out)]
    try:
        done = write_report(
            study,
            options.output or options.results,
            preset=options.preset,
            unit=options.unit,
            best=options.best,
            worst=options.worst,
            plates=not options.no_plates,
            weights=weights,
            threads=options.threads,
            overwrite=options.overwrite,
        )
    except OutputExists as kept:
        say(str(kept))
        return 0
    for line in (*said, *map(str, done.left_out)):
        complain("fsrcnn-np", line, 1)
    say(f"wrote {done.path}, and beside it {len(done.written) - 1} tables and figures")
    return 1 if said or done.left_out else 0
