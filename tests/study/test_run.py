"""A cohort measured: what the store holds, what a second run does, and what goes wrong."""

import dataclasses
import os
import sqlite3

import numpy as np
import pytest

import fsrcnn_np
from cohort_images import rows, small_images, small_model
from fsrcnn_np.errors import FileError, FormatError, OptionError
from fsrcnn_np.files import read, write
from fsrcnn_np.network.checkerboard import checkerboard
from fsrcnn_np.study import measuring
from fsrcnn_np.study import run as run_module
from fsrcnn_np.study.compare import compare
from fsrcnn_np.study.measuring import measure
from fsrcnn_np.study.records import Rating
from fsrcnn_np.study.run import run
from fsrcnn_np.study.store import add_ratings, read_study


@pytest.fixture
def cohort(tmp_path):
    small_images(tmp_path / "images", 4)
    return tmp_path / "images"


@pytest.fixture
def weights(tmp_path):
    return small_model(tmp_path / "model.h5")


def states(found):
    return {one.name: one.state for one in found}


def measured(cohort, results, weights, **options):
    return list(run(cohort, results, weights=weights, **{"workers": 0, "data_range": 4095} | options))


def test_the_scores_are_those_of_compare(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    study = read_study(tmp_path / "r")
    assert [case.path for case in study.cases] == ["000.png", "001.png", "002.png", "003.png"]
    picture = read(cohort / "002.png")
    expected = compare(picture.pixels, weights=weights, data_range=4095)
    case = study.cases[2]
    assert case.piqe_original == expected.piqe("original")
    assert case.piqe_bicubic == expected.piqe("bicubic")
    assert case.piqe_sr == expected.piqe("SR")
    assert case.checkerboard == pytest.approx(expected.grid_amplitude["SR"], rel=1e-9)
    assert case.checkerboard_bicubic == pytest.approx(expected.grid_amplitude["bicubic"], rel=1e-9)
    assert case.scaling == "0..4095 (data_range) to 0..255"
    assert case.seconds > 0
    assert case.memory is None or case.memory > 1 << 20
    assert 0 < case.blocks_original.active <= 1
    assert study.about.sha256 == fsrcnn_np.load_weights(weights).sha256


def test_sr_is_what_upscale_writes(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights, save_sr=True)
    fsrcnn_np.upscale_file(cohort / "001.png", tmp_path / "x.png", weights=weights, data_range=4095)
    assert (tmp_path / "r/sr/001.png").read_bytes() == (tmp_path / "x.png").read_bytes()
    assert read_study(tmp_path / "r").cases[1].sr == "sr/001.png"


def test_a_truth_gives_psnr_and_ssim(tmp_path, cohort, weights):
    pixels = read(cohort / "000.png").pixels
    write(tmp_path / "images/truth.tif", fsrcnn_np.imresize(pixels, 2))
    write(tmp_path / "images/small.tif", pixels)
    table = tmp_path / "images/cohort.csv"
    table.write_text("path,truth\n000.png,truth.tif\n001.png,small.tif\n002.png,\n")
    found = measured(table, tmp_path / "r", weights)
    assert states(found) == {"000.png": "measured", "001.png": "left out", "002.png": "measured"}
    first, second = read_study(tmp_path / "r").cases
    assert first.psnr_bicubic == np.inf
    assert first.ssim_bicubic == pytest.approx(1)
    assert 0 < first.psnr < 100
    assert first.ssim < 1
    assert (second.psnr, second.ssim) == (None, None)
    (line,) = [str(one) for one in read_study(tmp_path / "r").left_out]
    assert "cohort.csv, row 3, column truth: 001.png: " in line
    assert "uint16 (48, 48); allowed is uint16 (96, 96), 2 times the image" in line


def test_a_second_run_does_nothing_and_changes_nothing(tmp_path, cohort, weights, monkeypatch):
    measured(cohort, tmp_path / "r", weights)
    before = rows(tmp_path / "r")
    monkeypatch.setattr(run_module, "crew", lambda *_: pytest.fail("nothing is to be measured"))
    assert set(states(measured(cohort, tmp_path / "r", weights)).values()) == {"kept"}
    assert rows(tmp_path / "r") == before


def test_a_touched_file_is_read_and_kept_a_changed_one_is_refused(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    before = rows(tmp_path / "r")
    os.utime(cohort / "000.png", ns=(1, 1))
    assert set(states(measured(cohort, tmp_path / "r", weights)).values()) == {"kept"}
    assert rows(tmp_path / "r") == before
    write(cohort / "001.png", read(cohort / "001.png").pixels // 2, overwrite=True)
    for _ in range(2):
        found = measured(cohort, tmp_path / "r", weights)
        assert [one.name for one in found if one.state == "left out"] == ["001.png"]
        assert "are others than when it was measured" in found[-1].why
    assert [case.path for case in read_study(tmp_path / "r").cases] == ["000.png", "002.png", "003.png"]
    assert states(measured(cohort, tmp_path / "r", weights, again=True))["001.png"] == "measured"
    assert len(read_study(tmp_path / "r").cases) == 4


def test_another_model_or_range_is_refused(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    before = rows(tmp_path / "r")
    for options, word in (({"weights": "x2-small"}, "model"), ({"data_range": 65535}, "data_range")):
        with pytest.raises(OptionError, match=f"was made with {word} .* choose another folder"):
            measured(cohort, tmp_path / "r", **{"weights": weights} | options)
    with pytest.raises(OptionError, match="was made with engine"):
        measured(cohort, tmp_path / "r", weights, engine="reference")
    assert rows(tmp_path / "r") == before


def test_another_version_is_refused_by_run_and_by_worker(tmp_path, cohort, weights, monkeypatch):
    measured(cohort, tmp_path / "r", weights)
    monkeypatch.setattr(run_module, "__version__", "99.0")
    with pytest.raises(OptionError, match=r'was made with version "[\d.]+", and "99.0" is asked for'):
        measured(cohort, tmp_path / "r", weights)
    task = {"name": "a", "path": "a", "weights": "x2", "sha256": "", "engine": "llvm", "version": "99.0"}
    assert measure(task)["state"] == "stop"
    assert measure({**task, "version": fsrcnn_np.__version__})["why"].startswith("this worker's x2 has sha256")


def test_one_image_of_another_depth_costs_itself(tmp_path, cohort, weights):
    write(cohort / "deep.png", np.full((40, 40), 9000, np.uint16))
    (cohort / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    found = measured(cohort, tmp_path / "r", weights)
    assert sorted(name for name, state in states(found).items() if state == "left out") == ["broken.png", "deep.png"]
    lines = [str(one) for one in read_study(tmp_path / "r").left_out]
    assert any("deep.png: found values 9000..9000, allowed is 0..4095" in line for line in lines)
    assert len(read_study(tmp_path / "r").cases) == 4


def test_a_row_that_cannot_be_measured_is_named_with_its_column(tmp_path, cohort, weights):
    (cohort / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    table = cohort / "cohort.csv"
    table.write_text("path,data_range\n000.png,4095\nbroken.png,4095\n001.png,9\n")
    found = [one.why for one in run(table, tmp_path / "r", weights=weights, workers=0) if one.state == "left out"]
    assert found[0].startswith(f"{table}, row 3, column path: broken.png: truncated")
    assert found[1].startswith(f"{table}, row 4, column data_range: 001.png: found values")


def test_a_score_that_tells_nothing_is_remarked_upon(tmp_path, cohort, weights):
    write(cohort / "flat.png", np.full((40, 40), 900, np.uint16))
    measured(cohort, tmp_path / "r", weights)
    (flat,) = [case for case in read_study(tmp_path / "r").cases if case.path == "flat.png"]
    assert flat.piqe_original == 100
    assert "nothing in it is active, and its PIQE is 100 whatever it shows" in flat.remarks


def test_what_the_model_draws_on_flat_fields_is_kept(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    kept = read_study(tmp_path / "r").about.checkerboard
    assert kept == checkerboard(fsrcnn_np.load_weights(weights)).facts()
    assert kept["warning"]  # of random weights


def test_the_same_pixels_count_once_whoever_ends_first(tmp_path, cohort, weights):
    write(cohort / "000b.tif", read(cohort / "003.png").pixels)
    found = measured(cohort, tmp_path / "r", weights)
    assert found[-1].why == "003.png: has the same pixels as 000b.tif; it counts once"
    study = read_study(tmp_path / "r")
    assert [case.path for case in study.cases] == ["000.png", "000b.tif", "001.png", "002.png"]
    assert [str(one) for one in study.left_out] == [found[-1].why]
    assert set(states(measured(cohort, tmp_path / "r", weights)).values()) == {"kept", "left out"}


def test_a_row_taken_out_of_the_cohort_is_no_case_and_comes_back(tmp_path, cohort, weights):
    table = cohort / "cohort.csv"
    table.write_text("path,density,site\n000.png,a,n\n001.png,b,s\n")
    measured(table, tmp_path / "r", weights)
    table.write_text("path,density,site\n001.png,c,s\n")
    assert states(measured(table, tmp_path / "r", weights)) == {"001.png": "kept"}
    (case,) = read_study(tmp_path / "r").cases
    assert (case.path, case.density, case.groups) == ("001.png", "c", {"site": "s"})
    table.write_text("path\n001.png\n000.png\n")
    assert set(states(measured(table, tmp_path / "r", weights)).values()) == {"kept"}
    assert [case.path for case in read_study(tmp_path / "r").cases] == ["001.png", "000.png"]


def test_two_runs_at_once(tmp_path, cohort, weights):
    first = run(cohort, tmp_path / "r", weights=weights, data_range=4095, workers=0)
    next(first)
    with pytest.raises(OptionError, match="another run writes these results"):
        measured(cohort, tmp_path / "r", weights)
    assert len(read_study(tmp_path / "r").cases) == 1  # readers may look
    assert len(list(first)) == 3


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path, cohort, weights, monkeypatch):
    from fsrcnn_np.study import store

    connect = store._connect

    def small(path):
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 14")
        return connection

    small_images(cohort, 30)
    monkeypatch.setattr(store, "_connect", small)
    with pytest.raises(FileError, match="the disk is full; make room and run again"):
        measured(cohort, tmp_path / "r", weights)
    monkeypatch.setattr(store, "_connect", connect)
    kept = len(read_study(tmp_path / "r").cases)
    assert states(measured(cohort, tmp_path / "r", weights)).keys() == {f"{n:03}.png" for n in range(30)}
    measured(cohort, tmp_path / "s", weights)
    assert rows(tmp_path / "r") == rows(tmp_path / "s")
    assert kept < 30


def test_a_full_disk_for_the_sr_image_stops_the_run(tmp_path, cohort, weights, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fsrcnn_np.files.atomic.os.fsync", full)
    with pytest.raises(FileError, match=r"No space left on device.*run again to go on"):
        measured(cohort, tmp_path / "r", weights, save_sr=True)


def test_no_store_of_ours(tmp_path, cohort, weights):
    (tmp_path / "r").mkdir()
    with pytest.raises(FileError, match="no such store"):
        read_study(tmp_path / "r")
    path = tmp_path / "r/study.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(FormatError, match="is no study's store, or damaged"):
        measured(cohort, tmp_path / "r", weights)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(FormatError, match="no study's store"):
        measured(cohort, tmp_path / "r", weights)
    path.unlink()
    measured(cohort, tmp_path / "r", weights)
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    other.close()
    for use in (lambda: measured(cohort, tmp_path / "r", weights), lambda: read_study(tmp_path / "r")):
        with pytest.raises(FormatError, match="a store of layout 7; this version reads 1"):
            use()


def test_a_store_that_lacks_a_column(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    store = sqlite3.connect(tmp_path / "r/study.sqlite")
    store.execute("ALTER TABLE images RENAME COLUMN remarks TO remarls")
    store.close()
    with pytest.raises(FormatError, match="is damaged: a value in it cannot be read"):
        read_study(tmp_path / "r")


def test_ratings_are_kept_and_replaced(tmp_path, cohort, weights):
    measured(cohort, tmp_path / "r", weights)
    first = Rating("R1", "000.png", "Overall", 4, "good", 1, "A")
    add_ratings(tmp_path / "r", [first, Rating("R2", "000.png", "Overall", None)])
    add_ratings(tmp_path / "r/study.sqlite", [dataclasses.replace(first, value=5)])
    assert read_study(tmp_path / "r").ratings == [
        dataclasses.replace(first, value=5), Rating("R2", "000.png", "Overall", None),
    ]  # fmt: skip


def test_an_exception_that_is_its_own_cause():
    error = FileError("full")
    error.__cause__ = error
    assert not measuring._full(error)
    error.__cause__ = OSError(28, "No space left on device")
    assert measuring._full(error)
