"""`piqe`: from an image to its score and masks."""

from __future__ import annotations

import importlib
import math
import numbers
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, NamedTuple, NoReturn, SupportsIndex

import numpy as np

from piqe_np.bands import band
from piqe_np.compiled import check_compiled_code_runs, run_tasks, thread_count, worthwhile
from piqe_np.errors import OptionError
from piqe_np.matlab import CLASSES
from piqe_np.reference import ACTIVE_VARIANCE, BLOCK, Blocks, pool
from piqe_np.source import as_image, check_values, remarks_of, rows_around, slabs
from piqe_np.unbroken import once, unbroken

DataRange = float | Sequence[float]
ENGINES = {"llvm": "piqe_np.llvm", "numba": "piqe_np.engine", "reference": "piqe_np.reference"}
START = 1 << 15  # pixels that are measured while a thread is started
TASK_ROWS, MOST_ROWS = 8, 16  # rows of blocks that a thread takes at a time: many first, few in the end


class Scaling(NamedTuple):
    """Which values became 0 and 255 before anything was computed, and who said so."""

    low: float
    high: float
    source: str
    """The image's class ("uint8", "uint16", "int16", "float32" or "float64"), or "data_range"."""

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} ({self.source})"


@dataclass(frozen=True, eq=False, repr=False)
class PiqeResult:
    """What `piqe` found.

    Attributes
    ----------
    score : float
        From about 0 (excellent) to 100 (bad), neither rounded nor clamped.
    activity_mask, noticeable_artifacts_mask, noise_mask : ndarray of bool, M × N
        Blocks with detail; those of them with a flat stretch along an edge, as blocking and blur leave it; those of
        them with noise. Expanded from one value per block when first asked for, then kept.
    scaling : Scaling
        The value range used.
    blocks : Blocks
        The measurements behind all this, one per block of 16 × 16.
    shape : tuple of int
        M and N.
    remarks : tuple of str
        What should be known of a float image: a range that may not be meant, levels beyond those for which the score
        is promised to 1e-9. One line each; mostly none.
    """

    score: float
    scaling: Scaling
    blocks: Blocks
    shape: tuple[int, int]
    remarks: tuple[str, ...] = ()

    @cached_property
    def activity_mask(self) -> np.ndarray:
        """Pixels of blocks with detail: bool, M × N."""
        return self._pixels(self.blocks.variance > ACTIVE_VARIANCE)

    @cached_property
    def noticeable_artifacts_mask(self) -> np.ndarray:
        """Pixels of active blocks with a flat stretch along an edge: bool, M × N."""
        return self._pixels(self.blocks.artifact)

    @cached_property
    def noise_mask(self) -> np.ndarray:
        """Pixels of active blocks with noise: bool, M × N."""
        return self._pixels(self.blocks.noise)

    @property
    def block_shares(self) -> tuple[float, float, float]:
        """Of all blocks: how many are active, have an artifact, have noise; 0 to 1."""
        active = self.blocks.variance > ACTIVE_VARIANCE
        return float(active.mean()), float(self.blocks.artifact.mean()), float(self.blocks.noise.mean())

    def __repr__(self) -> str:
        active, artifact, noise = self.block_shares
        return (
            f"<PiqeResult {self.score:.4f} ({band(self.score)}), {self.shape[0]}×{self.shape[1]} from {self.scaling}; "
            f"blocks active {active:.1%}, artifact {artifact:.1%}, noise {noise:.1%}>"
        )

    def _repr_html_(self) -> str:
        from piqe_np.html import page

        return page(self)

    def __iter__(self) -> NoReturn:
        """Refuse to be unpacked like MATLAB's outputs: fields are taken by name."""
        raise TypeError(
            "a PiqeResult has named fields and is not unpacked: r = piqe(image); r.score, r.activity_mask, "
            "r.noticeable_artifacts_mask, r.noise_mask, r.scaling"
        )

    def _pixels(self, blocks: np.ndarray) -> np.ndarray:
        rows, columns = self.shape
        return blocks.repeat(BLOCK, axis=1)[:, :columns].repeat(BLOCK, axis=0)[:rows]


