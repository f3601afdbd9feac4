"""Measurements as text for people, CSV for statistics (one number a row), JSON for programs; all of the same rows."""

from __future__ import annotations

import csv as csv_module
import io
import json as json_module
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from ...version import __version__
from .detection import OBSERVERS, PAIRS
from .enlarged import IMAGES
from .run import Measurement
from .sharpness import Mean

FREQUENCIES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14)  #: cycles/mm
NOTES = (
    "Digital breasts, not patients. Processing adds no information: an observer who knows the statistics of the",
    "original cannot do better on what is computed from it; a gain is one for an observer who is limited, as eyes are.",
    "Areas are of cases that the observers never saw, so they are a little too low; those of the cases learnt from are",
    "a little too high (column trained).",
)


class Row(NamedTuple):
    """One number; what does not apply is empty."""

    quantity: str
    image: str
    against: str = ""
    observer: str = ""
    diameter_mm: float | None = None
    contrast: float | None = None  #: ∫µ dl
    frequency_per_mm: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    p: float | None = None
    cases: int | None = None
    unit: str = ""


def rows(m: Measurement) -> Iterator[Row]:
    """Every number that was measured."""
    for d in m.discs:
        for name, mean in (("contrast", d.contrast), ("noise", d.noise), ("CNR", d.cnr)):
            yield _mean(f"disc {name}", d.image, mean, "" if name == "CNR" else "share of range", d.diameter)
        yield Row("disc FWHM", d.image, diameter_mm=d.diameter, value=d.width, unit="mm")
    for c in m.calcified:
        for name, mean in (("contrast", c.contrast), ("noise", c.noise), ("CNR", c.cnr)):
            yield _mean(f"calcification {name}", c.image, mean, "" if name == "CNR" else "share of range")
        yield _mean("calcification CNR difference", c.image, c.cnr_over_original, "")._replace(against=IMAGES[0])
    for curve in m.curves:
        for f in FREQUENCIES:
            if math.isfinite(value := curve.mtf.at(f)):
                yield Row("MTF", curve.image, frequency_per_mm=f, value=value)
        yield Row("MTF falls to half", curve.image, value=curve.mtf.width(), unit="1/mm")
        for f in FREQUENCIES:
            if math.isfinite(value := curve.nps.between(f - 0.5, f + 0.5)):
                yield Row("NPS", curve.image, frequency_per_mm=f, value=value, unit="share² mm²")
        yield Row("slab noise", curve.image, value=curve.nps.noise, unit="share of range")
    for cell in m.detection.cells:
        one = partial(
            Row, image=cell.image, observer=cell.observer, diameter_mm=cell.diameter, contrast=cell.contrast,
            cases=cell.cases,
        )  # fmt: skip
        yield one("AUC", value=cell.auc.value, low=cell.auc.low, high=cell.auc.high)
        yield one("AUC trained", value=cell.trained)
        yield one("2AFC right", value=cell.right.value, low=cell.right.low, high=cell.right.high)
    for pair in m.detection.differences:
        one = partial(
            Row, image=pair.first, against=pair.second, observer=pair.observer, diameter_mm=pair.diameter,
            contrast=pair.contrast, value=pair.delong.difference,
        )  # fmt: skip
        yield one("AUC difference, DeLong", error=pair.delong.error, p=pair.delong.p)
        yield one("AUC difference, permutation", p=pair.permutation.p)
    for pair in m.detection.overall:
        yield Row(
            "AUC difference, mean, bootstrap", pair.first, pair.second, pair.observer, value=pair.delong.difference,
            error=pair.delong.error, p=pair.delong.p,
        )  # fmt: skip
    for t in m.detection.thresholds:
        one = partial(Row, image=t.image, observer=t.observer, diameter_mm=t.diameter)
        found, of = t.contrast, t.of_original
        yield one("threshold", value=found.value, low=found.low, high=found.high, unit="∫µ dl")
        yield one("threshold over original", against=IMAGES[0], value=of.value, low=of.low, high=of.high)


def _mean(quantity: str, image: str, found: Mean, unit: str, diameter: float | None = None) -> Row:
    return Row(
        quantity, image, diameter_mm=diameter, value=found.value, error=found.error, cases=found.cases, unit=unit
    )


