"""A system that grants few threads, files or little memory: the answer all the same, or one line that says what."""

import numpy as np
import pytest
import tifffile
from faulty import run

from fsrcnn_np import upscale_file
from pacs_peers import mammogram, save

FEW = "the system grants fewer threads than were asked for (ulimit -u, or a container's limit): it takes longer\n"


@pytest.mark.parametrize("threads", [0, 2])
def test_threads(threads, picture, tmp_path):
    """OpenBLAS, too, would end the process."""
    image = np.random.default_rng(0).integers(0, 256, (500, 300), np.uint8)
    tifffile.imwrite(picture.with_suffix(".tif"), image, compression=8, rowsperstrip=10)
    for name in ("picture.png", "picture.tif"):
        upscale_file(picture.with_name(name), tmp_path / "plain" / name)
    status, _, said = run("fsrcnn_np", "upscale", picture.parent, "-o", tmp_path / "few", THREADS=threads)
    assert (status, said) == (0, "fsrcnn-np: " + FEW)
    for name in ("picture.png", "picture.tif"):
        assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["piqe_np", "PICTURE"],
        ["fsrcnn_np", "compare", "PICTURE", "-o", "OUT"],
        ["fsrcnn_np", "study", "run", "FOLDER", "-o", "OUT", "--workers", "0", "--no-report"],
    ],
)
def test_threads_of_the_others(words, picture, tmp_path):
    places = {"PICTURE": picture, "FOLDER": picture.parent, "OUT": tmp_path / "out"}
    status, _, said = run(*(places.get(word, word) for word in words), THREADS=1)
    assert (status, said) in ((0, ""), (0, "fsrcnn-np: " + FEW))


def test_no_worker(picture, tmp_path):
    status, _, said = run("fsrcnn_np", "study", "run", picture.parent, "-o", tmp_path / "out", THREADS=0)
    assert status == 2
    assert said.startswith("fsrcnn-np: no worker can be begun (")
    assert said.endswith("measure in this one: --workers 0\n")


@pytest.mark.parametrize("files", [6, 9])
def test_open_files(files, picture, tmp_path):
    status, _, said = run("fsrcnn_np", "upscale", picture, "-o", tmp_path, shell=f'ulimit -n {files}; exec "$@"')
    if "shared object file" not in said and "Fatal Python error" not in said:  # not even Python starts
        assert (status, said) == (0, "") or (len(said.splitlines()) == 1 and "Too many open files" in said)


@pytest.mark.parametrize("mebibytes", [400, 500, 700])
def test_memory(mebibytes, picture, tmp_path):
    """With less than 400 not even the libraries load; with many cores OpenBLAS has its own lines before ours."""
    words = ["fsrcnn_np", "upscale", picture, "-o", tmp_path]
    status, _, said = run(*words, shell=f'ulimit -v {mebibytes << 10}; OPENBLAS_NUM_THREADS=1 exec "$@"')
    if status:
        assert len(said.splitlines()) == 1
        assert "please report" not in said


def test_no_thread_to_speak_to_a_peer(picture):
    """Nobody could go on without: one line says so."""
    path = save(mammogram(1), picture.with_name("a.dcm"))
    assert run("fsrcnn_np", "dicom", "send", path, "A@127.0.0.1:1", THREADS=0) == (1, "", (
        "fsrcnn-np: the system grants no more threads (ulimit -u, or a container's limit), and this needs some; "
        "allow more, and run it again\n"
    ))  # fmt: skip
