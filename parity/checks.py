"""What of ours is held against what of an oracle, stage by stage.

A stage inside an algorithm starts from the *oracle's* result of the stage before, so that a failure names the step
that is wrong and bounds do not add up; the stages at the end start from the image. Bounds are computed here, apart
from the code that they judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .generate import ycbcr_thousandths
from .store import Goldens, Vector, like

U = 2.0**-53
U32 = 2.0**-24
FILTER = 2 * 14 * U  #: two passes of 7 terms, on either side of the comparison
Golden = Mapping[str, Any]


class Answer(NamedTuple):
    """Ours, and the unit of the comparison where it is not 1."""

    ours: Any
    unit: Any = 1.0


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes
    ----------
    stage : str
        Its tolerance: a table of tolerances.toml.
    by : str
        Which of our implementations: "reference", "numba", "llvm", or "NumPy" where there is one only.
    field : str
        The oracle's result that it is held against.
    answer : callable
        Oracle's results → `Answer`.
    needs : tuple of str
        Further results of the oracle that the answer starts from.
    """

    stage: str
    by: str
    field: str
    answer: Callable[[Golden], Answer]
    needs: tuple[str, ...] = ()


def checks_of(vector: Vector) -> list[Check]:
    """All comparisons of a vector."""
    return list(_KINDS[vector.kind](vector))


def theirs(vector: Vector, check: Check, golden: Golden, ours: Any) -> np.ndarray:
    """The oracle's result in the shape and, for integers of the network, the class of ours."""
    result = golden[check.field]
    if check.stage == "network.integers":
        dtype = np.asarray(ours).dtype
        result = _integers(np.iinfo(dtype).max * like(result, np.shape(ours)), dtype)
    elif check.stage == "upscale.integers":
        result = _integers(like(result, np.shape(ours)), np.asarray(ours).dtype, _number(vector.inputs, "white"))
    return like(result, np.shape(ours))


# PIQE: the steps' names are those of piqe_np.reference and of matlab/piqe_steps.m.


def _piqe(vector: Vector) -> Iterator[Check]:
    import piqe_np
    from piqe_np import matlab, reference

    image = vector.image
    data_range = float(np.ravel(vector.inputs["data_range"])[0]) if "data_range" in vector.inputs else None
    white = None if data_range is None else (0.0, data_range)
    height, width = image.shape[:2]
    bottom, right = -height % 16, -width % 16

    def blocks(golden: Golden) -> np.ndarray:
        return reference.blocks_of(np.asarray(golden["z"], np.float64))

    def grey(_: Golden) -> Answer:
        widened = image.dtype == np.int16 and data_range is None
        return Answer(matlab.rgb2gray(matlab.im2double(image) if widened else image))

    def levels(_: Golden) -> Answer:
        return Answer(np.pad(reference.gray_levels(image, white), ((0, bottom), (0, right)), mode="edge"))

    def margin(golden: Golden) -> np.ndarray:
        return np.pad(golden["x"], 3, mode="edge")

    def mean(golden: Golden) -> Answer:
        x = margin(golden)
        return Answer(reference.gaussian(x), FILTER * _blur(np.abs(x)))

    def deviation(golden: Golden) -> Answer:
        x = margin(golden)
        mean = reference.gaussian(x)
        ours = np.sqrt(np.abs(reference.gaussian(x * x) - mean * mean))
        return Answer(ours, _sigma_bound(x, golden["sigma"]))

    def coefficients(golden: Golden) -> Answer:
        x = margin(golden)
        z, sigma = (np.asarray(golden[name]) for name in ("z", "sigma"))
        carried = FILTER * _blur(np.abs(x)) + np.abs(z) * _sigma_bound(x, sigma)
        return Answer(reference.mscn(x), carried / (sigma + 1) + 4 * U * np.abs(z))

    def variance(golden: Golden) -> Answer:
        mean, squares = reference.column_moments(blocks(golden))
        ours = reference.variance(mean, squares, list(range(16)))
        return Answer(ours, 512 * U * np.maximum(np.asarray(golden["v"]), U))

    def decisions(golden: Golden) -> tuple[np.ndarray, ...]:
        tiles = blocks(golden)
        mean, squares = reference.column_moments(tiles)
        v = reference.variance(mean, squares, list(range(16)))
        active = v > reference.ACTIVE_VARIANCE
        return active, active & reference.noticeable_artifact(tiles), active & reference.noise(mean, squares, v)

    if image.ndim == 3:
        yield Check("piqe.grey", "reference", "grey", grey)
    yield Check("piqe.x", "reference", "x", levels)
    yield Check("piqe.mu", "reference", "mu", mean, ("x",))
    yield Check("piqe.sigma", "reference", "sigma", deviation, ("x",))
    yield Check("piqe.z", "reference", "z", coefficients, ("x", "sigma"))
    yield Check("piqe.v", "reference", "v", variance, ("z",))
    yield Check("piqe.active", "reference", "active", lambda golden: Answer(decisions(golden)[0]), ("z",))
    yield Check("piqe.artifact", "reference", "artifact", lambda golden: Answer(decisions(golden)[1]), ("z",))
    yield Check("piqe.noise", "reference", "noise", lambda golden: Answer(decisions(golden)[2]), ("z",))
    for engine in ("reference", "numba", "llvm"):

        def result(name: str, engine: str = engine) -> Callable[[Golden], Answer]:
            return lambda _: Answer(getattr(piqe_np.piqe(image, data_range=data_range, engine=engine), name))

        for mask in ("activity_mask", "noticeable_artifacts_mask", "noise_mask"):
            yield Check("piqe.masks", engine, mask, result(mask))
        yield Check("piqe.score", engine, "score", result("score"))


