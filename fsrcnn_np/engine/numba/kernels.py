"""The five layers, compiled by Numba. Every one is the same sum over terms:

    result[o][x] = PReLU( bias[o] + Σ_t weight[t][o] · source[place[t] + x] )

A term is one weight of a kernel: an input channel, and the row and column beside the result's own. All rows are `PITCH`
numbers long, so where the pixels of a term lie is a number, and a layer is a list of such numbers and of weights. One
function adds them all, four terms to four outputs at a time, along rows: LLVM makes vectors of that.
"""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from piqe_np.compiled import kernel

WIDTH = 544  # most columns of a strip and what it computes beside it: all rings of the paper's network take 0.5 MB
MARGIN = 8  # columns of a row before and behind them; no term reaches further than half of it
PITCH = WIDTH + 2 * MARGIN  # an odd number of cache lines, or rows would compete for the same few places
OUTPUTS = TERMS = 4  # of the innermost loop: its 16 weights stay in registers
RING = 4  # rows that a layer keeps; the next one reads three


class Layer(NamedTuple):
    """Layers of one kind: all mapping layers, or the only one."""

    places: np.ndarray  #: int64 [term], of one kernel row where a layer reads several
    weights: np.ndarray  #: float32 [layer][block of outputs][kernel row][term · OUTPUTS + output]
    biases: np.ndarray  #: float32 [layer][output], whole blocks
    slopes: np.ndarray


@intrinsic
def fma(typing_context, a, b, c):
    """a · b + c, rounded once where the processor has fused multiply-add; else the product is rounded, too."""

    def code(context, builder, signature, arguments):
        from llvmlite import ir

        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.f32"), arguments)

    return types.float32(types.float32, types.float32, types.float32), code


@kernel
def add(sums, source, start, places, weights, columns):
    """Add all terms to `columns` columns of four rows of sums."""
    for t in range(0, places.size, TERMS):
        a, b = source[start + places[t] :], source[start + places[t + 1] :]
        c, d = source[start + places[t + 2] :], source[start + places[t + 3] :]
        w = weights[t * OUTPUTS :]
        for x in range(columns):
            p, q, r, s = a[x], b[x], c[x], d[x]
            for o in range(OUTPUTS):
                z = fma(w[OUTPUTS + o], q, fma(w[o], p, sums[o * PITCH + x]))
                sums[o * PITCH + x] = fma(w[3 * OUTPUTS + o], s, fma(w[2 * OUTPUTS + o], r, z))


@kernel
def layer_row(layer, number, source, starts, result, place, columns):
    """One row of all outputs of a layer, from the rows of the source at `starts` to those of the result at `place`."""
    places, weights, biases, slopes = layer
    for block in range(weights.shape[1]):
        outputs = result[place + block * OUTPUTS * PITCH + MARGIN :]
        for o in range(OUTPUTS):
            outputs[o * PITCH : o * PITCH + columns] = biases[number, block * OUTPUTS + o]
        for row in range(weights.shape[2]):
            add(outputs, source, starts[row] + MARGIN, places, weights[number, block, row], columns)
        for o in range(OUTPUTS):
            slope, line = slopes[number, block * OUTPUTS + o], outputs[o * PITCH :]
            for x in range(columns):
                line[x] = line[x] if line[x] > 0 else slope * line[x]


@kernel
def beside(maps, left, right, replicate):
    """What rows have outside the image's columns `left` to `right`: under a replicate border one copy, then zeros."""
    for row in range(0, maps.size, PITCH):
        for edge, outwards in ((MARGIN + left, -1), (MARGIN + right - 1, 1)):
            if MARGIN <= edge < PITCH - MARGIN:
                maps[row + edge + outwards] = maps[row + edge] if replicate else 0.0
                maps[row + edge + 2 * outwards] = maps[row + edge + 3 * outwards] = 0.0


@kernel
def row_place(layer, y, narrow, height, replicate):
    """Where row y of a layer lies in `rings`; outside the image that is its nearest row, or the one of zeros."""
    if not replicate and not 0 <= y < height:
        return 0
    return (1 + layer * RING + min(max(y, 0), height - 1) % RING) * narrow


@kernel
def strip(image, model, geometry, rings, features, stamps, canvas):
    """All layers of a strip, one row each a step, so that no layer's maps are ever whole in memory.

    image ──5×5──▶ a row of features ──1×1──▶ ring 0 ──3×3──▶ ring 1 ──3×3──▶ … ──3×3──▶ ring m
                                                                                           │ 1×1
    canvas: all high-resolution rows ◀──nine rows of stamps are added── a row of features ◀┘

    Row y of the image lies at y − origin in `image`, a line a channel; its column x at x + left in all rows. A row of
    canvas and stamps has a line for each channel and column phase.
    """
    extraction, shrinking, mapping, expanding, deconvolution, biases = model
    top, bottom, height, origin, columns, left, right, replicate, scale, offset, reach = geometry
    narrow, m = shrinking.biases.shape[1] * PITCH, mapping.weights.shape[0]
    zero, starts = np.int64(0), np.zeros(3, np.int64)  # np.int64: with a literal 0 Numba compiles all once more
    lines, channels = biases.size, biases.size // scale
    for line in range(canvas.size // PITCH):
        canvas[line * PITCH : (line + 1) * PITCH] = biases[line % lines]
    for step in range(top - reach - m, bottom + reach + m + 1):
        for layer in range(m + 1):
            y, need = step - layer, reach + m - layer
            if max(top - need, 0) <= y < min(bottom + need, height):
                place = row_place(layer, y, narrow, height, replicate)
                if layer == 0:
                    starts[0] = (y - origin) * channels * PITCH
                    layer_row(extraction, zero, image, starts, features, zero, columns)
                    starts[0] = 0
                    layer_row(shrinking, zero, features, starts, rings, place, columns)
                else:
                    for row in range(3):
                        starts[row] = row_place(layer - 1, y + row - 1, narrow, height, replicate)
                    layer_row(mapping, layer - 1, rings, starts, rings, place, columns)
                beside(rings[place : place + narrow], left, right, replicate)

        y, ring = step - m - 1, 1 if replicate else 0  # features go on for one row outside the image
        if max(top - reach, -ring) <= y < min(bottom + reach, height + ring):
            starts[0] = row_place(m, y, narrow, height, replicate)
            layer_row(expanding, zero, rings, starts, features, zero, columns)
            beside(features, left, right, replicate)
            starts[0] = 0
            layer_row(deconvolution, zero, features, starts, stamps, zero, columns)
            for ky in range(9):
                row = scale * (y - top) + ky - offset
                if 0 <= row < scale * (bottom - top):
                    line, stamp = canvas[row * lines * PITCH :], stamps[ky * lines * PITCH :]
                    for i in range(lines * PITCH):
                        line[i] += stamp[i]
