"""The last step: rows of float32 phases become rows of the result's dtype.

    phases [scale][x] ──interleave──▶ x · scale + phase ──gain · value + shift──▶ limits, rounding ──▶ dtype

The arithmetic is in float64, where a float32 times a span of 16 bits is exact: so is the rounding, half away from zero.
"""

from __future__ import annotations

import numpy as np

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from .layout import Layout

#: LLVM's name of each dtype that a result can have.
KINDS = {"uint8": "i8", "int8": "i8", "uint16": "i16", "int16": "i16", "float32": "float", "float64": "double"}


def interleaved(f: Function, phases: list[Value], lanes: int) -> list[Value]:
    """[phase][x] → the same numbers with phases side by side, as many vectors as phases."""
    scale = len(phases)
    if scale == 2:
        order = [x + phase * lanes for x in range(lanes) for phase in range(2)]
        return [f.shuffle(phases[0], phases[1], part) for part in (order[:lanes], order[lanes:])]
    everything = [f.shuffle(a, b, range(2 * lanes)) for a, b in (phases[:2], [phases[2], phases[-1]])]
    order = [x + phase * lanes for x in range(lanes) for phase in range(scale)]
    return [f.shuffle(everything[0], everything[1], order[part * lanes : (part + 1) * lanes]) for part in range(scale)]


def rounded(f: Function, value: Value, least: Value, most: Value, lanes: int) -> Value:
    """Saturated, then rounded half away from zero: doubles → 32-bit integers. NaN becomes the least."""
    value = f.smaller(f.larger(value, least), most)
    whole = f.cast("fptosi", value, f"<{lanes} x i32>")
    rest = value - f.cast("sitofp", whole, value.kind)
    up = f.cast("zext", rest >= f.constant(value.kind, 0.5), whole.kind)
    down = f.cast("zext", rest <= f.constant(value.kind, -0.5), whole.kind)
    return whole + up - down


def module(layout: Layout, dtype: np.dtype) -> Module:
    """finish(ring row, destination, width, limits, scratch): one row of results; limits is the address of `Limits`."""
    made = layout.target.module()
    f = made.function("finish", "ring destination width limits scratch")
    ring, destination, width, limits, scratch = f.parameters
    lanes, scale, kind = layout.target.lanes, layout.architecture.scale, KINDS[dtype.name]
    gain, shift, least, most = (f.splat(Rows.of(limits, "double", (4,))[i], lanes) for i in range(4))
    high = Rows.of(ring, "float", layout.shapes["ring"][1:])
    row, spare = (Rows.of(start, kind, (1,), align=1) for start in (destination, layout.rows(scratch, "spare").address))

    def one_vector(x: Value, place: Rows) -> None:
        phases = [high[phase, x:].vector(lanes) for phase in range(scale)]
        for part, value in enumerate(interleaved(f, phases, lanes)):
            value = f.fma(f.cast("fpext", value, gain.kind), gain, shift)
            if dtype.kind == "f":
                result = value if kind == "double" else f.cast("fptrunc", value, f"<{lanes} x float>")
            else:
                result = f.cast("trunc", rounded(f, value, least, most, lanes), f"<{lanes} x {kind}>")
            place[part * lanes] = result

    whole = width - width % lanes
    with f.loop(0, whole, lanes) as x:
        one_vector(x, row[x * scale :])
    with f.when(whole < width):  # the last few pixels must not be written beyond the strip
        one_vector(whole, spare)
        with f.loop(0, (width - whole) * scale) as i:
            row[whole * scale + i] = spare[i]
    return made
