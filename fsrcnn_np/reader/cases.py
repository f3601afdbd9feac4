"""What is compared: the images of a study's results with their SR, or the files of two folders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FsrcnnError, ImageError, NotThereError, OptionError, part_of_the_call
from ..files import Frame, Picture, find_inputs, read
from ..files.target import split
from ..images.value_range import check_within
from ..network.weights import Weights
from ..pipeline import picture_range, upscale_frame
from ..study.records import Study
from ..study.store import read_study
from .display import Display, display_of, sixteen_bits

Range = tuple[float, float]


class Side(NamedTuple):
    """One image of a case, ready to be cut into tiles."""

    pixels: NDArray[Any]  #: H×W, uint16 or int16
    spacing: tuple[float, float]
    display: Display


class Pair(NamedTuple):
    """A case, read: the first image given, and the second."""

    first: Side
    second: Side
    unit: str  #: of the spacings: "mm", or "px"
    notes: tuple[str, ...]  #: for the reader; the same whichever side is which


@dataclass(frozen=True)
class Case:
    """What a reader compares.

    Attributes
    ----------
    name : str
        As ratings are recorded: of a study the image's path there.
    patient : str
        Whose it is; may be empty.
    paths : tuple of str
        The files that decide what is shown.
    settings : str
        What else decides it.
    load : callable
        Reads both images; raises an FsrcnnError with one line where that cannot be.
    """

    name: str
    patient: str
    paths: tuple[str, ...]
    settings: str
    load: Callable[[], Pair]

    def stamp(self) -> str:
        """How the files look now: while it stays, tiles that were made are right."""
        found = [self.settings]
        for path in self.paths:
            try:
                status = os.stat(split(path).path)
                found.append(f"{status.st_size} {status.st_mtime_ns}")
            except OSError:
                found.append("missing")
        return ", ".join(found)

    def missing(self) -> bool:
        """Whether one of its files is gone."""
        return not all(os.path.exists(split(path).path) for path in self.paths)


@dataclass(frozen=True)
class Comparison:
    """All that readers compare.

    Attributes
    ----------
    sides : (str, str)
        What the first and the second image of every case are, for the study's owner.
    cases : tuple of Case
    left_out : tuple of str
        A line each of what was given and is not shown.
    """

    sides: tuple[str, str]
    cases: tuple[Case, ...]
    left_out: tuple[str, ...] = ()


def from_results(
    results: Path, *, weights: str | None = None, images: str | None = None, threads: int | None = None
) -> Comparison:
    """Originals and SR of a study that `fsrcnn-np study run` made.

    Parameters
    ----------
    results : path
    weights : str, optional
        The model, where SR images were not saved and the study's is none that ships.
    images : str, optional
        Where the cohort's images lie now.
    threads : int, optional
        Of SR that is computed again.

    Raises
    ------
    FileError, FormatError
        There is no study, or it cannot be read.
    """
    study = read_study(results)
    folder = str(Path(images).resolve()) if images else study.folder
    model, trouble = _model(study, weights)
    cases, without = [], 0
    for case in study.cases:
        path = case.path if os.path.isabs(case.path) else os.path.join(folder, case.path)
        saved = str(results / case.sr) if case.sr and (results / case.sr).is_file() else None
        if saved is None and model is None:
            without += 1
            continue
        bounds = case.data_range
        cases.append(
            Case(
                case.path, case.patient, (path, saved) if saved else (path,),
                f"range {bounds}, model {study.about.sha256}", _Study(path, saved, model, bounds, threads),
            )
        )  # fmt: skip
    left_out = [f"{one}" for one in study.left_out]
    if without:
        left_out.append(f"{without} images have no SR: none was saved (study run --save-sr), and {trouble}")
    return Comparison(("original", "SR"), tuple(cases), tuple(left_out))


def from_folders(
    first: Path, second: Path, *, data_range: float | Range | None = None, without: Path | None = None
) -> Comparison:
    """Files of two folders that have the same path below them, whatever their suffixes; `without` is no part of them.

    Raises
    ------
    OptionError
        One is no folder, or no two files go together.
    """
    found: list[dict[str, str]] = []
    left_out: list[str] = []
    for folder in (first, second):
        if not folder.is_dir():
            raise OptionError(f"{folder}: is no folder; give one with the images of one side")
        inputs = find_inputs([folder], without=without)
        left_out += [item.error for item in inputs if item.error]
        found.append({item.stem: item.path for item in inputs if not item.error})
    for folder, own, other in ((first, found[0], found[1]), (second, found[1], found[0])):
        left_out += [f"{own[stem]}: has no partner of its name on the other side" for stem in own if stem not in other]
        if not own.keys() & other.keys():
            raise OptionError(f"{folder}: no file has the name of one on the other side; suffixes may differ")
    cases = [
        Case(stem, "", (path, found[1][stem]), f"range {data_range}", _Folders(path, found[1][stem], data_range))
        for stem, path in found[0].items()
        if stem in found[1]
    ]
    return Comparison((str(first), str(second)), tuple(cases), tuple(left_out))


def _model(study: Study, weights: str | None) -> tuple[Weights | None, str]:
    """The study's model, or why there is none."""
    from ..convert import load_weights, shipped

    if weights is not None:
        with part_of_the_call():
            model = load_weights(weights)
        if model.sha256 != study.about.sha256:
            raise OptionError(
                f"{weights}: has sha256 {model.sha256[:12]}, and the study's model {study.about.sha256[:12]}; "
                "give the model that the study was made with"
            )
        return model, ""
    for path in shipped().values():
        model = load_weights(path)
        if model.sha256 == study.about.sha256:
            return model, ""
    return None, f"the study's model {study.about.model} is none that ships; give it: --weights FILE"


