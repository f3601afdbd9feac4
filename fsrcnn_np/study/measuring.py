"""One image measured: the same function in this process, in a worker on this machine and on another.

It takes a task and gives a report, both of plain values that JSON can hold: paths travel, pixels do not. It writes
nothing but the SR image, whole or not at all; what it finds goes to the store by whoever asked.
"""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.line import unnamed

from ..errors import FsrcnnError, ImageError
from ..images.quality import psnr, ssim
from ..images.value_range import ValueRange, check_image, check_within
from ..network.weights import Weights
from ..version import __version__
from .effort import effort
from .identity import Contradiction, identity

if TYPE_CHECKING:
    from piqe_np import PiqeResult

DONE, SAME, OTHER, REFUSED, EMPTY, STOP = "done", "same", "other", "refused", "no picture", "stop"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Task:
    """What to measure, and with what.

    Attributes
    ----------
    name, path : str
        Of the image: in the store, and for `fsrcnn_np.files.read`.
    weights, sha256, version : str
        A shipped model's name or a file, the digest of its parameters, and this package's version: a worker that has
        others must not measure.
    engine : str
    data_range : float, (low, high) or None
    own_range : bool
        The cohort gives it for this image.
    truth, sr : str or None
        Paths: of the picture that SR should be, and of the SR image to be written.
    claims : dict
        What the cohort says of patient, breast and view.
    known : str
        The key of the store's record, which is measured again only if it has changed and `again` says so. Empty: there
        is none.
    again : bool
    threads : int or None
    """

    name: str
    path: str
    weights: str
    sha256: str
    engine: str
    version: str = __version__
    data_range: float | Sequence[float] | None = None
    own_range: bool = False
    truth: str | None = None
    sr: str | None = None
    claims: dict[str, str] = field(default_factory=dict)
    known: str = ""
    again: bool = False
    threads: int | None = None


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Measure one image; never raises.

    Parameters
    ----------
    task : dict
        Of a `Task`.

    Returns
    -------
    dict
        `state` "done", with `record` (the store's columns), `identity`, `seconds` and `memory`; or "same" or "other"
        than the known record, with `identity`; or "refused", with `why` and `column` ("" where it is not a column of
        the cohort); or "no picture", with `why`: the file holds something else; or "stop", with `why`: no image can be
        measured here, the disk is full for instance.
    """
    from ..files import NoPicture
    from ..files.reading import unchanged
    from ..files.target import split

    given = Task(**task)
    try:
        with effort() as spent, unchanged(split(given.path).path):
            report = _measured(given)
    except Contradiction as error:
        return {"state": REFUSED, "column": error.column, "why": str(error)}
    except _Stop as error:
        return {"state": STOP, "why": str(error)}
    except NoPicture as error:
        return {"state": EMPTY, "why": unnamed(given.path, error)}
    except FsrcnnError as error:
        if _full(error):
            return {"state": STOP, "why": str(error)}
        return _refused(unnamed(given.path, error))
    except MemoryError:
        return _refused("not enough memory; use a machine with more, or fewer workers")
    except Exception as error:  # a fault of ours: it costs this image
        return _refused(f"unexpected {type(error).__name__}: {error}; please report it")
    return report | {"seconds": spent.seconds, "memory": spent.memory}


class _Stop(FsrcnnError):
    """This machine cannot measure anything."""


def _refused(why: str) -> dict[str, Any]:
    return {"state": REFUSED, "column": "", "why": " ".join(why.split())}


def _full(error: BaseException) -> bool:
    """Whether a full or read-only disk is behind it; an exception may be its own cause."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        if isinstance(found, OSError) and found.errno in _FULL:
            return True
        seen.append(found)
        found = found.__cause__
    return False


def _measured(task: Task) -> dict[str, Any]:
    from ..files import Frame, read, write
    from ..pipeline import picture_range, provenance_of, range_doubts, upscale_frame
    from .compare import bicubic, native_piqe

    model = _model(task)
    picture = read(task.path)
    who = identity(picture, task.claims)
    original = check_image(picture.pixels)
    bounds = picture_range(picture, _range(task))
    try:
        check_within(original, bounds)
    except ImageError as error:
        raise Contradiction("data_range" if task.own_range else "", str(error)) from error
    truth = _truth(task, original, model.architecture.scale)
    pixels = digest(original)
    key = _key(task, pixels, bounds, truth)
    if task.known and key != task.known and not task.again:
        return {"state": OTHER, "identity": who}
    if key == task.known and not task.sr:
        return {"state": SAME, "identity": who}
    record: dict[str, Any] = {
        "key": key, "pixels": pixels, "rows": original.shape[0], "columns": original.shape[1],
        "dtype": original.dtype.name, "low": bounds.low, "high": bounds.high, "scaling": f"{bounds} to 0..255",
    }  # fmt: skip

    def found(which: str, image: NDArray[Any]) -> None:
        score = native_piqe(image, bounds, threads=task.threads, engine=task.engine)
        record[f"piqe_{which}"] = score.score
        record.update({f"{what}_{which}": share for what, share in _shares(score).items()})
        if which != "original":
            record[f"checkerboard_{which}"] = _checkerboard(image, bounds, model.architecture.scale)
        if truth is not None and which != "original":
            span = (bounds.low, bounds.high)
            record[f"psnr_{which}"] = psnr(image, truth, data_range=span)
            record[f"ssim_{which}"] = ssim(image, truth, data_range=span)

    found("original", original)
    frame = Frame(original, picture.padding)
    found("bicubic", bicubic(frame, model.architecture.scale, bounds, threads=task.threads))
    sr = upscale_frame(frame, bounds, model, threads=task.threads, engine=task.engine)
    found("sr", sr)
    remarks = [*picture.remarks, *range_doubts(picture, bounds)]
    if not record["active_original"]:
        remarks.append("nothing in it is active, and its PIQE is 100 whatever it shows")
    if task.sr:
        provenance = provenance_of(model, bounds, task.path, engine=task.engine)
        remarks += write(task.sr, sr, like=picture, provenance=provenance, overwrite=True)
    record["remarks"] = json.dumps(remarks, ensure_ascii=False)
    return {"state": DONE, "record": record, "identity": who}


def _model(task: Task) -> Weights:
    if task.version != __version__:
        raise _Stop(f"this worker has fsrcnn-np {__version__}, the study {task.version}; install the same everywhere")
    try:
        model = loaded(task.weights)
    except FsrcnnError as error:
        raise _Stop(f"this worker cannot load the model: {error}") from error
    if model.sha256 != task.sha256:
        raise _Stop(f"this worker's {task.weights} has sha256 {model.sha256[:12]}, the study's {task.sha256[:12]}")
    return model


@lru_cache(maxsize=2)
def loaded(weights: str) -> Weights:
    """A model by name or path, read once a process."""
    from ..convert import load_weights

    return load_weights(weights)


def _range(task: Task) -> float | tuple[float, float] | None:
    given = task.data_range
    return given if given is None or isinstance(given, int | float) else (float(given[0]), float(given[1]))


def _truth(task: Task, original: NDArray[Any], scale: int) -> NDArray[Any] | None:
    from ..files import read

    if not task.truth:
        return None
    try:
        truth = check_image(read(task.truth).pixels)
    except FsrcnnError as error:
        raise Contradiction("truth", str(error)) from error
    expected = (original.shape[0] * scale, original.shape[1] * scale, *original.shape[2:])
    if truth.shape != expected or truth.dtype != original.dtype:
        raise Contradiction(
            "truth",
            f"{task.truth} is {truth.dtype} {truth.shape}; allowed is {original.dtype} {expected}, "
            f"{scale} times the image",
        )
    return truth


def digest(pixels: NDArray[Any]) -> str:
    """sha256 of dtype, shape and little-endian values: of the picture, not of its file."""
    plain = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    found = sha256(f"{plain.dtype.str} {plain.shape}\n".encode())
    found.update(plain.data)
    return found.hexdigest()


def _key(task: Task, pixels: str, bounds: ValueRange, truth: NDArray[Any] | None) -> str:
    """sha256 of all that decides the record's numbers."""
    parts = {
        "pixels": pixels,
        "weights": task.sha256,
        "version": task.version,
        "engine": task.engine,
        "range": [bounds.low, bounds.high],
        "truth": None if truth is None else digest(truth),
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _shares(score: PiqeResult) -> dict[str, float]:
    """Of PIQE's blocks: active ones of all; with an artifact, and noisy, of these."""
    active, artifact, noisy = score.block_shares
    of = active or 1.0
    return {"active": active, "artifact": artifact / of, "noisy": noisy / of}


def _checkerboard(image: NDArray[Any], bounds: ValueRange, scale: int) -> float | None:
    """The picture's amplitude at the frequencies of the original's pixel grid, as a share of the value range."""
    from ..images.grid_power import BLOCK, grid_power
    from .display import display_plane

    plane = display_plane(image, bounds, False)
    return math.sqrt(grid_power(plane, scale)) if min(plane.shape) >= BLOCK else None
