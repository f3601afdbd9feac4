"""What all charts share: colours that any eye can tell apart, sizes, and how they are written."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...drawing import import_matplotlib, settled

#: Okabe and Ito's blue, orange and vermilion; they differ in lightness, too.
COLOURS = {"original": "#0072B2", "bicubic": "#E69F00", "sr": "#D55E00"}
NAMES = {"original": "original", "bicubic": "bicubic", "sr": "SR"}
#: ColorBrewer's PuOr: from the original strongly preferred to SR strongly preferred.
RATING_COLOURS = ("#b35806", "#fdb863", "#e3e3e3", "#b2abd2", "#542788")
INK, GRID = "#222222", "#d9d9d9"
WIDTH = 7.2  #: inches
DPI = 150
RASTER = 1500  #: points, from which on an SVG holds them as a picture
#: The font is drawn as shapes: an SVG looks the same everywhere, and a name with markup is only a shape.
SETTINGS: dict[str, Any] = {
    "font.size": 9, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.grid.axis": "y",
    "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True, "svg.fonttype": "path", "svg.hashsalt": "study",
    "legend.frameon": False, "text.parse_math": False,
}  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A figure and what is said below it.

    Attributes
    ----------
    name : str
        Of its files.
    title, caption : str
    figure : matplotlib.figure.Figure
    """

    name: str
    title: str
    caption: str
    figure: Any


def check() -> None:
    """Raise a MissingExtraError or a FileError where no figure can be made."""
    import_matplotlib("study")


def drawn(width: float, height: float, draw: Callable[[Any], None]) -> Any:
    """A figure in this style, whatever the user's settings are; no backend is used or changed."""
    check()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(mpl.rcParamsDefault), mpl.rc_context(SETTINGS), _any_script():
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
        draw(figure)
        return settled(figure)


def encoded(figure: Any, format: str) -> bytes:
    """The figure as "png" or "svg": the same bytes of the same figure."""
    import matplotlib as mpl

    stream = io.BytesIO()
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    with mpl.rc_context(SETTINGS), _any_script():
        figure.savefig(stream, format=format, dpi=DPI, metadata=metadata)
    data = stream.getvalue()
    # Names of clip paths are made of addresses in memory.
    for number, name in enumerate(dict.fromkeys(re.findall(rb'<clipPath id="(\w+)"', data)) if format == "svg" else ()):
        data = data.replace(name, b"clip%d" % number)
    return data


def encoded_both(chart: Chart) -> dict[str, bytes]:
    """NAME.png and NAME.svg."""
    return {f"{chart.name}.{format}": encoded(chart.figure, format) for format in ("png", "svg")}


@contextmanager
def _any_script() -> Iterator[None]:
    """Names in scripts that the font lacks are boxes, not warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield
