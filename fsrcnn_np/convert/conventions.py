"""What a file holds before it is a model: layers in order, and what is known of their convention.

Every reader of a foreign format ends in a `Found`; `build` turns it into `Weights` in one place, so that every wrong
shape is reported alike, and nothing about the convention is assumed in silence.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import WeightsError
from ..network.weights import Architecture, Convolution, Deconvolution, Weights
from .header import Header

#: No FSRCNN comes near it; a file that holds or declares more is refused before anything is allocated.
MOST_BYTES = 512 << 20

#: What to do with a model of Keras or TensorFlow that is not read.
KERAS = (
    "make an ONNX model of it, which is read: model.export('FOLDER') in Keras, then "
    "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"
)

#: What `Weights` takes as its deconvolution's offset.
_OFFSETS = range(2, 7)

#: How each part of the convention is asked for.
OPTIONS = {
    "scale": "scale=2, 3 or 4 (--scale)",
    "border": "border='zero' or 'replicate' (--border)",
    "deconvolution_offset": "deconvolution_offset=4, say (--offset)",
    "value_range": "value_range=(0, 1), say (--value-range)",
    "input_mean": "input_mean=0, say (--input-mean)",
    "channel_order": "channel_order='rgb' or 'bgr' (--channel-order)",
}

ORDERS = ("rgb", "bgr")


class ConventionWarning(UserWarning):
    """Something about a model that its file does not say was assumed; the message names it and how to say it.

    Attributes
    ----------
    text : str
        What was assumed.
    names : tuple of str
        What of it can be said, by the names of `OPTIONS`.
    """

    def __init__(self, text: str, names: tuple[str, ...] = ()):
        self.text, self.names = text, names
        super().__init__(f"{text}. Say {', '.join(f'{name}=…' for name in names)} to settle it" if names else text)

    @property
    def for_commands(self) -> str:
        """The message in the words of the command line."""
        if not self.names:
            return self.text
        options = (re.findall(r"\((--[a-z-]+)\)", OPTIONS[name])[0] for name in self.names)
        how = ", ".join(f"{option} …" for option in options)
        return f"{self.text}. Say {how} to settle it, in fsrcnn-np weights convert IN OUT.h5"


@dataclass(frozen=True)
class Asked:
    """What the caller says about a model; None where the file shall decide."""

    scale: int | None = None
    border: str | None = None
    deconvolution_offset: int | None = None
    value_range: tuple[float, float] | None = None
    input_mean: float | None = None
    licence: str | None = None
    channel_order: str | None = None

    def __post_init__(self) -> None:
        if self.channel_order not in (None, *ORDERS):
            raise WeightsError(f"channel_order is {self.channel_order!r}; allowed are 'rgb' and 'bgr'")

    def given(self) -> dict[str, Any]:
        """What was said, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True)
class Fact:
    """A part of the convention, and where it was found. A value of None: it cannot be told, and `source` says why."""

    value: Any
    source: str
    assumed: bool = False


class Layer(NamedTuple):
    """A layer as it was found."""

    name: str  #: in the file
    weight: np.ndarray  #: (out, in, rows, columns); the deconvolution's (in, out, rows, columns)
    bias: np.ndarray | None = None
    slope: np.ndarray | None = None  #: of the PReLU after it: one, or one a channel, in any shape


@dataclass(frozen=True)
class Found:
    """What a reader hands to `build`.

    Attributes
    ----------
    form : str
        The kind of file, in words.
    layers : tuple of Layer
        The convolutions in the order in which they are applied.
    last : Layer
        The deconvolution.
    facts : mapping
        By the names of `OPTIONS`.
    notes : tuple of str
        Whatever else a user has to know.
    header : Header, optional
        What this package wrote beside the parameters.
    licence : str
    """

    form: str
    layers: tuple[Layer, ...]
    last: Layer
    facts: Mapping[str, Fact] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    header: Header | None = None
    licence: str = "not stated"


