"""The model card, README.md: its tables stand between markers that name the command which makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fsrcnn_np import files


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is the rows' name."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def insert(text: str, command: str, card: Path) -> None:
    """Put `text` between the markers of `command`."""
    begin, end = f"<!-- made by {command} -->", f"<!-- end of {command} -->"
    before = card.read_text()
    if before.count(begin) != 1 or before.count(end) != 1:
        raise SystemExit(f"{card} must have the lines {begin} and {end} once each")
    head, rest = before.split(begin)
    files.write_text(card, f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}", overwrite=True)
