"""What lies where in Keras' files: the configuration, and each layer's arrays.

`.h5`     attributes `model_config` (JSON), `backend`; group `model_weights` with a group a layer, by the layer's name,
          whose attribute `weight_names` lists its arrays in order (Keras 2's model.save, and 3's).
`.keras`  a zip archive: `config.json`, and `model.weights.h5` with `layers/CLASS/vars/0`, `vars/1`, …: CLASS is the
          layer's class in snake case, with `_1`, `_2` … where the class comes again. Keras 2.12 to 2.15 say
          `_layer_checkpoint_dependencies` for `layers`.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...files.archives import named_twice
from ...files.hdf5_heap import opened
from ..conventions import KERAS, MOST_BYTES, first_line, shortened
from ..hdf5 import own_dataset
from ..header import MOST_TEXT

_WHOLE = "save the whole model, which is read: model.save('x2.keras')"
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_MOST_LAYERS, _MOST_ARRAYS, _MOST_SECONDS = 1000, 16, 60
#: Keras keeps its texts in HDF5's heap, where one damaged byte can end the process that reads them, or keep it busy for
#: ever: so another process reads them.
_NO_PLUGINS = {"HDF5_PLUGIN_PRELOAD": "::"}  #: HDF5's own way to have it load none
_READ = """
import sys, json, h5py
def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
def look(name, item):
    if "weight_names" in item.attrs and isinstance(item, h5py.Group):
        names[name] = [text(v) for v in list(item.attrs["weight_names"])[:16]]
names = {}
with h5py.File(sys.argv[1], "r") as file:
    file["model_weights"].visititems(look)
    config, backend = (text(file.attrs.get(name, "")) for name in ("model_config", "backend"))
print(json.dumps([config, backend, names]))
"""


@dataclass(frozen=True)
class Stored:
    """A model's configuration and arrays.

    Attributes
    ----------
    config : dict
        As Keras writes it: `class_name`, `config`.
    arrays : dict of str to list of ndarray
        By the layer's name: kernel and bias, or slopes.
    backend : str
        Which library computed it; empty where the file does not say.
    """

    config: dict[str, Any]
    arrays: dict[str, list[np.ndarray]]
    backend: str = ""


def is_keras(path: Path, head: bytes) -> bool:
    """Whether an HDF5 file or a zip archive is Keras', whole or weights alone. A damaged one is not."""

    try:
        if head.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith("model.weights.h5") for name in archive.namelist())
        with opened(path) as file:
            known = {"keras_version", "layer_names", "model_config"} & set(file.attrs)
            return bool(known) or "model_weights" in file or any(name in file for name in _CONTAINERS)
    except Exception:  # a damaged file ends in errors of any kind
        return False


def stored(path: Path, head: bytes) -> Stored:
    """Read the configuration and every layer's arrays.

    Raises
    ------
    WeightsError
        Damaged, weights without a configuration, or too large for an FSRCNN.
    """
    try:
        if head.startswith(b"PK"):
            return _archive(path)
        return _whole_h5(path)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file ends in errors of any kind
        raise WeightsError(f"no readable Keras model, or a damaged one ({first_line(error)}); copy it again") from None


def layers_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of all layers, in the order in which they are listed.

    Raises
    ------
    WeightsError
        The model lists none: it is a class of one's own.
    """
    inner = config.get("config")
    listed = inner.get("layers") if isinstance(inner, dict) else inner
    kind = config.get("class_name")
    if kind not in ("Sequential", "Functional", "Model") or not isinstance(listed, list):
        raise WeightsError(
            f"a Keras model of the class {shortened(str(kind))}, which does not list its layers; {KERAS}"
        )
    if len(listed) > _MOST_LAYERS:
        raise WeightsError(f"{len(listed)} layers are no FSRCNN; give the file of an FSRCNN")
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
            raise WeightsError(f"the Keras model's configuration is not as Keras writes it; {KERAS}")
    return listed


def name_of(entry: dict[str, Any]) -> str:
    """A layer's name."""
    return str(entry.get("name") or entry["config"].get("name"))


