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
def folded(u: Any, last: Any) -> Any:
    """A place on an endless line, on a strip from 0 to `last` folded to and fro."""
    u = u - np.floor(u / (last + last)) * (last + last)
    return min(u, (last + last) - u)


@kernel
def sample(grid: Any, u: Any, v: Any) -> Any:
    """Between the nodes of a grid, linearly; beyond its border its mirror image."""
    u, v = folded(u, np.float32(grid.shape[0] - 2)), folded(v, np.float32(grid.shape[1] - 2))
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
    hills: Any, bends: Any, lobules: Any, veil: Any, nets: Any, layers: Any, edge: Any, cosine: Any,
    wall: Any, f: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Rows first to last of the line integral ∫µ dl through skin, fat, gland, ligaments and muscle; see `anatomy`."""
    (pitch, radius, thin, origin_row, origin_column, disc_row, disc_column, disc_height, disc_width, bias, contrast,
     hilly, lobule, most, strands, dull, mu_fat, mu_gland, mu_skin, mu_muscle, cosine_wall) = f  # fmt: skip
    zero, one, two, three = np.float32(0), np.float32(1), np.float32(2), np.float32(3)
    for i in range(first, last):
        y = np.float32(i) * pitch
        areola = (y - origin_row) / np.float32(22)
        skin = thin * (one + max(one - areola * areola, zero))
        dy, ey = y - origin_row, (y - disc_row) / disc_height
        for j in range(out.shape[1]):
            depth = (edge[i] - np.float32(j)) * cosine[i] * pitch
            if depth <= zero:
                out[i, j] = zero
                continue
            x = np.float32(j) * pitch
            h, w = hills[i, j], veil[i, j]
            whole = chord(radius, depth)
            inner = chord(radius - skin, depth - skin)
            under, near = min(depth / np.float32(9), one), min(depth / three, one)
            # Ligaments and ducts: sheets seen edge on, where a smooth field is near zero.
            dx = origin_column - x
            along = np.sqrt(dx * dx + dy * dy)
            around = dy / (abs(dy) + dx)
            sheets, before = zero, zero
            for k in range(layers.shape[0]):
                wide, reach_u, reach_v, warp, rough, a11, a12, a21, a22, weight = layers[k]
                if a11 == zero and a12 == zero:
                    u, v = along * reach_u, (around + one) * reach_v
                else:
                    u, v = (y * a11 + x * a12) * reach_u, (y * a21 + x * a22) * reach_v
                shift = warp * bends[i, j] + rough * w
                n = sample(nets[k], u + shift, v + shift)
                distance = abs(n)
                if distance < wide:
                    height = one - distance / wide
                    sheets += weight * max(np.float32(0.5) + before, zero) * height * height
                before = n
            # Where gland is: a disc behind the nipple, its border hilly and along the sheets.
            ex = (x - disc_column) / disc_width
            disc = one - np.sqrt(ex * ex + ey * ey)
            g = min(max(bias + contrast * disc + hilly * h + np.float32(0.15) * sheets, zero), one)
            g = g * g * (three - two * g) * under * under
            # Lobules of fat in it.
            fatty = min(max(np.float32(0.5) + lobule * lobules[i, j] + np.float32(0.2) * w, zero), one)
            g = g * (np.float32(0.4) + np.float32(0.6) * fatty)
            lumps = max(one + np.float32(0.5) * w, zero)
            gland = inner * most * g * (one + np.float32(0.2) * h)
            gland += near * (np.float32(0.5) + g) * (strands * sheets * lumps + dull * (w + two))
            gland = min(max(gland, zero), inner)
            deep = max((wall[i] - np.float32(j)) * cosine_wall * pitch, zero)
            muscle = min(deep / three, one) * (np.float32(0.25) + np.float32(0.3) * min(deep / np.float32(45), one))
            muscle = muscle * inner * (one + np.float32(0.06) * w)
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
def arrivals(mean: Any, key: Any, first: int, last: int) -> None:
    """Quantum noise added in place, rows first to last: Poisson's, whose means here are so large that it is normal."""
    for i in range(first, last):
        for j in range(mean.shape[1]):
            q = mean[i, j]
            mean[i, j] = max(q + np.sqrt(q) * normal(key, i, j), np.float32(0))


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
    log: Any, edge: Any, cosine: Any, pitch: Any, radius: Any, rim: Any, full: Any, sharpening: Any, reach: int,
    window: Any, zero: int, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Rows first to last of the picture: the rim of `log` made even, sharpened by a triangle's mask, windowed."""
    rows, columns = log.shape
    half = np.float32(0.5)
    weight = (reach + 1) * (reach + 1) * (reach + 1) * (reach + 1)
    line = np.empty(columns + 2 * reach, np.int64)
    for i in range(first, last):
        line[:] = 0
        for k in range(-reach, reach + 1):
            row, tap = min(max(i + k, 0), rows - 1), reach + 1 - abs(k)
            for j in range(columns):
                line[j + reach] += tap * log[row, j]
        for k in range(reach):
            line[k], line[columns + reach + k] = line[reach], line[columns + reach - 1]
        for j in range(columns):
            depth = (edge[i] - np.float32(j)) * cosine[i] * pitch
            if depth <= np.float32(0):
                out[i, j] = 0
                continue
            smooth = (reach + 1) * line[j + reach]
            for k in range(1, reach + 1):
                smooth += (reach + 1 - k) * (line[j + reach - k] + line[j + reach + k])
            value = np.int64(log[i, j])
            value += (sharpening * (weight * value - smooth)) // (256 * weight)
            missing = rim * (np.float32(2) * radius - chord(radius, depth))
            value += int(np.floor(missing + half)) - full
            out[i, j] = window[min(max(value + zero, 0), window.size - 1)]


@kernel
def tubes(pieces: Any, top: int, left: int, path: Any) -> None:
    """The longest path of a ray through pieces of cones, in pixels; `path` begins at this row and column.

    A piece: rows and columns of its ends, and the radii there; its ends are round.
    """
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    rows, columns = path.shape
    for k in range(pieces.shape[0]):
        y0, x0, y1, x1, r0, r1 = pieces[k]
        dy, dx, widest = y1 - y0, x1 - x0, max(r0, r1) + one
        square = dy * dy + dx * dx
        for i in range(max(int(min(y0, y1) - widest) - top, 0), min(int(max(y0, y1) + widest) + 1 - top, rows)):
            y = np.float32(i + top) - y0
            for j in range(
                max(int(min(x0, x1) - widest) - left, 0), min(int(max(x0, x1) + widest) + 1 - left, columns)
            ):
                x = np.float32(j + left) - x0
                t = min(max((y * dy + x * dx) / square, zero), one)
                off_y, off_x, r = y - t * dy, x - t * dx, r0 + t * (r1 - r0)
                inside = r * r - (off_y * off_y + off_x * off_x)
                if inside > zero:
                    path[i, j] = max(path[i, j], two * np.sqrt(inside))


@kernel
def replace(path: Any, edge: Any, cosine: Any, pitch: Any, radius: Any, blood: Any, integral: Any) -> None:
    """Along `path` (pixels) the mean tissue of each ray is replaced by blood, which is never brighter than it."""
    zero = np.float32(0)
    for i in range(path.shape[0]):
        for j in range(path.shape[1]):
            if path[i, j] > zero:
                whole = chord(radius, (edge[i] - np.float32(j)) * cosine[i] * pitch)
                if whole > zero:
                    more = max(blood - integral[i, j] / whole, zero)
                    integral[i, j] += min(path[i, j] * pitch, whole) * more
