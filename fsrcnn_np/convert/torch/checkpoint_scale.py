"""The scale that a checkpoint's own settings state: `args.scale`, `config.upscale_factor` and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..conventions import Fact, scale_in_name

#: What training scripts call the factor, in lower case and without underscores.
_NAMES = {
    "scale", "scales", "scalefactor", "scalingfactor", "upscale", "upscalefactor", "upscaling", "upscalingfactor",
    "upsamplefactor", "upsamplingfactor", "upfactor", "srfactor", "srscale", "magnification", "zoomfactor",
}  # fmt: skip
#: Parts of a checkpoint in which a scale is another thing: a gradient's, a learning rate's.
_OTHERS = ("optim", "sched", "scaler", "grad", "loss", "amp", "augment", "transform")
_MOST_DEPTH = 4


def scale_fact(state: Any, file: Path) -> Fact | None:
    """The scale by a checkpoint's settings; none where they do not state it, or state several.

    Parameters
    ----------
    state : object
        What `torch.load(weights_only=True)` gave.
    file : Path
        Whose name may state a scale too.

    Returns
    -------
    Fact or None
        With the value None where the settings and the file's name contradict each other.
    """
    found = dict(_stated(state, ""))
    if len(set(found.values())) != 1:
        return None
    where, scale = next(iter(found.items()))
    source = f"{where} in the checkpoint"
    named = scale_in_name(file)
    if named not in (None, scale):
        return Fact(None, f"{source} is {scale}, and the file's name says {named}")
    return Fact(scale, source)


def _stated(value: Any, where: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    if not isinstance(value, Mapping):
        value = getattr(value, "__dict__", None) if type(value).__name__ == "Namespace" else None
    if value is None or depth > _MOST_DEPTH:
        return
    for key, inner in value.items():
        if not isinstance(key, str) or any(word in key.lower() for word in _OTHERS):
            continue
        name = f"{where}.{key}".strip(".")
        if key.lower().replace("_", "").replace("-", "") in _NAMES and (scale := _number(inner)):
            yield name, scale
        yield from _stated(inner, name, depth + 1)


def _number(value: Any) -> int | None:
    """2, 3 or 4, however it is put down: 2, 2.0, "2", "x2", [2]; else None."""
    if isinstance(value, list | tuple) and len(value) in (1, 2) and len(set(map(repr, value))) == 1:
        value = value[0]
    if isinstance(value, str):
        value = value.strip().lower().strip("x×")
        value = int(value) if value.isdecimal() and len(value) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in (2, 3, 4):
        return None
    return int(value)
