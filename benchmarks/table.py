"""Results kept as JSON, told as one table and one picture."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from . import memory

Row = dict[str, Any]
KEY = ("suite", "peer", "form", "shape", "threads", "target")
LARGE = [3328, 4096]


class Store:
    """A file of results; a case measured again replaces the older one."""

    def __init__(self, path: Path):
        self.path = path
        self.content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"rows": []}
        self.content["machine"] = machine()

    def add(self, row: Row) -> None:
        row = json.loads(json.dumps(row | {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}))
        self.content["rows"] = [r for r in self.content["rows"] if not _replaced(r, row)] + [row]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.content, indent=1), encoding="utf-8")


def _replaced(old: Row, new: Row) -> bool:
    """The same case, or a problem that kept all cases from being measured."""
    same = [key for key in KEY if old.get(key) == new.get(key)]
    return len(same) == len(KEY) or ("shape" not in old and same[:3] == list(KEY[:3]))


def machine() -> dict[str, Any]:
    """Date, processor, cores and versions."""
    from fsrcnn_np.engine.llvm.target import host

    found = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cpu": _cpu(), "system": platform.system()}
    found["vectors"] = f"{host().lanes} float32 lanes, {'FMA' if host().fma else 'no FMA'}"
    found["python"] = platform.python_version()
    return found | {name: metadata.version(name) for name in ("numpy", "llvmlite")}


def _cpu() -> str:
    import llvmlite.binding

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return f"{len(names)} × {names[0]} ({llvmlite.binding.get_host_cpu_name()})"
    except (OSError, IndexError):
        return platform.processor()


#: No share of the peak can be larger: Winograd's mapping and Toom's deconvolution leave 8,108 of 12,464 products.
MOST_SHARE = 12464 / 8108
#: Of cycles × ports; a peak below it was measured beside other work. (Wide vectors on all ports can lower the clock.)
LEAST_OF_PORTS = 0.7


def share(rate: float, peak: float, of_ports: float | None = None) -> str:
    """A rate over the peak measured beside it; refused where it cannot be, or the peak is not the processor's."""
    if rate > MOST_SHARE * peak or (of_ports is not None and of_ports < LEAST_OF_PORTS):
        return "peak disturbed"
    return f"{rate / peak:.0%}"


def operations(shape: list[int]) -> float:
    """Of the direct form, 2 × 12,464 a low-resolution pixel, in units of 10⁹."""
    return 2 * 12464 * shape[0] * shape[1] / 1e9


def line(row: Row) -> str:
    """One case, as it is measured."""
    what = f"{row['suite']}: {row['peer']}, {row['form']}"
    if problem := row.get("missing") or row.get("failed"):
        return f"{what}: {problem}"
    size = "×".join(map(str, row["shape"])) + ", " if "shape" in row else ""
    beside = _beside_network(row) + _beside_grey(row)
    return f"{what}, {size}{row['threads']} threads: {statistics.median(row['walls']):.3f} s{beside}"


def text(content: dict[str, Any]) -> str:
    """The table as Markdown."""
    rows, parts = content["rows"], []
    about = ", ".join(f"{name} {value}" for name, value in content["machine"].items() if name not in ("date", "cpu"))
    parts.append(f"{content['machine']['date']}, {content['machine']['cpu']}; {about}.")
    parts.append(
        "Medians of n runs. Of peak: operations of the direct form over wall time, over an FMA peak measured beside "
        "the case (none where that was disturbed: a share above 154 %, or less than 70 % of cycles × ports where the "
        "processor is known). CPU share: both over CPU seconds, which other work on the machine disturbs less. "
        "GiB: peak resident memory. Times ours: in wall and in CPU seconds."
    )
    network = [row for row in rows if row["suite"] == "network"]
    parts.append("\n".join(_network(network)))
    for suite, heading in (
        ("growth", "Growth with size and threads"),
        ("cold", "A fresh process to its first 512² result"),
    ):
        if chosen := [row for row in rows if row["suite"] == suite]:
            parts.append(f"**{heading}**\n\n" + "\n".join(_network(chosen) if suite == "growth" else _cold(chosen)))
    if chosen := [row for row in rows if row["suite"] in ("imresize", "colour", "processes")]:
        parts.append("**Bicubic ×2, RGB, and a process a core**\n\n" + "\n".join(map(line, chosen)))
    if chosen := [row for row in rows if row["suite"] == "memory"]:
        parts.append("**Peak memory, MiB**\n\n" + memory.text(chosen))
    for row in rows:
        if row["suite"] == "mammogram":
            size = "×".join(map(str, row["shape"]))
            parts.append(
                f"**One mammogram, file to file** ({row['form']}, {size}, {row['threads']} threads): "
                f"{statistics.median(row['walls']):.2f} s for the command, from its start on; the paper asks for under "
                f"60 s.{_beside_network(row)}"
            )
    return "\n\n".join(parts) + "\n"


