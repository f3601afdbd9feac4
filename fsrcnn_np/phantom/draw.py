"""A mammogram of nobody, and all that is true of it: line integrals → quanta → detector → processing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from piqe_np.compiled import thread_count

from ..errors import OptionError
from . import detector, processing
from .anatomy import DENSITIES, line_integrals
from .breast import Breast, breast
from .calcifications import MORPHOLOGIES, Calcification, Grain, embed, grains
from .dice import Dice
from .distributions import DISTRIBUTIONS
from .vessels import add_vessels

PIXEL_SPACING = 0.07  #: mm; 3328×2560 of it is an 18×23 cm detector
LEAST, MOST = 256, 8192  #: rows and columns
MOST_SEED = (1 << 64) - 1
DOSES = (0.05, 20.0)
VIEWS = ("CC", "MLO")
NONE = "none"  #: no calcifications


class Parameters(NamedTuple):
    """What a phantom was drawn from; `phantom(**parameters._asdict())` draws it again."""

    seed: int
    density: str
    morphology: str
    distribution: str
    view: str
    dose: float
    shape: tuple[int, int]
    processed: bool
    preset: str


@dataclass(frozen=True, eq=False)
class Phantom:
    """A phantom and what is known of it.

    Attributes
    ----------
    pixels : ndarray of uint16, H×W
        Processed: 12 bits, 0..4095, bright is dense, black beside the breast. Else the detector's counts: 14 bits,
        0..16383, bright where little attenuates. The chest wall is the left edge.
    data_range : int
        4095, or 16383.
    pixel_spacing : float
        In mm, both ways.
    labels : ndarray of uint16, H×W
        The calcification's number (from 1) where it covers half of the pixel or more, or most that it covers; else 0.
    calcifications : tuple of Calcification
    breast_mask : ndarray of bool, H×W
        Where the breast is.
    parameters : Parameters
    """

    pixels: NDArray[np.uint16]
    data_range: int
    pixel_spacing: float
    labels: NDArray[np.uint16]
    calcifications: tuple[Calcification, ...]
    breast_mask: NDArray[np.bool_]
    parameters: Parameters

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where calcifications are, H×W."""
        return self.labels > 0

    @property
    def seed(self) -> int:
        """Of the parameters."""
        return self.parameters.seed

    def __repr__(self) -> str:
        p = self.parameters
        return (
            f"Phantom(seed={p.seed}, density={p.density!r}, {len(self.calcifications)} calcifications {p.morphology!r} "
            f"{p.distribution!r}, view={p.view!r}, shape={p.shape}, 0..{self.data_range})"
        )


def phantom(
    seed: int = 0,
    *,
    density: str = "c",
    morphology: str = "fine pleomorphic",
    distribution: str = "grouped",
    view: str = "CC",
    dose: float = 1.0,
    shape: tuple[int, int] = (3328, 2560),
    processed: bool = True,
    preset: str = "noisy",
    threads: int | None = None,
) -> Phantom:
    """Draw a mammogram of nobody: the same bits on every processor and with every NumPy.

    The steps and their sources are in docs/phantom.md. Nothing clinical can be learned from it.

    Parameters
    ----------
    seed : int
        0 to 2⁶⁴ − 1. Tissue, vessels, calcifications and noise have streams of their own: another morphology leaves
        the breast and the noise as they are.
    density : {"a", "b", "c", "d"}
        BI-RADS's breast composition, from fatty to extremely dense.
    morphology : {"amorphous", "fine pleomorphic", "coarse heterogeneous", "fine linear", "none"}
        Of the calcifications. "none" draws none: the same breast with the same noise, for an observer's signal-absent
        pictures.
    distribution : {"diffused", "grouped", "regional", "segmental", "linear"}
    view : {"CC", "MLO"}
        Craniocaudal, or mediolateral oblique with the pectoral muscle.
    dose : float
        0.05 to 20, over that of a usual exposure: the number of quanta.
    shape : (int, int)
        Rows and columns of 0.07 mm, 256 to 8192 each. The breast fills the same part of any frame; what is in it keeps
        its size in mm.
    processed : bool
        The picture "for presentation"; else the detector's raw counts.
    preset : {"noisy", "smooth"}
        How it is processed: strong contrast and visible noise, or little of both (see docs/phantom.md).
    threads : int, optional
        Default: `$FSRCNN_NP_THREADS`, else the CPUs available. The picture does not depend on it.

    Returns
    -------
    Phantom

    Raises
    ------
    OptionError
        An impossible parameter.
    """
    p = check(seed, density, morphology, distribution, view, dose, shape, processed, preset)
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    outline, integrals, found = _anatomy(p, count)
    labels = np.zeros(p.shape, np.uint16)
    embed(found, integrals, labels)
    incident = p.dose * detector.open_field(outline.thickness)
    mean = detector.mean_quanta(integrals, incident, count)
    raw = detector.expose(Dice(p.seed, "noise"), mean, p.dose, count)
    pixels, white = _shown_as(p, raw, outline, 1, count)
    inside = np.zeros(p.shape, bool)
    inside[:, : raw.shape[1]] = np.arange(raw.shape[1], dtype=np.float32) < outline.edge[:, None]
    return Phantom(pixels, white, PIXEL_SPACING, labels, tuple(grain.truth for grain in found), inside, p)


