"""Charts of scores and ratings: slopes, Bland–Altman, boxes by group, diverging bars around 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import Case, Rating
from ..tables.piqe import CONTRASTS, IMAGES, Group, scored
from ..tables.readings import VALUES, Readings, reader_name
from ..tables.render import number
from ..tables.units import label
from .style import COLOURS, INK, NAMES, RASTER, RATING_COLOURS, WIDTH, Chart, drawn

MOST_SLOPES = 300
MOST_GROUPS = 12  #: of a grouping that gets a panel
FEW = 40  #: values that are shown one by one beside their box
ORDER = ("bicubic", "original", "sr")  #: from left to right: either image is beside the original


def slopes(cases: Sequence[Case], *, unit: str = "breast") -> Chart:
    """PIQE of the same breast as bicubic, original and SR: a line each, and the means."""
    scores = scored(cases, unit).groups[0].scores[:, [IMAGES.index(image) for image in ORDER]]
    shown = _spread(scores, MOST_SLOPES)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for pair in ((0, 1), (1, 2)):
            falls = shown[:, pair[1]] < shown[:, pair[0]]
            for chosen, style in ((falls, "-"), (~falls, ":")):
                axes.plot(pair, shown[chosen][:, pair].T, color="#8c8c8c", linewidth=0.7, alpha=0.55, linestyle=style)
        for place, image in enumerate(ORDER):
            axes.plot(np.full(len(shown), place), shown[:, place], "o", ms=3, color=COLOURS[image], alpha=0.6, mew=0)
        if len(scores):
            axes.plot(range(3), scores.mean(0), "-o", color=INK, linewidth=2.2, ms=6, label="mean")
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)  # above: it covers no point
        axes.set_xticks(range(3), [NAMES[image] for image in ORDER])
        axes.set_xlim(-0.25, 2.25)
        axes.set_ylabel("PIQE (lower is better)")

    some = ""
    if len(shown) < len(scores):
        some = f" {len(shown)} of {len(scores)} are drawn, at even steps of the original's score."
    return Chart(
        "slopes",
        "PIQE of each image, paired",
        f"A line is one {unit}, dotted where PIQE rises from left to right; the means are of all {len(scores)}. "
        f"Bicubic is the control: interpolation alone changes PIQE.{some}",
        drawn(WIDTH, 4.2, draw),
    )


def bland_altman(cases: Sequence[Case], *, unit: str = "breast") -> Chart:
    """Change of PIQE against the mean of both, with bias and limits of agreement, for SR and for bicubic."""
    everything = scored(cases, unit).groups[0]
    shown = (("sr_original", "sr"), ("bicubic_original", "bicubic"))

    def draw(figure: Any) -> None:
        for axes, (contrast, image) in zip(figure.subplots(1, 2, sharey=True), shown, strict=True):
            change = everything.differences(contrast)
            middle = everything.scores[:, [IMAGES.index(name) for name in CONTRASTS[contrast]]].mean(1)
            axes.plot(
                middle, change, "o", ms=3.5, alpha=0.5, mew=0, color=COLOURS[image], rasterized=len(change) > RASTER
            )
            axes.axhline(0, color=INK, linewidth=0.8)
            if len(change) > 1:
                bias, spread = float(change.mean()), 1.96 * float(change.std(ddof=1))
                axes.axhline(bias, color=INK, linewidth=1.6)
                for end in (bias - spread, bias + spread):
                    axes.axhline(end, color=INK, linewidth=1, linestyle="--")
                axes.set_title(f"{NAMES[image]} − original: {number(bias)} ± {spread:.2f}", fontsize=9, loc="left")
            axes.set_xlabel("mean of both")
            axes.set_ylabel("change of PIQE" if image == "sr" else "")

    return Chart(
        "bland_altman",
        "Change of PIQE (Bland–Altman)",
        "Solid: mean change; dashed: its limits of agreement, mean ± 1.96 SD (Bland, Altman, Lancet 327, 1986). Below "
        "0 the enlarged image has the lower, better PIQE.",
        drawn(WIDTH, 3.4, draw),
    )


def boxes(cases: Sequence[Case], *, unit: str = "breast") -> Chart:
    """PIQE of original, bicubic and SR by groups: a panel for each grouping."""
    panels: dict[str, list[Group]] = {}
    for group in scored(cases, unit).groups:
        panels.setdefault(group.grouping, []).append(group)
    left = [label(name) for name, groups in panels.items() if len(groups) > MOST_GROUPS]
    panels = {name: groups for name, groups in panels.items() if len(groups) <= MOST_GROUPS}
    sizes = [len(groups) for groups in panels.values()]

    def draw(figure: Any) -> None:
        rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=[n + 0.7 for n in sizes])[:, 0]
        for axes, (grouping, groups) in zip(rows, panels.items(), strict=True):
            _boxes(axes, groups)
            if grouping:
                axes.set_title(label(grouping), fontsize=9, loc="left", weight="bold")
            else:
                axes.legend(handles=_swatches(), loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
        rows[-1].set_xlabel("PIQE (lower is better)")

    few = f" {', '.join(left)}: more than {MOST_GROUPS} groups, not drawn." if left else ""
    return Chart(
        "boxes",
        "PIQE by group",
        f"Box: median and quartiles; whiskers: to 1.5 times the box; points: every {unit} of groups up to {FEW}, else "
        f"those beyond the whiskers. n in brackets.{few}",
        drawn(WIDTH, 0.9 + 0.55 * sum(sizes) + 0.35 * len(sizes), draw),
    )


def _boxes(axes: Any, groups: Sequence[Group]) -> None:
    for place, group in enumerate(groups):
        for image, offset in zip(IMAGES, (-0.23, 0, 0.23), strict=True):
            values = group.scores[:, IMAGES.index(image)]
            if not len(values):
                continue
            _box(axes, values, place + offset, COLOURS[image])
    axes.set_yticks(range(len(groups)), [f"{_short(g.name)} ({len(g.scores)})" for g in groups])
    axes.set_ylim(len(groups) - 0.45, -0.55)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")


def _box(axes: Any, values: NDArray[np.float64], place: float, colour: str) -> None:
    """Tukey's box, lying, with every point of few; a whisker ends at its quartile, or beyond it."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    inside = values[(values >= low - 1.5 * (high - low)) & (values <= high + 1.5 * (high - low))]
    axes.barh(place, high - low, left=low, height=0.19, color=colour, alpha=0.5, edgecolor=INK, linewidth=0.7)
    ends = min(low, inside.min()), max(high, inside.max())  # a quartile lies between values, so it may be an end
    axes.hlines((place, place), (ends[0], high), (low, ends[1]), color=INK, linewidth=0.8)
    axes.vlines(middle, place - 0.1, place + 0.1, color=INK, linewidth=1.6)
    points = values if len(values) <= FEW else values[(values < ends[0]) | (values > ends[1])]
    heights = place + 0.06 * np.sin(np.arange(len(points)) * 2.4)  # beside each other, the same in every drawing
    axes.plot(points, heights, ".", ms=3, mew=0, color=INK, alpha=0.6, rasterized=len(points) > RASTER)


