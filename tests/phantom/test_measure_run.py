"""The scenes, the whole run in its quick form, its tables and its command."""

import csv
import io
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.cli import main
from fsrcnn_np.errors import OptionError
from fsrcnn_np.phantom.measure import figures, scenes, sharpness, table
from fsrcnn_np.phantom.measure.detection import OBSERVERS, WANTED
from fsrcnn_np.phantom.measure.enlarged import IMAGES, Enlarger
from fsrcnn_np.phantom.measure.geometry import disc_coverage, offsets
from fsrcnn_np.phantom.measure.run import measure

PNG, SVG = b"\x89PNG", b"<?xml"


@pytest.fixture(scope="module")
def scene():
    return scenes.parenchyma(3, (900, 700), 2)


@pytest.fixture(scope="module")
def steps():
    return []


@pytest.fixture(scope="module")
def measured(steps):
    return measure(quick=True, seed=1, progress=lambda done, total: steps.append((done, total)))


@pytest.fixture(scope="module")
def drawn(measured):
    return figures.patches(measured, "x2")


@pytest.fixture
def measured_before(measured, drawn, monkeypatch):
    """The command takes what was measured and drawn already; what it was asked for comes back."""
    asked = []
    monkeypatch.setattr(figures, "patches", lambda *_: drawn)
    monkeypatch.setattr("fsrcnn_np.phantom.measure.run.measure", lambda **options: asked.append(options) or measured)
    return asked


def test_sites_lie_inside_and_apart(scene):
    assert len(scene.sites) > 4
    assert (scene.sites % scenes.PATCH == 0).all()
    assert len(np.unique(scene.sites, axis=0)) == len(scene.sites)
    for row, column in scene.sites:
        patch = scene.integrals[row : row + scenes.PATCH, column : column + scenes.PATCH]
        assert patch.shape == (scenes.PATCH, scenes.PATCH)
        assert patch.min() > 1  # full thickness of tissue
    assert 0.3 < scene.turn.mean() < 0.7


def test_a_disc_is_added_to_the_line_integral_and_nothing_else(scene):
    site = scene.sites[:1]
    more = scenes.with_discs(scene, site, diameter=0.3, contrast=0.1) - scene.integrals
    row, column = site[0]
    disc = disc_coverage((40, 40), pitch=0.07, centre=scenes.CENTRE, diameter=0.3)
    np.testing.assert_allclose(more[row : row + 40, column : column + 40], 0.1 * disc, atol=1e-6)
    assert np.count_nonzero(more) == np.count_nonzero(disc)
    assert more.sum() * 0.07**2 == pytest.approx(0.1 * math.pi * 0.15**2, rel=0.03)


def test_the_same_quanta_with_and_without_a_disc(scene):
    plain = scenes.picture(scene, scene.integrals, "a", 2)
    shown = scenes.picture(scene, scenes.with_discs(scene, scene.sites[:1], diameter=0.2, contrast=0.3), "a", 1)
    row, column = scene.sites[0]
    changed = np.argwhere(plain != shown)
    assert len(changed)
    assert (np.abs(changed - (row + 20.25, column + 20.25)) < 9).all()
    assert (plain != scenes.picture(scene, scene.integrals, "b", 2)).any()


def test_the_disc_lies_at_the_same_place_in_all_three():
    slab = scenes.slab(5, (80, 80))
    site = np.array([[20, 20]])
    integrals = scenes.with_discs(slab, site, diameter=0.4, contrast=0.3)
    enlarger = Enlarger("x2", 2)
    pictures = [list(enlarger.all(scenes.picture(slab, one, "a", 2))) for one in (slab.integrals, integrals)]
    for plain, shown in zip(*pictures, strict=True):
        more = (shown.pixels.astype(float) - plain.pixels).clip(0)
        more[more < more.max() / 4] = 0
        y, x = offsets(more.shape, shown.pitch, (0.0, 0.0))
        found = (more * y).sum() / more.sum(), (more * x).sum() / more.sum()
        assert found == pytest.approx([20 * 0.07 + c for c in scenes.CENTRE], abs=0.02), shown.name


