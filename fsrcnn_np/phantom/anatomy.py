"""Line integrals of attenuation through a compressed breast: what the beam meets, without noise or detector.

    skin         1.5 mm
    fat, gland   gland in a disc behind the nipple, its border hilly; its amount is BI-RADS's density a to d
    ligaments    sheets seen edge on, some towards the nipple (with the ducts), some as a net
    veil         everything that is too small or too much superposed to be seen singly: power f⁻³
    vessels      a few cylinders
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
SKIN_WIDTH = 1.5  #: mm
ROWS = 64  #: of one task


class Density(NamedTuple):
    """How BI-RADS's category is drawn: where the border of the gland lies, and how steep and how hilly it is."""

    bias: float
    contrast: float
    hilly: float
    most: float  #: of the breast's thickness that is gland, in its middle


DENSITIES = {
    "a": Density(-0.30, 0.8, 0.25, 0.20),
    "b": Density(0.00, 0.8, 0.28, 0.30),
    "c": Density(0.30, 0.8, 0.28, 0.40),
    "d": Density(0.70, 1.0, 0.25, 0.60),
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


def power_law(beta: int | float, coarsest: int) -> dict[int, float]:
    """Gains for a field of power f⁻ᵝ and a variance near 1, from features of 2^coarsest nodes down to one."""
    step = {2.8: 0.7579, 3: 0.7071}[beta]  # 2^(1 − β/2)
    gains, total = {}, 0.0
    gain = 1.0
    for level in range(coarsest, -1, -1):
        gains[level] = gain
        total += gain * gain * 0.28  # what a spline through white noise keeps of its variance
        gain *= step
    return {level: value / sqrt(total) for level, value in gains.items()}


def line_integrals(dice: Dice, shape: Breast, density: str, spacing: float, threads: int) -> Floats:
    """∫µ dl at every pixel, H × (columns of the breast); 0 beside it."""
    from .kernels import tissue

    rows, columns = len(shape.edge), shape.columns
    d = DENSITIES[density]
    octaves = 1
    while spacing * (1 << octaves) < 25 and (1 << octaves) < rows:
        octaves += 1
    veil = cloud(dice, (rows, columns), power_law(3, octaves), threads)
    nets, layers = _nets(dice, shape, spacing, threads)
    row, column = shape.nipple
    f = (
        spacing, shape.thickness / 2, SKIN_WIDTH, row * spacing, column * spacing + 20, row * spacing,
        0.45 * column * spacing, 0.62 * shape.half_height * spacing, 0.5 * column * spacing,
        d.bias, d.contrast, d.most, 2.2, FAT, GLAND, SKIN, MUSCLE, 5.0, d.hilly,
    )  # fmt: skip
    out = np.empty((rows, columns), np.float32)
    constants = tuple(np.float32(v) for v in f)
    by_rows(tissue, rows, threads, veil, nets, layers, shape.edge, shape.cosine, shape.wall, constants, out)
    return out


def _nets(dice: Dice, shape: Breast, spacing: float, threads: int) -> tuple[Floats, Floats]:
    """Smooth fields, one a layer of ligaments, and how each is laid over the breast."""
    nets, layers = [], []
    for number in range(6):
        nets.append(cloud(dice, (512, 512), {3: 2.0}, threads))
        size = dice.uniform(0.7, 1.4) * (1, 1, 0.6, 1, 0.6, 0.35)[number]
        wide, weight = (0.10, 0.14, 0.2, 0.1, 0.14, 0.2)[number], (1.0, 0.8, 0.5, 0.9, 0.6, 0.4)[number]
        if number < 3:  # towards the nipple: four times as long as wide
            turn = (0.0, 0.0, 0.0, 0.0)
            scale = (8 / (28 * size), 110 / size)
            warp = (dice.uniform(-1, 1) * 2, dice.uniform(-1, 1) * 2)
        else:
            s, c = dice.direction()
            turn = (c, s, -s, c)
            scale = (8 / (9 * size), 8 / (14 * size))
            warp = (dice.uniform(-1, 1) * 4, dice.uniform(-1, 1) * 4)
        layers.append((wide, *scale, *warp, *turn, weight))
    return np.stack(nets), np.array(layers, np.float32)
