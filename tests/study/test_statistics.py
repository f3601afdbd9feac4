"""The statistics against counts by hand, figures in print, statsmodels, and themselves (R: tests/parity)."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np.errors import OptionError
from fsrcnn_np.study import statistics
from fsrcnn_np.study.statistics import signed_rank

RATINGS = st.lists(st.integers(1, 5), min_size=1, max_size=10)


def by_hand(sample):
    """R's convention, written out: zeros dropped, mean ranks, tie-corrected variance, continuity correction."""
    differences = [x - 3 for x in sample if x != 3]
    sizes = sorted(abs(d) for d in differences)
    rank = {s: np.mean([i + 1 for i, other in enumerate(sizes) if other == s]) for s in sizes}
    n, plus = len(sizes), sum(rank[abs(d)] for d in differences if d > 0)
    ties = sum(sizes.count(s) ** 3 - sizes.count(s) for s in set(sizes))
    z = plus - n * (n + 1) / 4
    z = (z - 0.5 * np.sign(z)) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48)
    return math.erfc(abs(z) / math.sqrt(2))


@given(RATINGS.filter(lambda sample: set(sample) != {3}))
def test_r36_by_hand(sample):
    assert signed_rank(sample).p == pytest.approx(by_hand(sample), abs=1e-14)


@given(RATINGS)
def test_exact_is_every_sign_tried(sample):
    found = signed_rank(sample, preset="exact")
    differences = [x - 3 for x in sample if x != 3]
    if not differences:
        assert (found.p, found.n) == (1, 0)
        return
    sizes = sorted(map(abs, differences))
    ranks = [np.mean([i + 1 for i, other in enumerate(sizes) if other == abs(d)]) for d in differences]
    middle = sum(ranks) / 2
    far = abs(sum(r for r, d in zip(ranks, differences, strict=True) if d > 0) - middle)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=len(ranks))]
    assert found.p == pytest.approx(np.mean([abs(s - middle) >= far - 1e-9 for s in sums]), abs=1e-12)


def test_exact_of_untied_values_is_the_table_of_wilcoxon():
    """Ranks 1 to n: 2·(number of subsets with a sum up to w)/2ⁿ; n = 5, w = 0 and 2."""
    assert signed_rank([4, 5, 6, 7, 8], preset="exact").p == pytest.approx(2 / 32)
    assert signed_rank([4, 1, 6, 7, 8], preset="exact").p == pytest.approx(2 * 3 / 32)
    assert signed_rank(3 + np.arange(1, 101) / 7, preset="exact").p == pytest.approx(2.0**-99)


@pytest.mark.parametrize(
    ("counts", "pratt", "r36"),
    [((0, 15, 100, 17, 4), 0.279, 0.14303), ((0, 0, 134, 2, 0), 0.159, 0.34578), ((0, 0, 135, 1, 0), 0.321, 1.0)],
)
def test_presets_differ_as_they_should(counts, pratt, r36):
    sample = statistics.ratings(counts)
    assert signed_rank(sample, preset="pratt").p == pytest.approx(pratt, abs=5e-4)
    assert signed_rank(sample, preset="r-3.6").p == pytest.approx(r36, abs=5e-6)


@given(st.lists(st.integers(1, 5), min_size=20, max_size=60).filter(lambda s: set(s) != {3}))
def test_pratt_is_scipys(sample):
    from scipy.stats import wilcoxon

    theirs = wilcoxon(np.array(sample) - 3.0, zero_method="pratt", correction=True, method="approx")
    assert signed_rank(sample, preset="pratt").p == pytest.approx(theirs.pvalue, rel=1e-10)


def test_scipys_preset_is_scipys_default():
    from scipy.stats import wilcoxon

    sample = statistics.ratings((0, 15, 100, 17, 4))
    assert signed_rank(sample, preset="scipy").p == wilcoxon(sample - 3.0).pvalue
    assert "SciPy" in signed_rank(sample, preset="scipy").note


@pytest.mark.parametrize("preset", statistics.PRESETS)
def test_all_threes_are_one_and_say_so(preset):
    found = signed_rank([3, 3, 3], preset=preset)
    assert (found.p, found.n) == (1, 0)
    assert math.isnan(found.effect)
    assert "every rating is 3" in found.note


