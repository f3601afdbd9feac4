"""`fsrcnn-np provenance FILE…`: what made these files."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from fsrcnn_np.run_log import FAILED, KEPT, SKIPPED, RunLog, run_options


def add_commands(subparsers: Any) -> None:
    """Add `provenance` to the commands of `fsrcnn-np`; `options.run` gives the exit status."""
    job = subparsers.add_parser("provenance", help="what made an output: version, model, value range, source's sha256")
    job.add_argument("inputs", nargs="+", metavar="FILE", help="what upscale wrote")
    run_options(job)
    job.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """`fsrcnn-np provenance`: 1 where a file does not say what made it."""
    from ..errors import FsrcnnError
    from .made import provenance

    log = RunLog(options, states=("told", KEPT, SKIPPED, FAILED), several=False)
    with log.summing_up():
        for path in options.inputs:
            try:
                found = provenance(path)
            except FsrcnnError as error:
                log.failed(path, error)
                continue
            if found is None:
                log.end(path, FAILED, "no-provenance", f"{path}: does not say what made it")
                continue
            log.note(**asdict(found))
            lists = {"allow": ", ".join(found.allow), "settings": ", ".join(found.settings)}
            facts = {**asdict(found), **lists, "value_range": found.value_range}
            lines = [f"  {name:15} {value}" for name, value in facts.items() if value not in ("", None)]
            log.end(path, "told", lines=[path, *lines])
    return log.status
