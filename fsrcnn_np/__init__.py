"""FSRCNN super-resolution in NumPy and Numba: `fsrcnn_np.upscale(image)`.

The names below are all there is to the public interface. They load what they need when first used, so that the
import itself is quick.
"""

from __future__ import annotations

from piqe_np.on_demand import names_of

from .version import __version__

TYPE_CHECKING = False  # as typing has it, which need not be imported for it: a command hears signals sooner
if TYPE_CHECKING:
    from .batch import upscale_batch
    from .convert import load_weights, save_weights
    from .convert.conventions import ConventionWarning
    from .errors import (
        FileError,
        FormatError,
        FsrcnnError,
        ImageError,
        MissingExtraError,
        OptionError,
        WeightsError,
    )
    from .files import Picture, Provenance, provenance, read
    from .images.imresize import imresize
    from .images.quality import psnr, ssim
    from .network.weights import Architecture, Convolution, Deconvolution, Weights
    from .pipeline import Upscaled, forward, upscale, upscale_file
    from .stream import upscale_stream
    from .study.compare import compare
    from .study.comparison import Comparison

_HOMES = {
    "errors": "FsrcnnError ImageError OptionError WeightsError FormatError FileError MissingExtraError",
    "network.weights": "Architecture Convolution Deconvolution Weights",
    "convert": "load_weights save_weights",
    "convert.conventions": "ConventionWarning",
    "files": "Picture Provenance provenance read",
    "images.imresize": "imresize",
    "images.quality": "psnr ssim",
    "pipeline": "Upscaled forward upscale upscale_file",
    "stream": "upscale_stream",
    "batch": "upscale_batch",
    "study.compare": "compare",
    "study.comparison": "Comparison",
}

__all__ = [
    "Architecture",
    "Comparison",
    "ConventionWarning",
    "Convolution",
    "Deconvolution",
    "FileError",
    "FormatError",
    "FsrcnnError",
    "ImageError",
    "MissingExtraError",
    "OptionError",
    "Picture",
    "Provenance",
    "Upscaled",
    "Weights",
    "WeightsError",
    "__version__",
    "compare",
    "forward",
    "imresize",
    "load_weights",
    "provenance",
    "psnr",
    "read",
    "save_weights",
    "ssim",
    "upscale",
    "upscale_batch",
    "upscale_file",
    "upscale_stream",
]


__getattr__ = names_of(__name__, _HOMES)


def __dir__() -> list[str]:
    return list(__all__)