@given(RATINGS.filter(lambda sample: set(sample) != {3}), st.sampled_from(["r-3.6", "exact", "pratt"]))
def test_mirrored_ratings_have_the_same_p_and_the_other_effect(sample, preset):
    one, other = signed_rank(sample, preset=preset), signed_rank([6 - x for x in sample], preset=preset)
    assert one.p == pytest.approx(other.p, abs=1e-12)
    assert one.effect == pytest.approx(-other.effect, abs=1e-12)


def test_what_the_signed_rank_test_refuses():
    with pytest.raises(OptionError, match=r"preset 'r'; allowed are r-3.6, exact, pratt, scipy"):
        signed_rank([1], preset="r")
    with pytest.raises(OptionError, match="not finite"):
        signed_rank([1, math.nan])
    with pytest.raises(OptionError, match="exact takes 500"):
        signed_rank(np.linspace(4, 5, 501), preset="exact")


def test_exact_of_two_sizes_that_memory_would_not_hold():
    with pytest.raises(OptionError, match="use r-3"):
        signed_rank(np.repeat([2, 5], 50_000), preset="exact")
    assert signed_rank(np.repeat([2, 4], 50_000), preset="exact").p == pytest.approx(1, abs=0.01)


def test_differences_that_are_the_same_but_for_their_last_bits_have_no_effect_size():
    """12.34 − 9.1 + x − x differs in its last digits; R calls such data essentially constant."""
    base = np.random.default_rng(1).uniform(0, 100, 12)
    test = statistics.paired_t(base + 3.24, base)
    assert 0 < np.ptp(base + 3.24 - base) < 1e-12
    assert math.isnan(test.t)
    assert test.sd == 0
    assert np.isnan(statistics.hedges_g(test.difference, test.sd, 12))


def test_paired_t_by_hand_and_where_it_is_undefined():
    a, b = np.array([1.0, 2.5, 3.0, 7.0]), np.array([1.5, 2.0, 4.5, 4.0])
    found, d = statistics.paired_t(a, b), a - b
    assert found.t == pytest.approx(d.mean() / (d.std(ddof=1) / 2))
    assert found.df == 3
    assert (found.low + found.high) / 2 == pytest.approx(d.mean())
    for pair in (([1.0], [2.0]), ([1.0, 2.0], [2.0, 3.0])):
        found = statistics.paired_t(*pair)
        assert found.difference == -1
        assert math.isnan(found.t)
        assert math.isnan(found.p)
    with pytest.raises(OptionError, match="pairs"):
        statistics.paired_t([1, 2], [1])


def test_hedges_correction():
    assert statistics.hedges_g(2.0, 4.0, 10) == pytest.approx(0.5 * (1 - 3 / 35))
    assert np.isnan(statistics.hedges_g([1, 1], [0, np.nan], [5, 1])).all()


def test_corrections_for_many_tests_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert statistics.holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_corrections_are_those_of_statsmodels(p):
    from statsmodels.stats.multitest import multipletests

    assert statistics.holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)
    assert statistics.benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)


def test_one_value_a_patient_is_the_t_test():
    x = np.random.default_rng(1).normal(0.3, 1, 30)
    clustered, t = statistics.clustered_mean(x, np.arange(30)), statistics.paired_t(x, np.zeros(30))
    assert clustered[:4] == pytest.approx((t.difference, t.low, t.high, t.p), rel=1e-10)
    assert clustered.correlation == 0


def test_clusters_are_those_of_statsmodels_gee():
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.generalized_estimating_equations import GEE

    rng = np.random.default_rng(2)
    whose = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    values = rng.normal(size=40)[whose] + rng.normal(size=len(whose)) - 0.4
    theirs = GEE(values, np.ones((len(values), 1)), groups=whose, cov_struct=Exchangeable()).fit(
        maxiter=500, ctol=1e-12
    )
    ours = statistics.clustered_mean(values, whose)
    from scipy.stats import t

    half = t.ppf(0.975, 39) * theirs.bse[0] * math.sqrt(40 / 39)
    assert ours.mean == pytest.approx(theirs.params[0], rel=1e-6)
    assert ours.high - ours.mean == pytest.approx(half, rel=1e-5)
    assert ours.correlation == pytest.approx(theirs.cov_struct.dep_params, rel=1e-5)


