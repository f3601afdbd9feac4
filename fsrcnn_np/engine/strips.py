"""An image cut into strips, and the strips on threads: what both fast engines have in common.

    image  ┌────────┬────────┬───┐     A strip is so many rows and columns, and computes what it needs of its neighbours
           │ strip 0│ strip 2│ … │     itself. It writes its own part of the result and nothing else, so strips run in
           ├────────┼────────┼───┤     any order on any thread.
           │ strip 1│ strip 3│ … │
           └────────┴────────┴───┘
"""  # fmt: skip

from __future__ import annotations

import threading
from typing import Any, NamedTuple, Protocol

import numpy as np

from piqe_np.compiled import run_tasks, worthwhile
from piqe_np.unbroken import unbroken

from ..network.bands import Band
from ..network.weights import Weights
from ..progress import Progress

START = 4096  #: pixels that are computed while a thread is started and its strip prepared, on a busy machine


class Strip(NamedTuple):
    """Low-resolution rows and columns, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


class Engine(Protocol):
    """A model made ready for images of one kind."""

    weights: Weights
    scale: int

    def size(self, band: Band, width: int, threads: int) -> tuple[int, int]:
        """Most rows and columns of a strip that keep all threads busy and waste little."""

    def scratch(self, rows: int) -> Any:
        """Memory for a strip of so many rows; each thread gets its own."""

    def run(self, plane: np.ndarray, band: Band, strip: Strip, scratch: Any, out: np.ndarray) -> None:
        """One strip: `out` is its part of the result."""


def cut(band: Band, width: int, rows: int, columns: int) -> list[Strip]:
    """Strips of at most so many rows and columns that cover a band, one column of strips after the other."""
    return [
        Strip(top, min(top + rows, band.last), left, min(left + columns, width))
        for left in range(0, width, columns)
        for top in range(band.first, band.last, rows)
    ]


def upscaled(
    engine: Engine,
    plane: np.ndarray,
    out: np.ndarray,
    threads: int,
    *,
    band: Band | None = None,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Fill `out` with the result of an image or of a band of its rows; with zeros if that fails.

    Parameters
    ----------
    plane : (rows, W) array, of a model of RGB (rows, W, 3)
        The image, or the rows of it that are at hand for the band.
    out : (rows of the band · scale, W · scale) or (rows of the band · scale, W · scale, 3) array
    band : Band, optional
        If it is not the whole image.
    size : (rows, columns), optional
        Most of a strip, and all threads then work; the bits depend on neither.
    """
    band = band or Band(0, plane.shape[0], 0, plane.shape[0])
    scale, width, beside = engine.scale, plane.shape[1], 2 * engine.weights.halo
    if size is None:
        threads = worthwhile(threads, (band.last - band.first + beside) * (width + beside), START)
    most = engine.size(band, width, threads)
    rows, columns = (size[0], min(size[1], most[1])) if size else most
    strips = cut(band, width, rows, columns)
    spares: list[Any] = []  # scratch memory between two strips
    done, lock = 0, threading.Lock()

    def one_strip(number: int) -> None:
        nonlocal done
        strip = strips[number]
        try:
            scratch = spares.pop()
        except IndexError:
            scratch = engine.scratch(rows)
        top, bottom = strip.top - band.first, strip.bottom - band.first
        part = out[top * scale : bottom * scale, strip.left * scale : strip.right * scale]
        with unbroken():
            engine.run(plane, band, strip, scratch, part)
        spares.append(scratch)
        if progress is not None:
            with lock:
                done += 1
                progress(done, len(strips))

    try:
        run_tasks(one_strip, len(strips), threads)
    except BaseException:
        out[...] = 0  # nothing half done that looks whole
        raise
    return out
