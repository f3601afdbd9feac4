"""Per file: ranges from a table, one image through a pipe, all scores in one file."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import fsrcnn_np
import piqe_np
from fsrcnn_np import standard_streams
from fsrcnn_np.cli import main
from fsrcnn_np.piqe_cli import main as piqe_main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with two pictures of 12 bits and one of 10 in 16, in folders."""
    monkeypatch.chdir(tmp_path)
    for name, bits in (("a/one.png", 12), ("a/two.png", 12), ("b/ten.png", 10)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image = np.random.default_rng(bits).integers(0, 2**bits, (40, 36)).astype(np.uint16)
        image[0, 0] = 2**bits - 1
        iio.imwrite(name, image)
    return tmp_path


def stopped(run, words):
    with pytest.raises(SystemExit) as stop:
        run(words)
    return stop.value.code


RIGHT = {"a/one.png": 4095, "a/two.png": (0, 8191), "b/ten.png": 1023}


@pytest.fixture
def table(here):
    (here / "tables").mkdir()
    path = here / "tables" / "ranges.csv"
    path.write_text(
        "path,data_range,comment\n../a/one.png,4095,x\n\n../a/two.png,0:8191,\n" + f"{here}/b/ten.png,1023,\n"
    )
    return str(path)


@pytest.fixture(params=["upscale", "piqe", "compare"])
def command(request):
    """Which range was taken of each file, of a run over some words; and what it wrote to standard error."""

    def upscale(words, capsys):
        assert main(["upscale", *words, "-o", "out"]) == 0
        said = capsys.readouterr()
        lines = [line.split(": ") for line in said.out.splitlines() if ", range " in line]
        ranges = [line[1].split("range ")[1].split(" (")[0] for line in lines]
        return [tuple(map(float, one.split(".."))) for one in ranges], said

    def score(words, capsys):
        assert piqe_main(["--json", *words]) == 0
        said = capsys.readouterr()
        *records, _ = map(json.loads, said.out.splitlines())
        return [(one["low"], one["high"]) for one in records], said

    def compare(words, capsys):
        assert main(["compare", *words, "-o", "out"]) == 0
        found = json.loads(Path("out/comparison.json").read_text(encoding="utf-8"))["comparisons"]
        return [(one["value_range"]["low"], one["value_range"]["high"]) for one in found], capsys.readouterr()

    return {"upscale": upscale, "piqe": score, "compare": compare}[request.param]


def test_each_file_has_its_own_range(command, table, capsys):
    found, said = command(["a", "b", "--data-range", table], capsys)
    assert found == [(0, 4095), (0, 8191), (0, 1023)]
    assert said.err == ""


def test_what_the_table_lacks_and_what_the_inputs_lack(command, table, here, capsys):
    iio.imwrite("b/not_in_it.png", np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16)
    with open(table, "a") as file:
        file.write("../a/no_such.png,4095,\n")
    found, said = command(["a/one.png", "b", "--data-range", table], capsys)
    assert found == [(0, 4095), (0, 65535), (0, 1023)]
    lines = (said.out + said.err).splitlines()
    assert sum("is none of the inputs; the row was not used" in line for line in lines) == 2
    assert any("row 4" in line and "two.png" in line for line in lines)
    assert any("not_in_it.png" in line and "has no row for it" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column data_range"),
        ("a/one.png,4095\n", "no column data_range; found a/one.png, 4095"),
        ("path,range\na/one.png,4095\n", "no column data_range; found path, range"),
        ("path,data_range\n", "no rows"),
        ("path,data_range\na/one.png,4095\n./a/../a/one.png,4095\n", "row 3: ./a/../a/one.png is in row 2 already"),
        ("path,data_range\na/one.png,wide\n", "row 2: 'wide' is no number R"),
        ("path,data_range\na/one.png,-1\n", "row 2: '-1': R must be positive"),
        ("path,data_range\na/one.png,9:4\n", "row 2: '9:4'"),
        ("path,data_range\n,4095\n", "row 2: no path"),
        ("path,data_range\na/one.png,1,2\n", "row 2: 3 cells under 2 columns"),
        ("path,data_range,data_range\na/one.png,1,2\n", "two columns data_range"),
        ("path,data_range\n\0", "is no text"),
    ],
)
def test_a_table_with_something_wrong_is_wrong_usage(here, capsys, text, says):
    (here / "t.csv").write_text(text)
    assert stopped(main, ["upscale", "a", "-o", "out", "--data-range", "t.csv"]) == 2
    assert says in capsys.readouterr().err
    assert stopped(piqe_main, ["a", "--data-range", "t.csv"]) == 2
    assert says in capsys.readouterr().err
    assert not (here / "out").exists()


