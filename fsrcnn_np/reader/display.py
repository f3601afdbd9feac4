"""A picture → what the page has to know to show it as it is meant: units, polarity, windows. No names, no dates."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError
from ..files import Picture
from ..files.dicom.lookup_table import described, entries_of
from ..images.value_range import ValueRange

MOST_PRESETS, MOST_ENTRIES = 16, 1 << 16
#: Of these words, and numbers, a file's own name of a window may consist; any other could name somebody.
WORDS = frozenset(
    """
    normal standard default hard harder soft softer high higher medium low lower contrast sharp smooth bright brighter
    brightness dark darker wide narrow user auto manual original window voi lut breast mammo mammography tissue dense
    density fatty fat implant skin nipple muscle calcification calcifications chest lung bone abdomen
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Display:
    """How stored values are shown; every image of a case that has the same values has the same.

    Attributes
    ----------
    bits : int
        That the values use.
    signed, inverted : bool
        `inverted`: low values are bright.
    slope, intercept : float
        Of the rescale (PS3.3 C.11.1); windows are in its units.
    range : (float, float)
        Stored values of black and white.
    presets : tuple of dict
        As PROTOCOL.md has them; the first is shown first.
    notes : tuple of str
        For the reader.
    """

    bits: int
    signed: bool
    inverted: bool
    slope: float
    intercept: float
    range: tuple[float, float]
    presets: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the page gets it."""
        return {
            "bits": self.bits, "signed": self.signed, "inverted": self.inverted, "slope": self.slope,
            "intercept": self.intercept, "range": list(self.range), "presets": list(self.presets),
        }  # fmt: skip


def sixteen_bits(pixels: NDArray[Any]) -> NDArray[Any]:
    """The same values as uint16 or int16.

    Raises
    ------
    ImageError
        Colour, floats, or more than 16 bits.
    """
    if pixels.ndim != 2:
        raise ImageError(f"is colour or several pictures, {pixels.dtype} {pixels.shape}; shown are grey images")
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        raise ImageError(f"holds {pixels.dtype}; shown are integers of 8 to 16 bits; convert it")
    if 0 in pixels.shape:
        raise ImageError("has no pixels; one or more are needed")
    return np.ascontiguousarray(pixels, np.int16 if pixels.dtype.kind == "i" else np.uint16)


def display_of(picture: Picture, bounds: ValueRange) -> Display:
    """How the file wants its values shown.

    Parameters
    ----------
    picture : Picture
        Grey, of integers of 8 or 16 bits.
    bounds : ValueRange
        Stored values of black and white.

    Returns
    -------
    Display
        Of a DICOM with its windows and VOI LUTs (PS3.3 C.11.2). Behind them the whole range, and before it, for a
        file that names no window, one fitted to the picture: from the 0.5th to the 99.95th percentile of what lies
        above black.
    """
    pixels = picture.pixels
    dataset = picture.details.get("dataset") if picture.format == "DICOM" else None
    slope, intercept, notes = _rescale(dataset)
    bits = _bits(picture, bounds)
    presets = _named_windows(dataset) if dataset is not None else []
    whole = _window("whole range", *sorted(value * slope + intercept for value in (bounds.low, bounds.high)))
    if not presets and (fitted := _fitted(pixels, bounds, picture.inverted)):
        presets.append(_window("fitted", *sorted(value * slope + intercept for value in fitted)))
    return Display(
        bits, pixels.dtype.kind == "i", picture.inverted, slope, intercept, (bounds.low, bounds.high),
        (*presets[: MOST_PRESETS - 1], whole), tuple(notes),
    )  # fmt: skip


def _bits(picture: Picture, bounds: ValueRange) -> int:
    dataset = picture.details.get("dataset") if picture.format == "DICOM" else None
    if dataset is not None:
        return int(dataset.BitsStored)
    whole = 8 * picture.pixels.dtype.itemsize
    if bounds.low < 0:
        return min(whole, int(max(bounds.high, -bounds.low - 1)).bit_length() + 1)
    return min(whole, max(1, int(bounds.high).bit_length()))


def _window(name: str, low: float, high: float) -> dict[str, Any]:
    """Black at `low` and white at `high` by PS3.3 C.11.2.1.2.1."""
    return {"name": name, "function": "LINEAR", "centre": (low + high + 1) / 2, "width": high - low + 1}


def _fitted(pixels: NDArray[Any], bounds: ValueRange, inverted: bool) -> tuple[float, float] | None:
    step = max(1, math.isqrt(pixels.size // (1 << 20)))
    some = pixels[::step, ::step]
    background = bounds.high if inverted else bounds.low
    inside = some[some != background]
    if inside.size < 100:
        return None
    low, high = (float(round(value)) for value in np.percentile(inside, (0.5, 99.95)))
    return (low, high) if high > low else None


def _rescale(dataset: Any) -> tuple[float, float, list[str]]:
    if dataset is None:
        return 1.0, 0.0, []
    dataset = _holder(dataset, "RescaleSlope", "ModalityLUTSequence")
    if dataset.get("ModalityLUTSequence"):
        return 1.0, 0.0, ["its Modality LUT is not applied: values are as stored"]
    try:
        slope = float(1 if dataset.get("RescaleSlope") in (None, "") else dataset.RescaleSlope)
        intercept = float(0 if dataset.get("RescaleIntercept") in (None, "") else dataset.RescaleIntercept)
    except (TypeError, ValueError):
        slope = 0.0
        intercept = 0.0
    if not slope or not math.isfinite(slope) or not math.isfinite(intercept):
        return 1.0, 0.0, ["its rescale slope or intercept is no number: values are as stored"]
    return slope, intercept, []


def _holder(dataset: Any, *keywords: str) -> Any:
    """The data set, or the functional group that says this of all frames, or of the only one: PS3.3 C.7.6.16.2."""
    every = list(dataset.get("SharedFunctionalGroupsSequence") or ())
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    groups = [*every, *(own if len(own) == 1 else ())]
    macros = [item for group in groups for element in group if element.VR == "SQ" for item in element.value or ()]
    return next((one for one in (dataset, *macros) if any(keyword in one for keyword in keywords)), dataset)


def _named_windows(dataset: Any) -> list[dict[str, Any]]:
    """Windows and VOI LUTs, by the names that the file gives them where these are harmless."""
    found: list[dict[str, Any]] = []
    signed = dataset.get("PixelRepresentation") == 1
    dataset = _holder(dataset, "WindowCenter", "VOILUTSequence")
    function = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    function = function if function in ("LINEAR", "LINEAR_EXACT", "SIGMOID") else "LINEAR"
    least = 1.0 if function == "LINEAR" else 1e-6

    def named(place: int, otherwise: str, before: list[dict[str, Any]]) -> str:
        name = harmless(said[place]) if place < len(said) else ""
        return name if name and name not in {one["name"] for one in before} else otherwise

    centres, widths = (_numbers(dataset.get(keyword)) for keyword in ("WindowCenter", "WindowWidth"))
    said = _texts(dataset.get("WindowCenterWidthExplanation"))  # PS3.3 C.11.2.1.2
    for place, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if math.isfinite(centre) and math.isfinite(width) and width >= least:
            name = named(place, f"window {len(found) + 1}", found)
            found.append({"name": name, "function": function, "centre": centre, "width": width})
    tables: list[dict[str, Any]] = []
    for item in dataset.get("VOILUTSequence") or ():
        if table := _table(item, signed=signed):
            said = _texts(item.get("LUTExplanation"))
            tables.append({"name": named(0, f"VOI LUT {len(tables) + 1}", found + tables), "table": table})
    return [*found, *tables]


def harmless(text: str) -> str:
    """A window's name if all its words are known ones, in lower case with single spaces; else ""."""
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    known = [word in WORDS for word in words]
    plain = text.isascii() and all(
        ok or re.fullmatch("[0-9]{1,2}", word) for word, ok in zip(words, known, strict=True)
    )
    return " ".join(words) if any(known) and len(words) <= 4 and plain else ""


def _texts(value: Any) -> list[str]:
    if value in (None, ""):
        return []
    return [str(one) for one in (value if type(value).__name__ == "MultiValue" or isinstance(value, list) else [value])]


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    try:
        return [float(one) for one in values]
    except (TypeError, ValueError):
        return []


def _table(item: Any, *, signed: bool) -> dict[str, Any] | None:
    """An entry for each value from the first on, and the largest that there can be."""
    try:
        said, data, little = described(item.LUTDescriptor, signed=signed), item.LUTData, True
        if isinstance(data, bytes):
            little = item.original_encoding[1] is not False
        else:
            data = (np.asarray(data, np.int64) & 0xFFFF).astype("<u2").tobytes()
        values = entries_of(data, said, little=little)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    if values is None or not 8 <= said.bits <= 8 * values.itemsize or said.entries > MOST_ENTRIES:
        return None
    maximum = (1 << said.bits) - 1
    return {"first": said.first, "values": np.minimum(values, maximum).tolist(), "maximum": maximum}
