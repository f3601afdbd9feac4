"""The command line's comforts: versions, usage lines, destinations, names that begin with "-", ranges with a sign."""

import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import __version__
from fsrcnn_np.cli import command_parser, main
from fsrcnn_np.command_parser import every
from fsrcnn_np.piqe_cli import command_parser as piqe_parser
from fsrcnn_np.piqe_cli import main as piqe_main

COMMANDS = [one.prog for one in every(command_parser())]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with one picture."""
    monkeypatch.chdir(tmp_path)
    iio.imwrite("a.png", np.arange(64, dtype=np.uint8).reshape(8, 8))
    return tmp_path


def stopped(run, words):
    with pytest.raises(SystemExit) as stop:
        run(words)
    return stop.value.code


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("flag", ["-V", "--version"])
@pytest.mark.parametrize("prog", [*COMMANDS, "piqe-np"])
def test_every_command_tells_its_version(prog, flag, capsys):
    name, *words = prog.split()
    assert stopped({"fsrcnn-np": main, "piqe-np": piqe_main}[name], [*words, flag]) == 0
    assert capsys.readouterr().out == f"{name} {__version__}\n"


@pytest.mark.parametrize("prog", [*COMMANDS, "piqe-np"])
@pytest.mark.parametrize("wrong", ["--no-such-option", "--\x1b[31mred"])
def test_wrong_words_show_the_usage_of_the_command_that_they_were_given_to(prog, wrong, capsys):
    name, *words = prog.split()
    parsers = {one.prog: one for one in [*every(command_parser()), *every(piqe_parser())]}
    needed = [
        word
        for action in parsers[prog]._actions
        if action.required and not action.choices
        for word in [*action.option_strings[:1], *["x"] * (action.nargs if isinstance(action.nargs, int) else 1)]
    ]
    group = any(action.choices and not action.option_strings for action in parsers[prog]._actions)
    if group:
        wrong = "no-such-command"
    assert stopped({"fsrcnn-np": main, "piqe-np": piqe_main}[name], [*words, *needed, wrong]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: {prog} [-h]")
    assert said.splitlines()[-1].startswith(f"{prog}: error: ")
    assert "\x1b" not in said
    assert "required" not in said


def test_one_input_to_a_file_in_a_new_folder(here):
    assert main(["upscale", "a.png", "-o", "o/out.png"]) == 0
    assert iio.imread("o/out.png").shape == (16, 16)


def test_the_same_suffix_as_the_input_s_is_a_file_whatever_it_is(here):
    (here / "a.png").rename("a.img")
    assert main(["upscale", "a.img", "-o", "o/b.img"]) == 0
    assert files(here / "o") == ["b.img"]


@pytest.mark.parametrize("name", ["out.xyz", "o/out.xyz", "out.pgn"])
def test_an_unknown_suffix_is_told_the_known_ones(here, capsys, name):
    assert main(["upscale", "a.png", "-o", name]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert ".png, .tif" in said
    assert f"{name}/" in said
    assert files(here) == ["a.png"]


@pytest.mark.parametrize("name", ["out.xyz/", "out.png/", "out.tif/", "2026.11.27", "out", "exists.v2"])
def test_folders_with_a_dot(here, name):
    (here / "exists.v2").mkdir()
    assert main(["upscale", "a.png", "-o", name]) == 0
    assert files(here / name) == ["a.png"]


def test_several_inputs_into_a_folder_of_any_name_but_a_picture_s(here, capsys):
    iio.imwrite("b.png", iio.imread("a.png"))
    assert main(["upscale", "a.png", "b.png", "-o", "run.final"]) == 0
    assert files(here / "run.final") == ["a.png", "b.png"]
    assert main(["upscale", "a.png", "b.png", "-o", "out.png"]) == 2
    assert not (here / "out.png").exists()


@pytest.mark.parametrize("command", ["compare a.png", "demo", "phantom", "measure", "study demo", "study run ."])
def test_no_folder_is_called_out_png(here, command, capsys):
    assert stopped(main, [*command.split(), "-o", "out.png"]) == 2
    assert "give a folder" in capsys.readouterr().err
    assert files(here) == ["a.png"]


@pytest.mark.parametrize("name", ["-x.png", "-o.png", "-output.png", "--json.png", "--data-range=9.png", "-h.png"])
def test_names_that_begin_like_options(here, capsys, name):
    """As `fsrcnn-np upscale *.png` gives them."""
    (here / "a.png").rename(name)
    assert main(["upscale", name, "-o", "out"]) == 0
    assert files(here / "out") == [name]
    assert piqe_main([name]) == 0
    assert piqe_main(["--json", "--", name]) == 0
    assert name in capsys.readouterr().out


def test_an_option_to_the_letter_stays_one(here, capsys):
    (here / "a.png").rename("--json")
    assert piqe_main(["--json", "./--json"]) == 0
    assert capsys.readouterr().out.startswith('{"run": ')


@pytest.fixture
def signed(here):
    np.save("signed.npy", np.random.default_rng(0).integers(-300, 2000, (32, 32)).astype(np.int16))
    return "signed.npy"


@pytest.mark.parametrize("words", [["--data-range", "-2048:2047"], ["--data-range=-2048:2047"]])
def test_a_range_with_a_sign_needs_no_equals_sign(signed, capsys, words):
    assert main(["upscale", signed, "-o", "out", *words]) == 0
    assert piqe_main([*words, signed]) == 0
    said = capsys.readouterr()
    assert "-2048..2047 (data_range)" in said.out
    assert "-2048 to 2047 (data_range)" in said.out
    assert said.err == ""


def test_negative_int16_is_told_how_to_say_its_range(signed, capsys):
    assert main(["upscale", signed, "-o", "out"]) == 0
    assert "(--data-range=-2048:2047 for 12 bits with a sign, else =LOW:HIGH)" in capsys.readouterr().out
    assert main(["upscale", signed, "-o", "out2", "--data-range", "4095"]) == 1
    assert ", allowed is 0..4095" in (said := capsys.readouterr().err)
    assert "--data-range=LOW:HIGH" in said
    assert piqe_main([signed, "--data-range", "4095"]) == 1
    assert "--data-range=LOW:HIGH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (main, "upscale a.png -o"), (main, "compare a.png -o"), (main, "upscale a.png -o out --report"),
        (main, "phantom -o"), (main, "study report results -o"), (main, "study table2 --paper -o"),
        (main, "dicom fetch http://127.0.0.1:9/x --study 1.2 -o"), (main, "weights convert x2"),
        (piqe_main, "a.png --masks"), (piqe_main, "a.png --report"),
    ],
)  # fmt: skip
def test_an_empty_name_is_not_the_folder_where_the_command_runs(here, capsys, run, words):
    """As of -o "$OUT" where OUT was never set."""
    assert stopped(run, [*words.split(), ""]) == 2
    assert "'' names nothing" in capsys.readouterr().err
    assert files(here) == ["a.png"]
