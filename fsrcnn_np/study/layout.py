"""Where the figure's panels go, in its own pixels.

    A  whole view, SR            B  whole view, original, with the square
    C  the square, SR    D  the square, original    E  the square, bicubic

A pixel of the original is `zoom·scale` pixels wide in D, and one of SR is `zoom` wide in C: whole numbers, so every
pixel is shown as it is. The whole views are six times smaller than that, and so the squares are magnified six times;
of a picture whose views would be longer than 4096 pixels, more.
"""

from __future__ import annotations

from typing import NamedTuple

MAGNIFICATION = 6
GAP = 24
LEAST_VIEW, LEAST_WIDTH = 700, 1140  #: the titles need that width
MOST_VIEW = 4096  #: squares are as high as views are wide, so that of one row the figure would be enormous


class Plan(NamedTuple):
    """Sizes in pixels of the figure, unless said otherwise."""

    view: tuple[int, int]  #: height and width of a whole view
    panel: int  #: side of a magnified square
    zoom: int  #: side of a pixel of SR in C
    side: int  #: of the square, in pixels of the original
    magnification: float  #: of the square against the whole view
    width: int  #: of all panels side by side


def plan(shape: tuple[int, int], scale: int, side: int | None = None) -> Plan:
    """Lay out the figure of a picture.

    Parameters
    ----------
    shape : (int, int)
        Of the original.
    scale : int
        SR pixels per original pixel.
    side : int, optional
        Of the square. By default what, magnified six times, makes three panels as wide as two whole views.
    """
    zoom = -(-LEAST_VIEW * MAGNIFICATION // (scale * max(shape)))
    shrunk = max(1.0, scale * zoom * max(shape) / (MAGNIFICATION * MOST_VIEW))  # beyond six times
    height, width = (max(1, round(n * scale * zoom / (MAGNIFICATION * shrunk))) for n in shape)
    total = max(2 * width + GAP, LEAST_WIDTH)
    panel = (total - 2 * GAP) // 3
    as_wide = panel // (scale * zoom)  # the side that six times fills the panel
    if side is None:
        side = max(1, min(as_wide, *shape))
    square_zoom = zoom if side == as_wide else max(1, panel // (scale * side))
    magnification = MAGNIFICATION * shrunk * square_zoom / zoom
    panel = scale * side * square_zoom
    return Plan((height, width), panel, square_zoom, side, magnification, max(total, 3 * panel + 2 * GAP))
