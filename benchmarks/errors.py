"""How far the fast engines are from the float64 reference, and what Winograd's points have to do with it.

python -m benchmarks.errors
python -m benchmarks.errors --weights x2 path/to/x2.mat --images photo.png
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np import Weights, files, load_weights
from fsrcnn_np.engine import ENGINES, engine_named
from fsrcnn_np.engine.llvm import tiles, toom
from fsrcnn_np.images.value_range import normalise
from fsrcnn_np.phantom import phantom
from fsrcnn_np.phantom.processing import WHITE
from fsrcnn_np.pipeline import model_name, picture_range

SIDE = 500
Plane = NDArray[np.float32]
#: The fast engine without `toom.order`.
UNORDERED = "llvm, maps in the model's order"
#: The finite points of F(4, 3), for mapping layers, and of F(4, 5), for feature extraction; infinity is the last.
POINTS = {
    "0, ±1, ±2": (0.0, 1.0, -1.0, 2.0, -2.0),
    "0, ±1/2, ±1": (0.0, 0.5, -0.5, 1.0, -1.0),
    "0, ±1, 2, −1/2": (0.0, 1.0, -1.0, 2.0, -0.5),
    "0, ±3/4, ±3/2": (0.0, 0.75, -0.75, 1.5, -1.5),
    "0, ±1/2, ±1, ±3/2": (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5),
    "0, ±3/8, ±1, ±9/4": (0.0, 0.375, -0.375, 1.0, -1.0, 2.25, -2.25),
    "0, ±5/8, ±1, ±7/4": (0.0, 0.625, -0.625, 1.0, -1.0, 1.75, -1.75),
    "0, ±1/2, ±1, ±2": (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.errors", description=__doc__.split("\n")[0])
    parser.add_argument("--weights", nargs="+", default=["x2"], metavar="NAME|FILE")
    parser.add_argument("--images", nargs="*", default=[], metavar="FILE", help="further pictures; of RGB the green")
    options = parser.parse_args(arguments)
    print(engines([load_weights(name) for name in options.weights], dict(pictures(options.images))), end="\n\n")
    print(points())
    return 0


def pictures(paths: Sequence[str | Path] = ()) -> Iterator[tuple[str, Plane]]:
    """500×500 pixels of each, in [0, 1]: of a file its middle."""
    rng = np.random.default_rng(0)
    yield "phantom", _middle(phantom().pixels / np.float32(WHITE))
    yield "uniform noise", rng.random((SIDE, SIDE), np.float32)
    yield "noise of 0 and 1", rng.integers(0, 2, (SIDE, SIDE)).astype(np.float32)
    for path in paths:
        picture = files.read(path)
        plane = picture.pixels if picture.pixels.ndim == 2 else picture.pixels[..., 1]
        yield Path(path).name, _middle(normalise(plane, picture_range(picture)))


def engines(models: Sequence[Weights], planes: dict[str, Plane]) -> str:
    """The greatest difference from the float64 reference, as a table."""
    lines = ["| | " + " | ".join(planes) + " |", "|---" * (len(planes) + 1) + "|"]
    for model in models:
        low, high = model.value_range
        inputs = [low + (high - low) * plane for plane in planes.values()]
        exact = [engine_named("reference").forward(x, model, dtype=np.float64) for x in inputs]
        for name in (*ENGINES, UNORDERED):
            with _unordered() if name == UNORDERED else nullcontext():
                found = [engine_named(name.split(",")[0]).forward(x, model, dtype=np.float32) for x in inputs]
            worst = [float(np.abs(a - b).max()) / (high - low) for a, b in zip(found, exact, strict=True)]
            lines.append(f"| {model_name(model)}: {name} | " + " | ".join(f"{w:.1e}" for w in worst) + " |")
    return "\n".join(lines)


@contextmanager
def _unordered() -> Iterator[None]:
    order = mock.patch.object(toom, "order", lambda model: np.arange(model.architecture.d))
    with order, mock.patch.object(tiles, "packed_weights", inspect.unwrap(tiles.packed_weights)):  # nothing kept
        yield


def points(columns: int = 20_000) -> str:
    """RMS and greatest error of a layer by F(4, 3) or F(4, 5), beside the direct form's, sums in float32: a table.

    For each kernel row there are as many products as in the network: of 12 channels and 3 columns, or 1 and 5.
    """
    rng = np.random.default_rng(1)
    lines = ["| points, and ∞ | RMS error, direct form = 1 | greatest error, direct form = 1 |", "|---|---|---|"]
    for taps, terms in ((3, 36), (5, 5)):
        rows = rng.standard_normal((taps + 3, terms, columns)).astype(np.float32)
        kernel = rng.standard_normal((taps, terms)).astype(np.float32)
        exact = np.stack([np.einsum("kc,kcx->x", kernel.astype(np.float64), rows[i : i + taps]) for i in range(4)])
        direct = [_sum(kernel.T.ravel(), rows[i : i + taps].swapaxes(0, 1).reshape(-1, columns)) for i in range(4)]
        base = _errors(np.stack(direct), exact)
        for name, finite in POINTS.items():
            if len(finite) != taps + 2:
                continue
            a, b, g = transforms(finite)
            filters = (g @ kernel.astype(np.float64)).astype(np.float32)
            spectrum = [_sum(row, rows.reshape(len(rows), -1)).reshape(terms, columns) for row in b.astype(np.float32)]
            products = np.stack([_sum(one, each) for one, each in zip(filters, spectrum, strict=True)])
            rms, worst = _errors(np.stack([_sum(row, products) for row in a.astype(np.float32)]), exact)
            lines.append(f"| F(4, {taps}): {name} | {rms / base[0]:.2f} | {worst / base[1]:.2f} |")
    return "\n".join(lines)


def transforms(finite: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Aᵀ, Bᵀ and G of F(4, r) for r + 2 finite points and infinity: y = Aᵀ[(G g) ⊙ (Bᵀ d)]."""
    count, taps = len(finite) + 1, len(finite) - 2
    a = np.array([[p**i for p in finite] + [float(i == 3)] for i in range(4)])
    b = np.zeros((count, count))
    g = np.zeros((count, taps))
    for i, p in enumerate(finite):
        others = [q for j, q in enumerate(finite) if j != i]
        b[i, :-1] = np.poly(others)[::-1]
        g[i] = p ** np.arange(taps) / np.prod([p - q for q in others])
    b[-1] = np.poly(finite)[::-1]
    g[-1, -1] = 1
    return a, b, g


def _sum(factors: Plane, terms: Plane) -> Plane:
    """Fused multiply-adds in float32, one after another."""
    total = np.zeros(terms.shape[1:], np.float32)
    for factor, term in zip(factors, terms, strict=True):
        if factor:
            total = (total.astype(np.float64) + factor.astype(np.float64) * term).astype(np.float32)
    return total


def _errors(found: NDArray[np.float32], exact: NDArray[np.float64]) -> tuple[float, float]:
    difference = found.astype(np.float64) - exact
    return float(np.sqrt(np.mean(difference**2))), float(np.abs(difference).max())


def _middle(plane: NDArray[np.floating]) -> Plane:
    top, left = (max(0, (n - SIDE) // 2) for n in plane.shape)
    return np.ascontiguousarray(plane[top : top + SIDE, left : left + SIDE], np.float32)


if __name__ == "__main__":
    sys.exit(main())
