"""In which numbers a pass is computed, and how pixels become such numbers and again pixels.

The reference adds a tap's products to the sums, in double, one tap after the other. So does the machine code, without
fusing a product and a sum. Where every sum is a whole multiple of a power of two that float32 holds exactly, as with
the 128ths of bicubic ×2 and integers of 16 bits, float32 gives the same, in half the bytes, and fused or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from piqe_np.llvm.assembler import Function, Value

#: How NumPy's dtypes are stored, and how they become numbers to compute with, and again pixels.
STORED = {"uint8": "i8", "int8": "i8", "uint16": "i16", "int16": "i16", "float32": "float", "float64": "double"}
FLOATS = {"float": np.float32, "double": np.float64}
#: The largest number below one half: added, it takes halves to the next whole number, and nothing less.
BELOW_HALF = {"float": 0.5 - 2.0**-25, "double": 0.5 - 2.0**-54}
_MOST_SHIFT = 16


def arithmetic(dtype: np.dtype, weights: NDArray[np.float64]) -> str:
    """In which numbers a pass is computed: "float" where they are exact, else "double"."""
    return "float" if dtype.kind != "f" and _exact_in_float32(dtype, weights) else "double"


def _exact_in_float32(dtype: np.dtype, weights: NDArray[np.float64]) -> bool:
    """Whether every product and every sum of an integer class is, halves too."""
    scaled = weights * 2.0**_MOST_SHIFT
    whole = scaled.astype(np.int64)
    if (whole != scaled).any():
        return False
    digits = int(np.bitwise_or.reduce(whole, axis=None))
    unit = min(digits & -digits, 1 << _MOST_SHIFT)  # the power of two that all weights are multiples of
    limits = np.iinfo(dtype)
    most = max(-int(limits.min), int(limits.max)) * int(np.abs(whole).sum(axis=1).max())
    return (most + (1 << _MOST_SHIFT)) // unit <= 1 << 24


class Numbers:
    """Vectors of numbers to compute with.

    Parameters
    ----------
    f : Function
        That is being written.
    dtype : str
        Of the pixels.
    kind : {"float", "double"}
        Of the sums.
    lanes : int
        Numbers of a vector.
    limits : (Value, Value), optional
        Least and most of integer pixels, vectors of whole numbers; default the dtype's.
    """

    def __init__(self, f: Function, dtype: str, kind: str, lanes: int, limits: tuple[Value, Value] | None = None):
        self.f, self.dtype, self.kind, self.lanes, self.limits = f, dtype, kind, lanes, limits
        self.stored, self.vector = STORED[dtype], f"<{lanes} x {kind}>"
        self.whole = "i" in self.stored

    def of(self, pixels: Value) -> Value:
        """Pixels as numbers."""
        if self.whole:
            return self.f.cast("uitofp" if self.dtype.startswith("u") else "sitofp", pixels, self.vector)
        return pixels if self.stored == self.kind else self.f.cast("fpext", pixels, self.vector)

    def zero(self) -> Value:
        """What a sum begins with."""
        return self.f.constant(self.vector, 0.0)

    def added(self, total: Value, weight: Value, number: Value) -> Value:
        """Another product on top: rounded as the reference's, or exact."""
        if self.kind == "float":
            return self.f.fma(weight, number, total)
        return total + weight * number

    def pixels(self, total: Value) -> Value:
        """A sum in the pixels' class: floats are rounded, integers saturate and round half away from zero."""
        stored = f"<{self.lanes} x {self.stored}>"
        if not self.whole:
            return total if self.stored == self.kind else self.f.cast("fptrunc", total, stored)
        return self.f.cast("trunc", self.integers(total), stored)

    def beside(self, even: Value, odd: Value) -> Value:
        """The pixels of two sums, one of each after the other."""
        f, lanes = self.f, self.lanes
        if not self.whole:
            order = [lane // 2 + lanes * (lane % 2) for lane in range(2 * lanes)]
            return f.shuffle(self.pixels(even), self.pixels(odd), order)
        bits = int(self.stored[1:])
        low, high = self.integers(even), self.integers(odd)
        both = (low & f.constant(low.kind, 2**bits - 1)) | (high * f.constant(high.kind, 2**bits))  # little endian
        if bits < 16:
            both = f.cast("trunc", both, f"<{lanes} x i{2 * bits}>")
        return f.cast("bitcast", both, f"<{2 * lanes} x {self.stored}>")

    def integers(self, total: Value) -> Value:
        """As 32-bit integers."""
        f, limits = self.f, np.iinfo(self.dtype)
        least, most = self.limits or (f.constant(self.vector, limit) for limit in (limits.min, limits.max))
        half = f.constant(self.vector, BELOW_HALF[self.kind])
        total = f.smaller(f.larger(total, least), most)
        if limits.min < 0:
            half = f.intrinsic("copysign", half, total)
        return f.cast("fptosi", total + half, f"<{self.lanes} x i32>")


def transposed(f: Function, rows: list[Value]) -> list[Value]:
    """As many vectors as they have lanes, turned: lane i of vector j ↔ lane j of vector i."""
    count = len(rows)
    half = count // 2
    low = [lane // 2 + count * (lane % 2) for lane in range(count)]
    high = [lane + half for lane in low]
    for _ in range(count.bit_length() - 1):
        rows = [f.shuffle(rows[i], rows[i + half], order) for i in range(half) for order in (low, high)]
    return rows
