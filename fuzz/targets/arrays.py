"""Arrays and options of every kind, as a script may pass them to `upscale` and `piqe`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fsrcnn_np
import piqe_np
from fsrcnn_np.errors import FsrcnnError
from piqe_np.errors import PiqeError

from ..made import of_tests
from ..mutate import Choices
from ..target import Target

_DTYPES = ("u1", "u2", "i1", "i2", "f4", "f8", "u4", "i8", "f2", "?", "c8", "S3", "O", ">u2", ">f4", "U2", "M8[s]")
_SIZES = (1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32, 33, 48, 100, 0)
_RANGES = (None, None, None, 255, 4095, 65535, (0, 1), (-5, 5), 0, -1, 1e-300, 1e308, float("nan"), float("inf"), 10**400,
           (1, 0), (0, 0), (1, 2, 3), "255", True, np.float32(3), np.array([0, 9]), (-1e308, 1e308), [0, 100], 1e-45, ())  # fmt: skip
_THREADS = (None, 1, 2, 1, 1, 0, -1, 3.0, "2", True, 10**9, np.int64(1))
_LAYOUTS: tuple[Callable[[Any], Any], ...] = (
    lambda a: a, lambda a: a, lambda a: np.asfortranarray(a), lambda a: a[::-1] if a.ndim else a, lambda a: a[..., ::-1] if a.ndim else a,
    lambda a: a.tolist() if a.size < 300 else a, lambda a: np.ma.masked_array(a), lambda a: a[..., ::2] if a.ndim else a, lambda a: a.T,
    lambda a: np.lib.stride_tricks.as_strided(a, a.shape, (0,) * a.ndim) if a.size else a,
)  # fmt: skip


@functools.cache
def _models() -> tuple[Any, ...]:
    rng, draw = np.random.default_rng(0), of_tests("models").random_weights
    small = tuple(
        draw(rng, (3, 2, 1), scale, border, dtype=np.float32, channels=channels)
        for scale, border, channels in ((2, "zero", 1), (3, "replicate", 1), (4, "zero", 1), (2, "zero", 3))
    )
    return (*small, small[0], small[0], "x2-small", "nosuch", None, 3, Path("."), b"x2")


def _array(choices: Choices) -> Any:
    """An array; its values are the rest of the input, again and again."""
    dtype = np.dtype(str(choices.of(_DTYPES)))
    kinds: tuple[tuple[int, ...], ...] = (
        (1, 1),
        (1, 1),
        (1, 1),
        (1, 1, 3),
        (1, 1, 3),
        (1,),
        (),
        (1, 1, 1),
        (1, 1, 4),
        (1, 1, 1, 1),
    )
    shape = tuple(int(choices.of(_SIZES)) if i < 2 else n for i, n in enumerate(choices.of(kinds)))  # type: ignore[arg-type, call-overload]
    layout: Any = choices.of(_LAYOUTS)
    count = int(np.prod(shape))
    data = choices.rest() or b"\0"
    if dtype.kind in "OSUM?":
        values = np.resize(np.frombuffer(data, np.uint8), count).astype(dtype)
    else:
        size = count * dtype.itemsize
        values = np.frombuffer((data * (size // len(data) + 1))[:size], dtype)
    return layout(values.reshape(shape).copy())


def _upscale(data: bytes, place: Path) -> None:
    choices = Choices(data)
    weights, data_range, threads = choices.of(_models()), choices.of(_RANGES), choices.of(_THREADS)
    engine = choices.of((None, None, None, "llvm", "reference", "fast", 3))
    image = _array(choices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning of NumPy's is a fault
        large = fsrcnn_np.upscale(image, weights=weights, data_range=data_range, threads=threads, engine=engine)  # type: ignore[arg-type]
    assert large.dtype == np.asarray(image).dtype.newbyteorder("="), large.dtype
    assert large.shape[0] % np.asarray(image).shape[0] == 0, large.shape


def _piqe(data: bytes, place: Path) -> None:
    choices = Choices(data)
    data_range, threads = choices.of(_RANGES), choices.of(_THREADS)
    engine = choices.of((None, None, None, "llvm", "reference", "fast", 3))
    image = _array(choices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = piqe_np.piqe(image, data_range=data_range, threads=threads, engine=engine)  # type: ignore[arg-type]
    assert np.isfinite(result.score), result.score
    repr(result)


def _seeds() -> list[bytes]:
    rng = np.random.default_rng(0)
    plain = [
        bytes((model, 0, 1, 0, dtype, 0, size, size, 0)) for model in range(4) for dtype in range(6) for size in (3, 8)
    ]
    return [head + rng.bytes(80) for head in plain]


def _seeds_piqe() -> list[bytes]:
    return [seed[1:] for seed in _seeds()]


_OPTIONS = (
    "255",
    "-5:5",
    "nan",
    "1e999",
    ":",
    "0:0",
    "1,2",
    "12,5,9",
    "-1",
    "",
    "1e-400:1",
    "0x1",
    "1_0",
    "²:³",
    "inf:1",
)


def _option(data: bytes, place: Path) -> None:
    """Functions that take an option's text."""
    import argparse

    from fsrcnn_np.cli import _square
    from fsrcnn_np.files.target import split
    from fsrcnn_np.pacs.peer import parse_peer
    from fsrcnn_np.pacs.web import parse_root

    text = data[1:].decode("utf-8", "surrogateescape")
    functions: tuple[Callable[[str], Any], ...] = (_range, _square, split, parse_peer, parse_root)
    try:
        functions[data[0] % len(functions) if data else 0](text)
    except argparse.ArgumentTypeError as error:
        assert str(error)


def _range(text: str) -> Any:
    from fsrcnn_np.command_options import data_range

    return data_range(text)


def _option_seeds() -> list[bytes]:
    texts = (
        *_OPTIONS,
        "a.h5::/x",
        "AE@host:104",
        "AE@[::1]:104",
        "https://archive.example:8443/dicom-web",
        "http://[::1]/",
    )
    return [bytes([kind]) + text.encode() for kind in range(5) for text in texts]


def _words(rng: Any, data: bytes, seeds: Any) -> bytes:
    from ..mutate import words_changed

    return data[:1] + words_changed(rng, data[1:], seeds)


_FAILURES = (FsrcnnError, PiqeError)
TARGETS = {
    "upscale": Target("upscale", _seeds, _upscale, allowed=_FAILURES),
    "piqe": Target("piqe", _seeds_piqe, _piqe, allowed=_FAILURES),
    "options": Target("options", _option_seeds, _option, _words),
}
