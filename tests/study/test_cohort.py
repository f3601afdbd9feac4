"""What is a cohort, and what is wrong with it: one line with row and column, and the rest goes on."""

import os

import pytest

from cohort_images import small_images
from fsrcnn_np.errors import FileError, FormatError, OptionError
from fsrcnn_np.study.cohort import read_cohort


def lines(cohort):
    return [str(one) for one in cohort.left_out]


def csv(folder, text, *, encoding="utf-8", name="cohort.csv"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_folder_is_all_images_below_it_but_the_results(tmp_path):
    small_images(tmp_path / "a" / "b", 2)
    small_images(tmp_path / "results" / "sr", 1)
    (tmp_path / "notes.txt").write_text("no image")
    cohort = read_cohort(tmp_path, without=tmp_path / "results")
    assert [entry.name for entry in cohort.entries] == ["a/b/000.png", "a/b/001.png"]
    assert cohort.left_out == ()
    with pytest.raises(OptionError, match="the cohort itself"):
        read_cohort(tmp_path, without=tmp_path)


def test_what_a_csv_says(tmp_path):
    small_images(tmp_path, 2)
    text = "path,patient,breast,view,age,data_range,truth,birads,site\n"
    text += "000.png,A,left,mlo,50.5,4095,001.png,4a,north\n001.png,,,,,-100:4095,,,\n"
    first, second = read_cohort(csv(tmp_path, text)).entries
    assert first.texts == {"patient": "A", "breast": "L", "view": "MLO", "birads": "4a"}
    assert (first.age, first.data_range, first.groups) == (50.5, 4095, {"site": "north"})
    assert os.path.samefile(first.truth, tmp_path / "001.png")
    assert (second.texts, second.age, second.data_range, second.truth) == ({}, None, (-100, 4095), None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_semicolons_decimal_commas_and_marks(tmp_path, encoding):
    small_images(tmp_path, 1)
    text = "Path;Age;Data Range;Größe\r\n000.png;50,5;0:4095,5;groß\r\n"
    cohort = read_cohort(csv(tmp_path, text, encoding=encoding))
    (entry,) = cohort.entries
    assert (entry.name, entry.age, entry.data_range) == ("000.png", 50.5, (0, 4095.5))
    assert entry.groups == {"Größe": "groß"}
    assert not cohort.left_out


def test_an_unknown_column_is_a_group_and_said(tmp_path):
    small_images(tmp_path, 1)
    cohort = read_cohort(csv(tmp_path, "path,densitiy,site\n000.png,c,north\n"))
    assert cohort.remarks[0].endswith("column densitiy: taken as a group of your own; did you mean density?")
    assert cohort.remarks[1].endswith("column site: taken as a group of your own")


WRONG = {
    "no file": ("path\nnone.png\n", "row 2, column path: none.png: there is no such file"),
    "no path": ("path,age\n,3\n", "row 2, column path: is empty"),
    "no truth": ("path,truth\n000.png,x.png\n", "row 2, column truth: x.png: there is no such file"),
    "breast": ("path,breast\n000.png,B\n", "row 2, column breast: found 'B'; allowed are L and R"),
    "range": ("path,data_range\n000.png,12 bit\n", "row 2, column data_range: found '12 bit'"),
    "range upside down": ("path,data_range\n000.png,9:1\n", "row 2, column data_range: found '9:1'"),
    "negative range": ("path,data_range\n000.png,-5\n", "row 2, column data_range: found '-5'"),
    "cells": ("path,age\n000.png,1,2\n", "row 2: 3 cells under 2 columns"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_is_one_line_and_the_rest_goes_on(tmp_path, name):
    small_images(tmp_path, 2)
    text, line = WRONG[name]
    cohort = read_cohort(csv(tmp_path, text + "001.png" + "," * text.split("\n")[0].count(",") + "\n"))
    assert [entry.name for entry in cohort.entries] == ["001.png"]
    assert [line in found for found in lines(cohort)] == [True]


def test_a_wrong_age_costs_the_age_alone(tmp_path):
    small_images(tmp_path, 1)
    cohort = read_cohort(csv(tmp_path, "path,age\n000.png,old\n"))
    assert cohort.entries[0].age is None
    assert "row 2, column age: 'old' is no number" in lines(cohort)[0]


def test_a_row_that_stands_twice_counts_once(tmp_path):
    small_images(tmp_path / "x", 1)
    cohort = read_cohort(csv(tmp_path, "path\nx/000.png\n./x/../x/000.png\n"))
    assert len(cohort.entries) == 1
    assert "row 3, column path: x/000.png stands in row 2 already" in lines(cohort)[0]


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        ("file name,age\n", FormatError, "no column path"),
        ("", FormatError, "no column path"),
        (None, FileError, "no such"),
    ],
)
def test_no_cohort(tmp_path, text, error, line):
    path = tmp_path / "c.csv" if text is None else csv(tmp_path, text)
    with pytest.raises(error, match=line):
        read_cohort(path)


def test_names_that_no_table_could_hold(tmp_path):
    (name,) = small_images(tmp_path, 1)
    odd = os.path.join(os.fsencode(tmp_path), b"\xff<b>=1.png")
    try:
        os.rename(tmp_path / name, odd)
    except OSError:
        return  # a file system that takes UTF-8 alone has no such files
    (entry,) = read_cohort(tmp_path).entries
    assert entry.name == "\\xff<b>=1.png"
    assert os.path.exists(entry.path)
