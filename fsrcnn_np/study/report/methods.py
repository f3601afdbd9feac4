"""The methods paragraph: what a paper has to say of how its numbers were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..records import Case, Study
from ..statistics.clusters import DRAWS, SEED
from ..tables.readers import CONVENTIONS

MOST_SCALINGS = 4


def methods(study: Study, *, preset: str, unit: str) -> str:
    """One paragraph in plain text, of what was done and with what."""
    return " ".join(_sentences(study, preset, unit))


def _sentences(study: Study, preset: str, unit: str) -> Iterator[str]:
    about, scored = study.about, [case for case in study.cases if case.piqe_sr is not None]
    if about.model:
        name = about.model if about.model == about.architecture else f"{about.model} ({about.architecture})"
        trained = f", trained for {about.epochs} epochs" if about.epochs else ""
        yield (
            f"Every image was enlarged ×{about.scale} by {name}{trained} (sha256 of the parameters {about.sha256}) "
            "and, as a control, by bicubic interpolation (MATLAB's imresize)."
        )
    if drawn := about.checkerboard:
        yield (
            f"On flat fields the model draws a checkerboard of {100 * drawn['offset_amplitude']:.3f} % of the value "
            f"range and {100 * drawn['gain_amplitude']:.3f} % of the signal."
        )
    yield (
        "Original, bicubic and super-resolved image were scored by PIQE (Venkatanath et al. 2015, as MATLAB computes "
        f"it; lower is better) at native bit depth{_scalings(scored)}."
    )
    if any(case.psnr is not None for case in scored):
        yield "Where the true image was known, PSNR and SSIM were computed over the same range of values."
    views = " A breast's score is the mean of its views." if unit == "breast" else ""
    yield (
        "PIQE was compared between original and super-resolved image by the paired t test, with 95 % confidence "
        f"intervals and Hedges' g, and likewise against bicubic; the unit is the {unit}.{views} The two breasts of a "
        "patient were respected by generalised estimating equations (identity link, exchangeable correlation, sandwich "
        f"variance, t distribution) and by a bootstrap of whole patients ({DRAWS} resamplings, percentile "
        f"intervals, seed {SEED})."
    )
    if study.ratings:
        yield from _readers(study, preset)
    yield "All tests are two-sided at a level of 0.05."
    if about.versions:
        made = ", ".join(f"{name} {version}" for name, version in about.versions.items())
        yield f"Computed with {made}{f' on {about.machine}' if about.machine else ''}."


def _readers(study: Study, preset: str) -> Iterator[str]:
    readers = {rating.reader for rating in study.ratings}
    criteria = {rating.criterion for rating in study.ratings}
    several = len(readers) > 1
    yield (
        f"Ratings were given by {len(readers)} reader{'s' if several else ''} for {len(criteria)} "
        f"{'criteria' if len(criteria) > 1 else 'criterion'} on a five-point scale (1 original strongly preferred, 3 "
        f"no preference, 5 super-resolved strongly preferred). {CONVENTIONS[preset]}; p values are given unadjusted "
        "and adjusted by Holm and by Benjamini and Hochberg for all tests. Preference was also estimated by ordinal "
        "regression (cumulative logit, readers as fixed effects, sandwich variance over patients)."
    )
    if several:
        yield "Agreement between readers is Krippendorff's ordinal alpha and Cohen's weighted kappa."
    if any(rating.occasion == 2 for rating in study.ratings):
        yield "Repeatability was assessed on cases that a reader saw twice."


def _scalings(cases: Sequence[Case]) -> str:
    """Which stored values became 0 and 255, and in how many images."""
    counted = Counter(case.scaling for case in cases if case.scaling).most_common()
    if not counted:
        return ""
    if len(counted) == 1:
        return f", stored values {counted[0][0]}"
    shown = [f"{scaling} (n = {n})" for scaling, n in counted[:MOST_SCALINGS]]
    if len(counted) > MOST_SCALINGS:
        shown.append(f"others (n = {sum(n for _, n in counted[MOST_SCALINGS:])})")
    return f", stored values {', '.join(shown)}"
