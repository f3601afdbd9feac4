"""What a caller's function raises amid the work comes out, nothing is left behind, and the next call is as before."""

import os
import signal
import threading
import time
from contextlib import suppress

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

import fsrcnn_np
from fsrcnn_np import files, pipeline
from fsrcnn_np.phantom import phantom
from fsrcnn_np.phantom.dicom_object import encoded
from piqe_np.compiled import run_tasks

RNG = np.random.default_rng(0)
GREY, RGB = RNG.integers(0, 256, (150, 60), np.uint8), RNG.integers(0, 256, (40, 50, 3), np.uint8)
RAISED = (ZeroDivisionError, KeyboardInterrupt, StopIteration)


def raising(kind, after):
    """A function for `progress` that lets so many calls pass."""
    calls = iter(range(after))

    def progress(done, total):
        if next(calls, None) is None:
            raise kind("from outside")

    return progress


def attack(call, kept=lambda: ()):
    """Each kind of exception, at the first call and at the second."""
    expected, before, files = call(None), threading.active_count(), kept()
    for kind in RAISED:
        for after in (0, 1):
            if after == 0:
                with pytest.raises(kind, match="from outside"):
                    call(raising(kind, after))
            else:  # the work may have had one step
                with suppress(kind):
                    assert call(raising(kind, after)) == expected
            assert threading.active_count() == before
            assert kept() == files
    assert call(None) == expected


@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
def test_arrays(engine, monkeypatch):
    monkeypatch.setattr("fsrcnn_np.network.reference.STRIP_PIXELS", 1000)
    monkeypatch.setattr("fsrcnn_np.engine.strips.START", 1)
    named = {"engine": engine, "threads": 3, "weights": "x2-small"}
    grey, rgb = (GREY[:40, :50], RGB[:30, :40]) if engine == "reference" else (GREY, RGB)

    def stream(progress):
        out = np.ones([2 * size for size in grey.shape], np.uint8)
        try:
            fsrcnn_np.upscale_stream(grey, out, rows=20, progress=progress, **named)
        except BaseException:
            assert not out[:40].any()  # what had been written; the rest was not touched
            raise
        return out.tobytes()

    attack(lambda progress: fsrcnn_np.upscale(grey, progress=progress, **named).tobytes())
    attack(lambda progress: fsrcnn_np.upscale(rgb, progress=progress, **named).tobytes())
    attack(lambda progress: fsrcnn_np.upscale_batch([grey, grey], progress=progress, **named).tobytes())
    attack(stream)


def dicom(path):
    path.write_bytes(encoded(phantom(shape=(256, 256))))


def frames(path):
    import pydicom

    dicom(path)
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = 2
    dataset.PixelData = 2 * dataset.PixelData
    dataset.save_as(path)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file["image"] = GREY


WRITERS = {
    "a.png": lambda path: iio.imwrite(path, RGB),
    "a.tif": lambda path: tifffile.imwrite(path, GREY),
    "a.npy": lambda path: np.save(path, GREY),
    "a.dcm": dicom,
    "frames.dcm": frames,
    "a.h5": hdf5,
    "bands.h5": hdf5,
}


@pytest.mark.parametrize("name", WRITERS)
def test_files(name, tmp_path, monkeypatch):
    if name == "bands.h5":
        monkeypatch.setattr(pipeline, "LARGE", 1000)
        monkeypatch.setattr("fsrcnn_np.stream.BAND_PIXELS", 3000)
    WRITERS[name](tmp_path / name)
    (tmp_path / "out").mkdir()

    def call(progress):
        out = tmp_path / "out" / name
        fsrcnn_np.upscale_file(tmp_path / name, out, weights="x2-small", threads=2, sidecar=True, progress=progress)
        made = files.read(out, every_frame=True).pixels.tobytes()
        for path in out.parent.iterdir():
            path.unlink()
        return made

    attack(call, kept=lambda: (list((tmp_path / "out").iterdir()), len(os.listdir("/dev/fd"))))


def test_compare():
    attack(lambda progress: [score.piqe for score in fsrcnn_np.compare(GREY[:70], threads=2, progress=progress).scores])


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to a thread are POSIX's")
@pytest.mark.parametrize("fails", [False, True])
def test_ctrl_c_while_the_others_finish(fails):
    """They may write into the caller's memory, so nobody hears of it before they have ended; no error hides it."""
    together, rung, done, main = threading.Barrier(3), threading.Event(), [], threading.main_thread()

    def task(number):
        together.wait(10)
        if threading.current_thread() is main:
            return
        time.sleep(0.05)
        if not rung.is_set():
            rung.set()
            signal.pthread_kill(main.ident, signal.SIGINT)
        time.sleep(0.1)
        done.append(number)
        if fails:
            raise ZeroDivisionError

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(task, 3, 3)
    assert len(done) == 2
    assert threading.active_count() == before
