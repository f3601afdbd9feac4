"""The figure shows the pixels themselves, where the layout says, under the right labels."""

import subprocess
import sys
from itertools import pairwise

import imageio.v3 as iio
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsrcnn_np.errors import FileError, MissingExtraError, OptionError
from fsrcnn_np.files import OutputDiffers, OutputExists, provenance
from fsrcnn_np.files.record import made_by
from fsrcnn_np.study import figure
from fsrcnn_np.study.compare import compare
from fsrcnn_np.study.layout import MAGNIFICATION, plan

sides = st.integers(1, 6000)


@given(st.tuples(sides, sides), st.sampled_from([2, 3, 4]))
@example((100, 126), 2)
def test_the_square_is_magnified_six_times(shape, scale):
    found = plan(shape, scale)
    assert 1 <= found.side <= min(shape)
    assert found.panel == found.side * scale * found.zoom  # whole pixels
    view = found.view[0] / shape[0], found.view[1] / shape[1]
    for length, ratio in zip(shape, view, strict=True):
        if length > 300:  # else the view's own rounding to pixels shows
            assert scale * found.zoom / ratio == pytest.approx(found.magnification, rel=0.01)
    if 100 <= min(shape) > found.side:  # else the square fills its panel as well as it can
        assert found.magnification == MAGNIFICATION


@pytest.mark.parametrize(
    ("shape", "view", "side"), [((3328, 2560), (1109, 853), 280), ((4096, 3328), (1365, 1109), 365)]
)
def test_mammograms(shape, view, side):
    found = plan(shape, 2)
    assert (found.view, found.side, found.zoom, found.magnification) == (view, side, 1, 6)


@pytest.fixture(scope="module")
def drawn(comparison):
    return figure.draw(comparison)


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    path = tmp_path_factory.mktemp("figure") / "page.png"
    figure.write(comparison, path)
    return iio.imread(path)[..., 0].astype(int)


def shown(page, axes):
    """The part of the page that an axes covers."""
    box = axes.get_window_extent()
    corners = np.array([box.y0, box.y1, box.x0, box.x1])
    assert np.abs(corners - corners.round()).max() < 1e-6
    bottom, top, left, right = corners.round().astype(int)
    return page[len(page) - top : len(page) - bottom, left:right]


def levels(values, window, zoom):
    low, high = window
    grey = np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255
    return grey.repeat(zoom, 0).repeat(zoom, 1)


def test_every_pixel_is_shown_as_it_is(comparison, drawn, page):
    p = comparison.panels
    zoom = plan((300, 260), 2, comparison.square.side).zoom
    whole, square = p.whole_window, p.square_window
    # Two of 255 levels: a colour map has 256 of them and does not round.
    assert np.abs(shown(page, drawn.axes[0]) - levels(p.whole_sr, whole, 1)).max() < 2
    assert np.abs(shown(page, drawn.axes[2]) - levels(p.square_sr, square, zoom)).max() < 2
    assert np.abs(shown(page, drawn.axes[3]) - levels(p.square_original, square, 2 * zoom)).max() < 2
    assert np.abs(shown(page, drawn.axes[4]) - levels(p.square_bicubic, square, zoom)).max() < 2


def test_the_square_is_drawn_around_its_place(comparison, drawn, page):
    view = shown(page, drawn.axes[1])
    difference = np.abs(view - levels(comparison.panels.whole_original, comparison.panels.whole_window, 1)) > 8
    rows, columns = np.nonzero(difference)
    ratio = view.shape[0] / 300
    row, column, side = comparison.square
    expected = np.array([row, row + side, column, column + side]) * ratio
    assert np.abs(np.array([rows.min(), rows.max(), columns.min(), columns.max()]) - expected).max() < 3


def test_labels_scores_and_caption(comparison, drawn):
    texts = [text.get_text() for text in drawn.texts]
    scores = [f"{comparison.piqe(image):.4f}" for image in ("SR", "original", "bicubic")]
    assert texts[:5] == [
        f"A  SR ×2 · PIQE {scores[0]}",
        f"B  original · PIQE {scores[1]}",
        "C  SR ×2, magnified 6×",
        "D  original, magnified 6×",
        f"E  bicubic ×2, magnified 6× · PIQE {scores[2]}",
    ]
    caption = " ".join(texts[5:])
    square = comparison.square
    for part in (
        "pha$ntom_{.png (not a patient): 300×260 uint16, values 0..4095 (data_range).",
        "E: bicubic ×2, the control",
        f"{square.side} pixels from row {square.row}, column {square.column} (brightest small spots)",
        "is magnified 6 times",
        "PIQE of the whole image at native depth",
    ):
        assert part in caption


