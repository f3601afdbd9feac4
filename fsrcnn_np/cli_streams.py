"""`fsrcnn-np upscale - -o -`: one image through a pipe; what is said goes to standard error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from piqe_np.console import complain, printable

from .errors import FsrcnnError, OptionError
from .progress import bar
from .range_table import range_of
from .standard_streams import STREAM, check_one, check_output, renamed, saying, scratch, send, spool


def streamed(options: argparse.Namespace) -> bool:
    """Whether an image comes from standard input or goes to standard output; wrong usage of these is found here.

    Raises
    ------
    OptionError
        Several inputs, a terminal where an image would be, `--format` without `-o -`, or `--sidecar` with it.
    """
    out = options.output == Path(STREAM)
    if options.format and not out:
        raise OptionError(f"--format is for -o -; a file's own suffix names its format: -o FILE.{options.format}")
    if out and options.sidecar:
        raise OptionError("--sidecar writes a file beside the output, and -o - is none; name a file")
    if out:
        check_output()
    return check_one(options.inputs) or out


def upscale_streams(options: argparse.Namespace, settings: Mapping[str, Any]) -> int:
    """The job of one image; `settings` are `upscale_file`'s options."""
    from . import files
    from .files.target import split
    from .pipeline import upscale_file

    piped, out = options.inputs == [STREAM], options.output == Path(STREAM)
    with scratch() as folder:
        try:
            if piped:
                source: str | Path = spool(folder)
            else:
                (source,) = (item.path for item in _one_input(options.inputs))
            if out:
                suffix = f".{options.format}" if options.format else split(source).path.suffix
                destination = folder / f"result{suffix}"
            elif files.names_a_file(options.output):
                destination = options.output
            else:
                destination = options.output / f"standard-input{files.suffix_of(Path(source))}"
            said = sys.stderr if out else sys.stdout
            bounds, _ = range_of(options.data_range, STREAM if piped else str(source))
            names = {source: "standard input"} if piped else {}
            names |= {destination: "standard output"} if out else {}
            with bar("standard input" if piped else str(source)) as progress, saying(names):
                done = upscale_file(source, destination, data_range=bounds, progress=progress, **settings)
            if out:
                send(destination)
        except OptionError:
            raise
        except files.OutputExists as kept:
            print(printable(str(kept)))
            return 0
        except FsrcnnError as error:
            return complain("fsrcnn-np", str(error), 1)
        name = "standard output" if out else str(destination)
        size = "×".join(map(str, done.shape))
        for line in (f"{size}, range {done.value_range}, {done.seconds:.1f} s", *done.remarks):
            print(printable(f"{name}: {renamed(line, names)}"), file=said)
    return 0


def _one_input(words: list[str]) -> list[Any]:
    from . import files

    found = [item for item in files.find_inputs(words) if not item.skipped]
    if len(found) != 1:
        raise OptionError(f"-o - (standard output) takes one image, and {len(found)} were found; give a folder")
    if found[0].error:
        raise OptionError(found[0].error)
    return found
