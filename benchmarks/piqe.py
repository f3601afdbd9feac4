"""PIQE beside its peers: `python -m benchmarks.piqe`.

Every case runs in a process of its own: it loads the image and the package, scores a small image, and then is timed.
Before anything is timed, the peers' scores are held against ours on an image on which all three mean the same (8 bits,
white present, whole blocks); a peer that is not installed is a row that says so, one that is faster is a row, too.
Results of several calls into one folder are one table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from .case import peak_memory
from .table import machine

Row = dict[str, Any]
Score = Callable[[np.ndarray], float]

ROOT = Path(__file__).parents[1]
SIZE = (8192, 6656)
AGREEMENT = {
    "piqe_np": 1e-9,
    "piqe_np numba": 1e-9,
    "piqe_np reference": 1e-9,
    "pypiqe": 1e-6,
    "pyiqa": 0.05,
}  # pyiqa computes in float32


def ours(engine: str, threads: int) -> Score:
    from piqe_np import piqe

    return lambda image: piqe(image, engine=engine, threads=threads).score


def pypiqe(threads: int) -> Score:
    import cv2
    from pypiqe import piqe

    cv2.setNumThreads(threads)
    return lambda image: float(piqe(image)[0])


def pyiqa(threads: int) -> Score:
    import torch
    from pyiqa.archs.piqe_arch import piqe

    torch.set_num_threads(threads)

    def score(image: np.ndarray) -> float:
        found = piqe(torch.from_numpy(image)[None, None].to(torch.float32) / 255)
        return float(found[0] if isinstance(found, tuple) else found)

    return score


PEERS: dict[str, Callable[[int], Score]] = {
    "piqe_np": lambda threads: ours("llvm", threads),
    "piqe_np numba": lambda threads: ours("numba", threads),
    "piqe_np reference": lambda threads: ours("reference", threads),
    "pypiqe": pypiqe,
    "pyiqa": pyiqa,
}


def texture(height: int, width: int) -> np.ndarray:
    """8 bits from 0 to 255: a coarse pattern, finer grain, an even part; nothing that any program could skip."""
    rng = np.random.default_rng(2015)
    coarse = rng.integers(0, 150, (height // 23 + 1, width // 23 + 1), np.uint8).repeat(23, 0).repeat(23, 1)
    image = coarse[:height, :width] + rng.integers(0, 60, (height, width), np.uint8)
    image[height // 2 :, : width // 5] = np.arange(width // 5) % 200
    image[0, 0], image[0, 1] = 0, 255
    return image


def case(asked: dict[str, Any]) -> Row:
    """In a process of its own: one peer's score, wall times and memory."""
    image = np.load(asked["image"])
    score = PEERS[asked["peer"]](asked["threads"])
    if asked["repeats"] == 0:
        return {"score": score(image)}
    score(texture(64, 64))  # now everything is imported, and compiled where it is
    held, scores = resident(), set()
    walls: list[float] = []
    cpus: list[float] = []
    begin = time.perf_counter()
    while len(walls) < asked["repeats"] and (not walls or time.perf_counter() - begin < asked["seconds"]):
        wall, cpu = time.perf_counter(), time.process_time()
        scores.add(score(image))
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    if len(scores) > 1:
        raise ValueError(f"one image, several scores: {scores}")
    return {"score": scores.pop(), "walls": walls, "cpus": cpus, "memory": peak_memory() - held}


