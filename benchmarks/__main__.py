"""How fast, beside whom: one table.

    python -m benchmarks                       everything; what is not installed is a row that says so
    python -m benchmarks network --peers fsrcnn-np OpenVINO --sizes 2048x2048 --threads 1
    python -m benchmarks stages                where the time of the engine goes
    python -m benchmarks colour                RGB beside grey: what colour costs beyond the network
    python -m benchmarks small                 calls for small pictures, on one thread and on --threads
    python -m benchmarks piqe                  PIQE beside its peers
    python -m benchmarks memory                size against peak memory; its largest case writes 6.7 GiB to $TMPDIR
    python -m benchmarks page                  README's and docs/engine.md's tables, of the results that are committed

Results of several calls into one file are one table; a case measured again replaces the older one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsrcnn_np.engine.llvm import target

from . import bicubic, colour, mammogram, memory, page, piqe, small, stages, table
from .peak import gflops
from .peers import PEERS, version

SUITES = ("network", "cold", "growth", "processes", "imresize", "colour", "mammogram", "memory")
SIZES = ((512, 512), (2048, 2048), (3328, 4096))
GROWTH = tuple((side, side) for side in (256, 512, 1024, 2048, 4096, 8192))
COLD, CHECKED = (512, 512), (97, 123)
SUFFIXES = {"fsrcnn-np": ".h5", "PyTorch": ".pt"}  # of model files, where not .onnx
NOTHING_KEPT = "nothing kept"  # of compiled code: what a container has that can write nowhere
ROOT = Path(__file__).parents[1]


class Unwritable(Exception):
    """A peer's form of the model could not be made."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all well, 1 a peer disagrees with ours or fails, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "suite", nargs="?", choices=("all", *SUITES, "stages", "small", "piqe", "table", "page"), default="all"
    )
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=list(PEERS), metavar="NAME")
    parser.add_argument("--sizes", nargs="+", type=_size, metavar="ROWSxCOLUMNS", help="of network and of memory")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each case; their median counts (default 5)")
    parser.add_argument("--seconds", type=float, default=600, help="no further run of a case after so long")
    parser.add_argument("--memory", type=float, default=_memory() * 0.7, metavar="GIB", help="most that a case may use")
    parser.add_argument("--into", type=Path, default=Path("build") / "benchmarks", metavar="DIR")
    options = parser.parse_args(arguments)
    if options.suite == "stages":
        print(stages.text())
        return 0
    if options.suite == "small":
        print(small.text(options.threads, 3 * options.repeats))
        return 0
    if options.suite == "page":
        page.write()
        return 0
    if options.suite == "piqe":
        return piqe.main(["--into", str(options.into)])
    store = table.Store(options.into / "results.json")
    for suite in SUITES if options.suite == "all" else [options.suite]:
        for row in _rows(suite, options):
            store.add(row)
            print(table.line(row), flush=True)
    (options.into / "results.md").write_text(text := table.text(store.content), encoding="utf-8")
    table.picture(store.content, options.into / "results.png")
    print(f"\n{text}\nsaved in {options.into}")
    failed = any(row.get("failed") for row in store.content["rows"])
    if options.suite == "all":
        failed |= bool(piqe.main(["--into", str(options.into)]))
    return int(failed)


