"""Values in print: MATLAB's piqe scores, and the FSRCNN paper's tables.

The images and models are not the project's to give. They are looked for under a folder of the user's, by sha256, so
their names do not matter; models and sets whose hash is not known here are looked for by name, and the row says so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compare import Difference
from ..store import RUN_NOW
from ..suite import Finding, Row, measure, not_run, rows_of
from ..tolerances import Tolerance
from . import matlab

MATLAB = "MATLAB in print"
AUTHORS = "Dong, Loy, Tang 2016"
SUFFIXES = {".png", ".bmp", ".mat", ".tif", ".tiff"}
LARGEST = 4 << 20  # bytes; none of those wanted is larger

#: sha256 → what it is.
HASHES = {
    "c68d1bb98a0071fbe58af357afd38e76ef6184286f2f7571d27dcbd790c1ee5b": "lighthouse.png",
    "bb817e7fef614dcc12b3a99af33ce3d201bc4d56c4827254c0bcc4fa6ea11151": "TID2013 I03",
    "f3d685983aacd76b2c131579ea60cee345205a1169a4bd2ff5f3039ecf81729e": "TID2013 I04",
    "726e043e99d8e07235c2535107d4bb6fc85bad0cb3cc7d6ba3ecf3364ac97539": "TID2013 I06",
    "8ad39042d7e17d6c96ecfd8c4b9f0e98c803b303a92d368ef57bc9c3c40f5330": "TID2013 I08",
    "e0c6000652d270d1c39b7094761d01e14695fc5aa7cb76b945be6391327ee886": "TID2013 I19",
    "199806aa411249a8f179fe5598bed0766d92bf7fe5ff388522e4d8d997bd2fd4": "Set5 baby",
    "498f50e8907f2421969d893aff61ee1a7c4aae23cb76452728a90e97c2889fb3": "Set5 bird",
    "43534bd9f59f06ac7b0d6c8b991137baa4c764b8241a5bd1136b9dd810f4dba2": "Set5 butterfly",
    "959f9ac5ceacfd7648e7f0bfa6fbbd626b141d3e61e41dddd3e2593acfd3ac0b": "Set5 head",
    "2ab3c594c057d80c2f339c9be0bf6fb81487ce650562b60c2ad8cd816d509f56": "Set5 woman",
    "1d00d037c4eae56d898e1a1e62b736eb11bb2ec112b2fd29d7ead0bff5e4e8b5": "FSRCNN x2.mat",
}

#: Image → the score that MATLAB printed.
PIQE = {
    "lighthouse.png": "24.8481",
    "TID2013 I03": "100.00",
    "TID2013 I04": "21.62",
    "TID2013 I06": "35.86",
    "TID2013 I08": "41.15",
    "TID2013 I19": "76.95",
}
BLURRED = "85.7362"  # lighthouse.png after imgaussfilt(A, 2)
NOISY = "72.3643"  # lighthouse.png after imnoise(A, 'gaussian', 0, 0.05)


def find(images: Path | None) -> dict[str, Path]:
    """What is there of the images and models wanted, by its name above."""
    found: dict[str, Path] = {}
    if images is None or not images.is_dir():
        return found
    for folder, _, names in sorted(os.walk(images)):
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size <= LARGEST:
                known = HASHES.get(hashlib.sha256(path.read_bytes()).hexdigest())
                if known:
                    found.setdefault(known, path)
    return found


def half_digit(printed: str) -> float:
    """Half a unit of a printed number's last digit; a hair more, for its own binary form."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2]) * (1 + 1e-9)


def how_to(names: Sequence[str]) -> str:
    """How to run what was not run for want of files."""
    return f"give a folder that holds {', '.join(names)} (known by sha256, whatever the names): --images DIR"


def piqe_rows(images: Path | None, known: Mapping[str, Tolerance]) -> list[Row]:
    """Scores that MATLAB printed."""
    found = find(images)
    rows = []
    for names, release in (
        (["lighthouse.png"], "MathWorks' documentation"),
        ([name for name in PIQE if name.startswith("TID")], "IQA-PyTorch's calibration"),
    ):
        there = [name for name in names if name in found]
        findings = [_score(name, _pixels(found[name]), PIQE[name], known) for name in there]
        rows += rows_of(findings, MATLAB, release, RUN_NOW)
        if there != names:
            rows.append(not_run("printed.piqe", MATLAB, how_to([n for n in names if n not in found]), release))
    release = "MathWorks' documentation, after imgaussfilt(A, 2)"
    if "lighthouse.png" in found:
        blurred = imgaussfilt(_pixels(found["lighthouse.png"]), 2)
        rows += rows_of([_score("lighthouse.png blurred", blurred, BLURRED, known)], MATLAB, release, RUN_NOW)
    else:
        rows.append(not_run("printed.piqe", MATLAB, how_to(["lighthouse.png"]), release))
    rows.append(
        not_run(
            "printed.piqe",
            MATLAB,
            f"{NOISY} rests on MATLAB's own random numbers: {matlab.HOW_TO}",
            "MathWorks' documentation, after imnoise(A, 'gaussian', 0, 0.05)",
        )
    )
    return rows