def resident() -> int:
    """Bytes that this process holds now, Linux only; the peak starts again from here where the kernel allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def asked_of(peer: str, **asked: Any) -> Row:
    """Start a process for a case; what went wrong there is `failed`."""
    threads = str(asked["threads"])
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    command = [sys.executable, "-m", "benchmarks.piqe", "--case", json.dumps({"peer": peer, **asked})]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | limits, capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError):
        lines = done.stderr.strip().splitlines()
        return {"failed": lines[-1][:160] if lines else f"exit status {done.returncode}"}


def rows(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Check, then time; the peers' rows are complete before the next peer starts."""
    large, small = folder / "large.npy", folder / "small.npy"
    np.save(large, texture(*options.size))
    np.save(small, texture(512, 512))
    right = asked_of("piqe_np reference", image=str(small), threads=1, repeats=0).get("score")
    for peer in options.peers:
        row: Row = {"peer": peer, "version": version(peer)}
        checked = asked_of(peer, image=str(small), threads=1, repeats=0)
        if "failed" in checked or right is None:
            yield row | {"failed": checked.get("failed", "the reference failed")}
            continue
        row["apart"] = abs(checked["score"] - right)
        if row["apart"] > AGREEMENT[peer]:
            yield row | {"failed": f"its score is {row['apart']:.2g} from the reference's"}
            continue
        begin = time.perf_counter()
        asked_of(peer, image=str(small), threads=1, repeats=0)
        row["cold"] = time.perf_counter() - begin
        for threads in options.threads:
            timing = {"threads": threads, "repeats": options.repeats, "seconds": options.seconds}
            yield row | {"threads": threads, "size": list(options.size)} | asked_of(peer, image=str(large), **timing)


def version(peer: str) -> str:
    try:
        return metadata.version("fsrcnn-np" if peer.startswith("piqe_np") else peer)
    except metadata.PackageNotFoundError:
        return "not installed"


def text(found: list[Row], about: dict[str, Any]) -> str:
    """The table as Markdown."""
    height, width = next((row["size"] for row in found if "size" in row), SIZE)
    ours = {row["threads"]: statistics.median(row["walls"]) for row in found if is_ours(row)}
    lines = [
        ", ".join(f"{name} {value}" for name, value in about.items()),
        "",
        f"{height}×{width} uint8, medians of n runs. Memory: peak over the process that holds the image and has "
        "scored a small one. Fresh process: interpreter, import and a 512×512 image; caches warm.",
        "",
        "| who | version | threads | n | wall s | CPU s | times ours | memory GiB | score | fresh process s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        start = f"| {row['peer']} | {row['version']} |"
        if "walls" not in row:
            lines.append(f"{start} {row.get('threads', '')} | {row.get('failed')} |" + " |" * 6)
            continue
        wall, cpu = statistics.median(row["walls"]), statistics.median(row["cpus"])
        times = f"{wall / ours[row['threads']]:.1f}" if row["threads"] in ours else ""
        numbers = (row["threads"], len(row["walls"]), f"{wall:.3f}", f"{cpu:.2f}", times,
                   f"{row['memory'] / 2**30:.2f}", f"{row['score']:.4f}", f"{row['cold']:.2f}")  # fmt: skip
        lines.append(f"{start} {' | '.join(map(str, numbers))} |")
    return "\n".join(lines) + "\n"


def key(row: Row) -> tuple[Any, ...]:
    """A case measured again replaces the older one; the table's order."""
    return list(PEERS).index(row["peer"]), row.get("threads", 0), row.get("size", [])


def is_ours(row: Row) -> bool:
    return row["peer"] == "piqe_np" and "walls" in row


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all well, 1 a peer's score is not ours or a case failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.piqe", description=__doc__.split("\n")[0])
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=list(PEERS), metavar="NAME")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--size", nargs=2, type=int, default=SIZE, metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--repeats", type=int, default=9, help="runs of each case (default 9)")
    parser.add_argument("--seconds", type=float, default=10, help="no further run of a case after so long (default 10)")
    parser.add_argument("--into", type=Path, default=Path("build") / "benchmarks", metavar="DIR")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.case:
        print(json.dumps(case(options.case)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        new = list(rows(options, Path(folder)))
    options.into.mkdir(parents=True, exist_ok=True)
    results = options.into / "piqe.json"
    old = json.loads(results.read_text("utf-8"))["rows"] if results.exists() else []
    found = sorted([row for row in old if "walls" in row and key(row) not in map(key, new)] + new, key=key)
    table = text(found, about := machine())
    results.write_text(json.dumps({"machine": about, "rows": found}, indent=1), encoding="utf-8")
    (options.into / "piqe.md").write_text(table, encoding="utf-8")
    print(f"{table}\nsaved in {options.into}")
    return int(any("failed" in row and row["version"] != "not installed" for row in found))


if __name__ == "__main__":
    sys.exit(main())
