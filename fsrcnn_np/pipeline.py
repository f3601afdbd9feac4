"""The main job, stages in order: read → check → normalise → network → denormalise → write."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike, fspath
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from piqe_np.compiled import beside, thread_count, worthwhile
from piqe_np.line import about, is_utf8

from .dask_array import is_dask_array, upscale_dask
from .engine import DEFAULT, engine_named, prepare
from .errors import FileError, FsrcnnError, ImageError, OptionError
from .images import rgb
from .images.colour import YCbCr
from .images.destination import check_out
from .images.imresize import START, Part, enlarging, rows_of
from .images.padding import filled, restored
from .images.value_range import (
    GIVEN,
    UNIT,
    Pixels,
    ValueRange,
    check_image,
    check_pixels,
    value_range,
)
from .network.bands import Band
from .network.channels import check_channels
from .network.weights import Weights
from .progress import Progress, reporting
from .types import DataRange, Model

if TYPE_CHECKING:
    from .files import DicomForm, Frame, Made, Picture, Provenance, Rows

LARGE = 1 << 26  #: grey pixels of an HDF5 dataset from which on it goes through memory by bands of rows
_ROWS = 64  # bands have a multiple of so many


def upscale(
    image: ArrayLike | Pixels,
    *,
    weights: Model = "x2",
    data_range: DataRange | None = None,
    threads: int | None = None,
    out: NDArray[Any] | None = None,
    engine: str | None = None,
    progress: Progress | bool | None = None,
) -> NDArray[Any]:
    """Super-resolve a picture: grey through the network; of RGB the luma, and the chroma by MATLAB's bicubic.

    A model of RGB (`Architecture.channels` is 3) takes a picture of RGB as it is, and refuses a grey one.

    Parameters
    ----------
    image : array_like, H×W or H×W×3
        uint8, int8, uint16, int16, float32 or float64, finite. Of a Dask array the result is one, too, lazily and with
        the same bits: nothing is computed before it is asked for.
    weights : str, path or Weights
        A shipped model's name ("x2"), a weights file, or `fsrcnn_np.load_weights(...)`.
    data_range : float or (float, float), optional
        The values of black and white: R means 0..R (4095 for 12 bits in uint16). By default the dtype's: 0..255,
        0..65535, −32768..32767; 0..1 for floats.
    threads : int, optional
        Default: the environment variable FSRCNN_NP_THREADS, else the CPUs that the process may use. The result has
        the same bits for every number. With a Dask array: of each chunk, default 1.
    out : ndarray, optional
        H·scale × W·scale (× 3) of `image`'s dtype, in any layout and byte order, not overlapping it: filled and
        returned. Saves the first touch of fresh memory.
    engine : {None, "llvm", "numba", "reference"}
        None takes "llvm", the fastest: machine code written for this model. "numba" is readable and two to four times
        as slow, "reference" is plain NumPy and defines the answer.
    progress : callable or bool, optional
        Called as `progress(done, total)` from time to time; True shows a bar (tqdm) on standard error.

    Returns
    -------
    ndarray, H·scale × W·scale (× 3)
        Of `image`'s dtype, in native byte order. Integers are rounded half away from zero and saturated to the data
        range; floats are not clipped. The network computes in float32.

    Raises
    ------
    ImageError
        Not an image of an allowed shape and dtype, NaN or infinite values, values beyond the data range, or a grey
        image with a model of RGB.
    OptionError
        An impossible `data_range`, `threads`, `out` or `engine`.
    WeightsError, FileError
        The model cannot be used, or is not there.

    References
    ----------
    Honjo et al., European Journal of Radiology 154 (2022) 110433, section 2.2; colour as Dong, Loy, Tang (ECCV 2016),
    section 4.1: the network on luma alone, here in full range.
    """
    if is_dask_array(image):
        if out is not None or progress:
            raise OptionError("out and progress are for arrays in memory; leave them out with a Dask array")
        engine_named(engine)
        threads = None if threads is None else thread_number(threads)
        return upscale_dask(_upscale, image, loaded(weights), data_range, threads=threads, engine=engine)
    with reporting(progress, "upscale") as tell:
        return _upscale(check_pixels(image, data_range), loaded(weights), threads, out, engine, tell)


def _upscale(
    image: Pixels,
    model: Weights,
    threads: int | None,
    out: NDArray[Any] | None,
    engine: str | None,
    progress: Progress | None,
    part: Part | None = None,
) -> NDArray[Any]:
    count, steps, scale = thread_number(threads), engine_named(engine), model.architecture.scale
    pixels, bounds = image
    check_channels(pixels.shape, model)
    shape = (pixels.shape[0] * scale, pixels.shape[1] * scale, *pixels.shape[2:])
    if out is not None:
        check_out(out, shape, pixels.dtype, pixels)
    if pixels.ndim == 2 or model.architecture.channels == 3:
        return steps.upscale_plane(pixels, model, bounds, threads=count, out=out, progress=progress)
    if out is None:
        out = np.empty(shape, pixels.dtype)
    try:
        _upscale_rgb(image, model, count, out, engine, progress, part)
    except BaseException:
        out[...] = 0  # nothing half done that looks whole
        raise
    return out


def _upscale_rgb(
    image: Pixels,
    model: Weights,
    threads: int,
    out: NDArray[Any],
    engine: str | None,
    progress: Progress | None,
    part: Part | None,
) -> None:
    """Fill `out`, band by band, so that nothing but image and result is ever whole."""
    from .stream import BAND_PIXELS

    (pixels, bounds), steps, scale = image, engine_named(engine), model.architecture.scale
    height, width = pixels.shape[:2]
    passes = enlarging((height, width), scale, part)
    if engine == "reference":  # NumPy alone, and whole: what BLAS sums depends on the number of rows
        colour, most = rgb.REFERENCE, pixels.size
    else:
        colour, most = rgb.fastest(pixels.shape, passes), BAND_PIXELS
    few = worthwhile(threads, out.size, START)
    count = math.ceil(height / max(_ROWS, most // width))
    edges = [*(height * number // count // 4 * 4 for number in range(count)), height]
    high = np.empty((max(np.diff(edges)) * scale, width * scale), np.float32)  # luma of one band after the other
    for first, last in itertools.pairwise(edges):
        rows = slice(first * scale, last * scale)
        chroma = passes[0].taps.indices[rows]
        needed = [*steps.rows_needed(first, last, height, model), int(chroma.min()), int(chroma.max()) + 1]
        band = Band(first, last, min(needed), height)
        tell = None if progress is None else partial(_tell, progress, band)
        y, cb, cr = colour.split(pixels[band.top : max(needed)], bounds, threads=few)
        made = high[: (last - first) * scale]
        y = steps.upscale_plane(y, model, UNIT, threads=threads, out=made, progress=tell, band=band)
        colour.joined(YCbCr(y, cb, cr), rows_of(passes, rows, band.top), bounds, out[rows], threads=few)
        del y, cb, cr  # before there are the next band's


def _tell(progress: Progress, band: Band, done: int, total: int) -> None:
    """In rows, of which bands have their share."""
    progress(band.first + (band.last - band.first) * done // total, band.height)


def forward(
    luma: ArrayLike,
    weights: Model,
    *,
    dtype: DTypeLike = np.float32,
    threads: int | None = None,
    out: NDArray[Any] | None = None,
    engine: str | None = None,
) -> NDArray[Any]:
    """The bare network on one plane of floats, or three: no value range, nothing clipped, nothing rounded.

    Parameters
    ----------
    luma : array_like, H×W, or H×W×3 (red, green, blue) of a model of RGB
        float32 or float64, in the model's own range (0..1 for the shipped ones). Beyond it the layers go on as they
        are, up to 2**100 either way (2**1000 where `dtype` is float64): more would overflow between them.
    weights : str, path or Weights
    dtype : {float32, float64}
        Of all arithmetic and of the result. float64 is the reference's; the fast engines have float32.
    threads, out, engine
        As in `upscale`; `out` is of `dtype`, and None takes the reference for float64.

    Returns
    -------
    ndarray, H·scale × W·scale (× 3), of `dtype`
    """
    plane, model = check_image(luma), loaded(weights)
    if plane.ndim != (2 if model.architecture.channels == 1 else 3) or plane.dtype.kind != "f":
        takes = "one plane" if model.architecture.channels == 1 else f"H×W×3, since {model.architecture} does,"
        raise ImageError(
            f"found {plane.dtype} of shape {plane.shape}; forward takes {takes} of float32 or float64; "
            "use fsrcnn_np.upscale for pictures"
        )
    try:
        dtype = np.dtype(dtype)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"dtype is {dtype!r}; allowed are float32 and float64") from None
    if dtype not in (np.float32, np.float64):
        raise OptionError(f"dtype is {dtype}; allowed are float32 and float64")
    if dtype == np.float64 and engine not in (None, "reference"):
        raise OptionError(f'dtype is float64, and engine={engine!r} has float32 only; engine="reference" has both')
    most = 2.0 ** (100 if dtype == np.float32 else 1000)
    if (largest := max(float(plane.max()), -float(plane.min()))) > most:
        raise ImageError(
            f"found values as large as {largest:g}; forward takes {most:.3g} at most in {dtype}, since more overflows "
            "between its layers; scale them to the model's own range"
        )
    scale = model.architecture.scale
    if out is not None:
        check_out(out, (plane.shape[0] * scale, plane.shape[1] * scale, *plane.shape[2:]), dtype, plane)
    steps = engine_named("reference" if dtype == np.float64 else engine)
    return steps.forward(plane, model, dtype=dtype, threads=thread_number(threads), out=out)


@dataclass(frozen=True, repr=False)
class Upscaled:
    """What became of one file."""

    source: Path
    path: Path  #: the file written
    shape: tuple[int, ...]  #: of the result
    value_range: ValueRange  #: the values taken for black and white, and who said so
    seconds: float  #: of reading, upscaling and writing; not between them
    remarks: tuple[str, ...]  #: what the user should know: attributes removed, and the like
    provenance: Provenance  #: which model made it of which file

    def __repr__(self) -> str:
        shape, remarks = "×".join(map(str, self.shape)), f", {len(self.remarks)} remarks" if self.remarks else ""
        return f"<Upscaled {self.path}: {shape}, values {self.value_range}, {self.seconds:.1f} s{remarks}>"


def upscale_file(
    source: str | PathLike[str],
    destination: str | PathLike[str],
    *,
    weights: Model = "x2",
    data_range: DataRange | None = None,
    threads: int | None = None,
    engine: str | None = None,
    overwrite: bool = False,
    allow: Iterable[str] = (),
    transfer_syntax: str = "explicit",
    remap_uids: str = "",
    sidecar: bool = False,
    progress: Progress | bool | None = None,
) -> Upscaled:
    """Super-resolve a file into another of the same dtype and bit depth, and of the same format, or the suffix's own.

    The data range is the caller's, else the file's own (2^BitsStored − 1 of a DICOM, a PGM's maxval), else the
    dtype's. A DICOM becomes a derived object of a new series (PS3.3 C.7.6.1.1.3, C.8.11.7), frame by frame if it has
    several. Where the destination has another suffix than the source, its format is written if it can hold dtype and
    bit depth, and `remarks` say what it does not keep (a DICOM's patient, a text, a colour profile). What can be
    refused without computing is refused before.

    Parameters
    ----------
    source, destination : path-like
    weights, data_range, threads, engine, progress
        As of `upscale`.
    overwrite : bool
        Replace an existing file; else it is kept, and OutputExists raised where the same means made it of the same
        input (its `fsrcnn_np.provenance` tells), OutputDiffers where not, or where that cannot be told.
    allow : iterable of str
        "high-bits", "burned-in": see `fsrcnn_np.files.read`.
    transfer_syntax : {"explicit", "rle", "jpeg-ls", "jpeg2000", "htj2k"}
        How the pixels of a DICOM are encoded, always without loss: PS3.5 A.
    remap_uids : str
        A text with which every UID of a DICOM is mapped to another, references included; the same text maps alike.
    sidecar : bool
        Write the provenance beside the output, as NAME.provenance.json, where its format has no place for it (NPY,
        PGM, PPM, BMP, PCX, TGA).

    Raises
    ------
    FsrcnnError
        One of its subclasses, with one line that names the file.
    """
    job = FileJob(
        source,
        destination,
        weights=weights,
        data_range=data_range,
        threads=threads,
        engine=engine,
        overwrite=overwrite,
        allow=allow,
        transfer_syntax=transfer_syntax,
        remap_uids=remap_uids,
        sidecar=sidecar,
    )
    job.read()
    with reporting(progress, Path(source).name) as tell:
        job.compute(tell)
        return job.write()


class FileJob:
    """`upscale_file` in three steps, each once and in this order: `read`, `compute`, `write`.

    Those of several jobs may overlap, each step on a thread of its own. The arguments are `upscale_file`'s.
    """

    def __init__(
        self,
        source: str | PathLike[str],
        destination: str | PathLike[str],
        *,
        weights: Model,
        data_range: DataRange | None = None,
        threads: int | None = None,
        engine: str | None = None,
        overwrite: bool = False,
        allow: Iterable[str] = (),
        transfer_syntax: str = "explicit",
        remap_uids: str = "",
        sidecar: bool = False,
    ) -> None:
        from . import files
        from .files.target import split

        split(source), split(destination)  # paths they must be
        self._source, self._destination = source, destination
        self._model, self._allow = loaded(weights), files.allowances(allow)
        for name, text in (("transfer_syntax", transfer_syntax), ("remap_uids", remap_uids)):
            if not isinstance(text, str):
                raise OptionError(f"{name} is a {type(text).__name__}; allowed is a text")
            if not is_utf8(text):
                raise OptionError(f"{name} is {text!r}; allowed is a text that UTF-8 can hold")
        self._form = files.DicomForm(transfer_syntax, remap_uids)
        self._data_range, self._threads, self._engine = data_range, threads, engine
        self._overwrite, self._sidecar = overwrite, sidecar
        self._seconds = 0.0
        self._outside: Exception | None = None

    def read(self) -> None:
        """Refuse what can be refused without computing, and read the source."""
        from . import files
        from .files.atomic import check_place
        from .files.reading import one_line_errors, unchanged
        from .files.target import split
        from .files.writing import check_beside

        # The sha256 of its provenance is that of what is read.
        with self._timed(), unchanged(split(self._source).path) as self._check_unchanged:
            source, target = self._source, split(self._destination).path
            if target.exists() and target.samefile(split(source).path):
                raise FileError(
                    f"{target} is the input itself, and would be replaced; choose another folder for the outputs"
                )
            check_place(target)
            check_beside(split(self._destination))
            with one_line_errors(split(source).path):
                provenance = provenance_of(
                    self._model, None, source, engine=self._engine, allow=self._allow, form=self._form
                )
            if not self._overwrite and lexists(target):
                files.check_made(target, with_range(provenance, _found(target), source, self._data_range, self._allow))
            with beside(partial(prepare, self._engine, self._model), thread_number(self._threads)):
                self._picture = self._opened()
            with naming(source):
                check_channels(self._picture.pixels.shape, self._model)
                self._bounds = picture_range(self._picture, self._data_range)
            self._provenance = replace(provenance, value_range=self._bounds)
            files.check_target(self._destination, self._picture, self._provenance, self._form)
            self._doubts = range_doubts(self._picture, self._bounds)

    def compute(self, progress: Progress | None = None) -> None:
        """Super-resolve it; of several frames, and of what stayed in its file, only as `write` asks for it."""
        from .files import Frame, Rows

        progress = self._told(progress)

        def upscaled(frame: Frame) -> NDArray[Any]:
            with naming(self._source):
                return upscale_frame(
                    frame, self._bounds, self._model, threads=self._threads, engine=self._engine, progress=progress
                )

        with self._timed():
            picture = self._picture
            self._result: Any
            if isinstance(picture.pixels, Rows):
                self._result = self._made(picture.pixels, progress)
            elif picture.frames is not None:
                self._result = self._checked(map(upscaled, picture.frames))
            else:
                self._result = upscaled(Frame(picture.pixels, picture.padding))

    def _opened(self) -> Picture:
        """The source; a large dataset stays in its file if it goes from HDF5 to HDF5, grey through a grey model."""
        from . import files
        from .files.target import split

        grey = self._model.architecture.channels == 1
        other = split(self._destination).path.suffix.lower() != split(self._source).path.suffix.lower()
        if other or not grey:
            return files.read(self._source, every_frame=True, allow=self._allow)
        return files.read_or_leave(self._source, allow=self._allow, most=LARGE)

    def _made(self, source: Rows, progress: Progress | None) -> Made:
        from .files import Made
        from .stream import BAND_PIXELS, upscale_stream

        scale, span = self._model.architecture.scale, (self._bounds.low, self._bounds.high)
        height, width = source.shape
        rows = max(1, BAND_PIXELS // width // _ROWS) * _ROWS

        def tell(done: int, total: int) -> None:
            self._check_unchanged()  # no band of another content than the one before
            if progress is not None:
                progress(done, total)

        def fill(destination: Any) -> None:
            try:
                with naming(self._source):
                    upscale_stream(
                        source, destination, weights=self._model, data_range=span, threads=self._threads,
                        engine=self._engine, rows=rows, progress=tell,
                    )  # fmt: skip
            except ImageError:
                self._check_unchanged()  # that comes first: rows that are gone are none of the user's
                raise

        return Made((height * scale, width * scale), source.dtype, fill, min(_ROWS * scale, height * scale))

    def write(self) -> Upscaled:
        """Write the result, and say what became of it."""
        from . import files

        with self._timed():
            picture = self._picture
            remarks = [*picture.remarks, *self._doubts]
            try:
                remarks += files.write(
                    self._destination,
                    self._result,
                    like=picture,
                    provenance=self._provenance,
                    form=self._form,
                    sidecar=self._sidecar,
                    threads=self._threads,
                    overwrite=self._overwrite,
                )
            except FsrcnnError:
                if self._outside is not None:
                    raise self._outside from None
                raise
        scale, frames = self._model.architecture.scale, () if picture.frames is None else (len(picture.frames),)
        height, width, *colours = picture.pixels.shape
        shape = (*frames, height * scale, width * scale, *colours)
        source, path = Path(self._source), Path(self._destination)
        return Upscaled(source, path, shape, self._bounds, self._seconds, tuple(remarks), self._provenance)

    def _told(self, progress: Progress | None) -> Progress | None:
        """The caller's function; what it raises while a file is written comes out as it is, not as the file's fault."""
        if progress is None:
            return None

        def tell(done: int, total: int) -> None:
            try:
                progress(done, total)
            except Exception as error:
                self._outside = error
                raise

        return tell

    def _checked(self, frames: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        yield from frames
        self._check_unchanged()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._seconds += time.monotonic() - started


def upscale_frame(
    frame: Frame,
    bounds: ValueRange,
    model: Weights,
    *,
    threads: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """`upscale` of what a file holds: its padding comes back as it was, and nothing rings at its edge."""
    if frame.padding is None:
        return _upscale(check_pixels(frame.pixels, bounds), model, threads, None, engine, progress)
    pixels = check_pixels(filled(frame.pixels, frame.padding), bounds)
    large = _upscale(pixels, model, threads, None, engine, progress)
    return restored(large, frame.pixels, frame.padding)


def with_range(
    wanted: Provenance,
    found: Provenance | None,
    source: str | PathLike[str],
    data_range: DataRange | None,
    allow: tuple[str, ...] = (),
) -> Provenance:
    """The range that `wanted` would have, as far as it takes to tell whether it is that of an output that is there.

    The file's own needs no look at the file, which is the same or is named, but where the output's was given by hand.
    """
    from . import files

    if data_range is not None:
        return replace(wanted, value_range=value_range(np.float64, data_range))
    if found is not None and found.value_range is not None and found.value_range.origin == GIVEN:
        return replace(wanted, value_range=picture_range(files.read(source, every_frame=True, allow=allow)))
    return wanted


def check_free(
    target: Path, wanted: Provenance, source: str | PathLike[str], data_range: DataRange | None, *, overwrite: bool
) -> None:
    """Raise, before anything is computed, OutputExists or OutputDiffers of an output that is there.

    As `fsrcnn_np.files.check_made`, of one whose range is the caller's or the source's.
    """
    from . import files

    if not overwrite and lexists(target):
        files.check_made(target, with_range(wanted, _found(target), source, data_range))


def _found(target: Path) -> Provenance | None:
    from . import files

    with suppress(FsrcnnError):
        return files.provenance(target)
    return None


def provenance_of(
    model: Weights,
    bounds: ValueRange | None,
    source: str | PathLike[str],
    *,
    engine: str | None = None,
    allow: Iterable[str] = (),
    form: DicomForm | None = None,
) -> Provenance:
    """What an output says of how it was computed, from this file (FILE::/part) by this model."""
    from .files import DicomForm
    from .files.record import made_by, short_digest, source_of

    scale, form = model.architecture.scale, form or DicomForm()
    return made_by(
        f"Super-resolution x{scale} by FSRCNN",
        f"FSRCNN x{scale}",
        **source_of(source),
        scale=scale,
        model=model_name(model),
        sha256=model.sha256,
        value_range=bounds,
        engine=engine or DEFAULT,
        allow=tuple(sorted(set(allow))),
        transfer_syntax=form.transfer_syntax,
        remap_uids=short_digest(form.remap_uids),
    )


@contextmanager
def naming(source: str | PathLike[str]) -> Iterator[None]:
    """Put the file's name before the message of what is found wrong with its array."""
    try:
        yield
    except FsrcnnError as error:
        raise type(error)(about(fspath(source), error)) from error


def picture_range(picture: Picture, data_range: DataRange | None = None) -> ValueRange:
    """The caller's range, else the one that the file declares, else the dtype's."""
    dtype = picture.pixels.dtype
    if data_range is None and picture.data_range is not None:
        return replace(value_range(dtype, picture.data_range), origin=picture.data_range_origin)
    return value_range(dtype, data_range)


def range_doubts(picture: Picture, bounds: ValueRange) -> list[str]:
    """What `Picture.range_doubt` says, where the dtype alone gave the range."""
    doubt = picture.range_doubt if bounds.origin == picture.pixels.dtype.name else ""
    return [doubt] if doubt else []


def model_name(model: Weights) -> str:
    """What the model calls itself, else its architecture."""
    return str(model.provenance.get("model") or model.architecture)


def loaded(weights: Model) -> Weights:
    """The model that a name, a path or a Weights stands for."""
    if isinstance(weights, Weights):
        return weights
    from .convert import load_weights

    if not isinstance(weights, str | PathLike):
        raise OptionError(
            f"weights is a {type(weights).__name__}; allowed are a shipped model's name, a path, or a Weights"
        )
    return load_weights(weights)


def thread_number(threads: int | None) -> int:
    """How many threads a caller or the environment wants."""
    return thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
