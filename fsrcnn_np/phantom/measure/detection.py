"""How well limited observers detect discs in original, bicubic and SR: areas, and a threshold for each diameter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draw import PIXEL_SPACING
from . import roc, scenes
from .enlarged import BICUBIC, IMAGES, ORIGINAL, SR, Enlarger
from .observers import Patches, Scores, hotelling, non_prewhitening
from .psychometric import fit_threshold

DIAMETERS = (0.14, 0.2, 0.25, 0.32, 0.4)  #: mm
WANTED = (0.76, 0.80, 0.85, 0.89)  #: areas of the Hotelling observer on the original that the contrasts aim at
PILOT = 0.02  #: ∫µ dl of a disc of 0.4 mm on which the contrasts are found; others by 1/diameter
CHANNELS = 8
HOTELLING, EYE = "Hotelling", "non-prewhitening, eye"
OBSERVERS = (HOTELLING, EYE)
PAIRS = ((SR, ORIGINAL), (SR, BICUBIC), (BICUBIC, ORIGINAL))
PERMUTATIONS = 1000

Step = Callable[[], object]
Key = tuple[str, str]  # observer, image


class Cell(NamedTuple):
    """One observer on one processing of discs of one diameter and contrast."""

    diameter: float  #: mm
    contrast: float  #: ∫µ dl
    observer: str
    image: str
    auc: roc.Interval  #: test cases, DeLong
    trained: float  #: the same on the cases that it learnt from: too high, as `auc` is too low
    right: roc.Interval  #: share right in disjoint forced choices, exact interval
    cases: int  #: with a disc, and about as many without


class Difference(NamedTuple):
    """Two processings by one observer, the same cases."""

    diameter: float
    contrast: float
    observer: str
    first: str
    second: str
    delong: roc.Paired
    permutation: roc.Paired


class Threshold(NamedTuple):
    """Contrast at which an observer is right three times of four."""

    diameter: float
    observer: str
    image: str
    contrast: roc.Interval
    of_original: roc.Interval  #: over that of the original, the same cases drawn anew; below 1 is better


class Detection(NamedTuple):
    """All that was found."""

    cells: tuple[Cell, ...]
    differences: tuple[Difference, ...]
    thresholds: tuple[Threshold, ...]
    overall: tuple[Difference, ...]  #: mean area over all diameters and contrasts; cases drawn anew, no other test


def detection(
    train: scenes.Scene,
    test: scenes.Scene,
    enlarger: Enlarger,
    threads: int,
    *,
    diameters: tuple[float, ...] = DIAMETERS,
    draws: int = 200,
    step: Step = lambda: None,
) -> Detection:
    """Run the observers.

    Parameters
    ----------
    train, test : Scene
        Two breasts of different seeds.
    enlarger : Enlarger
    threads : int
    diameters : tuple of float
        mm.
    draws : int
        Of the bootstrap.
    step : callable
        Called after each picture.

    Notes
    -----
    Training: every site with and without a disc, the same quanta, so that the mean difference is nearly the signal
    itself. Test: another breast, a disc at every other site, so that no case without is the same place as one with.
    """
    without = _all_patches(train, train.integrals, "learn", enlarger, threads)
    step()
    cells: list[Cell] = []
    differences: list[Difference] = []
    thresholds: list[Threshold] = []
    drawn: list[NDArray[np.float64]] = []  # (draws, observers × images) for each diameter and contrast
    areas: list[list[float]] = []
    # Cases drawn with replacement, the same for all processings, observers, diameters and contrasts.
    choices = roc.case_draws(int(test.turn.sum()), int((~test.turn).sum()), draws, [test.seed, 1])
    for diameter in diameters:
        contrasts = _contrasts(train, without[ORIGINAL], diameter, threads)
        step()
        found: list[dict[Key, Scores]] = []
        for number, contrast in enumerate(contrasts):
            found.append(_scores(train, test, without, diameter, contrast, number, enlarger, threads))
            here = _cells(found[-1], diameter, contrast)
            areas.append([cell.auc.value for cell in here])
            cells += here
            differences += _differences(found[-1], diameter, contrast, test.seed)
            step()
        again = [_drawn(scores, choices) for scores in found]
        drawn += again
        thresholds += _thresholds(found, again, diameter, contrasts)
    return Detection(tuple(cells), tuple(differences), tuple(thresholds), _overall(np.array(areas), np.array(drawn)))


def _all_patches(
    scene: scenes.Scene, integrals: scenes.Integrals, noise: str, enlarger: Enlarger, threads: int
) -> dict[str, NDArray[np.float64]]:
    picture = scenes.picture(scene, integrals, noise, threads)
    return {one.name: scenes.patches(one.pixels, scene.sites, one.scale) for one in enlarger.all(picture)}


def _width(diameter: float) -> float:
    """Of the Laguerre–Gauss channels, mm: the disc and the blur around it."""
    return 1.5 * diameter + 0.35


def _observe(observer: str, train: Patches, test: Patches, diameter: float) -> Scores:
    if observer == HOTELLING:
        return hotelling(train, test, width=_width(diameter), count=CHANNELS)
    return non_prewhitening(train, test)


def _contrasts(train: scenes.Scene, without: NDArray[np.float64], diameter: float, threads: int) -> tuple[float, ...]:
    """Contrasts that should give the Hotelling observer the wanted areas on the original: d′ grows with contrast."""
    pilot = PILOT * max(DIAMETERS) / diameter
    integrals = scenes.with_discs(train, train.sites, diameter=diameter, contrast=pilot)
    found = scenes.patches(scenes.picture(train, integrals, "learn", threads), train.sites, 1)
    half = train.turn
    learn = Patches(found[half], without[half], PIXEL_SPACING, scenes.CENTRE)
    other = Patches(found[~half], without[~half], PIXEL_SPACING, scenes.CENTRE)
    scores = hotelling(learn, other, width=_width(diameter), count=CHANNELS)
    spread = math.sqrt((scores.present.var() + scores.absent.var()) / 2)
    d = max((scores.present.mean() - scores.absent.mean()) / spread, 0.1)
    return tuple(float(pilot * roc.detectability(area) / d) for area in WANTED)


def _scores(
    train: scenes.Scene,
    test: scenes.Scene,
    without: dict[str, NDArray[np.float64]],
    diameter: float,
    contrast: float,
    number: int,
    enlarger: Enlarger,
    threads: int,
) -> dict[Key, Scores]:
    disc = {"diameter": diameter, "contrast": contrast}
    learn = _all_patches(train, scenes.with_discs(train, train.sites, **disc), "learn", enlarger, threads)
    noise = f"test {diameter:g} mm, contrast {number}"
    shown = _all_patches(test, scenes.with_discs(test, test.sites[test.turn], **disc), noise, enlarger, threads)
    found = {}
    for image in IMAGES:
        pitch = PIXEL_SPACING * scenes.PATCH / shown[image].shape[1]
        learnt = Patches(learn[image], without[image], pitch, scenes.CENTRE)
        tested = Patches(shown[image][test.turn], shown[image][~test.turn], pitch, scenes.CENTRE)
        for observer in OBSERVERS:
            found[observer, image] = _observe(observer, learnt, tested, diameter)
    return {(observer, image): found[observer, image] for observer in OBSERVERS for image in IMAGES}


def _cells(found: dict[Key, Scores], diameter: float, contrast: float) -> list[Cell]:
    return [
        Cell(
            diameter, contrast, observer, image, roc.delong_interval(s.present, s.absent),
            roc.auc(s.trained_present, s.trained_absent), roc.forced_choice(s.present, s.absent), len(s.present),
        )
        for (observer, image), s in found.items()
    ]  # fmt: skip


def _differences(found: dict[Key, Scores], diameter: float, contrast: float, seed: int) -> list[Difference]:
    result = []
    for observer in OBSERVERS:
        for first, second in PAIRS:
            one, other = ((s.present, s.absent) for s in (found[observer, first], found[observer, second]))
            result.append(
                Difference(
                    diameter, contrast, observer, first, second, roc.delong_test(one, other),
                    roc.permutation_test(one, other, count=PERMUTATIONS, seed=seed),
                )
            )  # fmt: skip
    return result


def _drawn(found: dict[Key, Scores], choices: tuple[roc.Floats, roc.Floats]) -> NDArray[np.float64]:
    return np.stack([roc.drawn_areas(s.present, s.absent, *choices) for s in found.values()], 1)


def _thresholds(
    found: list[dict[Key, Scores]], drawn: list[NDArray[np.float64]], diameter: float, contrasts: tuple[float, ...]
) -> list[Threshold]:
    keys = list(found[0])
    areas, variances = np.empty((len(found), len(keys))), np.empty((len(found), len(keys)))
    for k, scores in enumerate(found):
        for n, s in enumerate(scores.values()):
            value, covariance = roc.delong(s.present, s.absent)
            areas[k, n], variances[k, n] = value[0], covariance[0, 0]
    stacked = np.array(drawn)  # contrasts, draws, keys
    best, again = {}, {}
    for n, key in enumerate(keys):
        fit = fit_threshold(contrasts, areas[:, n], variances[:, n])
        best[key] = fit[0]
        again[key] = np.array(
            [fit_threshold(contrasts, one, variances[:, n], start=fit)[0] for one in stacked[:, :, n].T]
        )
    result = []
    for observer, image in keys:
        original = (observer, ORIGINAL)
        ratio = best[observer, image] / best[original]
        result.append(
            Threshold(
                diameter, observer, image, _interval(best[observer, image], again[observer, image]),
                _interval(ratio, again[observer, image] / again[original]),
            )
        )  # fmt: skip
    return result


def _interval(value: float, drawn: NDArray[np.float64]) -> roc.Interval:
    """95 %, percentiles; nan where more than one draw in twenty had no threshold."""
    there = drawn[np.isfinite(drawn)]
    if len(there) < 0.95 * len(drawn) or not math.isfinite(value):
        return roc.Interval(value, math.nan, math.nan)
    low, high = np.quantile(there, [0.025, 0.975])
    return roc.Interval(value, float(low), float(high))


def _overall(areas: NDArray[np.float64], drawn: NDArray[np.float64]) -> tuple[Difference, ...]:
    """Mean difference over all cells; standard error and p (two-sided, shares of draws beyond 0) by the bootstrap."""
    mean, again = areas.mean(0), drawn.mean(0)
    keys = [(observer, image) for observer in OBSERVERS for image in IMAGES]
    result = []
    for observer in OBSERVERS:
        for first, second in PAIRS:
            one, other = keys.index((observer, first)), keys.index((observer, second))
            spread = again[:, one] - again[:, other]
            beyond = min(np.count_nonzero(spread <= 0), np.count_nonzero(spread >= 0))
            p = min(1.0, 2.0 * (1 + int(beyond)) / (1 + len(spread)))
            found = roc.Paired(float(mean[one] - mean[other]), float(spread.std(ddof=1)), p)
            none = roc.Paired(found.difference, math.nan, math.nan)
            result.append(Difference(math.nan, math.nan, observer, first, second, found, none))
    return tuple(result)
