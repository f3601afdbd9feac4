"""Photographs in the memory of the device that trains, and the patches that an epoch takes of them."""

from __future__ import annotations

import functools
import hashlib
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from tqdm import tqdm

from fsrcnn_np.images.binning import bin_by

TARGET = 32  # side of a patch's target, in low-resolution pixels


def luma(path: Path, scale: int = 2) -> np.ndarray:
    """The picture's full-range luma in [0, 1], float32, cut to a height and width that `scale` divides."""
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.float32)
    y = (rgb @ np.array([0.299, 0.587, 0.114], np.float32)) / np.float32(255)
    return y[: y.shape[0] // scale * scale, : y.shape[1] // scale * scale]


class Pictures:
    """High-resolution luma and its binning, in memory: about 5 bytes per high-resolution pixel.

    With `also_binned` each picture stands a second time at half its size, its own binning being the target: detail
    that reaches up to the pixel, without the traces of JPEG. These are taken in as many patches as the first.
    """

    def __init__(self, folder: Path, what: str, also_binned: bool = False, *, scale: int = 2, device: str = "cpu"):
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp", ".tif"})
        if not paths:
            raise SystemExit(f"{folder}: no picture found for {what}")
        self.scale, self.names, high, low = scale, [], [], []
        digest = hashlib.sha256()
        for path in tqdm(paths, f"reading {what}", disable=None):
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
            y = luma(path, scale)
            self.names.append(path.name)
            high.append(y)
            low.append(bin_by(y, scale))
        self.sha256 = digest.hexdigest()
        self.high_resolution_pixels = sum(y.size for y in high)
        self.share = np.full(len(low), 0.25)  # of each picture's low-resolution pixels, an epoch
        if also_binned:
            halves = [bin_by(y, 2) for y in high]
            high += [y[: y.shape[0] // scale * scale, : y.shape[1] // scale * scale] for y in halves]
            low += [bin_by(y, scale) for y in high[len(paths) :]]
            self.share = np.repeat([0.125, 0.5], len(paths))
        self.low, self._low = _joined(low, device)
        self.high, self._high = _joined(high, device)

    def describe(self) -> dict:
        return {
            "images": len(self.names),
            "high_resolution_pixels": self.high_resolution_pixels,
            "sha256_of_names_and_hashes": self.sha256,
        }

    def windows(self, rows: torch.Tensor, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The squares that `rows` names, each under its symmetry: low resolution of `side`, high of `scale` × it."""
        return _cut(*self._low, rows, side, 1), _cut(*self._high, rows, side, self.scale)


def _joined(
    pictures: list[np.ndarray], device: str
) -> tuple[list[torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Each picture as a tensor, and all of them as one: (its pixels, where each picture begins, each one's width)."""
    pixels = torch.from_numpy(np.concatenate([y.ravel() for y in pictures])).to(device)
    ends = np.cumsum([y.size for y in pictures])
    begins = np.concatenate([[0], ends[:-1]])
    views = [pixels[a:b].view(y.shape) for a, b, y in zip(begins, ends, pictures, strict=True)]
    widths = np.array([y.shape[1] for y in pictures])
    return views, (pixels, torch.from_numpy(begins).to(device), torch.from_numpy(widths).to(device))


@functools.cache
def _turned(side: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column in a square of each pixel of its eight symmetries, (8, side, side)."""
    both = [
        np.stack([np.rot90(place.T if symmetry & 4 else place, symmetry & 3) for symmetry in range(8)])
        for place in np.indices((side, side))
    ]
    return torch.from_numpy(both[0]).to(device), torch.from_numpy(both[1]).to(device)


def _cut(
    pixels: torch.Tensor, begins: torch.Tensor, widths: torch.Tensor, rows: torch.Tensor, side: int, factor: int
) -> torch.Tensor:
    index, row, column, symmetry = rows.unbind(1)
    down, right = _turned(side * factor, pixels.device)
    width = widths[index].view(-1, 1, 1)
    first = begins[index].view(-1, 1, 1) + factor * (row.view(-1, 1, 1) * width + column.view(-1, 1, 1))
    return pixels[first + down[symmetry] * width + right[symmetry]][:, None]


def epoch_patches(pictures: Pictures, side: int, seed: int, epoch: int) -> np.ndarray:
    """(image, row, column, symmetry) of each patch of one epoch, shuffled; int32, one row a patch."""
    rng = np.random.default_rng([seed, epoch])
    patches = []
    for index, low in enumerate(pictures.low):
        height, width = low.shape
        if min(height, width) < side:
            continue
        count = math.ceil(height * width * pictures.share[index] / TARGET**2)
        rows = rng.integers(0, height - side + 1, count)
        columns = rng.integers(0, width - side + 1, count)
        symmetries = rng.integers(0, 8, count)
        patches.append(np.stack([np.full(count, index), rows, columns, symmetries], 1))
    return rng.permutation(np.concatenate(patches)).astype(np.int32)


def batch(
    pictures: Pictures, side: int, rows: torch.Tensor, target: int = TARGET, full_contrast: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Low-resolution inputs with halo and high-resolution targets, each under its own symmetry.

    With `full_contrast` the picture is made black and white at the patch's mean and binned again, like lettering.
    """
    low, high = pictures.windows(rows, side)
    if full_contrast:
        high = (high > low.mean((2, 3), keepdim=True)).float()
        low = F.avg_pool2d(high, pictures.scale)
    if margin := (side - target) // 2 * pictures.scale:
        high = high[..., margin:-margin, margin:-margin]
    form = torch.contiguous_format if low.is_cuda else torch.channels_last
    return low.contiguous(memory_format=form), high.contiguous(memory_format=form)
