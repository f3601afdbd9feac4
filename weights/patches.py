"""Photographs in memory, and the patches that an epoch takes of them."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from fsrcnn_np.images.binning import bin2x2

TARGET = 32  # side of a patch's target, in low-resolution pixels


def luma(path: Path) -> np.ndarray:
    """The picture's full-range luma in [0, 1], float32, cut to even height and width."""
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.float32)
    y = (rgb @ np.array([0.299, 0.587, 0.114], np.float32)) / np.float32(255)
    return y[: y.shape[0] // 2 * 2, : y.shape[1] // 2 * 2]


class Pictures:
    """High-resolution luma and its binning, in memory: about 5 bytes per high-resolution pixel.

    With `also_binned` each picture stands a second time at half its size, its own binning being the target: detail
    that reaches up to the pixel, without the traces of JPEG. These are taken in as many patches as the first.
    """

    def __init__(self, folder: Path, what: str, also_binned: bool = False):
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp", ".tif"})
        if not paths:
            raise SystemExit(f"{folder}: no picture found for {what}")
        self.names, self.high, self.low = [], [], []
        digest = hashlib.sha256()
        for path in tqdm(paths, f"reading {what}", disable=None):
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
            y = luma(path)
            self.names.append(path.name)
            self.high.append(y)
            self.low.append(bin2x2(y))
        self.sha256 = digest.hexdigest()
        self.share = np.full(len(self.low), 0.25)  # of each picture's low-resolution pixels, an epoch
        if also_binned:
            self.high += [y[: y.shape[0] // 2 * 2, : y.shape[1] // 2 * 2] for y in self.low]
            self.low += [bin2x2(y) for y in self.high[len(self.names) :]]
            self.share = np.repeat([0.125, 0.5], len(self.names))

    def describe(self) -> dict:
        return {
            "images": len(self.names),
            "high_resolution_pixels": int(sum(y.size for y in self.high[: len(self.names)])),
            "sha256_of_names_and_hashes": self.sha256,
        }


def epoch_patches(pictures: Pictures, side: int, seed: int, epoch: int) -> np.ndarray:
    """(image, row, column, symmetry) of each patch of one epoch, shuffled; int32, one row a patch."""
    rng = np.random.default_rng([seed, epoch])
    patches = []
    for index, low in enumerate(pictures.low):
        height, width = low.shape
        if min(height, width) < side:
            continue
        count = math.ceil(low.size * pictures.share[index] / TARGET**2)
        rows = rng.integers(0, height - side + 1, count)
        columns = rng.integers(0, width - side + 1, count)
        symmetries = rng.integers(0, 8, count)
        patches.append(np.stack([np.full(count, index), rows, columns, symmetries], 1))
    return rng.permutation(np.concatenate(patches)).astype(np.int32)


def batch(
    pictures: Pictures,
    side: int,
    rows: np.ndarray,
    device: torch.device,
    target: int = TARGET,
    full_contrast: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Low-resolution inputs with halo and high-resolution targets, each under its own symmetry.

    With `full_contrast` the picture is made black and white at the patch's mean and binned again, like lettering.
    """
    margin = (side - target) // 2
    inputs = np.empty((len(rows), 1, side, side), np.float32)
    targets = np.empty((len(rows), 1, 2 * target, 2 * target), np.float32)
    for k, (index, r, c, symmetry) in enumerate(rows):
        low = pictures.low[index][r : r + side, c : c + side]
        high = pictures.high[index][2 * r : 2 * (r + side), 2 * c : 2 * (c + side)]
        if full_contrast:
            high = (high > low.mean()).astype(np.float32)
            low = bin2x2(high)
        high = high[2 * margin : 2 * (margin + target), 2 * margin : 2 * (margin + target)]
        if symmetry & 4:
            low, high = low.T, high.T
        inputs[k, 0] = np.rot90(low, symmetry & 3)
        targets[k, 0] = np.rot90(high, symmetry & 3)
    x, y = (torch.from_numpy(a).to(device, memory_format=torch.channels_last) for a in (inputs, targets))
    return x, y
