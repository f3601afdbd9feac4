"""The figure, like the paper's Fig. 3: whole views, and a square of them magnified six times (see `layout`)."""

from __future__ import annotations

import io
import textwrap
import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.line import printable

from ..drawing import import_matplotlib
from ..errors import OptionError
from .display import Floats, Window
from .layout import GAP, Plan, plan
from .scores import BICUBIC, ORIGINAL, SR

if TYPE_CHECKING:
    from ..files import Provenance
    from .comparison import Comparison

SUFFIXES = (".png", ".pdf", ".svg")
DPI = 100
FONT, TITLE, LINE, CHARACTER = 10, 26, 19, 7.8  #: points; then pixels: a title, a line of the caption, a character
MARK = "#ffd500"
BARS = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)  #: mm


def check(suffix: str) -> None:
    """Raise an OptionError or a MissingExtraError when no figure of this suffix can be made."""
    if suffix.lower() not in SUFFIXES:
        raise OptionError(f"the figure's suffix is {suffix!r}; allowed are {', '.join(SUFFIXES)}")
    import_matplotlib()


def write(
    comparison: Comparison, path: str | PathLike[str], *, provenance: Provenance | None = None, overwrite: bool = False
) -> None:
    """Draw a comparison and write it as PNG, PDF or SVG by the path's suffix, whole or not at all.

    With `provenance` the file says what made it.

    Raises
    ------
    OptionError
        Another suffix.
    MissingExtraError
        matplotlib is not installed.
    OutputExists, OutputDiffers, FileError
        As of `fsrcnn_np.files.write`.
    """
    from ..files.atomic import check_place, write_bytes
    from ..files.drawings import marked
    from ..files.made import check_free

    path = Path(path)
    check(path.suffix)
    check_place(path)
    if provenance is not None:
        check_free(path, provenance, overwrite=overwrite)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
        draw(comparison).savefig(stream, format=path.suffix[1:].lower(), dpi=DPI)
    data = stream.getvalue()
    write_bytes(path, data if provenance is None else marked(data, provenance), overwrite=overwrite)


def draw(c: Comparison) -> Any:
    """The comparison as a matplotlib Figure. The user's backend and settings are neither used nor changed."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sizes = plan((c.shape[0], c.shape[1]), c.scale, c.square.side)
    (view_height, view_width), panel = sizes.view, sizes.panel
    lines = _caption(c, sizes)
    width = sizes.width + 2 * GAP
    squares_bottom = 2 * GAP + LINE * len(lines)
    views_bottom = squares_bottom + panel + TITLE + GAP
    height = views_bottom + view_height + TITLE + GAP
    with mpl.rc_context(mpl.rcParamsDefault):
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        views = ((SR, c.panels.whole_sr), (ORIGINAL, c.panels.whole_original))
        for i, (image, values) in enumerate(views):
            left = round(GAP + (sizes.width + GAP) / 2 * i)
            title = f"{'AB'[i]}  {_name(c, image)} · PIQE {c.piqe(image):.4f}"
            axes = _panel(figure, values, c.panels.whole_window, (left, views_bottom, view_width, view_height), title)
            _scale_bar(axes, c.pixel_spacing, c.shape[1] / view_width, (view_width, view_height))
        _mark(axes, c, view_width / c.shape[1])
        squares = ((SR, c.panels.square_sr), (ORIGINAL, c.panels.square_original), (BICUBIC, c.panels.square_bicubic))
        for i, (image, values) in enumerate(squares):
            left = round(GAP + (sizes.width + GAP) / 3 * i)
            title = f"{'CDE'[i]}  {_name(c, image)}, magnified {sizes.magnification:.3g}×"
            if image == BICUBIC:
                title += f" · PIQE {c.piqe(image):.4f}"
            axes = _panel(figure, values, c.panels.square_window, (left, squares_bottom, panel, panel), title)
            _scale_bar(axes, c.pixel_spacing, c.square.side / panel, (panel, panel))
        for i, line in enumerate(lines):
            y = (squares_bottom - GAP - LINE * (i + 0.5)) / height
            figure.text(GAP / width, y, line, size=FONT, va="center", parse_math=False)
    return figure


def _name(c: Comparison, image: str) -> str:
    return image if image == ORIGINAL else f"{image} ×{c.scale}"


def _panel(figure: Any, values: Floats, window: Window, place: tuple[int, int, int, int], title: str) -> Any:
    """An image in whole pixels of the figure: each of its own is as many of them wide and high."""
    width, height = figure.get_size_inches() * DPI
    left, bottom, across, up = place
    axes = figure.add_axes((left / width, bottom / height, across / width, up / height))
    axes.set_axis_off()
    axes.imshow(values, cmap="gray", vmin=window[0], vmax=window[1], interpolation="nearest", aspect="auto")
    figure.text(left / width, (bottom + up + TITLE / 2) / height, title, size=FONT, va="center", weight="bold")
    return axes


def _mark(axes: Any, c: Comparison, view: float) -> None:
    from matplotlib.patches import Rectangle

    row, column, side = (view * v for v in c.square)
    # Data coordinates are those of the view's pixels, whose centres are whole numbers.
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), side, side, fill=False, edgecolor=MARK, linewidth=1.5))


def _scale_bar(axes: Any, spacing: float | None, step: float, size: tuple[int, int]) -> None:
    """A bar of a round length in the lower right corner; `step` is the original's pixels per pixel of the figure."""
    from matplotlib.patheffects import withStroke

    if not spacing:
        return
    across, up = size
    length = next((bar for bar in BARS if bar <= 0.3 * across * step * spacing), None)
    if length is None:
        return
    right, y = 1 - 12 / across, 12 / up
    dark = [withStroke(linewidth=4, foreground="black")]
    left = right - length / (spacing * step * across)
    axes.plot((left, right), (y, y), color="white", linewidth=2, transform=axes.transAxes, path_effects=dark)
    axes.text(
        (left + right) / 2, y + 8 / up, f"{length:g} mm", color="white", size=FONT - 1, ha="center", va="bottom",
        transform=axes.transAxes, path_effects=dark,
    )  # fmt: skip


def _caption(c: Comparison, sizes: Plan) -> list[str]:
    bounds = c.value_range

    def stored(window: Window) -> str:
        ends = sorted(bounds.low + bounds.span * ((1 - v) if c.inverted else v) for v in window)
        return " to ".join(f"{v:.4g}" if bounds.span <= 1 else f"{v:.0f}" for v in ends)

    shape = "×".join(map(str, c.shape))
    colour = ", of whose colours the luma (Y) is shown" if len(c.shape) == 3 else ""
    sentences = [
        f"{Path(c.name).name}{f' ({c.note})' if c.note else ''}: {shape} {c.dtype}{colour}, values {bounds}.",
        f"A, C: super-resolution ×{c.scale} by {c.model}. B, D: original. E: bicubic ×{c.scale}, the control, since "
        "interpolation alone changes PIQE.",
        f"The square in B, {c.square.side} pixels from row {c.square.row}, column {c.square.column} "
        f"({c.square_origin}), is magnified {sizes.magnification:.3g} times in C, D and E, every pixel as it is.",
        f"Shown are the values {stored(c.panels.whole_window)} in A and B, {stored(c.panels.square_window)} in C to E"
        + (", as the negative (MONOCHROME1)." if c.inverted else "."),
        "PIQE of the whole image at native depth, as stored; lower is better.",
    ]
    return textwrap.wrap(printable(" ".join(sentences)), int(sizes.width / CHARACTER))
