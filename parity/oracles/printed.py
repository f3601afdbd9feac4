"""What is in print: MATLAB's piqe scores, pictures and arrays that its imresize made, and the FSRCNN paper's tables.

The images and models are not the project's to give. They are looked for under a folder of the user's, by sha256, so
their names do not matter (two that lie about in several encodings by the sha256 of their pixels); models and sets whose
hash is not known here are looked for by name, and the row says so.
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
    "7e497501a28bcf9a353ccadf6eb9216bf098ac32888fb542fb9bfe71d486761f": "lena_512x512.png",
    "fc6a2e2a2613b405e2e184e57c5da3e9d6bb27fc3f1a03b6d26bc522d242ef4e": "lena_123x234_uint8.png",
    "d70c25361d93ce22df102d1e90be9b8bef4a897919374de66fd7a984259d8c05": "lena_123x234_double.png",
    "275a75fd08d0a7899cbdaa8820ff15869e33bc1d6d07dbc79133374683fe411c": "baboon.png",
    "35c828635b3a244a35eb9faa495ec0bb8f53c790ce00a64d18d94b05905957a0": "baboon_down_x2_matlab.png",
    "27a49182c4db6adf16d7a0ccac84f9cd703a1f062fc260bb30bb387edcb24f5e": "baboon_down_x3_matlab.png",
    "58fb860b6b6c61d1d44e35b58bf704d9ca34f598a3019bd177e1814350ba2b29": "baboon_up_x2_matlab.png",
    "00b39c4aad3be05bf74589940ef890b0b8b55c3e6d36be0933c8a129376dc55f": "baboon_up_x3_matlab.png",
    "3f243748d05587b5aff074cbbf6f09fd5655167131ec0d3b4137db04b22f4679": "down_down_aa.mat",
    "622c7f60e49d57f6cec0557ce11294db1473ef1434c78ccb8e75495ba4d3c3b1": "down_down_noaa.mat",
    "7facf9d255e42d1d1d54119c3f1445921731aca9b66b9656ebe1cb7bc3274684": "down_down_irregular_aa.mat",
    "7b8298f924e2e7feb21d26a77dc4191871782f19a14c40e50fc59e005fa11973": "down_down_irregular_noaa.mat",
    "40d9efc5ecfacbb753b2ec4a5736032f88e9aa1b2a809f668e73a8bdf061583b": "down_down_small_aa.mat",
    "641a84d69c604611bca8a75b842ce0b8f44c8f6248d8ff4d9d352458eaf29789": "down_down_small_noaa.mat",
    "cdc635c611ff22c42cef37e1968ee09ee6c0e9968e728580d11374f64a7991b3": "down_down_x2_aa.mat",
    "80f1aa6ac3f730226bedfe4a46afc56a5ad18757e84832d4b58e2c18f7d9aec3": "down_down_x3_aa.mat",
    "f10d1102df73e34152947cf749a7b01156798a8c840c0aa0dc04f3ec17558406": "down_down_x4_aa.mat",
    "8c7fa413e4e293695ab65847b9cdda1b71dcdfd9aa04317863bc9756b4c52f34": "down_down_x5_aa.mat",
    "789744f1d6141420e78c038db34db37228c80a191b2f70428d160bb5febf9c50": "up_up_irregular_aa.mat",
    "1e6c708cfaa55bddc9c429f4761364c40742ad3773ac7a8f2d169e338313190d": "up_up_irregular_noaa.mat",
}
#: sha256 of the pixels, uint8, row by row → what it is. All are 256×256 and grey.
PIXEL_HASHES = {
    "7e12901bff000a7fc1220c9667108353e9ef9a1b7bb406d34256016bfacb71d2": "cameraman",
    "42e82a53e53abf643913a153ad7389e091b4682533349d281334578bcfc2c135": "rice",
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
#: The same of piqe(im2double(im2gray(imread(f)))): grey and double.
PIQE_DOUBLE = {"cameraman": "31.29", "rice": "30.57"}
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
                known = HASHES.get(hashlib.sha256(path.read_bytes()).hexdigest()) or _by_pixels(path)
                if known:
                    found.setdefault(known, path)
    return found


def _by_pixels(path: Path) -> str | None:
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode == "L" and image.size == (256, 256):
                return PIXEL_HASHES.get(hashlib.sha256(np.asarray(image).tobytes()).hexdigest())
    except Exception:  # no picture: a model, or a file of the user's that is damaged
        pass
    return None


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
    there = [name for name in PIQE_DOUBLE if name in found]
    findings = [_score(name, _pixels(found[name]) / 255.0, PIQE_DOUBLE[name], known) for name in there]
    rows += rows_of(findings, MATLAB, "R2026b, grey as double", RUN_NOW)
    if len(there) < len(PIQE_DOUBLE):
        missing = [name for name in PIQE_DOUBLE if name not in found]
        rows.append(not_run("printed.piqe", MATLAB, how_to(missing), "R2026b, grey as double"))
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


@dataclass(frozen=True)
class Resized:
    """A picture or an array that MATLAB's imresize made."""

    source: str  #: a name of `HASHES`; or "N×N": the numbers from 0 on, row by row
    scale: float | tuple[int, int]
    antialiasing: bool = True
    double: bool = False  #: the picture was resized in double, and written by imwrite


