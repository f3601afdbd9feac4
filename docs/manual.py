"""The manual pages, made of the parsers: `python docs/manual.py -o FOLDER`, then `man FOLDER/fsrcnn-np.1`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

STATUS = {
    0: "All well; an output that existed and was kept is a line, not a failure.",
    1: "Some inputs failed, each named in one line; the others are done.",
    2: "Wrong usage; nothing was done.",
    130: "Interrupted by Ctrl-C; files already written are whole.",
    143: "Ended by SIGTERM; files already written are whole.",
}
ENVIRONMENT = {
    "FSRCNN_NP_THREADS": "Number of threads of fsrcnn-np, where --threads does not say it.",
    "PIQE_NP_THREADS": "The same for piqe-np.",
    "NUMBA_CACHE_DIR": "Folder for compiled kernels; default: beside the package, else the user's cache folder.",
    "MPLCONFIGDIR": "Folder of matplotlib, which draws figures; default: in the user's, else a temporary one.",
}


def page(parser: argparse.ArgumentParser) -> str:
    """One command's page in man(7) macros, its subcommands as sections."""
    from fsrcnn_np import __version__
    from fsrcnn_np.command_parser import every

    description = parser.description or ""
    os.environ["COLUMNS"] = "80"  # argparse breaks its usage lines by it
    lines = [
        f'.TH "{escaped(parser.prog.upper())}" 1 "" "{escaped(parser.prog)} {escaped(__version__)}"',
        ".SH NAME",
        f"{escaped(parser.prog)} \\- {escaped(description.partition(': ')[0].rstrip('.'))}",
    ]
    for number, one in enumerate(every(parser)):
        if number == 0:
            lines += [".SH SYNOPSIS", *_usage(one), ".SH DESCRIPTION", escaped(description), *_arguments(one)]
        else:
            lines += [f'.SH "{escaped(one.prog.upper())}"', escaped(_summary(parser, one.prog)), ".PP", *_usage(one)]
            lines += _arguments(one)
    lines += [".SH ENVIRONMENT", *_pairs(ENVIRONMENT), ".SH EXIT STATUS", *_pairs(STATUS)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as roff shows it: a backslash, a hyphen to be copied, a control word at a line's begin."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _usage(parser: argparse.ArgumentParser) -> list[str]:
    text = parser.format_usage().removeprefix("usage: ").split("\n")
    return [".nf", *(escaped(line) for line in text if line.strip()), ".fi"]


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every argument and option, with its help; a choice of commands is left to their own sections."""
    formatter = parser._get_formatter()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        name = formatter._format_action_invocation(action)
        yield from (".TP", f"\\fB{escaped(name)}\\fR", escaped(formatter._expand_help(action) if action.help else ""))


def _summary(parser: argparse.ArgumentParser, prog: str) -> str:
    """What the help above a subcommand says of it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                command = action.choices[choice.dest]
                if command.prog == prog:
                    return choice.help or ""
                if found := _summary(command, prog):
                    return found
    return ""


def _pairs(table: dict[str, str] | dict[int, str]) -> Iterator[str]:
    for name, text in table.items():
        yield from (".TP", f"\\fB{escaped(str(name))}\\fR", escaped(text))


def main() -> int:
    """Write both pages."""
    from fsrcnn_np import cli, piqe_cli

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for one in (cli.command_parser(), piqe_cli.command_parser()):
        path = folder / f"{one.prog}.1"
        path.write_text(page(one), encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
