"""`fsrcnn-np upscale - -o -`: one image through a pipe; what is said goes to standard error."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import FormatError, OptionError
from .progress import bar
from .range_table import range_of
from .run_log import KEPT, SKIPPED, WRITTEN, RunLog, one_line, sha256_of
from .standard_streams import (
    STANDARD_INPUT,
    STANDARD_OUTPUT,
    STREAM,
    check_one,
    check_output,
    renamed,
    saying,
    scratch,
    send,
    spool,
)


def streamed(options: argparse.Namespace) -> bool:
    """Whether an image comes from standard input or goes to standard output; wrong usage of these is found here.

    Raises
    ------
    OptionError
        Several inputs, a terminal where an image would be, `--format` without `-o -`, `--sidecar` or `--json` with it.
    """
    out = options.output == Path(STREAM)
    if options.format and not out:
        raise OptionError(f"--format is for -o -; a file's own suffix names its format: -o FILE.{options.format}")
    if out and options.sidecar:
        raise OptionError("--sidecar writes a file beside the output, and -o - is none; name a file")
    if out and options.json:
        raise OptionError("--json writes to standard output, and so does -o -; --report FILE.jsonl has the same record")
    if out:
        check_output()
    return check_one(options.inputs) or out


def upscale_streams(options: argparse.Namespace, settings: Mapping[str, Any]) -> int:
    """The job of one image; `settings` are `upscale_file`'s options."""
    from . import files
    from .pipeline import upscale_file

    piped, out = options.inputs == [STREAM], options.output == Path(STREAM)
    (item,) = [None] if piped else _one_input(options.inputs)
    log = RunLog(options, data=out, several=False)
    name = STANDARD_INPUT if item is None else item.path
    with scratch() as folder, log.summing_up():
        try:
            source: str | Path = spool(folder) if item is None else _found(item)
            destination = _destination(options, source, folder)
            bounds, said = range_of(options.data_range, STREAM if piped else name)
            names = {source: STANDARD_INPUT} if piped else {}
            names |= {destination: STANDARD_OUTPUT} if out else {}
            with bar(name, hidden=log.quiet) as progress, saying(names):
                done = upscale_file(source, destination, data_range=bounds, progress=progress, **settings)
        except OptionError:
            raise
        except files.OutputExists as kept:
            log.end(name, KEPT, "exists", str(kept))
        except files.NoPicture as other:
            log.end(name, SKIPPED, "no-picture", f"{other}; skipped")
        except Exception as error:
            log.failed(name, error)
        else:
            if out:
                send(destination)
            shown = STANDARD_OUTPUT if out else str(destination)
            size = "×".join(map(str, done.shape))
            remarks = [renamed(remark, names) for remark in (*said, *done.remarks)]
            line = one_line(f"{shown}: {size}, range {done.value_range}, {done.seconds:.1f} s", remarks)
            log.note(
                output=shown, output_sha256=sha256_of(destination), range=str(done.value_range), remarks=remarks,
                source_sha256=done.provenance.source_sha256,
            )  # fmt: skip
            log.end(name, WRITTEN, lines=[line])
    return log.status


def _found(item: Any) -> str:
    from . import files

    if item.error:
        raise (files.NoPicture if item.skipped else FormatError)(item.error)
    return str(item.path)


def _destination(options: argparse.Namespace, source: str | Path, folder: Path) -> Path:
    from . import files
    from .files.target import split

    if options.output == Path(STREAM):
        return folder / f"result{f'.{options.format}' if options.format else split(source).path.suffix}"
    if not options.folder_meant and files.names_a_file(options.output):
        return Path(options.output)
    return Path(options.output, f"standard-input{files.suffix_of(Path(source))}")


def _one_input(words: list[str]) -> list[Any]:
    from . import files

    found = [item for item in files.find_inputs(words) if not item.skipped]
    if len(found) != 1:
        raise OptionError(f"-o - (standard output) takes one image, and {len(found)} were found; give a folder")
    return found
