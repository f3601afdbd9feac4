"""Honjo 2022, one line per cell or claim: what is printed, what comes out here, and what that makes it.

reproduced        computed from what is printed, or measured, and equal to it
consistent        cannot be computed as such, but agrees with what can
inferred          the figures in hand are restored ones, see `honjo.TABLE_2`
not reproducible  rests on what is not public; the line says why
not run           something is missing on this machine; the line says what
DIFFERS           computed and not equal: a failure
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..statistics import SignedRank, benjamini_hochberg, holm, ratings, signed_rank
from . import honjo
from .honjo import Cell

REPRODUCED, CONSISTENT, INFERRED, NOT_REPRODUCIBLE = "reproduced", "consistent", "inferred", "not reproducible"
NOT_RUN, DIFFERS = "not run", "DIFFERS"
LEVEL = 0.05  # section 2.5


@dataclass(frozen=True)
class Line:
    """One cell or claim of the paper."""

    place: str  #: where it stands
    claim: str
    printed: str
    computed: str
    status: str
    note: str = ""
    holm: float | None = None  #: Table 2 only: p adjusted for 56 tests
    bh: float | None = None


def line(place: str, claim: str, printed: str, computed: str, agrees: bool, note: str = "", *, kind: str = "") -> Line:
    """A line whose figures agree, or do not."""
    return Line(place, claim, printed, computed, (kind or REPRODUCED) if agrees else DIFFERS, note)


def lost(place: str, claim: str, printed: str, why: str, computed: str = "–") -> Line:
    """A line that nobody outside can compute."""
    return Line(place, claim, printed, computed, NOT_REPRODUCIBLE, why)


def table_1() -> Iterator[Line]:
    """Sums, the text against the table, and patients against breasts."""
    for name, groups in honjo.TABLE_1.items():
        total = sum(groups.values())
        yield line("Table 1", f"{name}: patients add up", str(honjo.PATIENTS), str(total), total == honjo.PATIENTS)
        text = honjo.TABLE_1_TEXT[name]
        yield line("Section 3.1", f"{name}: text and table agree", _counts(text), _counts(groups), text == groups)
    breasts = honjo.PATIENTS + honjo.BILATERAL
    yield line(
        "Section 3.1",
        "93 patients, 43 of them bilateral: breasts",
        str(honjo.BREASTS),
        str(breasts),
        breasts == honjo.BREASTS,
    )
    yield lost(
        "Table 1",
        "mean age",
        "50 ± 7.6 (50 ± 7 in text and abstract)",
        "the ages are not public; 7.6 cut off gives the 7 of the text, rounded it would be 8",
    )
    yield lost("Table 1", "patients with only the MLO view", "11", "not public")
    yield lost("Fig. 1", "10 patients biopsied, 7 with breast cancer", "10, 7", "not public")
    yield lost(
        "Abstract",
        "period of collection",
        "January 2015 to March 2017",
        "not public; section 2.1 says April 2014 to March 2017",
    )


def table_2() -> Iterator[Line]:
    """Mean and p of each of the 56 cells, from the counts, and what the text says of them."""
    tests = [signed_rank(ratings(cell.counts)) for cell in honjo.TABLE_2]
    defined = np.array([test.p for test in tests])
    stepped, discoveries = holm(defined), benjamini_hochberg(defined)
    for cell, test, adjusted, discovery in zip(honjo.TABLE_2, tests, stepped, discoveries, strict=True):
        yield check_cell(cell, test if test.n else None, float(adjusted), float(discovery))
    of = {
        (cell.criterion, cell.reader): (_mean(cell), value) for cell, value in zip(honjo.TABLE_2, defined, strict=True)
    }
    readers = (1, 2, 3, 4)
    for criterion in ("Detection", "Diagnostic quality", "Contrast", "Sharpness"):
        found = [of[f"{criterion} of microcalcifications", reader] for reader in readers]
        yield line(
            "Section 3.2",
            f"{criterion.lower()} of microcalcifications: all four readers above 3, p < .001",
            "4 of 4",
            f"{sum(m > 3 and q < 0.001 for m, q in found)} of 4",
            all(m > 3 and q < 0.001 for m, q in found),
        )
    higher = sum(m > 3 and q < LEVEL for m, q in (of["Overall scores", reader] for reader in readers))
    yield line("Section 3.2", "overall score significantly higher, p < .05", "3 of 4", f"{higher} of 4", higher == 3)
    noisier = sum(m < 3 and q < 0.001 for m, q in (of["Noise of microcalcifications", reader] for reader in readers))
    yield line(
        "Section 3.2",
        "noise of microcalcifications significantly low, p < .001",
        "3 of 4",
        f"{noisier} of 4",
        noisier == 3,
    )
    general = [of["Noise in general", reader][0] for reader in readers]
    yield line(
        "Section 4",
        "noise rating low for the entire image as well",
        "below 3",
        " ".join(f"{m:.3f}" for m in general),
        max(general) < 3,
    )
    low = {
        name: [reader for reader in readers if of[criterion, reader][0] < 3 and of[criterion, reader][1] < LEVEL]
        for name, criterion in honjo.STRUCTURES.items()
    }
    yield line(
        "Section 3.2",
        "skin, pectoral muscles and nipples were given low scores by some readers",
        "some",
        "; ".join(f"{name}: readers {', '.join(map(str, found))}" for name, found in low.items()),
        all(0 < len(found) < 4 for found in low.values()),
    )
    artifacts = [of["Artifacts", reader] for reader in readers]
    yield line(
        "Section 3.2",
        "a slight difference in the artifacts' scores",
        "slight",
        " ".join(f"{m:.3f}" for m, _ in artifacts),
        sum(q < LEVEL for _, q in artifacts) == 1 and all(abs(m - 3) < 0.1 for m, _ in artifacts),
    )
    yield _experience(of)
    for word, adjusted in (("Holm", stepped), ("Benjamini–Hochberg", discoveries)):
        kept, had = int((adjusted < LEVEL).sum()), int((defined < LEVEL).sum())
        yield Line(
            "Section 2.5",
            f"significant after {word}'s correction for 56 tests",
            f"{had} uncorrected",
            f"{kept}",
            CONSISTENT,
            "beyond the paper, which corrects for nothing and takes breasts of one patient for independent: "
            f"{_lost_by(adjusted, defined)}",
        )


def check_cell(cell: Cell, test: SignedRank | None, holm: float | None = None, bh: float | None = None) -> Line:
    """A printed cell beside its mean and p recomputed; `test` is None where every rating is 3."""
    mean = f"{_mean(cell):.3f}"
    undefined = test is None
    p = math.nan if test is None else test.p
    agrees = mean == cell.mean and (cell.p == "1.000" if undefined else _p_agrees(p, cell.p))
    if not undefined and cell.stars != _stars(p):
        agrees = False
    status = INFERRED if cell.inferred else CONSISTENT if undefined else REPRODUCED
    notes = [cell.inferred, cell.note]
    if undefined:
        notes.append("every rating is 3: R and SciPy give NaN, the paper prints 1.000")
    return Line(
        "Table 2",
        f"{cell.criterion}, reader {cell.reader}: mean, p",
        f"{cell.mean}, {cell.p} {cell.stars}".rstrip(),
        f"{mean}, {'NaN' if undefined else format(p, '.5g')}",
        status if agrees else DIFFERS,
        "; ".join(note for note in notes if note),
        holm,
        bh,
    )


def _experience(of: dict[tuple[str, int], tuple[float, float]]) -> Line:
    """Years of experience against each reader's mean over all criteria."""
    from scipy.stats import spearmanr

    criteria = {criterion for criterion, _ in of}
    means = [float(np.mean([of[criterion, reader][0] for criterion in criteria])) for reader in honjo.EXPERIENCE]
    found = spearmanr(list(honjo.EXPERIENCE.values()), means)
    return line(
        "Section 3.2",
        "no marked correlation between years of experience and evaluation",
        "none",
        f"Spearman's ρ {found.statistic:.2f} of the mean rating",
        bool(abs(found.statistic) < 1),
        "four readers: no correlation but a perfect one could be significant",
        kind=CONSISTENT,
    )


