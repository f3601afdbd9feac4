"""Measurements drawn: thresholds over diameter, MTF and noise power, and patches to look at."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.compiled import thread_count

from ...drawing import settled
from ...errors import OptionError
from ...files import Provenance
from . import scenes
from .detection import OBSERVERS
from .enlarged import IMAGES, Enlarger
from .run import Measurement
from .sharpness import SHOWN
from .table import without_interval

#: colour-blind safe (Okabe, Ito), and a mark and a line of its own for each
STYLE = {"original": ("#000000", "o", "-"), "bicubic": ("#0072B2", "s", "--"), "SR": ("#D55E00", "^", "-.")}
SUFFIXES = (".png", ".svg")
DPI = 110


def write(figure: Any, path: Path, *, provenance: Provenance, overwrite: bool) -> None:
    """One figure as PNG or SVG by the suffix, the same bytes each time with the same matplotlib."""
    import matplotlib as mpl

    from ...files.atomic import write_bytes
    from ...files.drawings import marked

    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "fsrcnn-np", "svg.fonttype": "path"}):
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(stream, format=path.suffix[1:], dpi=DPI, metadata=metadata)
    write_bytes(path, marked(stream.getvalue(), provenance), overwrite=overwrite)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def thresholds(m: Measurement) -> Any:
    """Contrast–detail curves, one column an observer; below, over the original's, the same cases drawn anew."""
    figure = _figure(9, 6.6)
    panels = figure.subplots(2, len(OBSERVERS), sharey="row", sharex=True, height_ratios=(3, 2))
    for column, observer in enumerate(OBSERVERS):
        upper, lower = panels[:, column]
        for shift, image in zip((0.985, 1.0, 1.015), IMAGES, strict=True):
            points = [t for t in m.detection.thresholds if (t.observer, t.image) == (observer, image)]
            _points(upper, m, image, shift, [t.contrast for t in points])
            if image != IMAGES[0]:
                _points(lower, m, image, shift, [t.of_original for t in points])
        lower.axhline(1, color=STYLE[IMAGES[0]][0], linewidth=1)
        upper.set(yscale="log", title=observer)
        lower.set(xscale="log", xlabel="diameter, mm")
        lower.set_xticks(m.size.diameters, [f"{d:g}" for d in m.size.diameters])
        lower.set_xticks([], minor=True)
        for axes in (upper, lower):
            axes.grid(alpha=0.3, which="both")
    panels[0, 0].set_ylabel("threshold contrast ∫µ dl (AUC 0.75)")
    panels[1, 0].set_ylabel("over the original's")
    _legend(figure, panels[0, 0])
    if missing := without_interval(m):
        figure.supxlabel(missing, fontsize=9)
    return settled(figure)


def _points(axes: Any, m: Measurement, image: str, shift: float, found: list[Any]) -> None:
    """Values with their intervals over the diameters; what is absent leaves a gap."""
    value, low, high = (np.array([one[k] for one in found]) for k in range(3))
    colour, mark, line = STYLE[image]
    x = np.array(m.size.diameters) * shift
    axes.errorbar(
        x,
        value,
        np.maximum([value - low, high - value], 0),
        color=colour,
        marker=mark,
        linestyle=line,
        capsize=2,
        label=image,
        ms=5,
    )


def _legend(figure: Any, axes: Any) -> None:
    """One legend for all panels, above them, where it covers nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(IMAGES))


def curves(m: Measurement) -> Any:
    """MTF and noise power over frequency."""
    figure = _figure(9, 4.2)
    left, right = figure.subplots(1, 2)
    for c in m.curves:
        colour, _, line = STYLE[c.image]
        left.plot(c.mtf.frequency, c.mtf.value, color=colour, linestyle=line, label=c.image)
        right.plot(c.nps.frequency, 1e6 * c.nps.value, color=colour, linestyle=line, label=c.image)
    nyquist = 0.5 / m.curves[0].pitch
    for axes in (left, right):
        axes.axvline(nyquist, color="0.6", linewidth=1)
        axes.set(xlabel="cycles/mm (grey: Nyquist of the original)", xlim=(0, None))
        axes.grid(alpha=0.3)
    left.set(title="MTF of an edge, all processing included", ylim=(0, None))
    right.set(title="noise power, 10⁻⁶ range² mm²", yscale="log", ylim=(1e-2, None))
    _legend(figure, left)
    return settled(figure)


def patches(m: Measurement, weights: Any, threads: int | None = None) -> Any:
    """One site with a disc of each diameter, in the three processings, every pixel as it is."""
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    enlarger = Enlarger(weights, count)
    scene = scenes.parenchyma(2 * m.seed + 1, m.size.shape, count)
    site = scene.sites[len(scene.sites) // 2 : len(scene.sites) // 2 + 1]
    shown: dict[str, list[NDArray[np.float64]]] = {image: [] for image in IMAGES}
    for diameter in m.size.diameters:
        integrals = scenes.with_discs(scene, site, diameter=diameter, contrast=SHOWN)
        for one in enlarger.all(scenes.picture(scene, integrals, "discs", count)):
            shown[one.name].append(scenes.patches(one.pixels, site, one.scale)[0])
    columns = len(m.size.diameters)
    figure = _figure(1.9 * columns + 0.6, 6.0)
    grid = figure.subplots(len(IMAGES), columns, squeeze=False)
    low, high = np.percentile(np.concatenate([p.ravel() for p in shown[IMAGES[0]]]), (1, 99.9))
    for k, image in enumerate(IMAGES):
        for n, patch in enumerate(shown[image]):
            axes = grid[k, n]
            axes.imshow(patch, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            if not k:
                axes.set_title(f"{m.size.diameters[n]:g} mm", fontsize=10)
        grid[k, 0].set_ylabel(image)
    figure.suptitle(f"discs of ∫µ dl {SHOWN:g}", fontsize=10)
    return settled(figure)
