"""`fsrcnn-np study …`: words in, words out; no arithmetic."""

from __future__ import annotations

from typing import Any


def add_commands(subparsers: Any) -> None:
    """Add `study` to the commands of `fsrcnn-np`; `options.run` does what was asked for and gives the exit status."""
    study = subparsers.add_parser("study", help="a cohort through the paper's analysis: run, tables, report")
    commands = study.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_tables(commands)


def _add_tables(commands: Any) -> None:
    """`table1 | table2 | table3 | report`."""