def _blur(x: np.ndarray) -> np.ndarray:
    """The 7-tap Gaussian by SciPy, on an image with its margin: for bounds."""
    from scipy.ndimage import correlate1d

    taps = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    taps /= taps.sum()
    return correlate1d(correlate1d(x, taps, 0), taps, 1)[3:-3, 3:-3]


def _sigma_bound(x: np.ndarray, sigma: Any) -> np.ndarray:
    """How far σ may move when the filter's results move within their bounds."""
    moved = FILTER * _blur(x * x) + 2 * np.abs(_blur(x)) * FILTER * _blur(np.abs(x)) + 3 * U * _blur(x * x)
    return moved / np.maximum(np.asarray(sigma), np.sqrt(moved) + U)


# The network.


def model_of(vector: Vector) -> Any:
    """The vector's model as our `Weights`."""
    from fsrcnn_np import Architecture, Convolution, Deconvolution, Weights

    fields = vector.inputs
    weights, biases, slopes = (
        [np.asarray(array, np.float32) for array in fields[name]] for name in ("weights", "biases", "slopes")
    )
    d, s = weights[0].shape[0], weights[1].shape[0]
    architecture = Architecture(d, s, len(slopes) - 3, int(_number(fields, "scale")))
    layers = [
        Convolution(like(w, shape), b.ravel(), a.ravel())
        for w, b, a, shape in zip(weights, biases, slopes, architecture.convolution_shapes, strict=False)
    ]
    return Weights(
        architecture,
        str(fields["border"]),
        tuple(layers),
        Deconvolution(like(weights[-1], architecture.deconvolution_shape), biases[-1].ravel()),
        deconvolution_offset=int(_number(fields, "offset")),
        input_mean=_number(fields, "input_mean"),
    )


