"""MATLAB's `piqe` in NumPy and Numba: how good an image looks, without a reference image.

The names below load what they need when first used.
"""

from __future__ import annotations

from piqe_np.on_demand import names_of
from piqe_np.version import __version__

TYPE_CHECKING = False  # as typing has it, which need not be imported for it: a command hears signals sooner
if TYPE_CHECKING:
    from piqe_np.errors import ImageError, OptionError, PiqeError
    from piqe_np.score import PiqeResult, Scaling, piqe

__all__ = ["ImageError", "OptionError", "PiqeError", "PiqeResult", "Scaling", "__version__", "piqe"]


__getattr__ = names_of(__name__, {"errors": "ImageError OptionError PiqeError", "score": "PiqeResult Scaling piqe"})


def __dir__() -> list[str]:
    return list(__all__)
