"""All scores of a run as one file: CSV for statistics, JSON for programs; one row an image, every digit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import csv_cells

#: of a row; an image that could not be scored has `input` and `error` alone
COLUMNS = (
    "input", "score", "band", "low", "high", "scaling", "height", "width", "active", "artifact", "noise", "remarks",
    "error",
)  # fmt: skip
Record = dict[str, Any]


def as_csv(records: Sequence[Record]) -> str:
    """One row an image, failed ones too; remarks in one cell."""
    rows = [record | {"remarks": "; ".join(record.get("remarks", ()))} for record in records]
    return csv_cells.table(COLUMNS, rows)


def as_json(records: Sequence[Record]) -> str:
    """The records as they are."""
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


RENDERS: dict[str, Callable[[Sequence[Record]], str]] = {".csv": as_csv, ".json": as_json}


def table_path(text: str) -> Path:
    """Where the table goes.

    Raises
    ------
    argparse.ArgumentTypeError
        The suffix names no form.
    """
    path = Path(text)
    if path.suffix.lower() not in RENDERS:
        raise argparse.ArgumentTypeError(f"{text!r} ends with none of {', '.join(RENDERS)}")
    return path


def write_table(path: Path, records: Sequence[Record], *, overwrite: bool) -> None:
    """Write the table, whole or not at all.

    Raises
    ------
    OutputExists, FileError
        As of `fsrcnn_np.files.write`.
    """
    from .files import write_text

    write_text(path, RENDERS[path.suffix.lower()](records), overwrite=overwrite)
