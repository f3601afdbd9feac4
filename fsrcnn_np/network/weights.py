"""What an FSRCNN is made of: its architecture and its weights, checked.

    feature extraction   conv 5×5, channels → d, PReLU
    shrinking            conv 1×1, d → s, PReLU
    mapping, m times     conv 3×3, s → s, PReLU
    expanding            conv 1×1, s → d, PReLU
    deconvolution        transposed conv 9×9, d → channels, stride = scale

Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016, section 3.
Honjo et al. 2022, Fig. 2, use (d, s, m) = (56, 12, 4) at scale 2. Both have one channel, luma; public ports with three
take RGB in this order as it is.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..errors import WeightsError

BORDERS = ("zero", "replicate")
SCALES = (2, 3, 4)
CHANNELS = (1, 3)
#: Far above any published FSRCNN; a file that claims more is refused before anything is allocated.
MOST_CHANNELS, MOST_MAPPING_LAYERS = 1024, 64


@dataclass(frozen=True)
class Architecture:
    """FSRCNN(d, s, m) at one scale.

    Attributes
    ----------
    d, s, m : int
        Feature width, shrunk width, number of mapping layers.
    scale : int
        2, 3 or 4.
    channels : int
        Of the picture: 1 for grey (and the luma of colours), 3 for red, green and blue.
    """

    d: int
    s: int
    m: int
    scale: int
    channels: int = 1

    def __post_init__(self) -> None:
        limits = {"d": MOST_CHANNELS, "s": MOST_CHANNELS, "m": MOST_MAPPING_LAYERS}
        for name, most in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
                raise WeightsError(f"architecture: {name} is {value!r}; allowed is a whole number from 1 to {most}")
            object.__setattr__(self, name, int(value))
        if isinstance(self.scale, bool) or self.scale not in SCALES:
            raise WeightsError(f"architecture: scale is {self.scale!r}; allowed are 2, 3 and 4")
        object.__setattr__(self, "scale", int(self.scale))
        if isinstance(self.channels, bool) or self.channels not in CHANNELS:
            raise WeightsError(f"architecture: channels is {self.channels!r}; allowed are 1 (grey) and 3 (RGB)")
        object.__setattr__(self, "channels", int(self.channels))

    def __str__(self) -> str:
        return f"FSRCNN({self.d},{self.s},{self.m}) x{self.scale}{' RGB' if self.channels == 3 else ''}"

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The convolutions, first to last; the deconvolution comes after them."""
        mapping = (f"mapping_{i + 1}" for i in range(self.m))
        return ("feature_extraction", "shrinking", *mapping, "expanding")

    @property
    def convolution_shapes(self) -> tuple[tuple[int, int, int, int], ...]:
        """(out, in, rows, columns) of each convolution."""
        d, s = self.d, self.s
        return ((d, self.channels, 5, 5), (s, d, 1, 1), *((s, s, 3, 3),) * self.m, (d, s, 1, 1))

    @property
    def deconvolution_shape(self) -> tuple[int, int, int, int]:
        """(in, out, rows, columns) of the deconvolution, as PyTorch's ConvTranspose2d keeps it."""
        return (self.d, self.channels, 9, 9)

    @property
    def multiply_adds(self) -> int:
        """Multiplications per low-resolution pixel: 12,464 for (56, 12, 4) and grey."""
        return sum(int(np.prod(shape)) for shape in (*self.convolution_shapes, self.deconvolution_shape))


def reach(scale: int, offset: int) -> int:
    """Low-resolution pixels beside its own on which a feature's 9 × 9 stamp lies, cropped by `offset`."""
    return max((scale - 1 + offset) // scale, (8 - offset) // scale)


class Convolution(NamedTuple):
    """One convolution (a correlation: the kernel is not flipped) and its PReLU. Equal by value and dtype."""

    weight: np.ndarray  #: (out, in, rows, columns)
    bias: np.ndarray  #: (out,)
    slope: np.ndarray  #: (out,), or (1,) where the layer has a single slope

    def __eq__(self, other: object) -> bool:
        return _same_layer(self, other)

    def __ne__(self, other: object) -> bool:  # a tuple's own would compare arrays
        return not _same_layer(self, other)

    def __repr__(self) -> str:
        return _layer_in_short(self)


class Deconvolution(NamedTuple):
    """The transposed convolution; it has no PReLU. Equal by value and dtype."""

    weight: np.ndarray  #: (in, channels, 9, 9), stamped unflipped
    bias: np.ndarray  #: (channels,)

    def __eq__(self, other: object) -> bool:
        return _same_layer(self, other)

    def __ne__(self, other: object) -> bool:
        return not _same_layer(self, other)

    def __repr__(self) -> str:
        return _layer_in_short(self)


def _same_layer(layer: tuple[np.ndarray, ...], other: object) -> bool:
    if not isinstance(other, tuple) or type(other) is not type(layer):
        return False
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(layer, other, strict=True)]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def _layer_in_short(layer: Convolution | Deconvolution) -> str:
    parts = (f"{name} {'×'.join(map(str, np.shape(array)))}" for name, array in layer._asdict().items())
    return f"<{type(layer).__name__} {', '.join(parts)}, {np.asarray(layer.weight).dtype}>"


