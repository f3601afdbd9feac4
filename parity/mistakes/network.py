"""Mistakes made on purpose in the network, imresize, colour and binning; those of PIQE are in `piqe`.

Each takes a vector and gives the wrong answer. They are written apart from the package where that is short; the
network's are the package's own reference with a model, kernel or border that is not the vector's.
"""

from dataclasses import replace

import numpy as np

from fsrcnn_np.network import reference
from parity import checks
from parity.compare import compare


def number(vector, name):
    return float(np.ravel(vector.inputs[name])[0])


# The network: the deconvolution's output in float64.


def changed(**fields):
    return lambda vector: output(vector, replace(checks.model_of(vector), **fields))


def output(vector, model, image=None):
    return checks.layers_of(vector.image if image is None else image, model)["deconvolution"]


def kernels(change, *, convolutions=True, deconvolution=True):
    def wrong(vector):
        model = checks.model_of(vector)
        layers, last = model.convolutions, model.deconvolution
        if convolutions:
            layers = tuple(layer._replace(weight=change(layer.weight)) for layer in layers)
        if deconvolution:
            last = last._replace(weight=change(last.weight))
        return output(vector, replace(model, convolutions=layers, deconvolution=last))

    return wrong


def layers(change):
    def wrong(vector):
        model = checks.model_of(vector)
        return output(vector, replace(model, convolutions=tuple(map(change, model.convolutions))))

    return wrong


def other_border(vector):
    model = checks.model_of(vector)
    return output(vector, replace(model, border="zero" if model.border == "replicate" else "replicate"))


def shifted(vector):
    model = checks.model_of(vector)
    return output(vector, replace(model, deconvolution_offset=3 if model.deconvolution_offset == 4 else 4))


def mean_after_padding(vector):
    """The first layer pads with zeros and then subtracts the mean, so that the border is −mean."""
    model = checks.model_of(vector).astype(np.float64)
    wide = np.pad(vector.image, 2) - model.input_mean
    cut = replace(model, input_mean=0.0)
    rows = reference.convolution(reference.Rows(wide[None], 0, len(wide)), cut.convolutions[0], "zero")
    rows = reference.Rows(rows.maps[:, 2:-2, 2:-2], 0, len(vector.image))
    for layer in cut.convolutions[1:]:
        rows = reference.convolution(rows, layer, cut.border)
    return reference.deconvolution(rows, 0, len(vector.image) * cut.architecture.scale, cut)[0]


def without_last_columns(vector):
    right = output(vector, checks.model_of(vector))
    right[:, -2:] = 0
    return right


def repeated_canvas(vector):
    """Where no kernel reaches, the last row and column once more instead of the bias alone."""
    model = checks.model_of(vector)
    right = output(vector, model)
    bare = right == float(model.deconvolution.bias[0])
    right[bare.all(1)] = right[~bare.all(1)][-1]
    right[:, bare.all(0)] = right[:, ~bare.all(0)][:, -1:]
    return right


# Integers out: from the oracle's float output.


def integers(rule):
    def wrong(vector, golden):
        dtype = np.asarray(vector.inputs["quantised"]).dtype
        return rule(golden["deconvolution"] * np.iinfo(dtype).max, dtype)

    return wrong


def saturated(values, dtype):
    return np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def half_away(values):
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


# imresize.


def keys(x, a):
    x = np.abs(x)
    inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
    outer = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0))


