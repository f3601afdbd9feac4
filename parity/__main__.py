"""`python -m parity`: one table of who else computed this and how far apart the answers are.

`python -m parity paper`: Honjo 2022 and the FSRCNN paper, one line per cell or claim.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from . import report, statistics_rows, suite
from .oracles import matlab, octave, printed, pytorch, r
from .paper import lines as paper
from .store import Goldens, StoreError, Vector, load_goldens
from .suite import FAIL, Row, failed, golden_rows, not_run
from .tolerances import Tolerance

ORACLES = {"octave": octave.available, "r": r.available, "torch": pytorch.available}
OUTPUT = Path("build") / "parity"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all that ran passed, 1 something failed or a required oracle is missing, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m parity", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["suite", "paper"], default="suite")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        default=_default_images(),
        help="images and models whose values are in print, known by sha256 (default: $FSRCNN_SHARED or ../shared/data)",
    )
    parser.add_argument(
        "--goldens",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file that parity/matlab/export_goldens.m wrote; may be given more than once",
    )
    parser.add_argument(
        "--require",
        default="",
        metavar="octave,r,torch",
        help="oracles whose absence is a failure",
    )
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, metavar="DIR", help=f"default: {OUTPUT}")
    parser.add_argument(
        "--page",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="renew the tables in a Markdown page, between <!-- parity:table --> and <!-- /parity:table -->, likewise "
        "parity:summary, parity:reasons and paper:table",
    )
    options = parser.parse_args(arguments)
    required = {name for name in options.require.split(",") if name}
    if unknown := required - ORACLES.keys():
        parser.error(f"--require {sorted(unknown)[0]}: there are {', '.join(ORACLES)}")
    if options.images is not None and not options.images.is_dir():
        parser.error(f"--images {options.images}: no such folder")
    try:
        if options.what == "paper":
            return run_paper(options.images, options.output, options.page)
        return run_suite(options.images, options.goldens, required, options.output, options.page)
    except OSError as error:
        print(f"{error.filename or options.output}: cannot be written: {error.strerror or error}", file=sys.stderr)
        return 1


def run_suite(
    images: Path | None, files: Sequence[Path], required: set[str], output: Path, pages: Sequence[Path]
) -> int:
    """Everything that can run here, as one table."""
    vectors, known, rows = suite.own_rows()
    rows += live_rows(vectors, known, images)
    for file in files:
        rows += file_rows(file, vectors, known)
    if not files:
        rows.append(not_run("all", "MATLAB", matlab.HOW_TO))
    rows += statistics_rows.rows(known)
    rows += printed.piqe_rows(images, known)
    rows += printed.imresize_rows(images, known)
    rows += printed.published_rows(images, known)
    missing = [name for name in sorted(required) if not ORACLES[name]()]
    rows += [
        failed("all", name, [f"every vector, every stage: --require {name}, and it is missing"]) for name in missing
    ]
    print(report.text(rows))
    about = {"suite": "fsrcnn-np parity", "machine": machine()}
    report.write(output, "parity", report.rows_as_dicts(rows), report.page(rows), about)
    for page in pages:
        report.renew(page, report.parts(rows))
    return int(any(row.status == FAIL for row in rows))


def run_paper(images: Path | None, output: Path, pages: Sequence[Path]) -> int:
    """The papers' own numbers."""
    lines = paper.all_lines(images)
    print(report.paper_text(lines))
    about = {"suite": "fsrcnn-np paper", "machine": machine()}
    report.write(output, "paper", report.lines_as_dicts(lines), report.paper_markdown(lines), about)
    for page in pages:
        report.renew(page, {"paper:table": report.paper_markdown(lines)})
    return int(any(line.status == paper.DIFFERS for line in lines))


def live_rows(vectors: Sequence[Vector], known: dict[str, Tolerance], images: Path | None) -> list[Row]:
    """Octave and PyTorch, run now on all vectors and on the trained models."""
    from .generate import trained

    try:
        subjects = [*vectors, *trained(printed.find(images).get("FSRCNN x2.mat"))]
    except Exception as error:  # ours is on trial
        return [failed("network", "all", [f"vector network-shipped, every stage: {type(error).__name__}: {error}"])]
    rows: list[Row] = []
    for oracle, name in ((octave, "GNU Octave"), (pytorch, "PyTorch")):
        wanted = subjects if oracle is octave else [vector for vector in subjects if vector.kind == "network"]
        if not oracle.available():
            rows.append(not_run("all" if oracle is octave else "network", name, oracle.HOW_TO))
            continue
        try:
            goldens: Goldens = oracle.run(wanted)
        except (octave.OctaveError, StoreError, ImportError) as error:
            rows.append(failed("all", name, [f"every vector, every stage: {error}"]))
            continue
        rows += golden_rows(wanted, goldens, known)
    return rows


def file_rows(file: Path, vectors: Sequence[Vector], known: dict[str, Tolerance]) -> list[Row]:
    """A golden file that someone brought."""
    try:
        goldens = load_goldens(file)
    except StoreError as error:
        return [failed("all", "golden file", [f"every vector, every stage: {file}: {error}"], source=file.name)]
    return [*golden_rows(vectors, goldens, known), *matlab.builtin_rows(vectors, goldens, known)]


def machine() -> dict[str, Any]:
    """Versions that could matter."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    for name in ("numpy", "scipy", "numba", "llvmlite", "torch", "fsrcnn-np"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _default_images() -> Path | None:
    place = Path(os.environ.get("FSRCNN_SHARED") or Path(__file__).parents[2] / "shared" / "data")
    return place if place.is_dir() else None


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Σ and × on a terminal that has neither
    sys.exit(main())
