"""The engines, "llvm" for every processor whose code this machine can run: one test body for all."""

import os
from dataclasses import replace

import numpy as np

import fsrcnn_np.engine.numba.planes
from fsrcnn_np.engine import strips
from fsrcnn_np.engine.llvm import target, tiles
from fsrcnn_np.images.value_range import ValueRange
from fsrcnn_np.network import reference

HOST = target.host()
PROCESSORS = {"host": HOST}
NAMED = target.VARIABLE in os.environ  # by tests/processors.sh, after a run with all of them
if not NAMED:
    PROCESSORS["no FMA"] = target.PLAIN
if not NAMED and HOST.lanes == 16:
    PROCESSORS["AVX2"] = replace(target.AVX2, cpu="x86-64-v3")
if not NAMED and HOST.fma:  # fewer lanes than the processor has, and as many registers as aarch64
    PROCESSORS["four lanes"] = replace(HOST, lanes=4)


def fast(make):
    """What makes an engine → (image, weights, …) → result, which was NaN before if it is float."""

    def run(image, weights, *, range=None, threads=1, size=None, band=None, out=None, progress=None):
        range_ = range or ValueRange(*weights.value_range, "model")
        dtype = np.dtype(np.float32) if range is None else image.dtype
        rows = band.last - band.first if band else image.shape[0]
        if out is None:
            shape = [*(n * weights.architecture.scale for n in (rows, image.shape[1])), *image.shape[2:]]
            out = np.full(shape, np.nan if dtype.kind == "f" else 77, dtype)
        engine = make(weights, range_, dtype)
        return strips.upscaled(engine, image, out, threads, band=band, size=size, progress=progress)

    return run


def slow(image, weights, *, range=None, **options):
    """The reference, with the same arguments but those of strips."""
    if range is None:
        return reference.forward(image, weights, out=options.get("out"))
    return reference.upscale_plane(image, weights, range, **options)


LLVM = {
    f"llvm, {name}": fast(lambda *given, processor=processor: tiles.Engine(*given, processor))
    for name, processor in PROCESSORS.items()
}
FAST = {"numba": fast(fsrcnn_np.engine.numba.planes.Engine), **LLVM}
ENGINES = {"reference": slow, **FAST}
