"""A TIFF's directories before tifffile sees them: it multiplies what should be one number, whatever its count.

Where a tag such as ImageDepth has many values, they are a tuple, and a tuple times a number of strips is memory without
end. TIFF 6.0, section 2; BigTIFF: libtiff's description of it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fsrcnn_np.errors import FormatError

#: Tags of which a page has one value: width and height, compression, photometric, fill order, samples, rows a strip,
#: planar configuration, predictor, width and height of tiles, depth of image and tiles.
_ALONE = {256, 257, 259, 262, 266, 277, 278, 284, 317, 322, 323, 32997, 32998}


def check_directories(path: Path) -> None:
    """Raise a FormatError where a tag that has one value says that it has others, or directories overlap."""
    with open(path, "rb") as stream:
        for tag, count in _tags(stream):
            if tag in _ALONE and count != 1:
                raise FormatError(f"damaged TIFF: its tag {tag} has {count} values, not one; copy or download it again")


def _tags(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Number and count of each tag of the chain of directories, as far as it can be followed."""
    head = stream.read(8)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    big = order and head[2:4] == struct.pack(order + "H", 43)
    if not order:
        return
    number, entry, offset = (order + kinds for kinds in (("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")))
    seen, left = set[int](), os.fstat(stream.fileno()).st_size // struct.calcsize(entry)
    try:
        (at,) = struct.unpack(offset, stream.read(8)) if big else struct.unpack_from(offset, head, 4)
        while at and at not in seen:
            seen.add(at)
            stream.seek(at)
            (count,) = struct.unpack(number, stream.read(struct.calcsize(number)))
            for _ in range(count):
                tag, _, values, _ = struct.unpack(entry, stream.read(struct.calcsize(entry)))
                yield tag, values
                left -= 1
            if left < 0:  # each of many begins within another: tifffile would read them all, again and again
                raise FormatError("damaged TIFF: its directories lie over each other; copy or download it again")
            (at,) = struct.unpack(offset, stream.read(struct.calcsize(offset)))
    except (struct.error, OverflowError, OSError):
        return  # cut: tifffile says so
