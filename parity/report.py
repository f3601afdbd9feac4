"""The table: on the terminal, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsrcnn_np.study.paper.claims import Line

from .pages import renewed
from .store import RUN_NOW
from .suite import FAIL, NOT_RUN, Row

HEAD = ("stage", "ours", "oracle", "vectors", "differ", "worst", "ulps", "tolerance", "result")
SUMMARY_HEAD = (
    "part",
    "oracle",
    "stages",
    "vectors",
    "bits and decisions that differ",
    "worst, of its tolerance",
    "worst at the end",
    "result",
)
#: The stages at the end of an algorithm whose worst difference the summary shows.
ENDS = {"piqe.score": "score", "network.forward64": "float64", "network.engine32": "float32"}
PAPER_HEAD = ("where", "claim", "printed", "computed", "status", "Holm", "BH", "note")


def rows_as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows with every field, for JSON and CSV."""
    return [
        {
            "stage": row.stage,
            "ours": row.by,
            "oracle": row.oracle,
            "release": row.release,
            "source": row.source,
            "vectors": row.vectors,
            "differ": row.differ,
            "worst": row.worst,
            "worst_ulps": row.ulps,
            "worst_vector": row.worst_vector,
            "comparison": row.tolerance.kind if row.tolerance else None,
            "tolerance": row.tolerance.value if row.tolerance else None,
            "unit": row.tolerance.unit if row.tolerance else None,
            "reason": row.tolerance.reason if row.tolerance else None,
            "result": row.status,
            "details": list(row.details),
        }
        for row in rows
    ]


