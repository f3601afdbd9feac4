"""Every public function, given something of a wrong type, raises this project's own error in one clear line."""

import inspect
import io

import numpy as np
import pytest

import fsrcnn_np
import piqe_np
from fsrcnn_np import FsrcnnError
from piqe_np import PiqeError

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)
LARGE = np.zeros((16, 16), np.uint8)
UNIT = GREY / 255
FIVE, EMPTY, HUGE = np.array(5), io.BytesIO(), 10**400
WRONG = [
    3, 2.5, "no such", b"x", [], {}, object(), float("nan"), HUGE, (1, 2, 3), "", "a\0b", -1, EMPTY,
    FIVE, np.array(["a"]), np.array([None, 3]), [[1, 2], [3]],
]  # fmt: skip
MODEL = fsrcnn_np.load_weights("x2-small")
CALLS = {  # argument by argument; what is right for it is left out
    "upscale": [
        (lambda v: fsrcnn_np.upscale(v), []),
        (lambda v: fsrcnn_np.upscale(GREY, weights=v), []),
        (lambda v: fsrcnn_np.upscale(GREY, weights=MODEL, out=v), []),
        (lambda v: fsrcnn_np.upscale(GREY, weights=MODEL, engine=v), []),
        (lambda v: fsrcnn_np.upscale(GREY, weights=MODEL, threads=v), [3, FIVE]),
        (lambda v: fsrcnn_np.upscale(GREY - GREY, weights=MODEL, data_range=v), [3, 2.5]),
    ],
    "upscale_stream": [
        (lambda v: fsrcnn_np.upscale_stream(v, LARGE), []),
        (lambda v: fsrcnn_np.upscale_stream(GREY, v), []),
        (lambda v: fsrcnn_np.upscale_stream(GREY, LARGE, rows=v), [3, HUGE, FIVE]),
    ],
    "upscale_batch": [
        (lambda v: fsrcnn_np.upscale_batch(v, weights=MODEL), []),
        (lambda v: fsrcnn_np.upscale_batch(GREY[None], weights=MODEL, axes=v), []),
        (lambda v: fsrcnn_np.upscale_batch(GREY[None], weights=MODEL, out=v), []),
    ],
    "upscale_file": [
        (lambda v: fsrcnn_np.upscale_file(v, "out.png"), []),
        (lambda v: fsrcnn_np.upscale_file("a.npy", v), ["no such"]),
        (lambda v: fsrcnn_np.upscale_file("a.npy", "b.npy", allow=v), [[], {}, EMPTY]),
        (lambda v: fsrcnn_np.upscale_file("a.npy", "b.npy", transfer_syntax=v), ["no such", "", "a\0b"]),
        (lambda v: fsrcnn_np.upscale_file("a.npy", "b.npy", remap_uids=v), ["no such", "", "a\0b"]),
    ],
    "read": [
        (lambda v: fsrcnn_np.read(v), []),
        (lambda v: fsrcnn_np.read("a.npy", allow=v), [[], {}, EMPTY]),
    ],
    "compare": [(lambda v: fsrcnn_np.compare(v), []), (lambda v: fsrcnn_np.compare(GREY, weights=v), [])],
    "psnr": [
        (lambda v: fsrcnn_np.psnr(v, GREY, data_range=255), []),
        (lambda v: fsrcnn_np.psnr(GREY, v, data_range=255), []),
        (lambda v: fsrcnn_np.psnr(GREY - GREY, GREY - GREY, data_range=v), [3, 2.5]),
    ],
    "ssim": [
        (lambda v: fsrcnn_np.ssim(v, GREY, data_range=255), []),
        (lambda v: fsrcnn_np.ssim(GREY, v, data_range=255), []),
    ],
    "forward": [
        (lambda v: fsrcnn_np.forward(v, MODEL), []),
        (lambda v: fsrcnn_np.forward(UNIT, v), []),
        (lambda v: fsrcnn_np.forward(UNIT, MODEL, dtype=v), []),
    ],
    "provenance": [(lambda v: fsrcnn_np.provenance(v), [])],
    "load_weights": [(lambda v: fsrcnn_np.load_weights(v), [])],
    "save_weights": [
        (lambda v: fsrcnn_np.save_weights(v, "w.h5"), []),
        (lambda v: fsrcnn_np.save_weights(MODEL, v), []),
    ],
    "imresize": [
        (lambda v: fsrcnn_np.imresize(v, 2), []),
        (lambda v: fsrcnn_np.imresize(GREY, v), [3, 2.5]),
        (lambda v: fsrcnn_np.imresize(GREY, 2, method=v), []),
        (lambda v: fsrcnn_np.imresize(GREY, 2, antialiasing=v), []),
        (lambda v: fsrcnn_np.imresize(GREY, 2, threads=v), [3, FIVE]),
    ],
    "piqe": [
        (lambda v: piqe_np.piqe(v), []),
        (lambda v: piqe_np.piqe(GREY - GREY, data_range=v), [3, 2.5]),
        (lambda v: piqe_np.piqe(GREY, threads=v), [3, FIVE]),
        (lambda v: piqe_np.piqe(GREY, engine=v), []),
    ],
}


def test_every_public_function_is_here():
    for package in (fsrcnn_np, piqe_np):
        names = {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}
        assert names <= CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_wrong_types(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", GREY)
    own = PiqeError if name == "piqe" else FsrcnnError
    for number, (call, right) in enumerate(CALLS[name]):
        for value in WRONG:
            if any(value is one or (type(value) is type(one) and repr(value) == repr(one)) for one in right):
                continue
            try:
                call(value)
            except own as error:
                assert "\n" not in str(error), f"{name}, argument {number}, {value!r}"  # noqa: PT017
                assert len(str(error)) > 15  # noqa: PT017
            except Exception as error:
                pytest.fail(f"{name}, argument {number}, given {value!r}: {type(error).__name__}: {error}")
            else:
                pytest.fail(f"{name}, argument {number}, given {value!r}: no error")
