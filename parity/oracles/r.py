"""R for the statistics: wilcox.test and the paired t.test, one process for all samples."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

SCRIPT = Path(__file__).parents[1] / "r" / "statistics.R"
HOW_TO = "install R (Debian: apt-get install r-base-core) and run again"
LIMIT = 120  # seconds
Sample = Sequence[float] | np.ndarray


class RError(RuntimeError):
    """R is there and failed."""


class RTest(NamedTuple):
    """One test's result; NaN where the test has no such number or R says so."""

    statistic: float
    df: float
    p: float
    low: float  #: of the 95 % confidence interval
    high: float


def available() -> bool:
    """Whether there is an R to run."""
    return shutil.which("Rscript") is not None


def run(wilcoxon: Mapping[str, Sample], paired: Mapping[str, tuple[Sample, Sample]]) -> tuple[str, dict[str, RTest]]:
    """R's version, and its results by name: `wilcoxon` samples against 3, `paired` samples against each other."""
    jobs = [f"{name},wilcoxon,{_text(sample)}" for name, sample in wilcoxon.items()]
    jobs += [f"{name},t,{_text(a)}|{_text(b)}" for name, (a, b) in paired.items()]
    try:
        done = subprocess.run(
            ["Rscript", "--vanilla", str(SCRIPT)],
            input="\n".join(jobs) + "\n",
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RError(f"Rscript did not run: {error}") from None
    if done.returncode:
        raise RError(f"Rscript failed: {done.stderr.strip()[-300:]}")
    (_, version, *_), *rows = (line.split(",") for line in done.stdout.splitlines())
    results = {name: RTest(*(float("nan") if n in ("NA", "NaN") else float(n) for n in rest)) for name, *rest in rows}
    missing = (wilcoxon.keys() | paired.keys()) - results.keys()
    if missing:
        raise RError(f"R gave no result for {sorted(missing)[0]}")
    return version, results


def _text(sample: Sample) -> str:
    return " ".join(repr(float(value)) for value in sample)
