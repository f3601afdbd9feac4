"""Steps 2 and 3: one row's pixels to grey levels, for each class of MATLAB's; see `piqe_np.reference.gray_levels`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from piqe_np.llvm.assembler import BYTES, Function, Module, Rows, Value
from piqe_np.llvm.scratch import REACH
from piqe_np.matlab import BLUE, CLASSES, GREEN, RED

#: How NumPy's dtypes are stored, and how they become double.
STORED = {
    "uint8": ("i8", "uitofp"), "uint16": ("i16", "uitofp"), "int8": ("i8", "sitofp"), "int16": ("i16", "sitofp"),
    "float32": ("float", "fpext"), "float64": ("double", ""),
}  # fmt: skip


class Scaling(NamedTuple):
    """round(after · ((before · (value − dark) + offset) / divisor)) is a pixel's level."""

    dark: float
    before: float
    offset: float
    divisor: float
    after: float

    @classmethod
    def of(cls, dtype: np.dtype, data_range: tuple[float, float] | None) -> Scaling:
        """A class's own, or that of a range."""
        if data_range is not None:
            return cls(data_range[0], 255.0, 0.0, data_range[1] - data_range[0], 1.0)
        offset, divisor = CLASSES[dtype.name]
        return cls(0.0, 1.0, float(offset), float(divisor), 255.0)

    @property
    def way(self) -> str:
        """The shortest way to the same level."""
        if self.before != 1:
            return "range"
        return {255.0: "as it is", 65535.0: "257th", 1.0: "unit"}[self.divisor]


def staged(dtype: str, channels: int, way: str) -> str:
    """How levels are stored: in bytes where all are 0 to 255, which a fractional range's rounded RGB can exceed."""
    return "double" if dtype.startswith("float") or (channels > 1 and way == "range") else "i8"


def _rescaled(f: Function, value: Value, way: str, numbers: list[Value]) -> Value:
    _, before, offset, divisor, after = numbers
    if way == "as it is":  # 255 · (v / 255)
        return value
    if way == "257th":  # 65535 = 255 · 257, and no 257th lies half way between two levels
        number = lambda constant: f.constant(value.kind, constant)  # noqa: E731
        return f.intrinsic("trunc", (value + (offset + number(128.5))) * number(1 / 257))
    return round_half_away(f, after * (value if way == "unit" else (before * value + offset) / divisor))


def add_gray_levels(module: Module, lanes: int, dtype: str, channels: int, way: str) -> Function:
    """A function that fills a row of levels from column `left`, which may lie before the first.

    Beyond the image its outermost pixels go on. `scaling` is the address of a `Scaling`'s five float64 numbers.
    """
    kind, _ = STORED[dtype]
    f = module.function("gray_levels", "levels line left width scaling")
    levels, line, left, width, scaling = f.parameters
    stored = staged(dtype, channels, way)
    row, numbers = Rows.of(levels, stored, (REACH,)), Rows.of(scaling, "double", (5,))
    start, stop = f.larger(f.integer(0) - left, 0), f.smaller(width - left, REACH)
    inside = row[start:]
    pixels = Rows(line + (left + start) * (channels * BYTES[kind]), kind, (channels * BYTES[kind], BYTES[kind]))
    count, done = stop - start, f.integer(0)
    for step in (8 * lanes, lanes, 1) if channels == 1 and way in ("as it is", "257th") else (lanes, 1):
        whole = count - count % step
        with f.loop(done, whole, step) as column:
            inside[column] = _level(f, pixels[column:], numbers, (dtype, channels, way), step)
        done = whole
    with f.loop(0, REACH * channels * BYTES[kind], 64) as byte:
        f.prefetch(line + (left + REACH) * (channels * BYTES[kind]) + byte)
    before, after = row[start], row[stop - 1]
    with f.loop(0, start) as column:
        row[column] = before
    with f.loop(stop, REACH) as column:
        row[column] = after
    return f