def build(found: Found, asked: Asked, path: Path) -> Weights:
    """Check the layers, settle the convention, and make the model.

    Raises
    ------
    WeightsError
        Naming the layer, what was found, what is expected and what to do.

    Warns
    -----
    ConventionWarning
        Where the file leaves open what decides the output, and the caller does too.
    """
    if found.header:
        stated = {name: Fact(getattr(found.header, name), "stated in the file") for name in OPTIONS}
        for name in ("scale", "border", "deconvolution_offset"):
            seen = found.facts.get(name, stated[name])
            if seen.value != stated[name].value:
                raise WeightsError(
                    f"{name} is {stated[name].value} in what fsrcnn-np wrote into the file, and {seen.value} by the "
                    f"{seen.source}: changed since; convert the original again"
                )
        weights = _weights(found, stated, found.header.licence, found.header.provenance)
        if weights.sha256 != found.header.sha256:
            note = "the parameters are not those that fsrcnn-np wrote into this file: changed since"
            weights = replace(weights, provenance={"notes": [note], "written_as": found.header.provenance})
        return override(weights, asked)
    facts = {**_defaults(path), **found.facts}
    if not found.layers or found.layers[0].weight.shape[1] != 3:
        facts.pop("channel_order")
        _check_order(1, asked)
    if asked.scale is not None and facts["scale"].value not in (None, asked.scale):
        if facts["scale"].source != _name_of(path):
            raise WeightsError(
                f"scale={asked.scale} was asked for, but the file's is {facts['scale'].value} "
                f"({facts['scale'].source}); leave --scale out"
            )
        facts["scale"] = Fact(asked.scale, "asked for")
    given = asked.given()
    facts |= {name: Fact(value, "asked for") for name, value in given.items() if name in OPTIONS}
    for name, fact in facts.items():
        if fact.value is None:
            raise WeightsError(f"{name} cannot be told: {fact.source}; say {OPTIONS[name]}")
    provenance = {
        "converted_from": {"form": found.form, "file": path.name, "sha256": _sha256(path)},
        "convention": {name: asdict(fact) for name, fact in facts.items()},
        "layers": [layer.name for layer in (*found.layers, found.last)],
        "notes": list(found.notes),
    }
    weights = _weights(found, facts, given.get("licence", found.licence), provenance)
    if assumed := {name: f"{name} = {fact.value} ({fact.source})" for name, fact in facts.items() if fact.assumed}:
        text = f"{path.name} does not say, so it was assumed: {'; '.join(assumed.values())}"
        warnings.warn(ConventionWarning(text, tuple(assumed)), stacklevel=3)
    if "channel_order" in facts and facts["channel_order"].value == "bgr":
        weights = weights.with_channels_reversed()
    return weights


def override(weights: Weights, asked: Asked) -> Weights:
    """The same parameters under another convention, where one is asked for; noted in the provenance."""
    given = asked.given()
    scale = given.pop("scale", weights.architecture.scale)
    if scale != weights.architecture.scale:
        raise WeightsError(
            f"scale={scale} was asked for, but the file says {weights.architecture.scale}; leave --scale out"
        )
    _check_order(weights.architecture.channels, asked)
    order = given.pop("channel_order", "rgb")  # the file's own
    changed = {name: value for name, value in given.items() if value != getattr(weights, name)}
    if not changed and order == "rgb":
        return weights
    noted = {
        name: asdict(Fact(value, f"asked for; the file says {getattr(weights, name)}"))
        for name, value in changed.items()
    }
    if order == "bgr":
        weights = weights.with_channels_reversed()
        noted["channel_order"] = asdict(Fact(order, "asked for; the file says rgb"))
    convention = {**weights.provenance.get("convention", {}), **noted}
    return replace(weights, **changed, provenance={**weights.provenance, "convention": convention})


def offset_fact(offset: int, source: str, name: str, more: tuple[int, int], notes: list[str]) -> Fact:
    """`deconvolution_offset` of a layer that gives `more` (rows, columns) than scale × input.

    What is more has to be cropped: at the end, or, as one who trained it may have meant, evenly. The file says neither,
    so the offset is an assumption then, and the even crop is named, or taken where no `Weights` has the other's offset.
    What is less is only noted.
    """
    words = [
        f"{abs(size)} {edge}(s) {'more' if size > 0 else 'less'}"
        for size, edge in zip(more, ("row", "column"), strict=True)
        if size
    ]
    notes += [f"{name} gives {each} than scale × input" for each in words]
    even = offset + (max(more) + 1) // 2
    if max(more) <= 0 or even not in _OFFSETS:
        return Fact(offset, source)
    told = f"{source}: {name} gives {' and '.join(words)} than scale × input, cropped"
    if offset not in _OFFSETS:
        return Fact(even, f"{told} evenly", assumed=True)
    return Fact(offset, f"{told} at the end; --offset {even} crops evenly", assumed=True)


