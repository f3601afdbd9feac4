"""Make the vectors, and the goldens of the Octave that is installed: `python -m parity.generate`.

Every vector is drawn from a generator seeded with its own id, so that adding one changes no other. What is committed
is the output of this file; a test makes the vectors again (but for those that are searched for) and compares.

    python -m parity.generate          vectors, goldens, index
    python -m parity.generate --seal   only the index: after a tolerance was changed on purpose
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import store
from .store import Vector

SETTINGS = {"border": "replicate", "scale": 2.0, "offset": 4.0, "input_mean": 0.0}

#: Its vectors are found by a search that rests on generators whose streams NumPy does not promise.
SEARCHED = "piqe_decisions.mat"

Image = np.ndarray
Random = np.random.RandomState


def rng_of(id: str) -> Random:
    """A generator that depends on nothing but the id, of the kind whose stream NumPy has frozen for ever."""
    return Random([2022, 110433, zlib.crc32(id.encode())])


def texture(rng: Random, height: int, width: int, channels: int = 1) -> Image:
    """In [0, 1]: noise of two scales, a saturated, a black and a flat area, so that decisions fall both ways."""
    shape = (height, width, channels)
    coarse = rng.random((height // 6 + 2, width // 6 + 2, channels)).repeat(6, 0).repeat(6, 1)[:height, :width]
    image = 0.15 + 0.6 * coarse + 0.25 * rng.random(shape)
    image[: height // 3, : width // 4] = 1.0
    image[-(height // 4) :, -(width // 3) :] = 0.0
    image[height // 3 : height // 2, width // 2 :] = 0.4
    return image if channels == 3 else image[..., 0]


def quantised(image: Image, dtype: str, white: int | None = None) -> Image:
    """[0, 1] over the whole range of an integer class, or up to `white`."""
    limits = np.iinfo(dtype)
    top = limits.max if white is None else white
    bottom = limits.min if white is None else 0
    return np.clip(np.floor(bottom + image * (top - bottom) + 0.5), limits.min, limits.max).astype(dtype)


def vector(kind: str, name: str, exercises: str, bug: str, make: Callable[..., Any]) -> Vector:
    """A vector whose inputs are made by `make(rng)`: the image, or all fields."""
    id = f"{kind}-{name}"
    made = make(rng_of(id))
    return Vector(id, kind, exercises, bug, made if isinstance(made, dict) else {"image": made})


def piqe() -> Iterator[Vector]:
    """Every class, grey and RGB, sizes that pad, values beyond the range; mistakes as in `mistakes.piqe`."""
    pads = "padding symmetric; padding zero; padding by the remainder"
    for dtype in ("uint16", "int16"):
        yield vector(
            "piqe",
            f"grey-{dtype}-29x21",
            f"{dtype} over its whole range; pads 3 rows and 11 columns",
            pads,
            lambda rng, dtype=dtype: quantised(texture(rng, 29, 21), dtype),
        )
    yield vector(
        "piqe",
        "rgb-uint16-18x33",
        "uint16 RGB: grey formed and rounded in the class",
        "grey truncated; grey of 4 digits; BGR",
        lambda rng: quantised(texture(rng, 18, 33, 3), "uint16"),
    )
    for dtype in ("float32", "float64"):
        yield vector(
            "piqe",
            f"grey-{dtype}-beyond-32x32",
            f"{dtype} from −0.5 to 3: neither clipped nor rescaled",
            "levels clipped; divided by the maximum",
            lambda rng, dtype=dtype: (3.5 * texture(rng, 32, 32) - 0.5).astype(dtype),
        )
        yield vector(
            "piqe",
            f"rgb-{dtype}-17x31",
            f"{dtype} RGB in [0, 1]",
            "grey of 4 digits; BGR",
            lambda rng, dtype=dtype: texture(rng, 17, 31, 3).astype(dtype),
        )
    yield vector(
        "piqe",
        "ties-17x19",
        "doubles whose 255-fold is k + 0.5, down and up: 0.3 gives 77",
        "half to even",
        lambda rng: rng.choice(np.array([0.3, 0.1, 0.5, 0.7, 0.9, -0.3, -0.1]), (17, 19)),
    )
    yield vector(
        "piqe",
        "small-5x40",
        "fewer rows than a block and than the filter",
        pads,
        lambda rng: quantised(rng.random_sample((5, 40)), "uint8"),
    )
    yield vector(
        "piqe",
        "one-pixel",
        "1×1: no active block, exactly 100",
        "score without +1; masks outside active blocks",
        lambda rng: np.array([[200]], np.uint8),
    )
    yield vector(
        "piqe",
        "ramp-32x48",
        "a smooth ramp: no active block, exactly 100",
        "score without +1; masks outside active blocks",
        lambda rng: np.add.outer(np.arange(32), np.arange(48)).astype(np.uint8),
    )


def piqe_decisions() -> Iterator[Vector]:
    """The vectors that lie just on either side of every decision of PIQE."""
    from .piqe_vectors import made

    return (vector.stored() for vector in made())


def model(rng: Random, dsm: tuple[int, int, int], shared_slope: bool = False) -> dict[str, Any]:
    """Random weights, exact in float32; slopes from −0.5 to 1.5, as released ones are; activations near one."""
    d, s, m = dsm
    shapes = [(d, 1, 5, 5), (s, d, 1, 1), *[(s, s, 3, 3)] * m, (d, s, 1, 1)]
    weights = [rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:])) for shape in shapes]
    weights.append(rng.standard_normal((d, 1, 9, 9)) / np.sqrt(d * 81 / 4))
    biases = [0.3 * rng.standard_normal(shape[0]) for shape in shapes] + [rng.standard_normal(1)]
    slopes = [rng.uniform(-0.5, 1.5, 1 if shared_slope else shape[0]) for shape in shapes]
    return {
        "names": ["feature_extraction", "shrinking", *(f"mapping_{i + 1}" for i in range(m)), "expanding"],
        "weights": [w.astype(np.float32) for w in weights],
        "biases": [b.astype(np.float32) for b in biases],
        "slopes": [a.astype(np.float32) for a in slopes],
    }


def network() -> Iterator[Vector]:
    """Both borders, every scale, the released and the aligned deconvolution, sizes down to one pixel, integers out."""

    def make(rng: Random, dsm: Any, size: Any, shared: bool = False, **more: Any) -> dict[str, Any]:
        return {"image": rng.random(size), **SETTINGS, **model(rng, dsm, shared), **more}

    for border in ("zero", "replicate"):
        for scale in (2, 3, 4):
            yield vector(
                "network",
                f"{border}-x{scale}-7x9",
                f"FSRCNN(5,3,2) ×{scale}, {border} border, odd sizes",
                "the other border; kernels flipped; deconvolution flipped; deconvolution shifted; x and y exchanged",
                lambda rng, border=border, scale=scale: make(rng, (5, 3, 2), (7, 9), border=border, scale=float(scale)),
            )
        yield vector(
            "network",
            f"{border}-1x1",
            f"one pixel, {border} border",
            "the other border; bias forgotten",
            lambda rng, border=border: make(rng, (3, 2, 1), (1, 1), border=border),
        )
        yield vector(
            "network",
            f"{border}-56-12-4-6x7",
            f"FSRCNN(56,12,4) ×2 of the paper, {border} border",
            "the other border; channels in another order; slope on the wrong side",
            lambda rng, border=border: make(rng, (56, 12, 4), (6, 7), border=border),
        )
    yield vector(
        "network",
        "replicate-x3-aligned-5x4",
        "×3 cut from offset 3: the aligned form of the authors' x3",
        "the released offset for every model",
        lambda rng: make(rng, (4, 3, 1), (5, 4), scale=3.0, offset=3.0),
    )
    yield vector(
        "network",
        "zero-x4-offset6-4x3",
        "×4 cut from offset 6: the last row has no stamp",
        "the released offset for every model; the canvas repeated where it ends",
        lambda rng: make(rng, (4, 3, 1), (4, 3), border="zero", scale=4.0, offset=6.0),
    )
    yield vector(
        "network",
        "mean-shared-slope-6x8",
        "an input mean, and one slope a layer",
        "the mean not subtracted; the mean subtracted after padding",
        lambda rng: make(rng, (6, 4, 2), (6, 8), shared=True, border="zero", input_mean=0.375),
    )
    yield vector(
        "network",
        "wide-2x50",
        "two rows of fifty: wider than a register tile, lower than the filter",
        "the other border; the last columns left out",
        lambda rng: make(rng, (8, 5, 1), (2, 50)),
    )

    def picture(rng: Random, dtype: str) -> dict[str, Any]:
        pixels = quantised(texture(rng, 24, 21), dtype)
        image = pixels / float(np.iinfo(dtype).max)
        return {"image": image, "quantised": pixels, **SETTINGS, **bright(model(rng, (8, 4, 2)))}

    for dtype in ("uint8", "uint16"):
        yield vector(
            "network",
            f"{dtype}-24x21",
            f"{dtype} in and out: rounded half away from zero, saturated",
            "truncated; wrapped; 16 bits through 8" if dtype == "uint16" else "truncated; wrapped",
            partial(picture, dtype=dtype),
        )


def bright(model: dict[str, Any]) -> dict[str, Any]:
    """The model with an output that lies mostly within [0, 1] and goes beyond it here and there."""
    model["biases"][-1] = np.array([0.5], np.float32)
    return model


def upscale() -> Iterator[Vector]:
    """The main job from picture to picture: RGB, and 12 bits in 16."""

    def make(rng: Random, dtype: str, white: int, shape: tuple[int, ...]) -> dict[str, Any]:
        pixels = quantised(texture(rng, *shape), dtype, white)
        return {"image": pixels, "white": float(white), **SETTINGS, **bright(model(rng, (8, 4, 2)))}

    rgb = "BGR; luma of 16–235; chroma repeated; truncated; wrapped"
    yield vector(
        "upscale",
        "rgb-uint8-13x18",
        "RGB: luma by the network, chroma by bicubic",
        rgb,
        lambda rng: make(rng, "uint8", 255, (13, 18, 3)),
    )
    yield vector(
        "upscale",
        "rgb-uint16-11x12",
        "RGB of 16 bits",
        "16 bits through 8; BGR",
        lambda rng: make(rng, "uint16", 65535, (11, 12, 3)),
    )
    yield vector(
        "upscale",
        "grey-12-bits-17x16",
        "12 bits in uint16, with data_range 4095",
        "the class's range; truncated",
        lambda rng: make(rng, "uint16", 4095, (17, 16)),
    )


def of_model(name: str, weights: Any) -> Vector:
    """A trained model on a small picture. Not stored: it may be trained anew, or is not ours to give."""
    pixels = quantised(texture(rng_of("trained"), 20, 26), "uint8")
    arrays, layers = weights.arrays(), [*weights.architecture.layer_names, "deconvolution"]
    fields = {
        "image": pixels / 255.0,
        "quantised": pixels,
        "border": weights.border,
        "scale": float(weights.architecture.scale),
        "offset": float(weights.deconvolution_offset),
        "input_mean": weights.input_mean,
        "names": layers[:-1],
        "weights": [arrays[f"{layer}/weight"].astype(np.float32) for layer in layers],
        "biases": [arrays[f"{layer}/bias"].astype(np.float32) for layer in layers],
        "slopes": [arrays[f"{layer}/slope"].astype(np.float32) for layer in layers[:-1]],
    }
    return Vector(f"network-{name}", "network", f"the {name} model", "a model read wrongly", fields)


def trained(authors: Path | None = None) -> list[Vector]:
    """Every shipped model, and the FSRCNN authors' ×2 where it is at hand."""
    import fsrcnn_np
    from fsrcnn_np.convert import shipped

    found = [of_model(f"shipped-{name}", fsrcnn_np.load_weights(name)) for name in shipped()]
    return found + ([of_model("authors-x2", fsrcnn_np.load_weights(authors, scale=2))] if authors else [])


