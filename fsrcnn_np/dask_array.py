"""`upscale` of a Dask array: a Dask array, lazily, with the same bits as the whole.

Each chunk of the result is made from its chunk of the image and the pixels around it that it depends on. What a user's
own overlap gets wrong is done here: at the image's border the model's own border applies (nothing is padded); parts
begin and end at rows that are multiples of 4, since rows in groups of four share their rounding ("llvm", see
docs/engine.md); chroma is enlarged with the weights of the whole image's coordinates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from piqe_np.on_demand import is_instance

from .engine import DEFAULT
from .errors import ImageError
from .images.imresize import Part
from .images.value_range import ValueRange, check_image, check_pixels, value_range
from .network.channels import check_channels
from .network.weights import Weights
from .types import DataRange

ROWS = 4  #: parts begin and end at multiples of so many
CHROMA = 4  #: pixels around one that bicubic takes, and one more


def is_dask_array(image: Any) -> bool:
    """Whether it is one; loads nothing, since whoever has one has loaded Dask."""
    return is_instance(image, "dask.array", "Array")


class Cut(NamedTuple):
    """One axis of the image: where its chunks begin and end, and how much more each part has on both sides."""

    edges: tuple[int, ...]
    depth: int
    step: int  #: a part begins and ends at multiples of it

    def part(self, number: int) -> tuple[int, int]:
        """First and last pixel (excluded) of the part of a chunk."""
        whole = self.edges[-1]
        first, last = max(self.edges[number] - self.depth, 0), min(self.edges[number + 1] + self.depth, whole)
        return first + -first % self.step, last if last == whole else last - last % self.step

    def at_hand(self, number: int) -> int:
        """First pixel that the chunk has with its overlap."""
        return max(self.edges[number] - self.depth, 0)


def upscale_dask(
    upscale: Callable[..., NDArray[Any]],
    image: Any,
    model: Weights,
    data_range: DataRange | None,
    *,
    threads: int | None,
    engine: str | None,
) -> Any:
    """The lazy result; see `fsrcnn_np.upscale`.

    Parameters
    ----------
    upscale : callable
        The pipeline's, of an array in memory; takes as `part` where that lies in the whole.
    image : dask.array.Array, H×W or H×W×3
        Its chunks become the result's, `scale` times as large; ones smaller than what has to be read around them are
        merged first.
    model : Weights
    data_range
        As of `upscale`. Values beyond it are found when a chunk is computed.
    threads : int or None
        Of each chunk; None is 1, since Dask computes several at once.
    engine : str or None

    Returns
    -------
    dask.array.Array
    """
    import dask.array as da
    from dask.base import tokenize

    if any(isinstance(n, float) and math.isnan(n) for n in image.shape):
        raise ImageError("found a Dask array with chunks of unknown size; call its compute_chunk_sizes() first")
    # The array's kind without its data: one pixel, or none where it has none.
    example = check_image(np.zeros([*(min(n, 1) for n in image.shape[:2]), *image.shape[2:]], image.dtype))
    check_channels(example.shape, model)
    bounds, scale = value_range(example.dtype, data_range), model.architecture.scale
    depth = max(model.halo + ROWS - 1, CHROMA)
    chunks = [_merged(sizes, depth) for sizes in image.chunks[:2]]
    down, across = (
        Cut((0, *itertools.accumulate(sizes)), depth if len(sizes) > 1 else 0, step)
        for sizes, step in zip(chunks, (ROWS, 1), strict=True)
    )
    channels = [image.shape[2:]] if image.ndim == 3 else []
    whole = image.rechunk((*chunks, *channels))
    around = {0: down.depth, 1: across.depth} | ({2: 0} if channels else {})
    part = partial(
        _part, upscale=upscale, cuts=(down, across), model=model, bounds=bounds, threads=threads or 1, engine=engine
    )
    return da.map_blocks(
        part,
        da.overlap.overlap(whole, around, dict.fromkeys(around, "none")),
        chunks=(*(tuple(n * scale for n in sizes) for sizes in chunks), *channels),
        meta=np.empty((0,) * image.ndim, example.dtype),
        name=f"upscale-{tokenize(image.name, model.sha256, bounds.low, bounds.high, engine or DEFAULT, chunks)}",
    )


def _part(
    block: NDArray[Any],
    *,
    upscale: Callable[..., NDArray[Any]],
    cuts: tuple[Cut, Cut],
    model: Weights,
    bounds: ValueRange,
    threads: int,
    engine: str | None,
    block_id: tuple[int, ...],
) -> NDArray[Any]:
    """One chunk of the result, from the image's pixels with the overlap."""
    scale = model.architecture.scale
    (down, row), (across, column) = places = list(zip(cuts, block_id, strict=False))
    (top, bottom), (left, right) = down.part(row), across.part(column)
    inner = (
        slice(top - down.at_hand(row), bottom - down.at_hand(row)),
        slice(left - across.at_hand(column), right - across.at_hand(column)),
    )
    pixels = check_pixels(block[inner], bounds)
    starts, sizes = (top, left), (down.edges[-1], across.edges[-1])

    result = upscale(pixels, model, threads, None, engine, None, Part(starts, sizes))
    outer = tuple(
        slice((cut.edges[number] - start) * scale, (cut.edges[number + 1] - start) * scale)
        for (cut, number), start in zip(places, starts, strict=True)
    )
    return np.ascontiguousarray(result[outer])


def _merged(sizes: tuple[int, ...], least: int) -> tuple[int, ...]:
    """Neighbouring chunks put together until each has so many pixels."""
    merged, pending = [], 0
    for size in sizes:
        pending += size
        if pending >= least:
            merged.append(pending)
            pending = 0
    if pending:
        merged.append(pending + (merged.pop() if merged else 0))
    return tuple(merged)
