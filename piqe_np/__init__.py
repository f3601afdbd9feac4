"""MATLAB's `piqe` in NumPy and Numba: how good an image looks, without a reference image."""

from piqe_np.errors import ImageError, OptionError, PiqeError
from piqe_np.score import PiqeResult, Scaling, piqe
from piqe_np.version import __version__

__all__ = ["ImageError", "OptionError", "PiqeError", "PiqeResult", "Scaling", "__version__", "piqe"]


def __dir__() -> list[str]:
    return list(__all__)
