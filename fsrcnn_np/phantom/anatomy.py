"""Line integrals of attenuation through a compressed breast: what the beam meets, without noise or detector.

    skin         1.5 mm
    fat, gland   gland in a disc behind the nipple, its border hilly; its amount is BI-RADS's density a to d
    ligaments    sheets seen edge on, some towards the nipple (with the ducts), some as a net
    veil         everything that is too small or too much superposed to be seen singly: power f⁻³
    muscle       in the oblique view

Attenuation at 20 keV, about the mean of a W/Rh beam of 29 kV behind 45 mm: Johns and Yaffe, "X-ray characterisation of
normal and neoplastic breast tissues", Physics in Medicine and Biology 32, 1987 (fat, gland); ICRU 44 by Hubbell and
Seltzer, NISTIR 5632 (skin, muscle). The veil's exponent: Burgess, Jacobson, Judy, "Human observer detection
experiments with mammograms and power-law noise", Medical Physics 28, 2001 (2.8 on average, with a spread of 0.35);
the skin: Huang and others, "The characterization of breast anatomical metrics using dedicated breast CT", Medical
Physics 38, 2011.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piqe_np.compiled import run_tasks

from .breast import Breast
from .dice import Dice

Floats = NDArray[np.float32]

FAT, GLAND, SKIN, MUSCLE = 0.0456, 0.0802, 0.0820, 0.0860  #: 1/mm at 20 keV
SKIN_WIDTH = 1.5  #: mm; twice that at the nipple
ROWS = 64  #: of one task
LAYERS, NET = 12, 512  #: of ligaments; nodes of each one's field, both ways


class Density(NamedTuple):
    """How BI-RADS's category is drawn: where the border of the gland lies, and how steep and how hilly it is."""

    bias: float
    contrast: float
    hilly: float
    most: float  #: of the breast's thickness that is gland, in its middle


DENSITIES = {
    "a": Density(-0.35, 0.7, 0.25, 0.20),
    "b": Density(0.0, 0.7, 0.28, 0.30),
    "c": Density(0.36, 0.7, 0.20, 0.40),
    "d": Density(0.60, 0.8, 0.25, 0.55),
}


def by_rows(function: object, rows: int, threads: int, *arguments: object) -> None:
    """Call a kernel for strips of rows, on threads."""
    run_tasks(
        lambda n: function(*arguments, n * ROWS, min((n + 1) * ROWS, rows)),  # type: ignore[operator]
        -(-rows // ROWS),
        threads,
    )


def cloud(dice: Dice, shape: tuple[int, int], gains: dict[int, float], threads: int) -> Floats:
    """A field of B-splines: noise of gain `gains[k]` at every 2ᵏ-th node, for each k, all added up.

    Splines of halved width make a power law of noise whose gain falls by a factor from one k to the next: for f⁻ᵝ by
    2^(1 − β/2) (as midpoint displacement does: Voss, "Random fractal forgeries", 1985).
    """
    from .kernels import grow

    sizes = [shape]
    for _ in range(max(gains)):
        sizes.append((sizes[-1][0] // 2 + 3, sizes[-1][1] // 2 + 3))
    field = np.zeros((sizes[-1][0] // 2 + 3, sizes[-1][1] // 2 + 3), np.float32)
    for level in range(max(gains), -1, -1):
        finer = np.empty(sizes[level], np.float32)
        key = np.uint64(dice.bits())
        by_rows(grow, sizes[level][0], threads, field, key, np.float32(gains.get(level, 0)), finer)
        field = finer
    return field


def power_law(beta: int | float, coarsest: int, finest: int = 0) -> dict[int, float]:
    """Gains for a field of power f⁻ᵝ and a variance near 1, from features of 2^coarsest nodes down to 2^finest."""
    step = {2.8: 0.7579, 3: 0.7071}[beta]  # 2^(1 − β/2)
    gains, total = {}, 0.0
    gain = 1.0
    for level in range(coarsest, finest - 1, -1):
        gains[level] = gain
        total += gain * gain * 0.28  # what a spline through white noise keeps of its variance
        gain *= step
    return {level: value / sqrt(total) for level, value in gains.items()}


def line_integrals(dice: Dice, shape: Breast, density: str, spacing: float, threads: int) -> Floats:
    """∫µ dl at every pixel, H × (columns of the breast); 0 beside it."""
    from .kernels import tissue

    rows, columns = len(shape.edge), shape.columns
    d = DENSITIES[density]
    hills = cloud(dice, (rows, columns), power_law(3, _octaves(30, spacing)), threads)
    bends = cloud(dice, (rows, columns), power_law(3, _octaves(40, spacing), _octaves(5, spacing)), threads)
    lobules = cloud(dice, (rows, columns), power_law(3, _octaves(14, spacing), _octaves(1.2, spacing)), threads)
    veil = cloud(dice, (rows, columns), power_law(3, _octaves(8, spacing)), threads)
    nets, layers = _nets(dice, shape, spacing, threads)
    row, column = shape.nipple
    f = (
        spacing, shape.thickness / 2, SKIN_WIDTH, row * spacing, column * spacing + 20, row * spacing,
        0.45 * column * spacing, 0.62 * shape.half_height * spacing, 0.5 * column * spacing,
        d.bias, d.contrast, d.hilly, 0.4, d.most, 2.8, 2.4, FAT, GLAND, SKIN, MUSCLE, 0.85,
    )  # fmt: skip
    out = np.empty((rows, columns), np.float32)
    constants = tuple(np.float32(v) for v in f)
    by_rows(
        tissue,
        rows,
        threads,
        hills,
        bends,
        lobules,
        veil,
        nets,
        layers,
        shape.edge,
        shape.cosine,
        shape.wall,
        constants,
        out,
    )
    return out


def _octaves(width: float, spacing: float) -> int:
    """How often a pixel has to be doubled to be so many mm wide, about."""
    octaves = 1
    while spacing * (1 << octaves) < 0.7 * width:
        octaves += 1
    return octaves


def _nets(dice: Dice, shape: Breast, spacing: float, threads: int) -> tuple[Floats, Floats]:
    """Smooth fields, one a layer of ligaments, and how each is laid over the breast."""
    nets, layers = [], []
    for number in range(LAYERS):
        nets.append(cloud(dice, (NET, NET), {3: 2.0}, threads))
        coarse = dice.uniform(0.7, 1.4) * (1.0, 0.6, 0.35, 0.2)[number % 4]
        wide, weight = dice.uniform(0.2, 0.9), dice.uniform(0.6, 1.0) * (0.7, 0.6, 0.5, 0.4)[number % 4]
        if number < LAYERS // 2:  # towards the nipple, and longer than wide
            turn = (0.0, 0.0, 0.0, 0.0)
            scale = (8 / (26 * coarse), 90 / coarse)
        else:
            s, c = dice.direction()
            turn = (c, s, -s, c)
            scale = (8 / (9 * coarse), 8 / (15 * coarse))
        layers.append((wide, *scale, 8 * dice.uniform(-1, 1) / sqrt(coarse), 0.25, *turn, weight))
    return np.stack(nets), np.array(layers, np.float32)