def _score(name: str, image: np.ndarray, printed: str, known: Mapping[str, Tolerance]) -> Finding:
    import piqe_np

    try:
        score = piqe_np.piqe(image).score
    except Exception as error:  # ours is on trial
        fault = f"ours raised {type(error).__name__}: {error}"
        return Finding(name, "printed.piqe", "score", "numba", Difference(np.inf), known.get("printed.piqe"), fault)
    return measure(
        name, "printed.piqe", "score", "numba", np.float64(score), np.float64(printed), half_digit(printed), dict(known)
    )


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def imgaussfilt(image: np.ndarray, deviation: float) -> np.ndarray:
    """MATLAB's imgaussfilt of uint8: 2·ceil(2σ) + 1 taps, replicate, in double, rounded once."""
    from scipy.ndimage import correlate1d

    radius = int(np.ceil(2 * deviation))
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * deviation**2))
    taps /= taps.sum()
    blurred = correlate1d(correlate1d(image.astype(np.float64), taps, 0, mode="nearest"), taps, 1, mode="nearest")
    return np.clip(np.floor(blurred + 0.5), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Published:
    """A figure of Dong, Loy, Tang 2016, and what comes out here."""

    model: str
    images: str
    measure: str  #: "PSNR" or "SSIM"
    printed: str
    computed: float | None  #: None: not run
    how: str  #: how it was found, or how to run it
    fault: str = ""  #: why it could not be computed although all is at hand

    @property
    def agrees(self) -> bool:
        """Whether every printed digit is the same."""
        return self.computed is not None and abs(self.computed - float(self.printed)) <= half_digit(self.printed)


SET5 = ("Set5 baby", "Set5 bird", "Set5 butterfly", "Set5 head", "Set5 woman")

#: (set, scale) → what the authors print of FSRCNN, and of bicubic where that is known: PSNR and SSIM.
TABLES: dict[tuple[str, int], dict[str, dict[str, str]]] = {
    ("Set5", 2): {"FSRCNN": {"PSNR": "37.00", "SSIM": "0.9558"}, "bicubic": {"PSNR": "33.66", "SSIM": "0.9299"}},
    ("Set5", 3): {"FSRCNN": {"PSNR": "33.16"}},
    ("Set5", 4): {"FSRCNN": {"PSNR": "30.71"}},
    ("Set14", 2): {"FSRCNN": {"PSNR": "32.63"}},
    ("Set14", 3): {"FSRCNN": {"PSNR": "29.43"}},
    ("Set14", 4): {"FSRCNN": {"PSNR": "27.59"}},
}


def published(images: Path | None) -> Iterator[Published]:
    """Every figure of the authors' tables, computed where the images and the model are at hand."""
    found = find(images)
    for (name, scale), figures in TABLES.items():
        pictures, source = _set(name, images, found)
        model, by = found.get(f"FSRCNN x{scale}.mat"), "sha256"
        if model is None:
            model, by = _by_name(images, f"x{scale}.mat"), "name"
        parts = ((f"the {name} images", pictures), (f"the authors' x{scale}.mat", model))
        wanted = [what for what, there in parts if not there]
        measured: dict[tuple[str, str], float] = {}
        how, fault = f"give a folder that holds {' and '.join(wanted)}: --images DIR", ""
        if pictures and model:
            how = f"images known by {source}, model by {by}"
            try:
                measured = _evaluate(pictures, model, scale)
            except Exception as error:  # ours is on trial, and so is a model known by its name only
                fault = f"ours raised {type(error).__name__}: {error} ({how})"
        for method, figures_of in figures.items():
            for what, printed in figures_of.items():
                yield Published(method, f"{name} ×{scale}", what, printed, measured.get((method, what)), how, fault)


def published_rows(images: Path | None, known: Mapping[str, Tolerance]) -> list[Row]:
    """The same as rows of the suite."""
    rows = []
    for entry in published(images):
        stage, release = f"published.{entry.measure.lower()}", f"{entry.model}, {entry.images}"
        if entry.computed is not None:
            ours, printed = np.float64(entry.computed), np.float64(entry.printed)
            field = f"{entry.measure}, {entry.how}"
            finding = measure(release, stage, field, "numba", ours, printed, half_digit(entry.printed), dict(known))
        elif entry.fault:
            finding = Finding(release, stage, entry.measure, "numba", Difference(np.inf), known.get(stage), entry.fault)
        else:
            rows.append(not_run(stage, AUTHORS, entry.how, release))
            continue
        rows += rows_of([finding], AUTHORS, release, RUN_NOW)
    return rows


def _set(name: str, images: Path | None, found: Mapping[str, Path]) -> tuple[list[Path], str]:
    """The pictures of a test set: by sha256 where that is known, else a folder of that name."""
    if name == "Set5":
        return ([found[n] for n in SET5] if all(n in found for n in SET5) else []), "sha256"
    for folder in sorted(images.rglob("*")) if images is not None else []:
        if folder.is_dir() and folder.name.lower() == name.lower():
            pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".bmp", ".png"})
            if len(pictures) == 14:
                return pictures, "the folder's name"
    return [], ""


def _by_name(images: Path | None, name: str) -> Path | None:
    return next(iter(sorted(images.rglob(name))), None) if images is not None else None


def _evaluate(pictures: Sequence[Path], model: Path, scale: int) -> dict[tuple[str, str], float]:
    """Means by method and measure, by the authors' protocol."""
    import fsrcnn_np
    from fsrcnn_np.study.published import evaluate_published, mean_row

    weights = fsrcnn_np.load_weights(model, scale=scale)  # the file itself does not say
    found = mean_row(evaluate_published([_pixels(path) for path in pictures], weights))
    return {
        ("FSRCNN", "PSNR"): found.psnr,
        ("FSRCNN", "SSIM"): found.ssim,
        ("bicubic", "PSNR"): found.bicubic_psnr,
        ("bicubic", "SSIM"): found.bicubic_ssim,
    }
