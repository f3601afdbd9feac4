"""One measurement in a process of its own: `python -m benchmarks.case '{"peer": …}'` prints its result as JSON.

mode "write"   the model in the peer's form, to a file that the other modes read
mode "check"   the peer's result beside ours, on an image that is no multiple of anything
mode "time"    a run to warm up where that matters, then the repeats; wall, CPU seconds, peak memory of the process
mode "cold"    the first 512² result; the time is taken by who started the process
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from .peers import PEERS

AGREEMENT = 2e-5
WARMED = 2048  # rows; a larger image takes so long that its first run hardly differs, and counts


def main(asked: dict[str, Any]) -> dict[str, Any]:
    if limit := asked.get("memory"):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    peer, form, shape, path = PEERS[asked["peer"]], asked["form"], tuple(asked["shape"]), Path(asked["path"])
    if asked["mode"] == "write":
        peer.write(form, shape, path)
        return {}
    image = np.random.default_rng(0).random(shape, np.float32)
    run = peer.read(form, shape, path, asked["threads"])
    if asked["mode"] == "check":
        from fsrcnn_np.engine.llvm import forward

        from .graphs import benchmark_weights

        apart = float(np.abs(run(image) - forward(image, benchmark_weights())).max())
        return {"apart": apart} if apart <= AGREEMENT else {"failed": f"{apart:.2g} apart from ours"}
    if asked["mode"] == "cold" or shape[0] <= WARMED:
        run(image)
    if asked["mode"] == "cold":
        return {}
    walls: list[float] = []
    cpus: list[float] = []
    begin = time.perf_counter()
    while len(walls) < asked["repeats"] and (not walls or time.perf_counter() - begin < asked["seconds"]):
        wall, cpu = time.perf_counter(), time.process_time()
        run(image)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"walls": walls, "cpus": cpus, "memory": peak_memory()}


def peak_memory() -> int:
    """Bytes that this process has had in memory at most.

    Not getrusage where Linux says better: its maximum goes through exec, so a child has at least its parent's.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    try:
        result = main(json.loads(sys.argv[1]))
    except Exception as error:  # a peer's own errors are of all kinds, and a row of the table
        result = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"}
    print(json.dumps(result))
