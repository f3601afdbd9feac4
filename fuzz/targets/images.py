"""Image files, as `fsrcnn_np.read` and `fsrcnn_np.provenance` take them."""

from __future__ import annotations

import functools
import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fsrcnn_np import files
from fsrcnn_np.files.picture import DEFLATED, PACKED

from .. import shapes
from ..mutate import Change, changed, words_changed
from ..target import Target, of_file


@functools.cache
def _pixels(colour: bool, deep: bool) -> np.ndarray:
    shape = (9, 7, 3) if colour else (9, 7)
    return np.random.default_rng(0).integers(0, 65535 if deep else 255, shape).astype("u2" if deep else "u1")


def _written(suffix: str, *, colours: bool = True, deep: bool = True) -> Iterator[bytes]:
    """Small pictures as the package itself writes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        for colour in (False, True)[: 1 + colours]:
            for wide in (False, True)[: 1 + deep]:
                files.write(path, _pixels(colour, wide), overwrite=True)
                yield path.read_bytes()


def _png() -> Iterator[bytes]:
    from PIL import Image

    yield from _written(".png")
    for mode, options in (("P", {"transparency": 0}), ("1", {}), ("LA", {}), ("RGBA", {}), ("L", {"dpi": (300, 300)})):
        stream = io.BytesIO()
        Image.fromarray(_pixels(True, False)).convert(mode).save(stream, "PNG", **options)
        yield stream.getvalue()


def _tiff() -> Iterator[bytes]:
    import tifffile

    yield from _written(".tif")
    grey, colour = _pixels(False, True), _pixels(True, False)
    kinds = ("zlib", "lzw", "packbits", "lzma", "zstd", "jpeg2000", "lerc", "png", "webp")
    for compression in kinds:
        picture = colour if compression == "webp" else grey
        stream = io.BytesIO()
        tifffile.imwrite(stream, picture, compression=compression, byteorder=">" if compression == "lzw" else "<")
        yield stream.getvalue()
    for options in ({"bigtiff": True}, {"tile": (16, 16)}, {"predictor": True, "compression": "zlib"},
                    {"resolution": (10, 10), "resolutionunit": "CENTIMETER", "description": "x"}, {"rowsperstrip": 2}):  # fmt: skip
        stream = io.BytesIO()
        tifffile.imwrite(stream, grey, **options)
        yield stream.getvalue()
    for picture, options in ((colour, {"planarconfig": "separate"}), (grey.astype("f4"), {}),
                             (_pixels(False, False), {"photometric": "palette", "colormap": np.zeros((3, 256), "u2")})):  # fmt: skip
        stream = io.BytesIO()
        tifffile.imwrite(stream, picture, **options)
        yield stream.getvalue()


def _jpeg() -> Iterator[bytes]:
    from PIL import Image

    yield from _written(".jpg", deep=False)
    large = np.random.default_rng(1).integers(0, 255, (40, 33, 3)).astype(np.uint8)
    for options in ({"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 2, "quality": 30}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}):  # fmt: skip
        stream = io.BytesIO()
        Image.fromarray(large).save(stream, "JPEG", **options)
        yield stream.getvalue()


def _pnm() -> Iterator[bytes]:
    yield from (
        b"P5 3 2 255\n\x01\x02\x03\x04\x05\x06",
        b"P5\n# c\n2 2\n4095\n\0\1\0\2\x0f\xff\0\0",
        b"P2 2 2 9\n1 2 3 4\n",
    )
    yield from (b"P6 1 2 255\nabcdef", b"P3 1 1 65535\n1 2 3\n", b"P4 8 1\n\xff")


def _npy(colours: bool = True) -> Iterator[bytes]:
    for array in (_pixels(False, True), _pixels(True, False), np.zeros((3, 2), ">f8"), np.asfortranarray(_pixels(False, False)), np.zeros(3, "f2"), np.zeros((2, 2), bool)):  # fmt: skip
        stream = io.BytesIO()
        np.save(stream, array)
        yield stream.getvalue()


def _npz() -> Iterator[bytes]:
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, image=_pixels(False, True))
        yield stream.getvalue()


def _mat() -> Iterator[bytes]:
    import scipy.io

    for packed in (False, True):
        for values in (
            {"image": _pixels(False, True)},
            {"image": _pixels(True, False).astype(float), "n": 3.0, "s": {"a": "text"}},
        ):
            stream = io.BytesIO()
            scipy.io.savemat(stream, values, do_compression=packed)
            yield stream.getvalue()


def _hdf5() -> Iterator[bytes]:
    import h5py

    yield from _written(".h5")
    for options in (
        {"compression": "gzip", "shuffle": True},
        {"compression": "lzf"},
        {"fletcher32": True, "chunks": (3, 3)},
        {},
    ):
        stream = io.BytesIO()
        with h5py.File(stream, "w", libver="latest" if not options else "earliest") as file:
            file.create_dataset("g/image", data=_pixels(False, True), **options).attrs["unit"] = "mm"
        yield stream.getvalue()


def _photo(suffix: str) -> Callable[[], Iterator[bytes]]:
    return functools.partial(_written, suffix, deep=False, colours=suffix != ".gif")


def _recorded() -> Iterator[bytes]:
    """Outputs with a record of what made them."""
    from fsrcnn_np.files.picture import Provenance
    from fsrcnn_np.images.value_range import ValueRange

    made = Provenance(
        "Super-resolution", "x2", 2, "x2", "ab" * 32, "fsrcnn-np", "1", ValueRange(0, 255, "dtype"), "cd" * 32
    )
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".png", ".tif", ".jpg", ".jp2", ".j2k", ".webp", ".gif", ".h5"):
            path = Path(folder, f"a{suffix}")
            files.write(path, _pixels(False, False), provenance=made)
            yield path.read_bytes()


def _recorded_changed(rng, data: bytes, seeds) -> bytes:  # type: ignore[no-untyped-def]
    """Half of the time in the record itself."""
    at = data.find(b'{"allow"')
    if at < 0 or rng.random() < 0.5:
        return changed(rng, data, seeds)
    end = data.find(b"}", data.find(b'"digest"', at)) + 1
    new = words_changed(rng, data[at:end], ())
    return data[:at] + (new[: end - at].ljust(end - at) if rng.random() < 0.7 else new) + data[end:]


def _target(
    name: str, suffix: str, seeds: Callable[[], Iterator[bytes]], change: Change, ratio: int = PACKED
) -> Target:
    def read(path: Path) -> object:
        with warnings.catch_warnings():
            return files.read(path)

    return Target(name, seeds, of_file(suffix, read), change, ratio=ratio)


TARGETS = {
    target.name: target
    for target in (
        _target("png", ".png", _png, shapes.png, 3 * DEFLATED),
        _target("tiff", ".tif", _tiff, shapes.tiff),
        _target("jpeg", ".jpg", _jpeg, shapes.markers, 3 * 2048),
        _target("jpeg2000", ".jp2", functools.partial(_written, ".jp2"), shapes.markers),
        _target("pnm", ".pgm", _pnm, words_changed, 64),
        _target("bmp", ".bmp", _photo(".bmp"), changed, 4096),
        _target("webp", ".webp", _photo(".webp"), changed),
        _target("gif", ".gif", _photo(".gif"), changed, 12288),
        _target("pcx", ".pcx", _photo(".pcx"), changed, 1536),
        _target("tga", ".tga", _photo(".tga"), changed, 512),
        _target("npy", ".npy", _npy, shapes.npy_changed, 64),
        _target("npz", ".npz", _npz, shapes.zipped(shapes.npy_changed), 3 * DEFLATED),
        _target("mat-image", ".mat", _mat, shapes.mat5, 8 * DEFLATED),
        _target("hdf5-image", ".h5", _hdf5, shapes.hdf5),
        Target("provenance", _recorded, of_file("", files.provenance), _recorded_changed, ratio=DEFLATED),
    )
}
