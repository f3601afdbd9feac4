"""Stored words → pixel values: what the bits above Bits Stored are, and which pixels are padding.

A word of (0028,0100) Bits Allocated bits holds a value of (0028,0101) Bits Stored. The bits above it can be the value's
sign, an overlay plane, padding, or a header that is wrong; they are looked at before they are taken away.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.images.padding import filled
from fsrcnn_np.images.value_range import row_blocks, to_integers

HIGH_BITS = "high-bits"  #: what a caller allows who wants unexplained bits cleared
_OVERLAYS = range(0x6000, 0x6100, 2)


class Padding(NamedTuple):
    """Where a frame has no image (PS3.3 C.7.5.1.1.2), and the words that say so."""

    mask: NDArray[np.bool_]
    words: NDArray[Any]  #: of the frame's shape, or of one element where all are the same


class Values(NamedTuple):
    """A frame's pixels within Bits Stored; where it is padding, the nearest that these bits can hold.

    Of 32-bit words they are uint16 or int16 where they fit, else float64.
    """

    pixels: NDArray[Any]
    padding: Padding | None
    remarks: list[str]


class PaddingRange(NamedTuple):
    """(0028,0120) Pixel Padding Value to (0028,0121) Pixel Padding Range Limit, whatever their sign is said to be."""

    low: int
    high: int

    @classmethod
    def of(cls, dataset: Any) -> PaddingRange | None:
        """Of a data set; None where it has no such value, or none that is a number."""
        try:
            value = int(dataset["PixelPaddingValue"].value)
            limit = dataset.get("PixelPaddingRangeLimit")
            limit = value if limit is None else int(limit)
        except (KeyError, TypeError, ValueError):
            return None
        return cls(min(value, limit), max(value, limit))

    def mask(self, words: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
        """Pixels whose word, read as signed or as unsigned as this range is, or whose value lies in it."""
        low, high = self
        signed = low < 0
        whole = words.view(f"{'i' if signed else 'u'}{words.itemsize}")
        return _between(whole, low, high) | _between(values, low, high)


def values_of_words(words: NDArray[Any], dataset: Any, *, lossy: bool, allow: frozenset[str]) -> Values:
    """Take a frame's stored words apart.

    Parameters
    ----------
    words : ndarray, H×W or H×W×3
        All Bits Allocated bits, signed or not as (0028,0103) Pixel Representation says.
    dataset : pydicom.Dataset
        With Bits Allocated, Bits Stored and Pixel Representation.
    lossy : bool
        Whether the encoding may overshoot: values beyond Bits Stored are then clipped.
    allow : frozenset of str
        With HIGH_BITS unexplained bits are cleared.

    Raises
    ------
    FormatError
        Bits above Bits Stored that nothing explains.
    """
    bits, signed = int(dataset.BitsStored), words.dtype.kind == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    padding_range = PaddingRange.of(dataset) if words.ndim == 2 else None
    if bits == 8 * words.itemsize and padding_range is None:
        return Values(_in_a_pipeline_dtype(words, bits), None, [])
    overlays = _overlay_bits(dataset, bits, 8 * words.itemsize)
    pixels = np.empty_like(words)
    mask = np.zeros(words.shape, np.bool_) if padding_range is not None else None
    beyond, least, most = 0, np.inf, -np.inf
    for rows in row_blocks(words):
        block = words[rows]
        values = _low_bits(block, bits, signed)
        unexplained = _unexplained(block, bits, signed, overlays)
        if padding_range is not None and mask is not None:
            mask[rows] = padding_range.mask(block, values)
            unexplained &= ~mask[rows]
            fill = np.clip(padding_range.low if padding_range.low < low else padding_range.high, low, high)
            outside = mask[rows] & (_low_bits(block, bits, signed) != block)
            values[outside] = fill
        if unexplained.any():
            beyond += int(unexplained.sum())
            least, most = min(least, int(block[unexplained].min())), max(most, int(block[unexplained].max()))
            if lossy:
                values[unexplained] = block[unexplained].clip(low, high)
        pixels[rows] = values
    remarks = [_said_of(beyond, bits, least, most, lossy=lossy, allow=allow)] if beyond else []
    if overlays and not beyond:
        remarks.append(f"bits {_listed(overlays)} of (7FE0,0010) Pixel Data are overlays, and no part of the pixels")
    pixels = _in_a_pipeline_dtype(pixels, bits)
    if mask is None or not mask.any():
        return Values(pixels, None, remarks)
    stored = words[mask]
    same = bool((stored == stored[0]).all())
    return Values(pixels, Padding(mask, stored[:1] if same else words), remarks)


def values_of_floats(pixels: NDArray[Any], dataset: Any) -> Values:
    """Float pixels, and where (0028,0122) or (0028,0123) says that there are none: PS3.3 C.7.6.24, C.7.6.25.

    Padding that is no finite number stands as the nearest pixel of the image; its own words come back all the same.
    """
    kind = "Float" if pixels.itemsize == 4 else "DoubleFloat"
    try:
        value = float(dataset[f"{kind}PixelPaddingValue"].value)
        limit = dataset.get(f"{kind}PixelPaddingRangeLimit")
        limit = value if limit is None else float(limit)
    except (KeyError, TypeError, ValueError):
        return Values(pixels, None, [])
    mask = (pixels >= min(value, limit)) & (pixels <= max(value, limit))
    if np.isnan(value):
        mask |= np.isnan(pixels)
    if not mask.any():
        return Values(pixels, None, [])
    finite, remarks = pixels, []
    if not np.isfinite(pixels[mask]).all():
        finite = filled(pixels, mask) if not mask.all() else np.zeros_like(pixels)
        remarks.append(f"padding of {value} is kept in DICOM; elsewhere the nearest pixel of the image stands for it")
    return Values(finite, Padding(mask, pixels), remarks)


def words_of_values(pixels: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """The other way round: pixels, within Bits Stored, in words of Bits Allocated."""
    if dataset.BitsAllocated != 32:
        return pixels
    dtype = np.dtype("i4" if dataset.PixelRepresentation == 1 else "u4")
    return pixels.astype(dtype) if pixels.dtype.kind != "f" else to_integers(pixels, dtype)


def _in_a_pipeline_dtype(words: NDArray[Any], bits: int) -> NDArray[Any]:
    """32-bit integers as 16-bit ones where these hold so many bits, else as float64, which is exact."""
    if words.itemsize != 4:
        return words
    return words.astype(f"{words.dtype.kind}2" if bits <= 16 else "f8")


def _said_of(count: int, bits: int, least: float, most: float, *, lossy: bool, allow: frozenset[str]) -> str:
    found = f"{count} pixels have values from {least} to {most}, beyond (0028,0101) BitsStored {bits}"
    if lossy:
        return f"{found}: the lossy encoding overshoots, and they are clipped"
    if HIGH_BITS in allow:
        return f"{found}: the bits from {bits} up are cleared, as asked for"
    raise FormatError(
        f"(7FE0,0010) Pixel Data: {found}, and no overlay (60xx,0102) or padding (0028,0120) explains them; correct "
        f"BitsStored, or have the bits from {bits} up cleared: --allow {HIGH_BITS} (allow=['{HIGH_BITS}'])"
    )


def _low_bits(words: NDArray[Any], bits: int, signed: bool) -> NDArray[Any]:
    """The lowest bits, with the sign taken from the highest of them."""
    if not signed:
        return words & words.dtype.type((1 << bits) - 1)
    unused = 8 * words.itemsize - bits
    return (words << unused) >> unused


def _unexplained(words: NDArray[Any], bits: int, signed: bool, overlays: list[int]) -> NDArray[np.bool_]:
    """Where a bit above the stored ones is neither an overlay's nor, all of them together, the sign."""
    whole = words.view(f"u{words.itemsize}")
    above = ((1 << 8 * words.itemsize) - 1) ^ ((1 << bits) - 1)
    for position in overlays:
        above &= ~(1 << position)
    kind = whole.dtype.type
    found = (whole & kind(above)) != 0
    if signed:
        negative = (whole & kind(1 << (bits - 1))) != 0
        found &= ~(negative & ((whole & kind(above)) == kind(above)))
    return found


def _overlay_bits(dataset: Any, bits: int, allocated: int) -> list[int]:
    """Bits that an overlay plane without data of its own says it is in: PS3.3 C.9.2, retired since 2004."""
    positions = []
    for group in _OVERLAYS:
        if (group, 0x0102) not in dataset or (group, 0x3000) in dataset:
            continue
        try:
            position, width = int(dataset[group, 0x0102].value), int(dataset[group, 0x0100].value)
        except (KeyError, TypeError, ValueError):
            continue
        if bits <= position < allocated and width == allocated:
            positions.append(position)
    return sorted(set(positions))


def _between(values: NDArray[Any], low: int, high: int) -> NDArray[np.bool_]:
    """low ≤ v ≤ high, where the limits may lie outside what the dtype holds."""
    limits = np.iinfo(values.dtype)
    low, high = max(low, limits.min), min(high, limits.max)
    if low > high:
        return np.zeros(values.shape, np.bool_)
    return (values >= low) & (values <= high)


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
