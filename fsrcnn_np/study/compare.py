"""Original, bicubic and SR side by side: PIQE of each, and what a figure shows of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import OptionError
from ..images.grid_power import BLOCK, grid_power
from ..images.value_range import ValueRange, check_pixels, normalise, row_blocks, to_integers, value_range
from ..network.checkerboard import checkerboard
from ..network.weights import Weights
from ..progress import Progress, reporting
from ..types import DataRange, Model
from .comparison import Comparison, Panels
from .display import Floats, display_plane, resample, tissue_window, window
from .layout import plan
from .scores import BICUBIC, CLASS, EXPORT, NATIVE, ORIGINAL, SR, Score
from .spots import Square, brightest_spots, place

if TYPE_CHECKING:
    from piqe_np import PiqeResult

    from ..files import Frame, Picture


def compare(
    image: ArrayLike | Picture,
    *,
    weights: Model = "x2",
    data_range: DataRange | ValueRange | None = None,
    square: Sequence[int] | None = None,
    name: str | None = None,
    note: str = "",
    inverted: bool | None = None,
    pixel_spacing: float | None = None,
    threads: int | None = None,
    engine: str | None = None,
    progress: Progress | bool | None = None,
    on_sr: Callable[[NDArray[Any]], object] | None = None,
) -> Comparison:
    """Enlarge a picture by the network and by bicubic, and score all three with PIQE.

    Parameters
    ----------
    image : array_like, H×W or H×W×3, or Picture
        What `fsrcnn_np.upscale` takes, or what `fsrcnn_np.read` gave: with the range, polarity and spacing that the
        file declares, unless they are given here.
    weights, threads, engine, progress
        As of `fsrcnn_np.upscale`.
    data_range : float, (float, float) or ValueRange, optional
        As of `fsrcnn_np.upscale`; a ValueRange also says where it is from.
    square : (row, column) or (row, column, side), optional
        Upper left corner and side of the part to magnify, in pixels of the original. Default: around the brightest
        small spots, with the side that six times fills the panel.
    name, note : str
        For table and figure: the input's name (default: a Picture's path, else "image"), and what has to be said of
        the data.
    inverted : bool, optional
        Low values are bright (MONOCHROME1): shown as the negative. The scores are of the stored values.
    pixel_spacing : float, optional
        In mm; gives the figure its scale bars.
    on_sr : callable, optional
        Called with the super-resolved picture, to write it for instance; it is not kept.

    Returns
    -------
    Comparison
        Scored at native depth with the picture's value range; at the 8-bit export, round(255·(v − low)/(high − low))
        saturated; and, where the range is not the dtype's own, as MATLAB's `piqe` scales the class.

    Raises
    ------
    ImageError, OptionError, WeightsError, FileError
        As of `fsrcnn_np.upscale`; OptionError also for a square that is not in the picture.

    Notes
    -----
    Bicubic is the control: interpolation alone changes PIQE, mostly for the worse. A grey picture scores the same at
    native depth and at the 8-bit export, since PIQE rounds to 255 steps itself, unless floats leave the value range.
    """
    from ..convert import load_weights
    from ..files import Frame, Picture
    from ..pipeline import model_name, picture_range, range_doubts, upscale_frame

    padding = None
    if isinstance(image, Picture):
        bounds = data_range if isinstance(data_range, ValueRange) else picture_range(image, data_range)
        checked, padding = check_pixels(image.pixels, bounds), image.padding
        name = image.path if name is None else name
        inverted = image.inverted if inverted is None else inverted
        rows, columns = image.pixel_spacing or (0.0, 0.0)
        pixel_spacing = rows if pixel_spacing is None and rows == columns > 0 else pixel_spacing
        remarks = (*image.remarks, *range_doubts(image, bounds), *_scale_doubts(image))
    else:
        checked, remarks = check_pixels(image, data_range), ()
    original, bounds = checked
    frame = Frame(original, padding)
    name, inverted = "image" if name is None else name, bool(inverted)
    model = weights if isinstance(weights, Weights) else load_weights(weights)
    scale = model.architecture.scale
    plane = display_plane(original, bounds, inverted)
    part, origin = _square(plane, square, plan(plane.shape, scale).side)
    seconds = dict.fromkeys((BICUBIC, SR, "PIQE"), 0.0)

    def magnified(image: NDArray[Any]) -> Floats:
        return display_plane(part.of(image, len(image) // len(original)), bounds, inverted)

    def on_grid(image: NDArray[Any]) -> float:
        plane = display_plane(image, bounds, inverted)
        return math.sqrt(grid_power(plane, scale)) if min(plane.shape) >= BLOCK else math.nan

    def scored(name: str, image: NDArray[Any]) -> list[Score]:
        with _timed(seconds, "PIQE"):
            return list(_scores(name, image, bounds, threads, engine))

    scores = scored(ORIGINAL, original)
    with _timed(seconds, BICUBIC):
        control = bicubic(frame, scale, bounds, threads=threads)
    scores += scored(BICUBIC, control)
    square_bicubic = magnified(control)
    grid_amplitude = {BICUBIC: on_grid(control)}
    del control  # so that no two of the enlarged images are in memory together
    with _timed(seconds, SR), reporting(progress, f"{name} ×{scale}") as tell:
        sr = upscale_frame(frame, bounds, model, threads=threads, engine=engine, progress=tell)
    if on_sr is not None:
        on_sr(sr)
    scores += scored(SR, sr)
    grid_amplitude[SR] = on_grid(sr)
    view = plan(plane.shape, scale).view
    shown = tissue_window(plane)
    panels = Panels(
        whole_original=resample(plane, view),
        whole_sr=resample(display_plane(sr, bounds, inverted), view),
        square_original=magnified(original),
        square_bicubic=square_bicubic,
        square_sr=magnified(sr),
        whole_window=shown,
        square_window=window(part.of(plane), above=shown[0]),
    )
    return Comparison(
        name=name, note=note, scores=tuple(scores), value_range=bounds, shape=original.shape,
        dtype=original.dtype.name, model=model_name(model), sha256=model.sha256, scale=scale, square=part,
        square_origin=origin, inverted=inverted, pixel_spacing=pixel_spacing, seconds=seconds, panels=panels,
        checkerboard=checkerboard(model), grid_amplitude=grid_amplitude, remarks=remarks,
    )  # fmt: skip


def bicubic(frame: Frame, scale: int, bounds: ValueRange, *, threads: int | None = None) -> NDArray[Any]:
    """The control: MATLAB's bicubic `imresize`; as of SR, integers saturate to the range, and padding stays."""
    from ..images.imresize import imresize
    from ..images.padding import filled, restored

    pixels, padding = frame.pixels, frame.padding
    control = imresize(pixels if padding is None else filled(pixels, padding), scale, threads=threads)
    if control.dtype.kind != "f":
        np.clip(control, math.ceil(bounds.low), math.floor(bounds.high), out=control)
    return control if padding is None else restored(control, pixels, padding)


