"""Train several models side by side on one graphics card.

    python weights/together.py RUNS          # a file: each line is one run's arguments to weights/train.py

One run alone leaves a card idle for most of the time: its kernels are short and small. Here each run is a thread with
a stream of its own, and pictures that several runs take are in memory once. A line that starts with # is no run. A run
that begins (--start) with what another line's makes (--checkpoints) waits for it. All end as they would alone.
"""

from __future__ import annotations

import argparse
import shlex
import threading
import traceback
from pathlib import Path

import needs_torch  # noqa: F401, before it
import torch

import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, help="file of one line of arguments a run")
    lines = [line.strip() for line in parser.parse_args().runs.read_text().splitlines()]
    runs = [train.parsed(shlex.split(line)) for line in lines if line and not line.startswith("#")]
    failed: list[str] = []
    ended = {options.checkpoints: threading.Event() for options in runs}

    def one(options: argparse.Namespace) -> None:
        for place in options.start or ():
            if place in ended:
                ended[place].wait()
        try:
            train.run(options)
        except (Exception, SystemExit) as error:  # the others go on
            traceback.print_exc()
            failed.append(f"{options.checkpoints}: {error}")
        ended[options.checkpoints].set()

    if any(options.device.startswith("cuda") for options in runs):
        torch.linalg.eigh(torch.eye(2, device="cuda"))  # its library cannot be loaded by two threads at a time
    threads = [threading.Thread(target=one, args=(options,)) for options in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