def test_one_patient_has_no_interval():
    found = statistics.clustered_mean([1.0, 2.0, 4.0], ["a", "a", "a"])
    assert found.clusters == 1
    assert math.isnan(found.low)
    assert math.isnan(found.p)


def test_resampling_draws_whole_patients():
    """Each patient has two equal breasts: the interval is that of patients, √2 wider than of breasts."""
    rng = np.random.default_rng(3)
    patients = rng.normal(size=200)
    drawn = statistics.resampled_sums(np.column_stack([np.full(200, 2), 2 * patients]))
    means = drawn[:, 1] / drawn[:, 0]
    assert drawn[:, 0] == pytest.approx(400)
    assert means.std() == pytest.approx(patients.std() / math.sqrt(200), rel=0.1)
    again = statistics.resampled_sums(np.column_stack([np.full(200, 2), 2 * patients]))
    assert (again == drawn).all()


#: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section D: four observers, twelve units, 0 missing.
RELIABILITY = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)


@pytest.mark.parametrize(("metric", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_own_example(metric, printed):
    counts = (RELIABILITY[:, :, None] == np.arange(1, 6)).sum(0)
    found = statistics.krippendorff_alpha(counts, metric=metric)
    assert found.value == pytest.approx(printed, abs=5e-4)
    assert found.n == 11
    assert found.low < found.value < found.high + 1e-12


def test_alpha_of_two_observers_and_two_values_by_hand():
    """The same paper, section A: two observers, ten units, two values; printed 0.095."""
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    counts = np.array([[2 - i - j, i + j] for i, j in zip(a, b, strict=True)])
    assert statistics.krippendorff_alpha(counts, metric="nominal").value == pytest.approx(0.095, abs=5e-4)


def test_alpha_where_there_is_nothing_to_tell():
    same = statistics.krippendorff_alpha([[0, 2], [0, 2]])
    assert math.isnan(same.value)
    assert "all ratings are the same" in same.note
    assert "no case was rated twice" in statistics.krippendorff_alpha([[1, 0], [0, 1]]).note


def test_weighted_kappa_by_hand():
    """Two cases agree, one is a step apart, one two: linear weights 1, 1, 3/4, 1/2."""
    a, b = [1, 5, 2, 3], [1, 5, 3, 5]
    seen = (1 + 1 + 0.75 + 0.5) / 4
    expected = np.mean([1 - abs(x - y) / 4 for x in a for y in b])
    found = statistics.weighted_kappa(a, b, weights="linear")
    assert found.value == pytest.approx((seen - expected) / (1 - expected))


@pytest.mark.parametrize(("ours", "theirs"), [("quadratic", "quadratic"), ("linear", "linear"), ("none", None)])
def test_kappa_and_its_interval_are_those_of_statsmodels(ours, theirs):
    from statsmodels.stats.inter_rater import cohens_kappa

    rng = np.random.default_rng(5)
    a = rng.integers(1, 6, 80)
    b = np.clip(a + rng.integers(-1, 2, 80), 1, 5)
    table = np.zeros((5, 5))
    np.add.at(table, (a - 1, b - 1), 1)
    other = cohens_kappa(table, wt=theirs)
    found = statistics.weighted_kappa(a, b, weights=ours)
    assert found[:3] == pytest.approx((other.kappa, other.kappa_low, other.kappa_upp), rel=1e-9)


@pytest.mark.parametrize("wrong", [[1, 2.5], [1, math.nan], [1, math.inf]])
def test_ratings_that_are_no_whole_numbers_are_not_cut_to_some(wrong):
    for refused in (lambda: statistics.weighted_kappa(wrong, [1, 2]), lambda: statistics.repeatability([1, 2], wrong)):
        with pytest.raises(OptionError, match="whole number"):
            refused()


@pytest.mark.parametrize(("counts", "patients"), [([[1, -1]], [0]), ([[1, math.nan]], [0]), ([[2, 0], [0, 2]], [0])])
def test_counts_that_are_none(counts, patients):
    with pytest.raises(OptionError, match="give counts"):
        statistics.krippendorff_alpha(counts, patients=patients)


def test_kappa_where_it_is_undefined_or_refused():
    assert math.isnan(statistics.weighted_kappa([3, 3], [3, 3]).value)
    assert statistics.weighted_kappa([], []).note == "no case was rated by both"
    with pytest.raises(OptionError, match="rating 6; allowed are 1 to 5"):
        statistics.weighted_kappa([6], [1])


def test_repeatability_by_hand():
    found = statistics.repeatability([3, 4, 5, 1], [3, 4, 4, 3])
    assert (found.n, found.same, found.within_one) == (4, 0.5, 0.75)
    assert found.coefficient == pytest.approx(1.96 * math.sqrt(2) * math.sqrt(5 / 8))


COUNTS = np.array([[1, 53, 75, 7, 0], [0, 100, 30, 6, 0], [0, 2, 133, 1, 0]])


def test_ordinal_regression_is_that_of_statsmodels():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    values = np.concatenate([statistics.ratings(row) for row in COUNTS])
    reader = np.repeat([0, 1, 2], COUNTS.sum(1))
    design = np.column_stack([reader == 1, reader == 2]).astype(float)
    fit = OrderedModel(values, design, distr="logit").fit(method="bfgs", disp=0, maxiter=500, gtol=1e-9)
    middle = fit.model.transform_threshold_params(fit.params)[2:4].mean()
    theirs = [-middle, fit.params[0] - middle, fit.params[1] - middle]
    assert [p.estimate for p in statistics.ordinal_preference(COUNTS)] == pytest.approx(theirs, abs=1e-4)


def test_mirrored_scale_is_the_other_preference():
    ours, other = statistics.ordinal_preference(COUNTS), statistics.ordinal_preference(COUNTS[:, ::-1])
    for one, two in zip(ours, other, strict=True):
        assert (one.estimate, one.low, one.p) == pytest.approx((-two.estimate, -two.high, two.p), rel=1e-6)


def test_one_reader_and_three_values_is_a_closed_form():
    """With a threshold on either side of "no preference": half of logit P(> 3) less half of logit P(< 3)."""
    (found,) = statistics.ordinal_preference([[0, 10, 60, 30, 0]])
    assert found.estimate == pytest.approx((math.log(0.3 / 0.7) - math.log(0.1 / 0.9)) / 2)


def test_independent_cases_have_nearly_the_same_interval_and_doubled_ones_a_wider():
    rng = np.random.default_rng(6)
    cells = rng.choice(5, size=(400, 2), p=[0.05, 0.2, 0.4, 0.25, 0.1])
    apart = (cells[:, :, None] == np.arange(5)).astype(int)
    together = apart[::2] + apart[1::2]
    for one, robust in zip(
        statistics.ordinal_preference(apart.sum(0)), statistics.ordinal_preference(apart), strict=True
    ):
        assert robust.estimate == one.estimate
        assert robust.high - robust.low == pytest.approx(one.high - one.low, rel=0.2)
    doubled = statistics.ordinal_preference(2 * apart)[0]
    naive = statistics.ordinal_preference(2 * apart.sum(0))[0]
    assert (doubled.high - doubled.low) / (naive.high - naive.low) == pytest.approx(math.sqrt(2), rel=0.1)
    assert statistics.ordinal_preference(together)[0].estimate == pytest.approx(
        statistics.ordinal_preference(apart)[0].estimate
    )


@pytest.mark.parametrize(
    ("counts", "estimates", "note"),
    [
        ([[0, 0, 5, 5, 0]], [math.nan], "no rating below 3"),
        ([[0, 0, 5, 0, 0]], [math.nan], "every rating is 3"),
        ([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], [math.nan, 0.0], "no rating"),
        ([[0, 9, 0, 0, 0], [0, 3, 4, 3, 0]], [-math.inf, 0.0], "every rating is 2, the lowest that was given"),
        ([[0, 5, 5, 0, 0], [0, 0, 0, 5, 5]], [math.nan, math.nan], "too far apart"),
    ],
)
def test_no_estimate_is_said_with_its_reason(counts, estimates, note):
    found = statistics.ordinal_preference(counts)
    assert [p.estimate for p in found] == pytest.approx(estimates, nan_ok=True, abs=1e-9)
    assert note in found[0].note


@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=1, max_size=4))
def test_ordinal_regression_always_answers(counts):
    found = statistics.ordinal_preference(counts)
    assert len(found) == len(counts)
    assert all(math.isfinite(p.estimate) or p.note for p in found)
