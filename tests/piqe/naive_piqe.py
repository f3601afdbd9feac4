"""PIQE once more, slowly and literally, importing nothing of ours; every known mistake is a setting away.

The settings' defaults are what MATLAB computes. parity/mistakes/piqe.py sets them wrong, one at a time.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Settings:
    pad: str = "edge"  # np.pad's name of the padding to multiples of 16
    pad_by: str = "complement"  # or "remainder": as many pixels as the last block has
    order: str = "rgb"
    grey: tuple = (0.29893602129377539, 0.58704307445112125, 0.11402090425510336)
    grey_store: str = "round"  # of integer classes: "round", "floor" or "none"
    grey_fixed: bool = False  # OpenCV's sums of 14-bit integers instead
    scale: str = "class"  # or "maximum"
    half: str = "away"  # or "even"
    clip: bool = False
    border: str = "edge"
    sigma: float = 7 / 6
    kind: type = np.float64
    active: float = 0.1
    block_ddof: int = 1
    edges: tuple = ("top", "bottom", "left", "right")
    segment: int = 6
    segments: int = 11
    flat: float = 0.1
    segment_ddof: int = 1
    centre: tuple = (8, 9)  # counted from 1
    not_surround: tuple = (8, 10)
    noise_ddof: int = 1
    beta: float = 2
    everywhere: bool = False  # decide on artifacts and noise outside of active blocks, too
    plus_one: bool = True


def naive_piqe(image, data_range=None, **mistakes):
    """Levels, variance of each block, three masks, score."""
    s = replace(Settings(), **mistakes)
    height, width = image.shape[:2]
    if s.pad_by == "complement":
        down, right = -height % 16, -width % 16
    else:
        down, right = height % 16, width % 16
        image = np.pad(image, ((0, down), (0, right), (0, 0))[: image.ndim], s.pad)
        image = image[: image.shape[0] // 16 * 16, : image.shape[1] // 16 * 16]
        down = right = 0
        if 0 in image.shape:
            return np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((3, 0, 0), bool), 100.0
    while down or right:  # np.pad's symmetric and reflect reach no further than the image
        step = [(0, min(down, image.shape[0])), (0, min(right, image.shape[1])), (0, 0)]
        image = np.pad(image, step[: image.ndim], s.pad)
        down, right = down - step[0][1], right - step[1][1]
    x = levels(image, data_range, s)
    z = mscn(x, s)
    rows, columns = z.shape[0] // 16, z.shape[1] // 16
    masks = np.zeros((3, rows * 16, columns * 16), bool)
    variances = np.zeros((rows, columns))
    distortion, count = 0.0, 0
    for i in range(rows):
        for j in range(columns):
            here = slice(16 * i, 16 * i + 16), slice(16 * j, 16 * j + 16)
            block = z[here]
            v = variances[i, j] = block.var(ddof=s.block_ddof)
            active = v > s.active
            artifact = (active or s.everywhere) and impaired(block, s)
            noise = (active or s.everywhere) and noisy(block, v, s)
            masks[0][here], masks[1][here], masks[2][here] = active, artifact, noise
            if active:
                count += 1
                distortion += artifact * (1 - v) + noise * v
    score = 100 * (distortion + 1) / (count + 1) if s.plus_one else 100 * distortion / max(count, 1)
    return x[:height, :width], variances, masks[:, :height, :width], score


def levels(image, data_range, s):
    classes = {"uint8": (0, 255), "uint16": (0, 65535), "int16": (32768, 65535), "float32": (0, 1), "float64": (0, 1)}
    if image.ndim == 3 and image.dtype == np.int16 and data_range is None:
        image = (image.astype(float) + 32768) / 65535
    name = image.dtype.name
    if data_range is not None:
        black, white = data_range if isinstance(data_range, tuple) else (0, data_range)
        image, span = image.astype(float) - black, white - black
    if image.ndim == 3:
        r, g, b = (image[..., s.order.index(c)].astype(float) for c in "rgb")
        grey = (r * s.grey[0] + g * s.grey[1]) + b * s.grey[2]
        if s.grey_fixed and name == "uint8":
            grey = np.floor((r * 4899 + g * 9617 + b * 1868 + 8192) / 16384)
        if "int" in name and s.grey_store != "none":
            grey = half_away(grey) if s.grey_store == "round" else np.floor(grey)
        elif name == "float32":
            grey = grey.astype(np.float32)
    else:
        grey = image
    grey = grey.astype(float)
    if s.scale == "maximum":
        x = 255 * (grey / (grey.max() or 1))
    elif data_range is not None:
        x = 255 * grey / span
    else:
        x = 255 * ((grey + classes[name][0]) / classes[name][1])
    x = half_away(x) if s.half == "away" else np.round(x)
    return np.clip(x, 0, 255) if s.clip else x


def half_away(x):
    # x + 0.5 would round just below one half up
    return np.where(np.abs(x) % 1 >= 0.5, np.sign(x) * np.ceil(np.abs(x)), np.sign(x) * np.floor(np.abs(x)))


def mscn(x, s):
    x = x.astype(s.kind)
    mu = gaussian(x, s)
    sigma = np.sqrt(np.abs(gaussian(x * x, s) - mu * mu))
    return ((x - mu) / (sigma + s.kind(1))).astype(float)


def gaussian(x, s):
    """All 49 taps of the two-dimensional kernel, in order."""
    k = np.arange(-3, 4)
    kernel = np.exp(-(k[:, None] ** 2 + k[None, :] ** 2) / (2 * s.sigma**2))
    kernel = (kernel / kernel.sum()).astype(s.kind)
    padded = np.pad(x, 3, s.border)
    total = np.zeros(x.shape, s.kind)
    for i in range(7):
        for j in range(7):
            total += kernel[i, j] * padded[i : i + x.shape[0], j : j + x.shape[1]]
    return total


def impaired(block, s):
    edges = {"top": block[0], "bottom": block[15], "left": block[:, 0], "right": block[:, 15]}
    for name in s.edges:
        for start in range(s.segments):
            if edges[name][start : start + s.segment].std(ddof=s.segment_ddof) < s.flat:
                return True
    return False


def noisy(block, v, s):
    centre = block[:, [c - 1 for c in s.centre]].std(ddof=s.noise_ddof)
    surround = block[:, [c for c in range(16) if c + 1 not in s.not_surround]].std(ddof=s.noise_ddof)
    if surround == 0:
        if centre > 0:
            return False  # ratio infinite, beta NaN
        ratio = 0.0
    else:
        ratio = centre / surround
    if v == 0 == ratio:
        return False  # beta NaN
    beta = abs(np.sqrt(v) - ratio) / max(np.sqrt(v), ratio)
    return bool(np.sqrt(v) > s.beta * beta)