def _network(rows: list[Row]) -> Iterator[str]:
    heads = "low resolution, threads, who, form, n, wall s, CPU s, GFLOP/s, of peak, CPU share, GiB, times ours, in CPU"
    yield f"| {heads.replace(', ', ' | ')} |"
    yield "|---" * (heads.count(",") + 1) + "|"
    shapes = sorted({(tuple(r["shape"]), r["threads"]) for r in rows if "walls" in r})
    for shape, threads in shapes:
        here = [r for r in rows if r.get("shape") == list(shape) and r["threads"] == threads]
        ours = [r for r in here if r["peer"] == "fsrcnn-np" and "walls" in r]
        best = {key: min((statistics.median(r[key]) for r in ours), default=None) for key in ("walls", "cpus")}
        for row in sorted(here, key=lambda r: statistics.median(r.get("walls", [float("inf")]))):
            start = f"| {shape[0]}×{shape[1]} | {threads} | {_who(row)} | {row['form']} |"
            if "walls" not in row:
                yield f"{start} {row['failed']} |" + " |" * 8
                continue
            wall, cpu = statistics.median(row["walls"]), statistics.median(row["cpus"])
            work = operations(row["shape"])
            times = (f"{v / best[k]:.1f}" if best[k] else "" for k, v in (("walls", wall), ("cpus", cpu)))
            numbers = (
                len(row["walls"]), f"{wall:.3f}", f"{cpu:.2f}", f"{work / wall:.0f}",
                share(work / wall, row["peak"], row.get("of_ports")),
                share(work / cpu, row["peak_cpu"], row.get("of_ports")), f"{row['memory'] / 2**30:.2f}", *times,
            )  # fmt: skip
            yield f"{start} {' | '.join(map(str, numbers))} |"
    for row in rows:
        if "shape" not in row:
            yield f"| | | {row['peer']} | {row['form']} | {row.get('missing') or row.get('failed')} |" + " |" * 8


def _beside_network(row: Row) -> str:
    """What a process that runs already takes; older results do not have it."""
    if "network" not in row:
        return ""
    file, network = (statistics.median(row[key]) for key in ("file", "network"))
    command = statistics.median(row["walls"])
    return (
        f" In a process that runs already {file:.2f} s, the network alone {network:.2f} s: {file / network:.2f} times "
        f"the network, and the command {command / network:.2f} times."
    )


def _beside_grey(row: Row) -> str:
    """Of RGB, how many times a grey picture's time it takes: the median of neighbours in time."""
    if "grey" not in row:
        return ""
    ratio = statistics.median(rgb / grey for rgb, grey in zip(row["walls"], row["grey"], strict=True))
    return f", grey {statistics.median(row['grey']):.3f} s: {ratio:.2f} times; {row['memory'] / 2**20:.0f} MiB"


def _cold(rows: list[Row]) -> Iterator[str]:
    yield "| who | form | n | wall s | CPU s |"
    yield "|---|---|---|---|---|"
    for row in sorted(rows, key=lambda r: statistics.median(r.get("walls") or [float("inf")])):
        problem = row.get("missing") or row.get("failed")
        value = problem or " | ".join(f"{statistics.median(row[key]):.2f}" for key in ("walls", "cpus"))
        yield f"| {_who(row)} | {row['form']} | {len(row.get('walls', []))} | {value} |"


def _who(row: Row) -> str:
    ours = row["peer"] == "fsrcnn-np"
    return f"**{row['peer']}**" if ours else f"{row['peer']} {row.get('version') or ''}".strip()


def picture(content: dict[str, Any], path: Path) -> None:
    """Seconds and memory for a mammogram, ours and each peer's best form; nothing without such rows or matplotlib."""
    best: dict[str, Row] = {}
    for row in content["rows"]:
        if row["suite"] == "network" and row.get("shape") == LARGE and "walls" in row:
            other = best.get(row["peer"])
            if other is None or statistics.median(row["walls"]) < statistics.median(other["walls"]):
                best[row["peer"]] = row
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    if len(best) < 2:
        return
    rows = sorted(best.values(), key=lambda row: -statistics.median(row["walls"]))
    names = [f"{row['peer']}\n{row['form']}" for row in rows]
    threads = rows[0]["threads"]
    figure = Figure(figsize=(9, 0.62 * len(rows) + 1), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, values, title, unit in (
        (axes[0], [statistics.median(row["walls"]) for row in rows], "wall time", "s"),
        (axes[1], [row["memory"] / 2**30 for row in rows], "peak memory", "GiB"),
    ):
        colours = ["#1b6ca8" if row["peer"] == "fsrcnn-np" else "#b9c3cc" for row in rows]
        bars = ax.barh(names, values, color=colours)
        ax.bar_label(bars, [f"{value:.3g} {unit}" for value in values], padding=4)
        ax.set_title(f"{title}: {LARGE[0]}×{LARGE[1]} → {2 * LARGE[0]}×{2 * LARGE[1]}, {threads} threads", fontsize=10)
        ax.set_xlim(0, 1.25 * max(values))
        ax.set_xticks([])
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    figure.savefig(path, dpi=150)