def _swatches() -> list[Any]:
    from matplotlib.patches import Patch

    return [Patch(facecolor=COLOURS[image], alpha=0.6, label=NAMES[image]) for image in IMAGES]


def rating_bars(given: Sequence[Rating] | Readings) -> Chart:
    """Shares of the five ratings around 3, by criterion, a panel for each reader."""
    readings = Readings.made_of(given)
    readers, criteria = readings.readers, readings.criteria
    across = max(1, min(4, len(readers)))
    down = -(-len(readers) // across)

    def draw(figure: Any) -> None:
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes in panels[len(readers) :]:
            axes.set_axis_off()
        for axes, reader in zip(panels, readers, strict=False):
            counts = np.array([readings.counts(criterion, reader) for criterion in criteria], np.float64)
            total = np.maximum(counts.sum(1, keepdims=True), 1)
            shares = 100 * counts / total
            start = -(shares[:, 0] + shares[:, 1] + shares[:, 2] / 2)
            for value, colour in zip(VALUES, RATING_COLOURS, strict=True):
                axes.barh(range(len(criteria)), shares[:, value - 1], left=start, height=0.74, color=colour)
                start = start + shares[:, value - 1]
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set_title(_short(reader_name(reader)), fontsize=9)
            axes.set_yticks(range(len(criteria)), [_short(name, 44) for name in criteria])
            axes.set_ylim(len(criteria) - 0.4, -0.6)
            axes.set_xlim(-105, 105)
            axes.set_xticks((-100, 0, 100), ("100", "0", "100"))
            axes.set_xlabel("% of ratings")
            axes.grid(axis="x")
            axes.grid(visible=False, axis="y")
        names = ("1 original strongly preferred", "2", "3 no preference", "4", "5 SR strongly preferred")
        from matplotlib.patches import Patch

        handles = [Patch(facecolor=c, label=n) for c, n in zip(RATING_COLOURS, names, strict=True)]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, handlelength=1.2, columnspacing=1.2)

    return Chart(
        "rating_bars",
        "Ratings around no preference",
        "Shares of each rating; the middle of “no preference” lies at 0, preference for SR to the right of it. "
        "Unreadable cases and second readings are not in here.",
        drawn(WIDTH + 1.2, 1.1 + down * (0.45 + 0.23 * len(criteria)), draw),
    )


def _spread(scores: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many rows, at even steps of the original's score."""
    ordered = scores[np.argsort(scores[:, 1], kind="stable")]
    if len(ordered) <= most:
        return ordered
    return np.asarray(ordered[np.linspace(0, len(ordered) - 1, most).round().astype(np.intp)])


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
