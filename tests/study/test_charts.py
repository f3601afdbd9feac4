"""Charts and plates: drawn of any cohort, the same bytes twice, no text of a user's as text."""

import numpy as np
import pytest

from cohorts import cases, paper_ratings, study
from fsrcnn_np.errors import FsrcnnError, OptionError
from fsrcnn_np.study import figures
from fsrcnn_np.study.figures.style import COLOURS, RATING_COLOURS, encoded
from fsrcnn_np.study.records import Case, Rating

CHARTS = (figures.slopes, figures.bland_altman, figures.boxes)
ONE = [Case("a.png", piqe_original=3, piqe_bicubic=9, piqe_sr=2, density="fatty")]


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("made", [cases(9), ONE, [Case("b.png", error="broken")]])
def test_every_chart_of_any_cohort(chart, made, tmp_path):
    found = chart(made)
    png, svg = figures.encoded_both(found).values()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"<svg" in svg
    assert found.title
    assert found.caption


def test_of_many_only_some_lines_are_drawn():
    found = figures.slopes([case for seed in range(8) for case in cases(20, seed)], unit="image")
    assert len(found.figure.axes[0].lines) < 2 * 300 + 5
    assert "300 of 432 are drawn" in found.caption


def test_bars_of_the_papers_readers_and_of_one():
    assert figures.rating_bars(paper_ratings()).figure is not None
    many = [Rating(str(reader), "c", "Artifacts", 1 + reader % 5) for reader in range(7)]
    assert len([a for a in figures.rating_bars(many).figure.axes if a.get_title()]) == 7


def test_bars_lie_around_no_preference():
    """The middle of the 3s at 0: 10 × 2, 60 × 3, 30 × 4 reach from -40 to 60."""
    given = [
        Rating("1", f"c{i}", "Artifacts", value) for i, value in enumerate(np.repeat([2, 3, 4], [10, 60, 30]).tolist())
    ]
    axes = figures.rating_bars(given).figure.axes[0]
    ends = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert min(ends)[0] == pytest.approx(-40)
    assert max(end for _, end in ends) == pytest.approx(60)


def test_limits_of_agreement_by_hand():
    made = cases(30)
    figure = figures.bland_altman(made, unit="image").figure
    change = np.array([case.piqe_sr - case.piqe_original for case in made])
    levels = {round(float(line.get_ydata()[0]), 9) for line in figure.axes[0].lines if len(line.get_ydata()) == 2}
    spread = 1.96 * change.std(ddof=1)
    assert {round(v, 9) for v in (0, change.mean(), change.mean() - spread, change.mean() + spread)} <= levels


@pytest.mark.parametrize("values", [[18.3, 31.4, 33.4, 34.7], [34.7, 21.6, 19.6, 18.3], [1, 2, 3], [5]])
def test_whiskers_lead_out_of_the_box(values):
    """Of four values a quartile lies between two, and may lie beyond all that are no outliers."""
    made = [Case(f"{n}.png", piqe_original=v, piqe_bicubic=v, piqe_sr=v) for n, v in enumerate(values)]
    axes = figures.boxes(made).figure.axes[0]
    whiskers = [segments for found in axes.collections if len(segments := found.get_segments()) == 2]
    assert len(whiskers) == len(axes.patches) == 3
    for (lower, upper), box in zip(whiskers, axes.patches, strict=True):
        low, high = box.get_x(), box.get_x() + box.get_width()
        assert lower[0, 0] <= lower[1, 0] == pytest.approx(low)
        assert pytest.approx(high) == upper[0, 0] <= upper[1, 0]


def test_the_legend_of_slopes_covers_no_point():
    """Above the axes, also where points reach the top."""
    made = [Case(f"{n}.png", piqe_original=50, piqe_bicubic=50, piqe_sr=100) for n in range(3)]
    axes = figures.slopes(made).figure.axes[0]
    assert axes.get_legend().get_window_extent().y0 >= axes.bbox.y1
    assert axes.get_legend().get_window_extent().y1 <= axes.figure.bbox.y1


