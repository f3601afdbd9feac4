"""Where calcifications lie: BI-RADS's five distributions (atlas, 5th edition), as places in the breast.

diffused     all over the breast
regional     in a large part of it, over 20 mm across
grouped      groups 5 to 10 mm across
linear       in a line, a duct
segmental    in a wedge whose tip is the nipple: a duct with its branches
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from .breast import Breast
from .calcifications import ATTEMPTS, Morphology, Place
from .dice import Dice

DISTRIBUTIONS = ("diffused", "grouped", "regional", "segmental", "linear")
CLEAR = 9.0  #: mm under the skin at least; less in a small breast
GROUPS = 3


def places(
    dice: Dice, breast: Breast, distribution: str, kind: Morphology, spacing: float
) -> Iterator[tuple[Place, Place, int]]:
    """Places, the direction of the duct there, and the number of the group."""
    clear = min(CLEAR / spacing, 0.22 * breast.reach)
    for group in range(GROUPS if distribution == "grouped" else 1):
        count = dice.whole(*kind.number) * {"diffused": 3, "regional": 2}.get(distribution, 1)
        centre = _inside(dice, breast, clear * 1.6)
        radius = min(dice.uniform(2.5, 5.0) / spacing, 0.12 * breast.reach)
        if distribution == "regional":
            radius = min(dice.uniform(12.0, 20.0) / spacing, 0.3 * breast.reach)
        taken: list[Place] = []
        for _ in range(ATTEMPTS):
            if len(taken) == count:
                break
            place = _place(dice, breast, distribution, centre, radius)
            apart = all(_distance(place, other) * spacing > 0.25 + 0.8 * kind.size[1] for other in taken)
            if apart and _allowed(breast, place, clear):
                taken.append(place)
                yield place, _towards(place, breast.nipple), group


def _place(dice: Dice, breast: Breast, distribution: str, centre: Place, radius: float) -> Place:
    if distribution == "diffused":
        return dice.uniform(0, len(breast.edge)), dice.uniform(0, breast.reach)
    if distribution in ("grouped", "regional"):
        s, c = dice.direction()
        r = radius * sqrt(dice.uniform())
        return centre[0] + r * s, centre[1] + r * c
    # Along the duct from the nipple through the centre; a wedge widens with the distance.
    dy, dx = _towards(breast.nipple, centre)
    whole = _distance(breast.nipple, centre)
    if distribution == "linear":
        along, across = whole + 3 * radius * dice.uniform(-1, 1), 0.06 * radius * dice.normal()
    else:
        along = whole * (0.25 + 1.1 * sqrt(dice.uniform()))
        across = along * 0.22 * dice.uniform(-1, 1)
    return breast.nipple[0] + along * dy - across * dx, breast.nipple[1] + along * dx + across * dy


def _inside(dice: Dice, breast: Breast, clear: float) -> Place:
    """A place in the middle of the breast, where the gland is."""
    for _ in range(ATTEMPTS):
        row = breast.nipple[0] + breast.half_height * dice.uniform(-0.6, 0.6)
        place = row, breast.reach * dice.uniform(0.2, 0.75)
        if _allowed(breast, place, clear):
            return place
    return breast.nipple[0], 0.4 * breast.reach


def _allowed(breast: Breast, place: Place, clear: float) -> bool:
    row, column = place
    inside = clear / 2 < row < len(breast.edge) - clear / 2 and column > clear / 2
    return inside and breast.depth(row, column) > clear and column > float(breast.wall[int(row)]) + clear / 2


def _towards(one: Place, other: Place) -> Place:
    y, x = other[0] - one[0], other[1] - one[1]
    length = sqrt(y * y + x * x) or 1.0
    return y / length, x / length


def _distance(one: Place, other: Place) -> float:
    y, x = other[0] - one[0], other[1] - one[1]
    return sqrt(y * y + x * x)