def imresize() -> Iterator[Vector]:
    """Up and down, dyadic and not, every class, one pixel wide, overshoot that saturates."""
    edges = "border zero; border replicate; border reflect"
    # fmt: off
    cases = [
        ("uint8-rgb-x2", "uint8", (9, 14, 3), 2.0, "chroma of the product", "linear; a = -0.75; corners aligned"),
        ("uint8-half", "uint8", (15, 22), 0.5, "antialiasing; sums at .5", "no antialiasing; half to even"),
        ("uint16-x3", "uint16", (7, 8), 3.0, "16 bits", "16 bits through 8"),
        ("int16-x2", "int16", (8, 7), 2.0, "signed: halves away from zero below zero", "truncated; half to even"),
        ("float64-x2", "float64", (11, 6), 2.0, "the border mirrored with its edge", edges),
        ("float64-third", "float64", (20, 19), 1 / 3, "output of ceil(n/3)", "size rounded down; no antialiasing"),
        ("float64-quarter", "float64", (21, 33), 0.25, "a support of 16 samples", "no antialiasing; linear"),
        ("float32-x4", "float32", (5, 6), 4.0, "single stays single, sums in double", "a = -0.75; border replicate"),
        ("float64-odd-scale", "float64", (13, 10), 1.37, "phases of no pattern", "size rounded down; corners aligned"),
        ("float64-row", "float64", (1, 9), 2.0, "one row: mirrored into itself", "border zero; a = -0.75"),
        ("uint8-saturating", "uint8", (12, 12), 2.0, "overshoot at both ends", "wrapped; rounded once"),
    ]
    # fmt: on
    coarse = {"uint8-half": 64, "int16-x2": 64, "uint8-saturating": 255}
    for name, dtype, size, scale, exercises, bug in cases:
        yield vector("imresize", name, exercises, bug, partial(resizable, dtype, size, scale, coarse.get(name)))