def _network(vector: Vector) -> Iterator[Check]:
    import fsrcnn_np
    from fsrcnn_np.network import reference

    model = model_of(vector)
    double = model.astype(np.float64)
    image = np.asarray(vector.image, np.float64)
    previous = ""
    names = model.architecture.layer_names

    def maps(golden: Golden, name: str) -> np.ndarray:
        if not name:
            return (image - model.input_mean)[None]
        channels = len(double.convolutions[names.index(name)].bias)
        return like(golden[name], (channels, *image.shape))

    for name, layer in zip(names, double.convolutions, strict=True):

        def convolved(golden: Golden, layer: Any = layer, previous: str = previous) -> Answer:
            x = maps(golden, previous)
            ours = reference.convolution(reference.Rows(x, 0, len(image)), layer, model.border).maps
            return Answer(ours, convolution_bound(x, layer, model.border))

        yield Check("network.layer", "reference", name, convolved, (previous,) if previous else ())
        previous = name

    def deconvolved(golden: Golden) -> Answer:
        x = maps(golden, previous)
        rows = reference.Rows(x, 0, len(image))
        (ours,) = reference.deconvolution(rows, 0, len(image) * model.architecture.scale, double)
        return Answer(ours, deconvolution_bound(x, double))

    def forward(dtype: Any, engine: str) -> Callable[[Golden], Answer]:
        def answer(golden: Golden) -> Answer:
            ours = fsrcnn_np.forward(image, model, dtype=dtype, engine=engine)
            return Answer(ours, max(1.0, float(np.abs(golden["deconvolution"]).max())))

        return answer

    yield Check("network.layer", "reference", "deconvolution", deconvolved, (previous,))
    yield Check("network.forward64", "reference", "deconvolution", forward(np.float64, "reference"))
    for engine in ("reference", "numba", "llvm"):
        yield Check("network.engine32", engine, "deconvolution", forward(np.float32, engine))
    if "quantised" in vector.inputs:
        pixels = np.asarray(vector.inputs["quantised"])
        white = float(np.iinfo(pixels.dtype).max)
        for engine in ("reference", "numba", "llvm"):

            def integers(golden: Golden, engine: str = engine) -> Answer:
                ours = fsrcnn_np.upscale(pixels, weights=model, engine=engine)
                return Answer(ours, white * like(golden["deconvolution"], ours.shape))

            yield Check("network.integers", engine, "deconvolution", integers)


def layers_of(image: np.ndarray, model: Any) -> dict[str, np.ndarray]:
    """Ours, every layer in float64 from the image on, with the names of matlab/fsrcnn_steps.m."""
    from fsrcnn_np.network import reference

    double = model.astype(np.float64)
    rows = reference.Rows(np.asarray(image, np.float64)[None] - model.input_mean, 0, len(image))
    found = {}
    for name, layer in zip(model.architecture.layer_names, double.convolutions, strict=True):
        rows = reference.convolution(rows, layer, model.border)
        found[name] = rows.maps
    (found["deconvolution"],) = reference.deconvolution(rows, 0, len(image) * model.architecture.scale, double)
    return found


def _integers(values: np.ndarray, dtype: np.dtype[Any], white: float = np.inf) -> np.ndarray:
    """The oracle's floats as an integer class: half away from zero, saturated."""
    limits = np.iinfo(dtype)
    return np.clip(np.copysign(np.floor(np.abs(values) + 0.5), values), limits.min, min(limits.max, white)).astype(
        dtype
    )


def _upscale(vector: Vector) -> Iterator[Check]:
    import fsrcnn_np

    model, white = model_of(vector), _number(vector.inputs, "white")
    for engine in ("reference", "numba", "llvm"):

        def enlarged(golden: Golden, engine: str = engine) -> Answer:
            ours = fsrcnn_np.upscale(vector.image, weights=model, data_range=white, engine=engine)
            return Answer(ours, like(golden["enlarged"], ours.shape))

        yield Check("upscale.integers", engine, "enlarged", enlarged)