def test_an_edge_has_its_angle_and_height():
    slab = scenes.slab(5, (64, 128))
    more = scenes.with_edge(slab, degrees=3, contrast=0.2) - slab.integrals
    assert more[:, :50].max() == pytest.approx(0, abs=1e-6)
    assert more[:, -50:].min() == pytest.approx(0.2, abs=1e-6)
    place = 128 - more.sum(1) / 0.2
    assert np.polyfit(np.arange(64), place, 1)[0] == pytest.approx(math.tan(math.radians(3)), abs=1e-3)
    assert place.mean() == pytest.approx(64, abs=0.05)


def test_everything_is_measured(measured):
    cells = len(WANTED) * len(OBSERVERS) * len(IMAGES)
    assert len(measured.detection.cells) == cells
    assert len(measured.detection.differences) == cells
    assert len(measured.detection.thresholds) == len(OBSERVERS) * len(IMAGES)
    assert [d.image for d in measured.discs] == [c.image for c in measured.curves] == list(IMAGES)
    for cell in measured.detection.cells:
        assert 0.5 < cell.auc.value <= 1
        assert cell.auc.low <= cell.auc.value <= cell.auc.high
    original, bicubic, sr = measured.curves
    assert bicubic.mtf.at(5) < original.mtf.at(5)
    assert bicubic.mtf.at(5) < sr.mtf.at(5)
    assert bicubic.nps.noise < original.nps.noise
    assert [c.pitch for c in measured.curves] == [0.07, 0.035, 0.035]
    for disc in measured.discs:
        assert disc.contrast.value > 0.02
        assert 0.15 < disc.width < 0.4
    assert measured.calcified[0].cnr_over_original == (0.0, 0.0, measured.calcified[0].contrast.cases)


def test_the_same_for_other_threads():
    one, other = (sharpness.curves(1, Enlarger("x2", n), n, rows=200, side=16) for n in (1, 2))
    for a, b in zip(one, other, strict=True):
        assert (a.mtf.value == b.mtf.value).all()
        assert (a.nps.power == b.nps.power).all()


def test_all_tables_hold_the_same_numbers(measured):
    read = list(csv.DictReader(io.StringIO(table.csv(measured))))
    document = json.loads(table.json(measured))
    assert len(read) == len(document["rows"]) == len(list(table.rows(measured)))
    for one, other in zip(read, document["rows"], strict=True):
        assert one["quantity"] == other["quantity"]
        assert one["value"] == ("" if "value" not in other else str(other["value"]))
    assert document["model"]["name"] == measured.model
    text = table.text(measured)
    for t in measured.detection.thresholds:
        if math.isfinite(t.contrast.value):
            assert f"{t.contrast.value:.4f}" in text
    for cell in measured.detection.cells:
        assert f"{cell.auc.low:.3f}–{cell.auc.high:.3f}" in text


@pytest.mark.parametrize("draw", [figures.thresholds, figures.curves])
def test_legends_lie_beside_the_panels(measured, draw):
    figure = draw(measured)
    (legend,) = figure.legends
    assert not any(axes.get_legend() for axes in figure.axes)
    assert not any(legend.get_window_extent().overlaps(axes.bbox) for axes in figure.axes)
    assert [text.get_text() for text in legend.get_texts()] == list(IMAGES)


def test_a_threshold_without_an_interval_is_explained(measured):
    found = [t._replace(contrast=t.contrast._replace(value=0.03, low=0.02, high=0.04),
                        of_original=t.of_original._replace(value=1.0, low=0.9, high=1.1))
             for t in measured.detection.thresholds]  # fmt: skip
    bare = found[-1]._replace(contrast=found[-1].contrast._replace(low=math.nan, high=math.nan))
    for thresholds, said in ((found, False), ([*found[:-1], bare], True)):
        m = replace(measured, detection=measured.detection._replace(thresholds=tuple(thresholds)))
        assert ("without an interval" in table.text(m)) == said
        assert ("without an interval" in figures.thresholds(m).get_supxlabel()) == said


