"""A MAT-file of any version → `Found`: the authors' cells, our struct, or a network object."""

from __future__ import annotations

from pathlib import Path

from ...errors import WeightsError
from ...files import mat5
from ..conventions import MOST_BYTES, Found
from . import authors, layer_struct, mat73, network
from .layer_struct import encoded
from .script import export_script

__all__ = ["encoded", "found", "is_mat"]


def is_mat(head: bytes) -> bool:
    """Whether a file that begins with `head` (128 bytes) is a MAT-file."""
    return mat5.is_mat5(head) or mat73.is_mat73(head)


def found(path: Path, head: bytes, scale: int | None) -> Found:
    """Read a MAT-file.

    Parameters
    ----------
    path : Path
    head : bytes
        Its first 128.
    scale : int or None
        Where it is known.

    Raises
    ------
    WeightsError
        Damaged, or with other variables than a model's.
    MissingExtraError
        A network object, and `mat-io` is not installed.
    """
    newer = mat73.is_mat73(head)
    variables = mat73.read(path) if newer else dict(mat5.read(path, most=MOST_BYTES, error=WeightsError))
    if authors.is_authors(variables):
        return authors.found(variables, scale)
    if layer_struct.is_struct(variables):
        return layer_struct.found(variables)
    if objects := [name for name, value in variables.items() if value is mat5.OBJECT]:
        return network.found(path, objects)
    raise WeightsError(
        f"a MAT-file with the variables {', '.join(sorted(variables)) or '(none)'}; the FSRCNN authors' cells "
        f"({', '.join(authors.VARIABLES)}), a struct {layer_struct.VARIABLE} with format = 'fsrcnn-np weights', "
        f"as {export_script()} writes it, or a network object is expected"
    )
