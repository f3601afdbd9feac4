"""Size against peak memory: each case in a process of its own, whose peak resident memory counts.

`python -m benchmarks.memory FORM ROWS COLUMNS THREADS FOLDER` is one case. Streamed forms go from HDF5 to HDF5, so that
neither the picture nor the result is ever in memory; the others have both there, and what they need beside these.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .case import peak_memory

Row = dict[str, Any]
ROOT = Path(__file__).parents[1]
SIDES = (1024, 2048, 4096, 8192)
SHAPES = ((1, 1), (1, 100_000), (100_000, 1), *((side, side) for side in SIDES), (30_000, 30_000))
STREAMED = 2**28  # pixels; from there on no form that has all in memory: 30,000² is 1.7 GiB, its result 6.7
DTYPE, HIGH = np.uint16, 4096


class Form(NamedTuple):
    """One way to work on a picture."""

    run: Callable[[Path, tuple[int, int], int], object]
    copies: int  #: of the picture's bytes that are in memory for certain: itself 1, a result of twice its sides 4
    streamed: bool = False


def picture(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, HIGH, shape, DTYPE)


def _upscale(folder: Path, shape: tuple[int, int], threads: int) -> object:
    from fsrcnn_np import upscale

    return upscale(picture(shape), threads=threads, data_range=HIGH - 1)


def _piqe(folder: Path, shape: tuple[int, int], threads: int) -> object:
    from piqe_np import piqe

    return piqe(picture(shape), threads=threads, data_range=HIGH - 1)


def _bicubic(folder: Path, shape: tuple[int, int], threads: int) -> object:
    from fsrcnn_np import imresize

    return imresize(picture(shape), 2)


def _compare(folder: Path, shape: tuple[int, int], threads: int) -> object:
    from fsrcnn_np import compare

    return compare(picture(shape), threads=threads, data_range=HIGH - 1)


def _stream(folder: Path, shape: tuple[int, int], threads: int) -> None:
    import h5py

    from fsrcnn_np import upscale_stream

    with h5py.File(folder / "in.h5") as source, h5py.File(folder / "out.h5", "w") as file:
        out = file.create_dataset("image", [2 * size for size in shape], DTYPE)
        upscale_stream(source["image"], out, threads=threads, data_range=HIGH - 1)


def _command(folder: Path, shape: tuple[int, int], threads: int) -> None:
    from fsrcnn_np.cli import main

    words = ["upscale", folder / "in.h5", "-o", folder / "out", "--data-range", HIGH - 1, "--threads", threads]
    if status := main(list(map(str, words))):
        raise SystemExit(f"fsrcnn-np: status {status}")


def _piqe_stream(folder: Path, shape: tuple[int, int], threads: int) -> None:
    import h5py

    from piqe_np import piqe

    with h5py.File(folder / "in.h5") as source:
        piqe(source["image"], threads=threads, data_range=HIGH - 1)


FORMS = {
    "upscale": Form(_upscale, 5),
    "upscale_stream": Form(_stream, 0, streamed=True),
    "fsrcnn-np upscale": Form(_command, 0, streamed=True),
    "piqe": Form(_piqe, 1),
    "piqe, streamed": Form(_piqe_stream, 0, streamed=True),
    "imresize": Form(_bicubic, 5),
    "compare": Form(_compare, 5),
}


def measured(
    threads: int, *, shapes: Sequence[tuple[int, int]] = SHAPES, forms: Sequence[str] = tuple(FORMS)
) -> Iterator[Row]:
    """A row for each size and form."""
    for shape in shapes:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for name in forms:
                if math.prod(shape) >= STREAMED and not FORMS[name].streamed:
                    continue
                if FORMS[name].streamed and not (folder / "in.h5").exists():
                    _write(folder / "in.h5", shape)
                row = {"suite": "memory", "peer": "fsrcnn-np", "form": name, "shape": shape, "threads": threads}
                held = FORMS[name].copies * math.prod(shape) * np.dtype(DTYPE).itemsize
                yield row | {"held": held} | _case(name, shape, threads, folder)
                for made in (folder / "out.h5", folder / "out" / "in.h5"):  # room for the next one
                    made.unlink(missing_ok=True)


def _case(name: str, shape: tuple[int, int], threads: int, folder: Path) -> Row:
    words = [sys.executable, "-m", __name__, name, *map(str, shape), str(threads), str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:120]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _write(path: Path, shape: tuple[int, int]) -> None:
    import h5py

    height, width = shape
    step = max(1, 2**24 // width)
    with h5py.File(path, "w") as file:
        image, rng = file.create_dataset("image", shape, DTYPE), np.random.default_rng(0)
        for first in range(0, height, step):
            rows = min(step, height - first)
            image[first : first + rows] = rng.integers(0, HIGH, (rows, width), DTYPE)


def text(rows: list[Row]) -> str:
    """Size against peak memory in MiB: a row a size, a column a way; in brackets what picture and result are of it."""
    ways = [name for name in FORMS if any(row["form"] == name for row in rows)]
    lines = [f"| low resolution, uint16 | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
    for shape in sorted({tuple(row["shape"]) for row in rows}, key=lambda shape: (math.prod(shape), shape)):
        cells = []
        for name in ways:
            found = [row for row in rows if tuple(row["shape"]) == shape and row["form"] == name]
            cells.append(_cell(found[0]) if found else "")
        lines.append(f"| {'×'.join(map(str, shape))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    if "failed" in row:
        return str(row["failed"])
    held = row["held"] / 2**20
    return f"{row['memory'] / 2**20:.0f}" + (f" ({held:.0f})" if held >= 1 else "")


if __name__ == "__main__":
    form, rows, columns, threads, folder = sys.argv[1:]
    begun = time.perf_counter()
    FORMS[form].run(Path(folder), (int(rows), int(columns)), int(threads))
    print(json.dumps({"walls": [time.perf_counter() - begun], "memory": peak_memory()}))
