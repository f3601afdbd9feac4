"""The statistics against R: the 56 samples of the paper's Table 2, and paired samples like its Table 3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fsrcnn_np.study import statistics
from fsrcnn_np.study.paper import honjo

from .oracles import r
from .store import RUN_NOW
from .suite import Finding, Row, failed, measure, not_run, rows_of
from .tolerances import Tolerance


def samples() -> dict[str, np.ndarray]:
    """Ratings of every cell, and a few with more shapes: ties at several sizes, no zeros, one value."""
    rng = np.random.default_rng(56)
    cells = {f"table2-{i + 1:02}": statistics.ratings(cell.counts) for i, cell in enumerate(honjo.TABLE_2)}
    return cells | {
        "likert-20": rng.integers(1, 6, 20),
        "no-threes": rng.choice([1, 2, 4, 5], 31),
        "continuous": 3 + rng.standard_normal(40),
        "one": np.array([4]),
    }


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """136 pairs with Table 3's means and deviations at three correlations (substitute data), and a short sample."""
    rng = np.random.default_rng(136)
    (before, spread_before), (after, spread_after) = honjo.TABLE_3_TOTAL
    found = {}
    for correlation in (-0.5, 0.0, 0.9):
        a, b = _standard(rng.standard_normal((2, honjo.BREASTS)), correlation)
        found[f"table3 {correlation:+}"] = (before + (spread_before or 0) * a, after + (spread_after or 0) * b)
    return found | {"short": (np.array([1.0, 2.5, 3.0]), np.array([1.5, 2.0, 4.5]))}


def _standard(noise: np.ndarray, correlation: float) -> np.ndarray:
    """Two samples of mean 0, standard deviation 1 and just that correlation."""
    centred = noise - noise.mean(1, keepdims=True)
    white = np.linalg.inv(np.linalg.cholesky(np.cov(centred))) @ centred
    wanted = np.array([[1, 0], [correlation, np.sqrt(1 - correlation**2)]])
    return np.asarray(wanted @ white)


def rows(known: Mapping[str, Tolerance]) -> list[Row]:
    """R's p values and confidence intervals against ours."""
    if not r.available():
        return [not_run(stage, "R", r.HOW_TO) for stage in ("statistics.wilcoxon", "statistics.t_test")]
    try:
        version, theirs = r.run(samples(), pairs())
    except r.RError as error:
        return [failed("statistics", "R", [f"every vector, stage statistics: {error}"])]
    findings: list[Finding] = []
    for name, sample in samples().items():
        ours = statistics.signed_rank(sample)
        p, its = ours.p if ours.n else np.nan, theirs[name].p  # R has no answer where every rating is 3
        findings.append(_measured(name, "statistics.wilcoxon", "p", p, its, its, known))
    for name, (a, b) in pairs().items():
        mine, other = statistics.paired_t(a, b), theirs[name]
        far = max(abs(other.low), abs(other.high))  # an end of the interval may be near 0
        for field, value, its, unit in (
            ("statistic", mine.t, other.statistic, other.statistic),
            ("df", mine.df, other.df, other.df),
            ("p", mine.p, other.p, other.p),
            ("low", mine.low, other.low, far),
            ("high", mine.high, other.high, far),
        ):
            findings.append(_measured(name, "statistics.t_test", field, value, its, unit, known))
    return rows_of(findings, "R", version, RUN_NOW)


def _measured(
    name: str, stage: str, field: str, ours: float, theirs: float, unit: float, known: Mapping[str, Tolerance]
) -> Finding:
    unit = abs(unit) if np.isfinite(unit) else 1.0
    return measure(name, stage, field, "study", np.float64(ours), np.float64(theirs), unit, dict(known))