def lanczos3(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def box(x):
    return np.where((x >= -0.5) & (x < 0.5), 1.0, 0.0)


def resize(
    *, kernel=None, antialias=None, border="symmetric", size=np.ceil, aligned=False, rounding=half_away,
    fold=saturated, every_pass=True, smaller_first=True,
):  # fmt: skip
    def wrong(vector):
        image, options = vector.image, checks.resize_options(vector)
        method = options.get("method", "bicubic")
        kernels = {"bicubic": lambda x: keys(x, -0.5), "bilinear": linear, "lanczos3": lanczos3}
        shape = kernel or kernels.get(method, box)
        stretched = options.get("antialiasing", method != "nearest") if antialias is None else antialias
        given = checks.scale_of(vector)
        if isinstance(given, tuple):
            scales, counts = np.divide(given, image.shape[:2]), given
        else:
            scales, counts = (given, given), [int(size(n * given)) for n in image.shape[:2]]
        result = image.astype(np.float64)
        order = (1, 0) if smaller_first and scales[1] < scales[0] else (0, 1)
        for axis in order:
            moved = line(np.moveaxis(result, axis, 0), scales[axis], counts[axis], shape, stretched)
            result = np.moveaxis(moved, 0, axis)
            if image.dtype.kind != "f" and (every_pass or axis == order[1]):
                result = fold(rounding(result), image.dtype).astype(np.float64)
            elif image.dtype.kind == "f":
                result = result.astype(image.dtype).astype(np.float64)
        return result.astype(image.dtype)

    def line(values, scale, count, kernel, stretched):
        n = len(values)
        shrink = min(scale, 1) if stretched else 1
        place = (np.arange(count) + 0.5) / scale - 0.5
        if aligned:
            place = np.linspace(0, n - 1, count)
        reach = int(np.ceil(3 / shrink)) + 1
        taps = np.floor(place)[:, None].astype(int) + np.arange(-reach, reach + 1)
        weights = kernel(shrink * (place[:, None] - taps))
        weights /= weights.sum(1, keepdims=True)
        pad = 4 * reach + n
        options = {"mode": border} if n > 1 or border != "reflect" else {"mode": "edge"}
        wide = np.pad(values, ((pad, pad), *((0, 0),) * (values.ndim - 1)), **options)
        return np.einsum("ot,ot...->o...", weights, wide[taps + pad])

    return wrong


def linear(x):
    return np.maximum(1 - np.abs(x), 0)


def wrapped(values, dtype):
    return np.asarray(values).astype(np.int64).astype(dtype)


# The whole main job, from picture to picture.


def picture(
    *, channels=(0, 1, 2), luma=(0.299, 0.587, 0.114), repeated=False, white=None, rounding=half_away, fold=saturated
):
    def wrong(vector):
        high = white or number(vector, "white")
        model = checks.model_of(vector)
        dtype, x = vector.image.dtype, vector.image / high
        if x.ndim == 2:
            return fold(np.minimum(rounding(high * output(vector, model, x)), number(vector, "white")), dtype)
        red, green, blue = np.moveaxis(x[..., list(channels)], -1, 0)
        y = luma[0] * red + luma[1] * green + luma[2] * blue
        planes = []
        for chroma in (red - y, blue - y):
            subject = type(vector)("", "imresize", "", "", {"image": chroma, "scale": 2.0})
            planes.append(chroma.repeat(2, 0).repeat(2, 1) if repeated else resize()(subject))
        y = output(vector, model, y)
        red, blue = (y + plane for plane in planes)
        green = (y - luma[0] * red - luma[2] * blue) / luma[1]
        rgb = np.stack([red, green, blue], -1)[..., list(channels)]
        return fold(rounding(high * rgb), dtype)

    return wrong


# Colour and binning.


def ycbcr(*, matrix=None, digits=3, offset=(16, 128, 128), rounding=half_away, channels=(0, 1, 2)):
    def wrong(vector):
        rgb = vector.image[..., list(channels)].astype(np.float64)
        coefficients = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
        coefficients = coefficients if matrix is None else np.array(matrix)
        return saturated(rounding(rgb @ np.round(coefficients, digits).T / 255 + offset), np.uint8)

    return wrong


FULL_RANGE = [[76.245, 149.685, 29.07], [-43.0, -84.5, 127.5], [127.5, -106.8, -20.7]]


def blocks(image):
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    return image[0::2, 0::2], image[0::2, 1::2], image[1::2, 0::2], image[1::2, 1::2]


def bicubic_half(vector):
    image = vector.image[: vector.image.shape[0] // 2 * 2, : vector.image.shape[1] // 2 * 2].astype(np.float64)
    return resize()(type(vector)("", "imresize", "", "", {"image": image, "scale": 0.5}))


def wrapped_sums(vector):
    a, b, c, d = blocks(vector.image)
    return (a + b + c + d) / 4.0


def rounded_mean(vector):
    return np.floor(sum(part.astype(np.float64) for part in blocks(vector.image)) / 4)


MISTAKES = {
    "network": {
        "the other border": other_border,
        "kernels flipped": kernels(lambda w: w[..., ::-1, ::-1], deconvolution=False),
        "deconvolution flipped": kernels(lambda w: w[..., ::-1, ::-1], convolutions=False),
        "deconvolution shifted": shifted,
        "x and y exchanged": kernels(lambda w: w.swapaxes(2, 3)),
        "channels in another order": kernels(lambda w: w[:, ::-1], deconvolution=False),
        "slope on the wrong side": layers(lambda one: one._replace(weight=-one.weight, bias=-one.bias)),
        "bias forgotten": layers(lambda one: one._replace(bias=0 * one.bias)),
        "the released offset for every model": changed(deconvolution_offset=4),
        "the canvas repeated where it ends": repeated_canvas,
        "the mean not subtracted": changed(input_mean=0.0),
        "the mean subtracted after padding": mean_after_padding,
        "the last columns left out": without_last_columns,
        "truncated": integers(lambda v, d: saturated(np.trunc(v), d)),
        "wrapped": integers(lambda v, d: wrapped(half_away(v), d)),
        "16 bits through 8": integers(lambda v, d: (saturated(half_away(v / 257), np.uint8) * 257.0).astype(d)),
    },
    "upscale": {
        "BGR": picture(channels=(2, 1, 0)),
        "luma of 16–235": picture(luma=(0.257, 0.504, 0.098)),
        "chroma repeated": picture(repeated=True),
        "the class's range": picture(white=65535),
        "truncated": picture(rounding=np.trunc),
        "wrapped": picture(fold=wrapped),
        "16 bits through 8": lambda vector: (picture()(vector) >> 8) * np.uint16(257),
    },
    "imresize": {
        "linear": resize(kernel=linear),
        "a = -0.75": resize(kernel=lambda x: keys(x, -0.75)),
        "bicubic": resize(kernel=lambda x: keys(x, -0.5)),
        "corners aligned": resize(aligned=True),
        "antialiased": resize(antialias=True),
        "columns always first": resize(smaller_first=False),
        "no antialiasing": resize(antialias=False),
        "border zero": resize(border="constant"),
        "border replicate": resize(border="edge"),
        "border reflect": resize(border="reflect"),
        "size rounded down": resize(size=np.floor),
        "truncated": resize(rounding=np.trunc),
        "half to even": resize(rounding=np.round),
        "wrapped": resize(fold=wrapped),
        "rounded once": resize(every_pass=False),
        "16 bits through 8": lambda vector: (resize()(vector) >> 8) * np.uint16(257),
    },
    "rgb2ycbcr": {
        "full range": ycbcr(matrix=FULL_RANGE, offset=(0, 128, 128)),
        "BGR": ycbcr(channels=(2, 1, 0)),
        "truncated": ycbcr(rounding=np.trunc),
        "coefficients of 1 digit": ycbcr(digits=1),
    },
    "bin2x2": {"bicubic": bicubic_half, "wrapped sums": wrapped_sums, "rounded to integers": rounded_mean},
}

#: No mistake at all: the same code, set right, must pass.
RIGHT = {
    "network": lambda vector: output(vector, checks.model_of(vector)),
    "upscale": picture(),
    "imresize": resize(),
    "rgb2ycbcr": ycbcr(),
    "bin2x2": lambda vector: sum(part.astype(np.float64) for part in blocks(vector.image)) / 4,
}
STAGES = {
    "network": "network.engine32",
    "upscale": "upscale",
    "imresize": "imresize",
    "rgb2ycbcr": "colour.rgb2ycbcr",
    "bin2x2": "colour.bin2x2",
}


def caught(vector, mistake, golden, known):
    """Whether the suite's own check at the vector's last stage refuses the wrong answer."""
    wanted = [check for check in checks.checks_of(vector) if check.stage.startswith(STAGES[vector.kind])]
    wrong = mistake(vector, golden) if mistake.__code__.co_argcount == 2 else mistake(vector)
    if vector.kind == "network" and np.asarray(wrong).dtype.kind == "u":
        wanted = [check for check in checks.checks_of(vector) if check.stage == "network.integers"]
    check = wanted[0]
    answer = check.answer(golden)
    theirs = checks.theirs(vector, check, golden, answer.ours)
    unit = answer.unit
    if vector.kind == "network" and np.shape(wrong) != np.shape(theirs):
        return True
    if vector.kind == "bin2x2":
        wrong = np.asarray(wrong, np.float64)
    tolerance = known[check.stage]
    return compare(tolerance.kind, wrong, theirs, unit).worst > tolerance.value
