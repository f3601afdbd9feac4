"""Models in files → `Weights`: our own HDF5, and what users bring."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import FileError, WeightsError
from ..network.weights import Weights

#: Where the shipped models are: inside the wheel, else beside the package in a checkout.
_PLACES = (Path(__file__).parents[1] / "_weights", Path(__file__).parents[2] / "weights")


def shipped() -> dict[str, Path]:
    """The shipped models by name, `x2` first: `fsrcnn_x2.h5` is `x2`."""
    for place in _PLACES:
        found = {p.stem.removeprefix("fsrcnn_").replace("_", "-"): p for p in sorted(place.glob("fsrcnn_*.h5"))}
        if found:
            return found
    return {}


def load_weights(name_or_path: str | os.PathLike[str]) -> Weights:
    """Load a model by the name of a shipped one, or from a file.

    Parameters
    ----------
    name_or_path : str or path
        "x2", or another shipped name (`fsrcnn-np weights list`), or the path of a weights file.

    Returns
    -------
    Weights

    Raises
    ------
    FileError
        There is no such name and no such file.
    WeightsError
        The file is not a model that can be used; the message names the layer, what was found and what is expected.
    """
    models = shipped()
    if isinstance(name_or_path, str) and name_or_path in models:
        path = models[name_or_path]
    else:
        path = Path(name_or_path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileError(
            f"{path} {what}; give a weights file, or a shipped model's name: {', '.join(models) or 'none found'}"
        )
    from . import hdf5

    if not hdf5.is_ours(path):
        raise WeightsError(f"{path} is not a weights file of fsrcnn-np (HDF5)")
    return hdf5.load(path)
