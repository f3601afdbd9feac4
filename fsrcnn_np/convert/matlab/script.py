"""Where MATLAB's part lies: beside the shipped models, in a wheel as in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_PLACES = (_PACKAGE / "_weights" / "matlab", _PACKAGE.parent / "weights" / "matlab")


def export_script() -> str:
    """`export_fsrcnn_weights.m` with its folder, for messages."""
    name = "export_fsrcnn_weights.m"
    return next((str(place / name) for place in _PLACES if (place / name).is_file()), name)
