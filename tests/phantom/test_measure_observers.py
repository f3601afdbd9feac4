"""Observers and their areas against closed forms: Gaussian noise and known signals, naive twins, SciPy, R."""

import math
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from fsrcnn_np.errors import ImageError, OptionError
from fsrcnn_np.phantom.measure import roc
from fsrcnn_np.phantom.measure.channels import eye_filter, laguerre_gauss
from fsrcnn_np.phantom.measure.geometry import disc_coverage, offsets
from fsrcnn_np.phantom.measure.observers import Patches, hotelling, non_prewhitening
from fsrcnn_np.phantom.measure.psychometric import fit_threshold, share_right

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=2, max_size=12)


def naive_auc(present, absent):
    return sum((p > a) + 0.5 * (p == a) for p in present for a in absent) / (len(present) * len(absent))


def naive_delong(first, second):
    """Variances by the definition: sums over all pairs, one at a time."""
    sets = []
    for present, absent in (first, second):
        v10 = [sum((p > a) + 0.5 * (p == a) for a in absent) / len(absent) for p in present]
        v01 = [sum((p > a) + 0.5 * (p == a) for p in present) / len(present) for a in absent]
        sets.append((v10, v01))

    def covariance(x, y):
        mx, my = sum(x) / len(x), sum(y) / len(y)
        return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / (len(x) - 1)

    return [[covariance(a[0], b[0]) / len(a[0]) + covariance(a[1], b[1]) / len(a[1]) for b in sets] for a in sets]


@given(present=SCORES, absent=SCORES)
def test_area_is_the_share_of_pairs(present, absent):
    assert roc.auc(present, absent) == pytest.approx(naive_auc(present, absent), abs=1e-12)
    u = stats.mannwhitneyu(present, absent).statistic
    assert roc.auc(present, absent) == pytest.approx(u / len(present) / len(absent), abs=1e-12)
    assert roc.auc(absent, present) == pytest.approx(1 - roc.auc(present, absent), abs=1e-12)


@given(data=st.data(), n=st.integers(2, 9), m=st.integers(2, 9))
def test_delong_as_its_naive_twin(data, n, m):
    def draw(k):
        return data.draw(st.lists(st.integers(0, 6).map(float), min_size=k, max_size=k))

    first, second = (draw(n), draw(m)), (draw(n), draw(m))
    areas, found = roc.delong([first[0], second[0]], [first[1], second[1]])
    np.testing.assert_allclose(found, naive_delong(first, second), rtol=0, atol=1e-12)
    np.testing.assert_allclose(areas, [naive_auc(*first), naive_auc(*second)], rtol=0, atol=1e-12)


def test_delong_test_from_its_parts():
    rng = np.random.default_rng(2)
    common = rng.standard_normal(40)
    first = (common[:20] + 1.2 + rng.standard_normal(20), common[20:] + rng.standard_normal(20))
    second = (common[:20] + 0.4 + rng.standard_normal(20), common[20:] + rng.standard_normal(20))
    c = naive_delong(first, second)
    difference = naive_auc(*first) - naive_auc(*second)
    error = math.sqrt(c[0][0] + c[1][1] - 2 * c[0][1])
    found = roc.delong_test(first, second)
    assert found.difference == pytest.approx(difference)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(difference) / error))
    assert roc.delong_test(first, first) == (0.0, 0.0, 1.0)
    interval = roc.delong_interval(*first)
    assert interval.high - interval.value == pytest.approx(1.959964 * math.sqrt(c[0][0]), rel=1e-6)


def test_the_tests_hold_their_level():
    """Two observers as good as each other: about 5 % of the trials fall below 0.05, and the two tests agree."""
    rng = np.random.default_rng(3)
    small, ps = 0, []
    for trial in range(200):
        common = rng.standard_normal(60)
        first, second = common + rng.standard_normal(60), common + rng.standard_normal(60)
        first[:30] += 1
        second[:30] += 1
        one, other = (first[:30], first[30:]), (3 * second[:30] + 7, 3 * second[30:] + 7)  # another scale
        p = roc.delong_test(one, other).p
        small += p < 0.05
        if trial < 25:
            ps.append((p, roc.permutation_test(one, other, count=400, seed=trial).p))
    assert 2 <= small <= 22
    assert np.abs(np.subtract(*np.transpose(ps))).max() < 0.15