def imresize_methods() -> Iterator[Vector]:
    """MATLAB's other kernels, sizes in place of a scale, antialiasing by choice."""
    # fmt: off
    cases: list[tuple[str, str, tuple[int, int], Any, str, bool | None, str, str]] = [
        ("bilinear-x2", "float64", (9, 7), 2.0, "bilinear", None, "a support of 2", "bicubic; corners aligned"),
        ("bilinear-third", "float64", (20, 19), 1 / 3, "bilinear", None, "stretched by 3", "no antialiasing; bicubic"),
        ("box-x3", "uint8", (7, 8), 3.0, "box", None, "pixels repeated", "bicubic; corners aligned"),
        ("box-odd", "float64", (17, 13), 0.45, "box", None, "means of whole pixels", "no antialiasing; linear"),
        ("lanczos3-x2", "float64", (11, 12), 2.0, "lanczos3", None, "three lobes", "bicubic; border zero; linear"),
        ("lanczos3-half", "uint16", (20, 21), 0.5, "lanczos3", None, "a support of 12", "no antialiasing; truncated"),
        ("nearest-odd", "uint8", (9, 14), 1.7, "nearest", None, "one sample, ties upward", "linear; corners aligned"),
        ("nearest-down", "uint8", (19, 18), 0.4, "nearest", None, "not antialiased by default", "antialiased"),
        ("size", "float64", (12, 9), (7, 20), "bicubic", None, "two scales", "no antialiasing; a = -0.75"),
        ("size-order", "uint8", (16, 16), (32, 4), "bicubic", None, "the smaller scale first", "columns always first"),
        ("not-antialiased", "float64", (21, 16), 0.4, "bicubic", False, "the kernel as it is", "antialiased"),
    ]
    # fmt: on
    for name, dtype, size, scale, method, antialiasing, exercises, bug in cases:

        def made(
            rng: Random, dtype: str = dtype, size: tuple[int, int] = size, scale: Any = scale, method: str = method,
            antialiasing: bool | None = antialiasing,
        ) -> dict[str, Any]:  # fmt: skip
            fields = resizable(dtype, size, scale, None, rng) | {"method": method}
            if isinstance(scale, tuple):
                fields["scale"] = np.array(scale, np.float64)
            return fields if antialiasing is None else fields | {"antialiasing": float(antialiasing)}

        yield vector("imresize", name, exercises, bug, made)