def convolution_bound(x: np.ndarray, layer: Any, border: str) -> np.ndarray:
    """n·u·Σ|w||x| of a convolution with bias and PReLU."""
    weight = np.abs(np.asarray(layer.weight, np.float64))
    size = weight.shape[-1]
    wide = np.pad(np.abs(x), ((0, 0), (size // 2,) * 2, (size // 2,) * 2), mode=_PAD[border])
    windows = np.lib.stride_tricks.sliding_window_view(wide, (size, size), (1, 2))
    total = np.einsum("ocyx,chwyx->ohw", weight, windows, optimize=True)
    slope = np.maximum(1, np.abs(layer.slope))[:, None, None]
    terms = weight[0].size + 2
    return terms * U * slope * (total + np.abs(layer.bias)[:, None, None])


def deconvolution_bound(x: np.ndarray, model: Any) -> np.ndarray:
    """n·u·Σ|w||x| of the deconvolution, with n the most stamps that meet at a pixel."""
    from scipy.signal import convolve2d

    scale, ring = model.architecture.scale, model.border == "replicate"
    if ring:
        x = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = x.shape[1:]
    canvas = np.zeros((scale * height + 16, scale * width + 16))
    for feature, kernel in zip(np.abs(x), np.abs(model.deconvolution.weight), strict=True):
        spread = np.zeros((scale * (height - 1) + 1, scale * (width - 1) + 1))
        spread[::scale, ::scale] = feature
        stamped = convolve2d(spread, kernel[0])
        canvas[: stamped.shape[0], : stamped.shape[1]] += stamped
    first = model.deconvolution_offset + scale * ring
    rows, columns = (scale * (n - 2 * ring) for n in (height, width))
    terms = len(x) * (-(-9 // scale)) ** 2 + 1
    cut = canvas[first : first + rows, first : first + columns]
    return terms * U * (cut + np.abs(model.deconvolution.bias))


_PAD: dict[str, Any] = {"zero": "constant", "replicate": "edge"}


# Images.


def _imresize(vector: Vector) -> Iterator[Check]:
    import fsrcnn_np

    image, scale, options = vector.image, scale_of(vector), resize_options(vector)
    real = image.dtype.kind == "f"

    def resized(_: Golden) -> Answer:
        smallest = min(np.min(np.divide(scale, image.shape[:2])) if isinstance(scale, tuple) else scale, 1)
        terms = np.ceil(6 / smallest) + 2
        u = terms * U + (U32 if image.dtype == np.float32 else 0)
        unit = 2 * u * 2.25 * max(float(np.abs(image).max()), U) if real else 1.0
        return Answer(fsrcnn_np.imresize(image, scale, **options), unit)

    yield Check("imresize.float" if real else "imresize.integers", "NumPy", "resized", resized)


def scale_of(vector: Vector) -> float | tuple[int, int]:
    """A vector's scale, or rows and columns, as `imresize` takes them."""
    given = np.ravel(vector.inputs["scale"])
    return float(given[0]) if given.size == 1 else (int(given[0]), int(given[1]))


def resize_options(vector: Vector) -> dict[str, Any]:
    """A vector's options of `imresize`."""
    options: dict[str, Any] = {}
    if "method" in vector.inputs:
        options["method"] = str(vector.inputs["method"])
    if "antialiasing" in vector.inputs:
        options["antialiasing"] = bool(np.ravel(vector.inputs["antialiasing"])[0])
    return options


def _rgb2ycbcr(vector: Vector) -> Iterator[Check]:
    from fsrcnn_np.images.colour import rgb2ycbcr_uint8

    def converted(_: Golden) -> Answer:
        return Answer(rgb2ycbcr_uint8(vector.image), ycbcr_exact(vector.image))

    yield Check("colour.rgb2ycbcr", "NumPy", "ycbcr", converted)


def ycbcr_exact(rgb: np.ndarray) -> np.ndarray:
    """The exact values that rgb2ycbcr rounds, as near as a double comes."""
    return ycbcr_thousandths(rgb) / 255_000 + [16, 128, 128]


def _bin2x2(vector: Vector) -> Iterator[Check]:
    from fsrcnn_np.images.binning import bin2x2

    image = vector.image

    def binned(_: Golden) -> Answer:
        u = {"float32": U32, "float64": U}.get(image.dtype.name, 0.0)  # integers: exact
        return Answer(bin2x2(image), 4 * u * float(np.abs(image.astype(np.float64)).max()))

    yield Check("colour.bin2x2", "NumPy", "binned", binned)


def _number(fields: Mapping[str, Any], name: str) -> float:
    return float(np.ravel(fields[name])[0])


_KINDS = {
    "piqe": _piqe,
    "network": _network,
    "upscale": _upscale,
    "imresize": _imresize,
    "rgb2ycbcr": _rgb2ycbcr,
    "bin2x2": _bin2x2,
}


def golden_of(goldens: Goldens, vector: Vector) -> Golden:
    """The oracle's results of a vector; none where it has none."""
    return goldens.results.get(vector.id, {})
