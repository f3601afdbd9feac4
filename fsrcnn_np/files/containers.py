"""One array out of a file that can hold many: NumPy's .npz and MATLAB's .mat. Read only, never a pickle."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files import mat5
from fsrcnn_np.files.archives import named_twice
from fsrcnn_np.files.arrays import npy_header
from fsrcnn_np.files.hdf5_heap import opened
from fsrcnn_np.files.hdf5_plugins import foreign_values
from fsrcnn_np.files.hdf5_stored import check_stored
from fsrcnn_np.files.picture import DEFLATED, MOST_PIXELS, DicomForm, Output, Picture, Provenance

HDF5_IN_MATLAB = b"MATLAB 7.3 MAT-file"  # the first of the 512 bytes before a -v7.3 file's HDF5
_MOST_BYTES = 8 * MOST_PIXELS  #: of all variables of a MAT-file of level 5
_DTYPES = {"uint8", "int8", "uint16", "int16", "float32", "float64"}
_CLASSES = {"uint8", "int8", "uint16", "int16", "single", "double"}


def read_npz(path: Path, name: str | None) -> Picture:
    """Read the only array of an .npz file, or the one that is named (FILE::name)."""
    with zipfile.ZipFile(path) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        if twice := named_twice(member.filename.removesuffix(".npy") for member in archive.infolist()):
            raise FormatError(f"has two arrays {twice}; allowed is one of a name")
        chosen = _one(list(members), name, "arrays")
        with archive.open(members[chosen]) as stream:
            shape, _, dtype = npy_header(stream)
        _check_size(chosen, shape, dtype.itemsize, members[chosen].compress_size * DEFLATED + (1 << 16))
        if dtype.hasobject:
            raise FormatError(f"the array {chosen} holds objects (pickles); allowed are numbers")
        with archive.open(members[chosen]) as stream:
            pixels = np.lib.format.read_array(stream, allow_pickle=False)
    return _picture(path, chosen, pixels, "NPZ", [f"array {name}" for name in members if name != chosen])


def read_mat(path: Path, name: str | None) -> Picture:
    """Read the only image of a MAT-file (level 5 or -v7.3), or the variable that is named (FILE::name)."""
    with open(path, "rb") as stream:
        newer = stream.read(len(HDF5_IN_MATLAB)) == HDF5_IN_MATLAB
    chosen, pixels, others = _of_hdf5(path, name) if newer else _of_level_5(path, name)
    return _picture(path, chosen, pixels, "MAT", [f"variable {other}" for other in others])


def refuse(output: Output) -> NoReturn:
    """These are not written."""
    raise FormatError("is read, but not written; give the output another suffix: .npy, .h5, .tif or .png")


def refuse_early(like: Picture, provenance: Provenance, form: DicomForm) -> NoReturn:
    """The same before anything is computed."""
    refuse(Output(like.pixels))


def _of_level_5(path: Path, name: str | None) -> tuple[str, NDArray[Any], list[str]]:
    images, others = {}, {}
    for found, value in mat5.read(path, most=_MOST_BYTES):
        others[found] = _called(value)
        if isinstance(value, np.ndarray) and value.dtype.name in _DTYPES and value.ndim in (2, 3) and value.size:
            images[found] = value
    if name is None and len(images) > 1:  # a 1×1 is a parameter, not a picture
        images = {found: value for found, value in images.items() if max(value.shape) > 1} or images
    chosen = _one(list(images), name, "images", others)
    return chosen, images[chosen], [other for other in others if other != chosen]


def _of_hdf5(path: Path, name: str | None) -> tuple[str, NDArray[Any], list[str]]:
    import h5py

    with opened(path) as file:
        images, others = {}, {}
        for key in (key for key in file if not key.startswith("#")):
            item = file.get(key, getlink=True)
            others[key] = "a struct or a link"
            if isinstance(item, h5py.HardLink) and isinstance(file[key], h5py.Dataset):
                kind = np.bytes_(file[key].attrs.get("MATLAB_class", b"")).decode("latin-1")
                others[key] = f"{kind} {'×'.join(map(str, file[key].shape[::-1]))}"
                if kind in _CLASSES and "MATLAB_empty" not in file[key].attrs and file[key].ndim in (2, 3):
                    images[key] = file[key]
        chosen = _one(list(images), name, "images", others)
        dataset = images[chosen]
        if why := foreign_values(dataset):
            raise FormatError(f"the variable {chosen} {why}")
        stored = dataset.id.get_storage_size() * DEFLATED
        _check_size(chosen, dataset.shape, dataset.dtype.itemsize, stored)
        check_stored(dataset)
        # MATLAB counts down the columns first
        return chosen, np.asarray(dataset[()]).T, [other for other in others if other != chosen]


def _called(value: object) -> str:
    """What a variable of MATLAB is, for a message."""
    if isinstance(value, str):
        return "char"
    if not isinstance(value, np.ndarray):
        return "struct" if isinstance(value, dict) else "object"
    kind = {"bool": "logical", "object": "cell or struct"}.get(value.dtype.name, value.dtype.name)
    return f"{kind} {'×'.join(map(str, value.shape))}"


def _one(names: list[str], wanted: str | None, what: str, others: Mapping[str, str] | None = None) -> str:
    wanted = wanted.strip("/") if wanted else None
    if others is not None and (not names or (wanted in others and wanted not in names)):
        shown = ", ".join(f"{name} ({kind})" for name, kind in list(others.items())[:8]) or "nothing"
        found = f"no images in it, but {shown}" if not names else f"{wanted} ({others[str(wanted)]})"
        raise FormatError(
            f"found {found}; allowed are {', '.join(sorted(_CLASSES))}, real, of 2 or 3 dimensions; in MATLAB "
            "NAME = uint16(NAME), if its values fit"
        )
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if wanted is not None and wanted not in names:
        raise FormatError(f"has no {wanted} among its {what} ({listed or 'none'}); name one of these")
    if not names:
        raise FormatError(f"found no {what} in it; allowed is a file with one of 2 or 3 dimensions")
    if wanted is None and len(names) > 1:
        raise FormatError(f"found {len(names)} {what} ({listed}); say which: FILE::{names[0]}")
    return wanted or names[0]


def _check_size(name: str, shape: tuple[int, ...], itemsize: int, most: int) -> None:
    size = math.prod(shape)
    if size > 3 * MOST_PIXELS:
        raise FormatError(f"{name} has {size} values; allowed are {3 * MOST_PIXELS}")
    if size * itemsize > most:
        raise FormatError(
            f"truncated: {name} says {'×'.join(map(str, shape))} values, which the file cannot hold"
            "; copy or download it again"
        )


def _picture(path: Path, name: str, pixels: NDArray[Any], format: str, others: list[str]) -> Picture:
    native = np.array(pixels, pixels.dtype.newbyteorder("="), order="C")
    return Picture(native, f"{path}::{name}", format, details={"dtype": pixels.dtype, "left_out": others})
