"""A comparison in one line, as a notebook's table, and as a figure."""

import pytest

import fsrcnn_np
from fsrcnn_np.study.scores import BICUBIC, NATIVE, ORIGINAL, SR


def test_one_line(comparison):
    line = repr(comparison)
    assert "\n" not in line
    for part in (comparison.name, "300×260 uint16", *(f"{comparison.piqe(name):.4f}" for name in (ORIGINAL, BICUBIC))):
        assert part in line


def test_table(comparison):
    page = comparison._repr_html_()
    assert page.count("<tr>") == 1 + len(comparison.scorings)
    assert f"<td>{NATIVE}</td>" in page
    for score in comparison.scores:
        assert f"<td>{score.piqe:.4f}</td>" in page
    assert "some/folder/pha$ntom_{.png" in page


def test_figure(comparison):
    figure = comparison.figure()
    assert len(figure.axes) == 5
    assert any(f"{comparison.piqe(SR):.4f}" in text.get_text() for text in figure.texts)


def test_the_public_compare_takes_what_read_gives(tmp_path, model, small):
    from fsrcnn_np.files import write

    write(tmp_path / "a.png", small.pixels)
    picture = fsrcnn_np.read(tmp_path / "a.png")
    found = fsrcnn_np.compare(picture, weights=model, data_range=4095)
    assert found.name == str(tmp_path / "a.png")
    again = fsrcnn_np.compare(picture.pixels, weights=model, data_range=4095)
    assert again.name == "image"
    assert again.scores == found.scores
    assert again.remarks == found.remarks == ()
    (doubt,) = fsrcnn_np.compare(picture, weights=model).remarks
    assert "--data-range 4095" in doubt
    assert isinstance(found, fsrcnn_np.Comparison)


def test_a_picture_is_no_array(small, tmp_path):
    from fsrcnn_np.files import write

    write(tmp_path / "a.png", small.pixels)
    picture = fsrcnn_np.read(tmp_path / "a.png")
    with pytest.raises(fsrcnn_np.ImageError, match=r"picture\.pixels.*picture\.data_range"):
        fsrcnn_np.upscale(picture)