@dataclass(frozen=True, eq=False)
class Weights:
    """A trained FSRCNN. Immutable: its arrays are read-only copies.

    Two models are equal, and have the same hash, when they compute the same: all but licence and provenance counts.

    Parameters
    ----------
    architecture : Architecture
    border : {"zero", "replicate"}
        What every convolution sees outside the image. Part of the model: the authors' x2 falls from 37.00 to
        36.40 dB on Set5 with the wrong one.
    convolutions : sequence of Convolution
        Feature extraction, shrinking, mapping × m, expanding.
    deconvolution : Deconvolution
    deconvolution_offset : int
        Output row r = scale · i + k − offset for feature row i and kernel row k, from 0 to 8. 4 in the authors'
        release and in `ConvTranspose2d(padding=4)`; 3 aligns the authors' x3, which is displaced as released.
    value_range : (float, float)
        The pixel values that the network takes for black and white; (0, 1) nearly always.
    input_mean : float
        Subtracted from all of the input before the first layer, as MATLAB's `imageInputLayer` with 'zerocenter' does.
    licence : str
    provenance : mapping
        Where the model comes from: recipe, data, commit, results. Anything that JSON can hold.

    Raises
    ------
    WeightsError
        A layer missing, of another shape or dtype, or with NaN or infinite values; the message names it.
    """

    architecture: Architecture
    border: str
    convolutions: tuple[Convolution, ...]
    deconvolution: Deconvolution
    deconvolution_offset: int = 4
    value_range: tuple[float, float] = (0.0, 1.0)
    input_mean: float = 0.0
    licence: str = "not stated"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.border not in BORDERS:
            raise WeightsError(f"border is {self.border!r}; allowed are 'zero' and 'replicate'")
        offset = self.deconvolution_offset
        if isinstance(offset, bool) or not isinstance(offset, int | np.integer) or not 2 <= offset <= 6:
            raise WeightsError(f"deconvolution_offset is {offset!r}; allowed is a whole number from 2 to 6 (usually 4)")
        low, high = (float(v) for v in self.value_range)
        if not (np.isfinite([low, high]).all() and low < high):
            raise WeightsError(f"value_range is {self.value_range!r}; allowed are two finite numbers, the lower first")
        if not np.isfinite(self.input_mean):
            raise WeightsError(f"input_mean is {self.input_mean!r}; it must be finite")
        names, shapes = self.architecture.layer_names, self.architecture.convolution_shapes
        if len(self.convolutions) != len(shapes):
            raise WeightsError(
                f"{len(self.convolutions)} convolutions were found; "
                f"{self.architecture} has {len(shapes)}: {', '.join(names)}"
            )
        layers = []
        for name, shape, (weight, bias, slope) in zip(names, shapes, self.convolutions, strict=True):
            out = shape[0]
            slope = np.atleast_1d(slope)
            layers.append(
                Convolution(
                    _checked(f"{name}/weight", weight, shape),
                    _checked(f"{name}/bias", bias, (out,)),
                    _checked(f"{name}/slope", slope, (1,) if slope.shape == (1,) else (out,)),
                )
            )
        last = Deconvolution(
            _checked("deconvolution/weight", self.deconvolution[0], self.architecture.deconvolution_shape),
            _checked("deconvolution/bias", np.atleast_1d(self.deconvolution[1]), (self.architecture.channels,)),
        )
        kinds = sorted({str(array.dtype) for layer in (*layers, last) for array in layer})
        if len(kinds) > 1:
            raise WeightsError(f"layers of different dtypes were found: {', '.join(kinds)}; convert them all to one")
        try:
            provenance = json.loads(json.dumps(dict(self.provenance), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise WeightsError(f"provenance: {error}; only what JSON can hold is allowed") from None
        for key, value in {
            "convolutions": tuple(layers),
            "deconvolution": last,
            "deconvolution_offset": int(offset),
            "value_range": (low, high),
            "input_mean": float(self.input_mean),
            "licence": str(self.licence),
            "provenance": provenance,
        }.items():
            object.__setattr__(self, key, value)

    @property
    def reach(self) -> int:
        """Low-resolution pixels beside a feature's own that the 9-tap deconvolution stamps on: 2 at x2."""
        return reach(self.architecture.scale, self.deconvolution_offset)

    @property
    def halo(self) -> int:
        """Low-resolution pixels around a pixel that can change its outputs: 8 for m = 4 at x2.

        2 of the 5×5, 1 of each mapping layer, and the reach of the deconvolution.
        """
        return 2 + self.architecture.m + self.reach

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64, the same for all layers."""
        return self.deconvolution.weight.dtype

    def arrays(self) -> dict[str, np.ndarray]:
        """All parameters by name, `feature_extraction/weight` … `deconvolution/bias`, first layer first."""
        named: dict[str, Any] = dict(zip(self.architecture.layer_names, self.convolutions, strict=True))
        named["deconvolution"] = self.deconvolution
        return {f"{name}/{part}": array for name, layer in named.items() for part, array in layer._asdict().items()}

    @cached_property
    def sha256(self) -> str:
        """Digest of everything that decides an output: architecture, border, offset, range, mean, parameters."""
        a = self.architecture
        head = [a.d, a.s, a.m, a.scale, self.border, self.deconvolution_offset, *self.value_range, self.input_mean]
        head += [] if a.channels == 1 else [a.channels]  # none with one: as before there were others
        digest = hashlib.sha256(json.dumps(head).encode())
        for name, array in self.arrays().items():
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{name} {array.shape} {array.dtype.name}\n".encode() + little.tobytes())
        return digest.hexdigest()

    def with_channels_reversed(self) -> Weights:
        """The same model with red and blue exchanged, in its input and its output: RGB of what was trained on BGR."""
        first, *others = self.convolutions
        weight, bias = self.deconvolution
        return replace(
            self,
            convolutions=(first._replace(weight=first.weight[:, ::-1]), *others),
            deconvolution=Deconvolution(weight[:, ::-1], bias[::-1]),
        )

    def astype(self, dtype: DTypeLike) -> Weights:
        """The same model with its parameters in float32 or float64."""
        cast: dict[str, Any] = {
            "convolutions": tuple(
                Convolution(*(array.astype(dtype) for array in layer)) for layer in self.convolutions
            ),
            "deconvolution": Deconvolution(*(array.astype(dtype) for array in self.deconvolution)),
        }
        return replace(self, **cast)

    def __eq__(self, other: object) -> bool:
        return self.sha256 == other.sha256 if isinstance(other, Weights) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        names = dict.fromkeys((str(self.provenance.get("model") or self.architecture), str(self.architecture)))
        border, sha256 = f"{self.border} border", f"sha256 {self.sha256[:12]}"
        return f"<Weights {', '.join((*names, border, self.dtype.name, sha256))}>"

    def _repr_html_(self) -> str:
        low, high = self.value_range
        rows: dict[str, Any] = {
            "architecture": f"{self.architecture}, {sum(array.size for array in self.arrays().values()):,} parameters",
            "border": self.border,
            "values": f"{low:g} to {high:g}, {self.dtype.name}",
            "sha256": self.sha256,
            "licence": self.licence,
            **self.provenance,
        }
        return f"<table>{''.join(map(_html_row, rows, rows.values()))}</table>"


def _html_row(name: str, value: Any) -> str:
    """A row of a notebook's table; lists and mappings by their length alone."""
    text = f"{len(value)} entries" if isinstance(value, list | dict) else str(value)
    return f"<tr><td>{html.escape(name)}</td><td>{html.escape(text)}</td></tr>"


def _checked(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise WeightsError(f"{name} is {array.dtype}; allowed are float32 and float64")
    if array.shape != shape:
        raise WeightsError(f"{name} has shape {array.shape}; {shape} is expected")
    array = np.array(array, array.dtype.newbyteorder("="), order="C")
    if not np.isfinite(array).all():
        raise WeightsError(
            f"{name} has {np.count_nonzero(~np.isfinite(array))} values that are NaN or infinite"
            "; finite ones are expected"
        )
    array.flags.writeable = False
    return array
