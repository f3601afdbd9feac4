"""The masks as a picture: what PIQE saw, in colours on the image, with a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piqe_np.bands import band
from piqe_np.matlab import rgb2gray
from piqe_np.reference import ACTIVE_VARIANCE, BLOCK

if TYPE_CHECKING:
    from piqe_np.score import PiqeResult

LONGEST = 2048  # pixels; larger images are shown smaller, their blocks are too fine to see anyway
SHORTEST = 320  # smaller ones are magnified
OPACITY = 0.45
# Okabe and Ito's colours, which stay apart for the colour-blind.
COLOURS = {
    "active, nothing found": (86, 180, 233),
    "noticeable artifact": (230, 159, 0),
    "noise": (0, 158, 115),
    "artifact and noise": (213, 94, 0),
    "not active (not tinted)": None,
}


def overlay(image: np.ndarray, result: PiqeResult) -> np.ndarray:
    """The image in grey, its blocks tinted by what was found in them, and a legend below.

    Parameters
    ----------
    image : ndarray, M × N or M × N × 3
        What was scored.
    result : PiqeResult

    Returns
    -------
    ndarray, H × W × 3, uint8
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = result.shape
    factor = min(1.0, LONGEST / max(height, width)) * max(1, -(-SHORTEST // max(height, width)))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    kinds, shares = kinds_and_shares(result)
    tint = kinds.repeat(BLOCK, 1)[:, :width].repeat(BLOCK, 0)[:height]
    palette = np.array([colour or (0, 0, 0) for colour in COLOURS.values()], np.uint8)
    grey = Image.fromarray(_displayed(image, result)).resize(size, Image.Resampling.BOX)
    tint = np.asarray(Image.fromarray(tint).resize(size, Image.Resampling.NEAREST))
    picture = np.asarray(grey).astype(np.float32)[..., None].repeat(3, 2)
    shown = (tint < len(COLOURS) - 1)[..., None]
    picture = np.where(shown, (1 - OPACITY) * picture + OPACITY * palette[tint], picture)

    text = max(16, size[0] // 50)
    line = 8 * text // 5
    font = ImageFont.load_default(text)
    lines = [f"PIQE {result.score:.4f} ({band(result.score)})", f"scaled from {result.scaling}"]
    lines += [f"{name}: {share:.1%} of blocks" for name, share in zip(COLOURS, shares, strict=True)]
    needed = 4 * text + int(max(font.getlength(words) for words in lines))
    canvas = Image.new("RGB", (max(size[0], needed), size[1] + line * len(lines) + text), "white")
    canvas.paste(Image.fromarray(picture.astype(np.uint8)), (0, 0))
    draw = ImageDraw.Draw(canvas)
    for number, (words, colour) in enumerate(zip(lines, [None, None, *COLOURS.values()], strict=True)):
        left, top = text // 2, size[1] + text // 2 + number * line
        if number >= 2:
            draw.rectangle((left, top, left + text, top + text), fill=colour, outline="black")
            left += 2 * text
        draw.text((left, top), words, fill="black", font=font)
    return np.asarray(canvas)


def kinds_and_shares(result: PiqeResult) -> tuple[np.ndarray, list[float]]:
    """Which of `COLOURS` each block has, and the share of each."""
    _, artifact, noise = result.blocks
    active = result.blocks.variance > ACTIVE_VARIANCE
    kinds = np.where(active, artifact + 2 * noise.astype(np.uint8), len(COLOURS) - 1).astype(np.uint8)
    return kinds, [float((kinds == kind).mean()) for kind in range(len(COLOURS))]


def _displayed(image: np.ndarray, result: PiqeResult) -> np.ndarray:
    """Grey of 0…255 over the range used, clipped for display only."""
    grey = rgb2gray(image) if image.ndim == 3 else image
    low, high = result.scaling.low, result.scaling.high
    return ((grey.astype(np.float32) - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)