def native_piqe(
    image: NDArray[Any], bounds: ValueRange, *, threads: int | None = None, engine: str | None = None
) -> PiqeResult:
    """PIQE at native depth: the value range's black and white become 0 and 255."""
    if image.dtype.kind != "f":
        return _piqe(image, (bounds.low, bounds.high), threads, engine)
    unit = (bounds.low, bounds.high) == (0, 1)  # floats may lie outside, which a `data_range` does not allow
    return _piqe(image if unit else normalise(image, bounds, np.float64), None, threads, engine)


def export_8_bit(pixels: NDArray[Any], bounds: ValueRange) -> NDArray[np.uint8]:
    """What people save for a viewer: round(255·(v − low)/(high − low)), half away from zero, saturated to 0..255."""
    if pixels.dtype.kind != "f":  # at most 2¹⁶ different values: each is computed once
        unsigned = np.dtype(f"u{pixels.itemsize}")
        every = np.arange(1 << 8 * pixels.itemsize, dtype=unsigned).view(pixels.dtype)
        return _exported(every, bounds)[pixels.view(unsigned)]
    exported = np.empty(pixels.shape, np.uint8)
    for rows in row_blocks(pixels):
        exported[rows] = _exported(pixels[rows], bounds)
    return exported


def _exported(values: NDArray[Any], bounds: ValueRange) -> NDArray[np.uint8]:
    small = 2.0**-60 if bounds.span > 1e300 else 1.0  # times 255 it would overflow; a power of two changes no digit
    above = values.astype(np.float64) * small - bounds.low * small
    return to_integers(255 * above / (bounds.span * small), np.uint8)


def _scores(
    name: str, image: NDArray[Any], bounds: ValueRange, threads: int | None, engine: str | None
) -> Iterator[Score]:
    def score(scoring: str, scaling: str, found: PiqeResult) -> Score:
        return Score(name, scoring, scaling, image.shape, found.score)

    yield score(NATIVE, f"{bounds} to 0..255", native_piqe(image, bounds, threads=threads, engine=engine))
    yield score(EXPORT, f"{bounds} to 0..255 in uint8", _piqe(export_8_bit(image, bounds), None, threads, engine))
    own = value_range(image.dtype)
    if (own.low, own.high) != (bounds.low, bounds.high) and image.dtype != np.int8:  # MATLAB's piqe takes no int8
        yield score(CLASS, f"{own} to 0..255", _piqe(image, None, threads, engine))


def _piqe(
    pixels: NDArray[Any], data_range: tuple[float, float] | None, threads: int | None, engine: str | None
) -> PiqeResult:
    from piqe_np import PiqeError, piqe

    scorer = "reference" if engine == "reference" else None
    try:
        return piqe(pixels, data_range=data_range, threads=threads, engine=scorer)
    except PiqeError as error:  # the picture has been checked: it is an option, or $PIQE_NP_THREADS
        raise OptionError(str(error)) from error


def _square(plane: Floats, square: Sequence[int] | None, side: int) -> tuple[Square, str]:
    if square is None:
        return brightest_spots(plane, side), "brightest small spots"
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in square)
    if not whole or len(square) not in (2, 3):
        raise OptionError(f"square is {square!r}; allowed are whole numbers: row, column, and the side if it is given")
    given = Square(*square) if len(square) == 3 else place(plane.shape, square[0], square[1], side)
    inside = given.side > 0 and given == place(plane.shape, *given)
    if not inside or (len(square) == 2 and not (0 <= square[0] < plane.shape[0] and 0 <= square[1] < plane.shape[1])):
        raise OptionError(
            f"square {', '.join(map(str, square))} is not in the picture of {'×'.join(map(str, plane.shape))} pixels; "
            "give row and column of its upper left corner, and a side that fits"
        )
    return given, "given"


@contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[what] += time.monotonic() - started


def _scale_doubts(picture: Picture) -> list[str]:
    """A resolution of TIFF or PNG may be that of a scan, or of a print that never was."""
    if picture.pixel_spacing is None or picture.format == "DICOM":
        return []
    sizes = " × ".join(f"{value:.4g}" for value in dict.fromkeys(picture.pixel_spacing))
    return [f"scale bars take its resolution ({picture.pixel_spacing_origin}) for the object's: {sizes} mm a pixel"]
