"""Keras' layers, in the order in which they are applied → `Found`.

Kernels are (rows, columns, in, out) in Conv2D and (rows, columns, out, in) in Conv2DTranspose, in either data format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import WeightsError
from ..conventions import KERAS, Fact, Found, Layer, offset_fact, shortened, some
from .store import Stored, layers_of, name_of, stored

_MADE_OF = "an FSRCNN is made of Conv2D with a PReLU each, and a Conv2DTranspose"
_IDLE = ("InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise")  # nothing happens in them after training
_BACKENDS = "as TensorFlow and JAX have it"


def found(path: Path, head: bytes) -> Found:
    """Read an FSRCNN off a Keras model.

    Raises
    ------
    WeightsError
        Damaged, no chain of layers, or a layer that an FSRCNN has not.
    """
    return _Chain(stored(path, head)).found()


class _Chain:
    def __init__(self, model: Stored):
        self.model = model
        self.notes: list[str] = []
        self.layers: list[Layer] = []
        self.last: Layer | None = None
        self.scale, self.offset, self.more = 0, 0, 0
        self.source = ""

    def found(self) -> Found:
        for entry in _in_order(layers_of(self.model.config)):
            self.add(str(entry.get("class_name")), name_of(entry), entry["config"])
        if self.last is None:
            raise WeightsError(f"the Keras model has no Conv2DTranspose; {_MADE_OF}. Otherwise {KERAS}")
        facts = {
            "scale": Fact(self.scale, f"strides of {self.last.name}"),
            "border": Fact("zero", "padding 'same' of Keras' convolutions"),
            "deconvolution_offset": offset_fact(
                self.offset, self.source, self.last.name, (self.more, self.more), self.notes
            ),
            "input_mean": Fact(0.0, "nothing is subtracted from the input"),
        }
        return Found("a Keras model", tuple(self.layers), self.last, facts, tuple(self.notes))

    def add(self, kind: str, name: str, config: Mapping[str, Any]) -> None:
        if kind in _IDLE or (kind == "Activation" and config.get("activation") == "linear"):
            return
        if self.last is not None:
            if kind != "Cropping2D":
                raise WeightsError(f"{shortened(name)}, after the deconvolution, is a {shortened(kind)}; {_MADE_OF}")
            self.crop(name, config.get("cropping"))
        elif kind == "Conv2D":
            if config.get("padding") != "same" and self.pair(name, config, "kernel_size") != 1:
                raise WeightsError(
                    f"{shortened(name)} has padding {config.get('padding')!r:.40}; 'same', which keeps the size, is "
                    "expected"
                )
            if self.pair(name, config, "strides") != 1 or config.get("groups", 1) != 1:
                raise WeightsError(f"{shortened(name)} has strides or groups; an FSRCNN's convolutions have none")
            self.layers.append(self.layer(name, config))
            self.activation(name, config.get("activation"))
        elif kind == "Conv2DTranspose":
            self.deconvolution(name, config)
        elif kind in ("PReLU", "ReLU", "LeakyReLU"):
            self.slope(name, self.slopes(kind, name, config))
        elif kind == "Activation":
            self.activation(name, config.get("activation"))
        else:
            raise WeightsError(f"{shortened(name)} is a {shortened(kind)}; {_MADE_OF}. Otherwise {KERAS}")

    def layer(self, name: str, config: Mapping[str, Any]) -> Layer:
        if self.pair(name, config, "dilation_rate", 1) != 1:
            raise WeightsError(f"{shortened(name)} is dilated; an FSRCNN's convolutions are not")
        arrays = self.model.arrays.get(name, [])
        bias = config.get("use_bias", True)
        size = self.pair(name, config, "kernel_size")
        if len(arrays) != 1 + bool(bias) or arrays[0].ndim != 4 or arrays[0].shape[:2] != (size, size):
            shapes = some([str(array.shape) for array in arrays])
            raise WeightsError(
                f"{shortened(name)} has arrays of {shapes}; a kernel ({size}, {size}, channels, channels)"
                f"{' and a bias' if bias else ''} is expected; a damaged model: save it again"
            )
        return Layer(name, arrays[0].transpose(3, 2, 0, 1), arrays[1] if bias else None)

    def deconvolution(self, name: str, config: Mapping[str, Any]) -> None:
        self.last = self.layer(name, config)  # (rows, columns, out, in) → (in, out, rows, columns)
        if config.get("activation") not in (None, "linear"):
            raise WeightsError(
                f"{shortened(name)} ends in {config['activation']!r:.40}; an FSRCNN's deconvolution has no activation"
            )
        size, self.scale = self.pair(name, config, "kernel_size"), self.pair(name, config, "strides")
        if self.scale not in (2, 3, 4) or config.get("padding") not in ("same", "valid"):
            raise WeightsError(
                f"{shortened(name)} has strides {config.get('strides')!r:.40} and padding "
                f"{config.get('padding')!r:.20}; strides of 2, 3 or 4, and 'same' or 'valid', are expected"
            )
        same = config["padding"] == "same"
        extra = config.get("output_padding")
        if extra is not None:
            extra = self.pair(name, config, "output_padding")
        # Of a picture of n rows: n · scale with "same", all that there are with "valid"; with output_padding
        # (n − 1) · scale + size − 2 · padding + output_padding. "same" cuts away what is too much on both sides, and
        # TensorFlow the smaller half first.
        padding = size // 2 if same else 0
        self.more = size - self.scale - 2 * padding + extra if extra is not None else 0 if same else size - self.scale
        cut = size - self.scale - self.more  # of (n − 1) · scale + size rows
        torch = self.model.backend == "torch"
        self.offset = ((cut + 1) // 2 if torch else cut // 2) if same else 0
        self.source = f"padding {config['padding']!r} of {name}"
        if same and cut % 2:
            self.source += ", as on the backend torch" if torch else f", {_BACKENDS}"

    def crop(self, name: str, cropping: Any) -> None:
        sides = np.array(cropping if np.ndim(cropping) == 2 else [[v, v] for v in np.ravel(cropping)])
        if sides.shape != (2, 2) or sides.dtype.kind not in "iu" or np.any(sides[0] != sides[1]) or sides.min() < 0:
            raise WeightsError(f"{shortened(name)} crops {cropping!r:.60}; the same on rows and columns is expected")
        self.offset += int(sides[0, 0])
        self.more -= int(sides[0].sum())
        self.source += f" and {name}"

    def activation(self, name: str, activation: Any) -> None:
        if activation == "relu":
            self.slope(name, np.zeros(1, np.float32))
        elif activation not in (None, "linear"):
            raise WeightsError(
                f"{shortened(name)} has the activation {activation!r:.60}; {_MADE_OF}. Otherwise {KERAS}"
            )

    def slopes(self, kind: str, name: str, config: Mapping[str, Any]) -> np.ndarray:
        if kind == "PReLU":
            arrays = self.model.arrays.get(name, [])
            if len(arrays) != 1:
                raise WeightsError(f"{shortened(name)} has {len(arrays)} arrays; its alpha is expected: save it again")
            if arrays[0].size != max(arrays[0].shape, default=1):
                raise WeightsError(
                    f"{shortened(name)} has alpha {arrays[0].shape}, one a pixel, so the model takes pictures of one "
                    "size; one a channel is expected: PReLU(shared_axes=[1, 2])"
                )
            return arrays[0]
        if config.get("max_value") is not None or config.get("threshold", 0) != 0:
            raise WeightsError(f"{shortened(name)} has a threshold or a largest value; {_MADE_OF}")
        names = ("negative_slope", "alpha")
        value = next((config[key] for key in names if config.get(key) is not None), 0.0 if kind == "ReLU" else 0.3)
        if not isinstance(value, int | float):
            raise WeightsError(f"{shortened(name)} has the slope {value!r:.40}; a number is expected")
        return np.full(1, value, np.float32)

    def slope(self, name: str, slope: np.ndarray) -> None:
        if not self.layers or self.layers[-1].slope is not None:
            raise WeightsError(f"{shortened(name)} does not follow a convolution; {_MADE_OF}")
        self.layers[-1] = self.layers[-1]._replace(slope=slope)

    @staticmethod
    def pair(name: str, config: Mapping[str, Any], key: str, default: int | None = None) -> int:
        """The one number of a setting that is a number, or the same twice."""
        value = config.get(key, default)
        numbers = list(value) if isinstance(value, list | tuple) else [value]
        if len(numbers) not in (1, 2) or len(set(map(repr, numbers))) != 1 or type(numbers[0]) is not int:
            raise WeightsError(f"{shortened(name)} has {key} {value!r:.40}; the same for rows and columns is expected")
        return int(numbers[0])


def _in_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers as they follow each other: a Sequential's as listed, a Functional's by its connections."""
    if not any(entry.get("inbound_nodes") for entry in entries):
        return entries
    named = {name_of(entry): entry for entry in entries}
    after: dict[str, str] = {}
    first = []
    for name, entry in named.items():
        nodes = entry.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise WeightsError(f"{shortened(name)} has connections that are not as Keras writes them; {KERAS}")
        sources = list(_sources(nodes))
        if len(nodes) > 1 or len(sources) > 1 or any(source in after or source not in named for source in sources):
            raise WeightsError(f"{shortened(name)} joins branches, or is used twice; an FSRCNN is a chain: {KERAS}")
        if sources:
            after[sources[0]] = name
        else:
            first.append(name)
    if len(first) != 1:
        raise WeightsError(f"the Keras model has {len(first)} inputs; an FSRCNN has one picture")
    chain = first
    while chain[-1] in after and len(chain) < len(named):
        chain.append(after[chain[-1]])
    if len(chain) != len(named):
        raise WeightsError(f"the Keras model's layers are no chain; an FSRCNN is one: {KERAS}")
    return [named[name] for name in chain]


def _sources(nodes: Any, depth: int = 0) -> Iterator[str]:
    """The layers that a layer takes: Keras 2 lists [name, node, tensor, {}], Keras 3 a keras_history."""
    if depth > 12:
        raise WeightsError(f"the Keras model's connections are not as Keras writes them; {KERAS}")
    if isinstance(nodes, dict):
        history = nodes.get("keras_history")
        if isinstance(history, list) and history:
            yield str(history[0])
            return
        nodes = list(nodes.values())
    if not isinstance(nodes, list):
        return
    if len(nodes) in (3, 4) and isinstance(nodes[0], str) and all(type(n) is int for n in nodes[1:3]):
        yield nodes[0]
        return
    for inner in nodes:
        yield from _sources(inner, depth + 1)
