"""What files of phantoms say of themselves: all that decides a pixel."""

from __future__ import annotations

from ..files import Provenance
from ..files.record import made_by
from ..images.value_range import ValueRange
from .draw import Parameters


def of_phantom(parameters: Parameters, *, data_range: int | None = None, **more: object) -> Provenance:
    """The record of a picture that was drawn from these parameters, and `more` of how."""
    shape = "x".join(map(str, parameters.shape))
    bounds = None if data_range is None else ValueRange(0.0, float(data_range), "phantom")
    settings = {**parameters._asdict(), "shape": shape, **more}
    return made_by("Procedural phantom, not a patient", "phantom", settings=settings, value_range=bounds)