def _mean(cell: Cell) -> float:
    return float(np.dot(honjo.SCALE, cell.counts) / sum(cell.counts))


def _p_agrees(p: float, printed: str) -> bool:
    if printed.startswith("<"):
        return p < float(printed[1:])
    return abs(p - float(printed)) <= 0.0005 + 1e-12


def _stars(p: float) -> str:
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < LEVEL else ""


def _lost_by(adjusted: np.ndarray, p: np.ndarray) -> str:
    lost = [c for c, a, q in zip(honjo.TABLE_2, adjusted, p, strict=True) if q < LEVEL <= a]
    if not lost:
        return "none is lost"
    return "lost: " + ", ".join(f"{c.criterion.lower()} by reader {c.reader}" for c in lost)


def table_3() -> Iterator[Line]:
    """PIQE before and after: what the summary allows to be said."""
    why = "the mammograms are private, and neither the pixel class nor the scaling that was scored is stated"
    total = honjo.TABLE_3_TOTAL
    yield lost("Table 3", "PIQE of the original mammograms", _scores(total.original), why)
    yield lost("Table 3", "PIQE of the SR mammograms", _scores(total.sr), why)
    for name, groups in honjo.TABLE_3.items():
        for group, scores in groups.items():
            yield lost("Table 3", f"PIQE, {name} {group}", f"{_scores(scores.original)} → {_scores(scores.sr)}", why)
    for number, text, name in zip(total, honjo.TEXT_TOTAL, ("original", "SR"), strict=True):
        rounded = tuple(_rounded(value) for value in number if value is not None)
        yield line(
            "Section 3.2",
            f"PIQE {name} in the text is Table 3's, rounded",
            _scores(text),
            _scores((rounded[0], rounded[1])),
            rounded == text,
        )
    every = [scores for found in honjo.TABLE_3.values() for scores in found.values()]
    fell = sum(scores.sr[0] < scores.original[0] for scores in every)
    yield line(
        "Section 3.2",
        "PIQE of SR is lower, in every group of Table 3",
        f"{len(every)} groups",
        f"{fell} of {len(every)}",
        fell == len(every),
        "of the printed means",
    )
    low, high, p = t_range()
    yield line(
        "Section 3.2",
        "paired t test of PIQE, p < .001",
        "p < .001",
        f"t from {low:.1f} to {high:.1f}, p at most {p:.1e}",
        p < 0.001,
        "n = 136; SD of the differences from |5.03 − 1.33| to 5.03 + 1.33, whatever the correlation",
        kind=CONSISTENT,
    )
    for name in honjo.TABLE_3:
        yield _allocation(name)


