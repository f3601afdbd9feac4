"""Models in files ↔ `Weights`: our own HDF5, and what users bring."""

from __future__ import annotations

import functools
import os
import warnings
from contextlib import suppress
from pathlib import Path

from piqe_np.line import about
from piqe_np.unbroken import once

from ..errors import FileError, FsrcnnError, OptionError, WeightsError, unreadable
from ..files import foreign
from ..files.target import path_text
from ..network.weights import Weights
from .conventions import KERAS, Asked, ConventionWarning, Found, build, override, scale_in_name

__all__ = ["SUFFIXES", "ConventionWarning", "load_weights", "save_weights", "shipped"]

#: Where the shipped models are: inside the wheel, else beside the package in a checkout.
_PLACES = (Path(__file__).parents[1] / "_weights", Path(__file__).parents[2] / "weights")

#: What `save_weights` writes.
SUFFIXES = {
    ".h5": "fsrcnn-np",
    ".onnx": "ONNX",
    ".mat": "MATLAB struct, -v7",
    ".pth": "PyTorch state dict",
    ".pt": "PyTorch state dict",
    ".safetensors": "PyTorch state dict as safetensors",
}
TORCH = (".pth", ".pt", ".safetensors")
#: What `with_module` puts beside those.
MODULE = "fsrcnn_torch.py"


def shipped() -> dict[str, Path]:
    """The shipped models by name, `x2` first: `fsrcnn_x2.h5` is `x2`. Looked for once in a process."""
    return dict(_shipped())


@functools.cache
def _shipped() -> dict[str, Path]:
    for place in _PLACES:
        found = {p.stem.removeprefix("fsrcnn_").replace("_", "-"): p for p in sorted(place.glob("fsrcnn_*.h5"))}
        if found:
            return found
    return {}


def load_weights(
    name_or_path: str | os.PathLike[str],
    *,
    scale: int | None = None,
    border: str | None = None,
    deconvolution_offset: int | None = None,
    value_range: tuple[float, float] | None = None,
    input_mean: float | None = None,
    licence: str | None = None,
    channel_order: str | None = None,
) -> Weights:
    """Load a model by the name of a shipped one, or from a file of any format that is known.

    Parameters
    ----------
    name_or_path : str or path
        "x2", or another shipped name (`fsrcnn-np weights list`), or the path of a file: our HDF5; the FSRCNN authors'
        .mat; a MATLAB struct (-v7, -v7.3) or network object; a PyTorch state dict (.pth, .pt, .safetensors); ONNX;
        a frozen TensorFlow graph (.pb); a whole Keras model (.keras, .h5).
    scale, border, deconvolution_offset, value_range, input_mean, licence : optional
        What the file does not say, or says otherwise; see `Weights`. `deconvolution_offset=3` aligns the authors' x3.
    channel_order : {"rgb", "bgr"}, optional
        What a model of three channels was trained on. `Weights` have red first; those of "bgr" are turned around.

    Returns
    -------
    Weights
        With every part of the convention, and where it was found, in `provenance["convention"]`.

    Raises
    ------
    NotThereError
        There is no such name and no such file. It is a FileError.
    FileError
        The file cannot be read.
    MissingExtraError
        The format needs a library that is not installed.
    WeightsError
        The file is not a model that can be used; the message names the layer, what was found and what is expected.

    Warns
    -----
    ConventionWarning
        The file leaves open what decides the output, and so do the arguments.
    """
    asked = Asked(scale, border, deconvolution_offset, value_range, input_mean, licence, channel_order)
    models = _shipped()
    named = models.get(name_or_path) if isinstance(name_or_path, str) else None
    path = named or Path(path_text(name_or_path, "name_or_path"))
    if not named and not path.is_file():
        instead = f"give a weights file, or a shipped model's name: {', '.join(models) or 'none found'}"
        if not path.exists():
            raise unreadable(path, FileNotFoundError(), instead)
        raise FileError(f"{path} is a {'folder' if path.is_dir() else 'device or a pipe'}; {instead}")
    try:
        found = _shipped_model(path) if named else _read(path, asked)
        return override(found, asked) if isinstance(found, Weights) else build(found, asked, path)
    except FsrcnnError as error:
        raise type(error)(about(path, error)) from None
    except OSError as error:
        raise unreadable(path, error) from None


