"""The package's own weights file: HDF5 with everything about the model inside.

    attributes     format, schema, d, s, m, scale, border, deconvolution_offset, value_range, input_mean,
                   licence, sha256; of a model of RGB schema is 2 instead of 1, and there is channels
    provenance     UTF-8 JSON as bytes
    LAYER/weight   (out, in, rows, columns); the deconvolution's (in, channels, 9, 9)
    LAYER/bias, LAYER/slope

with LAYER as in `Architecture.layer_names`, and `deconvolution`. Every shape is known from d, s and m, so nothing
is allocated before the file's own claims agree with them.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsError, unreadable
from ..files.hdf5_heap import opened
from ..files.hdf5_plugins import foreign_values
from ..files.hdf5_stored import check_stored, never_written
from ..network.weights import Architecture, Convolution, Deconvolution, Weights
from .conventions import check_size, first_line
from .header import FORMAT, MOST_TEXT, SCHEMA

#: Of files that have an attribute `channels`: releases that know only grey models say so.
RGB_SCHEMA = SCHEMA + 1


def encoded(weights: Weights) -> bytes:
    """The file's bytes: the same for the same model."""
    import h5py

    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        _fill(file, weights)
    return written.getvalue()


def _fill(file: Any, weights: Weights) -> None:
    a = weights.architecture
    file.attrs.update(
        format=_fixed(FORMAT), schema=SCHEMA, d=a.d, s=a.s, m=a.m, scale=a.scale, border=_fixed(weights.border),
        deconvolution_offset=weights.deconvolution_offset, value_range=np.array(weights.value_range),
        input_mean=weights.input_mean, licence=_fixed(weights.licence), sha256=_fixed(weights.sha256),
    )  # fmt: skip
    if a.channels != 1:
        file.attrs.update(schema=RGB_SCHEMA, channels=a.channels)
    file["provenance"] = np.frombuffer(json.dumps(weights.provenance, indent=1).encode(), np.uint8)
    for name, array in weights.arrays().items():
        file.create_dataset(name, data=array, track_times=False)


def _fixed(text: str) -> np.ndarray:
    """Text of fixed length: one flipped bit in HDF5's heap for the other kind can keep its library busy for ever."""
    return np.array(text.encode() or b"\0")


def load(path: str | os.PathLike[str]) -> Weights:
    """Read and check a weights file; see `fsrcnn_np.load_weights`."""

    path = Path(path)
    try:
        with opened(path) as file:
            return _read(file)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, OSError) and error.errno:  # the system's: too many open files, a disk that fails
            raise unreadable(path, error) from None
        raise WeightsError(
            f"{path} is no readable HDF5 file, or a damaged one ({first_line(error)}); copy it again from its source"
        ) from None


