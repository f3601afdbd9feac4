"""Runs that are killed, and what they leave: the same store, row by row, as a run that nobody touched.

    python tests/study/attacks.py            the full form: 200 phantoms of 512², two Dask workers, 20 kills
    python tests/study/attacks.py --soak     memory over 10,000 small images

The suite runs the same functions on a few small images.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from cohort_images import rows, small_images  # noqa: E402
from fsrcnn_np.study.run import run  # noqa: E402

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def untouched(cohort: Path, results: Path, weights: str, **options: object) -> list[tuple]:
    """A run in this process; gives the store's rows."""
    list(run(cohort, results, weights=weights, data_range=4095, **{"workers": 0} | options))
    return rows(results)


def killed_again_and_again(
    cohort: Path, results: Path, weights: str, *, kills: int, seed: int = 0, workers: int = 1
) -> tuple[list[tuple], list[int]]:
    """`fsrcnn-np study run`, killed with -9 at random points; gives the rows, and how many images each kill found."""
    # fmt: off
    command = [sys.executable, "-m", "fsrcnn_np", "study", "run", str(cohort), "-o", str(results), "--weights", weights,
               "--data-range", "4095", "--workers", str(workers), "--save-sr", "--no-report"]
    # fmt: on
    rng, found, count = random.Random(seed), [], len(list(cohort.iterdir()))
    for number in range(kills):
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        # The kills are spread over the whole run, and each falls on any phase of an image, or of Python's start.
        wanted = number * count // (kills + 1)
        while _measured(results) < wanted and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found.append(_measured(results))
    subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    return rows(results), found


def _measured(results: Path) -> int:
    """How many images a store has a record of, while somebody may be making it."""
    try:
        connection = sqlite3.connect(f"file:{results / 'study.sqlite'}?mode=ro", uri=True, timeout=10)
    except sqlite3.OperationalError:
        return 0
    try:
        return connection.execute("SELECT count(*) FROM images WHERE key IS NOT NULL").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def one_dask_worker_killed(cohort: Path, results: Path, weights: str, *, after: int) -> tuple[list[tuple], int]:
    """Two Dask workers, one of them killed with -9 after so many images; gives the rows, and the number of kills."""
    from distributed import Client, LocalCluster

    killed = 0
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        for number, _ in enumerate(
            run(cohort, results, weights=weights, data_range=4095, dask=cluster.scheduler_address), 1
        ):
            if number == after:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
                killed += 1
    return rows(results), killed


def memory_over(
    cohort: Path, results: Path, weights: str, *, every: int, workers: int = 1
) -> list[tuple[int, int, int]]:
    """After every so many images: their number, and the resident bytes of this process and of its largest child."""
    found = []
    for number, _ in enumerate(run(cohort, results, weights=weights, data_range=4095), 1):
        if number % every == 0:
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            found.append((number, _resident(os.getpid()), max(map(_resident, map(int, children)), default=0)))
    return found


def _resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """The full form; prints what it did and found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--weights", default="x2")
    parser.add_argument("--attacks", nargs="+", choices=("dask", "kills"), default=("dask", "kills"))
    parser.add_argument("--soak", action="store_true", help="only memory, over 10,000 images of 32²")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.soak:
            small_images(folder / "images", 10_000, side=32)
            _timed("10,000 images", lambda: _soak(folder, options.weights))
            return
        _timed("phantoms", lambda: _phantoms(folder / "images", options.images, options.side))
        plain = _timed(
            "plain run", lambda: untouched(folder / "images", folder / "plain", options.weights, save_sr=True)
        )
        if "dask" in options.attacks:
            found, killed = _timed(
                "two Dask workers",
                lambda: one_dask_worker_killed(
                    folder / "images", folder / "dask", options.weights, after=options.images // 2
                ),
            )
            same = [row[:-1] for row in found] == [row[:-1] for row in plain]  # but for where the SR image is
            print(f"  {killed} worker killed; {len(found)} rows; the same as plain: {same}")
        if "kills" in options.attacks:
            found, there = _timed(
                f"{options.kills} kills",
                lambda: killed_again_and_again(
                    folder / "images", folder / "killed", options.weights, kills=options.kills, workers=2
                ),
            )
            print(
                f"  measured at each kill: {there}; at the end {len(found)} rows; the same as plain: {found == plain}"
            )
            kept = sorted((folder / "killed/sr").iterdir())
            same = all((folder / "plain/sr" / path.name).read_bytes() == path.read_bytes() for path in kept)
            print(f"  {len(kept)} files below sr/, each the same bytes as plain: {same}")


def _phantoms(folder: Path, count: int, side: int) -> None:
    from fsrcnn_np.files import write
    from fsrcnn_np.phantom import phantom

    for seed in range(count):
        write(folder / f"phantom_{seed:03}.png", phantom(seed, shape=(side, side)).pixels)


def _soak(folder: Path, weights: str) -> None:
    for number, here, child in memory_over(folder / "images", folder / "r", weights, every=1000):
        print(f"  {number:6} images: {here / 2**20:.1f} MiB here, {child / 2**20:.1f} MiB in the worker", flush=True)


def _timed(what: str, work: Callable[[], object]):
    started = time.monotonic()
    print(f"{what} …", flush=True)
    found = work()
    print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)
    return found


if __name__ == "__main__":
    main()
