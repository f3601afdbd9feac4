"""Pictures of one pixel, of one long row and of none, in every format, are right or refused before computing."""

import numpy as np
import pytest

import limits
from fsrcnn_np import FormatError, files, pipeline
from fsrcnn_np.files.record import made_by
from fsrcnn_np.study.layout import MOST_VIEW, plan


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is tested is around the computing."""

    def repeated(image, *given, **named):
        return image.array.repeat(2, 0).repeat(2, 1)

    monkeypatch.setattr(pipeline, "_upscale", repeated)


@pytest.mark.parametrize("suffix", limits.READ)
def test_every_format(suffix, tmp_path):
    tried = list(limits.attack(tmp_path, suffix, (), few=True))
    assert [(kind, one) for kind, one in tried if one.wrong] == []
    assert {one.status for _, one in tried} == {0, 1}
    assert len(tried) == 3 if suffix == ".webp" else 5  # WebP has no files of none


@pytest.mark.parametrize("suffix", [suffix for suffix in limits.NARROW if suffix in limits.WRITTEN])
def test_into_another_format(suffix, tmp_path):
    """The limit is that of the format that is written."""
    assert limits.write(tmp_path / "a.png", (1, limits.NARROW[suffix] // 2 + 1), rgb=False)
    tried = limits.upscaled(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert (tried.status, tried.wrong) == (1, "")
    with pytest.raises(FormatError, match="holds at most"):
        files.write(tmp_path / f"c{suffix}", np.zeros((1, limits.NARROW[suffix] + 1), np.uint8))


def test_a_longer_jpeg_than_libjpeg_reads(tmp_path):
    path = tmp_path / "a.jpg"
    files.write(path, np.zeros((1, limits.NARROW[".jpg"]), np.uint8))
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xc0") + 7
    data[at : at + 2] = (limits.NARROW[".jpg"] + 1).to_bytes(2, "big")
    path.write_bytes(data)
    tried = limits.scored(path, empty=True)
    assert (tried.status, tried.wrong) == (1, "")


def test_more_than_a_bmp_counts(tmp_path):
    like = files.Picture(np.broadcast_to(np.uint8(0), (23000, 23000, 3)), "a.bmp", "BMP")
    with pytest.raises(FormatError, match="BMP holds at most 4 GiB; found 46000×46000"):
        files.check_target(tmp_path / "b.bmp", like, made_by("super-resolved", "by nothing", scale=2))


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1), (2, 100_000)])
def test_the_figure_of_one_row_is_no_wall(shape):
    """Squares are as high as the views are wide: of six times it would have 1.5 gigapixels."""
    found = plan(shape, 2)
    assert max(found.view) == MOST_VIEW
    assert (found.width + found.panel) * (found.view[0] + found.panel) < 50e6
