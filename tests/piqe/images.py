"""Images that the PIQE tests share: procedural, seeded, with decisions that fall both ways."""

import numpy as np

CLASSES = ("uint8", "uint16", "int16", "float32", "float64")


def picture(height: int, width: int, dtype: str = "uint8", rgb: bool = False, seed: int = 0) -> np.ndarray:
    """Patches, grain, a flat corner and a ramp; floats go beyond [0, 1]."""
    rng = np.random.default_rng([seed, height, width])
    size = (height // 9 + 2, width // 9 + 2, 3 if rgb else 1)
    image = rng.random(size).repeat(9, 0).repeat(9, 1)[:height, :width]
    image = image + rng.normal(0, 0.05, image.shape) * (rng.random((height, width, 1)) < 0.5)
    image[: height // 3, : width // 3] = 0.4
    image[-(height // 4) :] = np.linspace(0, 1, width)[:, None]
    image = image if rgb else image[..., 0]
    if dtype.startswith("float"):
        return (1.4 * image - 0.2).astype(dtype)
    limits = np.iinfo(dtype)
    return np.floor(limits.min + image.clip(0, 1) * (limits.max - limits.min)).astype(dtype)


def same_bits(result, other) -> bool:
    """Whether two results agree in every bit of the score and of every block's measurements."""
    parts = [(np.float64(result.score), np.float64(other.score)), *zip(result.blocks, other.blocks, strict=True)]
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in parts)
