"""Small images on either side of every decision of PIQE, each with the mistakes that it is there to catch.

Each is drawn from generators seeded with its id until it meets its condition: a variance just above 0.1, a flat
segment at the very end of one edge only. `python -m parity.generate` stores them with all other vectors; the pixels
are stored, since NumPy does not promise its generators' streams.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from parity.store import StoreError, Vector, load_vectors
from piqe_np import reference


@dataclass(frozen=True)
class PiqeVector:
    """An image, and why it is there: a `parity.store.Vector` of the kind "piqe".

    Attributes
    ----------
    id : str
        Without the kind.
    exercises : str
        What it goes through.
    catches : tuple of str
        Mistakes of `parity.mistakes.piqe` that change its levels, masks or score.
    image : ndarray
    data_range : float or None
    """

    id: str
    exercises: str
    catches: tuple[str, ...]
    image: np.ndarray
    data_range: float | None = None

    def stored(self) -> Vector:
        """In the form of all vectors."""
        inputs = {"image": self.image} | ({} if self.data_range is None else {"data_range": self.data_range})
        return Vector(f"piqe-{self.id}", "piqe", self.exercises, "; ".join(self.catches), inputs)


def load() -> list[PiqeVector]:
    """All PIQE vectors as committed: those made here, and those of `parity.generate`."""
    vectors, faults = load_vectors()
    if faults:
        raise StoreError(f"vector {faults[0][0]}: {faults[0][1]}")
    found = []
    for vector in vectors:
        if vector.kind == "piqe":
            high = vector.inputs.get("data_range")
            data_range = None if high is None else float(np.ravel(high)[0])
            catches = tuple(vector.bug.split("; "))
            id = vector.id.removeprefix("piqe-")
            found.append(PiqeVector(id, vector.exercises, catches, vector.image, data_range))
    return found


def seeds(id: str) -> Iterator[np.random.Generator]:
    for number in range(50_000):
        yield np.random.default_rng([zlib.crc32(id.encode()), number])


@dataclass
class Measured:
    """Of the only block of a 16 × 16 image: what its decisions rest on."""

    z: np.ndarray

    @property
    def variance(self) -> float:
        return float(self.z.var(ddof=1))

    def flatness(self, samples: int = 6) -> np.ndarray:
        """Standard deviations of the segments of the 4 edges."""
        edges = np.stack([self.z[0], self.z[-1], self.z[:, 0], self.z[:, -1]])
        return np.lib.stride_tricks.sliding_window_view(edges, samples, axis=1).std(axis=2, ddof=1)

    def noise_margin(self, centre: tuple[int, int] = (7, 8), without: tuple[int, int] = (7, 9), ddof: int = 1) -> float:
        """The block's deviation less 2 beta: noise if it is positive. Columns are counted from 0."""
        deviation, surround = self.z.std(ddof=1), np.delete(self.z, without, axis=1).std(ddof=ddof)
        ratio = self.z[:, centre].std(ddof=ddof) / surround if surround else 0.0
        return float(deviation - 2 * abs(deviation - ratio) / max(deviation, ratio, 1e-300))


def measured(image: np.ndarray) -> Measured:
    return Measured(reference.mscn(np.pad(reference.gray_levels(image), reference.MARGIN, mode="edge")))


def search(
    id: str, draw: Callable[[np.random.Generator], np.ndarray], wanted: Callable[[Measured], bool]
) -> np.ndarray:
    for rng in seeds(id):
        image = draw(rng)
        if wanted(measured(image)):
            return image
    raise RuntimeError(f"{id}: no image of this kind meets the condition")


def specks(rng: np.random.Generator) -> np.ndarray:
    """A level field with a few pixels one or two levels off."""
    return (100 + rng.integers(-2, 3, (16, 16)) * (rng.random((16, 16)) < rng.uniform(0.02, 0.3))).astype(np.uint8)


def grain(rng: np.random.Generator) -> np.ndarray:
    return np.clip(rng.normal(120, rng.uniform(1, 30), (16, 16)), 0, 255).astype(np.uint8)


def shore(rng: np.random.Generator) -> np.ndarray:
    """Grain below one level row, to which the filter carries some of it."""
    image = grain(rng)
    image[0] = 120
    return image


