"""The speed tables of README.md and docs/engine.md, made of the results that are committed.

    python -m benchmarks page        writes them; a test holds that they are what RECORD gives

No figure of them stands by hand.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from . import memory, table
from .peers import PEERS

Row = dict[str, Any]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
RECORD, PIQE_RECORD = RESULTS / "cascadelake-2026-11-27.json", RESULTS / "piqe.json"
MEMORY_RECORD = RESULTS / "memory.json"
LARGE = [3328, 4096]
OURS = "fsrcnn-np"


def pages() -> dict[Path, dict[str, str]]:
    """For each page: what stands between the markers <!-- NAME:begin --> and <!-- NAME:end -->."""
    content = json.loads(RECORD.read_text("utf-8"))
    scores = json.loads(PIQE_RECORD.read_text("utf-8"))
    return {
        ROOT / "README.md": {"speed": "\n\n".join([network(content), others(content), piqe(scores)])},
        ROOT / "docs" / "engine.md": {
            "growth": growth(content),
            "memory": memory.text(json.loads(MEMORY_RECORD.read_text("utf-8"))["rows"]),
        },
    }


def write() -> None:
    """All tables into their pages, and the pictures beside them."""
    for page, parts in pages().items():
        page.write_text(filled(page.read_text("utf-8"), parts), encoding="utf-8")
    content = json.loads(RECORD.read_text("utf-8"))
    table.picture(content, ROOT / "docs" / "speed.png")
    growth_picture(content, ROOT / "docs" / "growth.png")


def filled(text: str, parts: dict[str, str]) -> str:
    """The page with new text between its markers."""
    for name, part in parts.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, rest = text.split(begin)
        text = before + begin + part + "\n" + end + rest.split(end)[1]
    return text


def median(row: Row, key: str = "walls") -> float:
    return statistics.median(row[key])


def seconds(value: float) -> str:
    """Three digits, at most milliseconds."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def chosen(content: Row, suite: str, **wanted: Any) -> list[Row]:
    """Rows of a suite that have these values; a row without such a key belongs to all."""
    return [
        row
        for row in content["rows"]
        if row["suite"] == suite and all(row.get(key, value) == value for key, value in wanted.items())
    ]


def network(content: Row) -> str:
    """A mammogram through ours and every peer's forms, and who is missing."""
    machine = content["machine"]
    rows = chosen(content, "network", shape=LARGE, threads=2)
    best = min(median(row) for row in rows if row["peer"] == OURS and "walls" in row)
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", "numpy", "llvmlite"))
    lines = [
        f"{machine['cpu']}, {machine['vectors']}, two threads, {machine['date']}; {versions}; medians of n runs:",
        "",
        "| 3328×4096 → 6656×8192, float32 | n | wall s | of peak | times ours | peak memory GiB |",
        "|---|---|---|---|---|---|",
    ]
    for row in sorted((row for row in rows if "walls" in row), key=median):
        who = f"**{OURS}**" if row["peer"] == OURS else f"{row['peer']} {row['version']}"
        if row["peer"] == OURS and row.get("target", machine_target(machine)) != machine_target(machine):
            who += f", compiled for {row['target']}"
        rate = table.operations(row["shape"]) / median(row)
        lines.append(
            f"| {who}, {row['form']} | {len(row['walls'])} | {seconds(median(row))} "
            f"| {table.share(rate, row['peak'], row.get('of_ports'))} | {median(row) / best:.1f} "
            f"| {row['memory'] / 2**30:.2f} |"
        )
    absent = [row for row in rows if "walls" not in row]
    lines += [f"| {row['peer']}, {row['form']} | {row.get('missing') or row.get('failed')} | | | | |" for row in absent]
    known = {row["peer"] for row in rows}
    lines += [f"| {name} | not measured | | | | |" for name in PEERS if name not in known]
    return "\n".join(lines)


def machine_target(machine: Row) -> str:
    """What the processor's own target is called in the rows."""
    return str(machine["vectors"].split(",")[0])


