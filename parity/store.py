"""Vectors and goldens: what they are, how they are stored, and the one loader of both.

    vectors/index.json             schema, and of every vector: id, kind, what it exercises, which mistake it catches,
                                   sha256 of its inputs; of every golden file: oracle, release, sha256 of each result
    vectors/*.mat                  the inputs: MAT-files of level 5, readable by SciPy, MATLAB and Octave; a cell
                                   `vectors` of structs, each with `id`, `kind` and the fields of its kind
    vectors/goldens_RELEASE.mat    what matlab/export_goldens.m wrote: `oracle`, `release`, a cell `results` of
                                   structs with `id` and one field a stage, and in MATLAB a cell `builtin` likewise

Fields of a vector by kind:

    piqe        image, [data_range]
    network     image, scale, border, offset, input_mean, names, weights, biases, slopes, [quantised]
    upscale     image (of its class), white, and of the model what network has
    imresize    image, scale (a number, or rows and columns), [method, antialiasing]
    rgb2ycbcr   image
    bin2x2      image

MAT-files know neither scalars nor trailing dimensions of one; `like` gives an array the shape that is expected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA = 1
RUN_NOW = "run now"  #: the source of results that no file holds
FOLDER = Path(__file__).parent / "vectors"
KINDS = ("piqe", "network", "upscale", "imresize", "rgb2ycbcr", "bin2x2")


class StoreError(ValueError):
    """A file of vectors or goldens that is missing, damaged or of another schema."""


@dataclass(frozen=True)
class Vector:
    """One input, and why it is there.

    Attributes
    ----------
    id : str
        Unique; its first word is the kind.
    kind : str
        One of `KINDS`.
    exercises : str
        What it goes through.
    bug : str
        The mistake that it catches.
    inputs : mapping
        Arrays, numbers, texts and lists of them, by field.
    """

    id: str
    kind: str
    exercises: str
    bug: str
    inputs: Mapping[str, Any]

    @property
    def image(self) -> np.ndarray:
        """The picture that it is about."""
        return np.asarray(self.inputs["image"])


@dataclass(frozen=True)
class Goldens:
    """What one oracle computed: results by vector and stage."""

    oracle: str  #: "GNU Octave", "MATLAB"
    release: str  #: "7.3.0", "R2019a"
    source: str  #: "run now", or the file's name
    results: Mapping[str, Mapping[str, Any]]
    builtin: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  #: the oracle's own functions
    faults: tuple[tuple[str, str, str], ...] = ()  #: vector, stage, what is wrong with the stored result


def digest(value: Any) -> str:
    """sha256 of an array, text, number, or list or mapping of these: of dtype, shape and bytes."""
    found = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, Mapping):
            for key in sorted(value):
                found.update(f"{key}:".encode())
                add(value[key])
        elif isinstance(value, list | tuple):
            found.update(f"list {len(value)}".encode())
            for item in value:
                add(item)
        elif isinstance(value, str):
            found.update(f"text {value}".encode())
        else:
            array = np.ascontiguousarray(value)
            shape = array.shape
            while len(shape) < 2:
                shape = (*shape, 1)
            while len(shape) > 2 and shape[-1] == 1:
                shape = shape[:-1]
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            found.update(f"{array.dtype.name} {shape}".encode() + little.tobytes())

    add(value)
    return found.hexdigest()


def like(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The array as read from a MAT-file, in the shape that it had: only dimensions of one may be added or dropped."""
    array = np.asarray(array)
    if tuple(n for n in array.shape if n != 1) == tuple(n for n in shape if n != 1):
        return array.reshape(shape)
    return array


def read_index(folder: Path = FOLDER) -> dict[str, Any]:
    """The index, checked for its schema."""
    path = folder / "index.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{path} is missing; restore it from the repository") from None
    except ValueError as error:
        raise StoreError(f"{path} is no JSON ({error}); restore it from the repository") from None
    if not isinstance(index, dict) or index.get("schema") != SCHEMA:
        raise StoreError(f"{path}: schema {SCHEMA} is expected; restore it from the repository")
    if not _is_whole(index):
        raise StoreError(
            f"{path}: vectors, goldens or tolerances are missing or not whole; restore it from the repository"
        )
    return index


def _is_whole(index: Mapping[str, Any]) -> bool:
    """Whether everything that is read of an index is there, and text."""

    def texts(value: Any, *names: str) -> bool:
        return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in names or value)

    vectors, goldens = index.get("vectors"), index.get("goldens")
    return (
        isinstance(vectors, list)
        and all(texts(entry, "id", "kind", "file", "exercises", "bug", "sha256") for entry in vectors)
        and isinstance(goldens, dict)
        and all(texts(entry, "oracle", "release") for entry in goldens.values())
        and all(isinstance(entry.get("results"), dict) for entry in goldens.values())
        and all(texts(stages) for entry in goldens.values() for stages in entry["results"].values())
        and texts(index.get("tolerances"))
    )