def test_the_same_figure_has_the_same_bytes():
    one, two = figures.slopes(cases()), figures.slopes(cases())
    for format in ("png", "svg"):
        assert encoded(one.figure, format) == encoded(two.figure, format)


def test_what_was_drawn_before_changes_nothing():
    one, two = figures.slopes(cases()), figures.slopes(cases())
    encoded(one.figure, "png")
    assert encoded(one.figure, "svg") == encoded(two.figure, "svg")


def test_names_with_markup_are_shapes():
    made = [Case("a", piqe_original=1, piqe_bicubic=2, piqe_sr=1, groups={"<script>": "<b>$x_1$&"})]
    svg = encoded(figures.boxes(made).figure, "svg").decode()
    assert "<script" not in svg
    assert "<b>" not in svg


def test_colours_differ_in_lightness_as_well():
    def lightness(colour):
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    shades = sorted(lightness(colour) for colour in COLOURS.values())
    assert min(np.diff(shades)) > 0.03
    ratings = [lightness(colour) for colour in RATING_COLOURS]
    assert max(ratings) == ratings[2]


def test_plates_are_the_best_and_the_worst_rated():
    made = study()
    names = [case.path for case in made.cases]
    ratings = [Rating("1", name, "Overall scores", 3) for name in names[:-1]]
    ratings += [Rating("2", names[4], "Overall scores", 5), Rating("2", names[6], "Overall scores", 1)]
    ratings += [Rating("2", names[2], "Artifacts", 1)]
    best, worst = figures.choose(study(ratings=ratings))
    assert (best.case.path, worst.case.path) == (names[4], names[6])
    assert "highest mean overall rating of 54 images, 4.00" in best.why
    assert worst.title == "Lowest mean overall rating"


def test_breasts_that_were_rated_and_no_ratings():
    ratings = [Rating("1", "p003_L", "Sharpness", 5), Rating("1", "p004_L", "Sharpness", 2)]
    best, worst = figures.choose(study(ratings=ratings))
    assert (best.case.patient, worst.case.patient) == ("p003", "p004")
    best, worst = figures.choose(study(ratings=()))
    scored = [case for case in study().cases if case.piqe_sr is not None]
    change = [case.piqe_sr - case.piqe_original for case in scored]
    assert best.case == scored[int(np.argmin(change))]
    assert worst.case == scored[int(np.argmax(change))]
    assert (best.title, worst.title) == ("Greatest fall of PIQE under SR", "Least fall of PIQE under SR")
    risen = [Case(str(i), piqe_original=1.0, piqe_bicubic=9.0, piqe_sr=2.0 + i) for i in range(3)]
    best, worst = figures.choose(study(cases=risen, ratings=()))
    assert (best.title, worst.title) == ("Least rise of PIQE under SR", "Greatest rise of PIQE under SR")


def test_chosen_cases():
    best, worst = figures.choose(study(), best="p001_L_CC.png", worst="p002_L_CC.png")
    assert (best.case.path, worst.case.path) == ("p001_L_CC.png", "p002_L_CC.png")
    with pytest.raises(OptionError, match="no such image"):
        figures.choose(study(), best="none.png")


def test_a_plate_is_drawn_of_the_image_where_it_lies(tmp_path, small, model):
    from fsrcnn_np.files import write

    write(tmp_path / "a.png", small.pixels)
    case = Case("a.png", density="fatty", birads="2", piqe_original=1, piqe_bicubic=2, piqe_sr=1, data_range=(0, 4095))
    whole = study(cases=[case], ratings=(), folder=str(tmp_path))
    (plate,) = figures.choose(whole, best="a.png")
    drawn = figures.plate(plate, whole, model)
    assert drawn.caption == "a.png (fatty, BI-RADS 2): chosen by hand."
    assert len(drawn.figure.axes) == 5
    with pytest.raises(FsrcnnError):
        figures.plate(plate, study(folder=str(tmp_path / "moved")), model)


def test_without_matplotlib_one_line(monkeypatch):
    import builtins

    right = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return right(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FsrcnnError, match=r"pip install 'fsrcnn-np\[study\]'"):
        figures.check()