def test_permutation_by_all_the_exchanges():
    first, second = ([3.0, 5.0], [1.0, 2.0, 4.0]), ([1.0, 4.0], [2.0, 3.0, 5.0])
    ranks = [np.concatenate(side) for side in (first, second)]  # already 1 to 5
    observed = naive_auc(*first) - naive_auc(*second)
    larger = 0
    for swap in range(32):
        chosen = np.array([swap >> k & 1 for k in range(5)], bool)
        a, b = np.where(chosen, ranks[1], ranks[0]), np.where(chosen, ranks[0], ranks[1])
        larger += abs(naive_auc(a[:2], a[2:]) - naive_auc(b[:2], b[2:])) >= abs(observed) - 1e-12
    found = roc.permutation_test(first, second, count=6000, seed=1)
    assert found.p == pytest.approx(larger / 32, abs=0.03)
    assert found == roc.permutation_test(first, second, count=6000, seed=1)


@pytest.mark.parametrize(("k", "n"), [(0, 12), (12, 12), (7, 20), (150, 200), (1, 1)])
def test_exact_interval_as_scipy(k, n):
    found = roc.clopper_pearson(k, n)
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_exact_interval_as_r():
    code = "for (k in c(0, 7, 150, 200)) cat(sprintf('%.10f %.10f\\n', binom.test(k, 200)$conf.int[1], "
    code += "binom.test(k, 200)$conf.int[2]))"
    printed = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True).stdout
    rows = [[float(v) for v in line.split()] for line in printed.splitlines()]
    for k, (low, high) in zip((0, 7, 150, 200), rows, strict=True):
        found = roc.clopper_pearson(k, 200)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-8)


def test_bootstrap_and_delong_agree_on_many_cases():
    rng = np.random.default_rng(5)
    present, absent = rng.standard_normal(300) + 1.5, rng.standard_normal(300)
    exact, drawn = roc.delong_interval(present, absent), roc.bootstrap_interval(present, absent, count=1500)
    assert exact.value == drawn.value
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.008)


def test_drawn_areas_are_those_of_the_cases_drawn():
    rng = np.random.default_rng(11)
    present, absent = rng.integers(0, 9, 7).astype(float), rng.integers(0, 7, 5).astype(float)
    times = roc.case_draws(7, 5, 20, 3)
    assert (times[0].sum(1) == 7).all()
    assert (times[1].sum(1) == 5).all()
    for area, p, a in zip(roc.drawn_areas(present, absent, *times), *times, strict=True):
        assert area == pytest.approx(naive_auc(np.repeat(present, p.astype(int)), np.repeat(absent, a.astype(int))))


def test_forced_choice_counts_disjoint_pairs():
    found = roc.forced_choice([3.0, 1.0, 5.0, 2.0], [2.0, 1.0, 1.0])
    assert found == roc.clopper_pearson(2, 3)  # a tie is wrong


@given(st.floats(-3, 3))
def test_detectability_and_area_are_inverse(d):
    assert roc.detectability(roc.area_of(d)) == pytest.approx(d, abs=1e-9)
    assert roc.area_of(d) == pytest.approx(stats.norm.cdf(d / math.sqrt(2)))


def test_laguerre_gauss_are_orthonormal_at_every_pitch():
    for pitch in (0.07, 0.035):
        side = round(5.6 / pitch)
        found = laguerre_gauss((side, side), pitch=pitch, centre=(2.8, 2.8), width=0.8, count=6).reshape(6, -1)
        np.testing.assert_allclose(found @ found.T / pitch**2, np.eye(6), atol=1e-6)


