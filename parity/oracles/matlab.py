"""MATLAB itself, by the golden files that matlab/export_goldens.m wrote where someone has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import checks
from ..checks import Golden
from ..compare import Difference
from ..store import Goldens, Vector, like
from ..suite import Finding, Row, measure, rows_of
from ..tolerances import Tolerance

HOW_TO = (
    "in MATLAB R2019a or later: cd parity/matlab, file = export_goldens(); then python -m parity --goldens FILE "
    "(the workflow matlab-parity does both on a public runner; not yet run by us)"
)
MASKS = ("activity_mask", "noticeable_artifacts_mask", "noise_mask")


def builtin_rows(vectors: Sequence[Vector], goldens: Goldens, known: Mapping[str, Tolerance]) -> list[Row]:
    """The toolboxes' own functions against ours."""
    findings = list(_findings({vector.id: vector for vector in vectors}, goldens, dict(known)))
    return rows_of(findings, f"{goldens.oracle}'s own functions", goldens.release, goldens.source)


def _findings(vectors: Mapping[str, Vector], goldens: Goldens, known: dict[str, Tolerance]) -> Iterator[Finding]:
    for id, results in goldens.builtin.items():
        for name in sorted(results):
            if name.startswith("error_"):
                stage = _STAGES.get(name.removeprefix("error_"), name)
                fault = f"{goldens.oracle} raised: {results[name]}"
                yield Finding(id, stage, name, "toolbox", Difference(np.inf), known.get(stage), fault)
        subject = vectors.get(id) or _of_its_own(id, results)
        if subject is None:
            fault = "is no vector of this repository; the file is of another version: export it again"
            yield Finding(id, "matlab.vector", "id", "NumPy", Difference(np.inf), None, fault)
            continue
        for stage, by, field, ours in _comparisons(subject, results):
            try:
                mine, theirs, unit = ours()
            except Exception as error:  # ours is on trial, and so is the file
                fault = f"ours raised {type(error).__name__}: {error}"
                yield Finding(id, stage, field, by, Difference(np.inf), known.get(stage), fault)
                continue
            yield measure(id, stage, field, by, mine, like(theirs, np.shape(mine)), unit, known)


def _of_its_own(id: str, results: Golden) -> Vector | None:
    """A vector whose image the file brings: lighthouse.png, and the shipped weights."""
    if "image" not in results:
        return None
    inputs = {"image": results["image"]}
    if "sha256" in results:
        inputs["sha256"] = results["sha256"]
    return Vector(id, "network" if "layers" in results else "piqe", "", "", inputs)


def _comparisons(vector: Vector, results: Golden) -> Iterator[tuple[str, str, str, Callable[[], tuple[Any, Any, Any]]]]:
    import piqe_np
    from fsrcnn_np import imresize
    from fsrcnn_np.images.colour import rgb2ycbcr_uint8
    from piqe_np import matlab

    image = vector.image
    if "im2double" in results:
        yield "matlab.im2double", "reference", "im2double", lambda: (matlab.im2double(image), results["im2double"], 1)
    if "rgb2gray" in results:
        yield "matlab.rgb2gray", "reference", "rgb2gray", lambda: (matlab.rgb2gray(image), results["rgb2gray"], 1)
    if "piqe" in results:
        score = np.float64(np.ravel(results["piqe"]["score"])[0])
        yield "matlab.piqe", "llvm", "score", lambda: (np.float64(piqe_np.piqe(image).score), score, 1)
        for mask in MASKS:

            def masked(mask: str = mask) -> tuple[Any, Any, Any]:
                return getattr(piqe_np.piqe(image), mask), results["piqe"][mask], 1

            yield "matlab.masks", "llvm", mask, masked
    if "imresize" in results:
        (check,) = checks.checks_of(vector)

        def resized() -> tuple[Any, Any, Any]:
            ours = imresize(image, checks.scale_of(vector), **checks.resize_options(vector))
            unit = check.answer({}).unit if image.dtype.kind == "f" else 0.0
            return ours, results["imresize"], unit

        yield "matlab.imresize", "NumPy", "imresize", resized
    if "rgb2ycbcr" in results:
        exact = checks.ycbcr_exact(image)
        yield "matlab.rgb2ycbcr", "NumPy", "rgb2ycbcr", lambda: (rgb2ycbcr_uint8(image), results["rgb2ycbcr"], exact)
    if "layers" in results:
        yield from _layers(vector, results["layers"])


def _layers(vector: Vector, layers: Golden) -> Iterator[tuple[str, str, str, Callable[[], tuple[Any, Any, Any]]]]:
    """Every layer from the image on, in float64, against single precision."""
    from dataclasses import replace

    import fsrcnn_np

    if "weights" in vector.inputs:
        model = checks.model_of(vector)
    else:
        model = replace(fsrcnn_np.load_weights("x2"), border="zero")
        wanted = str(vector.inputs["sha256"])
        shipped = fsrcnn_np.load_weights("x2").sha256
        if wanted != shipped:

            def stale() -> tuple[Any, Any, Any]:
                raise ValueError(f"the file is of weights {wanted[:12]}…, {shipped[:12]}… ships now: export it again")

            yield "matlab.layers", "reference", "sha256", stale
            return
    ours = checks.layers_of(vector.image, model)
    for name in layers:

        def layer(name: str = name) -> tuple[Any, Any, Any]:
            return ours[name], layers[name], max(1.0, float(np.abs(layers[name]).max()))

        yield "matlab.layers", "reference", name, layer


_STAGES = {name: f"matlab.{name}" for name in ("piqe", "rgb2gray", "im2double", "imresize", "rgb2ycbcr", "layers")}