def stripes(rng: np.random.Generator) -> np.ndarray:
    """Grain with columns of their own level and contrast, so that centre and surround differ."""
    contrast = rng.uniform(0, 30, (1, 16))
    return np.clip(rng.normal(rng.uniform(60, 190, (1, 16)), contrast, (16, 16)), 0, 255).astype(np.uint8)


def patched(side: str, at_end: bool) -> Callable[[np.random.Generator], np.ndarray]:
    """Grain with a narrow level patch at one end of one side."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        image = grain(rng)
        depth, length = rng.integers(2, 4), rng.integers(6, 9)
        image[:depth, -length:] = 120
        image = image if at_end else image[:, ::-1]
        return {"top": image, "bottom": image[::-1], "left": image.T, "right": image.T[:, ::-1]}[side].copy()

    return draw


def only_segment(side: str, place: int) -> Callable[[Measured], bool]:
    """Exactly one flat segment in the whole block: the one at `place` of one side."""
    row = ("top", "bottom", "left", "right").index(side)

    def wanted(m: Measured) -> bool:
        flat = m.flatness() < 0.1
        return bool(m.variance > 0.15 and flat[row, place] and flat.sum() == 1)

    return wanted


def scene(id: str, height: int, width: int, channels: int = 1) -> np.ndarray:
    """0…255: coarse patches, grain, flat and saturated areas, so that decisions fall both ways."""
    rng = next(seeds(id))
    size = (height // 7 + 2, width // 7 + 2, channels)
    image = rng.integers(20, 200, size).repeat(7, 0).repeat(7, 1)[:height, :width]
    values = image + rng.normal(0, 12, image.shape) * (rng.random((height, width, 1)) < 0.6)
    values[: height // 3, : width // 3] = 40
    pixels = np.clip(np.floor(values + 0.5), 0, 230).astype(np.uint8)
    return pixels if channels == 3 else pixels[..., 0]


def made() -> Iterator[PiqeVector]:
    """All vectors, found again."""

    def block(id, exercises, catches, draw, wanted):  # type: ignore[no-untyped-def]
        return PiqeVector(id, exercises, catches, search(id, draw, wanted))

    def flattest(m: Measured, low: float, high: float) -> bool:
        return m.variance > 0.15 and low < m.flatness().min() < high

    def turns(m: Measured, **otherwise: object) -> bool:
        margins = m.noise_margin(), m.noise_margin(**otherwise)  # type: ignore[arg-type]
        return m.variance > 0.15 and min(margins) < -1e-6 and max(margins) > 1e-6

    yield block("variance-just-above", "variance of the only block from 0.1 to 0.1001: active",
                ("activity threshold 0.1001", "block variance with N"),
                specks, lambda m: 0.1 + 1e-8 < m.variance < 0.10009)  # fmt: skip
    yield block("variance-just-below", "variance of the only block from 0.0999 to 0.1: not active",
                ("activity threshold 0.0999",), specks, lambda m: 0.09991 < m.variance < 0.1 - 1e-8)  # fmt: skip
    yield block("segment-just-below", "the flattest segment's deviation from 0.0999 to 0.1: impaired",
                ("flatness threshold 0.0999",), shore, lambda m: flattest(m, 0.09991, 0.1 - 1e-8))  # fmt: skip
    yield block("segment-just-above", "the flattest segment's deviation from 0.1 to 0.1001: not impaired",
                ("flatness threshold 0.1001", "segment deviation with N"),
                shore, lambda m: flattest(m, 0.1 + 1e-8, 0.10009))  # fmt: skip
    yield block("noise-just-inside", "the block's deviation up to 0.0004 above 2 beta: noisy", ("noise factor 2.001",),
                stripes, lambda m: m.variance > 0.15 and 1e-8 < m.noise_margin() < 4e-4)  # fmt: skip
    yield block("noise-just-outside", "the block's deviation up to 0.0004 below 2 beta: not noisy",
                ("noise factor 1.999",),
                stripes, lambda m: m.variance > 0.15 and -4e-4 < m.noise_margin() < -1e-8)  # fmt: skip
    for side in ("top", "bottom", "left", "right"):
        yield block(f"last-segment-{side}", f"the only flat segment is the 11th of the {side} edge",
                    ("10 segments", f"3 edges, without {side}"),
                    patched(side, at_end=True), only_segment(side, 10))  # fmt: skip
        yield block(f"first-segment-{side}", f"the only flat segment is the first of the {side} edge",
                    (f"3 edges, without {side}",),
                    patched(side, at_end=False), only_segment(side, 0))  # fmt: skip
    yield block("no-flat-six", "five samples in a row are flat, six never are: not impaired", ("segments of 5",),
                shore, lambda m: flattest(m, 0.101, 1) and m.flatness(5).min() < 0.099)  # fmt: skip
    yield block("flat-six", "six samples in a row are flat, seven never are: impaired", ("segments of 7",),
                shore, lambda m: flattest(m, 0, 0.099) and m.flatness(7).min() > 0.101)  # fmt: skip
    yield block("noise-centre", "whether the block is noisy turns on the columns of the centre",
                ("centre columns 7 and 8",), stripes, lambda m: turns(m, centre=(6, 7)))  # fmt: skip
    yield block("noise-surround", "whether the block is noisy turns on column 9, which is centre and surround",
                ("surround without 8 and 9",), stripes, lambda m: turns(m, without=(7, 8)))  # fmt: skip
    yield block("noise-divisor", "whether the block is noisy turns on the divisor N − 1 of centre and surround",
                ("noise deviations with N",), stripes, lambda m: turns(m, ddof=0))  # fmt: skip
    yield from whole_images()


def whole_images() -> Iterator[PiqeVector]:
    grey, colour = scene("grey", 48, 48), scene("colour", 32, 48, 3)
    border = ("border zero", "border reflect", "border symmetric")
    yield PiqeVector("grey-48x48", "uint8, whole blocks",
                     (*border, "sigma 1.5", "filter in float32", "score without +1", "divided by the maximum"),
                     grey)  # fmt: skip
    pads = ("padding symmetric", "padding by the remainder", "padding zero")
    for height, width in ((45, 37), (33, 47), (16, 17), (7, 5)):
        yield PiqeVector(f"grey-{height}x{width}", f"pads {-height % 16} rows and {-width % 16} columns",
                         pads[: 2 if height < 16 else 3], scene(f"pad{height}", height, width))  # fmt: skip
    greys = ("grey truncated", "grey of 4 digits", "grey of 3 digits", "grey of OpenCV", "BGR")
    yield PiqeVector("colour-32x48", "RGB uint8: grey rounded to whole numbers", greys, colour)
    yield PiqeVector("colour-ties", "RGB uint8: the triples whose grey comes closest to one half",
                     (*greys, "grey of 6 digits"), ties())  # fmt: skip
    # Without data_range the levels' own rounding hides whether grey was rounded, and int16 widened, before.
    yield PiqeVector("colour-twelve-bits", "RGB of 12 bits in uint16, with data_range 4095", ("grey unrounded",),
                     colour.astype(np.uint16) * 16 + scene("fine", 32, 48, 3) % 16, 4095.0)  # fmt: skip
    wide = colour.astype(np.int32) * 257 - 32768 + scene("fine", 32, 48, 3)
    yield PiqeVector("colour-int16", "RGB int16 over its whole range", ("BGR", "grey of 3 digits"),
                     wide.astype(np.int16))  # fmt: skip
    yield PiqeVector("float-halves", "float64 whose levels lie exactly between two whole numbers",
                     ("half to even",), (np.floor(grey / 2) * 2 + 0.5) / 255)  # fmt: skip
    yield PiqeVector("float-beyond", "float64 from −0.4 to 1.9: neither clipped nor rescaled",
                     ("levels clipped", "divided by the maximum"), grey / 100.0 - 0.4)  # fmt: skip
    yield PiqeVector("twelve-bits", "12 bits in uint16, with data_range 4095", ("divided by the maximum",),
                     grey.astype(np.uint16) * 16 + 3, 4095.0)  # fmt: skip
    quiet = np.full((32, 32), 90, np.uint8)
    quiet[:16, :16] = scene("corner", 16, 16)
    yield PiqeVector("quiet-blocks", "blocks that are not active have no artifact and no noise",
                     ("masks outside active blocks",), quiet)  # fmt: skip


def ties() -> np.ndarray:
    """The uint8 triples next to a tie among those that the rounder coefficients decide otherwise."""
    rng = next(seeds("ties"))
    triples = rng.integers(0, 256, (4_000_000, 3)).astype(np.uint8)
    grey = triples @ np.array([0.29893602129377539, 0.58704307445112125, 0.11402090425510336])
    nearest = np.argsort(np.abs(grey - np.floor(grey) - 0.5), kind="stable")[:1024]
    return triples[nearest].reshape(32, 32, 3)