def csv(m: Measurement) -> str:
    """One row a number, in full precision; nan is empty."""
    stream = io.StringIO(newline="")
    writer = csv_module.writer(stream, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(["" if _missing(v) else v for v in row] for row in rows(m))
    return stream.getvalue()


def json(m: Measurement, provenance: Mapping[str, Any] | None = None) -> str:
    """The same rows without what is empty, what was measured on, and what made it."""
    document = {
        "format": "fsrcnn-np measurement",
        "schema": 1,
        "fsrcnn_np": __version__,
        "model": {"name": m.model, "sha256": m.sha256, "scale": m.scale},
        "seed": m.seed,
        "size": m.size._asdict(),
        "notes": NOTES,
        "rows": [{key: v for key, v in row._asdict().items() if v != "" and not _missing(v)} for row in rows(m)],
    }
    if provenance is not None:
        document["provenance"] = provenance
    return json_module.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def text(m: Measurement) -> str:
    """Tables to read."""
    found = m.detection
    parts = [
        f"{m.model}, sha256 {m.sha256[:12]}; breasts of {m.size.shape[0]}×{m.size.shape[1]} pixels of 0.07 mm, "
        f"seed {m.seed}",
        _block(
            "Test discs of ∫µ dl 0.12 in parenchyma (contrast and noise in % of the range)",
            ("mm", "image", "contrast", "noise", "CNR", "FWHM mm"),
            [
                (f"{d.diameter:.2f}", d.image, _pm(d.contrast, 100), _pm(d.noise, 100), _pm(d.cnr), f"{d.width:.3f}")
                for d in m.discs
            ],
        ),
        _block(
            f"Calcifications of {m.size.phantoms} phantoms, {m.calcified[0].contrast.cases} in all",
            ("image", "contrast", "noise", "CNR", "CNR − original's"),
            [
                (c.image, _pm(c.contrast, 100), _pm(c.noise, 100), _pm(c.cnr), _pm(c.cnr_over_original))
                for c in m.calcified
            ],
        ),
        _block(
            "MTF of an edge, detector and processing included, at cycles/mm",
            ("image", *map(str, FREQUENCIES), "half at"),
            [
                (c.image, *(_number(c.mtf.at(f), ".2f") for f in FREQUENCIES), _number(c.mtf.width(), ".1f"))
                for c in m.curves
            ],
        ),
        _block(
            "Noise power of a slab, 10⁻⁶ of the range squared · mm², at cycles/mm; noise in % of the range",
            ("image", *map(str, FREQUENCIES), "noise"),
            [
                (
                    c.image, *(_number(1e6 * c.nps.between(f - 0.5, f + 0.5), ".2f") for f in FREQUENCIES),
                    f"{100 * c.nps.noise:.2f}",
                )
                for c in m.curves
            ],
        ),
        _block(
            "Areas under the ROC curve, 95 % by DeLong; trained: on the cases learnt from; right: of disjoint pairs",
            ("mm", "∫µ dl", "observer", "image", "AUC", "95 %", "trained", "right", "95 % exact"),
            [
                (
                    f"{c.diameter:.2f}", f"{c.contrast:.4f}", c.observer, c.image, f"{c.auc.value:.3f}",
                    f"{c.auc.low:.3f}–{c.auc.high:.3f}", f"{c.trained:.3f}", f"{c.right.value:.3f}",
                    f"{c.right.low:.3f}–{c.right.high:.3f}",
                )
                for c in found.cells
            ],
        ),
        _block(
            "Mean difference of the areas over all discs (error and p by drawing cases anew)",
            ("observer", "images", "difference", "error", "p"),
            [
                (
                    d.observer, f"{d.first} − {d.second}", f"{d.delong.difference:+.4f}", f"{d.delong.error:.4f}",
                    f"{d.delong.p:.3f}",
                )
                for d in found.overall
            ],
        ),
        _block(
            f"Of {len(found.differences)} paired tests, those with p < 0.05",
            ("observer", "images", "DeLong", "permutation", "of"),
            [
                (observer, f"{first} − {second}", *_counts(found.differences, observer, first, second))
                for observer in OBSERVERS
                for first, second in PAIRS
            ],
        ),
        _block(
            "Threshold contrast ∫µ dl, right three times of four, and over the original's (95 %, cases drawn anew)",
            ("mm", "observer", "image", "threshold", "95 %", "of original", "95 %"),
            [
                (
                    f"{t.diameter:.2f}", t.observer, t.image, _number(t.contrast.value, ".4f"),
                    _range(t.contrast, ".4f"), _number(t.of_original.value, ".3f"), _range(t.of_original, ".3f"),
                )
                for t in found.thresholds
            ],
        ),
        *([missing] if (missing := without_interval(m)) else []),
        "\n".join(NOTES),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def without_interval(m: Measurement) -> str:
    """Why a threshold stands without its interval, where one does; else empty."""
    pairs = (pair for t in m.detection.thresholds for pair in (t.contrast, t.of_original))
    if all(math.isfinite(found.low) for found in pairs if math.isfinite(found.value)):
        return ""
    return "A threshold without an interval: more than one in twenty of the draws of cases had no threshold."


def _counts(differences: Any, observer: str, first: str, second: str) -> tuple[str, str, str]:
    these = [d for d in differences if (d.observer, d.first, d.second) == (observer, first, second)]
    small = (sum(d.delong.p < 0.05 for d in these), sum(d.permutation.p < 0.05 for d in these))
    return f"{small[0]}", f"{small[1]}", f"{len(these)}"


def _number(value: float, how: str) -> str:
    return format(value, how) if math.isfinite(value) else "–"


def _range(found: Any, how: str) -> str:
    return f"{found.low:{how}}–{found.high:{how}}" if math.isfinite(found.low) else "–"


def _pm(found: Mean, factor: float = 1) -> str:
    return f"{factor * found.value:.2f} ± {_number(factor * found.error, '.2f')}"


def _block(title: str, head: tuple[str, ...], body: list[tuple[str, ...]]) -> str:
    """A table of columns as wide as they must be, the text to the left, numbers to the right."""
    lines = [head, *body]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    words = [all(not line[k][:1].isdigit() for line in body) and head[k] in _WORDS for k in range(len(head))]
    return "\n".join(
        [
            title,
            *(
                "  ".join(v.ljust(w) if word else v.rjust(w) for v, w, word in zip(line, widths, words, strict=True))
                for line in lines
            ),
        ]
    )


_WORDS = ("image", "images", "observer")
