"""The version, the same as `piqe_np`'s."""

from piqe_np.version import __version__

__all__ = ["__version__"]
