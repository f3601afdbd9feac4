"""The arrays of a PyTorch state dict, by name → the layers of an FSRCNN, told by shape and order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...errors import WeightsError
from ..conventions import Layer, shortened, some
from ..subpixel import from_subpixel


class Block(NamedTuple):
    """A convolution of a state dict, and the name of its module."""

    name: str
    weight: np.ndarray
    bias: np.ndarray | None


def match(arrays: Mapping[str, np.ndarray]) -> tuple[tuple[Layer, ...], Layer, tuple[int, int] | None]:
    """Tell the layers of a state dict by shape and order.

    Returns
    -------
    layers, last, (scale, deconvolution_offset) or None
        The last where the deconvolution is a convolution before a pixel shuffle.

    Raises
    ------
    WeightsError
        Something is left over, missing, or in an order that cannot be told.
    """
    names = list(arrays)
    blocks, slopes = _modules(arrays, names)
    ordered = _in_order(blocks)
    if not ordered:
        names = sorted(names, key=_natural)
        named, slopes = _modules(arrays, names)
        blocks = _by_role(named)
        ordered = [block.name for block in blocks] == [block.name for block in named]
    if len(blocks) < 2:
        raise WeightsError(f"no convolutions were found; the tensors are: {_described(arrays)}")
    *convolutions, end = blocks
    paired = _paired(names, convolutions, slopes, ordered)
    layers = tuple(Layer(*block, paired.get(block.name)) for block in convolutions)
    if end.weight.shape[1] == 1 or end.weight.shape[2:] == (9, 9):
        return layers, Layer(*end), None
    channels = 3 if convolutions[0].weight.shape[1] == 3 else 1
    last, scale, offset = from_subpixel(Layer(*end), end.weight.shape[2] // 2, channels)
    return layers, last, (scale, offset)


def _modules(arrays: Mapping[str, np.ndarray], names: list[str]) -> tuple[list[Block], dict[str, np.ndarray]]:
    """The convolutions (a weight of four dimensions, with its bias), and the slopes (any other parameter) by name."""
    blocks, used = [], set()
    for name in names:
        if arrays[name].ndim != 4:
            continue
        stem = name.removesuffix("weight")
        bias = f"{stem}bias" if name != stem and f"{stem}bias" in arrays else None
        used |= {name, bias}
        blocks.append(Block(stem.rstrip(".") or name, arrays[name], arrays[bias] if bias else None))
    return blocks, {name: arrays[name] for name in names if name not in used}


def _by_role(blocks: list[Block]) -> list[Block]:
    """Feature extraction, shrinking, mapping in the order given, expanding, and whatever is left at the end."""
    d = next((block.weight.shape[0] for block in blocks if block.weight.shape[2] == 5), 0)

    def role(block: Block) -> int:
        out, channels, rows, _ = block.weight.shape
        if rows == 1:  # where shrinking does not shrink, only its name tells
            return 1 if channels == d and (out != d or "shrink" in block.name.lower()) else 3
        if rows == 3 and out == channels:
            return 2
        return 0 if rows == 5 and channels in (1, 3) else 4

    return sorted(blocks, key=role)


def _in_order(blocks: list[Block]) -> bool:
    """Whether the kernels are 5×5, 1×1, 3×3 …, 1×1, and the last, each taking what the one before gives."""
    shapes = [block.weight.shape for block in blocks]
    sizes = [shape[2] for shape in shapes[:-1]]
    chain = all(after[1] == before[0] for before, after in pairwise(shapes[:-1]))
    return sizes == [5, 1, *[3] * (len(sizes) - 3), 1] and chain


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts map.2 before map.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _paired(
    names: list[str], blocks: list[Block], slopes: dict[str, np.ndarray], ordered: bool
) -> dict[str, np.ndarray]:
    """Which slope follows which convolution: the next in the file, or, where they stand apart, the one of its number.

    Where the convolutions are not in the order in which they are applied, the number says nothing.
    """
    if len(slopes) != len(blocks):
        raise WeightsError(
            f"{len(blocks)} convolutions before the deconvolution and {len(slopes)} PReLUs were found; one after each "
            f"is expected: {some([b.name for b in blocks])}; {some(list(slopes))}. A PReLU that layers "
            "share, ReLU, or batch normalisation make another network: export it as ONNX"
        )
    stems = {block.name: block for block in blocks}
    follows: dict[str, np.ndarray] = {}
    current = None
    for name in names:
        stem = name.removesuffix("weight").removesuffix("bias").rstrip(".") if name not in slopes else ""
        if stem in stems:
            current = stem
        elif name in slopes and current is not None and current not in follows:
            follows[current] = slopes[name]
    if len(follows) == len(blocks):
        return follows
    if not ordered:
        raise WeightsError(
            f"which PReLU follows which convolution cannot be told: {some(list(slopes))}, sorted by name; give the "
            ".pth file of torch.save(model.state_dict()), which keeps their order"
        )
    return {block.name: slope for block, slope in zip(blocks, slopes.values(), strict=True)}


def _described(arrays: Mapping[str, np.ndarray]) -> str:
    return some([f"{shortened(name)} {array.shape}" for name, array in arrays.items()])
