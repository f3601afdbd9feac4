"""What became of each input of a run: counted for the summary line, and kept as JSON lines (`--report`)."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from os import fspath
from pathlib import Path
from typing import Any

import piqe_np.errors as piqe_errors

from .errors import DiskFullError, FileError, FormatError, ImageError, MissingExtraError, OptionError, WeightsError
from .files.picture import OutputDiffers

WRITTEN, KEPT, SKIPPED, FAILED = "written", "kept", "skipped", "failed"
#: reason codes of failures, by exception, the more special first; they stay as they are
REASONS: dict[type[BaseException], str] = {
    DiskFullError: "disk-full", OutputDiffers: "differs", MissingExtraError: "missing-extra",
    FileError: "file", FormatError: "format", ImageError: "image", WeightsError: "model", OptionError: "option",
    MemoryError: "memory", piqe_errors.ImageError: "image", piqe_errors.OptionError: "option",
}  # fmt: skip


class RunLog:
    """One run's records.

    Parameters
    ----------
    report : Path, optional
        Appended to, one line of JSON an input, flushed at once: what is killed leaves whole lines.
    states : sequence of str
        As the summary counts them: done, kept, skipped, failed, in the command's own words.
    """

    def __init__(self, report: Path | None = None, *, states: Sequence[str] = (WRITTEN, KEPT, SKIPPED, FAILED)) -> None:
        self.states = tuple(states)
        self.counts: Counter[str] = Counter()
        self._report, self._run = report, uuid.uuid4().hex[:12]
        self._began = self._started = time.monotonic()
        self._facts: dict[str, Any] = {}
        if report is not None:
            try:
                report.parent.mkdir(parents=True, exist_ok=True)
                with open(report, "ab+") as stream:  # of a line that was cut the next begins anew
                    if stream.tell():
                        stream.seek(-1, 2)
                        if stream.read(1) != b"\n":
                            stream.write(b"\n")
            except OSError as error:
                raise OptionError(f"{report}: the report cannot be written ({error.strerror or error})") from error

    def begin(self) -> None:
        """An input is taken up."""
        self._started, self._facts = time.monotonic(), {}

    def note(self, **facts: Any) -> None:
        """What is known of the input in hand: output, range, remarks, source_sha256."""
        self._facts |= facts

    def end(self, path: str, state: str, reason: str = "", message: str = "") -> None:
        """The input in hand has come to its end."""
        if self._report is not None:
            self._append(self._report, self._record(path, state, reason, message))
        self.counts[state] += 1
        self.begin()

    def _record(self, path: str, state: str, reason: str, message: str) -> dict[str, Any]:
        record: dict[str, Any] = {"run": self._run, "input": path, "state": state, "reason": reason}
        output = self._facts.pop("output", None)
        record |= {"message": " ".join(message.split()), "output": None if output is None else fspath(output)}
        record |= {"output_sha256": _sha256(output), **self._facts}
        record.setdefault("seconds", round(time.monotonic() - self._started, 3))
        return record | {"peak_memory": _peak()}

    def _append(self, report: Path, record: dict[str, Any]) -> None:
        try:
            with open(report, "a", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            self._report = None  # what goes on without it says so once
            raise DiskFullError(f"{report}: the report cannot be written ({error.strerror or error})") from error

    def failed(self, path: str, error: BaseException) -> None:
        """The input in hand has failed."""
        reason = next((code for kind, code in REASONS.items() if isinstance(error, kind)), "fault")
        self.end(path, self.states[3], reason, str(error))

    def summary(self) -> str:
        """`38 written, 12 kept, 3 skipped, 1 failed, 41 min`."""
        counts = ", ".join(f"{self.counts[state]} {state}" for state in self.states)
        seconds = time.monotonic() - self._began
        return f"{counts}, {f'{seconds / 60:.0f} min' if seconds >= 120 else f'{seconds:.1f} s'}"


def report_option(parser: argparse.ArgumentParser) -> None:
    """Add `--report` to a command over several inputs."""
    parser.add_argument(
        "--report", type=Path, metavar="FILE.jsonl", help="append a record an input, as JSON lines: docs/overnight.md"
    )


def _sha256(path: Any) -> str | None:
    if path is None or not Path(path).is_file():
        return None
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _peak() -> int | None:
    """Bytes of the process's largest resident memory so far; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