def t_range() -> tuple[float, float, float]:
    """Least and greatest t that two means and standard deviations allow for paired samples, and the p of the least."""
    from scipy.stats import t as distribution

    (a, sa), (b, sb) = honjo.TABLE_3_TOTAL
    assert sa is not None
    assert sb is not None
    root = math.sqrt(honjo.BREASTS)
    low, high = (a - b) * root / (sa + sb), (a - b) * root / abs(sa - sb)
    return low, high, float(2 * distribution.sf(low, honjo.BREASTS - 1))


def _allocation(name: str) -> Line:
    """Whether some split of 136 breasts over the groups, one or two a patient, gives the total's means."""
    patients, groups = honjo.TABLE_1[name], honjo.TABLE_3[name]
    means = np.array([(s.original[0], s.sr[0]) for s in groups.values()])
    # A group without a standard deviation has one breast.
    ranges = [range(n, (2 * n if groups[g].original[1] is not None else n) + 1) for g, n in patients.items()]
    splits = np.array([split for split in itertools.product(*ranges) if sum(split) == honjo.BREASTS])
    totals = splits @ means / honjo.BREASTS
    spans = [(float(column.min()), float(column.max())) for column in totals.T]
    wanted = (honjo.TABLE_3_TOTAL.original[0], honjo.TABLE_3_TOTAL.sr[0])
    rounding = 0.01  # half a unit of the total's last digit and of the groups'
    inside = all(low - rounding <= value <= high + rounding for value, (low, high) in zip(wanted, spans, strict=True))
    computed = ", ".join(f"{low:.2f} to {high:.2f}" for low, high in spans)
    claim = f"total means from the groups by {name}, one or two breasts a patient"
    printed = ", ".join(str(value) for value in wanted)
    if inside:
        return Line("Table 3", claim, printed, computed, CONSISTENT, f"{len(splits)} splits of 136 breasts tried")
    return lost(
        "Table 3",
        claim,
        printed,
        f"none of {len(splits)} splits gives both: the groups of Table 3 cannot be those of "
        "Table 1 with all breasts of a patient in one group",
        computed,
    )