def _whole_h5(path: Path) -> Stored:

    with opened(path) as file:
        if "model_config" not in file.attrs or "model_weights" not in file:
            raise WeightsError(f"the weights of a Keras model, without the model; {_WHOLE}")
        text, backend, names = _texts(path)
        config = _json(text)
        left = [MOST_BYTES]
        arrays = {
            name: [_array(file, f"model_weights/{name}/{key}", left) for key in names.get(name, [])]
            for name in map(name_of, layers_of(config))
        }
        return Stored(config, arrays, backend)


def _texts(path: Path) -> tuple[str, str, dict[str, list[str]]]:
    """The attributes `model_config` and `backend`, and the names of each layer's arrays."""
    command = [sys.executable, "-P", "-c", _READ, str(path)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_MOST_SECONDS, env=os.environ | _NO_PLUGINS
        )
    except subprocess.TimeoutExpired:
        raise WeightsError("the Keras model's configuration is damaged; copy it again") from None
    if done.returncode:
        raise WeightsError("the Keras model's configuration is damaged; copy it again")
    config, backend, names = json.loads(done.stdout)
    return config, backend, names


def _archive(path: Path) -> Stored:

    with zipfile.ZipFile(path) as archive:
        if twice := named_twice(archive.namelist()):
            raise WeightsError(f"the Keras model has two members {shortened(twice)}; save it again")
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        if "config.json" not in sizes or "model.weights.h5" not in sizes:
            raise WeightsError(f"an archive of Keras without config.json; {_WHOLE}")
        if sizes["config.json"] > MOST_TEXT or sizes["model.weights.h5"] > MOST_BYTES:
            raise WeightsError(
                f"the file declares {max(sizes.values())} bytes: far more than an FSRCNN; give the file of an FSRCNN"
            )
        config = _json(archive.read("config.json"))
        content = archive.read("model.weights.h5")
    arrays: dict[str, list[np.ndarray]] = {}
    with opened(io.BytesIO(content)) as file:
        container = next((file[name] for name in _CONTAINERS if name in file), None)
        if container is None:
            raise WeightsError(f"model.weights.h5 has no group 'layers'; {KERAS}")
        seen: Counter[str] = Counter()
        left = [MOST_BYTES]
        for entry in layers_of(config):
            kind = _snake_case(str(entry.get("class_name")))
            place = f"{kind}_{seen[kind]}" if seen[kind] else kind
            seen[kind] += 1
            variables = container.get(f"{place}/vars")
            if variables is not None and variables.file.filename != file.filename:
                raise WeightsError(f"{place} leads to another file; a damaged model: save it again")
            count = 0 if variables is None else min(len(variables), _MOST_ARRAYS)
            arrays[name_of(entry)] = [_array(variables, str(i), left) for i in range(count)]
    return Stored(config, arrays)


def _snake_case(name: str) -> str:
    """PReLU is p_re_lu, Conv2DTranspose conv2d_transpose."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _array(group: Any, name: str, left: list[int]) -> np.ndarray:
    item = own_dataset(group, name)
    if item is None:
        raise WeightsError(f"{shortened(name)} is missing in the Keras model; copy it again")
    if item.dtype.kind not in "fiu":  # nor can HDF5 be trusted with texts of a damaged heap: it may never come back
        raise WeightsError(f"{shortened(name)} of the Keras model holds {item.dtype}, no numbers; copy it again")
    left[0] -= item.nbytes
    if left[0] < 0:
        raise WeightsError(
            f"the arrays hold more than {MOST_BYTES} bytes: no FSRCNN is that large; give the file of an FSRCNN"
        )
    return np.asarray(item[()])


def _json(text: Any) -> dict[str, Any]:
    if len(text) > MOST_TEXT:
        raise WeightsError(f"the Keras model's configuration has {len(text)} characters; at most {MOST_TEXT} are read")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"the Keras model's configuration is no JSON ({first_line(error)}); copy it again") from None
    if not isinstance(found, dict):
        raise WeightsError("the Keras model's configuration is no JSON object; copy it again")
    return found
