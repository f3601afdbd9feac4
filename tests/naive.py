"""The network once more, one output value at a time, importing nothing of the package: for small images only."""

import math


def pixel(image, y, x, border):
    """A value of a list of rows, with what the border mode says of places outside it."""
    height, width = len(image), len(image[0])
    if border == "replicate":
        return image[min(max(y, 0), height - 1)][min(max(x, 0), width - 1)]
    return image[y][x] if 0 <= y < height and 0 <= x < width else 0.0


def convolution(maps, weight, bias, slope, border):
    """maps [channel][row][column] → the same form; weight [out][in][ky][kx]."""
    height, width = len(maps[0]), len(maps[0][0])
    result = []
    for o, kernel in enumerate(weight):
        radius = len(kernel[0]) // 2
        a = slope[o] if len(slope) > 1 else slope[0]
        plane = []
        for y in range(height):
            row = []
            for x in range(width):
                terms = [
                    kernel[c][ky][kx] * pixel(maps[c], y + ky - radius, x + kx - radius, border)
                    for c in range(len(maps))
                    for ky in range(len(kernel[c]))
                    for kx in range(len(kernel[c][ky]))
                ]
                z = math.fsum(terms) + bias[o]
                row.append(z if z > 0 else a * z)
            plane.append(row)
        result.append(plane)
    return result


def deconvolution(maps, weight, bias, scale, offset, border, channel=0):
    """One channel: out[r][c] = bias + Σ features[i][j] · w[r + offset − scale·i][c + offset − scale·j]."""
    height, width = len(maps[0]), len(maps[0][0])
    ring = 1 if border == "replicate" else 0
    result = []
    for r in range(height * scale):
        row = []
        for c in range(width * scale):
            terms = []
            for i in range(-ring, height + ring):
                for j in range(-ring, width + ring):
                    ky, kx = r + offset - scale * i, c + offset - scale * j
                    if 0 <= ky <= 8 and 0 <= kx <= 8:
                        terms += [weight[f][channel][ky][kx] * pixel(maps[f], i, j, border) for f in range(len(maps))]
            row.append(math.fsum(terms) + bias[channel])
        result.append(row)
    return result


def forward(image, convolutions, last, scale, offset, border, mean=0.0):
    """image [row][column] → [row][column], `scale` times as high and wide, in Python's floats."""
    return forward_channels([image], convolutions, last, scale, offset, border, mean)[0]


def forward_channels(planes, convolutions, last, scale, offset, border, mean=0.0):
    """planes [channel][row][column] → the same form."""
    maps = [[[value - mean for value in row] for row in plane] for plane in planes]
    for weight, bias, slope in convolutions:
        maps = convolution(maps, weight, bias, slope, border)
    return [deconvolution(maps, *last, scale, offset, border, channel) for channel in range(len(planes))]
