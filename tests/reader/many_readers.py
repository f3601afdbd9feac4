"""How the server of the reader study holds out: `python tests/reader/many_readers.py [--readers 20] [--cases 1000]`.

So many readers at once, without a pause to look, open their cases, fetch every tile and send their clicks; seconds as
they wait, the server's memory as it goes, and every click found in the CSV. Then seconds of one full-size case: SR, and
its tiles.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from test_study_read import Command  # noqa: E402

from fsrcnn_np.reader.criteria import read_criteria  # noqa: E402
from fsrcnn_np.reader.pyramid import TILE, places, tiles  # noqa: E402
from fsrcnn_np.study.ratings_file import read_ratings  # noqa: E402
from reader_study import Client, draw, rating  # noqa: E402


def memory(process: int) -> float:
    """MiB that a process holds now (Linux)."""
    line = next(row for row in Path(f"/proc/{process}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def read(client: Client, name: str, each: int, waited: dict[str, list[float]], clicks: dict) -> None:
    """One reader, who does not look."""

    def timed(what: str, call):
        begun = time.perf_counter()
        found = call()
        waited[what].append(time.perf_counter() - begun)
        return found

    chance = np.random.default_rng(len(name) + sum(name.encode()))
    for number in range(1, each + 1):
        status, case = timed("open a case", lambda number=number: client.open(number))
        assert status == 200, case
        for image in case["images"]:
            for level, row, column in places(image["rows"], image["columns"]):
                path = f"/tiles/{image['key']}/{level}/{row}/{column}"
                assert timed("fetch a tile", lambda path=path: client.ask("GET", path))[0] == 200
        for criterion in read_criteria().criteria:
            value = int(chance.integers(1, 6))
            event = rating(number, criterion.name, value)
            status, answer = timed("keep a click", lambda event=event: client.post([event]))
            while status == 429:
                time.sleep(1)
                status, answer = client.post([event])
            assert (status, answer["saved"]) == (200, [event["id"]])
            clicks[name, number, criterion.name] = value


def many(readers: int, cases: int, each: int) -> None:
    """All of them at once."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        draw(folder / "a", [f"{n:04}.npy" for n in range(cases)], (300, 280))
        draw(folder / "b", [f"{n:04}.npy" for n in range(cases)], (600, 560))
        names = [f"reader {n}" for n in range(1, readers + 1)]
        words = [word for name in names for word in ("--reader", name)]
        sides = ("--left", folder / "a", "--right", folder / "b")
        command = Command(folder / "kept", *sides, "--data-range", "4095", "--port", 0, *words)
        waited: dict[str, list[float]] = {"open a case": [], "fetch a tile": [], "keep a click": []}
        clicks: dict[tuple[str, int, str], int] = {}
        begun = time.perf_counter()
        threads = [
            threading.Thread(target=read, args=(command.client(name), name, each, waited, clicks)) for name in names
        ]
        for thread in threads:
            thread.start()
        held = []
        while any(thread.is_alive() for thread in threads):
            held.append((len(list((folder / "kept" / "tiles").rglob("*.tiles"))) // 2, memory(command.process.pid)))
            time.sleep(1)
        seconds = time.perf_counter() - begun
        count = sum(map(len, waited.values()))
        print(f"{readers} readers, {each} of {cases} cases each: {count} requests, {count / seconds:.0f} a second")
        for what, found in waited.items():
            p50, p95 = statistics.median(found), statistics.quantiles(found, n=20)[-1]
            print(
                f"  {what:13} median {1e3 * p50:4.0f} ms, 95 % {1e3 * p95:4.0f} ms, longest {1e3 * max(found):5.0f} ms"
            )
        for share in (0.1, 0.25, 0.5, 0.75, 1.0):
            made_cases, size = held[max(0, round(share * len(held)) - 1)]
            print(f"  memory {size:4.0f} MiB after the tiles of {made_cases} cases")
        status, _, error = command.end()
        assert (status, error) == (0, ""), error
        found = read_ratings(folder / "kept" / "reading.csv").ratings
        assert len(found) == len(clicks) == readers * each * 14
        print(f"  all {len(found)} ratings are in the CSV")


def one() -> None:
    """A case of full size."""
    import fsrcnn_np
    from fsrcnn_np.phantom import phantom

    original = phantom(0, shape=(4096, 3328)).pixels
    fsrcnn_np.upscale(original[:512, :512], data_range=4095)  # compiles
    begun = time.perf_counter()
    large = fsrcnn_np.upscale(original, data_range=4095)
    sr = time.perf_counter() - begun
    begun = time.perf_counter()
    sizes = [sum(map(len, tiles(image, threads=2))) for image in (original, large)]
    cut = time.perf_counter() - begun
    print(f"{original.shape} and {large.shape}: SR {sr:.2f} s, tiles of both {cut:.2f} s, {cut / sr:.2f} times;")
    raw = [image.nbytes / 2**20 for image in (original, large)]
    packed = ", ".join(f"{a:.0f} → {b / 2**20:.1f} MiB" for a, b in zip(raw, sizes, strict=True))
    print(f"  {packed} in tiles of {TILE}², all levels")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--each", type=int, default=60, help="cases that each reader opens (60)")
    options = parser.parse_args()
    many(options.readers, options.cases, min(options.each, options.cases))
    one()
