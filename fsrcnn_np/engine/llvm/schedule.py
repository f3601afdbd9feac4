"""The schedule of a strip: four rows at a time through all layers, so that no layer's maps are ever whole in memory.

    image rows ─extraction─▶ ring 0 ─mapping─▶ ring 1 ─…─▶ ring m ─expansion─▶ four rows of features
                                                                                   │ stamping
    result rows ◀─finishing─ ring of high-resolution rows, each starting as the bias ◀┘

A ring keeps the last RING rows of a layer, row r in place r modulo RING; `groups.py` says which rows a step works on.
Rows outside the image are never computed: whoever reads one gets the row of zeros or the nearest row instead.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from piqe_np.llvm.assembler import Function, Module, Rows, Value

from . import extraction, groups, kernels, mapping, toom
from .groups import GROUP
from .layout import FLOAT, RING, Layout

#: What a strip is told, as one array of int64. Rows are rows of the image; columns are those of a buffer.
PARAMETERS = (
    "image",  # address of row 0, column 0 of the prepared image (it need not exist; only rows in the strip do)
    "weights",
    "scratch",
    "finish",  # address of the function that writes a row of results
    "limits",  # address of its four numbers, see results.py
    "destination",  # address of high-resolution row 0 at the strip's first column
    "destination_pitch",  # bytes from one line to the next; a row has a line a channel
    "height",  # of the image
    "columns",
    "width",
    "left",  # see kernels.edges
    "right",
    "first_step",
    "end_step",
    "first_row",  # low-resolution rows that are stamped, whole groups
    "end_row",
    "first_result",  # high-resolution rows that are written
    "end_result",
    "layers",  # for layers 0 … m: delay, first and end row of the groups that are needed, three numbers a layer
)


def parameters(**given: Any) -> np.ndarray:
    """The array for `strip`, from a value for each of PARAMETERS."""
    layers = [number for layer in given["layers"] for number in layer]
    return np.array([given[name] for name in PARAMETERS[:-1]] + layers, np.int64)


def module(layout: Layout) -> Module:
    """`strip` and all that it calls."""
    made = layout.target.module()
    callees = {
        "shrinking": extraction.shrinking(made, layout),
        "mapping": mapping.mapping(made, layout),
        "expansion": toom.expansion(made, layout),
        "multiplication": toom.multiplication(made, layout),
        "stamping": toom.stamping(made, layout),
        "edges": kernels.edges(made, layout, "edges", layout.pitch),
        "edges of points": kernels.edges(made, layout, "edges_of_points", layout.shapes["points"][-1] * FLOAT),
        "resetting": resetting(made, layout),
    }
    callees["extraction"] = extraction.extraction(made, layout, callees)
    callees["deconvolution"] = toom.deconvolution(made, layout, callees)
    callees["step"] = one_step(made, layout, callees)
    strip(made, layout, callees)
    return made


def resetting(made: Module, layout: Layout) -> Function:
    """A high-resolution row as it is before anything is added: the bias everywhere."""
    f = made.function("resetting", "row weights")
    row, weights = f.parameters
    lanes = layout.target.lanes
    _, phases, width = layout.shapes["ring"]
    bias = f.splat(Rows.of(weights + layout.weights["bias"], "float", (1,))[0], lanes)
    high = Rows.of(row, "float", (phases * width,))
    with f.loop(0, phases * width, lanes) as x:
        high[x] = bias
    return f


def told(address: Value) -> dict[str, Value]:
    """Each of PARAMETERS but the last, loaded."""
    given = Rows.of(address, "i64", (len(PARAMETERS),))
    return {name: given[place] for place, name in enumerate(PARAMETERS[:-1])}


def strip(made: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """strip(parameters): all steps of one strip."""
    f = made.function("strip", "parameters")
    p = told(f.parameters[0])
    high, channels = layout.rows(p["scratch"], "ring"), range(layout.architecture.channels)
    with f.loop(0, layout.high) as row:
        for channel in channels:
            f.call(callees["resetting"], high[row + channel * layout.high], p["weights"] + channel * FLOAT)
    with f.loop(p["first_step"], p["end_step"]) as step:
        f.call(callees["step"], f.parameters[0], step)
    return f


def one_step(made: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """step(parameters, step): four rows of every layer.

    Not written into the strip's loop: LLVM would search all these addresses for what changes regularly with the steps,
    a tenth of the time that all compiling takes, for nothing.
    """
    f = made.function("step", "parameters step")
    p, step = told(f.parameters[0]), f.parameters[1]
    layers = Rows.of(f.parameters[0] + 8 * (len(PARAMETERS) - 1), "i64", (layout.architecture.m + 1, 3))
    a, scratch, weights = layout.architecture, p["scratch"], p["weights"]
    rings, high = layout.rows(scratch, "rings"), layout.rows(scratch, "ring")
    zeros = layout.rows(scratch, "zeros")
    channels = range(a.channels)
    image = Rows(p["image"], "float", (a.channels * layout.pitch, FLOAT))
    results = Rows(p["destination"], "i8", (p["destination_pitch"], 1))

    def beside(layer: Value | int) -> tuple[Value, Value, Value]:  # its rows start `layer` columns further right
        return p["left"] - layer, p["right"] - layer, p["columns"]

    def place(row: Value) -> Value:
        return (row + RING) % RING

    def reading(layer: Value | int, row: Value) -> Value:
        if layout.border == "replicate":
            nearest = f.smaller(f.larger(row, f.integer(0)), p["height"] - 1)
            return rings[layer, place(nearest)].address
        inside = (row >= 0) & (row < p["height"])
        return f.select(inside, rings[layer, place(row)].address, zeros.address)

    top = step * GROUP

    def group(layer: Value | int) -> tuple[Value, Value, list[Rows]]:  # its first row, whether it is needed, its place
        delay, lowest, end = (layers[layer, i] for i in range(3))
        row = top - delay
        return row, (row >= lowest) & (row < end), [rings[layer, place(row + i)] for i in range(GROUP)]

    row, needed, rows = group(0)
    with f.when(needed):
        f.call(callees["extraction"], image[row], *rows, weights, scratch, p["columns"])
        for made_row in rows:
            f.call(callees["edges"], made_row, a.s, *beside(0))

    with f.loop(1, a.m + 1) as layer:
        row, needed, rows = group(layer)
        with f.when(needed):
            f.call(
                callees["mapping"], *(reading(layer - 1, row + i) for i in range(-1, GROUP + 1)), *rows,
                weights + layout.weights["mapping"] + (layer - 1) * layout.mapping_weights, scratch, p["columns"],
            )  # fmt: skip
            for made_row in rows:
                f.call(callees["edges"], made_row, a.s, *beside(layer))

    first = top - groups.delays(a.m + 1)[-1]
    with f.when((first >= p["first_row"]) & (first < p["end_row"])):
        # Under a replicate border the features go on for one row outside the image.
        outside = 1 if layout.border == "replicate" else 0
        stamped = [first + i for i in range(GROUP)]
        insides = [(row >= -outside) & (row < p["height"] + outside) for row in stamped]
        first_result = first * a.scale - layout.offset + 2 * layout.high  # not negative
        with f.when(functools.reduce(operator.or_, insides)):
            sources = [
                f.select(inside, reading(a.m, row), zeros.address) for inside, row in zip(insides, stamped, strict=True)
            ]
            numbers = [f.cast("zext", inside, "i64") for inside in insides]
            f.call(
                callees["deconvolution"], *sources, *numbers, high, first_result, weights, scratch, p["width"],
                *beside(a.m),
            )  # fmt: skip
        with f.loop(first * a.scale - layout.offset, (first + GROUP) * a.scale - layout.offset) as result:
            made_rows = [high[(result + 2 * layout.high) % layout.high + channel * layout.high] for channel in channels]
            with f.when((result >= p["first_result"]) & (result < p["end_result"])):
                for channel in channels:
                    line = results[result * a.channels + channel]
                    f.call(p["finish"], made_rows[channel], line, p["width"], p["limits"], scratch)
            for channel in channels:
                f.call(callees["resetting"], made_rows[channel], weights + channel * FLOAT)
    return f
