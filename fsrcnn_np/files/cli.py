"""`fsrcnn-np provenance FILE…`: what made these files."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from piqe_np.console import complain, say


def add_commands(subparsers: Any) -> None:
    """Add `provenance` to the commands of `fsrcnn-np`; `options.run` gives the exit status."""
    job = subparsers.add_parser("provenance", help="what made an output: version, model, value range, source's sha256")
    job.add_argument("inputs", nargs="+", metavar="FILE", help="what upscale wrote")
    job.add_argument("--json", action="store_true", help="one record a line, for programs")
    job.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """`fsrcnn-np provenance`: 1 where a file does not say what made it."""
    from ..errors import FsrcnnError
    from .made import provenance

    failed = 0
    for path in options.inputs:
        try:
            found = provenance(path)
        except FsrcnnError as error:
            failed += complain("fsrcnn-np", str(error), 1)
            continue
        if found is None:
            failed += complain("fsrcnn-np", f"{path}: does not say what made it", 1)
        elif options.json:
            print(json.dumps({"path": path, **asdict(found)}))
        else:
            facts = {**asdict(found), "value_range": found.value_range, "allow": ", ".join(found.allow)}
            say(
                "\n".join([path, *(f"  {name:15} {value}" for name, value in facts.items() if value not in ("", None))])
            )
    return 1 if failed else 0
