"""The schedule of a strip: four rows at a time through all layers, so that no layer's maps are ever whole in memory.

    image rows ─extraction─▶ ring 0 ─mapping─▶ ring 1 ─…─▶ ring m ─expansion─▶ one row of features
                                                                                   │ stamping
    result rows ◀─finishing─ ring of high-resolution rows, each starting as the bias ◀┘

A ring keeps the last RING rows of a layer, row r in place r modulo RING; `groups.py` says which rows a step works on.
Rows outside the image are never computed: whoever reads one gets the row of zeros or the nearest row instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import groups, kernels, winograd
from .assembler import Function, Module, Value
from .layout import FLOAT, GROUP, RING, Layout

#: What a strip is told, as one array of int64. Rows are rows of the image; columns are those of a buffer.
PARAMETERS = (
    "image",  # address of row 0, column 0 of the prepared image (it need not exist; only rows in the strip do)
    "weights",
    "scratch",
    "finish",  # address of the function that writes a row of results
    "limits",  # address of its four numbers, see results.py
    "destination",  # address of high-resolution row 0 at the strip's first column
    "destination_pitch",
    "height",  # of the image
    "columns",
    "width",
    "left",  # see kernels.edges
    "right",
    "first_step",
    "end_step",
    "first_row",  # low-resolution rows that are stamped
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
        "extraction": kernels.extraction(made, layout),
        "mapping": winograd.mapping(made, layout),
        "expansion": kernels.expansion(made, layout),
        "stamping": kernels.stamping(made, layout),
        "edges": kernels.edges(made, layout),
        "resetting": resetting(made, layout),
    }
    strip(made, layout, callees)
    return made


def resetting(made: Module, layout: Layout) -> Function:
    """A high-resolution row as it is before anything is added: the bias everywhere."""
    f = made.function("resetting", "row weights")
    row, weights = f.parameters
    bias = f.splat(f.load("float", weights + layout.weights["bias"]), layout.target.lanes)
    with f.loop(0, layout.row_pitch, layout.target.lanes * FLOAT) as x:
        f.store(bias, row + x)
    return f


def strip(made: Module, layout: Layout, callees: dict[str, Function]) -> Function:
    """strip(parameters): all steps of one strip."""
    f = made.function("strip", "parameters")
    p = {name: f.load("i64", f.parameters[0] + 8 * place, 8) for place, name in enumerate(PARAMETERS[:-1])}
    layers = f.parameters[0] + 8 * (len(PARAMETERS) - 1)
    a, scratch, weights = layout.architecture, p["scratch"], p["weights"]
    zeros = scratch + layout.scratch["zeros"]
    features = scratch + layout.scratch["features"]
    high = scratch + layout.scratch["ring"]
    last = scratch + (layout.scratch["rings"] + a.m * RING * layout.ring_row)
    beside = (p["left"], p["right"], p["columns"])

    def place(ring: Value, row: Value) -> Value:
        return ring + (row + RING) % RING * layout.ring_row

    def inside(row: Value) -> Value:
        return (row >= 0) & (row < p["height"])

    def reading(ring: Value, row: Value) -> Value:
        if layout.border == "replicate":
            return place(ring, f.smaller(f.larger(row, f.integer(0)), p["height"] - 1))
        return f.select(inside(row), place(ring, row), zeros)

    with f.loop(0, RING) as row:
        f.call(callees["resetting"], high + row * layout.row_pitch, weights)

    with f.loop(p["first_step"], p["end_step"]) as step:
        top = step * GROUP
        lowest, end = (f.load("i64", layers + 8 * i, 8) for i in (1, 2))
        with f.loop(f.larger(top, lowest), f.smaller(top + GROUP, end)) as row:
            made_row = place(scratch + layout.scratch["rings"], row)
            f.call(callees["extraction"], p["image"] + row * layout.pitch, made_row, weights, scratch, p["columns"])
            f.call(callees["edges"], made_row, a.s, *beside)

        with f.loop(1, a.m + 1) as layer:
            delay, lowest, end = (f.load("i64", layers + layer * 24 + 8 * i, 8) for i in range(3))
            row = top - delay
            with f.when((row >= lowest) & (row < end)):
                source = scratch + layout.scratch["rings"] + (layer - 1) * (RING * layout.ring_row)
                rows = [place(source + RING * layout.ring_row, row + i) for i in range(GROUP)]
                f.call(
                    callees["mapping"], *(reading(source, row + i) for i in range(-1, GROUP + 1)), *rows,
                    weights + layout.weights["mapping"] + (layer - 1) * layout.mapping_weights, scratch, p["columns"],
                )  # fmt: skip
                for made_row in rows:
                    f.call(callees["edges"], made_row, a.s, *beside)

        newest = top - (groups.delays(a.m)[-1] + 1)
        with f.loop(f.larger(newest, p["first_row"]), f.smaller(newest + GROUP, p["end_row"])) as row:
            # Under a replicate border the features go on for one row outside the image.
            outside = 1 if layout.border == "replicate" else 0
            first_result = row * a.scale - layout.offset
            with f.when((row >= -outside) & (row < p["height"] + outside)):
                f.call(callees["expansion"], reading(last, row), features, weights, p["columns"])
                f.call(callees["edges"], features, a.d, *beside)
                f.call(callees["stamping"], features, high, first_result + RING, weights, p["width"])
            with f.loop(first_result, first_result + a.scale) as result:
                made_row = high + (result + RING) % RING * layout.row_pitch
                with f.when((result >= p["first_result"]) & (result < p["end_result"])):
                    target = p["destination"] + result * p["destination_pitch"]
                    f.call(p["finish"], made_row, target, p["width"], p["limits"], scratch)
                f.call(callees["resetting"], made_row, weights)
    return f
