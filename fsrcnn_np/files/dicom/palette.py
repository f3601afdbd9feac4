"""Palette colours (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6): indices and tables → RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.dicom.geometry import values_of
from fsrcnn_np.files.dicom.lookup_table import Descriptor, described, entries_of
from fsrcnn_np.files.picture import narrowed

_COLOURS = ("Red", "Green", "Blue")
_TAGS = {"Red": "(0028,1101)", "Green": "(0028,1102)", "Blue": "(0028,1103)"}


def coloured(indices: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """The colours of indices, H×W×3, uint8 or uint16.

    Parameters
    ----------
    indices : ndarray, H×W
        Values within Bits Stored; those below the table's first have its first colour, those behind it its last.
    dataset : pydicom.Dataset
        With the three tables, plain or segmented (C.7.9.2).

    Raises
    ------
    FormatError
        A table is missing, has another length than it says, or is of a kind that is not read.
    """
    if dataset.get("AlphaPaletteColorLookupTableData"):
        raise FormatError("(0028,1204) AlphaPaletteColorLookupTableData: transparency is not read; leave it out")
    descriptors = {_descriptor(dataset, colour) for colour in _COLOURS}
    if len(descriptors) > 1:
        found = sorted(map(tuple, descriptors))
        raise FormatError(f"(0028,1101) to (0028,1103) are {found}; allowed is the same for all colours")
    entries, first, bits = said = descriptors.pop()
    if f"Segmented{_COLOURS[0]}PaletteColorLookupTableData" in dataset:
        from pydicom.pixels import apply_color_lut

        table = apply_color_lut(np.arange(first, first + entries), dataset)
    else:
        table = np.stack([_table(dataset, colour, said) for colour in _COLOURS], axis=1)
    if bits == 8 and table.dtype == np.uint16 and table.max() < 256:  # in words of 16 bits
        table = table.astype(np.uint8)
    places = np.clip(indices.astype(np.int64) - first, 0, entries - 1)
    return narrowed(table)[places]  # by the table alone: frames of one object have one dtype


def _descriptor(dataset: Any, colour: str) -> Descriptor:
    keyword = f"{colour}PaletteColorLookupTableDescriptor"
    try:
        said = described(values_of(dataset[keyword].value), signed=dataset.PixelRepresentation == 1)
    except (KeyError, TypeError, ValueError):
        raise FormatError(
            f"{_TAGS[colour]} {keyword} is missing, or not three numbers; PALETTE COLOR needs its tables"
        ) from None
    if said.bits not in (8, 16):
        raise FormatError(f"{_TAGS[colour]} {keyword}: entries have {said.bits} bits; allowed are 8 and 16")
    return said


def _table(dataset: Any, colour: str, said: Descriptor) -> NDArray[Any]:
    keyword = f"{colour}PaletteColorLookupTableData"
    data = dataset.get(keyword)
    if not isinstance(data, bytes):
        raise FormatError(f"has no {keyword}; PALETTE COLOR needs its tables")
    found = entries_of(data, said, little=dataset.original_encoding[1] is not False)
    if found is None:
        raise FormatError(f"{keyword} has {len(data)} bytes for {said.entries} entries of {said.bits} bits; correct it")
    return found