def _read(file: Any) -> Weights:
    attributes = file.attrs
    if _text(attributes, "format", "") != FORMAT:
        raise WeightsError(
            f"an HDF5 file with no attribute format = {FORMAT!r}: neither fsrcnn-np nor MATLAB wrote it; convert the "
            "model that it was made of: fsrcnn-np weights convert IN OUT.h5"
        )
    schema = _number(attributes, "schema")
    if schema not in (SCHEMA, RGB_SCHEMA):
        raise WeightsError(
            f"schema {schema} was found; this version reads schemas {SCHEMA} and {RGB_SCHEMA}: update fsrcnn-np"
        )
    names = ("d", "s", "m", "scale") if schema == SCHEMA else ("d", "s", "m", "scale", "channels")
    architecture = Architecture(*(_whole(attributes, name) for name in names))
    check_size(architecture)
    shapes = [*architecture.convolution_shapes, architecture.deconvolution_shape]
    layers = []
    for name, shape in zip((*architecture.layer_names, "deconvolution"), shapes, strict=True):
        last = name == "deconvolution"
        out = shape[1] if last else shape[0]
        weight = _array(file, f"{name}/weight", shape)
        bias = _array(file, f"{name}/bias", (out,))
        layers.append((weight, bias) if last else (weight, bias, _array(file, f"{name}/slope", (out,), (1,))))
    known = {f"{name}/{part}" for name in architecture.layer_names for part in Convolution._fields}
    known |= {f"deconvolution/{part}" for part in Deconvolution._fields} | {"provenance"}
    found: list[str] = []
    file.visit(found.append)
    if extra := sorted(name for name in set(found) - known if hasattr(file.get(name), "shape")):
        raise WeightsError(
            f"unknown layer {extra[0]!r} was found; {architecture} has {', '.join(architecture.layer_names)}"
        )
    low, high = _numbers(attributes, "value_range", 2)
    weights = Weights(
        architecture,
        _text(attributes, "border"),
        tuple(Convolution(*layer) for layer in layers[:-1]),
        Deconvolution(*layers[-1]),
        deconvolution_offset=_whole(attributes, "deconvolution_offset"),
        value_range=(low, high),
        input_mean=_number(attributes, "input_mean"),
        licence=_text(attributes, "licence"),
        provenance=_provenance(file),
    )
    if (stored := _text(attributes, "sha256")) != weights.sha256:
        raise WeightsError(
            f"the parameters' sha256 is {weights.sha256[:12]}…, the file says {stored[:12]}…: "
            "damaged or edited; copy it again"
        )
    return weights


def own_dataset(file: Any, name: str) -> Any:
    """The dataset of that name whose values are in this very file (no link or raw data elsewhere), else None.

    A FormatError where the file cannot have what it declares.
    """
    import h5py

    item = file.get(name)
    place = h5py.h5f.get_name
    if not isinstance(item, h5py.Dataset) or place(item.id) != place(file.id):
        return None
    if (why := foreign_values(item)) and not (item.external or item.is_virtual):
        raise WeightsError(f"{name} {why}")
    if why:
        return None
    check_stored(item)
    if said := never_written(item):
        raise WeightsError(f"{name} is damaged: {said[0].partition(':')[0]}; copy or download it again")
    return item


def _array(file: Any, name: str, *shapes: tuple[int, ...]) -> np.ndarray:
    item = own_dataset(file, name)
    if item is None:
        raise WeightsError(f"{name} is missing; shape {shapes[0]} is expected")
    if item.dtype.kind != "f" or item.dtype.itemsize not in (4, 8):
        raise WeightsError(f"{name} is {item.dtype}; allowed are float32 and float64")
    if item.shape not in shapes:
        raise WeightsError(f"{name} has shape {item.shape}; {' or '.join(map(str, shapes))} is expected")
    return np.asarray(item[()])


def _provenance(file: Any) -> Mapping[str, Any]:
    item = own_dataset(file, "provenance")
    if item is None or item.ndim != 1 or item.dtype != np.uint8 or item.size > MOST_TEXT:
        raise WeightsError("provenance is missing or is not JSON text as bytes; a file written by fsrcnn-np has it")
    try:
        found = json.loads(item[()].tobytes())
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"provenance is no JSON: {error}; copy it again") from None
    if not isinstance(found, dict):
        raise WeightsError(f"provenance is a JSON {type(found).__name__}; an object is expected")
    return found


def _numbers(attributes: Any, name: str, count: int) -> list[float]:
    value = np.asarray(attributes.get(name, []))
    if value.dtype.kind not in "fiu" or value.size != count:
        raise WeightsError(f"attribute {name} is missing or is not {count} number{'s' * (count > 1)}; copy it again")
    return [float(v) for v in value.ravel()]


def _number(attributes: Any, name: str) -> float:
    return _numbers(attributes, name, 1)[0]


def _whole(attributes: Any, name: str) -> int:
    value = _number(attributes, name)
    if not value.is_integer():
        raise WeightsError(f"attribute {name} is {value}; a whole number is expected")
    return int(value)


def _text(attributes: Any, name: str, default: str | None = None) -> str:
    value = attributes.get(name, default)
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, str):
        raise WeightsError(f"attribute {name} is missing or is no text; copy it again")
    return value