def load_vectors(folder: Path = FOLDER) -> tuple[list[Vector], list[tuple[str, str]]]:
    """All vectors, and what is wrong with those that could not be loaded: (id, fault)."""
    index = read_index(folder)
    vectors: list[Vector] = []
    faults: list[tuple[str, str]] = []
    cells: dict[str, dict[str, Any]] = {}
    for name in sorted({entry["file"] for entry in index["vectors"]}):
        try:
            for cell in _cells(read_mat(folder / name), "vectors"):
                cells[str(cell.get("id"))] = cell
        except StoreError as error:
            faults.append((name, str(error)))
    for entry in index["vectors"]:
        inputs = dict(cells.pop(entry["id"], {}))
        if not inputs:
            faults.append((entry["id"], f"its inputs are missing from {entry['file']}"))
            continue
        inputs.pop("id")
        kind = str(inputs.pop("kind"))
        vector = Vector(entry["id"], kind, entry["exercises"], entry["bug"], inputs)
        if digest(inputs) != entry["sha256"] or kind != entry["kind"]:
            faults.append((entry["id"], f"its inputs in {entry['file']} do not have the sha256 of the index"))
        else:
            vectors.append(vector)
    faults += [(name, "is not in the index") for name in cells]
    return vectors, faults


def load_goldens(path: Path, expected: Mapping[str, Mapping[str, str]] | None = None) -> Goldens:
    """What an oracle wrote, held against the sha256 of each result if there are such."""
    found = read_mat(path)
    oracle, release = (_text(found.get(name)) for name in ("oracle", "release"))
    if not oracle or not release:
        raise StoreError(f"{path.name} is not a file of matlab/export_goldens.m: it names no oracle and release")
    results = {str(cell.pop("id")): cell for cell in _cells(found, "results")}
    builtin = {str(cell.pop("id")): cell for cell in _cells(found, "builtin")} if "builtin" in found else {}
    return Goldens(oracle, release, path.name, results, builtin, tuple(faults_of(results, expected or {}, path.name)))


def faults_of(
    results: Mapping[str, Mapping[str, Any]], expected: Mapping[str, Mapping[str, str]], name: str
) -> Iterator[tuple[str, str, str]]:
    """What is missing or damaged among stored results: vector, stage, fault."""
    for id, stages in expected.items():
        for stage, sha256 in stages.items():
            if stage not in results.get(id, {}):
                yield id, stage, f"missing from {name}"
            elif digest(results[id][stage]) != sha256:
                yield id, stage, f"damaged: not the sha256 that the index has for {name}"


def write_vectors(path: Path, vectors: Iterable[Vector]) -> None:
    """Write the inputs as a MAT-file of level 5."""
    write_mat(path, {"vectors": [{"id": v.id, "kind": v.kind, **v.inputs} for v in vectors]})


def write_mat(path: Path, variables: Mapping[str, Any]) -> None:
    """Write a MAT-file of level 5 whose bytes depend on nothing but its contents."""
    import io

    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {name: _to_mat(value) for name, value in variables.items()}, do_compression=True, oned_as="column")
    whole = bytearray(buffer.getvalue())
    header = b"MATLAB 5.0 MAT-file of the parity suite of fsrcnn-np"
    whole[:116] = header.ljust(116)  # SciPy puts the time there
    path.write_bytes(bytes(whole))


def read_mat(path: Path) -> dict[str, Any]:
    """Read a MAT-file of level 5: cells as lists, structs as dicts, char as str."""
    from scipy.io import loadmat

    try:
        found = loadmat(path, mat_dtype=True)
    except FileNotFoundError:
        raise StoreError(f"{path.name} is missing: restore it from the repository, or export it again") from None
    except Exception as error:  # SciPy's reader raises what it meets: TypeError, zlib.error, MatReadError …
        raise StoreError(f"{path.name} is no readable MAT-file of level 5 ({type(error).__name__}: {error})") from None
    return {name: _from_mat(value) for name, value in found.items() if not name.startswith("__")}


def _to_mat(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_mat(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        cell = np.empty((len(value), 1), object)
        for i, item in enumerate(value):
            cell[i, 0] = _to_mat(item)
        return cell
    return value


def _from_mat(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names is not None:
        record = value.ravel()[0]
        return {name: _from_mat(record[name]) for name in value.dtype.names}
    if value.dtype == object:
        return [_from_mat(item) for item in value.ravel(order="F")]
    if value.dtype.kind == "U":
        return str(value.ravel()[0]) if value.size else ""
    return value


def _cells(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    cells = found.get(name)
    if not isinstance(cells, list) or not all(isinstance(cell, dict) and "id" in cell for cell in cells):
        raise StoreError(f"there is no cell {name!r} of structs with an id")
    return cells


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
