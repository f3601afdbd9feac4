"""Random models of any architecture, for tests of all floors."""

import numpy as np

from fsrcnn_np.network.weights import Architecture, Convolution, Deconvolution, Weights


def random_weights(
    rng, dsm, scale, border, *, dtype=np.float64, offset=4, shared_slope=False, mean=0.0, channels=1
) -> Weights:
    """He-like weights, so that activations stay near one; slopes between −0.5 and 1.5."""
    architecture = Architecture(*dsm, scale, channels)

    def draw(shape, fan_in):
        return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(dtype)

    convolutions = []
    for shape in architecture.convolution_shapes:
        slope = rng.uniform(-0.5, 1.5, 1 if shared_slope else shape[0]).astype(dtype)
        convolutions.append(Convolution(draw(shape, np.prod(shape[1:])), draw(shape[0], 4), slope))
    shape = architecture.deconvolution_shape
    deconvolution = Deconvolution(draw(shape, shape[0] * 81 / scale**2), draw(channels, 4))
    return Weights(
        architecture, border, tuple(convolutions), deconvolution, deconvolution_offset=offset, input_mean=mean,
        licence="CC0-1.0", provenance={"model": "random"},
    )  # fmt: skip
