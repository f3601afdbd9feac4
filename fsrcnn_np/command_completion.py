"""`--print-completion SHELL`: a script that completes the command's words, written by shtab from the parser.

It is a static file: pressing Tab starts no Python.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any

from .command_parser import Parser, every
from .errors import MissingExtraError, OptionError

#: words of help that stand for a file or a folder
_FILE = re.compile(r"\b(FILE|INPUT|PATH|PEM|IN|OUT|SOURCE|DERIVED|COHORT|RESULTS)\b")


def add_completion(parser: Parser) -> Parser:
    """Add the option to a command; gives the parser back."""
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        metavar="SHELL",
        help="print what completes this command's words in bash, zsh, fish …, and exit; needs the extra completion",
    )
    return parser


class PrintCompletion(argparse.Action):
    """Print the script and end, as --help does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the script for the shell that was named."""
        assert isinstance(parser, Parser)
        print(script(parser, str(values)))
        parser.exit()


def script(parser: Parser, shell: str) -> str:
    """The completion script of a command for a shell.

    Raises
    ------
    MissingExtraError
        shtab is not installed.
    OptionError
        It knows no such shell.
    """
    try:
        import shtab
    except ImportError as error:
        raise MissingExtraError("completion scripts need shtab: pip install 'fsrcnn-np[completion]'") from error
    if shell not in shtab.SUPPORTED_SHELLS:
        known = ", ".join(shtab.SUPPORTED_SHELLS)
        raise OptionError(f"--print-completion is {shell!r}; allowed are {known} (more with a newer shtab)")
    for one in every(parser):
        for action in one._actions:
            meant = _files(action)
            if meant:
                action.complete = {"folder": shtab.DIR, "file": shtab.FILE}[meant]  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _files(action: argparse.Action) -> str:
    """What the shell shall offer for an argument: "file", "folder", or "" for nothing of either kind."""
    if action.choices or action.nargs == 0:
        return ""
    name = str(action.metavar or action.dest).upper()
    return "folder" if name == "DIR" else "file" if "DIR" in name or _FILE.search(name) else ""