def others(content: Row) -> str:
    """Start, throughput, imresize and growth, a line each."""
    lines = ["| | |", "|---|---|"]
    cold = sorted((row for row in chosen(content, "cold") if row.get("walls")), key=median)
    best: dict[str, Row] = {}
    for row in cold:
        best.setdefault(row["peer"], row)
    told = ", ".join(f"{name} {median(row):.2f}" for name, row in best.items())
    lines.append(f"| a fresh process to its first 512² result, s | {told} |")
    for row in chosen(content, "processes"):
        lines.append(
            f"| {row['threads']} processes on {row['threads']} cores, one thread each, {_size(row['shape'])} "
            f"| {row['threads'] / median(row):.2f} images/s |"
        )
    bicubic = chosen(content, "imresize")
    for dtype in dict.fromkeys(row["form"] for row in bicubic):
        told = ", ".join(
            f"{row['peer']} {seconds(median(row)) if 'walls' in row else row['missing']}"
            for row in bicubic
            if row["form"] == dtype
        )
        what = f"bicubic ×2 of {_size(bicubic[0]['shape'])}, {dtype}, s (the others' answers are not MATLAB's)"
        lines.append(f"| {what} | {told} |")
    slope, memory = slopes(content)
    what = "growth, 512² to 8192²: time, and memory less that of the smallest case, go as pixels to the power"
    lines.append(f"| {what} | {slope:.2f}, {memory:.2f} |")
    return "\n".join(lines)


def piqe(content: Row) -> str:
    """PIQE beside its peers."""
    rows = content["rows"]
    ours = {row["threads"]: median(row) for row in rows if row["peer"] == "piqe_np" and "walls" in row}
    size = next(row["size"] for row in rows if "size" in row)
    lines = [
        f"| PIQE of {_size(size)}, uint8 | threads | n | wall s | times ours | memory while scoring GiB |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        who = "**piqe_np**" if row["peer"] == "piqe_np" else f"{row['peer']} {row['version']}"
        if "walls" not in row:
            lines.append(f"| {row['peer']} | | | {row['version']} | | |")
            continue
        times = f"{median(row) / ours[row['threads']]:.1f}" if row["threads"] in ours else ""
        lines.append(
            f"| {who} | {row['threads']} | {len(row['walls'])} | {seconds(median(row))} | {times} "
            f"| {row['memory'] / 2**30:.2f} |"
        )
    return "\n".join(lines)


def grown(content: Row) -> list[Row]:
    """The rows of growth with size, on as many threads as most of them have."""
    rows = chosen(content, "growth")
    threads = max(row["threads"] for row in rows)
    return sorted((row for row in rows if row["threads"] == threads), key=lambda row: row["shape"])


def slopes(content: Row) -> tuple[float, float]:
    """Powers of the number of pixels with which time and memory beside the bare process's grow from 512² on."""
    rows = [row for row in grown(content) if row["shape"][0] >= 512]
    pixels = np.log([row["shape"][0] * row["shape"][1] for row in rows])
    bare = min(row["memory"] for row in grown(content))
    time = np.polyfit(pixels, np.log([median(row) for row in rows]), 1)[0]
    large = [row for row in rows if row["memory"] > 1.2 * bare]
    memory = np.polyfit(
        np.log([row["shape"][0] * row["shape"][1] for row in large]), np.log([row["memory"] - bare for row in large]), 1
    )[0]
    return float(time), float(memory)


def growth(content: Row) -> str:
    """Time and memory from small to large."""
    lines = ["| low resolution | n | wall s | ns a pixel | peak memory GiB |", "|---|---|---|---|---|"]
    for row in grown(content):
        pixels = row["shape"][0] * row["shape"][1]
        lines.append(
            f"| {_size(row['shape'])} | {len(row['walls'])} | {median(row):.4f} | {median(row) / pixels * 1e9:.0f} "
            f"| {row['memory'] / 2**30:.2f} |"
        )
    time, memory = slopes(content)
    lines.append(
        f"\nFrom 512² on time goes as pixels to the power {time:.2f}, and memory, less that of the smallest case, to "
        f"{memory:.2f}."
    )
    return "\n".join(lines)


def growth_picture(content: Row, path: Path) -> None:
    """The same as two curves."""
    from matplotlib.figure import Figure

    rows = grown(content)
    pixels = [row["shape"][0] * row["shape"][1] / 1e6 for row in rows]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for ax, values, what in (
        (figure.add_subplot(1, 2, 1), [median(row) for row in rows], f"wall time, {rows[0]['threads']} threads, s"),
        (figure.add_subplot(1, 2, 2), [row["memory"] / 2**30 for row in rows], "peak memory of the process, GiB"),
    ):
        ax.loglog(pixels, values, "o-", color="#1b6ca8")
        ax.set_xlabel("low-resolution megapixels")
        ax.set_title(what, fontsize=10)
        ax.grid(True, which="both", alpha=0.25)
    figure.savefig(path, dpi=150)


def _size(shape: list[int]) -> str:
    return "×".join(map(str, shape))
