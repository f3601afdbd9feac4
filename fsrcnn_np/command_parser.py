"""What argparse leaves open: the right usage line, -V everywhere, names that begin with "-", ranges with a sign."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from piqe_np.line import printable

#: LOW:HIGH with a sign in front, which argparse takes for an option
_SIGNED_RANGE = re.compile(r"-[\d.][^:]*:.+")


def named_path(text: str) -> Path:
    """A file or folder that was named: of nothing, `Path` makes the folder where the command runs.

    Raises
    ------
    argparse.ArgumentTypeError
        The text is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError(
            "'' names nothing, as an empty variable of the shell does; name a file or folder"
        )
    return Path(text)


class Parser(argparse.ArgumentParser):
    """A parser whose messages are printable lines; subcommands' parsers are of this class, too."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.register("type", Path, named_path)
        self.color = False  # Python 3.14's help has colours, which a terminal would get as text: see console.Terminal

    def error(self, message: str) -> NoReturn:
        """The usage of this very command, and one line; exit status 2."""
        super().error(printable(" ".join(message.split())))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Argparse's own hides that nobody reads its output."""
        if message:
            (file or sys.stderr).write(message)


def parse(parser: Parser, arguments: Sequence[str] | None, *, mixed: bool = False) -> argparse.Namespace:
    """Parse a command line.

    Parameters
    ----------
    parser : Parser
        As `finished` gives it.
    arguments : sequence of str, optional
        Default: the process's own.
    mixed : bool
        Inputs and options may stand in any order (of a command without subcommands).

    Returns
    -------
    argparse.Namespace
        `options.parser` is the parser of the subcommand that was named.
    """
    words = list(_readable(parser, sys.argv[1:] if arguments is None else arguments))
    options, unknown = (parser.parse_known_intermixed_args if mixed else parser.parse_known_args)(words)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def finished(parser: Parser, version: str) -> Parser:
    """The parser itself, once all commands are added: each knows -V, and reports its own errors."""
    for one in every(parser):
        one.add_argument("-V", "--version", action="version", version=version, help="show the version and exit")
        one.set_defaults(parser=one)
    return parser


def every(parser: argparse.ArgumentParser) -> Iterator[Parser]:
    """The parser, and those of its subcommands, theirs too, in the order in which help lists them."""
    assert isinstance(parser, Parser)
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from every(command)


def _readable(parser: Parser, words: Sequence[str]) -> Iterator[str]:
    """The words as argparse understands them as they are meant.

    `*.png` gives a file "-x.png" as a word that begins like an option: it becomes "./-x.png", unless it is an option
    to the letter. `--data-range -2048:2047` becomes `--data-range=-2048:2047`.
    """
    known = {name for one in every(parser) for action in one._actions for name in action.option_strings}
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":  # nothing after it is an option; argparse's own way differs between its releases
            yield from (_as_path(name) for name in words)
            return
        if word == "--data-range" and words and _SIGNED_RANGE.fullmatch(words[0]):
            word = f"{word}={words.pop(0)}"
        elif word not in known and os.path.lexists(word):
            word = _as_path(word)
        yield word


def _as_path(word: str) -> str:
    """The same file's name, not to be taken for an option; "-" alone is standard input."""
    return os.path.join(os.curdir, word) if len(word) > 1 and word[0] == "-" else word
