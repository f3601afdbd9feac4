"""MATLAB's bicubic imresize in plain loops over Python numbers; imports nothing of ours."""

import math


def keys(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def resize_line(line, scale, after=lambda value: value):
    """One line of samples → ceil(n·scale) samples; `after` is what the class does to each sum."""
    n = len(line)
    stretch = min(scale, 1.0)
    support = 4 / stretch
    out = []
    for i in range(1, math.ceil(n * scale) + 1):
        u = i / scale + (1 - 1 / scale) / 2
        first = math.floor(u - support / 2)
        taps = range(first, first + math.ceil(support) + 2)
        weights = [stretch * keys(stretch * (u - tap)) for tap in taps]
        total = sum(weights)
        out.append(after(sum(w / total * line[mirror(tap, n)] for w, tap in zip(weights, taps, strict=True))))
    return out


def mirror(index, n):
    """1-based index into … 2 1 | 1 2 … n | n n−1 … → 0-based."""
    while not 1 <= index <= n:
        index = 1 - index if index < 1 else 2 * n + 1 - index
    return index - 1


def resize(rows, scale, after=lambda value: value):
    """A list of rows → a list of rows, down the columns first."""
    columns = [resize_line([row[c] for row in rows], scale, after) for c in range(len(rows[0]))]
    return [resize_line([column[r] for column in columns], scale, after) for r in range(len(columns[0]))]


def to_class(low, high):
    """Round half away from zero, saturate."""

    def convert(value):
        rounded = math.floor(abs(value)) + (abs(value) - math.floor(abs(value)) >= 0.5)
        return min(max(math.copysign(rounded, value), low), high)

    return convert
