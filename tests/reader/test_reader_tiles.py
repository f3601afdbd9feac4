"""Tiles: no value is lost, levels are rounded means, a case's tiles are made once and in the background."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np.errors import FileError, ImageError
from fsrcnn_np.reader.cases import Case, Pair, Side
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.display import Display
from fsrcnn_np.reader.log import Log
from fsrcnn_np.reader.pack import is_whole, read_tile, write_pack
from fsrcnn_np.reader.pyramid import TILE, decoded, encoded, halved, places, shapes, tiles
from fsrcnn_np.reader.tiles import Failed, Making, Ready, Tiles

PLAIN = Display(12, False, False, 1.0, 0.0, (0, 4095), ())


def noise(shape, dtype, seed=0):
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def naive_half(pixels):
    """Pixel by pixel, in whole numbers."""
    rows, columns = pixels.shape
    out = np.empty(((rows + 1) // 2, (columns + 1) // 2), pixels.dtype)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            four = [int(pixels[min(2 * r + i, rows - 1), min(2 * c + j, columns - 1)]) for i in (0, 1) for j in (0, 1)]
            size = (2 * abs(sum(four)) + 4) // 8
            out[r, c] = size if sum(four) >= 0 else -size
    return out


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["uint16", "int16"]), st.integers(0, 99))
def test_a_tile_comes_back(rows, columns, dtype, seed):
    pixels = noise((rows, columns), dtype, seed)
    assert (decoded(encoded(pixels), rows, columns) == pixels.view(np.uint16)).all()


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["uint16", "int16"]), st.integers(0, 99))
def test_a_level_is_rounded_means(rows, columns, dtype, seed):
    pixels = noise((rows, columns), dtype, seed)
    assert (halved(pixels) == naive_half(pixels)).all()


def test_a_level_of_many_strips():
    pixels = noise((1100, 7), "int16")
    assert (halved(pixels) == naive_half(pixels)).all()


@pytest.mark.parametrize("shape", [(1, 1), (512, 512), (513, 512), (1100, 700), (30, 1500)])
def test_the_pyramid_ends_in_one_tile(shape):
    pixels = noise(shape, "uint16")
    levels, sizes = [pixels], shapes(*shape)
    while len(levels) < len(sizes):
        levels.append(halved(levels[-1]))
    assert [level.shape for level in levels] == sizes
    assert max(sizes[-1]) <= TILE
    assert all(max(size) > TILE for size in sizes[:-1])
    found = list(tiles(pixels, threads=2))
    assert len(found) == len(places(*shape))
    for data, (level, row, column) in zip(found, places(*shape), strict=True):
        cut = levels[level][TILE * row :, TILE * column :][:TILE, :TILE]
        assert (decoded(data, *cut.shape) == cut).all()


def test_a_pack_gives_every_tile_and_nothing_else(tmp_path):
    pixels, path = noise((700, 1100), "uint16"), tmp_path / "a.tiles"
    write_pack(path, pixels, threads=1, wrote=lambda: None)
    assert is_whole(path)
    assert (decoded(read_tile(path, 0, 1, 2), 188, 76) == pixels[512:, 1024:]).all()
    for place in [(0, 2, 0), (0, 0, 3), (3, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, -1)]:
        assert read_tile(path, *place) is None
    assert read_tile(tmp_path / "none", 0, 0, 0) is None


@pytest.mark.parametrize("harm", ["cut", "empty", "other", "count"])
def test_a_damaged_pack_is_none(tmp_path, harm):
    path = tmp_path / "a.tiles"
    write_pack(path, noise((600, 600), "uint16"), threads=1, wrote=lambda: None)
    data = bytearray(path.read_bytes())
    if harm == "cut":
        del data[len(data) // 2 :]
    elif harm == "empty":
        data.clear()
    elif harm == "other":
        data[-8:] = b"SOMETHIN"
    else:
        data[-32:-24] = (1 << 19).to_bytes(8, "little")
    path.write_bytes(data)
    assert not is_whole(path)
    assert read_tile(path, 0, 0, 0) is None


def test_what_is_stopped_leaves_nothing(tmp_path):
    def stop():
        raise FileError("stopped")

    with pytest.raises(FileError):
        write_pack(tmp_path / "a.tiles", noise((600, 600), "uint16"), threads=1, wrote=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def workshop(tmp_path):
    """Makes a `Tiles` of functions that load, and ends its thread."""
    log, said, open_ones = Log(tmp_path / "reading.sqlite", read_criteria()), [], []

    def begin(**loads):
        cases = [Case(name, "", (str(tmp_path / name),), "", load) for name, load in loads.items()]
        open_ones.append(Tiles(tmp_path / "tiles", log, cases, said.append, 1))
        return open_ones[-1], said

    yield begin
    for one in open_ones:
        one.close()
    log.close()


def pair(seed=0):
    side = Side(noise((40, 30), "uint16", seed), (1.0, 1.0), PLAIN)
    return Pair(side, side, "px", ())


def test_tiles_are_made_once(workshop, tmp_path):
    (tmp_path / "a").write_text("1")
    loaded = []

    def load():
        loaded.append(1)
        return pair()

    made, said = workshop(a=load)
    assert isinstance(made.state("a", ask=False), Making)
    assert isinstance(made.make("a"), Ready)
    again, _ = workshop(a=load)
    assert isinstance(again.make("a"), Ready)
    assert (loaded, said) == ([1], [])


def test_a_file_that_changes_is_said_once(workshop, tmp_path):
    (tmp_path / "a").write_text("1")
    made, said = workshop(a=pair)
    before = made.make("a")
    (tmp_path / "a").write_text("other")
    after = made.make("a")
    made.state("a")
    assert before.images[0]["key"] != after.images[0]["key"], "a key's tiles never change"
    assert len(said) == 1
    assert said[0].startswith("case 1: its files have changed")
    (tmp_path / "a").unlink()
    assert made.state("a").images == after.images, "it is shown as it was"
    assert "gone" in said[1]


def test_a_case_that_cannot_be_shown_costs_no_other(workshop, tmp_path):
    tries = []

    def colour():
        tries.append(1)
        raise ImageError(f"{tmp_path / 'smith'}: is colour")

    def fault():
        raise ZeroDivisionError

    made, said = workshop(smith=colour, fault=fault, good=pair)
    for _ in range(2):
        assert made.make("smith") == Failed("is colour")
        made.state("smith")
    assert made.make("fault").why.startswith("meets an unexpected ZeroDivisionError")
    assert isinstance(made.make("good"), Ready)
    assert made.state("nobody") == Failed("is no longer in the study")
    assert len([line for line in said if "colour" in line]) == 1
    assert not any("smith" in line for line in said), "names of files may be names of people"


def test_keys_tell_nothing(workshop, tmp_path):
    made, _ = workshop(a=pair, b=pair)
    keys = [image["key"] for name in "ab" for image in made.make(name).images]
    assert len(set(keys)) == 4, "not even that two images are the same"
    assert all(len(key) == 32 for key in keys)