class Truth(NamedTuple):
    """What a phantom shows, without noise and blur.

    Attributes
    ----------
    pixels : ndarray of uint16, scale·H × scale·W
        As the phantom's: processed or raw, and of its data_range.
    line_integrals : ndarray of float32, scale·H × scale·W
        ∫µ dl; 0 beside the breast.
    labels : ndarray of uint16, scale·H × scale·W
        As the phantom's.
    data_range : int
    pixel_spacing : float
        In mm.
    """

    pixels: NDArray[np.uint16]
    line_integrals: NDArray[np.float32]
    labels: NDArray[np.uint16]
    data_range: int
    pixel_spacing: float


def truth(drawn: Phantom, *, scale: int = 2, threads: int | None = None) -> Truth:
    """The phantom's breast without noise, focal spot, aperture and spread of charge, on a finer grid.

    Calcifications are drawn anew, from their cells of 17.5 µm. Tissue has no detail below 0.07 mm: it is interpolated
    (cubic convolution; its power falls as f⁻³, so what is missing is far under the noise). Pixel (0, 0) of scale 2 is
    the upper left quarter of the phantom's.

    Parameters
    ----------
    drawn : Phantom
    scale : {1, 2}
        2: a grid of 0.035 mm, to compare super-resolution with.
    threads : int, optional
        As of `phantom`.

    Raises
    ------
    OptionError
        Another scale.
    """
    if isinstance(scale, bool) or scale not in (1, 2):
        raise OptionError(f"scale is {_shown(scale)}; allowed are 1 and 2")
    count = thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    p = drawn.parameters
    outline, integrals, found = _anatomy(p, count)
    shape = (scale * p.shape[0], scale * p.shape[1])
    for _ in range(scale - 1):
        integrals = np.maximum(_twice(_twice(integrals).T).T, np.float32(0))
        outline = outline.twice()
    integrals = np.ascontiguousarray(integrals)
    labels = np.zeros(shape, np.uint16)
    embed(found, integrals, labels, scale=scale)
    mean = detector.mean_quanta(integrals, p.dose * detector.open_field(outline.thickness), count)
    pixels, white = _shown_as(p, detector.count(mean, p.dose, count), outline, scale, count)
    whole = np.zeros(shape, np.float32)
    whole[:, : integrals.shape[1]] = integrals
    return Truth(pixels, whole, labels, white, PIXEL_SPACING / scale)


