"""The phantom's loops over pixels. Only + − × ÷ √ on IEEE numbers in the order written, and integers.

Those are correctly rounded everywhere; exponentials come from a table (see `tables`), and nothing is summed in an
order that a compiler may choose: the same bits on every processor. numba does not contract a·b + c into a fused
multiply-add (`piqe_np.compiled`); a test looks for one in the machine code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from piqe_np.compiled import kernel

U = np.uint64
GOLDEN, M1, M2 = U(0x9E3779B97F4A7C15), U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB)
S27, S30, S31, S8, S48, S32 = U(27), U(30), U(31), U(8), U(48), U(32)
BYTES, ONES = U(0x00FF00FF00FF00FF), U(0x0001000100010001)
MEAN = np.float32(1020.0)  #: of the sum of eight bytes
PER_SIGMA = np.float32(0.004784195)  #: over its standard deviation, √(8·65535/12) = 209.022


@kernel
def normal(key: Any, row: Any, column: Any) -> Any:
    """A nearly normal number of mean 0 and variance 1: the sum of the eight bytes of a hash of the place."""
    value = key + ((U(row) << S32) | U(column)) * GOLDEN
    value = (value ^ (value >> S30)) * M1
    value = (value ^ (value >> S27)) * M2
    value = value ^ (value >> S31)
    pairs = (value & BYTES) + ((value >> S8) & BYTES)
    total = np.int64((pairs * ONES) >> S48)
    return (np.float32(total) - MEAN) * PER_SIGMA


@kernel
def grow(coarse: Any, key: Any, gain: Any, fine: Any, first: int, last: int) -> None:
    """Rows first to last of a grid twice as fine: the cubic B-spline through `coarse`, and fresh noise on top.

    `coarse` begins one node earlier than `fine`: node j of `fine` lies at node j/2 + 1 of it.
    """
    columns, wide = fine.shape[1], coarse.shape[1]
    line = np.empty(wide, np.float32)
    eighth, six, half = np.float32(0.125), np.float32(6), np.float32(0.5)
    for i in range(first, last):
        k = i // 2
        if i % 2 == 0:
            for j in range(wide):
                line[j] = ((coarse[k, j] + coarse[k + 2, j]) + six * coarse[k + 1, j]) * eighth
        else:
            for j in range(wide):
                line[j] = (coarse[k + 1, j] + coarse[k + 2, j]) * half
        for j in range(columns):
            m = j // 2
            if j % 2 == 0:
                value = ((line[m] + line[m + 2]) + six * line[m + 1]) * eighth
            else:
                value = (line[m + 1] + line[m + 2]) * half
            fine[i, j] = value + gain * normal(key, i, j)


@kernel
def sample(grid: Any, u: Any, v: Any) -> Any:
    """Between the nodes of a grid, linearly; beyond its border the border."""
    u = min(max(u, np.float32(0)), np.float32(grid.shape[0] - 1.001))
    v = min(max(v, np.float32(0)), np.float32(grid.shape[1] - 1.001))
    i, j = int(u), int(v)
    du, dv = u - np.float32(i), v - np.float32(j)
    top = grid[i, j] + dv * (grid[i, j + 1] - grid[i, j])
    below = grid[i + 1, j] + dv * (grid[i + 1, j + 1] - grid[i + 1, j])
    return top + du * (below - top)


@kernel
def chord(radius: Any, depth: Any) -> Any:
    """Path through a half disc of this radius, and the slab behind it, `depth` under the outermost point."""
    if depth <= 0:
        return np.float32(0)
    depth = min(depth, radius)
    return np.float32(2) * np.sqrt(depth * (np.float32(2) * radius - depth))


@kernel
def tissue(
    cloud: Any, nets: Any, layers: Any, edge: Any, cosine: Any, wall: Any, f: Any, out: Any, first: int, last: int
) -> None:
    """Rows first to last of the line integral ∫µ dl through skin, fat, gland, ligaments and muscle; see `anatomy`."""
    (pitch, radius, skin, origin_row, origin_column, disc_row, disc_column, disc_height, disc_width, bias, contrast,
     most, veil, mu_fat, mu_gland, mu_skin, mu_muscle, strands, hilly) = f  # fmt: skip
    zero, one = np.float32(0), np.float32(1)
    for i in range(first, last):
        y = np.float32(i) * pitch
        dy, ey = y - origin_row, (y - disc_row) / disc_height
        for j in range(out.shape[1]):
            depth = (edge[i] - np.float32(j)) * cosine[i] * pitch
            if depth <= zero:
                out[i, j] = zero
                continue
            x = np.float32(j) * pitch
            c = cloud[i, j]
            whole = chord(radius, depth)
            inner = chord(radius - skin, depth - skin)
            # Where gland is: a disc behind the nipple, its edge hilly, nothing in the fat under the skin.
            ex = (x - disc_column) / disc_width
            disc = one - np.sqrt(ex * ex + ey * ey)
            under = min(depth / np.float32(9), one)
            g = min(max(bias + contrast * disc + hilly * c, zero), one)
            g = most * g * g * (np.float32(3) - np.float32(2) * g) * under * under
            # Ligaments and ducts: sheets seen edge on, where a smooth field is near zero.
            dx = origin_column - x
            along = np.sqrt(dx * dx + dy * dy)
            around = dy / (abs(dy) + dx)
            sheets = zero
            for k in range(layers.shape[0]):
                wide, reach_u, reach_v, warp_u, warp_v, a11, a12, a21, a22, weight = layers[k]
                if a11 == zero and a12 == zero:
                    u, v = along * reach_u, (around + one) * reach_v
                else:
                    u, v = (y * a11 + x * a12) * reach_u, (y * a21 + x * a22) * reach_v
                n = abs(sample(nets[k], u + warp_u * c + np.float32(40), v + warp_v * c + np.float32(40)))
                if n < wide:
                    n = one - n / wide
                    sheets += weight * n * n
            gland = inner * g * (one + np.float32(0.35) * c)
            gland += under * (strands * sheets * (np.float32(0.35) + g) + veil * (c + one) * (np.float32(0.5) + g))
            gland = min(max(gland, zero), inner)
            muscle = min(max((wall[i] - np.float32(j)) * pitch / np.float32(3), zero), one) * inner * np.float32(0.8)
            gland = gland * (one - muscle / max(inner, one))
            fat = inner - gland - muscle
            out[i, j] = mu_fat * fat + mu_gland * gland + mu_muscle * muscle + mu_skin * (whole - inner)


@kernel
def quanta(integral: Any, table: Any, open_field: Any, out: Any, first: int, last: int) -> None:
    """Rows first to last of the mean number of quanta, I₀ exp(−∫µ dl); table[k] = exp(−k/64), then four terms."""
    for i in range(first, last):
        for j in range(out.shape[1]):
            x = np.float64(integral[i, j]) * 64.0
            k = int(x)
            r = (x - k) * 0.015625
            out[i, j] = np.float32(open_field * table[k] * (1.0 - r * (1.0 - r * (0.5 - r * 0.16666666666666666))))


@kernel
def blur(source: Any, side: Any, out: Any, first: int, last: int) -> None:
    """Rows first to last under the taps side, 1 − 2·side, side both ways; the border repeated."""
    rows, columns = source.shape
    middle = np.float32(1) - (side + side)
    line = np.empty(columns, np.float32)
    for i in range(first, last):
        above, below = max(i - 1, 0), min(i + 1, rows - 1)
        for j in range(columns):
            line[j] = middle * source[i, j] + side * (source[above, j] + source[below, j])
        for j in range(columns):
            out[i, j] = middle * line[j] + side * (line[max(j - 1, 0)] + line[min(j + 1, columns - 1)])


@kernel
def arrivals(mean: Any, key: Any, fluctuation: Any, first: int, last: int) -> None:
    """Quantum noise added in place, rows first to last: Poisson's, whose means here are so large that it is normal."""
    for i in range(first, last):
        for j in range(mean.shape[1]):
            q = mean[i, j]
            mean[i, j] = max(q + fluctuation * np.sqrt(q) * normal(key, i, j), np.float32(0))


