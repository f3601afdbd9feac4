"""What a study knows: one record an image, one a rating, what it was made with, and what was left out and why.

The run writes them, the store keeps them; tables, figures and report take nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GROUPINGS = ("density", "morphology", "distribution", "birads")  #: the paper's, fields of `Case`


@dataclass(frozen=True, slots=True)
class Blocks:
    """Shares of PIQE's 16×16 blocks, 0 to 1: of all blocks those with activity; of these, those with a distortion."""

    active: float
    artifact: float
    noisy: float


@dataclass(frozen=True, slots=True)
class Case:
    """One image of the cohort; what is unknown or was not measured is empty or None.

    Attributes
    ----------
    path : str
        As the cohort names it; unique within a study.
    patient, breast, view : str
        `breast` is "L" or "R", `view` "CC", "MLO", …
    density, morphology, distribution, birads : str
        Findings, in the user's words; the paper's are in `paper/honjo.py`.
    age : float or None
        In years.
    groups : mapping of str to str
        The user's own grouping columns.
    piqe_original, piqe_bicubic, piqe_sr : float or None
        0 to 100, lower is better.
    blocks_original, blocks_bicubic, blocks_sr : Blocks or None
    checkerboard, checkerboard_bicubic : float or None
        Amplitude of the enlarged image at the frequencies of the original's pixel grid, as a share of the value range.
    psnr, psnr_bicubic : float or None
        dB, where a truth was given.
    ssim, ssim_bicubic : float or None
    scaling : str
        Which stored values became 0 and 255 for PIQE, and who said so.
    data_range : (float, float) or None
        Stored values of black and white.
    seconds : float or None
        Of the whole image, wall clock.
    memory : int or None
        Peak of the process, in bytes.
    sr : str
        Where the SR image was kept, if it was.
    error : str
        Why there are no scores; empty where there are.
    remarks : tuple of str
        What has to be known of the input, one line each.
    """

    path: str
    patient: str = ""
    breast: str = ""
    view: str = ""
    density: str = ""
    morphology: str = ""
    distribution: str = ""
    birads: str = ""
    age: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    piqe_original: float | None = None
    piqe_bicubic: float | None = None
    piqe_sr: float | None = None
    blocks_original: Blocks | None = None
    blocks_bicubic: Blocks | None = None
    blocks_sr: Blocks | None = None
    checkerboard: float | None = None
    checkerboard_bicubic: float | None = None
    psnr: float | None = None
    psnr_bicubic: float | None = None
    ssim: float | None = None
    ssim_bicubic: float | None = None
    scaling: str = ""
    data_range: tuple[float, float] | None = None
    seconds: float | None = None
    memory: int | None = None
    sr: str = ""
    error: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """What one reader thought of one case by one criterion.

    Attributes
    ----------
    reader, case, criterion : str
        `case` is what was read: a breast or an image.
    value : int or None
        1 (original strongly preferred) to 5 (SR strongly preferred), 3 no preference; None: unreadable.
    comment : str
    occasion : int
        1, and 2 or more for a case that the reader saw again.
    patient : str
        Whose case it is; the case itself where that is unknown.
    """

    reader: str
    case: str
    criterion: str
    value: int | None
    comment: str = ""
    occasion: int = 1
    patient: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was given and not used."""

    what: str  #: a file, or a file's row and column
    why: str
    skipped: bool = False  #: which is no failure, as of a packed file in a folder

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class About:
    """What a run was made with, for the methods paragraph.

    Attributes
    ----------
    model, sha256 : str
        The network's name, and the digest of its parameters.
    architecture : str
        In one phrase.
    scale : int
    epochs : int or None
        Of its training, where its file says so.
    versions : mapping of str to str
        Of the packages that decide a number.
    machine : str
        Processor and system, in one phrase.
    data : str
        What the images and readers are, where that has to be said wherever they are shown: "procedural phantoms and
        simulated readers".
    settings : mapping of str to str
        Whatever else the store's key holds.
    checkerboard : mapping
        What the model draws on flat fields: `fsrcnn_np.network.checkerboard.Checkerboard.facts`.
    """

    model: str = ""
    sha256: str = ""
    architecture: str = ""
    scale: int = 2
    epochs: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    data: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    checkerboard: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """All of it: what `store` reads and `report` shows."""

    cases: Sequence[Case]
    ratings: Sequence[Rating] = ()
    about: About = About()
    left_out: Sequence[LeftOut] = ()
    name: str = ""  #: the cohort's
    folder: str = ""  #: where the paths of cases begin that are no whole ones
