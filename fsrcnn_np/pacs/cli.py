"""`fsrcnn-np dicom check …`: words in, words out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_commands(subparsers: Any) -> None:
    """Add `dicom` to the commands of `fsrcnn-np`; `options.run` does what was asked for."""
    dicom = subparsers.add_parser("dicom", help="derived DICOM objects: check them")
    commands = dicom.add_subparsers(title="commands", metavar="COMMAND", required=True)

    check = commands.add_parser("check", help="hold a derived object against its source, rule by rule")
    check.add_argument("source", type=Path, metavar="SOURCE")
    check.add_argument("derived", type=Path, metavar="DERIVED")
    check.add_argument("--remap-uids", default="", metavar="TEXT", help="with which the derived object's were mapped")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=run_check)


def run_check(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom check`: status 1 where a rule is broken that the source does not break itself."""
    from ..files.dicom.check import check_files

    found = check_files(options.source, options.derived, remap_uids=options.remap_uids)
    own = [breach for breach in found if not breach.inherited]
    if options.json:
        record = {"source": str(options.source), "derived": str(options.derived), "passed": not own}
        print(json.dumps(record | {"breaches": [breach.as_dict() for breach in found]}, indent=2))
    else:
        print(*found, sep="\n", end="\n" if found else "")
        print(f"{options.derived}: {len(own)} rules broken, {len(found) - len(own)} as in the source")
    return 1 if own else 0