def resizable(dtype: str, size: tuple[int, ...], scale: float, step: int | None, rng: Random) -> dict[str, Any]:
    """Noise over the whole range of a class, or multiples of `step` only, whose weighted sums often end in .5."""
    if dtype.startswith("f"):
        image = rng.random_sample(size).astype(dtype)
    elif step is None:
        image = quantised(rng.random_sample(size), dtype)
    else:
        limits = np.iinfo(dtype)
        image = (step * rng.randint(limits.min // step, limits.max // step + 1, size)).astype(dtype)
    return {"image": image, "scale": scale}


#: rgb2ycbcr's coefficients in thousandths, so that exact values can be had.
YCBCR = np.array([[65481, 128553, 24966], [-37797, -74203, 112000], [112000, -93786, -18214]])


def ycbcr_thousandths(rgb: Image) -> Image:
    """255,000 times the exact value, before the offsets of 16 and 128."""
    return rgb.astype(np.int64) @ YCBCR.T


def near_ties(rng: Random) -> Image:
    """RGB triples whose Y, Cb or Cr lies exactly at .5, and their neighbours on one side."""
    triples = rng.randint(0, 256, (3_000_000, 3))
    at_half = (np.abs(ycbcr_thousandths(triples) % 255_000 - 127_500) == 0).any(1)
    ties = triples[at_half][:32]
    return np.concatenate([ties, np.minimum(ties + np.array([0, 0, 1]), 255)]).astype(np.uint8)[:, None]


def colour() -> Iterator[Vector]:
    """The authors' 16–235 conversion and the paper's binning."""
    yield vector(
        "rgb2ycbcr",
        "corners",
        "black, white and the six colours of full saturation",
        "full range; BGR",
        lambda rng: (255 * np.array(np.meshgrid([0, 1], [0, 1], [0, 1]))).T.reshape(2, 4, 3).astype(np.uint8),
    )
    yield vector(
        "rgb2ycbcr",
        "random-20x20",
        "all levels",
        "truncated; coefficients of 1 digit; full range; BGR",
        lambda rng: rng.randint(0, 256, (20, 20, 3)).astype(np.uint8),
    )
    yield vector("rgb2ycbcr", "ties", "exact values at .5 and beside it", "truncated", near_ties)
    for name, dtype, size in [
        ("uint8-9x12", "uint8", (9, 12)),
        ("uint16-rgb-8x7", "uint16", (8, 7, 3)),
        ("int16-6x6", "int16", (6, 6)),
        ("float32-7x9", "float32", (7, 9)),
        ("float64-11x5", "float64", (11, 5)),
    ]:
        yield vector(
            "bin2x2",
            name,
            f"{dtype}, odd sizes dropped",
            "bicubic; wrapped sums; rounded to integers" if dtype[0] in "ui" else "bicubic; rounded to integers",
            lambda rng, dtype=dtype, size=size: (
                rng.random(size).astype(dtype) if dtype.startswith("f") else quantised(rng.random(size), dtype)
            ),
        )


#: File → its vectors.
FILES: dict[str, Callable[[], Iterator[Vector]]] = {
    "piqe.mat": piqe,
    SEARCHED: piqe_decisions,
    "network.mat": network,
    "upscale.mat": upscale,
    "imresize.mat": imresize,
    "imresize_methods.mat": imresize_methods,
    "colour.mat": colour,
}


def entry(vector: Vector, file: str) -> dict[str, str]:
    """A vector's line in the index."""
    return {
        "id": vector.id,
        "kind": vector.kind,
        "file": file,
        "exercises": vector.exercises,
        "bug": vector.bug,
        "sha256": store.digest(vector.inputs),
    }


def write_index(index: dict[str, Any], folder: Path) -> None:
    """Sorted by nothing but the order of making, one line a vector, so that a change reads well."""
    (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write(folder: Path) -> None:
    """Vectors, goldens by the Octave that is installed, and the index."""
    from .oracles import octave
    from .tolerances import seals

    index: dict[str, Any] = {"schema": store.SCHEMA, "vectors": [], "goldens": {}, "tolerances": seals()}
    for file, make in FILES.items():
        vectors = list(make())
        store.write_vectors(folder / file, vectors)
        index["vectors"] += [entry(v, file) for v in vectors]
    write_index(index, folder)
    vectors, faults = store.load_vectors(folder)
    if faults:
        raise SystemExit(f"vectors that do not read back: {faults}")
    for old in folder.glob("goldens_octave*.mat"):
        old.unlink()
    path = octave.export(vectors, folder)
    goldens = store.load_goldens(path)
    index["goldens"][path.name] = {
        "oracle": goldens.oracle,
        "release": goldens.release,
        "results": {
            id: {stage: store.digest(array) for stage, array in sorted(stages.items())}
            for id, stages in goldens.results.items()
        },
    }
    write_index(index, folder)


def main() -> None:
    """Write everything, or only the seals of the tolerances."""
    from .tolerances import seals

    parser = argparse.ArgumentParser(prog="python -m parity.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--seal", action="store_true", help="only take up the tolerances as they stand")
    seal = parser.parse_args().seal
    try:
        if seal:
            write_index(store.read_index() | {"tolerances": seals()}, store.FOLDER)
        else:
            write(store.FOLDER)
    except (OSError, ValueError, RuntimeError) as error:  # no Octave, an index that cannot be read, a full disk
        raise SystemExit(f"parity.generate: {error}") from None


if __name__ == "__main__":
    main()
