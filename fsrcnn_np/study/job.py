"""The comparison as a job: files in; figures and tables out, and what became of each input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.line import about

from ..errors import FileError, FsrcnnError
from ..files import Input, NoPicture, OutputExists, Provenance, find_inputs, read
from ..files.atomic import check_writable
from ..network.weights import Weights
from ..pipeline import check_free, provenance_of, with_range
from ..progress import Progress
from ..range_table import RangeTable, range_of
from ..types import DataRange, Model
from .compare import compare
from .comparison import Comparison

if TYPE_CHECKING:
    from .table import Tables


@dataclass(frozen=True, eq=False)
class Compared:
    """One picture's comparison, and the files that show it."""

    name: str  #: the input
    comparison: Comparison | None  #: None where all of it existed already and was kept
    written: tuple[Path, ...]
    kept: tuple[Path, ...]  #: existed, and were not to be overwritten
    remarks: tuple[str, ...]  #: what the user should know of the input, one line each


class Outputs:
    """Which files were written, and which were kept since they existed."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.kept: list[Path] = []

    def put(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file, unless it is there and not to be overwritten."""
        try:
            write(path)
        except OutputExists:
            self.kept.append(path)
        else:
            self.written.append(path)


def compare_files(
    inputs: str | PathLike[str] | Iterable[Any],
    directory: str | PathLike[str],
    *,
    weights: Model = "x2",
    data_range: DataRange | RangeTable | None = None,
    square: Sequence[int] | None = None,
    suffix: str | None = ".png",
    threads: int | None = None,
    engine: str | None = None,
    overwrite: bool = False,
    wide: bool = False,
    progress: Progress | bool | None = None,
) -> Iterator[Compared | Exception]:
    """Compare files one after another; the directory gets a figure of each and a table of all.

    Parameters
    ----------
    inputs : path, iterable of paths, or what `fsrcnn_np.files.find_inputs` gives
    directory : path
        Gets `STEM_comparison.png` for each input; and `comparison.txt`, `.csv` and `.json`, renewed after each, which
        a later job continues.
    weights, square, threads, engine, progress
        As of `fsrcnn_np.study.compare.compare`.
    data_range : float, (float, float) or RangeTable, optional
        By default what the file declares, else the dtype's; a table has each file's own.
    suffix : {".png", ".pdf", ".svg"} or None
        The figures' format; None: tables alone.
    overwrite : bool
        Replace figures, and begin new tables; otherwise an input whose figure and record are there, made by the same
        means of the same input, is not computed again, and of others an OutputDiffers says what differs.
    wide : bool
        `comparison.csv` has one row an input; else one a score.

    Yields
    ------
    Compared or Exception
        One for each input, in their order: one that fails does not stop the others. Mostly a FsrcnnError; a
        MemoryError, an OSError or a fault of ours as it was raised.

    Raises
    ------
    FsrcnnError
        At the first step, what would fail for every input: the model, matplotlib missing, the suffix.
    """
    from ..convert import load_weights
    from . import figure
    from .table import Tables

    if suffix is not None:
        figure.check(suffix)
    model = load_weights(weights) if isinstance(weights, str | PathLike) else weights
    tables = Tables(directory, overwrite=overwrite, wide=wide)
    for item in _items(inputs):
        path = None if suffix is None else Path(directory, f"{item.stem}_comparison{suffix}")
        try:
            if item.error:
                raise (NoPicture if item.skipped else FileError)(item.error)
            bounds, said = range_of(data_range, item.path)
            made = _made_by(model, item.path, engine, square)
            if not overwrite and _is_there(path, tables, item.path, made, bounds):
                yield Compared(item.path, None, (), (path or list(tables.paths)[-1],), ())
                continue
            check_writable(path or list(tables.paths)[-1])
            picture = read(item.path)
            comparison = compare(
                picture, name=item.path, weights=model, data_range=bounds, square=square,
                threads=threads, engine=engine, progress=progress,
            )  # fmt: skip
            outputs = Outputs()
            made = replace(made, value_range=comparison.value_range)
            if path is not None:
                outputs.put(path, partial(figure.write, comparison, provenance=made, overwrite=overwrite))
            tables.add(comparison, made)
        except FsrcnnError as error:
            text = about(item.path, error)
            yield error if text == str(error) else type(error)(text)
        except Exception as error:
            yield error
        else:
            written, kept = (*outputs.written, *tables.paths), tuple(outputs.kept)
            yield Compared(item.path, comparison, written, kept, (*said, *comparison.remarks))
    tables.renew()


def _made_by(model: Weights, source: str, engine: str | None, square: Sequence[int] | None) -> Provenance:
    scale = model.architecture.scale
    return replace(
        provenance_of(model, None, source, engine=engine),
        process=f"Comparison of original, bicubic x{scale} and SR x{scale} by FSRCNN",
        label=f"comparison x{scale}",
        settings=() if square is None else (f"square={','.join(map(str, square))}",),
    )


def _is_there(path: Path | None, tables: Tables, name: str, wanted: Provenance, data_range: DataRange | None) -> bool:
    """Whether record and figure (if any) are there; raises OutputDiffers where other means made one of them."""
    if name in tables:
        tables.check(name, with_range(wanted, tables.made(name), name, data_range))
    if path is None:
        return name in tables
    try:
        check_free(path, wanted, name, data_range, overwrite=False)
    except OutputExists:
        return name in tables
    return False


def _items(inputs: str | PathLike[str] | Iterable[Any]) -> list[Input]:
    given: list[Any] = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    return given if all(isinstance(item, Input) for item in given) else find_inputs(given)
