"""MATLAB's `piqe` in NumPy and Numba: how good an image looks, without a reference image.

The names below load what they need when first used.
"""

from __future__ import annotations

from piqe_np.version import __version__

TYPE_CHECKING = False  # as typing has it, which need not be imported for it: a command hears signals sooner
if TYPE_CHECKING:
    from typing import Any

    from piqe_np.errors import ImageError, OptionError, PiqeError
    from piqe_np.score import PiqeResult, Scaling, piqe

_HOME_OF = dict.fromkeys(("ImageError", "OptionError", "PiqeError"), "errors")
_HOME_OF |= dict.fromkeys(("PiqeResult", "Scaling", "piqe"), "score")

__all__ = ["ImageError", "OptionError", "PiqeError", "PiqeResult", "Scaling", "__version__", "piqe"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
