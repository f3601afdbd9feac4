"""What a dataset of HDF5 says about itself, held against what the file has of it, before the library reads it.

HDF5 gives every chunk that was never written as zeros, and takes a microsecond for each: a file of nine kilobytes can
declare so many that reading has no end. And where a chunk is shorter than the checksum behind it, HDF5 2.0 reads beyond
it and the process ends. Format: "HDF5 File Format Specification Version 3.0", IV.A.2.l (filters).
"""

from __future__ import annotations

import math
from typing import Any

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.hdf5_plugins import filters_of

_FEW = 1 << 16  # chunks that may be missing in a file of any size
_FLETCHER32, _CHECKSUM = 3, 4  # the filter's number, the bytes it adds
_SZIP, _SCALE_OFFSET = 4, 6
#: The fewest bytes of a chunk that a filter can be given: what it reads before it looks whether they are there.
_LEAST = {_FLETCHER32: _CHECKSUM + 1, _SZIP: 5, _SCALE_OFFSET: 21}


def check_stored(dataset: Any) -> None:
    """Raise a FormatError where the file cannot have the chunks that the dataset declares."""
    if dataset.chunks is None:
        return
    chunks = _declared(dataset)
    size = dataset.file.id.get_filesize()
    if chunks > max(size, _FEW):
        raise FormatError(
            f"the dataset {dataset.name} declares {chunks} chunks, which a file of {size} bytes cannot hold; "
            "copy it again"
        )
    filters = filters_of(dataset)
    if not filters:
        return
    if _FLETCHER32 in filters[:-1]:
        raise FormatError(f"the dataset {dataset.name} has its checksums within other filters; write it as h5py does")
    least = _LEAST.get(filters[-1], 1)
    shortest = min((chunk.size for chunk in _chunks(dataset) if not chunk.filter_mask), default=least)
    if shortest < least:
        raise FormatError(f"damaged HDF5: a chunk of the dataset {dataset.name} has {shortest} bytes; copy it again")


def never_written(dataset: Any) -> list[str]:
    """A remark where some chunks are not in the file: who wrote it may have been stopped."""
    missing = 0 if dataset.chunks is None else _declared(dataset) - dataset.id.get_num_chunks()
    if missing <= 0:
        return []
    filled = f"{missing} of its {_declared(dataset)} chunks were never written"
    return [f"{filled}: read as the fill value {dataset.fillvalue}; if that is not meant, write it again"]


def _declared(dataset: Any) -> int:
    return math.prod(-(-size // step) for size, step in zip(dataset.shape, dataset.chunks, strict=True))


def _chunks(dataset: Any) -> list[Any]:
    """Where each chunk that was written lies, as HDF5's index says."""
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)  # appends give None: it goes on
    return found