def _level(f: Function, pixels: Rows, numbers: Rows, form: tuple[str, int, str], lanes: int) -> Value:
    """The levels of `lanes` pixels, as they are stored."""
    dtype, channels, way = form
    if form == ("uint8", 1, "as it is"):
        return _loaded(pixels, lanes)
    if (channels, way) == (1, "257th"):
        return _257th(f, _loaded(pixels, lanes), dtype)
    scaling = [_all(f, numbers[i], lanes) for i in range(len(Scaling._fields))]
    level = _rescaled(f, _grey(f, pixels, dtype, channels, lanes, scaling[0]), way, scaling)
    stored = staged(dtype, channels, way)
    return f.cast("fptoui", level, level.kind.replace("double", stored)) if stored != "double" else level


def _257th(f: Function, value: Value, dtype: str) -> Value:
    """round(v / 257) in whole numbers, which more fit into a vector of: (255 v + 32895) / 2¹⁶ for all v below 2¹⁶."""
    wide = f.cast("sext" if dtype == "int16" else "zext", value, value.kind.replace("i16", "i32"))
    number = lambda constant: f.constant(wide.kind, constant)  # noqa: E731
    level = wide * number(255) + number(255 * CLASSES[dtype][0] + 32895)
    level = f.emit(level.kind, f"lshr {level.kind} {level.name}, {number(16).name}")
    return f.cast("trunc", level, level.kind.replace("i32", "i8"))


def _grey(f: Function, pixels: Rows, dtype: str, channels: int, lanes: int, dark: Value) -> Value:
    """`lanes` pixels as double, less black; RGB weighed, and stored in its class."""
    if channels == 1:
        return _double(f, _loaded(pixels, lanes), dtype) - dark
    red, green, blue = (_double(f, channel, dtype) - dark for channel in _channels(f, pixels, lanes))
    weights = (f.constant(red.kind, weight) for weight in (RED, GREEN, BLUE))
    grey = (red * next(weights) + green * next(weights)) + blue * next(weights)
    if dtype == "float64":
        return grey
    if dtype == "float32":
        return f.cast("fpext", f.cast("fptrunc", grey, grey.kind.replace("double", "float")), grey.kind)
    return round_half_away(f, grey)


def _channels(f: Function, pixels: Rows, lanes: int) -> list[Value]:
    """Red, green and blue of `lanes` pixels that lie interleaved."""
    if lanes == 1:
        return [pixels[0, channel] for channel in range(3)]
    flat = Rows(pixels.address, pixels.kind, pixels.pitches[1:])
    parts = [flat[part * lanes :].vector(lanes) for part in range(3)]
    found = []
    for channel in range(3):
        places = [3 * lane + channel for lane in range(lanes)]
        two = f.shuffle(parts[0], parts[1], [place if place < 2 * lanes else 0 for place in places])
        picked = [lane if place < 2 * lanes else place - lanes for lane, place in enumerate(places)]
        found.append(f.shuffle(two, parts[2], picked))
    return found


def _loaded(pixels: Rows, lanes: int) -> Value:
    return (
        pixels.vector(lanes) if lanes > 1 else pixels.address.function.load(pixels.kind, pixels.address, pixels.align)
    )


def _double(f: Function, value: Value, dtype: str) -> Value:
    kind, cast = STORED[dtype]
    return f.cast(cast, value, value.kind.replace(kind, "double")) if cast else value


def _all(f: Function, number: Value, lanes: int) -> Value:
    return f.splat(number, lanes) if lanes > 1 else number


def round_half_away(f: Function, value: Value) -> Value:
    """MATLAB's `round`."""
    whole = f.intrinsic("trunc", value)
    up = f.intrinsic("fabs", value - whole) >= f.constant(value.kind, 0.5)
    step = f.select(up, f.constant(value.kind, 1.0), f.constant(value.kind, 0.0))
    return whole + f.intrinsic("copysign", step, value)
