"""Random numbers that are the same everywhere: integers mixed by multiplication, no generator of a library.

Every draw is a function of a key and a counter (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3",
SC 2011); the mixing is SplitMix64's (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA
2014). NumPy promises the stream of its bit generators, not that of its distributions, so none of them is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TypeVar

T = TypeVar("T")

BITS = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    """64 bits to 64 bits, each of them dependent on all."""
    value &= BITS
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & BITS
    return value ^ (value >> 31)


class Dice:
    """A stream of draws for one purpose; `name` keeps purposes apart, so that one can change without the others."""

    def __init__(self, seed: int, name: str) -> None:
        self.key = mix(seed + GOLDEN)
        for letter in name.encode():
            self.key = mix(self.key * 31 + letter + GOLDEN)
        self._count = 0

    def bits(self) -> int:
        """The next 64 random bits, as a whole number."""
        self._count += 1
        return mix(self.key + self._count * GOLDEN)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """From low to high, in steps of 2⁻⁵³ of the span."""
        return low + (high - low) * ((self.bits() >> 11) / (1 << 53))

    def normal(self) -> float:
        """Mean 0, variance 1: the sum of twelve uniform numbers less six."""
        total = 0
        for _ in range(12):
            total += self.bits() >> 11
        return total / (1 << 53) - 6.0

    def whole(self, low: int, high: int) -> int:
        """From low to high, both included; the bias of the remainder is below 2⁻⁵⁰ for what is drawn here."""
        return low + self.bits() % (high - low + 1)

    def choice(self, values: Sequence[T]) -> T:
        """One of the values, each as likely as any other."""
        return values[self.whole(0, len(values) - 1)]

    def direction(self) -> tuple[float, float]:
        """A unit vector, every direction as likely as any other: a point of the disc, put on its edge."""
        while True:
            y, x = self.uniform(-1, 1), self.uniform(-1, 1)
            square = y * y + x * x
            if 0.01 < square < 1:
                length = sqrt(square)
                return y / length, x / length
