import errno
import gzip
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from fsrcnn_np import files
from fsrcnn_np.cli import main
from fsrcnn_np.files import find_inputs
from fsrcnn_np.files.target import split


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in (
        "one/a.png", "one/b.TIF", "one/notes.txt", "one/.hidden.png", "one/deep/a.png", "two/a.png", "two/c.pgm",
        "empty/readme.txt", ".cache/z.png", "three/x.png", "three/x.tif", "brackets/[1].png",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"-")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*patterns, **options):
    return [found.name for found in find_inputs(patterns, **options)]


def test_files_keep_their_order_and_names(tree):
    found = find_inputs(["two/c.pgm", tree / "one" / "a.png"])
    assert [i.path for i in found] == ["two/c.pgm", str(tree / "one" / "a.png")]
    assert [i.name for i in found] == ["c.pgm", "a.png"]
    assert [i.stem for i in found] == ["c", "a"]
    assert [i.error for i in found] == [None, None]


def test_folders_give_all_below_sorted(tree):
    assert names("one") == ["a.png", "b.TIF", os.path.join("deep", "a.png")]
    found = [name.replace(os.sep, "/") for name in names(".")]
    assert found[:4] == ["brackets/[1].png", "one/a.png", "one/b.TIF", "one/deep/a.png"]
    assert found[4:] == ["three/x.png", "three/x.tif", "two/a.png", "two/c.pgm"]
    assert names("one", suffixes=[".tif"]) == ["b.TIF"]


def test_names_are_unique(tree):
    assert names("one/a.png", "two/a.png") == [os.path.join("one", "a.png"), os.path.join("two", "a.png")]
    assert names("one", "two") == [
        os.path.join("one", "a.png"), "b.TIF", os.path.join("deep", "a.png"), os.path.join("two", "a.png"), "c.pgm",
    ]  # fmt: skip
    assert names("one/deep/a.png", "one") == [os.path.join("deep", "a.png"), os.path.join("one", "a.png"), "b.TIF"]


def test_names_are_unique_where_case_does_not_count(tree):
    (tree / "one" / "A.PNG").touch()
    found = names("one/a.png", "one/A.PNG", "two/a.png")
    assert len({name.casefold() for name in found}) == 3
    assert found[1].endswith("-2.PNG")


def test_names_are_unique_where_letters_are_composed_otherwise(tree):
    """é as one character or as e with an accent behind it: macOS has one file of both."""
    for name in ("\u00e9.png", "e\u0301.png", "E\u0301.tif"):
        (tree / "one" / name).touch()
    found = find_inputs(["one"])
    made = [unicodedata.normalize("NFC", i.name) for i in found]
    assert len({name.casefold() for name in made}) == len(made)
    assert len({unicodedata.normalize("NFC", i.stem).casefold() for i in found}) == len(found)


def test_a_name_with_two_colons_is_a_file_s(tree):
    assert split("x::y.png") == (Path("x::y.png"), None)
    assert split("x.h5::y.png") == (Path("x.h5"), "/y.png")
    assert split("x::3") == (Path("x"), "/3")


def test_stems_are_unique_without_the_suffix(tree):
    found = find_inputs(["three", "one/a.png"])
    assert [i.stem for i in found] == ["x_png", "x_tif", "a"]


def test_duplicates_count_once(tree):
    assert names("one/a.png", "./one/a.png", tree / "one" / "a.png", "one/*.png") == ["a.png"]
    os.symlink(tree / "one" / "a.png", tree / "two" / "same.png")
    assert names("one/a.png", "two/same.png") == ["a.png"]


def test_globs(tree):
    assert names("t*/*.p?m", "*/a.png") == ["c.pgm", os.path.join("one", "a.png"), os.path.join("two", "a.png")]
    assert len(names("**/a.png")) == 3
    assert names("brackets/[1].png") == ["[1].png"], "a file of this very name is no glob"
    assert names("one*") == ["a.png", "b.TIF", os.path.join("deep", "a.png")]


def test_errors_are_entries(tree):
    found = find_inputs(["empty", "one/a.png", "*.gif", "missing.png"])
    assert [bool(i.error) for i in found] == [True, False, True, False]
    assert found[0].error.startswith("empty: a folder without images (.png, ")
    assert found[2].error == "*.gif: no file matches"
    assert found[3].path == "missing.png"
    assert find_inputs([]) == []


def test_links_to_folders_are_not_followed(tree):
    os.symlink(tree, tree / "one" / "loop")
    assert len(names("one")) == 3