def _check_order(channels: int, asked: Asked) -> None:
    if channels == 1 and asked.channel_order is not None:
        raise WeightsError(
            f"channel_order={asked.channel_order!r} was asked for, but the model has one channel; "
            "leave --channel-order out"
        )


def order_in_name(path: Path) -> str | None:
    """ "rgb" or "bgr" where the file's name says one of them, as a word; else None."""
    found = set(re.findall(r"(?<![a-z0-9])(rgb|bgr)(?![a-z0-9])", path.stem.lower()))
    return found.pop() if len(found) == 1 else None


def scale_in_name(path: Path) -> int | None:
    """2, 3 or 4 where the file's name says x2, 2x, X3 … once; else None."""
    name = path.stem.lower().replace("×", "x")
    found = {int(a or b) for a, b in re.findall(r"(?<![a-z0-9])(?:x([234])|([234])x)(?![a-z0-9])", name)}
    return found.pop() if len(found) == 1 else None


def listing(layers: tuple[Layer, ...], last: Layer | None = None) -> str:
    """The layers in one line, for messages: `conv1 5×5 1→56`."""

    def form(layer: Layer, channels: int, out: int) -> str:
        return f"{shortened(layer.name)} {'×'.join(map(str, layer.weight.shape[2:]))} {channels}→{out}"

    forms = [form(layer, layer.weight.shape[1], layer.weight.shape[0]) for layer in layers[:20]]
    if len(layers) > len(forms):
        forms.append(f"{len(layers) - len(forms)} more")
    if last is not None:
        forms.append(f"{form(last, *last.weight.shape[:2])} (deconvolution)")
    return ", ".join(forms) or "none"


def shortened(name: str) -> str:
    """A name for a message: of a long one, both ends."""
    return name if len(name) <= 60 else f"{name[:30]}…{name[-20:]}"


def some(names: list[str], most: int = 20) -> str:
    """Names for a message, in one line: of many, the first and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shortened, names[:most])) + more or "none"


def first_line(error: BaseException) -> str:
    """What an exception of another library says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def check_size(architecture: Architecture) -> None:
    """Raise a WeightsError where its parameters alone, in float64, are more than any model's file."""
    if architecture.multiply_adds * 8 > MOST_BYTES:
        raise WeightsError(
            f"{architecture} has {architecture.multiply_adds} parameters: far more than any FSRCNN"
            "; give the file of an FSRCNN"
        )


def _name_of(path: Path) -> str:
    return f"the file's name, {path.name}"


