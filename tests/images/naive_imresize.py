"""MATLAB's imresize in plain loops over Python numbers; imports nothing of ours."""

import math


def keys(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def half_open_box(x):
    return 1.0 if -0.5 <= x < 0.5 else 0.0


def triangle(x):
    return max(1 - abs(x), 0.0)


def lanczos(x, lobes):
    if x == 0:
        return 1.0
    if abs(x) >= lobes:
        return 0.0
    return lobes * math.sin(math.pi * x) * math.sin(math.pi * x / lobes) / (math.pi * x) ** 2


#: kernel and the width of its support
METHODS = {
    "nearest": (half_open_box, 1),
    "box": (half_open_box, 1),
    "bilinear": (triangle, 2),
    "triangle": (triangle, 2),
    "bicubic": (keys, 4),
    "cubic": (keys, 4),
    "lanczos2": (lambda x: lanczos(x, 2), 4),
    "lanczos3": (lambda x: lanczos(x, 3), 6),
}


def resize_line(line, size, scale, after, kernel, width, antialiasing):
    """One line of samples → `size` samples; `after` is what the class does to each sum."""
    n = len(line)
    stretch = min(scale, 1.0) if antialiasing else 1.0
    support = width / stretch
    out = []
    for i in range(1, size + 1):
        u = i / scale + (1 - 1 / scale) / 2
        first = math.floor(u - support / 2)
        taps = range(first, first + math.ceil(support) + 2)
        weights = [stretch * kernel(stretch * (u - tap)) for tap in taps]
        total = sum(weights)
        out.append(after(sum(w / total * line[mirror(tap, n)] for w, tap in zip(weights, taps, strict=True))))
    return out


def mirror(index, n):
    """1-based index into … 2 1 | 1 2 … n | n n−1 … → 0-based."""
    while not 1 <= index <= n:
        index = 1 - index if index < 1 else 2 * n + 1 - index
    return index - 1


def resize(rows, scale, after=lambda value: value, method="bicubic", antialiasing=True):
    """A list of rows → a list of rows; `scale` is a number or (rows, columns). The smaller scale first."""
    if isinstance(scale, tuple):
        sizes, scales = scale, (scale[0] / len(rows), scale[1] / len(rows[0]))
    else:
        sizes, scales = (math.ceil(len(rows) * scale), math.ceil(len(rows[0]) * scale)), (scale, scale)
    options = (after, *METHODS[method], antialiasing)
    turned = scales[1] < scales[0]
    if turned:
        rows, sizes, scales = transposed(rows), sizes[::-1], scales[::-1]
    columns = [resize_line(column, sizes[0], scales[0], *options) for column in transposed(rows)]
    rows = [resize_line(row, sizes[1], scales[1], *options) for row in transposed(columns)]
    return transposed(rows) if turned else rows


def transposed(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def to_class(low, high):
    """Round half away from zero, saturate."""

    def convert(value):
        rounded = math.floor(abs(value)) + (abs(value) - math.floor(abs(value)) >= 0.5)
        return min(max(math.copysign(rounded, value), low), high)

    return convert
