"""The whole study on a cohort without patients: phantoms, simulated readers, and the run over them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..files import OutputExists, write, write_text
from ..files.made import check_free
from ..progress import Progress
from .paper.honjo import BREASTS
from .records import Rating
from .roster import DENSITIES, Breast, roster, simulated_ratings
from .run import Outcome, run
from .store import add_ratings

DATA = "procedural phantoms, no patients; simulated readers, whose counts are those of the paper's Table 2"
SHAPE = (1664, 1280)  #: of 0.07 mm: half a detector of 18×24 cm both ways
MOST = 10_000


def draw_cohort(
    directory: str | PathLike[str],
    *,
    cases: int = 24,
    seed: int = 0,
    shape: tuple[int, int] = SHAPE,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Rating]:
    """Draw a cohort with the paper's proportions.

    Parameters
    ----------
    directory : path
        Gets `images/`, `cohort.csv` and `ratings.csv`. What is there and would come out again is kept.
    cases : int
        Breasts, 1 to 10,000.
    seed : int
        0 or more; another seed is another cohort and needs another folder.
    shape : (int, int)
        Of a phantom, in pixels of 0.07 mm; see `fsrcnn_np.phantom.phantom`.
    overwrite : bool
        Replace what is there and would come out otherwise; else an OutputDiffers says what differs.
    progress : callable, optional
        Called as progress(done, total).

    Returns
    -------
    list of Rating
        What the simulated readers say.

    Raises
    ------
    FsrcnnError
        An impossible number of cases, seed or shape; a folder that cannot be written.
    """
    for name, value, least, most in (("cases", cases, 1, MOST), ("seed", seed, 0, 1 << 32)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise OptionError(f"{name} is {value!r}; allowed are whole numbers from {least} to {most}")
    folder = Path(directory)
    breasts = roster(cases, seed=seed)
    for number, breast in enumerate(breasts, 1):
        _draw(folder / _path(breast), breast, shape, overwrite=overwrite)
        if progress is not None:
            progress(number, len(breasts))
    ratings = _ratings(breasts, seed)
    for name, text in (("cohort.csv", _cohort(breasts)), ("ratings.csv", _rows(ratings))):
        with suppress(OutputExists):
            write_text(folder / name, text, overwrite=overwrite)
    return ratings


def measure_cohort(directory: str | PathLike[str], ratings: Iterable[Rating], **options: Any) -> Iterator[Outcome]:
    """Measure what `draw_cohort` drew, as `run.run` does with these options, and keep the ratings in the store."""
    folder = Path(directory)
    yield from run(folder / "cohort.csv", folder, data=DATA, **options)
    add_ratings(folder, ratings)


def _path(breast: Breast) -> str:
    return f"images/{breast.name}.png"


def _draw(path: Path, breast: Breast, shape: tuple[int, int], *, overwrite: bool) -> None:
    """A phantom as a 12-bit PNG; a right breast is the mirror image of a left one."""
    from ..phantom import phantom
    from ..phantom.draw import Parameters
    from ..phantom.provenance import of_phantom

    chosen = Parameters(
        breast.seed, DENSITIES[breast.density], breast.morphology, breast.distribution, breast.view, 1.0, shape, True,
        "noisy",
    )  # fmt: skip
    made = of_phantom(chosen, data_range=4095, side=breast.side)
    with suppress(OutputExists):
        check_free(path, made, overwrite=overwrite)
        pixels = phantom(**chosen._asdict()).pixels
        pixels = pixels if breast.side == "L" else pixels[:, ::-1].copy()
        write(path, pixels, provenance=made, overwrite=overwrite)


def _cohort(breasts: list[Breast]) -> str:
    findings = ["density", "morphology", "distribution", "birads"]
    columns = ["path", "patient", "breast", "view", *findings, "age", "data_range"]
    rows = [
        [_path(b), b.patient, b.side, b.view, b.density, b.morphology, b.distribution, b.birads, b.age, 4095]
        for b in breasts
    ]
    return _csv(columns, rows)


def _ratings(breasts: list[Breast], seed: int) -> list[Rating]:
    """Of 136 breasts: those that were drawn under the names of their images, first, and others that were not."""
    names = [breast.name for breast in breasts][:BREASTS]
    names += [breast.name for breast in roster(BREASTS, seed=seed) if breast.name not in set(names)]
    images = {breast.name: _path(breast) for breast in breasts}
    return [
        replace(rating, case=images.get(rating.case, rating.case))
        for rating in simulated_ratings(names[:BREASTS], seed=seed)
    ]


def _rows(ratings: list[Rating]) -> str:
    rows = [[r.reader, r.case, r.criterion, r.value, r.comment, r.occasion, r.patient] for r in ratings]
    return _csv(["reader", "case", "criterion", "value", "comment", "occasion", "patient"], rows)


def _csv(columns: list[str], rows: list[list[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["NA" if cell is None else cell for cell in row] for row in rows])
    return stream.getvalue()