def piqe(
    image: Any, *, data_range: DataRange | None = None, threads: SupportsIndex | None = None, engine: str | None = None
) -> PiqeResult:
    """Perception-based image quality evaluator (PIQE): no reference image, MATLAB's numbers.

    Parameters
    ----------
    image : array_like, M × N or M × N × 3
        Grey, or RGB in this order; uint8, uint16, int16, float32 or float64. Arrays that live elsewhere (an HDF5
        dataset, `numpy.memmap`, dask) are read some rows at a time.
    data_range : float or (float, float), optional
        The value that stands for white, black being 0: 4095 for 12 bits stored in uint16; or both, black first.
        Values outside are then an error, and grey is formed with black at 0. By default the class decides, as in
        MATLAB: 0 to 255 for uint8, 0 to 65535 for uint16, −32768 to 32767 for int16, 0 to 1 for floats, which may lie
        outside and are neither clipped nor rescaled. int8, which MATLAB's `piqe` does not know, needs a `data_range`.
    threads : int, optional
        1 to 1024; by default the environment variable PIQE_NP_THREADS, else every CPU available to the process.
        The answer has the same bits for any number.
    engine : {None, "llvm", "numba", "reference"}, optional
        None is the fastest, "llvm": vector kernels as machine code. "numba" is the same tiles in Numba, "reference"
        readable NumPy. All have the same bits.

    Returns
    -------
    PiqeResult
        With `score`, `activity_mask`, `noticeable_artifacts_mask`, `noise_mask` and `scaling`.

    Raises
    ------
    ImageError
        Not such an image: another dtype or shape, empty, NaN or Inf, values outside a given `data_range`.
    OptionError
        An impossible `data_range`, `threads` or `engine`.

    References
    ----------
    N. Venkatanath et al.: Blind image quality evaluation using perception based features. NCC 2015.
    ``piqe`` of MATLAB's Image Processing Toolbox, R2018b.

    Examples
    --------
    >>> import numpy as np
    >>> from piqe_np import piqe
    >>> piqe(np.full((64, 64), 128, np.uint8)).score  # no detail anywhere
    100.0
    """
    source = as_image(image, ranged=data_range is not None)
    span = checked_range(data_range, np.dtype(source.dtype))
    measure = engine_named(engine)
    height, width = source.shape[:2]
    workers = worthwhile(thread_count(threads, "PIQE_NP_THREADS"), height * width, START)

    shape = -(-height // BLOCK), -(-width // BLOCK)
    blocks = Blocks(np.empty(shape), np.empty(shape, bool), np.empty(shape, bool))
    extremes: list[float] = []
    for begin, end, start, pixels in slabs(source):
        cuts = cut(begin, end, workers)

        def task(number: int, cuts: list[int] = cuts, start: int = start, pixels: np.ndarray = pixels) -> None:
            first, last = cuts[number : number + 2]
            top, bottom = rows_around(first, last, height)
            strip = pixels[top - start : bottom - start]
            with unbroken():
                if found := check_values(strip, span):
                    extremes.extend(found)
                for whole, part in zip(blocks, measure(strip, first * BLOCK - top, last - first, span), strict=True):
                    whole[first:last] = part

        run_tasks(task, len(cuts) - 1, workers)
    remarks = remarks_of(min(extremes), max(extremes), span) if extremes else ()
    return PiqeResult(pool(blocks), scaling_used(np.dtype(source.dtype), span), blocks, (height, width), remarks)


def cut(begin: int, end: int, threads: int) -> list[int]:
    """Where the tasks of rows of blocks begin and end: each has half a thread's share of what is left."""
    cuts = [begin]
    while (left := end - cuts[-1]) > 0:
        rows = min(max(left // (2 * threads), TASK_ROWS), MOST_ROWS)
        cuts.append(cuts[-1] + min(rows // TASK_ROWS * TASK_ROWS, left))
    return cuts


def engine_named(engine: str | None) -> Callable[..., Blocks]:
    """An engine's `measure`; an OptionError where there is none of the name, or it cannot run on this system."""
    name = "llvm" if engine is None else engine
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(f"engine={engine!r} is unknown: give {' or '.join(map(repr, ENGINES))}, or leave it out")
    if name != "reference":
        check_compiled_code_runs(name)
    return _module(name).measure


@once(most=len(ENGINES))
def _module(name: str) -> ModuleType:
    return importlib.import_module(ENGINES[name])


def checked_range(data_range: DataRange | None, dtype: np.dtype) -> tuple[float, float] | None:
    """Black and white as numbers, from what a caller gave; an OptionError unless the dtype can have them."""
    if data_range is None:
        return None
    two = isinstance(data_range, tuple | list) and len(data_range) == 2
    two = two or (isinstance(data_range, np.ndarray) and data_range.shape == (2,))
    pair: Any = data_range if two else (0, data_range)
    whole = dtype.kind in "iu"
    limits = (np.iinfo(dtype).min, np.iinfo(dtype).max) if whole else (-sys.float_info.max, sys.float_info.max)
    ends = [_number(v) for v in pair]
    low, high = ends
    if all(limits[0] <= v <= limits[1] for v in ends) and 0 < high - low < np.inf:
        return low, high
    limit = f" from {limits[0]} to {limits[1]}, as {dtype.name} has them" if whole else ""
    raise OptionError(
        f"data_range={_short(data_range)} cannot be the value of white: give a positive number, "
        f"or (black, white) with black below white{limit}; for example 4095 for 12 bits, or leave it out"
    )


def _number(value: Any) -> float:
    """As Python has it, so that nothing is compared in a narrow type; NaN where it is none, or too large."""
    if not isinstance(value, numbers.Real | np.number) or isinstance(value, bool | np.complexfloating):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _short(value: Any) -> str:
    """As Python writes it, but for a number of hundreds of digits."""
    try:
        text = repr(value)
    except ValueError:  # of thousands
        text = "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:60]}…"


def scaling_used(dtype: np.dtype, data_range: tuple[float, float] | None) -> Scaling:
    """The values that become 0 and 255."""
    if data_range is not None:
        return Scaling(*data_range, "data_range")
    offset, divisor = CLASSES[dtype.name]
    return Scaling(float(-offset), float(divisor - offset), dtype.name)