def _defaults(path: Path) -> dict[str, Fact]:
    scale, order = scale_in_name(path), order_in_name(path)
    unknown = "neither the file nor its name says it, and the 9×9 kernel is the same at every scale"
    return {
        "scale": Fact(scale, _name_of(path) if scale else unknown),
        "border": Fact("zero", "as PyTorch and MATLAB pad by default", assumed=True),
        "deconvolution_offset": Fact(4, "as with padding=4", assumed=True),
        "value_range": Fact((0.0, 1.0), "as nearly all are trained", assumed=True),
        "input_mean": Fact(0.0, "none", assumed=True),
        "channel_order": Fact(order, _name_of(path)) if order else Fact("rgb", "as most ports have it", assumed=True),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _weights(found: Found, facts: Mapping[str, Fact], licence: str, provenance: Mapping[str, Any]) -> Weights:
    architecture = _architecture(found, facts["scale"].value)
    arrays = iter(_one_dtype(_parts(found, architecture)))
    convolutions = tuple(Convolution(next(arrays), next(arrays), next(arrays)) for _ in found.layers)
    return Weights(
        architecture,
        facts["border"].value,
        convolutions,
        Deconvolution(next(arrays), next(arrays)),
        deconvolution_offset=facts["deconvolution_offset"].value,
        value_range=facts["value_range"].value,
        input_mean=facts["input_mean"].value,
        licence=licence,
        provenance={"model": str(architecture), **provenance},
    )


def _architecture(found: Found, scale: int) -> Architecture:
    """Read d, s and m off the layers, and hold every layer against them."""
    layers, last = found.layers, found.last
    all_of_them = f"the file has: {listing(layers, last)}"
    if len(layers) < 4:
        raise WeightsError(
            f"{len(layers)} convolutions before the deconvolution were found; an FSRCNN has feature extraction (5×5), "
            f"shrinking (1×1), mapping (3×3, one or more) and expanding (1×1); {all_of_them}"
        )
    channels = 3 if layers[0].weight.shape[1] == 3 else 1
    architecture = Architecture(layers[0].weight.shape[0], layers[1].weight.shape[0], len(layers) - 3, scale, channels)
    check_size(architecture)
    names = (*architecture.layer_names, "deconvolution")
    shapes = (*architecture.convolution_shapes, architecture.deconvolution_shape)
    for role, shape, layer in zip(names, shapes, (*layers, last), strict=True):
        if layer.weight.shape == shape:
            continue
        order = "(in, out, rows, columns)" if layer is last else "(out, in, rows, columns)"
        hint = "is a layer missing or too many?"
        given, made = layers[0].weight.shape[1], last.weight.shape[1]
        if given != made and 3 in (given, made):
            hint = f"{given} channels go in and {made} come out; a model is of grey (1 and 1) or of RGB (3 and 3);"
        elif (shape[1], shape[0], *shape[2:]) == layer.weight.shape:
            hint = "are its first two axes swapped?"
        raise WeightsError(
            f"{role} (in the file: {layer.name}) has weight {layer.weight.shape}; {shape} is expected, {order}, "
            f"in {architecture}; {hint} {all_of_them}"
        )
    return architecture


def _parts(found: Found, architecture: Architecture) -> list[tuple[str, np.ndarray]]:
    parts = []
    for role, layer in zip((*architecture.layer_names, "deconvolution"), (*found.layers, found.last), strict=True):
        where = f"{role} (in the file: {layer.name})"
        last = layer is found.last
        out = layer.weight.shape[1 if last else 0]
        bias = np.zeros(out, np.float32) if layer.bias is None else np.asarray(layer.bias)
        parts += [(where, layer.weight), (where, _vector(where, "bias", bias, out))]
        if last and layer.slope is not None:
            raise WeightsError(f"{where} is followed by a PReLU; an FSRCNN's deconvolution is not")
        if not last:
            if layer.slope is None:
                raise WeightsError(f"{where} has no PReLU; {out} slopes, or a single one, are expected after it")
            slope = np.asarray(layer.slope)
            single = slope.size == 1 != out
            parts.append((where, slope.reshape(1) if single else _vector(where, "slope", slope, out)))
    return parts


def _vector(where: str, what: str, array: np.ndarray, out: int) -> np.ndarray:
    if array.size != out or max(array.shape, default=1) != array.size:
        allowed = f"({out},)" + (" or a single one" if what == "slope" else "")
        raise WeightsError(f"{where} has {what} of shape {array.shape}; {allowed} is expected")
    return array.reshape(out)


def _one_dtype(parts: list[tuple[str, np.ndarray]]) -> list[np.ndarray]:
    """All in float32, or in float64 where some array is float64 and not exactly representable in float32.

    Half precision is widened, which is exact. The FSRCNN authors' weights are float64 beside float32 biases, but
    float32 in value. A file of float64 throughout stays float64.
    """
    for where, array in parts:
        if array.dtype.kind != "f" or array.dtype.itemsize > 8:
            raise WeightsError(f"{where} is {array.dtype}; allowed are float16, float32 and float64: convert it")
    arrays = [array for _, array in parts]
    wide = [a for a in arrays if a.dtype.itemsize == 8]
    with np.errstate(over="ignore"):
        narrow = len(wide) < len(arrays) and all(np.array_equal(a, a.astype(np.float32), equal_nan=True) for a in wide)
    return [a.astype(np.float64 if wide and not narrow else np.float32) for a in arrays]