def test_a_table_that_is_not_there(here, capsys):
    assert stopped(piqe_main, ["a", "--data-range", "no.csv"]) == 2
    assert "no.csv: there is no such file" in capsys.readouterr().err


def test_a_table_of_datasets(here, capsys):
    import h5py

    with h5py.File("both.h5", "w") as file:
        for name in ("x", "y"):
            file[name] = iio.imread("a/one.png")
    (here / "t.csv").write_text("path;data_range\nboth.h5::/x;4095\nboth.h5;8191\n")
    assert piqe_main(["--json", "both.h5::/x", "both.h5::y", "--data-range", "t.csv"]) == 0
    *records, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert [one["high"] for one in records] == [4095, 8191]


# one image through a pipe


def pipe(module, *words, data=b"", **environment):
    return subprocess.run(
        [sys.executable, "-m", module, *words], input=data, capture_output=True, env={**os.environ, **environment}
    )


def test_from_pipe_to_pipe(here):
    data = (here / "a" / "one.png").read_bytes()
    done = pipe("fsrcnn_np", "upscale", "-", "-o", "-", "--data-range", "4095", data=data)
    assert done.returncode == 0
    np.testing.assert_array_equal(
        iio.imread(done.stdout, extension=".png"), fsrcnn_np.upscale(iio.imread("a/one.png"), data_range=4095)
    )
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("fsrcnn-np: standard output: 80×72, range 0..4095")


@pytest.mark.parametrize(
    ("suffix", "magic"), [("tif", b"II"), ("npy", b"\x93NUMPY"), ("pgm", b"P5"), ("h5", b"\x89HDF")]
)
def test_another_format_by_option(here, capfdbinary, suffix, magic):
    assert main(["upscale", "a/one.png", "-o", "-", "--format", suffix]) == 0
    assert capfdbinary.readouterr().out.startswith(magic)


def test_content_tells_the_format_of_standard_input(here, tmp_path):
    image = iio.imread("a/one.png")
    for suffix in ("tif", "npy"):
        done = pipe("fsrcnn_np", "upscale", "a/one.png", "-o", "-", "--format", suffix)
        again = pipe("piqe_np", "--json", "-", data=done.stdout)
        record, _ = map(json.loads, again.stdout.splitlines())
        assert record["input"] == "standard input"
        assert record["score"] == piqe_np.piqe(fsrcnn_np.upscale(image)).score
    done = pipe("fsrcnn_np", "upscale", "-", "-o", "out", data=(here / "a" / "one.png").read_bytes())
    assert done.stdout.startswith(b"out/standard-input.png: 80")
    done = pipe("fsrcnn_np", "upscale", "-", "-o", "o/x.tif", data=(here / "a" / "one.png").read_bytes())
    assert done.stdout.startswith(b"o/x.tif: 80")
    assert iio.imread("o/x.tif").shape == (80, 72)


@pytest.mark.parametrize("module", ["fsrcnn_np upscale - -o -", "piqe_np -"])
@pytest.mark.parametrize(
    ("data", "says"), [(b"", "is empty"), (b"no image", "unknown format"), (b"\x89PNG\r\n\x1a\n", "")]
)
def test_what_is_no_image_is_one_line(here, module, data, says):
    module, *words = module.split()
    done = pipe(module, *words, data=data)
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert "standard input" in line
    assert says in line
    assert "fsrcnn-np-" not in line  # the temporary folder's name


@pytest.mark.parametrize(
    "words",
    [
        ["upscale", "-", "a/one.png", "-o", "out"],
        ["upscale", "-", "-", "-o", "out"],
        ["upscale", "a", "-o", "-"],
        ["upscale", "a/one.png", "-o", "-", "--sidecar"],
        ["upscale", "a/one.png", "-o", "-", "--json"],
        ["upscale", "a/one.png", "-o", "out", "--format", "png"],
    ],
)
def test_wrong_usage_of_pipes(here, words, capsys):
    assert main(words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (here / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_terminals_are_refused(here):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fsrcnn_np", "upscale"]
    out = subprocess.run([*command, "a/one.png", "-o", "-"], stdout=theirs, stderr=subprocess.PIPE)
    assert out.returncode == 2
    assert b"terminal" in out.stderr
    taken = subprocess.run([*command, "-", "-o", "out"], stdin=theirs, capture_output=True)
    assert taken.returncode == 2
    assert b"terminal" in taken.stderr
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)  # nothing came there
    os.close(ours)
    os.close(theirs)


def test_standard_input_has_a_bound(here, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(standard_streams, "MOST_BYTES", 1000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(5000))))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    assert piqe_main(["-"]) == 1
    assert "give it as a file" in capsys.readouterr().err
    assert list((tmp_path / "scratch").iterdir()) == []