@kernel
def digitise(
    signal: Any, key: Any, electronic: Any, gain: Any, offset: Any, white: int, out: Any, first: int, last: int
) -> None:
    """Rows first to last of gain·signal + offset and electronic noise, as whole numbers from 0 to white."""
    half = np.float32(0.5)
    for i in range(first, last):
        for j in range(signal.shape[1]):
            value = gain * signal[i, j] + (electronic * normal(key, i, j) + offset)
            out[i, j] = min(max(int(np.floor(value + half)), 0), white)


@kernel
def finish(
    raw: Any, attenuation: Any, edge: Any, cosine: Any, pitch: Any, radius: Any, rim: Any, full: Any, sharpening: Any,
    window: Any, zero: int, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Rows first to last of the picture: attenuation, the rim made even, sharpened by a 5×5 binomial mask, windowed."""
    rows, columns = raw.shape
    half = np.float32(0.5)
    line = np.empty(columns, np.int32)
    for i in range(first, last):
        a, b = max(i - 2, 0), max(i - 1, 0)
        c, d = min(i + 1, rows - 1), min(i + 2, rows - 1)
        for j in range(columns):
            line[j] = (
                attenuation[raw[a, j]] + attenuation[raw[d, j]]
                + 4 * (attenuation[raw[b, j]] + attenuation[raw[c, j]]) + 6 * attenuation[raw[i, j]]
            )  # fmt: skip
        for j in range(columns):
            depth = (edge[i] - np.float32(j)) * cosine[i] * pitch
            if depth <= np.float32(0):
                out[i, j] = 0
                continue
            smooth = (
                line[max(j - 2, 0)] + line[min(j + 2, columns - 1)]
                + 4 * (line[max(j - 1, 0)] + line[min(j + 1, columns - 1)]) + 6 * line[j]
            )  # fmt: skip
            value = np.int64(attenuation[raw[i, j]])
            value += (sharpening * (256 * value - smooth)) >> 16
            missing = rim * (np.float32(2) * radius - chord(radius, depth))
            value += int(np.floor(missing + half)) - full
            out[i, j] = window[min(max(value + zero, 0), window.size - 1)]
