"""Pixels as a DICOM element: uncompressed, or one compressed fragment a frame. Only what loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import OptionError
from fsrcnn_np.files.dicom.library import import_pydicom

#: Name → transfer syntax: PS3.6 A.
TRANSFER_SYNTAXES = {
    "explicit": "1.2.840.10008.1.2.1",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
    "htj2k": "1.2.840.10008.1.2.4.201",
}
Encoder = Callable[[NDArray[Any], Any], bytes | memoryview]


def transfer_syntax(choice: str) -> Any:
    """The UID of a name in `TRANSFER_SYNTAXES`; an OptionError if there is none such."""
    if choice not in TRANSFER_SYNTAXES:
        raise OptionError(f"transfer_syntax is {choice!r}; allowed are {', '.join(TRANSFER_SYNTAXES)}")
    return import_pydicom().uid.UID(TRANSFER_SYNTAXES[choice])


def native(pixels: NDArray[Any], dataset: Any) -> memoryview:
    """Little-endian words, as they are; no copy where they lie so in memory."""
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def encoder(syntax: Any) -> Encoder:
    """What makes the bytes of one frame: of the words of Bits Allocated, and of the data set that describes them."""
    if not syntax.is_encapsulated:
        return native
    own = {TRANSFER_SYNTAXES["jpeg2000"]: _jpeg2000, TRANSFER_SYNTAXES["htj2k"]: _htj2k}
    return own.get(syntax, partial(_by_pydicom, syntax))


def head_of_encapsulated() -> bytes:
    """(7FE0,0010) OB of undefined length, with an empty offset table: one fragment is one frame. PS3.5 A.4."""
    return b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0" + bytes(4)


def fragment(data: bytes | memoryview) -> bytes:
    """An item that holds one frame, of even length."""
    padded = bytes(data) + b"\0" * (len(data) % 2)
    return b"\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded


END_OF_FRAGMENTS = b"\xfe\xff\xdd\xe0" + bytes(4)


def _by_pydicom(syntax: Any, pixels: NDArray[Any], dataset: Any) -> bytes:
    from pydicom.pixels import get_encoder

    return bytes(
        get_encoder(syntax).encode(
            np.ascontiguousarray(pixels),
            rows=dataset.Rows,
            columns=dataset.Columns,
            samples_per_pixel=dataset.SamplesPerPixel,
            photometric_interpretation=str(dataset.PhotometricInterpretation),
            pixel_representation=dataset.PixelRepresentation,
            bits_allocated=dataset.BitsAllocated,
            bits_stored=_bits(pixels, dataset),
            number_of_frames=1,
            planar_configuration=0,
        )
    )


def _bits(pixels: NDArray[Any], dataset: Any) -> int:
    """Bits Stored; all that are allocated where padding's words need them."""
    bits, signed = int(dataset.BitsStored), pixels.dtype.kind == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return bits if low <= pixels.min() and pixels.max() <= high else int(dataset.BitsAllocated)


# Of both, colours are not mixed, so that the Photometric Interpretation stays RGB, and small pictures have fewer
# resolutions than usual.


def _jpeg2000(pixels: NDArray[Any], dataset: Any) -> bytes:
    import imagecodecs

    return bytes(
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(pixels),
            level=0,
            codecformat="j2k",
            reversible=True,
            mct=False,
            resolutions=_resolutions(pixels),
            bitspersample=_bits(pixels, dataset),
        )
    )


def _htj2k(pixels: NDArray[Any], dataset: Any) -> bytes:
    import imagecodecs

    return bytes(
        imagecodecs.htj2k_encode(
            np.ascontiguousarray(pixels), reversible=True, rgb=False, resolutions=_resolutions(pixels) - 1
        )
    )


def _resolutions(pixels: NDArray[Any]) -> int:
    return max(1, min(6, min(pixels.shape[:2]).bit_length() - 1))