def _rows(suite: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if suite == "mammogram":
        yield from mammogram.measured(options.threads, options.repeats)
    elif suite == "memory":
        yield from memory.measured(options.threads, shapes=options.sizes or memory.SHAPES)
    elif suite == "growth":
        for shape in GROWTH:
            yield _timed(suite, "fsrcnn-np", "out= given", shape, options.threads, options)
        for threads in range(1, options.threads + 1):
            yield _timed(suite, "fsrcnn-np", "out= given", (2048, 2048), threads, options)
    elif suite == "processes":
        yield _processes((2048, 2048), options)
    elif suite == "imresize":
        yield from bicubic.measured(options.threads, options.repeats)
    elif suite == "colour":
        yield from colour.measured(options.threads, options.repeats)
    elif suite in ("network", "cold"):
        for name in options.peers:
            peer = PEERS[name]
            for form in (*peer.forms, NOTHING_KEPT) if (suite, name) == ("cold", "fsrcnn-np") else peer.forms:
                if version(peer.package) is None:
                    yield {"suite": suite, "peer": name, "form": form, "missing": f"not installed ({peer.package})"}
                    continue
                try:
                    yield from [_cold(name, form, options)] if suite == "cold" else _network(name, form, options)
                except Unwritable as error:
                    yield {"suite": suite, "peer": name, "form": form, "failed": f"no model written: {error}"}


def _network(name: str, form: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with _model(name, form, CHECKED, options) as path:
        found = _case("check", name, form, CHECKED, path, options.threads, options)
    if "failed" in found:
        yield {"suite": "network", "peer": name, "form": form, "failed": found["failed"]}
        return
    for shape in options.sizes or SIZES:
        yield found | _timed("network", name, form, shape, options.threads, options)


def _timed(
    suite: str, peer: str, form: str, shape: tuple[int, int], threads: int, options: argparse.Namespace
) -> dict[str, Any]:
    with _model(peer, form, shape, options) as path:
        before = gflops(threads)
        found = _case("time", peer, form, shape, path, threads, options)
        after = gflops(threads)
    own = {"target": f"{target.host().lanes} float32 lanes"} if peer == "fsrcnn-np" else {}
    return {
        "suite": suite, "peer": peer, "form": form, "shape": shape, "threads": threads, **own,
        "version": version(PEERS[peer].package), "peak": max(before.wall, after.wall),
        "peak_cpu": max(before.cpu, after.cpu), "of_ports": max(before, after).of_ports, **found,
    }  # fmt: skip


def _processes(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Any]:
    """As many processes as threads are asked for, each on one thread, at the same time."""
    count = options.threads
    with _model("fsrcnn-np", "new result", shape, options) as path, ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(_case, "time", "fsrcnn-np", "new result", shape, path, 1, options) for _ in range(count)]
        found = [one.result() for one in waiting]
    row = {"suite": "processes", "peer": "fsrcnn-np", "form": "new result", "shape": shape, "threads": count}
    if failed := [one["failed"] for one in found if "failed" in one]:
        return row | {"failed": failed[0]}
    return row | {
        "walls": [wall for one in found for wall in one["walls"]],
        "memory": sum(one["memory"] for one in found),
    }


def _cold(peer: str, form: str, options: argparse.Namespace) -> dict[str, Any]:
    """Wall seconds from the start of a process to its end after a first result.

    A run before fills the caches: the disk's, and those of compiled code, Python's, as installed packages have it, and
    ours unless nothing is to be kept.
    """
    walls, cpus = [], []
    with _model(peer, form, COLD, options) as path:
        for _ in range(options.repeats + 1):
            wall, cpu = time.perf_counter(), _cpu_of_children()
            with tempfile.TemporaryDirectory() as empty:
                kept = {"NUMBA_CACHE_DIR": empty} if form == NOTHING_KEPT else {}
                found = _case("cold", peer, form, COLD, path, options.threads, options, kept)
            walls.append(time.perf_counter() - wall)
            cpus.append(_cpu_of_children() - cpu)
            if "failed" in found:
                break
    row = {"suite": "cold", "peer": peer, "form": form, "threads": options.threads, **found}
    return row | {"walls": walls[1:], "cpus": cpus[1:], "version": version(PEERS[peer].package)}


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def _model(peer: str, form: str, shape: tuple[int, int], options: argparse.Namespace) -> Iterator[Path]:
    """The model in a file, in the peer's form."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("model" + SUFFIXES.get(peer, ".onnx"))
        written = _case("write", peer, form, shape, path, 1, options)
        if "failed" in written:
            raise Unwritable(written["failed"])
        yield path


def _case(
    mode: str,
    peer: str,
    form: str,
    shape: tuple[int, int],
    path: Path,
    threads: int,
    options: argparse.Namespace,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    asked = {
        "mode": mode, "peer": peer, "form": form, "shape": shape, "path": str(path), "threads": threads,
        "repeats": options.repeats, "seconds": options.seconds, "memory": int(options.memory * 2**30),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.case", json.dumps(asked)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | (environment or {}),
        capture_output=True,
        text=True,
    )
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        why = done.stderr.strip().splitlines()[-1:] or [f"the process ended with {done.returncode}"]
        return {"failed": why[0][:120]}


def _size(text: str) -> tuple[int, int]:
    rows, columns = text.lower().split("x")
    return int(rows), int(columns)


def _memory() -> float:
    """GiB of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 8.0


if __name__ == "__main__":
    sys.exit(main())