def test_channels_see_the_same_at_both_pitches():
    """A signal's integral in each channel does not depend on the pixel size."""
    answers = []
    for pitch in (0.07, 0.035):
        side = round(4.2 / pitch)
        y, x = offsets((side, side), pitch, (2.1, 2.13))
        signal = np.exp(-(y**2 + x**2) / (2 * 0.15**2))
        channels = laguerre_gauss((side, side), pitch=pitch, centre=(2.1, 2.13), width=0.6, count=5)
        answers.append((channels * signal).sum((1, 2)))
    np.testing.assert_allclose(answers[0], answers[1], rtol=0, atol=1e-4 * np.abs(answers[0]).max())
    exact = integrate.quad(  # order 0: ∫ √2/a exp(−πr²/a²) exp(−r²/2σ²) 2πr dr
        lambda r: math.sqrt(2) / 0.6 * math.exp(-math.pi * r * r / 0.36 - r * r / (2 * 0.15**2)) * 2 * math.pi * r, 0, 3
    )[0]
    assert answers[0][0] == pytest.approx(exact, rel=1e-4)


def test_the_eye_peaks_at_four_cycles_a_degree():
    found = eye_filter((400, 400), pitch=0.02, zoom=4.5)
    f = np.fft.fftfreq(400, 0.02) / 4.5 * 400 * math.tan(math.radians(1))
    assert found[0, 0] == 0
    assert found.max() <= 1
    assert abs(f[found[0, :200].argmax()]) == pytest.approx(math.sqrt(1.3 / 0.08), rel=0.1)
    assert found[0, 1] == found[1, 0]


def white(rng, signal, n, sigma, pitch, centre):
    noise = rng.standard_normal((2, n, *signal.shape)) * sigma
    return Patches(noise[0] + signal, noise[1], pitch, centre)


@pytest.mark.parametrize("pitch", [0.07, 0.035])
def test_hotelling_in_white_noise_is_ideal(pitch):
    """A Gaussian signal is channel 0 itself: d′ = √Σs²/σ, the ideal observer's."""
    side, width = round(2.1 / pitch), 0.5
    y, x = offsets((side, side), pitch, (1.05, 1.05))
    signal = np.exp(-math.pi * (y**2 + x**2) / width**2)
    sigma = math.sqrt((signal**2).sum()) / 1.5  # d′ = 1.5, whatever the pitch
    rng = np.random.default_rng(6)
    train = white(rng, signal, 500, sigma, pitch, (1.05, 1.05))
    test = white(rng, signal, 1500, sigma, pitch, (1.05, 1.05))
    found = hotelling(train, test, width=width, count=5)
    area = roc.auc(found.present, found.absent)
    assert area == pytest.approx(roc.area_of(1.5), abs=0.02)
    spread = (found.present.var() + found.absent.var()) / 2
    assert (found.present.mean() - found.absent.mean()) / math.sqrt(spread) == pytest.approx(1.5, abs=0.1)


def test_hotelling_learns_the_background_and_bias_is_bracketed():
    """Lumps as wide as the signal: exact channel statistics give the limit; training area above it, test below."""
    rng = np.random.default_rng(7)
    pitch, side, n = 0.07, 24, 60
    centre = (side * pitch / 2,) * 2
    signal = disc_coverage((side, side), pitch=pitch, centre=centre, diameter=0.3)
    y, x = offsets((side, side), pitch, centre)
    lump = np.exp(-(y**2 + x**2) / (2 * 0.3**2))

    def draw(n):
        noise = rng.standard_normal((2, n, side, side)) + 2 * rng.standard_normal((2, n, 1, 1)) * lump
        return Patches(noise[0] + 0.9 * signal, noise[1], pitch, centre)

    channels = laguerre_gauss((side, side), pitch=pitch, centre=centre, width=0.5, count=10).reshape(10, -1)
    covariance = channels @ channels.T + 4 * np.outer(channels @ lump.ravel(), channels @ lump.ravel())
    delta = channels @ (0.9 * signal).ravel()
    limit = roc.area_of(math.sqrt(delta @ np.linalg.solve(covariance, delta)))
    learnt, tested = [], []
    for _ in range(12):
        found = hotelling(draw(n), draw(300), width=0.5, count=10)
        learnt.append(roc.auc(found.trained_present, found.trained_absent))
        tested.append(roc.auc(found.present, found.absent))
    assert np.mean(tested) < limit < np.mean(learnt)
    many = hotelling(draw(3000), draw(3000), width=0.5, count=10)
    assert roc.auc(many.present, many.absent) == pytest.approx(limit, abs=0.02)


