"""The oracles that can run here: Octave, PyTorch, R; and values in print, where the images are."""

import hashlib
import math
import shutil

import numpy as np
import pytest

from fsrcnn_np.study import statistics
from parity import __main__ as command
from parity import checks, generate, statistics_rows, suite
from parity.oracles import octave, printed, pytorch, r


def test_octave_gives_what_is_stored(vectors, goldens, known):
    chosen = [vector for vector in vectors if vector.id in ("piqe-small-5x40", "network-zero-1x1", "rgb2ycbcr-ties")]
    found = octave.run(chosen)
    assert found.source == "run now"
    assert {row.status for row in suite.golden_rows(chosen, found, known)} == {suite.PASS}
    for vector in chosen:
        assert found.results[vector.id].keys() == goldens.results[vector.id].keys()


def test_octave_and_pytorch_agree_on_the_shipped_models(known):
    subjects = generate.trained()
    assert "network-shipped-x2" in {vector.id for vector in subjects}
    for oracle in (octave, pytorch):
        rows = suite.golden_rows(subjects, oracle.run(subjects), known)
        assert {row.stage for row in rows} == {
            "network.layer", "network.forward64", "network.engine32", "network.integers",
        }  # fmt: skip
        assert [row.details for row in rows if row.status != suite.PASS] == []


def test_pytorch_runs_every_network_vector(vectors, known):
    subjects = [vector for vector in vectors if vector.kind == "network"]
    found = pytorch.run(vectors)
    assert set(found.results) == {vector.id for vector in subjects}
    assert {row.status for row in suite.golden_rows(subjects, found, known)} == {suite.PASS}


def test_bounds_are_those_of_a_naive_count(vectors):
    vector = next(vector for vector in vectors if vector.id == "network-replicate-1x1")
    model = checks.model_of(vector).astype(np.float64)
    layer = model.convolutions[0]
    x = np.abs(vector.image)[None]
    bound = checks.convolution_bound(x, layer, "replicate")
    total = np.abs(layer.weight).sum((1, 2, 3)) * x[0, 0, 0] + np.abs(layer.bias)
    assert bound[:, 0, 0] == pytest.approx(27 * 2.0**-53 * total * np.maximum(1, np.abs(layer.slope)))


def test_r_agrees_on_every_cell_and_on_pairs(known):
    rows = statistics_rows.rows(known)
    assert [(row.stage, row.status) for row in rows] == [
        ("statistics.wilcoxon", suite.PASS), ("statistics.t_test", suite.PASS),
    ]  # fmt: skip
    assert rows[0].vectors == len(statistics_rows.samples()) >= 56


def test_a_wrong_statistic_is_named(known, monkeypatch):
    right = statistics.signed_rank
    wrong = lambda sample: right(sample)._replace(p=right(sample).p * (1 + 1e-9))  # noqa: E731
    monkeypatch.setattr(statistics, "signed_rank", wrong)
    rows = statistics_rows.rows(known)
    assert rows[0].status == suite.FAIL
    assert rows[0].details[0].startswith("vector table2-01, stage statistics.wilcoxon (p, study against R ")


def test_rs_failure_is_a_row(known, monkeypatch, tmp_path):
    script = tmp_path / "broken.R"
    script.write_text("stop('no luck')")
    monkeypatch.setattr(r, "SCRIPT", script)
    (row,) = statistics_rows.rows(known)
    assert row.status == suite.FAIL
    assert "no luck" in row.details[0]


def test_substitute_pairs_have_table_3s_summary():
    for name, (before, after) in statistics_rows.pairs().items():
        if name != "short":
            assert (before.mean(), before.std(ddof=1)) == pytest.approx((12.36, 5.03))
            assert (after.mean(), after.std(ddof=1)) == pytest.approx((3.2, 1.33))
            assert np.corrcoef(before, after)[0, 1] == pytest.approx(float(name.split()[1]))


def in_print(images, known):
    return [
        *printed.piqe_rows(images, known), *printed.imresize_rows(images, known),
        *printed.published_rows(images, known),
    ]  # fmt: skip


def test_no_images_means_not_run_and_how_to(tmp_path, known):
    for images in (None, tmp_path):
        rows = in_print(images, known)
        assert {row.status for row in rows} == {suite.NOT_RUN}
        assert all("--images" in row.details[0] or "export_goldens" in row.details[0] for row in rows)
        assert all(row.worst is None and row.vectors == 0 for row in rows)


@pytest.mark.shared
def test_values_in_print(shared, known):
    rows = in_print(shared, known)
    passed = [row for row in rows if row.status == suite.PASS]
    assert sum(row.vectors for row in passed if row.stage == "printed.piqe") == 8
    assert sum(row.vectors for row in passed if row.stage.startswith("printed.imresize")) >= 14
    assert {row.release for row in passed if row.stage.startswith("published")} == {
        "FSRCNN, Set5 ×2",
        "bicubic, Set5 ×2",
    }
    assert not [row for row in rows if row.status == suite.FAIL]