def architecture() -> Iterator[Line]:
    """Section 2.2 and Fig. 2 against the shipped model."""
    import fsrcnn_np

    model = fsrcnn_np.load_weights("x2")
    shapes = {name: array.shape for name, array in model.arrays().items() if name.endswith("/weight")}
    of = {key: getattr(model.architecture, key) for key in honjo.ARCHITECTURE}
    yield line(
        "Fig. 2",
        "feature maps, shrunk maps, mapping layers, scale",
        _values(honjo.ARCHITECTURE),
        _values(of),
        of == honjo.ARCHITECTURE,
    )
    mapping = [name for name in shapes if name.startswith("mapping")]
    layers = honjo.LAYERS | {name.removesuffix("/weight"): honjo.MAPPING for name in mapping}
    for name, (size, out, into) in layers.items():
        shape = shapes[f"{name}/weight"]
        o, i = (shape[1], shape[0]) if name == "deconvolution" else shape[:2]
        found = (shape[-1], o, i)
        yield line(
            "Fig. 2",
            f"{name.replace('_', ' ')}: filter size, filters, channels",
            f"({size}, {out}, {into})",
            str(found),
            found == (size, out, into) and shape[-1] == shape[-2],
        )
    parts = {name.split("/")[0].split("_")[0] for name in shapes}
    yield line("Section 2.2", "five parts", "5", str(len(parts)), len(parts) == 5)
    products = sum(int(np.prod(shape)) for shape in shapes.values())
    yield line(
        "Section 2.2",
        "fewer operations than one wide mapping layer: multiply-adds a low-resolution pixel, and with "
        "mapping at full width",
        "fewer",
        f"{products} against {_unshrunk()}",
        products < _unshrunk(),
        kind=CONSISTENT,
    )
    yield lost(
        "Section 2.2",
        "the trained parameters, and the code in MATLAB 9.6",
        "available in MATLAB",
        "never published; weights/train.py follows the recipe in print: ImageNet, 2×2 binning, MSE, Adam, lowest loss",
        f"{model.provenance.get('epochs', 'some')} epochs here (100 in the paper)",
    )


def _unshrunk() -> int:
    d, m = honjo.ARCHITECTURE["d"], honjo.ARCHITECTURE["m"]
    return d * 25 + m * d * d * 9 + d * 81


def binning() -> Line:
    """Section 4: binning raises the signal-to-noise ratio."""
    from fsrcnn_np.images.binning import bin2x2

    noise = np.random.default_rng(0).standard_normal((512, 512))
    gain = float(noise.std() / bin2x2(noise).std())
    return line(
        "Section 4",
        "2×2 binning increases the signal-to-noise ratio",
        "increases",
        f"×{gain:.3f} for white noise",
        abs(gain - 2) < 0.02,
        "half the standard deviation at the same mean",
        kind=CONSISTENT,
    )


def constant_score() -> Line:
    """Section 2.4: 100 is the worst score."""
    import piqe_np

    score = piqe_np.piqe(np.full((64, 64), 7, np.uint8), engine="reference").score
    return line(
        "Section 2.4",
        "PIQE reaches from 0 to 100, 100 worst",
        "100",
        f"{score:.4f} for a constant image",
        score == 100,
        "the algorithm enforces neither bound; it divides by the active blocks + 1, not by the distorted ones",
        kind=CONSISTENT,
    )


def _scores(scores: tuple[float, float | None]) -> str:
    mean, deviation = scores
    return f"{mean}" if deviation is None else f"{mean} ± {deviation}"


def _rounded(value: float) -> float:
    """To one decimal, half away from zero, in decimal."""
    from decimal import ROUND_HALF_UP, Decimal

    return float(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _counts(groups: dict[str, int]) -> str:
    return "/".join(str(groups[name]) for name in sorted(groups))


def _values(numbers: dict[str, int]) -> str:
    return ", ".join(str(number) for number in numbers.values())