def save_weights(
    weights: Weights, path: str | os.PathLike[str], *, overwrite: bool = False, with_module: bool = False
) -> None:
    """Write a model in the format that the name's suffix says; see `SUFFIXES`. Each can be read back bit for bit.

    Parameters
    ----------
    weights : Weights
    path : str or path
    overwrite : bool
        Replace a file that exists.
    with_module : bool
        With a PyTorch format: put `MODULE` beside the file, which loads it with its border.

    Raises
    ------
    FileError
        It cannot be written. OutputExists: it is there, with these very bytes; OutputDiffers: with others.
    MissingExtraError
        The format needs a library that is not installed.
    WeightsError
        The format cannot hold the model.
    OptionError
        The suffix names no format.
    """
    if not isinstance(weights, Weights):
        raise OptionError(f"weights is a {type(weights).__name__}; allowed is a Weights, as load_weights gives it")
    path = Path(path_text(path))
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(f"{suffix} ({what})" for suffix, what in SUFFIXES.items())
        raise OptionError(f"{path}: the suffix {path.suffix!r} says no format; allowed are {known}")
    from ..files.atomic import write_together
    from ..files.picture import OutputDiffers
    from . import hdf5, matlab, onnx, torch

    match path.suffix.lower():
        case ".h5":
            data = hdf5.encoded(weights)
        case ".onnx":
            data = onnx.encoded(weights)
        case ".mat":
            data = matlab.encoded(weights)
        case suffix:
            data = torch.encoded(weights, safetensors=suffix == ".safetensors", with_module=with_module)
    files = {path: data}
    if with_module and path.suffix.lower() in TORCH:
        files[path.with_name(MODULE)] = (Path(__file__).parent / "torch" / "module.py").read_bytes()
    try:
        write_together(files, overwrite=overwrite)
    except OutputDiffers as error:
        raise type(error)(_with_models(str(error), path, weights)) from error


def _with_models(line: str, path: Path, weights: Weights) -> str:
    """Of a file that is in the way also which model it holds, if another."""
    with suppress(FsrcnnError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_weights(path)
        if found.sha256 != weights.sha256:
            return line.replace("made otherwise: ", f"made otherwise: model {_called(found)} → {_called(weights)}, ", 1)
    return line


def _called(weights: Weights) -> str:
    return f"{weights.provenance.get('model') or weights.architecture} ({weights.sha256[:12]})"


@once(most=64, lock="load")
def _shipped_model(path: Path) -> Weights:
    """A shipped model, read once in a process: many small images are many times as fast."""
    from . import hdf5

    return hdf5.load(path)


def _read(path: Path, asked: Asked) -> Weights | Found:
    """Tell the format by the first bytes, and read."""
    with path.open("rb") as file:
        head, suffix = file.read(foreign.HEAD), path.suffix.lower()
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        from . import hdf5, keras

        return keras.found(path, head) if keras.is_keras(path, head) else hdf5.load(path)
    from . import keras, matlab, onnx, tensorflow, torch

    if suffix == ".index" or ".data-0" in path.name:
        raise WeightsError(f"a checkpoint of TensorFlow; {KERAS}")
    if suffix in (".pdparams", ".pdopt", ".pdiparams", ".pdmodel"):
        raise WeightsError(torch.PADDLE)
    if matlab.is_mat(head):
        return matlab.found(path, head, asked.scale or scale_in_name(path))
    if head.startswith(b"PK\x03\x04") and keras.is_keras(path, head):
        return keras.found(path, head)
    ours = head.startswith((b"PK\x03\x04", b"\x80")) or head[8:9] == b"{"  # PyTorch's, safetensors
    if not ours and (what := foreign.what(head)):
        raise WeightsError(what)
    if suffix == ".safetensors" or head.startswith((b"PK\x03\x04", b"\x80")):
        return torch.found(path)
    if suffix == ".pb" or (head.startswith(b"\n") and suffix != ".onnx"):
        return tensorflow.found(path)
    if suffix == ".onnx" or head.startswith(b"\x08"):
        return onnx.found(path)
    raise WeightsError(
        f"the file begins with {head[:8]!r}, which is no format that is read: HDF5 of fsrcnn-np, "
        "MATLAB -v6, -v7 and -v7.3, PyTorch (.pth, .pt, .safetensors), ONNX, a frozen TensorFlow graph (.pb), "
        "Keras (.keras, .h5)"
    )