def test_hdf5_datasets(tree):
    (tree / "scan.h5").touch()
    found = find_inputs(["scan.h5::/left", "scan.h5::right/cc", "scan.h5::/left", "one/a.png"])
    assert [i.path for i in found] == ["scan.h5::/left", "scan.h5::right/cc", "one/a.png"]
    assert [i.name for i in found] == ["scan_left.h5", "scan_right_cc.h5", "a.png"]
    assert names("scan.h5::/left") == ["scan_left.h5"]
    assert [i.path for i in find_inputs(["*.h5::/left"])] == ["scan.h5::/left"]


def test_content_decides_what_is_dicom(tree):
    folder = tree / "cd"
    folder.mkdir()
    for name in ("IM000001", "MR.1.2.840.113619.2", "DICOMDIR", "a.IMA", "b.dic"):
        (folder / name).write_bytes(bytes(128) + b"DICM")
    (folder / "bare").write_bytes(b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + bytes(200))
    (folder / "README").write_bytes(b"no")
    (folder / "notes").write_bytes(b"\x08" * 300)
    os.mkfifo(folder / "pipe")
    assert names("cd") == ["DICOMDIR", "IM000001", "MR.1.2.840.113619.2", "a.IMA", "b.dic", "bare"]
    assert find_inputs(["cd"], suffixes=[".png"])[0].error


def test_split():
    assert split("a.h5::/x/y") == (Path("a.h5"), "/x/y")
    assert split("a.h5::x").dataset == "/x"
    assert split("a.h5::").dataset is None
    assert split("a.h5").dataset is None
    assert str(split("C:/b.h5::/x").path) == "C:/b.h5"


def test_a_colon_in_a_file_name(tree):
    (tree / "a::b.png").touch()
    assert split("a::b.png").dataset is None
    assert names("a::b.png") == ["a::b.png"]


def test_a_folder_that_cannot_be_read_is_an_entry_and_the_rest_goes_on(tree, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "deep":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_inputs(["one"])
    assert [i.error for i in found[:2]] == [None, None]
    assert [i.error for i in found[2:]] == [f"{Path('one', 'deep')}: a folder that cannot be read: Permission denied"]


def test_packed_files_of_a_folder_are_skipped_with_a_line(tmp_path):
    """By name and content: what only has such a name, and hidden files, are left out as before."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "a.dcm.gz").write_bytes(gzip.compress(b"an object"))
    (folder / "b.ZIP").write_bytes(b"PK\3\4 and more")
    (folder / "c.gz").write_bytes(b"something else")
    (folder / ".d.zip").write_bytes(b"PK\3\4")
    (folder / "e.zip").mkdir()
    (folder / "f.png").write_bytes(b"")
    found = find_inputs([folder])
    assert [(Path(item.path).name, item.skipped) for item in found] == [
        ("a.dcm.gz", True), ("b.ZIP", True), ("f.png", False),
    ]  # fmt: skip
    assert found[0].error == f"{folder / 'a.dcm.gz'}: is compressed with gzip; unpack it first (gunzip)"
    assert found[1].error == f"{folder / 'b.ZIP'}: is a ZIP archive; unpack it first, and give the folder"
    (folder / "f.png").unlink()
    assert [item.skipped for item in find_inputs([folder])] == [True, True, False]
    assert "a folder without images" in find_inputs([folder])[2].error


def test_commands_say_skipped_and_go_on(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    files.write(tmp_path / "in" / "a.png", np.full((16, 16), 9, np.uint8))
    (tmp_path / "in" / "b.dcm.gz").write_bytes(gzip.compress(b"an object"))
    line = f"{tmp_path / 'in' / 'b.dcm.gz'}: is compressed with gzip; unpack it first (gunzip); skipped\n"
    for command in ("upscale", "compare"):
        assert main([command, str(tmp_path / "in"), "-o", str(tmp_path / command)]) == 0
        assert line in "".join(capsys.readouterr())
    assert main(["upscale", str(tmp_path / "in" / "b.dcm.gz"), "-o", str(tmp_path / "named")]) == 1


def test_outputs_of_an_earlier_run_are_no_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.png", "in/deep/b.png", "in/out/a.png", "in/out/deep/b.png", "in/outside.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")

    def found(*patterns, without="in/out"):
        return [item.path for item in find_inputs(patterns, without=without)]

    own = ["in/a.png", "in/outside.png", "in/deep/b.png"]
    assert found("in") == own
    assert found("in", without=tmp_path / "in" / "deep" / ".." / "out") == own
    assert sorted(found("in/**/*.png")) == sorted(own)
    assert found("in/*") == [own[0], own[2], own[1]]
    assert found("in/out") == ["in/out/a.png", "in/out/deep/b.png"]  # meant
    assert found("in/out/*.png") == ["in/out/a.png"]
    assert found("in/out/deep", "in/out/a.png") == ["in/out/deep/b.png", "in/out/a.png"]
    assert len(found("in", without="elsewhere")) == 5
    assert len(found("in", without=tmp_path)) == 5