#: What imresize made → of what, and how. Where it is from: github.com/fatheral/matlab_imresize (R2015b),
#: github.com/xinntao/matlab_functions_verification, github.com/sanghyun-son/bicubic_pytorch.
RESIZED = {
    "lena_123x234_uint8.png": Resized("lena_512x512.png", (123, 234)),
    "lena_123x234_double.png": Resized("lena_512x512.png", (123, 234), double=True),
    "baboon_down_x2_matlab.png": Resized("baboon.png", 1 / 2, double=True),
    "baboon_down_x3_matlab.png": Resized("baboon.png", 1 / 3, double=True),
    "baboon_up_x2_matlab.png": Resized("baboon.png", 2, double=True),
    "baboon_up_x3_matlab.png": Resized("baboon.png", 3, double=True),
    "down_down_aa.mat": Resized("8×8", (3, 4)),
    "down_down_noaa.mat": Resized("8×8", (3, 4), antialiasing=False),
    "down_down_irregular_aa.mat": Resized("8×8", (5, 7)),
    "down_down_irregular_noaa.mat": Resized("8×8", (5, 7), antialiasing=False),
    "down_down_small_aa.mat": Resized("4×4", (3, 3)),
    "down_down_small_noaa.mat": Resized("4×4", (3, 3), antialiasing=False),
    "down_down_x2_aa.mat": Resized("8×8", 1 / 2),
    "down_down_x3_aa.mat": Resized("15×15", 1 / 3),
    "down_down_x4_aa.mat": Resized("8×8", 1 / 4),
    "down_down_x5_aa.mat": Resized("15×15", 1 / 5),
    "up_up_irregular_aa.mat": Resized("8×8", (11, 13)),
    "up_up_irregular_noaa.mat": Resized("8×8", (11, 13), antialiasing=False),
}


def imresize_rows(images: Path | None, known: Mapping[str, Tolerance]) -> list[Row]:
    """Pictures and arrays that MATLAB's imresize made, made again."""
    found = find(images)
    rows = []
    for stage, release, suffix in (
        ("printed.imresize.pictures", "R2015b's and others' pictures", ".png"),
        ("printed.imresize.arrays", "double arrays", ".mat"),
    ):
        wanted = {name: how for name, how in RESIZED.items() if name.endswith(suffix)}
        there = {n: how for n, how in wanted.items() if n in found and ("×" in how.source or how.source in found)}
        findings = [_resized(stage, name, how, found, known) for name, how in there.items()]
        rows += rows_of(findings, MATLAB, release, RUN_NOW)
        if len(there) < len(wanted):
            needed = {name for n, how in wanted.items() if n not in there for name in (n, how.source)}
            missing = sorted(name for name in needed if "×" not in name and name not in found)
            rows.append(not_run(stage, MATLAB, how_to(missing), release))
    return rows


def _resized(stage: str, name: str, how: Resized, found: Mapping[str, Path], known: Mapping[str, Tolerance]) -> Finding:
    import scipy.io

    import fsrcnn_np

    try:
        theirs: np.ndarray
        if "×" in how.source:
            side = int(how.source.partition("×")[0])
            source = np.arange(float(side**2)).reshape(side, side)
            theirs = scipy.io.loadmat(found[name])[Path(name).stem]
        else:
            source, theirs = _pixels(found[how.source]), _pixels(found[name])
        ours = fsrcnn_np.imresize(source / 255 if how.double else source, how.scale, antialiasing=how.antialiasing)
        if how.double:  # imwrite
            ours = np.clip(np.floor(255 * ours + 0.5), 0, 255).astype(np.uint8)
    except Exception as error:  # ours is on trial
        fault = f"ours raised {type(error).__name__}: {error}"
        return Finding(name, stage, "resized", "NumPy", Difference(np.inf), known.get(stage), fault)
    return measure(name, stage, "resized", "NumPy", ours, theirs, 1.0, dict(known))


def _score(name: str, image: np.ndarray, printed: str, known: Mapping[str, Tolerance]) -> Finding:
    import piqe_np

    try:
        score = piqe_np.piqe(image).score
    except Exception as error:  # ours is on trial
        fault = f"ours raised {type(error).__name__}: {error}"
        return Finding(name, "printed.piqe", "score", "llvm", Difference(np.inf), known.get("printed.piqe"), fault)
    return measure(
        name, "printed.piqe", "score", "llvm", np.float64(score), np.float64(printed), half_digit(printed), dict(known)
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
            finding = measure(release, stage, field, "llvm", ours, printed, half_digit(entry.printed), dict(known))
        elif entry.fault:
            finding = Finding(release, stage, entry.measure, "llvm", Difference(np.inf), known.get(stage), entry.fault)
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
    from parity.published import evaluate_published, mean_row

    weights = fsrcnn_np.load_weights(model, scale=scale)  # the file itself does not say
    found = mean_row(evaluate_published([_pixels(path) for path in pictures], weights))
    return {
        ("FSRCNN", "PSNR"): found.psnr,
        ("FSRCNN", "SSIM"): found.ssim,
        ("bicubic", "PSNR"): found.bicubic_psnr,
        ("bicubic", "SSIM"): found.bicubic_ssim,
    }