def test_no_place_for_temporary_files(here, monkeypatch, capsys):
    def nowhere(*_, **__):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.mkdtemp", nowhere)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    assert piqe_main(["-"]) == 2
    assert "set TMPDIR" in capsys.readouterr().err


def test_a_closed_reader_is_no_failure_of_ours(here):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "fsrcnn_np", "upscale", "a/one.png", "-o", "-"], stdout=gone, stderr=subprocess.PIPE
        )
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


# all scores in one file


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_all_scores_in_one_file(here, capsys, suffix):
    (here / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert piqe_main(["a", "-o", f"scores/all{suffix}"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2  # the lines come all the same
    text = (here / "scores" / f"all{suffix}").read_text(encoding="utf-8")
    rows = json.loads(text) if suffix == ".json" else list(csv.DictReader(io.StringIO(text)))
    assert [row["input"] for row in rows] == ["a/broken.png", "a/one.png", "a/two.png"]
    for row in rows[1:]:
        assert float(row["score"]) == piqe_np.piqe(iio.imread(row["input"])).score  # every digit
        assert not row.get("error")
        assert "say so (--data-range 4095)" in str(row["remarks"])
    assert "truncated PNG" in rows[0]["error"]
    assert not rows[0].get("score")
    before = text
    capsys.readouterr()
    assert piqe_main(["a", "-o", f"scores/all{suffix}"]) == 1  # of the broken one alone
    assert f"scores/all{suffix}: exists already and is kept" in capsys.readouterr().err
    assert piqe_main(["b", "-o", f"scores/all{suffix}"]) == 1
    assert f"scores/all{suffix}: exists, made otherwise: line " in capsys.readouterr().err
    assert (here / "scores" / f"all{suffix}").read_text(encoding="utf-8") == before
    assert piqe_main(["b", "-o", f"scores/all{suffix}", "--overwrite"]) == 0
    assert (here / "scores" / f"all{suffix}").read_text(encoding="utf-8") != before


def test_a_table_of_another_kind(capsys):
    assert stopped(piqe_main, ["a", "-o", "scores.xlsx"]) == 2
    assert ".csv, .json" in capsys.readouterr().err


NAMES = ["=1+1.png", "@SUM(A1).png", "+x.png", "-x.png", "a,b.png", 'a"b.png', "é×.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_are_text_and_no_formulas(here, capsys):
    (here / "odd").mkdir()
    for name in NAMES:
        (here / "odd" / name).write_bytes((here / "a" / "one.png").read_bytes())
    os.chdir(here / "odd")
    assert piqe_main(["--csv", *NAMES, "-o", "../scores.csv"]) == 0
    shown = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    kept = list(csv.DictReader((here / "scores.csv").read_text(encoding="utf-8").splitlines()))
    for rows in (shown, kept):
        assert len(rows) == len(NAMES)
        for row, name in zip(rows, NAMES, strict=True):
            assert row["input"].removeprefix("'").removeprefix("./") == name
            assert row["input"][0] not in "=+-@"
    assert main(["compare", "=1+1.png", "-o", "cmp", "--wide"]) == 0
    (row,) = csv.DictReader((here / "odd" / "cmp" / "comparison.csv").read_text(encoding="utf-8").splitlines())
    assert row["input"] == "'=1+1.png"


def test_a_comparison_s_wide_csv_has_one_row_an_image(here):
    assert main(["compare", "a", "-o", "out", "--wide", "--data-range", "4095"]) == 0
    rows = list(csv.DictReader(Path("out/comparison.csv").read_text(encoding="utf-8").splitlines()))
    found = json.loads(Path("out/comparison.json").read_text(encoding="utf-8"))["comparisons"]
    assert [row["input"] for row in rows] == ["a/one.png", "a/two.png"]
    for row, one in zip(rows, found, strict=True):
        assert len(one["scores"]) >= 6
        for score in one["scores"]:
            assert float(row[f"{score['image']}, {score['scoring']}"]) == score["piqe"]
