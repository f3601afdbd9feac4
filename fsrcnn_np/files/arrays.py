"""NumPy's .npy and datasets in HDF5: arrays of any dtype, never pickles."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.bands import Rows
from fsrcnn_np.files.hdf5_heap import opened
from fsrcnn_np.files.hdf5_image import channels_at, channels_last, meaning, narrow
from fsrcnn_np.files.hdf5_plugins import foreign_values
from fsrcnn_np.files.hdf5_stored import check_stored, never_written
from fsrcnn_np.files.picture import MOST_PIXELS, PACKED, Encoded, Output, Picture
from fsrcnn_np.files.record import text_of
from piqe_np.line import is_utf8

_DEFAULT_DATASET = "/image"
_LARGE = 60000  #: bytes of an attribute; with its name they do not fit into an object header's 64 KiB
_CHUNK_COLUMNS = 1024  # of what is made while it is written
_TRUNCATED = "truncated NPY: it holds less than its header says; copy or download it again"
_ATTRIBUTE = "fsrcnn_np_provenance"  # of the dataset


def read_npy(path: Path) -> Picture:
    """Read an .npy file; object arrays (pickles) are refused."""
    with open(path, "rb") as stream:
        shape, fortran, dtype = npy_header(stream)
        if dtype.hasobject:
            raise FormatError(
                "holds Python objects (a pickle), which are never loaded; allowed are arrays of numbers: save it with "
                "numpy.save(path, array.astype('float32'))"
            )
        size = math.prod(shape) * dtype.itemsize
        if size > os.fstat(stream.fileno()).st_size - stream.tell():  # before anything is allocated
            raise FormatError(_TRUNCATED)
        values = np.empty(math.prod(shape), dtype)
        if size and stream.readinto(values.view(np.uint8)) < size:
            raise FormatError(_TRUNCATED)
        rest = stream.read(6)
    if rest == np.lib.format.MAGIC_PREFIX:
        raise FormatError("holds further arrays behind the first; allowed is one: save each in a file of its own")
    remarks = ("there are bytes behind its array, which are left out",) if rest else ()
    pixels = values.reshape(shape, order="F" if fortran else "C")
    native = pixels.astype(dtype.newbyteorder("="), order="C", copy=False)
    return Picture(native, str(path), "NPY", remarks=remarks, details={"dtype": dtype})


def npy_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and dtype of what follows in a .npy stream."""
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise FormatError(f"it is of .npy version {'.'.join(map(str, version))}; allowed are 1.0 and 2.0")
    return readers[version](stream)


def encode_npy(output: Output) -> Encoded:
    """Encode as .npy, in the byte order of the original."""
    stream = io.BytesIO()
    np.save(stream, _as_stored(output), allow_pickle=False)
    return Encoded(stream.getvalue(), [])


def read_hdf5(path: Path, dataset: str | None, *, unloaded: int | None = None) -> Picture:
    """Read one dataset of an HDF5 file; without its name, the only one that the file has.

    Of a grey one of more than `unloaded` pixels these stay in the file: `Picture.pixels` are its `Rows`.
    """

    with opened(path) as file:
        found = _find(file, dataset)
        _check_dataset(found, file)
        said = meaning(found)
        attributes = {name: value for name, value in found.attrs.items() if name != _ATTRIBUTE}
        kept = {name: value for name, value in attributes.items() if _can_be_kept(value) and name not in said.stale}
        szip, scaled = found.compression == "szip", found.scaleoffset is not None
        large = unloaded is not None and found.ndim == 2 and found.size > unloaded
        pixels: Any = Rows(path, found) if large else _native(channels_last(found[()], said.channels))
        details = {
            "dataset": found.name,
            "dtype": found.dtype,
            "attributes": kept,
            "channels": said.channels,
            "precision": said.bits,
            "left_out": [
                *_left_out(file, [name for name in attributes if name not in kept]),
                *(f"the filter {name}" for name, used in (("szip", szip), ("scale-offset", scaled)) if used),
            ],
            "options": {
                "compression": found.compression if not szip else "gzip",
                "compression_opts": found.compression_opts if found.compression == "gzip" else None,
                "shuffle": found.shuffle,
                "fletcher32": found.fletcher32,
            },
        }
        remarks = tuple(never_written(found))
        return Picture(
            pixels,
            f"{path}::{found.name}",
            "HDF5",
            data_range=None if said.bits is None else float(2**said.bits - 1),
            data_range_origin="" if said.bits is None else f"precision of {said.bits} bits",
            inverted=said.inverted,
            remarks=remarks,
            details=details,
        )


def encode_hdf5(output: Output) -> Encoded:
    """Encode as a new HDF5 file with one dataset: same name, filters and attributes as the original's.

    What is made while it is written goes straight into the file; its chunks are as high as what comes at a time.
    """
    made = output.made
    if made is None:
        stream = io.BytesIO()
        _write_hdf5(stream, output, data=_as_stored(output))
        return Encoded(stream.getvalue(), [])
    options = output.like.details["options"] if output.like else {}
    chunks = (made.step, min(_CHUNK_COLUMNS, made.shape[1])) if any(options.values()) else None
    stored = output.like.details["dtype"] if output.like else made.dtype

    def written(stream: BinaryIO) -> None:
        # by its name: HDF5 reads what it wrote; without a lock, since ours is on the file
        _write_hdf5(stream.name, output, fill=made.fill, shape=made.shape, dtype=stored, chunks=chunks)

    return Encoded(written, [])


