"""An image through both passes, in strips of rows on threads.

    image rows ──down──▶ a strip's rows, in the cache ──across──▶ result rows

A row of the result is made of few rows of the image, so that a strip needs no other. Only where the rows are resized
first, all of them are, and their image is whole between the passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import OptionError
from fsrcnn_np.images.imresize import Pass
from fsrcnn_np.images.llvm.across import Across, Doubled, Memory, doubling
from fsrcnn_np.images.llvm.down import Down
from piqe_np.compiled import run_tasks
from piqe_np.llvm import target
from piqe_np.llvm.target import Target
from piqe_np.unbroken import unbroken

VARIABLE = "FSRCNN_NP_TARGET"
M = TypeVar("M")
_STRIP = 1 << 18  # bytes of a strip's rows between the passes
_MOST_LANES = 16
_MOST_TURNED = 1 << 17  # columns that taps may reach over: each thread holds them as so many vectors


def fits(shape: tuple[int, ...], passes: Sequence[Pass]) -> bool:
    """Whether image and result are as high and wide as vectors, and no taps reach too far along the rows."""
    sides = [*shape[:2], *(len(taps.indices) for _, taps in passes)]
    reach = max(int(np.ptp(taps.indices, axis=1).max()) for axis, taps in passes if axis == 1)
    return min(sides) >= _MOST_LANES and reach * math.prod(shape[2:]) < _MOST_TURNED


def resized(
    image: NDArray[Any], passes: Sequence[Pass], *, threads: int = 1, processor: Target | None = None
) -> NDArray[Any]:
    """Both passes; see `fsrcnn_np.images.imresize.resized`. `fits` has to be true.

    Raises
    ------
    OptionError
        $FSRCNN_NP_TARGET names what this processor cannot run.
    """
    processor = processor or target.host(VARIABLE, OptionError)
    rows = Rows(image.shape, image.dtype, passes, processor)
    down, across, height = rows.down, rows.across, image.shape[0]
    most = strip_rows(math.prod(image.shape[1:]) * image.itemsize)
    result = np.empty((*rows.size, *image.shape[2:]), image.dtype)
    flat = result.reshape(len(result), -1)
    if passes[0].axis == 0:
        in_strips(len(flat), most, threads, across.memory, lambda some, memory: rows(image, some, memory, flat[some]))
        return result
    between = np.empty((height, flat.shape[1]), image.dtype)

    def shorter(rows: slice, memory: Memory) -> None:
        across.inside(memory, rows.stop - rows.start)[...] = image[rows].reshape(rows.stop - rows.start, -1)
        across(memory, between[rows])

    in_strips(height, most, threads, across.memory, shorter)
    in_strips(len(flat), most, threads, across.memory, lambda rows, _: down(between, rows, flat[rows]))
    return result


class Rows:
    """Any rows of a result whose columns are resized first.

    Parameters
    ----------
    shape : tuple of int
        Of the image, H×W or H×W×3.
    dtype : dtype
    passes : sequence of Pass
    processor : Target
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, passes: Sequence[Pass], processor: Target):
        taps, width, channels = dict(passes), shape[1], math.prod(shape[2:])
        self.size = len(taps[0].indices), len(taps[1].indices)
        found = doubling(taps[1], width) if channels == 1 else None
        self.down = Down(taps[0], dtype, processor)
        self.across = (
            Doubled(found, width, dtype, processor) if found else Across(taps[1], width, dtype, channels, processor)
        )

    def __call__(self, image: NDArray[Any], rows: slice, memory: Memory, out: NDArray[Any]) -> None:
        """Fill `out` with these rows of the result; `memory` is `self.across`'s."""
        self.down(image, rows, self.across.inside(memory, rows.stop - rows.start))
        self.across(memory, out)


def strip_rows(row: int) -> int:
    """How many rows a strip has at most, of so many bytes each."""
    return max(_MOST_LANES, _STRIP // row)


def in_strips(count: int, most: int, threads: int, memory: Callable[[int], M], run: Callable[[slice, M], None]) -> None:
    """`run` over `count` rows in strips of a vector's rows at least; each thread has memory of its own.

    Threads begin far from each other: pages of the result are the system's to clear, one thread a page at a time.
    """
    threads = min(threads, count // _MOST_LANES)
    each = max(1, count // (threads * max(most, _MOST_LANES)))
    strips = threads * each
    spares: list[M] = []

    def one(number: int) -> None:
        place = number % threads * each + number // threads
        try:
            mine = spares.pop()
        except IndexError:
            mine = memory(-(-count // strips))
        with unbroken():
            run(slice(count * place // strips, count * (place + 1) // strips), mine)
        spares.append(mine)

    run_tasks(one, strips, threads)
