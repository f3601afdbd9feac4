"""MATLAB network objects (SeriesNetwork, DAGNetwork, dlnetwork) saved in a MAT-file, through `mat-io`.

An object's properties lie in the file's MCOS subsystem, which MathWorks does not document; the package `mat-io` (module
`matio`) decodes it. Seen in files of R2018b and later: a SeriesNetwork keeps a struct `any` with the field `Layers`,
an array of objects, each with a struct `any` of its properties; learnable parameters are structs with a field Value.
Classifiers that MATLAB wrote were read so; a genuine FSRCNN object was not at hand, only a stand-in.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingExtraError, WeightsError
from ..conventions import Found, first_line
from . import toolbox
from .script import export_script

_NETWORKS = ("SeriesNetwork", "DAGNetwork", "dlnetwork")
_MOST_OBJECTS = 100_000
_INSTEAD = f"run {export_script()} on the network in MATLAB, and give its file"


def found(path: Path, names: list[str]) -> Found:
    """Read the network out of a checked MAT-file whose variables `names` are objects.

    Raises
    ------
    MissingExtraError
        `mat-io` is not installed.
    WeightsError
        There is no network, or more than one, or it is no FSRCNN: then its layers are listed.
    """
    variables = _decoded(path)
    networks = {name: layers for name in names if (layers := _layers(variables.get(name)))}
    named = {name for name in networks if getattr(variables[name], "classname", "") in _NETWORKS}
    chosen = sorted(named or networks)
    if not chosen:
        classes = ", ".join(f"{name} ({getattr(variables.get(name), 'classname', 'unknown')})" for name in names)
        raise WeightsError(f"no network with layers was found among the objects {classes}; {_INSTEAD}")
    if len(chosen) > 1:
        raise WeightsError(f"{len(chosen)} networks: {', '.join(chosen)}; save one alone: save('one.mat', 'net')")
    name = chosen[0]
    form = f"a MATLAB network object, {name} ({getattr(variables[name], 'classname', 'layers')})"
    try:
        result = toolbox.found(networks[name], form)
    except WeightsError as error:
        raise WeightsError(f"{form}: {error}") from None
    tried = "decoded by mat-io: tried on MATLAB's classifiers and on no genuine FSRCNN, so look at the probe"
    notes = [*result.notes, tried]
    if getattr(variables[name], "classname", "") != "SeriesNetwork":
        notes.append("the layers were taken in the order in which the object lists them")
    return replace(result, notes=tuple(notes))


def _decoded(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas deprecates what mat-io sets; classes that nobody knows
            import matio

            return dict(matio.load_from_mat(str(path), raw_data=True))
    except ImportError:
        raise MissingExtraError(
            f"{path} holds a MATLAB object, which needs mat-io: pip install 'fsrcnn-np[matlab]'; or {_INSTEAD}"
        ) from None
    except Exception as error:  # an undocumented format, in a file that may be damaged
        raise WeightsError(f"the MATLAB object cannot be decoded ({first_line(error)}); {_INSTEAD}") from None


def _layers(root: Any) -> list[dict[str, Any]]:
    """The first array of layers in an object, breadth first: objects or structs that have a Name, and some Weights."""
    waiting: deque[Any] = deque([root])
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_OBJECTS:
        value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray) and value.dtype == object and value.size > 1:
            layers = [_properties(item) for item in value.ravel("F")]
            if all("Name" in layer for layer in layers) and any("Weights" in layer for layer in layers):
                return layers
        waiting.extend(_children(value))
    return []


def _children(value: Any) -> list[Any]:
    if isinstance(properties := getattr(value, "properties", None), Mapping):
        return list(properties.values())
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [item[name] for item in value.ravel() for name in value.dtype.names]
    return list(value.ravel()) if isinstance(value, np.ndarray) and value.dtype == object else []


def _properties(item: Any) -> dict[str, Any]:
    """An object's properties in one mapping, those in its struct `any` included; a custom layer's are its own."""
    properties = getattr(item, "properties", None)
    if not isinstance(properties, Mapping):
        return {}
    flat = {name: _plain(value) for name, value in properties.items() if name != "any"}
    inner = _plain(properties.get("any"))
    return {**flat, **inner} if isinstance(inner, Mapping) else flat


def _plain(value: Any) -> Any:
    """A struct as dict, text as str; dlarray objects (they have a property data) unwrapped, other objects None."""
    if isinstance(properties := getattr(value, "properties", None), Mapping):
        return _plain({name.lower(): item for name, item in properties.items()}.get("data"))
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names and value.size == 1:
        return {name: _plain(value.item()[i]) for i, name in enumerate(value.dtype.names)}
    if value.dtype.kind in "UT":  # char, and string
        return str(value.item()) if value.size == 1 else ""
    return value