def test_of_colours_the_luma_is_shown_and_said(model, comparison):
    pixels = np.random.default_rng(3).integers(0, 256, (60, 50, 3), np.uint8)
    captions = [
        " ".join(text.get_text() for text in figure.draw(one).texts[5:])
        for one in (compare(pixels, weights=model, engine="reference"), comparison)
    ]
    assert ["60×50×3 uint8, of whose colours the luma (Y) is shown, values" in caption for caption in captions] == [
        True,
        False,
    ]


def test_texts_stay_on_the_page_and_apart(drawn, comparison):
    drawn.canvas.draw()
    boxes = [text.get_window_extent() for text in drawn.texts]
    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= drawn.bbox.width
        assert box.y0 >= 0
        assert box.y1 <= drawn.bbox.height
    for one, other in pairwise(boxes[:3]):
        assert not one.overlaps(other)


@pytest.mark.parametrize("shape", [(8, 3000), (3000, 8), (40, 40), (700, 500)])
def test_titles_do_not_touch_whatever_the_shape(shape, model):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    page = figure.draw(compare(pixels, weights=model, engine="reference", pixel_spacing=0.07))
    page.canvas.draw()
    boxes = [text.get_window_extent() for text in page.texts[:5]]
    assert not boxes[0].overlaps(boxes[1])
    assert not any(one.overlaps(other) for one, other in pairwise(boxes[2:]))
    assert max(box.x1 for box in boxes) <= page.bbox.width


def test_scale_bars_are_as_long_as_they_say(model, small):
    pixels = small.pixels
    page = figure.draw(compare(pixels, weights=model, data_range=4095, pixel_spacing=0.1, engine="reference"))
    for axes, millimetres in zip(page.axes, [25.0, 26.0], strict=False):
        (bar,), (label,) = axes.lines, axes.texts
        assert label.get_text().endswith(" mm")
        share = np.ptp(bar.get_xdata())
        assert share * 260 * 0.1 == pytest.approx(float(label.get_text()[:-3]))
        assert 0.1 * millimetres < float(label.get_text()[:-3]) < 0.35 * millimetres
    assert not figure.draw(compare(pixels, weights=model, data_range=4095, engine="reference")).axes[0].lines


def test_the_users_matplotlib_is_neither_used_nor_changed(comparison, page, tmp_path):
    with mpl.rc_context({"figure.facecolor": "red", "font.size": 30, "savefig.dpi": 30, "image.origin": "lower"}):
        figure.write(comparison, tmp_path / "page.png")
        assert mpl.rcParams["font.size"] == 30
    assert np.array_equal(iio.imread(tmp_path / "page.png")[..., 0], page)


def test_no_window_system_is_touched(tmp_path):
    code = """
import sys
import numpy as np
from fsrcnn_np.study import figure
from fsrcnn_np.study.compare import compare
assert 'matplotlib' not in sys.modules
import matplotlib
matplotlib.use('svg')
figure.write(compare(np.eye(20, dtype='uint8'), engine='reference'), sys.argv[1])
assert 'matplotlib.pyplot' not in sys.modules
assert matplotlib.get_backend() == 'svg'
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path / "f.png")], check=True)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".PDF", b"%PDF"), (".svg", b"<?xml")])
def test_formats(comparison, tmp_path, suffix, magic):
    path = tmp_path / f"figure{suffix}"
    made = made_by("a figure -- of mine (x)", "figure", settings={"square": "1,2"}, model="a--b")
    figure.write(comparison, path, provenance=made)
    assert path.read_bytes().startswith(magic)
    assert provenance(path) == made
    with pytest.raises(OutputExists, match="kept"):
        figure.write(comparison, path, provenance=made)
    with pytest.raises(OutputDiffers, match=r"made otherwise: square 1,2 → not given; --overwrite"):
        figure.write(comparison, path, provenance=made_by("a figure", "figure", model="a--b"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(OutputDiffers, match="its end is missing"):
        figure.write(comparison, path, provenance=made)
    figure.write(comparison, path, provenance=made, overwrite=True)
    if suffix != ".png":
        assert len(path.read_bytes()) == len(whole)
    else:
        assert iio.imread(path).ndim == 3
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_names_in_any_script(model, tmp_path):
    name = "左乳_$x^2$_\n.dcm"
    found = compare(np.eye(40, dtype=np.uint8), weights=model, engine="reference", name=name)
    figure.write(found, tmp_path / "f.png")


def test_refusals(comparison, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match=r"suffix is '.jpg'; allowed are .png, .pdf, .svg"):
        figure.write(comparison, tmp_path / "f.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        figure.write(comparison, tmp_path / "file" / "f.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fsrcnn-np\[plot\]'"):
        figure.write(comparison, tmp_path / "f.png")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
