"""The whole job on a procedural phantom; needs no file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..engine import DEFAULT
from ..files import OutputExists, Provenance
from ..files.made import check_free
from ..network.weights import Weights
from ..phantom import Phantom, phantom
from ..phantom.provenance import of_phantom
from ..pipeline import model_name
from ..progress import Progress
from ..types import Model
from .compare import compare
from .job import Compared, Outputs
from .spots import Square, place

NOTE = "procedural phantom, not a patient"
SIDE = 70  #: pixels of the square that the figure magnifies, 4.9 mm


def demo(
    directory: str | PathLike[str],
    *,
    seed: int = 0,
    shape: tuple[int, int] = (3328, 2560),
    weights: Model = "x2",
    suffix: str | None = ".png",
    threads: int | None = None,
    engine: str | None = None,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> Compared:
    """Draw a phantom, super-resolve it, compare original, bicubic and SR, and write all of it.

    Parameters
    ----------
    directory : path
        Gets `phantom_SEED.png` (12 bits in 16), `phantom_SEED_x2.png`, `phantom_SEED_comparison.png`; and
        `comparison.txt`, `.csv` and `.json`.
    seed, shape
        Of `fsrcnn_np.phantom.phantom`.
    weights, threads, engine, progress
        Of `fsrcnn_np.study.compare.compare`.
    suffix : {".png", ".pdf", ".svg"} or None
        The figure's format; None: no figure.
    overwrite : bool
        Replace files that exist; otherwise those are kept that would come out again, and where all are, nothing is
        computed. Of others an OutputDiffers says what differs.

    Returns
    -------
    Compared

    Raises
    ------
    FsrcnnError
        What cannot be done, in one line.
    """
    from ..convert import load_weights
    from ..files import write
    from . import figure
    from .table import Tables

    if suffix is not None:
        figure.check(suffix)
    model = load_weights(weights) if isinstance(weights, str | PathLike) else weights
    tables = Tables(directory, overwrite=overwrite)
    drawn = phantom(seed, shape=shape)
    outputs = Outputs()

    scale, name = model.architecture.scale, f"phantom_{seed}.png"
    path = None if suffix is None else Path(directory, f"phantom_{seed}_comparison{suffix}")
    made = _provenances(drawn, model, engine)
    names = {name: made[0], f"phantom_{seed}_x{scale}.png": made[1]} | ({path.name: made[2]} if path else {})
    if not overwrite:
        tables.check(name, made[2])
        kept = tuple(Path(directory, one) for one in names if _is_there(Path(directory, one), names[one]))
        if name in tables and len(kept) == len(names):
            return Compared(name, None, (), kept, (NOTE,))

    def put(name: str, pixels: NDArray[np.uint16]) -> None:
        outputs.put(Path(directory, name), partial(write, pixels=pixels, provenance=names[name], overwrite=overwrite))

    put(name, drawn.pixels)
    comparison = compare(
        drawn.pixels, weights=model, data_range=drawn.data_range, name=name, note=NOTE,
        pixel_spacing=drawn.pixel_spacing, square=busiest(drawn), threads=threads, engine=engine, progress=progress,
        on_sr=partial(put, f"phantom_{seed}_x{scale}.png"),
    )  # fmt: skip
    if path is not None:
        outputs.put(path, partial(figure.write, comparison, provenance=made[2], overwrite=overwrite))
    tables.add(comparison, made[2])
    return Compared(comparison.name, comparison, (*outputs.written, *tables.paths), tuple(outputs.kept), (NOTE,))


def _provenances(drawn: Phantom, model: Weights, engine: str | None) -> tuple[Provenance, Provenance, Provenance]:
    """Of the phantom, of its super-resolution, and of the comparison."""
    source, scale = of_phantom(drawn.parameters, data_range=drawn.data_range), model.architecture.scale
    sr = replace(
        source, process=f"Super-resolution x{scale} by FSRCNN of a phantom", label=f"FSRCNN x{scale} of a phantom",
        scale=scale, model=model_name(model), sha256=model.sha256, engine=engine or DEFAULT,
    )  # fmt: skip
    return source, sr, replace(sr, process=f"Comparison of a phantom, {sr.process}", label=f"comparison x{scale}")


def _is_there(path: Path, wanted: Provenance) -> bool:
    try:
        check_free(path, wanted, overwrite=False)
    except OutputExists:
        return True
    return False


def busiest(drawn: Phantom, side: int = SIDE) -> Square:
    """The square around a calcification that holds most of the phantom's; the middle of the frame without any."""
    rows, columns = drawn.pixels.shape
    squares = [
        place((rows, columns), round(c.row) - side // 2, round(c.column) - side // 2, side)
        for c in drawn.calcifications
    ] or [place((rows, columns), (rows - side) // 2, (columns - side) // 2, side)]

    def held(square: Square) -> int:
        return sum(
            0 <= c.row - square.row < square.side and 0 <= c.column - square.column < square.side
            for c in drawn.calcifications
        )

    return max(squares, key=held)
