"""The machine code between RGB and planes.

    split     rows of RGB side by side → luma and both chromas, float32
    joined    rows of luma and both chromas → rows of RGB side by side

Of a vector's lanes every third is of one channel, and three vectors together have each lane once of each: so a channel
is blended from three vectors, and then put in order; and the other way round.

All operations are the reference's, in its order, and none are fused: pixels to 0..1 and back in double, colours in
float32. What is left of a row behind the last whole vector is made by a vector that ends with the row.
"""

from __future__ import annotations

import numpy as np

from fsrcnn_np.images.colour import BLUE, CB_SPAN, CR_SPAN, GREEN, RED
from fsrcnn_np.images.llvm.arithmetic import Numbers
from piqe_np.llvm.assembler import BYTES, Function, Module, Rows, Value

_RGB = range(3)


def apart(f: Function, vectors: list[Value], lanes: int) -> list[Value]:
    """Three vectors of RGB side by side → red, green and blue."""
    found = []
    for channel in _RGB:
        blended = _blended(f, vectors, [_vector_of(lane, channel, lanes) for lane in range(lanes)])
        found.append(f.shuffle(blended, blended, [(3 * place + channel) % lanes for place in range(lanes)]))
    return found


def together(f: Function, channels: list[Value], lanes: int) -> list[Value]:
    """Red, green and blue → three vectors of RGB side by side."""
    turned = []
    for channel, values in enumerate(channels):
        order = [(_vector_of(lane, channel, lanes) * lanes + lane) // 3 for lane in range(lanes)]
        turned.append(f.shuffle(values, values, order))
    return [_blended(f, turned, [(vector * lanes + lane) % 3 for lane in range(lanes)]) for vector in _RGB]


def _vector_of(lane: int, channel: int, lanes: int) -> int:
    """Which of the three vectors has a channel in this lane."""
    return next(vector for vector in _RGB if (vector * lanes + lane) % 3 == channel)


def _blended(f: Function, vectors: list[Value], which: list[int]) -> Value:
    """Each lane of one of three vectors."""
    lanes = len(which)
    two = f.shuffle(vectors[0], vectors[1], [lane + lanes * (vector == 1) for lane, vector in enumerate(which)])
    return f.shuffle(two, vectors[2], [lane + lanes * (vector == 2) for lane, vector in enumerate(which)])


def _single(f: Function, number: float, lanes: int) -> Value:
    """A number of the reference in float32, as NumPy takes it beside float32."""
    return f.constant(f"<{lanes} x float>", float(np.float32(number)))


def _constants(address: Value, count: int, lanes: int) -> list[Value]:
    return [address.function.splat(Rows.of(address, "double", (count,))[i], lanes) for i in range(count)]


def add_split(module: Module, lanes: int, dtype: str, *, unit: bool) -> Function:
    """A function that makes three planes of `rows` rows of RGB; `range` is of its low and its span, doubles.

    With `unit` they are 0 and 1, and there is nothing to compute.
    """
    f = module.function("split", "image pitch rows luma blues reds plane_pitch width range")
    image, pitch, rows, *planes, plane_pitch, width, range_ = f.parameters
    numbers = Numbers(f, dtype, "double", lanes)
    source = Rows(image, numbers.stored, (pitch, BYTES[numbers.stored]), align=1)
    made = [Rows(plane, "float", (plane_pitch, 4)) for plane in planes]
    low, span = _constants(range_, 2, lanes)
    r, g, b = (_single(f, part, lanes) for part in (RED, GREEN, BLUE))

    def single(pixels: Value) -> Value:
        value = numbers.of(pixels)
        return f.cast("fptrunc", value if unit else (value - low) / span, r.kind)

    with f.loop(0, rows) as row, f.loop(0, width, lanes) as start:
        x = f.smaller(start, width - lanes)
        pixels = source[row, x * 3 :]
        red, green, blue = apart(f, [single(pixels[vector * lanes :].vector(lanes)) for vector in _RGB], lanes)
        luma = r * red + g * green + b * blue
        made[0][row, x] = luma
        made[1][row, x] = (blue - luma) / _single(f, CB_SPAN, lanes)
        made[2][row, x] = (red - luma) / _single(f, CR_SPAN, lanes)
    return f


def add_joined(module: Module, lanes: int, dtype: str, *, unit: bool) -> Function:
    """A function that makes `rows` rows of RGB of luma and chroma; `limits` are `value_range.Limits`, doubles.

    With `unit` gain and shift are 1 and 0, and nothing is computed: −0 stays −0.
    """
    f = module.function("joined", "luma luma_pitch blues reds chroma_pitch rows result result_pitch width limits")
    luma, luma_pitch, blues, reds, chroma_pitch, rows, result, result_pitch, width, limits = f.parameters
    gain, shift, *ends = _constants(limits, 4, lanes)
    numbers = Numbers(f, dtype, "double", lanes, (ends[0], ends[1]))
    bright = Rows(luma, "float", (luma_pitch, 4))
    bluish, reddish = (Rows(plane, "float", (chroma_pitch, 4)) for plane in (blues, reds))
    made = Rows(result, numbers.stored, (result_pitch, BYTES[numbers.stored]), align=1)
    with f.loop(0, rows) as row, f.loop(0, width, lanes) as start:
        x = f.smaller(start, width - lanes)
        y, cb, cr = (plane[row, x:].vector(lanes) for plane in (bright, bluish, reddish))
        red = y + _single(f, CR_SPAN, lanes) * cr
        blue = y + _single(f, CB_SPAN, lanes) * cb
        green = (y - _single(f, RED, lanes) * red - _single(f, BLUE, lanes) * blue) / _single(f, GREEN, lanes)
        pixels = made[row, x * 3 :]
        for vector, values in enumerate(together(f, [red, green, blue], lanes)):
            value = f.cast("fpext", values, gain.kind)
            pixels[vector * lanes] = numbers.pixels(value if unit else value * gain + shift)
    return f
