"""Blood vessels: a few trees that come from the chest wall or the armpit, bend, taper and branch.

A vessel is a chain of short pieces of a cone; a ray's path through it takes the place of as much of the mean tissue
that lies on the ray, so that it is plain in fat and faint in gland. The thickest piece counts where pieces of one tree
meet; trees that cross lie one over the other.

Sizes: the internal mammary vessels, whose branches feed the breast, are 2.1 mm (artery) and 0.8 to 4.8 mm (vein) wide:
Han, Yoon, Park, "The anatomical evaluation of internal mammary vessels using sonography and 2-dimensional computed
tomography in Asians", British Journal of Plastic Surgery 56, 2003; the trees of the VICTRE trial's breasts begin with
1.5 mm: Graff, "A new, open-source, multi-modality digital breast phantom", Proc. SPIE 9783, 2016. Drawn are 2 mm to
0.5 mm. At a fork the cubes of the diameters add up: Murray, "The physiological principle of minimum work", PNAS 12,
1926. Attenuation of blood as in `anatomy`: ICRU 44's composition, 1.06 g/cm³ of 0.843 cm²/g, a tenth over water.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .breast import Breast
from .dice import Dice

Floats = NDArray[np.float32]
Way = tuple[float, float]

BLOOD = 0.0893  #: 1/mm at 20 keV
TREES = (4, 7)  #: in a breast 150 mm high; fewer in a smaller one
WIDEST, LEAST = (1.6, 2.0), 0.5  #: mm, at the root and where a vessel is lost
STEP = 1.0  #: mm, the length of a piece
CLEAR = 3.5  #: mm under the skin at least; less in a small breast
FORK = 1 / 45  #: per mm
MOST = 400  #: pieces of one tree


class _Tip(NamedTuple):
    """Where a vessel goes on growing; lengths in pixels."""

    place: Way
    heading: Way
    diameter: float
    bend: float  #: what the heading turns by in a step, as a sine
    goal: Way


def add_vessels(dice: Dice, shape: Breast, spacing: float, integrals: Floats) -> None:
    """Add vessels to the line integrals of tissue, in place: H × (columns of the breast)."""
    from .kernels import replace, tubes

    radius = np.float32(shape.thickness / 2)
    for pieces in trees(dice, shape, spacing):
        widest = pieces[:, 4:].max()
        low, high = pieces[:, :4].min(0) - widest, pieces[:, :4].max(0) + widest
        top, left = max(int(min(low[0], low[2])), 0), max(int(min(low[1], low[3])), 0)
        bottom, right = int(max(high[0], high[2])) + 2, int(max(high[1], high[3])) + 2
        box = integrals[top:bottom, left:right]
        path = np.zeros(box.shape, np.float32)
        tubes(pieces, top, left, path)
        edge, cosine = shape.edge[top:bottom] - np.float32(left), shape.cosine[top:bottom]
        replace(path, edge, cosine, np.float32(spacing), radius, np.float32(BLOOD), box)


def trees(dice: Dice, shape: Breast, spacing: float) -> list[Floats]:
    """The pieces of each tree: rows and columns of both ends, and both radii; float32, pixels, n × 6."""
    height = min(2 * shape.half_height, len(shape.edge)) * spacing
    count = max(1, int(dice.whole(*TREES) * min(1.0, height / 150) + 0.5))
    found = [_tree(dice, shape, spacing, 0.85 * (2 * (n + dice.uniform()) / count - 1)) for n in range(count)]
    return [np.array(pieces, np.float32) for pieces in found if len(pieces) > 5]


def _tree(dice: Dice, shape: Breast, spacing: float, root: float) -> list[tuple[float, ...]]:
    """Grown from the wall; `root`: how far above or below the nipple, −1 to 1 of the breast's half height."""
    clear = min(CLEAR / spacing, 0.1 * shape.reach)
    step, least = STEP / spacing, LEAST / spacing
    narrowing = 1 - STEP / dice.uniform(180, 320)  # what a step leaves of the diameter
    start = shape.nipple[0] + shape.half_height * root, 0.0
    aim = root * dice.uniform(0.2, 0.8)
    goal = shape.nipple[0] + shape.half_height * aim, shape.reach * dice.uniform(0.65, 1.0)
    heading = _turned(_towards(start, goal), dice.uniform(-0.5, 0.5))
    tips = [_Tip(start, heading, dice.uniform(*WIDEST) / spacing, 0.0, goal)]
    pieces: list[tuple[float, ...]] = []
    while tips and len(pieces) < MOST:
        tip = tips.pop()
        place, heading, diameter, bend, goal = tip
        while diameter > least and len(pieces) < MOST:
            end = place[0] + step * heading[0], place[1] + step * heading[1]
            narrower = max(diameter * narrowing, least)
            if not 0 <= end[0] < len(shape.edge) or end[1] < 0 or shape.depth(*end) < clear:
                break
            pieces.append((*place, *end, diameter / 2, narrower / 2))
            place, diameter = end, narrower
            bend = 0.85 * bend + 0.025 * dice.normal()
            wanted = _towards(place, goal)
            pull = 0.05 * (heading[1] * wanted[0] - heading[0] * wanted[1])
            heading = _turned(heading, bend + pull)
            if heading[0] * wanted[0] + heading[1] * wanted[1] < 0:  # passed: straight on
                goal = place[0] + shape.reach * heading[0], place[1] + shape.reach * heading[1]
            if dice.uniform() < FORK * STEP:
                share, turn = dice.uniform(0.6, 0.9), dice.uniform(0.35, 0.7)
                turn = turn if dice.uniform() < 0.5 else -turn
                branch = _turned(heading, turn)
                far = place[0] + shape.reach * branch[0], place[1] + shape.reach * branch[1]
                thin, thick = sorted((share * diameter, _cube_root(1 - share * share * share) * diameter))
                tips.append(_Tip(place, branch, thin, 0.0, far))
                diameter = thick
    return pieces


def _towards(one: Way, other: Way) -> Way:
    y, x = other[0] - one[0], other[1] - one[1]
    length = sqrt(y * y + x * x) or 1.0
    return y / length, x / length


def _turned(heading: Way, sine: float) -> Way:
    """A unit vector turned by about so much, from the columns' direction to the rows'."""
    y, x = heading[0] + sine * heading[1], heading[1] - sine * heading[0]
    length = sqrt(y * y + x * x)
    return y / length, x / length


def _cube_root(value: float) -> float:
    """Of a number between 0.1 and 1, by Newton's rule: the same steps everywhere."""
    root = 1.0
    for _ in range(8):
        root = (2 * root + value / (root * root)) / 3
    return root
