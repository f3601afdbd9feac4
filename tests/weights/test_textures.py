"""Textures are what their names say, and PIQE's decisions about a bare checkerboard turn where its formulae say."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "weights"))

import evaluate
import examine_piqe
import fsrcnn_np
import textures
from fsrcnn_np import files
from fsrcnn_np.phantom import phantom
from piqe_np import piqe


def test_a_checkerboard_alternates_both_ways():
    board = textures.checkerboard((5, 6))
    assert board[0, 0] == 1
    assert (board[1:] == -board[:-1]).all()
    assert (board[:, 1:] == -board[:, :-1]).all()


def test_textures_are_as_large_as_they_say():
    image = np.full((200, 200), 0.5, np.float32)
    image[:, :50] = 0
    inside = np.s_[:, 50:]
    for name, add in textures.TEXTURES.items():
        if name.startswith("checkerboard"):
            size = float(name.split("±")[1].split(" %")[0]) / 100 * (0.5 if name.endswith("signal") else 1)
            more = add(image) - image
            np.testing.assert_allclose(np.abs(more[inside]), size, rtol=1e-4)
            assert not more[:, :50].any()
    more = textures.noise(0.01)(image) - image
    assert more[inside].std() == pytest.approx(0.01, rel=0.02)
    assert not more[:, :50].any()
    edge = textures.unsharp(1.0)(image)
    assert edge.max() > 0.55
    assert edge[100, 150] == pytest.approx(0.5)
    assert textures.TEXTURES["as it is"](image) is image


def test_the_closed_form_is_what_piqe_decides():
    flat, active, noisy = textures.thresholds().values()
    assert (flat, active, noisy) == pytest.approx((0.1005, 0.4605, 2.0440), abs=1e-3)
    for amplitude in (0.5, 1, 1.5, 2, 2.5, 3, 4):
        score, *shares = textures.bare(amplitude)
        assert shares == [amplitude > active, amplitude < flat, amplitude > noisy]
        assert (score < 1) == (amplitude < noisy)
    assert textures.bare(0)[:2] == (100, 0)


def test_the_examination_has_a_row_for_each(tmp_path):
    rng = np.random.default_rng(1)
    image = (rng.random((18, 20)).repeat(6, 0).repeat(6, 1) * 200 + 30).astype(np.uint8)
    files.write(tmp_path / "a.png", image)
    models = {name: fsrcnn_np.load_weights(name) for name in ("x2-small", "x2")}
    found = examine_piqe.examine(tmp_path / "a.png", models, {}, {}, "x2")
    assert found["textured"] == "x2"
    assert list(found["textures"]) == list(textures.TEXTURES)
    assert found["textures"]["as it is"]["SR"] == found["rows"]["model: x2"]["SR"]
    assert found["textures"]["as it is"]["bicubic"] == found["rows"]["model: x2"]["bicubic"]
    assert "scored: double, no im2double" in found["rows"]
    text = examine_piqe.tables({"a.png": found})
    assert "SR of `x2` under textures" in text
    assert "| checkerboard ±0.5 % of the range |" in text


def test_densities_are_of_the_pictures_themselves():
    head, *rows = textures.densities(1, "x2-small", (256, 256))
    assert [row[0] for row in rows] == list("abcd")
    assert head[2:4] == ["original", "SR"]
    drawn = phantom(0, density="a", shape=(256, 256))
    assert float(rows[0][2]) == pytest.approx(piqe(drawn.pixels, data_range=4095).score, abs=0.005)
    assert all(len(row) == len(head) for row in rows)


def test_the_card_tells_each_model_s_checkerboard():
    models = {"bicubic": evaluate.BICUBIC, "x2-small": fsrcnn_np.load_weights("x2-small")}
    found = evaluate.checkerboards(models)
    assert list(found) == ["x2-small"]
    results = {"models": models, "photographs": {}, "mammograms": {}, "checkerboard": found, "software": "none"}
    text = evaluate.tables(results)
    assert f"| x2-small | {100 * found['x2-small']['offset_amplitude']:.3f} |" in text
    assert "WARNING" not in text
    found["x2-small"] = found["x2-small"] | {"warning": "a checkerboard of 0.50 %"}
    assert "WARNING, x2-small: a checkerboard of 0.50 %" in evaluate.tables(results)
