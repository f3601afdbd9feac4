"""The `fsrcnn-np` command as a user meets it: lines, files, exit status; never a traceback, never a partial file."""

import os
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest

import fsrcnn_np
from fsrcnn_np.cli import main
from fsrcnn_np.piqe_cli import main as piqe_main


@pytest.fixture
def folder(tmp_path):
    """Two pictures of one name in two folders, and one that is no picture."""
    image = np.random.default_rng(0).integers(0, 65536, (12, 10), np.uint16)
    for name in ("a/one.png", "b/one.png"):
        (tmp_path / name).parent.mkdir()
        iio.imwrite(tmp_path / name, image)
    (tmp_path / "a" / "broken.png").write_bytes((tmp_path / "a" / "one.png").read_bytes()[:60])
    return tmp_path


def outputs(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


def test_upscale_one(folder, capsys):
    assert main(["upscale", str(folder / "a" / "one.png"), "-o", str(folder / "out")]) == 0
    result = iio.imread(folder / "out" / "one.png")
    np.testing.assert_array_equal(result, fsrcnn_np.upscale(iio.imread(folder / "a" / "one.png")))
    said = capsys.readouterr()
    assert "24×20" in said.out
    assert "uint16" in said.out
    assert said.err == ""  # quiet in a pipe: no progress bar


def test_names_do_not_collide_and_one_failure_does_not_stop_the_rest(folder, capsys):
    assert main(["upscale", str(folder / "a"), str(folder / "b"), "-o", str(folder / "out")]) == 1
    assert len([name for name in outputs(folder / "out") if name.endswith("one.png")]) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert "broken.png" in line
    assert not [name for name in outputs(folder / "out") if "broken" in name or ".part" in name]


def test_what_exists_is_kept_unless_told(folder, capsys):
    command = ["upscale", str(folder / "a" / "one.png"), "-o", str(folder / "out")]
    (folder / "out").mkdir()
    (folder / "out" / "one.png").write_bytes(b"mine")
    assert main(command) == 1  # whoever made it, it is not what was asked for
    assert (folder / "out" / "one.png").read_bytes() == b"mine"
    assert "one.png" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert iio.imread(folder / "out" / "one.png").shape == (24, 20)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["upscale"],
        ["upscale", "x.png"],
        ["upscale", "x.png", "-o", "out", "--data-range", "-3"],
        ["upscale", "x.png", "-o", "out", "--data-range", "nan"],
        ["upscale", "x.png", "-o", "out", "--data-range", "9:4"],
        ["upscale", "x.png", "-o", "out", "--threads", "0"],
        ["upscale", "x.png", "-o", "out", "--threads", "many"],
        ["upscale", "x.png", "-o", "out", "--weights", "no-such-model"],
        ["upscale", "x.png", "-o", "out", "--engine", "cuda"],
        ["compare", "x.png", "-o", "out", "--square", "3"],
        ["sharpen"],
    ],
)
def test_wrong_usage_is_2(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(words)
    except SystemExit as leaving:
        status = leaving.code
    assert status == 2
    assert "Traceback" not in capsys.readouterr().err
    assert outputs(tmp_path) == []


def test_data_range(folder, capsys):
    command = ["upscale", str(folder / "a" / "one.png"), "-o", str(folder / "out"), "--data-range", "4095"]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "0..4095" in said
    assert "one.png" in said
    assert main([*command[:-1], "0:65535"]) == 0


@pytest.mark.parametrize("what", ["missing.png", "empty", "x*.png", "text.txt"])
def test_inputs_that_are_none(what, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no picture")
    assert main(["upscale", str(tmp_path / what), "-o", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert what in line


def test_folder_that_cannot_be_written(folder, capsys):
    (folder / "file").write_text("in the way")
    assert main(["upscale", str(folder / "a" / "one.png"), "-o", str(folder / "file" / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "one.png" in line


def test_as_a_process(folder):
    """Installed entry, closed pipe and all: one line on standard error, the documented status."""
    environment = os.environ | {"FSRCNN_NP_THREADS": "1"}
    command = [sys.executable, "-m", "fsrcnn_np", "upscale", str(folder / "a"), "-o", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "broken.png" in done.stderr
    done = subprocess.run([sys.executable, "-m", "fsrcnn_np", "--version"], capture_output=True, text=True)
    assert done.stdout.split() == ["fsrcnn-np", fsrcnn_np.__version__]


def test_compare(folder, capsys):
    """A table and a figure of each good input; the broken one is one line; a second run keeps what is there."""
    command = ["compare", str(folder / "a"), str(folder / "b"), "-o", str(folder / "out"), "--square", "2,3,4"]
    assert main(command) == 1
    said = capsys.readouterr()
    assert "bicubic" in said.out
    (line,) = said.err.splitlines()
    assert "broken.png" in line
    names = outputs(folder / "out")
    assert len([name for name in names if name.endswith(".png")]) == 2
    assert {"comparison.txt", "comparison.csv", "comparison.json"} <= set(names)
    before = {name: (folder / "out" / name).read_bytes() for name in names}
    assert main(command) == 1
    assert {name: (folder / "out" / name).read_bytes() for name in outputs(folder / "out")} == before
    assert "kept" in capsys.readouterr().out


def test_weights(capsys):
    assert main(["weights", "list"]) == 0
    assert "x2" in capsys.readouterr().out
    assert main(["weights", "show", "x2"]) == 0
    assert fsrcnn_np.load_weights("x2").sha256[:12] in capsys.readouterr().out


def test_the_input_itself_is_never_replaced(folder, capsys):
    source = folder / "a" / "one.png"
    before = source.read_bytes()
    assert main(["upscale", str(source), "-o", str(folder / "a"), "--overwrite"]) == 1
    assert "the input itself" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_standard_output_that_cannot_be_written(folder):
    """A full disk behind it, or an encoding without the letters: a line, never a traceback."""
    command = [sys.executable, "-m", "fsrcnn_np", "upscale", str(folder / "b"), "-o", str(folder / "out")]
    ascii_only = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert ascii_only.returncode == 0
    assert ascii_only.stderr == ""
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_cannot_write_lines_or_terminal_codes(tmp_path, capsys):
    name = "a\nb\x1b[31m.png"
    iio.imwrite(tmp_path / "a.png", np.full((9, 8), 7, np.uint8))
    (tmp_path / "a.png").rename(tmp_path / name)
    (tmp_path / f"broken{name}").write_bytes(b"")
    paths = [str(tmp_path / name), str(tmp_path / f"broken{name}")]
    assert main(["upscale", *paths, "-o", str(tmp_path / "out")]) == 1
    assert main(["upscale", paths[0], "-o", str(tmp_path / "out")]) == 0  # kept
    assert main(["compare", paths[0], "-o", str(tmp_path / "compared")]) == 0
    assert piqe_main(paths) == 1
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "\x1b" not in text
        assert not [line for line in text.splitlines() if line.startswith(("b\x1b", "b\\x1b"))]
    assert "a\\nb\\x1b[31m.png" in said.out


def test_an_array_of_booleans_is_refused_by_name(tmp_path, capsys):
    np.save(tmp_path / "mask.npy", np.eye(9, dtype=bool))
    assert main(["upscale", str(tmp_path / "mask.npy"), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "found dtype bool" in said
    assert "unexpected" not in said


@pytest.mark.parametrize("command", ["upscale", "compare", "piqe"])
def test_a_name_that_no_system_takes_is_one_line(command, folder, capsys):
    """Of 5,000 letters: shown shortened, and the rest of the batch goes on."""
    name = "x" * 5000
    words = [str(folder / "b" / "one.png"), name]
    status = piqe_main(words) if command == "piqe" else main([command, *words, "-o", str(folder / "out")])
    assert status == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "xxxx" in line]
    assert len(said) == 1
    assert "File name too long" in said[0]
    assert "report" not in said[0]
    assert len(said[0]) < 4000


def test_a_name_that_no_system_takes_says_so_everywhere(tmp_path, capsys, monkeypatch):
    """Of 300 letters: the reason stands behind it, in the system's words."""
    monkeypatch.chdir(tmp_path)
    name = "x" * 300
    for words in (["weights", "show", f"{name}.h5"], ["provenance", name], ["upscale", f"{name}.png", "-o", "out"]):
        assert main(words) != 0
        said = capsys.readouterr().err
        assert "[Errno" not in said
        assert said.count(name) == 1
        assert "File name too long" in said or "there is no such file" in said


def test_a_failed_input_is_named_once(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"")
    assert piqe_main(["."]) == 1
    assert capsys.readouterr().err.count("broken.png") == 1


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("module", ["fsrcnn_np", "piqe_np"])
def test_closed_streams_stop_nothing(folder, closing, module):
    image = str(folder / "a" / "one.png")
    words = ["upscale", image, "-o", "out"] if module == "fsrcnn_np" else [image, "--masks", "out"]
    line = f'exec "$@" {closing}'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(outputs(folder / "out")) == (1 if module == "fsrcnn_np" else 4)
