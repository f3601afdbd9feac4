"""Files of models, as `fsrcnn_np.load_weights` takes them."""

from __future__ import annotations

import functools
import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import fsrcnn_np
from fsrcnn_np.files.picture import DEFLATED

from .. import shapes
from ..made import of_tests
from ..mutate import Change, changed
from ..target import Target, of_file


@functools.cache
def _model(channels: int = 1) -> fsrcnn_np.Weights:
    rng = np.random.default_rng(5)
    model: fsrcnn_np.Weights = of_tests("models").random_weights(
        rng, (3, 2, 1), 2, "zero", dtype=np.float32, channels=channels
    )
    return model


def _saved(suffix: str) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        for channels in (1, 3):
            fsrcnn_np.save_weights(_model(channels), path, overwrite=True)
            yield path.read_bytes()


def _through(write: Callable[[Path], Any], suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        write(path)
        return path.read_bytes()


def _matlab5() -> Iterator[bytes]:
    import scipy.io

    yield from _saved(".mat")
    layers = {f"weights_{place}": rng for place, rng in (("conv1", np.ones((25, 3))), ("conv2", np.ones((3, 1, 2))))}
    for values in (
        layers | {"biases_conv1": np.ones((3, 1)), "prelu_conv1": np.ones((3, 1))},
        {"net": {"Layers": [{"a": 1}]}},
    ):
        stream = io.BytesIO()
        scipy.io.savemat(stream, values, do_compression=True)
        yield stream.getvalue()


def _matlab73() -> Iterator[bytes]:
    writer = of_tests("mat73_writer", "convert")
    import scipy.io

    from fsrcnn_np.convert import matlab

    known = scipy.io.loadmat(io.BytesIO(matlab.encoded(_model())), struct_as_record=False, squeeze_me=True)
    plain = {name: _plain(value, writer) for name, value in known.items() if not name.startswith("__")}
    yield _through(lambda path: writer.write_mat73(path, plain), ".mat")
    yield _through(lambda path: writer.write_mat73(path, {"a": "text", "c": writer.Cell([[np.ones(2), "x"]])}), ".mat")


def _plain(value: Any, writer: Any) -> Any:
    """SciPy's structs as the writer of -v7.3 takes them."""
    if hasattr(value, "_fieldnames"):
        return {name: _plain(getattr(value, name), writer) for name in value._fieldnames}
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = [_plain(one, writer) for one in value.ravel()]
        return (
            writer.StructArray(items)
            if all(isinstance(one, dict) and one.keys() == items[0].keys() for one in items)
            else writer.Cell([items])
        )
    return value


def _tensorflow() -> Iterator[bytes]:
    graphs = of_tests("test_tensorflow", "convert")
    for activation in graphs.ACTIVATIONS:
        yield bytes(graphs.frozen(_model(), activation=activation))
    yield bytes(graphs.frozen(_model(), end="Keras", add="BiasAdd"))


def _keras(suffix: str) -> Iterator[bytes]:
    writer = of_tests("keras_writer", "convert")
    write = writer.write_h5 if suffix == ".h5" else writer.write_archive
    yield _through(lambda path: write(path, writer.layers(_model())), suffix)


def _pytorch() -> Iterator[bytes]:
    import torch

    yield from _saved(".pth")
    state = {"first.weight": torch.ones(3, 1, 5, 5), "n": 3, "more": [1, {"a": "b"}]}
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        stream = io.BytesIO()
        torch.save({"model": state, "epoch": 3}, stream, **options)
        yield stream.getvalue()


def _member(rng: Any, data: bytes, seeds: Any) -> bytes:
    from ..mutate import words_changed

    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return shapes.hdf5(rng, data, [data])
    return (words_changed if data.isascii() else changed)(rng, data, seeds)


_archive = shapes.zipped(_member)


def _loaded(seeds: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
    """Seeds, and before them PyTorch: damaged heads of every kind lead to it, and its import is no file's memory."""

    def given() -> Iterator[bytes]:
        import torch.serialization  # noqa: F401

        return seeds()

    return given


def _target(name: str, suffix: str, seeds: Callable[[], Iterator[bytes]], change: Change) -> Target:
    def read(path: Path) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fsrcnn_np.ConventionWarning)
            return fsrcnn_np.load_weights(path, scale=2)

    return Target(name, _loaded(seeds), of_file(suffix, read), change, ratio=DEFLATED)


TARGETS = {
    target.name: target
    for target in (
        _target("weights-hdf5", ".h5", functools.partial(_saved, ".h5"), shapes.hdf5),
        _target("matlab5", ".mat", _matlab5, shapes.mat5),
        _target("matlab73", ".mat", _matlab73, shapes.hdf5),
        _target("onnx", ".onnx", functools.partial(_saved, ".onnx"), shapes.protobuf),
        _target("tensorflow", ".pb", _tensorflow, shapes.protobuf),
        _target("keras", ".keras", functools.partial(_keras, ".keras"), _archive),
        _target("keras-h5", ".h5", functools.partial(_keras, ".h5"), shapes.hdf5),  # slow: a process each
        _target("pytorch", ".pth", _pytorch, _archive),
        _target("safetensors", ".safetensors", functools.partial(_saved, ".safetensors"), shapes.safetensors),
    )
}