def test_the_command_writes_all_and_keeps_what_is_there(tmp_path, capsys, measured_before):
    words = ["measure", "-o", str(tmp_path), "--quick", "--seed", "1"]
    assert main(words) == 0
    asked = measured_before[0]
    assert (asked["weights"].sha256, asked["seed"]) == (load_weights("x2").sha256, 1)
    assert (asked["quick"], asked["threads"]) == (True, None)
    names = {path.name for path in tmp_path.iterdir()}
    figures = {f"measure_{name}{s}" for name in ("thresholds", "curves", "patches") for s in (".png", ".svg")}
    assert names == {"measure.txt", "measure.csv", "measure.json"} | figures
    assert all((tmp_path / name).read_bytes().startswith(PNG if name.endswith("png") else SVG) for name in figures)
    out = capsys.readouterr().out
    assert (tmp_path / "measure.txt").read_text(encoding="utf-8") in out
    assert out.count("wrote ") == 9
    before = {path: path.read_bytes() for path in tmp_path.glob("*.svg")}
    assert main(words) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.count("measure") >= 9
    assert "are kept" in line
    assert main([*words[:-1], "2"]) == 1
    assert "made otherwise: seed 1 → 2; --overwrite" in capsys.readouterr().err
    assert main([*words, "--weights", "x2-small"]) == 1
    assert "made otherwise: model " in capsys.readouterr().err
    csv_before = (tmp_path / "measure.csv").read_bytes()
    (tmp_path / "measure.csv").write_bytes(csv_before[:-9])
    assert main(words) == 1
    assert "measure.csv: exists, and is not the one that measure.json was written with" in capsys.readouterr().err
    assert len(measured_before) == 1  # nothing was computed
    for path in (*before, tmp_path / "measure.csv", tmp_path / "measure.json"):  # as of a run that was killed
        path.unlink()
    assert main(words) == 0
    assert {path: path.read_bytes() for path in before} == before
    out = capsys.readouterr().out
    assert "measure.txt: exists already and is kept" in out
    assert "wrote" in out
    assert (tmp_path / "measure.csv").read_bytes() == csv_before
    assert main([*words, "--overwrite"]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_that_cannot_be_written_is_known_before(tmp_path, capsys, monkeypatch, measured_before):
    monkeypatch.setattr("fsrcnn_np.files.atomic.os.access", lambda *_, **__: False)
    assert main(["measure", "-o", str(tmp_path), "--quick", "--seed", "1"]) == 1
    assert "measure.txt: cannot be written (Permission denied)" in capsys.readouterr().err
    assert measured_before == []


def test_without_matplotlib_the_tables_come_all_the_same(tmp_path, capsys, monkeypatch, measured_before):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["measure", "-o", str(tmp_path), "--quick"]) == 0
    told = capsys.readouterr()
    assert {path.name for path in tmp_path.iterdir()} == {"measure.txt", "measure.csv", "measure.json"}
    assert told.err.splitlines() == [
        "fsrcnn-np: tables without figures: figures need matplotlib: pip install 'fsrcnn-np[plot]'"
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seed", "-1"], "seed is '-1'; allowed is a whole number"),
        (["--seed", str(1 << 80)], "seed is"),
        (["--weights", "nobody"], "nobody"),
        (["--threads", "0"], "threads"),
    ],
)
def test_what_cannot_be_is_one_line(words, told, tmp_path, capsys):
    status = main(["measure", "-o", str(tmp_path / "out"), "--quick", *words])
    error = capsys.readouterr().err
    assert status in (1, 2)
    assert len(error.splitlines()) == 1
    assert told in error
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_one_line_each(tmp_path, capsys, measured_before):
    (tmp_path / "out").write_text("mine")
    assert main(["measure", "-o", str(tmp_path / "out"), "--quick"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("fsrcnn-np: ") and "cannot be written" in line for line in lines)


@pytest.mark.parametrize("seed", [1.5, "a", None, True, -3, 1 << 63])
def test_impossible_seeds(seed):
    with pytest.raises(OptionError, match="seed"):
        measure(quick=True, seed=seed)


def test_progress_ends_at_its_total(measured, steps):
    assert steps == [(k + 1, len(steps)) for k in range(len(steps))]
