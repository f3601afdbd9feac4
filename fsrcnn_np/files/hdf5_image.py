"""What a dataset of HDF5 says by the attributes of pictures: "HDF5 Image and Palette Specification", version 1.2."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError

#: Where the three channels are, by INTERLACE_MODE.
_CHANNELS = {"": -1, "INTERLACE_PIXEL": -1, "INTERLACE_LINE": 1, "INTERLACE_PLANE": 0}
_EXTREMES = "IMAGE_MINMAXRANGE"
_SHOW = "write the picture as it is to be seen, in grey or RGB"


class Meaning(NamedTuple):
    """What changes the meaning of a dataset's values, or their order."""

    inverted: bool = False  #: low values are bright
    channels: int = -1  #: the axis of RGB
    bits: int | None = None  #: of its values, where these are fewer than of their dtype
    stale: tuple[str, ...] = ()  #: attributes that are not true of another picture


def meaning(dataset: Any) -> Meaning:
    """What the attributes say; a FormatError for a palette, another colour model, or channels that are not there."""
    bits = _bits(dataset)
    if _text(dataset, "CLASS") != "IMAGE":
        return Meaning(bits=bits)
    kind, model = _text(dataset, "IMAGE_SUBCLASS"), _text(dataset, "IMAGE_COLORMODEL")
    if kind == "IMAGE_INDEXED" or (not kind and "PALETTE" in dataset.attrs):
        raise FormatError(f"the dataset {dataset.name} holds numbers of colours of a palette (IMAGE_INDEXED); {_SHOW}")
    if dataset.ndim == 3 and model not in ("", "RGB"):
        raise FormatError(f"the dataset {dataset.name} is in {model} (IMAGE_COLORMODEL); {_SHOW}")
    mode = _text(dataset, "INTERLACE_MODE")
    if mode not in _CHANNELS:
        raise FormatError(f"the dataset {dataset.name} has its channels in {mode} (INTERLACE_MODE); {_SHOW}")
    channels = _CHANNELS[mode] if dataset.ndim == 3 else -1
    if dataset.ndim == 3 and dataset.shape[channels] != 3:
        found = f"is {'×'.join(map(str, dataset.shape))} and says {mode or 'INTERLACE_PIXEL'}, where 3 channels belong"
        raise FormatError(f"the dataset {dataset.name} {found}; {_SHOW}")
    white_is_zero = np.asarray(dataset.attrs.get("IMAGE_WHITE_IS_ZERO", 0))
    inverted = white_is_zero.dtype.kind in "biuf" and bool(white_is_zero.any())
    return Meaning(inverted, channels, bits, (_EXTREMES,) if _EXTREMES in dataset.attrs else ())


def channels_last(pixels: NDArray[Any], axis: int) -> NDArray[Any]:
    """H×W×3 of pixels whose channels are at `axis`."""
    return pixels if axis == -1 else np.moveaxis(pixels, axis, -1)


def channels_at(pixels: NDArray[Any], axis: int) -> NDArray[Any]:
    """The other way round."""
    return np.moveaxis(pixels, -1, axis) if pixels.ndim == 3 and axis != -1 else pixels


def narrow(dtype: Any, bits: int) -> Any:
    """A type of HDF5 that has this many bits of precision in the dtype's bytes."""
    import h5py

    kind = h5py.h5t.py_create(np.dtype(dtype)).copy()
    kind.set_precision(bits)
    return h5py.Datatype(kind)


def _bits(dataset: Any) -> int | None:
    """Of integers without a sign, from the lowest bit on: "HDF5 File Format Specification", IV.A.2.d."""
    kind = dataset.id.get_type()
    if dataset.dtype.kind != "u" or kind.get_offset():
        return None
    return int(kind.get_precision()) if kind.get_precision() < 8 * dataset.dtype.itemsize else None


def _text(dataset: Any, name: str) -> str:
    value = dataset.attrs.get(name, "")
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ""
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""