@pytest.mark.shared
def test_pictures_that_matlab_resized_tell_where_it_rounds(shared, known, monkeypatch):
    """One rounding at the end gives 12,492 other values in the uint8 picture alone."""
    import fsrcnn_np

    right = fsrcnn_np.imresize

    def rounded_once(image, *arguments, **options):
        return np.clip(np.floor(right(image / 1.0, *arguments, **options) + 0.5), 0, 255).astype(image.dtype)

    monkeypatch.setattr(fsrcnn_np, "imresize", rounded_once)
    rows = [row for row in printed.imresize_rows(shared, known) if row.status == suite.FAIL]
    assert "lena_123x234_uint8.png" in rows[0].details[0]
    assert "12492 differ" in rows[0].details[0]


def test_cameraman_is_known_by_its_pixels_in_any_encoding(tmp_path, monkeypatch):
    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 256, (256, 256)).astype(np.uint8)
    monkeypatch.setitem(printed.PIXEL_HASHES, hashlib.sha256(pixels.tobytes()).hexdigest(), "cameraman")
    for suffix in (".png", ".tif", ".bmp"):
        Image.fromarray(pixels).save(tmp_path / f"a{suffix}")
        assert printed.find(tmp_path) == {"cameraman": tmp_path / f"a{suffix}"}
        (tmp_path / f"a{suffix}").unlink()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert printed.find(tmp_path) == {}


@pytest.mark.shared
def test_images_are_known_by_content_whatever_their_name(shared, tmp_path, known, monkeypatch):
    shutil.copy(shared / "piqe_matlab" / "lighthouse.png", tmp_path / "holiday.png")
    (tmp_path / "lighthouse.png").write_bytes(b"another")
    assert printed.find(tmp_path) == {"lighthouse.png": tmp_path / "holiday.png"}
    import piqe_np

    right = piqe_np.piqe
    monkeypatch.setattr(piqe_np, "piqe", lambda image: type("R", (), {"score": right(image).score + 1e-3}))
    rows = [row for row in printed.piqe_rows(tmp_path, known) if row.status == suite.FAIL]
    assert rows[0].details[0].startswith("vector lighthouse.png, stage printed.piqe (score, llvm against")


def test_imgaussfilt_is_a_plain_sum():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (7, 6, 3)).astype(np.uint8)
    taps = [math.exp(-(k * k) / 8) for k in range(-4, 5)]
    for y, x, c in ((0, 0, 0), (3, 5, 1), (6, 2, 2)):
        total = sum(
            taps[i + 4] * taps[j + 4] * float(image[min(max(y + i, 0), 6), min(max(x + j, 0), 5), c])
            for i in range(-4, 5)
            for j in range(-4, 5)
        )
        assert printed.imgaussfilt(image, 2)[y, x, c] == math.floor(total / sum(taps) ** 2 + 0.5)


@pytest.mark.shared
def test_sets_and_models_of_unknown_hash_are_taken_by_name_and_said_so(shared, tmp_path, known):
    from PIL import Image

    (tmp_path / "Set14").mkdir()
    rng = np.random.default_rng(14)
    for number in range(14):
        shape = (40, 44, 3) if number % 2 else (40, 44)
        Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8)).save(tmp_path / "Set14" / f"{number}.png")
    shutil.copy(shared / "fsrcnn_authors" / "x2.mat", tmp_path / "any.mat")
    shutil.copy(shared / "fsrcnn_authors" / "x2.mat", tmp_path / "x3.mat")
    (tmp_path / "x4.mat").write_bytes(b"no model")
    rows = {row.release: row for row in printed.published_rows(tmp_path, known)}
    assert "(PSNR, images known by the folder's name, model by sha256, llvm" in rows["FSRCNN, Set14 ×2"].details[0]
    assert "model by name, llvm" in rows["FSRCNN, Set14 ×3"].details[0]
    assert "ours raised" in rows["FSRCNN, Set14 ×4"].details[0]
    assert {rows[f"FSRCNN, Set14 ×{scale}"].status for scale in (2, 3, 4)} == {suite.FAIL}
    assert rows["FSRCNN, Set5 ×3"].details == ("give a folder that holds the Set5 images: --images DIR",)


@pytest.mark.shared
def test_the_authors_model_is_taken_where_it_is(shared, known):
    path = printed.find(shared)["FSRCNN x2.mat"]
    subjects = [vector for vector in generate.trained(path) if vector.id == "network-authors-x2"]
    assert len(subjects) == 1
    for oracle in (octave, pytorch):
        rows = suite.golden_rows(subjects, oracle.run(subjects), known)
        assert [row.details for row in rows if row.status != suite.PASS] == []


def test_a_shipped_model_that_cannot_be_read_is_a_row(vectors, known, monkeypatch):
    import fsrcnn_np

    def broken(*_, **__):
        raise ValueError("no luck")

    monkeypatch.setattr(fsrcnn_np, "load_weights", broken)
    (row,) = command.live_rows(vectors, known, None)
    assert row.status == suite.FAIL
    assert row.details == ("vector network-shipped, every stage: ValueError: no luck",)