def lines_as_dicts(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The paper's lines with every field."""
    return [
        {
            "where": line.place,
            "claim": line.claim,
            "printed": line.printed,
            "computed": line.computed,
            "status": line.status,
            "holm": line.holm,
            "benjamini_hochberg": line.bh,
            "note": line.note,
        }
        for line in lines
    ]


def _cells(row: Row) -> tuple[str, ...]:
    if row.tolerance is None:
        worst = tolerance = ""
    else:
        worst = f"{row.worst:.3g}"
        tolerance = f"{row.tolerance.value:g} {row.tolerance.unit}".strip() + f" ({row.tolerance.kind})"
    counts = ("", "") if row.status == NOT_RUN or row.by == "" else (str(row.vectors), str(row.differ))
    ulps = "" if row.ulps is None else f"{row.ulps:.0f}"
    return (row.stage, row.by, _oracle(row), *counts, worst, ulps, tolerance, row.status)


def _oracle(row: Row) -> str:
    """Name, release, and where it comes from if it was not run now."""
    source = f"({row.source})" if row.source and row.source != RUN_NOW else ""
    return " ".join(part for part in (row.oracle, row.release, source) if part)


def text(rows: Sequence[Row], *, most: int = 40) -> str:
    """The table for a terminal, then every failure and every way to run what was not."""
    out = [_aligned([HEAD, *(_cells(row) for row in rows)])]
    failures = [detail for row in rows if row.status == FAIL for detail in row.details]
    out += [f"FAIL  {failure}" for failure in failures[:most]]
    if len(failures) > most:
        out.append(f"FAIL  … and {len(failures) - most} more, in the JSON")
    for row in rows:
        if row.status == NOT_RUN:
            out.append(f"not run  {row.stage}, {_oracle(row)}: {row.details[0]}")
    passed, missing = (sum(row.status == status for row in rows) for status in ("pass", NOT_RUN))
    bad = sum(row.status == FAIL for row in rows)
    out.append(f"{len(rows)} rows: {passed} pass, {bad} fail, {missing} not run")
    return "\n".join(out)


def table(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    return _markdown(HEAD, [_cells(row) for row in rows])


def summary(rows: Sequence[Row]) -> str:
    """A line for each part of the package and each oracle, in Markdown."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.tolerance is not None:
            groups.setdefault((row.stage.split(".")[0], f"{row.oracle} {row.release}".strip()), []).append(row)
    lines = []
    for (part, oracle), found in groups.items():
        exact = [row for row in found if row.tolerance and row.tolerance.kind in ("bit", "flips")]
        shares = [(row.worst or 0) / row.tolerance.value for row in found if row.tolerance and row.tolerance.value]
        ends: dict[str, float] = {}
        for row in found:
            if row.stage in ENDS:
                ends[ENDS[row.stage]] = max(row.worst or 0.0, ends.get(ENDS[row.stage], 0.0))
        lines.append(
            (
                part,
                oracle if any(row.source == RUN_NOW for row in found) else f"{oracle} (stored)",
                str(len({row.stage for row in found})),
                str(len(frozenset().union(*(row.members for row in found)))),
                str(sum(row.differ for row in exact)) if exact else "–",
                f"{100 * max(shares):.2g} %" if shares else "–",
                ", ".join(f"{name} {worst:.1e}" for name, worst in ends.items()) or "–",
                FAIL if any(row.status == FAIL for row in found) else "pass",
            )
        )
    return _markdown(SUMMARY_HEAD, lines)


def reasons(rows: Sequence[Row]) -> str:
    """Why each tolerance is what it is, and how to run what was not run, in Markdown."""
    found = {row.stage: row.tolerance for row in rows if row.tolerance}
    out = [f"- `{stage}`: {tolerance.reason}" for stage, tolerance in sorted(found.items())]
    missing = [row for row in rows if row.status == NOT_RUN]
    if missing:
        out += ["", "Not run:", ""]
        out += [f"- `{row.stage}`, {_oracle(row)}: {row.details[0]}" for row in missing]
    return "\n".join(out) + "\n"


def parts(rows: Sequence[Row]) -> dict[str, str]:
    """What `renew` can put into a page."""
    return {"parity:summary": summary(rows), "parity:table": table(rows), "parity:reasons": reasons(rows)}


def page(rows: Sequence[Row]) -> str:
    """All of it as one page."""
    return f"# Parity\n\n{summary(rows)}\n{table(rows)}\nWhy these tolerances (u = 2⁻⁵³):\n\n{reasons(rows)}"


def renew(path: Path, contents: dict[str, str]) -> None:
    """Replace what stands between <!-- NAME --> and <!-- /NAME --> in a page, for each name that it has."""
    page = renewed(path.read_text(encoding="utf-8"), contents)
    part = path.with_name(path.name + ".part")
    part.write_text(page, encoding="utf-8")
    part.replace(path)


def paper_text(lines: Sequence[Line]) -> str:
    """The paper's lines for a terminal."""
    out = [_aligned([PAPER_HEAD, *(_paper_cells(line) for line in lines)])]
    return "\n".join([*out, tally(lines)])


def paper_markdown(lines: Sequence[Line]) -> str:
    """The paper's lines for a page."""
    return f"{_markdown(PAPER_HEAD, [_paper_cells(line) for line in lines])}\n{tally(lines)}\n"


def tally(lines: Sequence[Line]) -> str:
    """How many lines of each status."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.status] = counts.get(line.status, 0) + 1
    return f"{len(lines)} lines: " + ", ".join(f"{count} {status}" for status, count in counts.items())


def write(folder: Path, name: str, entries: Sequence[dict[str, Any]], markdown: str, about: dict[str, Any]) -> None:
    """NAME.json, NAME.csv and NAME.md, each written beside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.DictWriter(table, list(entries[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "; ".join(v) if isinstance(v, list) else v for k, v in entry.items()} for entry in entries)
    document = json.dumps(about | {"rows": _finite(entries)}, indent=1, ensure_ascii=False) + "\n"
    for suffix, content in (("json", document), ("csv", table.getvalue()), ("md", markdown)):
        part = folder / f"{name}.{suffix}.part"
        part.write_text(content, encoding="utf-8")
        part.replace(folder / f"{name}.{suffix}")


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not abs(value) < float("inf") else value


def _paper_cells(line: Line) -> tuple[str, ...]:
    adjusted = ("" if value is None else f"{value:.3g}" for value in (line.holm, line.bh))
    return (line.place, line.claim, line.printed, line.computed, line.status, *adjusted, line.note)


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"

    return "".join([line(head), line(["---"] * len(head)), *map(line, rows)])
