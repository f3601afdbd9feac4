"""SECURITY.md: members of a model's archive that lead out, or stand twice; packed by a plugin."""

import io
import zipfile

import h5py
import keras_writer
import numpy as np
import pytest

from fsrcnn_np import load_weights, save_weights
from fsrcnn_np.errors import WeightsError
from models import random_weights

WEIGHTS = random_weights(np.random.default_rng(0), (4, 2, 1), 2, "zero", dtype=np.float32)


@pytest.fixture(params=["x2.keras", "x2.pth"])
def archive(request, tmp_path):
    """A model in a zip archive, in a folder of its own."""
    path = tmp_path / "inner" / request.param
    path.parent.mkdir()
    if path.suffix == ".keras":
        keras_writer.write_archive(path, keras_writer.layers(WEIGHTS))
    else:
        save_weights(WEIGHTS, path)
    return path


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/fsrcnn-np-out.txt", "..\\out.txt", "a/../../out.txt"])
def test_members_that_lead_out_are_not_unpacked(archive, tmp_path, name):
    with zipfile.ZipFile(archive, "a") as more:
        top = more.namelist()[0].partition("/")[0]  # PyTorch wants all of its members in one folder
        more.writestr(f"{top}/../{name}" if archive.suffix == ".pth" else name, b"out")
    before = sorted(tmp_path.rglob("*"))
    assert load_weights(archive, value_range=(0, 1)).architecture == WEIGHTS.architecture
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_that_stands_twice_is_refused(archive):
    with zipfile.ZipFile(archive) as whole:
        name = next(n for n in whole.namelist() if n.endswith(("config.json", "data.pkl")))
        data = whole.read(name)
    with zipfile.ZipFile(archive, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr(name, data)
    with pytest.raises(WeightsError, match=f"has two members {name}; save it again"):
        load_weights(archive)


@pytest.mark.parametrize("suffix", ["h5", "keras.h5", "keras"])
def test_a_plugin_is_not_looked_for(tmp_path, suffix):
    """The dataset of a bias says that a plugin packed it."""
    path = tmp_path / f"x2.{suffix}"
    if suffix == "h5":
        save_weights(WEIGHTS, path)
        repacked(path)
    elif suffix == "keras.h5":
        keras_writer.write_h5(path, keras_writer.layers(WEIGHTS))
        repacked(path)
    else:
        keras_writer.write_archive(path, keras_writer.layers(WEIGHTS))
        with zipfile.ZipFile(path) as whole:
            parts = {name: whole.read(name) for name in whole.namelist()}
        inner = io.BytesIO(parts["model.weights.h5"])
        repacked(inner)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (parts | {"model.weights.h5": inner.getvalue()}).items():
                archive.writestr(name, data)
    with pytest.raises(WeightsError, match="is packed with filter 32015, a plugin, and none is loaded"):
        load_weights(path)


def repacked(place):
    """Every dataset of numbers in a chunk of its own that says so."""
    with h5py.File(place, "r+") as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        for name, item in found.items():
            if item.dtype.kind == "f" and item.shape:
                array, kind = item[()], item.id.get_type()
                del file[name]
                how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                how.set_chunk(array.shape)
                how.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
                made = h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple(array.shape), how)
                made.write_direct_chunk((0,) * array.ndim, array.tobytes(), 0)


def test_parameters_that_were_never_written(tmp_path):
    """They came as zeros, in silence."""
    path = tmp_path / "a.h5"
    save_weights(WEIGHTS, path)
    with h5py.File(path, "a") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if getattr(item, "ndim", 0) > 1 else None)
        name = names[0]
        values = file[name][()]
        del file[name]
        made = file.create_dataset(name, values.shape, values.dtype, chunks=(1, *values.shape[1:]))
        made[:1] = values[:1]
    with pytest.raises(WeightsError, match="chunks were never written"):
        load_weights(path)