def _write_hdf5(place: Any, output: Output, *, fill: Callable[[Any], None] | None = None, **how: Any) -> None:
    import h5py

    details = output.like.details if output.like else {}
    options = details.get("options", {"compression": "gzip", "compression_opts": 4, "shuffle": True})
    attributes = details.get("attributes", {})
    large = any(np.asarray(value).nbytes > _LARGE for value in attributes.values())
    libver = ("v108", "latest") if large else None  # earlier ones hold no larger attributes
    dtype = how.pop("dtype", None if "data" not in how else how["data"].dtype)
    if details.get("precision"):
        dtype = narrow(dtype, details["precision"])
    with h5py.File(place, "w", locking=None if fill is None else False, libver=libver) as file:
        created = file.create_dataset(
            output.dataset or details.get("dataset", _DEFAULT_DATASET), dtype=dtype, **how, **options
        )
        for name, value in attributes.items():
            created.attrs[name] = _as_read(value)
        if output.provenance is not None:
            created.attrs[_ATTRIBUTE] = np.bytes_(text_of(output.provenance).encode())
        if fill is not None:
            fill(created)


def made_hdf5(path: Path) -> str | None:
    """The record of provenance of the first dataset that has one; HDF5 itself refuses a file that is cut."""
    import h5py

    def found(_: str, item: Any) -> str | None:
        value = item.attrs.get(_ATTRIBUTE) if isinstance(item, h5py.Dataset) else None
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else None

    with opened(path) as file:
        text: str | None = file.visititems(found)
        return text


def _native(array: Any) -> NDArray[Any]:
    array = np.asarray(array)
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _as_stored(output: Output) -> NDArray[Any]:
    pixels = output.pixels
    stored = output.like.details["dtype"] if output.like else pixels.dtype
    pixels = channels_at(pixels, output.like.details.get("channels", -1) if output.like else -1)
    return np.ascontiguousarray(pixels, stored if stored.newbyteorder("=") == pixels.dtype else pixels.dtype)


def _find(file: Any, name: str | None) -> Any:
    import h5py

    names = _names(file)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if not names:
        raise FormatError("found no dataset in it; allowed is an HDF5 file with an image")
    if name is None and len(names) > 1:
        raise FormatError(f"found {len(names)} datasets ({listed}); say which: FILE::{names[0]}")
    name = name or names[0]
    item = file.get(name)
    if not isinstance(item, h5py.Dataset):
        raise FormatError(f"has no dataset {name}; it has {listed}")
    return item


def _check_dataset(dataset: Any, file: Any) -> None:
    if dataset.file.filename != file.filename:
        raise FormatError(f"the dataset {dataset.name} lies in another file; name that file instead")
    if why := foreign_values(dataset):
        raise FormatError(f"the dataset {dataset.name} {why}")
    if "MATLAB_class" in dataset.attrs:
        raise FormatError(f"the dataset {dataset.name} is MATLAB's (-v7.3, dimensions reversed); name the file .mat")
    if dataset.dtype.kind not in "biufc":
        raise FormatError(f"the dataset {dataset.name} is of dtype {dataset.dtype}; allowed are numbers")
    size = math.prod(dataset.shape or (0,))
    if size > 3 * MOST_PIXELS:
        raise FormatError(f"the dataset {dataset.name} has {size} values; allowed are {3 * MOST_PIXELS}")
    if size * dataset.dtype.itemsize > dataset.id.get_storage_size() * PACKED:
        raise FormatError(
            f"the dataset {dataset.name} was never written: its values are not in the file; write it again"
        )
    check_stored(dataset)


def _can_be_kept(value: Any) -> bool:
    """Whether an attribute means the same in another file: numbers and texts do, references and ragged lists do not."""
    import h5py

    if isinstance(value, h5py.Empty):
        return True
    array = np.asarray(value)
    if array.dtype.kind != "O" or isinstance(value, str):
        return array.dtype.kind != "V" or not array.dtype.hasobject
    return array.size > 0 and all(isinstance(one, str) and is_utf8(one) for one in array.ravel())


def _as_read(value: Any) -> Any:
    """An attribute's text as the bytes that it was, where these are no UTF-8; all else as it is."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) and not is_utf8(value) else value


def _left_out(file: Any, attributes: list[str]) -> list[str]:
    """What a file holds beside a dataset, and its attributes that cannot be kept."""
    others = len(_names(file)) - 1
    lost = [f"attribute {name}" for name in attributes]
    lost += [f"attribute {name} of the file" for name in file.attrs]
    lost += [f"the user block of {file.userblock_size} bytes"] if file.userblock_size else []
    lost += [f"{others} further dataset{'s' if others > 1 else ''}"] if others else []
    return lost


def beside(path: Path, dataset: str) -> list[str]:
    """The names of the datasets in a file but for one; none where it is no HDF5 file that can be read."""
    try:
        with opened(path) as file:
            return [name for name in _names(file) if name != dataset]
    except Exception:
        return []


def _names(file: Any) -> list[str]:
    import h5py

    names: list[str] = []
    file.visititems(lambda key, item: names.append(f"/{key}") if isinstance(item, h5py.Dataset) else None)
    return names
