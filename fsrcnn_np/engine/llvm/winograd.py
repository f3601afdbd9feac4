"""Winograd's minimal filtering F(4, r) along the columns: r + 3 multiplications for 4 r.

Four rows of a layer's output need r + 3 rows of its input. With Lavin & Gray, "Fast algorithms for convolutional neural
networks", CVPR 2016, section 4, down each column of pixels

    y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]        d: r + 3 rows in, g: r kernel rows, y: 4 rows out

The ⊙ is, for each of r + 3 points, a correlation along the row over all channels, with as many products as one kernel
row has. The points are 0, pairs ±p and ∞, chosen so that A and B are exact in binary, and that of the sets that were
tried they round least (`python -m benchmarks.errors`); what B is to be divided by is put into G, in float64.

Row 0 of a result uses all of d but the last, the rows between all but the first and the last, row 3 all but the first:
the rows outside touch only results that depend on them. That, with r = 3, is why a part of an image, cut with its halo
at rows that are multiples of 4, has the same bits as the whole: see `groups.py` for where each layer's fours start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from piqe_np.llvm.assembler import Function, Value

from .groups import GROUP


@dataclass(frozen=True)
class Filtering:
    """F(4, r), with the points 0, ± each of `pairs`, ∞; every list of points is in that order."""

    pairs: tuple[float, ...]

    @property
    def points(self) -> int:
        """How many: r + 3."""
        return 2 * len(self.pairs) + 2

    @property
    def taps(self) -> int:
        """Kernel rows: r."""
        return self.points - GROUP + 1

    def filters(self, weight: np.ndarray) -> np.ndarray:
        """(out, in, r, columns) → G g (out, points, in, columns), computed in float64."""
        finite = [0.0, *(sign * p for p in self.pairs for sign in (1, -1))]
        rows = [p ** np.arange(self.taps) / np.prod([p - q for q in finite if q != p]) for p in finite]
        infinity = np.eye(self.taps)[-1]
        return np.einsum("pk,ockx->opcx", [*rows, infinity], weight.astype(np.float64))

    def spectrum(self, f: Function, d: list[Value]) -> list[Value]:
        """Bᵀ d: rows of a column of pixels → points, whose rows of Bᵀ are Π (x − q) over the other points q."""

        def polynomial(roots: list[float], rows: list[Value]) -> Value:  # Π (x² − root²), a row for each power of x²
            *factors, _ = np.poly([root * root for root in roots])[::-1]  # the last is 1
            total = rows[len(factors)]
            for factor, row in reversed(list(zip(factors, rows, strict=False))):
                total = f.fma(f.constant(row.kind, factor), row, total)
            return total

        found = [polynomial([*self.pairs], d[::2])]
        for p in self.pairs:  # x² Π (x² − …) ± p · x Π (x² − …)
            others = [q for q in self.pairs if q != p]
            even, odd = polynomial(others, d[2::2]), polynomial(others, d[1::2])
            found += [f.fma(f.constant(odd.kind, sign * p), odd, even) for sign in (1, -1)]
        return [*found, polynomial([*self.pairs], d[1::2])]

    def results(self, f: Function, points: list[Value], bias: Value) -> list[Value]:
        """bias + Aᵀ p: points → four rows; row i has the i-th powers of the points."""
        pairs = list(zip(points[1:-1:2], points[2:-1:2], strict=True))
        halves = [[a + b for a, b in pairs], [a - b for a, b in pairs]]
        rows = [points[0] + bias, bias, bias, points[-1] + bias]
        for i in range(GROUP):
            for p, half in zip(self.pairs, halves[i % 2], strict=True):
                rows[i] = f.fma(f.constant(half.kind, p**i), half, rows[i]) if p**i != 1 else rows[i] + half
        return rows


EXTRACTION = Filtering((2, 1, 1 / 2))  #: F(4, 5)
MAPPING = Filtering((3 / 4, 3 / 2))  #: F(4, 3)
