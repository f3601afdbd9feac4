"""A MAT-file of any version → `Found`: the authors' cells, our struct, or a network object."""

from __future__ import annotations

from pathlib import Path

from ..errors import WeightsError
from . import authors_mat, mat5, mat73, matlab_network, matlab_struct
from .layers import Found


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
    version = mat73 if mat73.is_mat73(head) else mat5
    kinds = version.check(path)
    objects = [name for name, kind in kinds.items() if kind == mat5.OBJECT]
    if not {"weights_conv", matlab_struct.VARIABLE} & (kinds.keys() - set(objects)):
        if objects:
            return matlab_network.found(path, objects)
        raise WeightsError(
            f"a MAT-file with the variables {', '.join(sorted(kinds)) or '(none)'}; the FSRCNN authors' cells "
            f"({', '.join(authors_mat.VARIABLES)}), the struct {matlab_struct.VARIABLE} of export_fsrcnn_weights.m, "
            "or a network object is expected"
        )
    variables = version.read(path)
    if authors_mat.is_authors(variables):
        return authors_mat.found(variables, scale)
    if matlab_struct.is_struct(variables):
        return matlab_struct.found(variables)
    raise WeightsError(
        f"the variable {matlab_struct.VARIABLE} is no struct with format = 'fsrcnn-np weights'; "
        "write it with weights/matlab/export_fsrcnn_weights.m"
    )
