"""All measurements on digital breasts: original, bicubic and SR on the same truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from piqe_np.compiled import thread_count

from ...errors import OptionError
from ...progress import Progress, reports
from . import scenes
from .detection import DIAMETERS, WANTED, Detection, detection
from .enlarged import Enlarger
from .sharpness import Calcified, Curves, Discs, calcified, curves, discs

if TYPE_CHECKING:
    from .enlarged import Model

MOST_SEED = 1 << 62


class Size(NamedTuple):
    """How much is measured."""

    shape: tuple[int, int]  #: of the breasts
    diameters: tuple[float, ...]
    draws: int  #: of the bootstrap
    phantoms: int  #: whose calcifications are measured
    edge_rows: int
    side: int  #: of the noise power's regions


FULL = Size((2048, 1536), DIAMETERS, 200, 4, 512, 128)
QUICK = Size((1200, 960), (0.25,), 50, 1, 256, 32)


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured, and on what.

    Attributes
    ----------
    model, sha256 : str
        The network's name, and the digest of its parameters.
    scale, seed : int
    size : Size
    detection : Detection
    discs : tuple of Discs
    calcified : tuple of Calcified
    curves : tuple of Curves
    """

    model: str
    sha256: str
    scale: int
    seed: int
    size: Size
    detection: Detection
    discs: tuple[Discs, ...]
    calcified: tuple[Calcified, ...]
    curves: tuple[Curves, ...]


def check_seed(seed: object) -> None:
    """Raise an OptionError where this is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MOST_SEED:
        raise OptionError(f"seed is {str(seed)[:40]!r}; allowed is a whole number from 0 to 2**62")


@reports("measure", unit="picture")
def measure(
    *,
    weights: Model = "x2",
    seed: int = 0,
    quick: bool = False,
    threads: int | None = None,
    engine: str | None = None,
    progress: Progress | bool | None = None,
) -> Measurement:
    """Measure contrast, sharpness, noise and detectability of calcifications on digital breasts.

    Parameters
    ----------
    weights, threads, engine, progress
        As of `fsrcnn_np.upscale`; `progress(done, total)` is called after each picture.
    seed : int
        0 to 2⁶². Same seed, same answers, as far as the network's last bits are the same.
    quick : bool
        One diameter on small breasts, in seconds: to see that it works, not for figures.

    Returns
    -------
    Measurement

    Raises
    ------
    OptionError, WeightsError, FileError
        An impossible seed, and as of `fsrcnn_np.upscale`.
    """
    check_seed(seed)
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    enlarger = Enlarger(weights, count, engine)
    size = QUICK if quick else FULL
    total = len(size.diameters) * (len(WANTED) + 2) + 1 + size.phantoms + 2
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done, total)

    seed = int(seed)
    train, test = (scenes.parenchyma(2 * seed + k, size.shape, count) for k in (0, 1))
    return Measurement(
        model=enlarger.name, sha256=enlarger.sha256, scale=enlarger.scale, seed=seed, size=size,
        detection=detection(train, test, enlarger, count, diameters=size.diameters, draws=size.draws, step=step),
        discs=discs(test, enlarger, count, size.diameters, step),
        calcified=calcified(range(seed, seed + size.phantoms), size.shape, enlarger, count, step),
        curves=curves(seed, enlarger, count, rows=size.edge_rows, side=size.side, step=step),
    )  # fmt: skip
