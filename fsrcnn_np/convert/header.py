"""What stands beside the parameters in every file that this package writes, as one JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import WeightsError
from ..network.weights import Weights

#: The key or variable under which it is kept in files of other formats.
KEY = "fsrcnn_np"
FORMAT, SCHEMA = "fsrcnn-np weights", 1
MOST_TEXT = 16 << 20


@dataclass(frozen=True)
class Header:
    """Everything about a model but its parameters; see `Weights`."""

    scale: int
    border: str
    deconvolution_offset: int
    value_range: tuple[float, float]
    input_mean: float
    licence: str
    provenance: dict[str, Any]
    sha256: str
    channel_order: ClassVar[str] = "rgb"  #: of every file that this package writes


_KINDS: dict[str, type | tuple[type, ...]] = {
    "scale": int, "border": str, "deconvolution_offset": int, "value_range": list, "input_mean": (int, float),
    "licence": str, "provenance": dict, "sha256": str,
}  # fmt: skip


def header_text(weights: Weights) -> str:
    """The header of a model, as JSON."""
    values = {name: getattr(weights, name) for name in _KINDS if name != "scale"}
    return json.dumps({"format": FORMAT, "schema": SCHEMA, "scale": weights.architecture.scale, **values})


def parse(text: str | bytes) -> Header:
    """The header in a text.

    Raises
    ------
    WeightsError
        It is none, or of another schema.
    """
    if len(text) > MOST_TEXT:
        raise WeightsError(f"the {FORMAT} header has {len(text)} characters; at most {MOST_TEXT} are allowed")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"the {FORMAT} header is no JSON ({error}); export the model again") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise WeightsError(f"the header says no format {FORMAT!r}; export the model again")
    if found.get("schema") != SCHEMA:
        raise WeightsError(f"schema {found.get('schema')!r} was found; this version reads {SCHEMA}: update fsrcnn-np")
    for name, kind in _KINDS.items():
        value = found.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and abs(value) > 1 << 60):
            raise WeightsError(f"the header's {name} is {found.get(name)!r:.60}; export the model again")
    span = found["value_range"]
    if len(span) != 2 or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e300 for v in span
    ):
        raise WeightsError(f"the header's value_range is {span!r:.60}; two numbers are expected")
    return Header(**{name: found[name] for name in _KINDS} | {"value_range": tuple(map(float, span))})