@pytest.mark.parametrize("diameter", [0.14, 0.3])
def test_non_prewhitening_of_a_disc_in_white_noise(diameter):
    """d′² = (Σ E²S²)² / (σ² Σ E⁴S²), Parseval; the eye filter costs what it must and no more."""
    pitch, side = 0.07, 40
    centre = (1.4, 1.4)
    signal = disc_coverage((side, side), pitch=pitch, centre=centre, diameter=diameter)
    spectrum = np.square(np.abs(np.fft.fft2(signal))) / side**2
    eye = eye_filter((side, side), pitch=pitch)
    gain = (eye**2 * spectrum).sum() / math.sqrt((eye**4 * spectrum).sum())
    sigma = gain / 1.3
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((200, side, side)) * sigma
    train = Patches(noise + signal, noise, pitch, centre)  # the same noise: the mean difference is the signal
    found = non_prewhitening(train, white(rng, signal, 2500, sigma, pitch, centre))
    assert roc.auc(found.present, found.absent) == pytest.approx(roc.area_of(1.3), abs=0.015)
    ideal = math.sqrt((signal**2).sum()) / sigma
    assert ideal > 1.3


@given(threshold=st.floats(0.02, 2), slope=st.floats(0.8, 8))
def test_threshold_of_a_curve_is_found(threshold, slope):
    contrasts = threshold * np.array([0.6, 0.9, 1.2, 1.7])
    found = fit_threshold(contrasts, share_right(contrasts, threshold, slope), np.full(4, 1e-4))
    assert found == pytest.approx((threshold, slope), rel=1e-5)
    assert share_right(threshold, threshold, slope) == 0.75


def test_threshold_of_counts():
    rng = np.random.default_rng(9)
    contrasts = np.array([0.05, 0.08, 0.11, 0.16])
    found = []
    for _ in range(40):
        shares = rng.binomial(300, share_right(contrasts, 0.09, 2.5)) / 300
        found.append(fit_threshold(contrasts, shares, shares * (1 - shares) / 300)[0])
    assert np.mean(found) == pytest.approx(0.09, rel=0.03)
    assert np.std(found) < 0.015


def test_thresholds_that_would_be_guessed_are_absent():
    assert all(math.isnan(v) for v in fit_threshold([1, 2], [0.5, 0.51], [0.01, 0.01]))
    assert all(math.isnan(v) for v in fit_threshold([1, 2], [0.97, 0.99], [0.01, 0.01]))
    assert fit_threshold([1, 2], share_right([1, 2], 0.8, 2), [0.01, 0.01])[0] == pytest.approx(0.8, rel=1e-4)


def test_what_cannot_be_scored():
    with pytest.raises(ImageError, match="two numbers"):
        roc.auc([1.0], [2.0, 3.0])
    with pytest.raises(ImageError, match="NaN"):
        roc.auc([1.0, math.nan], [2.0, 3.0])
    with pytest.raises(ImageError, match="same cases"):
        roc.permutation_test(([1.0, 2], [1.0, 2]), ([1.0, 2, 3], [1.0, 2]))
    with pytest.raises(OptionError, match="level"):
        roc.clopper_pearson(1, 2, level=95)
    with pytest.raises(OptionError, match="trials"):
        roc.clopper_pearson(3, 2)
    with pytest.raises(OptionError, match="count"):
        laguerre_gauss((9, 9), pitch=1, centre=(4, 4), width=3, count=0)
    with pytest.raises(OptionError, match="width"):
        laguerre_gauss((9, 9), pitch=1, centre=(4, 4), width=-3)
    few = Patches(np.zeros((4, 9, 9)), np.zeros((4, 9, 9)), 1.0, (4.0, 4.0))
    with pytest.raises(ImageError, match="at least 20"):
        hotelling(few, few, width=2)
    with pytest.raises(ImageError, match="two, above 0"):
        fit_threshold([0, 1], [0.5, 0.9], [1, 1])
