"""The demo's cohort has the paper's proportions, and its readers the paper's counts; all is simulated."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort_images import small_model
from fsrcnn_np.errors import OptionError
from fsrcnn_np.files import read
from fsrcnn_np.study.cohort import read_cohort
from fsrcnn_np.study.demo_study import draw_cohort, measure_cohort
from fsrcnn_np.study.paper.honjo import BILATERAL, BREASTS, PATIENTS, TABLE_1, TABLE_2
from fsrcnn_np.study.ratings_file import read_ratings
from fsrcnn_np.study.roster import FINDINGS, apportioned, roster, simulated_ratings
from fsrcnn_np.study.store import read_study


def patients(breasts):
    return list({b.patient: b for b in breasts}.values())


def test_136_cases_are_the_papers_cohort():
    breasts = roster(BREASTS)
    assert len({b.name for b in breasts}) == len({b.seed for b in breasts}) == len(breasts) == BREASTS
    assert len(patients(breasts)) == PATIENTS
    assert sum(count == 2 for count in Counter(b.patient for b in breasts).values()) == BILATERAL
    for column, table in FINDINGS.items():
        counts = Counter(getattr(b, column) for b in patients(breasts))
        assert counts == {value: count for value, count in TABLE_1[table].items() if count}
    ages = [b.age for b in patients(breasts)]
    assert sum(ages) / len(ages) == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize("seed", [0, 5])
def test_24_cases(seed):
    breasts = roster(24, seed=seed)
    of = patients(breasts)
    assert (len(breasts), len(of)) == (24, 16)
    for column, table in FINDINGS.items():
        counts = Counter(getattr(b, column) for b in of)
        assert counts.keys() == {value for value, count in TABLE_1[table].items() if count}
        for value, count in counts.items():
            assert abs(count - 16 * TABLE_1[table][value] / PATIENTS) < 2
    assert Counter(b.density for b in breasts)["fatty"] == 1  # a group of one, as the paper has


@given(st.integers(1, 400))
def test_any_number_of_cases(cases):
    breasts = roster(cases)
    assert len(breasts) == cases
    assert max(Counter(b.patient for b in breasts).values()) <= 2
    assert len({b.name for b in breasts}) == cases


@given(
    st.dictionaries(st.text(), st.integers(0, 50), min_size=1).filter(lambda d: sum(d.values())), st.integers(0, 300)
)
def test_apportioned(counts, total):
    shares = apportioned(counts, total)
    assert sum(shares.values()) == total
    whole = sum(counts.values())
    present = [name for name, count in counts.items() if count]
    for name, share in shares.items():
        assert share >= (total >= 2 * len(present))
        assert share <= total * counts[name] / whole + 1 + len(present)


def test_readers_have_the_papers_counts():
    ratings = list(simulated_ratings([f"b_{n}" for n in range(BREASTS)]))
    assert len(ratings) == len(TABLE_2) * BREASTS
    for cell in TABLE_2:
        of = [r for r in ratings if r.criterion == cell.criterion and r.reader == f"simulated reader {cell.reader}"]
        counts = Counter(r.value for r in of)
        assert tuple(counts[value] for value in range(1, 6)) == cell.counts
        assert counts[None] == BREASTS - sum(cell.counts)
        assert len({r.case for r in of}) == BREASTS
    assert {r.comment for r in ratings} == {"simulated"}


def test_the_demo_small(tmp_path):
    weights = small_model(tmp_path / "model.h5")
    seen = []
    for _ in range(2):  # the second time nothing is drawn and nothing measured
        ratings = draw_cohort(tmp_path / "d", cases=3, shape=(256, 256), progress=lambda *n: seen.append(n))
        found = list(measure_cohort(tmp_path / "d", ratings, weights=weights, workers=0))
    assert seen[:3] == [(1, 3), (2, 3), (3, 3)]
    assert {one.state for one in found} == {"kept"}
    study = read_study(tmp_path / "d")
    assert [case.path for case in study.cases] == [f"images/demo_001_{s}.png" for s in "LR"] + ["images/demo_002_R.png"]
    assert "no patients; simulated readers" in study.about.data
    assert [case.data_range for case in study.cases] == [(0, 4095)] * 3
    file = read_ratings(tmp_path / "d/ratings.csv")
    assert list(file.ratings) == list(study.ratings) == ratings
    assert not file.left_out
    assert {case.path for case in study.cases} < {rating.case for rating in ratings}
    assert not read_cohort(tmp_path / "d/cohort.csv").left_out
    left, right = (read(tmp_path / f"d/images/demo_001_{side}.png").pixels for side in "LR")
    assert left[:, :64].mean() > left[:, -64:].mean()
    assert right[:, :64].mean() < right[:, -64:].mean()


@pytest.mark.parametrize("options", [{"cases": 0}, {"cases": 1.5}, {"seed": -1}, {"shape": (1, 1)}])
def test_impossible_options(tmp_path, options):
    with pytest.raises(OptionError):
        draw_cohort(tmp_path, **options)