@dataclass(frozen=True)
class _Study:
    """An original, and its SR as it was saved, or computed again."""

    path: str
    saved: str | None
    model: Weights | None
    bounds: Range | None
    threads: int | None

    def __call__(self) -> Pair:
        picture = _picture(self.path)
        bounds = picture_range(picture, self.bounds)
        check_within(picture.pixels, bounds)
        if self.saved:
            large = sixteen_bits(_picture(self.saved).pixels)
        elif self.model is not None:
            large = upscale_frame(Frame(picture.pixels, picture.padding), bounds, self.model, threads=self.threads)
        else:
            raise ImageError("has no SR; give its model: --weights FILE")
        return _pair(
            _Read(sixteen_bits(picture.pixels), picture.pixel_spacing, display_of(picture, bounds)),
            _Read(sixteen_bits(large), None, None),
        )


@dataclass(frozen=True)
class _Folders:
    """Two files."""

    first: str
    second: str
    data_range: float | Range | None

    def __call__(self) -> Pair:
        return _pair(*(self._read(path) for path in (self.first, self.second)))

    def _read(self, path: str) -> _Read:
        picture = _picture(path)
        bounds = picture_range(picture, self.data_range)
        check_within(picture.pixels, bounds)
        return _Read(sixteen_bits(picture.pixels), picture.pixel_spacing, display_of(picture, bounds))


class _Read(NamedTuple):
    """An image, and what its own file says."""

    pixels: NDArray[Any]
    spacing: tuple[float, float] | None
    display: Display | None  #: None: as the other's


def _picture(path: str) -> Picture:
    if not os.path.exists(split(path).path):
        raise NotThereError("misses a file that is gone; put it back")
    picture = read(path)
    sixteen_bits(picture.pixels[:1])  # refuses colour and floats
    return picture


def _pair(first: _Read, second: _Read) -> Pair:
    """Both on one physical scale; what is not declared is taken from the other, over the same extent."""
    notes: list[str] = []
    one, other = first.spacing, second.spacing
    unit = "mm"
    if one is None and other is None:
        unit = "px"
        coarse, fine = sorted((first, second), key=lambda side: side.pixels.size)
        notes.append("pixel spacing is not known: both have the same extent, lengths are in pixels of the coarser one")
        apart = _over_same_extent((1.0, 1.0), coarse, fine)
        one, other = ((1.0, 1.0), apart) if coarse is first else (apart, (1.0, 1.0))
    elif one is None:
        assert other is not None
        one = _over_same_extent(other, second, first)
    elif other is None:
        other = _over_same_extent(one, first, second)
    assert one is not None
    assert other is not None
    (h, w), (height, width) = _extent(first, one), _extent(second, other)
    if abs(h - height) > max(one[0], other[0]) or abs(w - width) > max(one[1], other[1]):
        notes.append("the two images do not cover the same area: their upper left corners are put together")
    elif not np.isclose(one[0] / one[1], other[0] / other[1], rtol=0.01):
        notes.append("the two matrices have different proportions: both are shown over the same area")
    displays = [side.display for side in (first, second)]
    shown = [display or next(d for d in displays if d) for display in displays]
    for display in shown:
        notes += [note for note in display.notes if note not in notes]
    if shown[0].inverted != shown[1].inverted or shown[0].bits != shown[1].bits:
        notes.append("the two files differ in bit depth or polarity: each is shown by its own window")
    elif shown[0] is not shown[1] and shown[0].range == shown[1].range and _units(shown[0]) == _units(shown[1]):
        shown[1] = replace(shown[1], presets=shown[0].presets)  # one window for both
    return Pair(Side(first.pixels, one, shown[0]), Side(second.pixels, other, shown[1]), unit, tuple(notes))


def _units(display: Display) -> tuple[float, float]:
    return display.slope, display.intercept


def _over_same_extent(spacing: tuple[float, float], of: _Read, other: _Read) -> tuple[float, float]:
    (rows, columns), (height, width) = of.pixels.shape, other.pixels.shape
    return spacing[0] * rows / height, spacing[1] * columns / width


def _extent(side: _Read, spacing: tuple[float, float]) -> tuple[float, float]:
    return side.pixels.shape[0] * spacing[0], side.pixels.shape[1] * spacing[1]


def reason(error: FsrcnnError, case: Case) -> str:
    """Why a case cannot be shown, without the names of its files, which may name somebody."""
    line = " ".join(str(error).split())
    whole = {*case.paths, *(str(split(path).path) for path in case.paths)}
    for path in sorted(whole, key=len, reverse=True):
        line = line.replace(f"{path}: ", "").replace(path, "the file")
    for name in {os.path.basename(path) for path in whole} | {os.path.basename(case.name)}:
        line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "the file", line)
    return line[:300]