def _anatomy(p: Parameters, threads: int) -> tuple[Breast, NDArray[np.float32], list[Grain]]:
    """The outline, line integrals through tissue (H × the columns of the breast), and calcifications to be added."""
    outline = breast(Dice(p.seed, "breast"), p.view, p.shape, PIXEL_SPACING)
    integrals = line_integrals(Dice(p.seed, "tissue"), outline, p.density, PIXEL_SPACING, threads)
    add_vessels(Dice(p.seed, "vessels"), outline, PIXEL_SPACING, integrals)
    if p.morphology == NONE:
        return outline, integrals, []
    dice = Dice(p.seed, "calcifications")
    return outline, integrals, grains(dice, outline, p.morphology, p.distribution, PIXEL_SPACING, integrals.shape)


def _shown_as(
    p: Parameters, raw: NDArray[np.uint16], outline: Breast, scale: int, threads: int
) -> tuple[NDArray[np.uint16], int]:
    """The whole frame and its white: what is beside the breast is black, or in raw counts the saturated open field."""
    shape, wide = (scale * p.shape[0], scale * p.shape[1]), raw.shape[1]
    if not p.processed:
        pixels = np.full(shape, detector.WHITE, np.uint16)
        pixels[:, :wide] = raw
        return pixels, detector.WHITE
    pixels = np.zeros(shape, np.uint16)
    pixels[:, :wide] = processing.present(raw, outline, PIXEL_SPACING / scale, p.preset, threads, scale=scale)
    return pixels, processing.WHITE


def _twice(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Twice as many rows: cubic convolution at a quarter of a pixel before and after each (Keys 1981, a = −1/2)."""
    out = np.empty((2 * len(rows), rows.shape[1]), np.float32)
    padded = np.concatenate([rows[:1], rows[:1], rows, rows[-1:], rows[-1:]])
    far, near, here, there = (np.float32(w) for w in (-0.0234375, 0.2265625, 0.8671875, -0.0703125))
    a, b, c, d, e = (padded[k : k + len(rows)] for k in range(5))
    out[0::2] = here * c + near * b + there * d + far * a
    out[1::2] = here * c + near * d + there * b + far * e
    return out


def check(
    seed: int, density: str, morphology: str, distribution: str, view: str, dose: float, shape: Any, processed: bool,
    preset: str,
) -> Parameters:  # fmt: skip
    """The parameters as plain Python values; an OptionError names the first impossible one."""
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MOST_SEED:
        raise OptionError(f"seed is {_shown(seed)}; allowed is a whole number from 0 to 2**64 - 1")
    choices = (
        ("density", density, tuple(DENSITIES)), ("morphology", morphology, (*MORPHOLOGIES, NONE)),
        ("distribution", distribution, DISTRIBUTIONS), ("view", view, VIEWS),
        ("preset", preset, tuple(processing.PRESETS)),
    )  # fmt: skip
    for name, value, allowed in choices:
        if not isinstance(value, str) or value not in allowed:
            raise OptionError(f"{name} is {_shown(value)}; allowed are {', '.join(map(repr, allowed))}")
    number = isinstance(dose, int | float | np.integer | np.floating) and not isinstance(dose, bool)
    if not number or not DOSES[0] <= dose <= DOSES[1]:
        raise OptionError(f"dose is {_shown(dose)}; allowed is a number from {DOSES[0]:g} to {DOSES[1]:g}")
    whole = isinstance(shape, tuple | list) and all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) for n in shape
    )
    if not whole or len(shape) != 2 or not all(LEAST <= n <= MOST for n in shape):
        raise OptionError(
            f"shape is {_shown(shape)}; allowed are whole numbers (rows, columns), each from {LEAST} to {MOST}"
        )
    if not isinstance(processed, bool | np.bool_):
        raise OptionError(f"processed is {_shown(processed)}; allowed are True and False")
    return Parameters(
        int(seed), density, morphology, distribution, view, float(dose), (int(shape[0]), int(shape[1])),
        bool(processed), preset,
    )  # fmt: skip


def _shown(value: object) -> str:
    """A value in a message: one line, not too long."""
    if isinstance(value, int) and abs(value) > MOST_SEED:
        return f"a whole number of {value.bit_length()} bits"
    text = " ".join(repr(value).split())
    return text if len(text) < 80 else f"{text[:76]} ..."
