"""Command lines: words that options know, and words that nobody meant."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fsrcnn_np import cli, files, piqe_cli
from fsrcnn_np.command_parser import Parser, every, parse

from ..mutate import NUMBERS, WORDS, words_changed
from ..target import Target

_FILES = ("a.png", "b.npy", "c.h5", "c.h5::/image", "cut.png", "nosuch.png", "out", "out/", "out.tif", ".", "ranges.csv", "*.png",
          "-x.png", "model.h5", "case.json", "a b.png", "ü.png", "x\x1b[2J.png")  # fmt: skip


@functools.cache
def _parser(piqe: bool) -> Parser:
    return piqe_cli.command_parser() if piqe else cli.command_parser()


@functools.cache
def _vocabulary(piqe: bool) -> tuple[str, ...]:
    found = {name for one in every(_parser(piqe)) for action in one._actions for name in action.option_strings}
    choices = {
        str(choice) for one in every(_parser(piqe)) for action in one._actions for choice in action.choices or ()
    }
    numbers = tuple(str(number) for number in NUMBERS)
    return (*sorted(found), *sorted(choices), *_FILES * 2, *WORDS, *numbers, "4095", "0:1", "-5:5", "x2", "1,2")


def _parsed(piqe: bool) -> Callable[[bytes, Path], object]:
    """Reads a command line and does nothing of what it says."""

    def run(data: bytes, place: Path) -> None:
        with _heard() as (_, complaints):
            try:
                parse(_parser(piqe), _words(data), mixed=piqe)
            except SystemExit as end:
                assert end.code in (0, 2), end.code
            except OSError as error:  # of a name that no system takes: `command` says it in a line
                assert error.filename
        text = complaints.getvalue()
        assert all(line.isprintable() for line in text.splitlines()), text[-300:]
        assert "Traceback" not in text

    return run


def _command(data: bytes, place: Path) -> None:
    """Runs a command on small files in a folder of its own."""
    words = _words(data)
    here = os.getcwd()
    _furnish(place)
    os.chdir(place)
    try:
        with _heard() as (said, complaints):
            try:
                main = piqe_cli.main if words[:1] == ["piqe"] else cli.main
                status: object = main(words[1:] if words[:1] == ["piqe"] else words)
            except SystemExit as end:
                status = end.code
    finally:
        os.chdir(here)
    assert status in (0, 1, 2), status
    text = complaints.getvalue()
    assert "unexpected" not in text and "Traceback" not in text, text[-300:]
    for line in text.splitlines():
        assert line.isprintable(), line
    assert status == 0 or text or said.getvalue(), f"status {status} without a word"


def _words(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").replace("\0", "").split("\n")


@contextlib.contextmanager
def _heard():  # type: ignore[no-untyped-def]
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()) as complaints:
        yield said, complaints


def _furnish(place: Path) -> None:
    """The files that seeds name, anew where a case wrote over them."""
    import shutil

    for entry in place.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name, data in _contents().items():
        (place / name).write_bytes(data)


@functools.cache
def _contents() -> dict[str, bytes]:
    import tempfile

    import fsrcnn_np

    from ..made import of_tests

    with tempfile.TemporaryDirectory() as folder:
        grey = np.arange(300, dtype=np.uint8).reshape(20, 15)
        for name in ("a.png", "b.npy", "c.h5", "-x.png", "ü.png", "x\x1b[2J.png"):
            files.write(Path(folder, name), grey)
        model = of_tests("models").random_weights(np.random.default_rng(0), (3, 2, 1), 2, "zero", dtype=np.float32)
        fsrcnn_np.save_weights(model, Path(folder, "model.h5"))
        found = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return found | {"cut.png": found["a.png"][:60], "ranges.csv": b"path,data_range\na.png,255\n", "case.json": b"[]"}


def _seeds() -> list[bytes]:
    lines = (
        "upscale a.png -o out", "upscale a.png b.npy -o out --data-range 255 --threads 1 --overwrite", "upscale . -o out/",
        "compare a.png -o out --wide --square 1,2,3", "study run . -o out --seed 3", "weights convert model.h5 out.onnx",
        "dicom check a.dcm b.dcm --json", "dicom queue store", "phantom -o out --count 2", "measure -o out",
        "study table1 a.csv", "provenance a.png", "dicom send AE@localhost:104 a.dcm", "study read out --reader A",
    )  # fmt: skip
    return [line.replace(" ", "\n").encode() for line in lines]


def _piqe_seeds() -> list[bytes]:
    lines = (
        "a.png",
        "a.png b.npy --json --data-range 255",
        "--csv . -o out.csv --masks out",
        "a.png --threads 1 --engine llvm",
    )
    return [line.replace(" ", "\n").encode() for line in lines]


def _run_seeds() -> list[bytes]:
    lines = (
        "upscale a.png -o out --weights model.h5", "upscale a.png b.npy -o out --weights model.h5 --data-range 255 --threads 1",
        "upscale c.h5::/image -o out.tif --weights model.h5", "upscale cut.png a.png -o out --weights model.h5 --sidecar",
        "upscale . -o out --weights model.h5 --data-range ranges.csv", "weights show model.h5", "weights list",
        "weights convert model.h5 out.onnx --licence x", "provenance a.png", "dicom check a.png b.npy", "piqe a.png",
        "piqe --json a.png b.npy cut.png --threads 1", "piqe --csv a.png -o out.csv", "upscale a.png -o out --report r.jsonl",
    )  # fmt: skip
    return [line.replace(" ", "\n").encode() for line in lines]


def _changed(piqe: bool, *, safe: bool = False) -> Callable[[random.Random, bytes, Sequence[bytes]], bytes]:
    def change(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
        words = data.split(b"\n")
        least = 2 if safe and words[0] in (b"weights", b"dicom") else 1 if safe else 0  # the command itself stays
        for _ in range(rng.choice((1, 1, 2, 3, 6))):
            at = rng.randrange(least, len(words) + 1)
            word = rng.choice(_vocabulary(piqe)).encode("utf-8", "surrogateescape").replace(b"\n", b"")
            if safe and word.startswith((b"/", b"..", b"--host")):
                continue
            match rng.randrange(5):
                case 0:
                    words[at : at + 1] = [word]
                case 1 | 2:
                    words[at:at] = [word]
                case 3:
                    del words[at : at + 1]
                case _:
                    if at < len(words):
                        words[at] = words_changed(rng, words[at], ()).replace(b"\n", b"")
                        if safe and (b".." in words[at] or words[at].startswith(b"/")):
                            words[at] = b"x"
        return b"\n".join(words)

    return change


TARGETS = {
    "arguments": Target("arguments", _seeds, _parsed(False), _changed(False)),
    "piqe-arguments": Target("piqe-arguments", _piqe_seeds, _parsed(True), _changed(True)),
    "commands": Target("commands", _run_seeds, _command, _changed(False, safe=True), allowed=()),
}
