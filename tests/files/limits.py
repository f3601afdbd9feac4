"""Pictures of no pixel, of one, of one row and of one column, in every format: `python tests/files/limits.py`.

Each goes through `upscale`, into its own format and, with `--convert`, into every other one, and through `piqe-np`. It
is right, or it is refused in one line before anything is computed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pydicom
import scipy.io
import tifffile

import fsrcnn_np
from fsrcnn_np import cli, files, pipeline, piqe_cli
from fsrcnn_np.phantom import phantom
from fsrcnn_np.phantom.dicom_object import encoded
from piqe_np import piqe

WRITTEN = (
    ".png", ".tif", ".pgm", ".ppm", ".bmp", ".jpg", ".jp2", ".j2k", ".webp", ".gif", ".pcx", ".tga", ".npy", ".h5",
)  # fmt: skip
READ = (*WRITTEN, ".npz", ".mat", ".dcm")
NARROW = {".jpg": 65500, ".webp": 16383, ".gif": 65535, ".pcx": 65535, ".tga": 65535, ".dcm": 65535}  #: most columns
LOSSY = (".jpg",)
LONG = 100_000
NAME = "given"


class Tried(NamedTuple):
    """What a command did with a file."""

    what: str
    status: int
    wrong: str  #: empty if nothing is


def shapes(suffix: str) -> list[tuple[int, int]]:
    """One pixel, a row and a column as long as the format has them, and ones whose results it cannot have."""
    most = NARROW.get(suffix, LONG)
    lengths = [most] if most == LONG else [most // 2, most // 2 + 1, most]
    return [(1, 1), *((1, n) for n in lengths), *((n, 1) for n in lengths)]


def write(path: Path, shape: tuple[int, int], *, rgb: bool) -> bool:
    """A picture of noise; False where the format has none like it."""
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3) if rgb else shape, np.uint8)
    if path.suffix == ".npz":
        np.savez(path, image=pixels)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"image": pixels})
    elif path.suffix == ".dcm":
        if rgb:
            return False
        dataset = pydicom.dcmread(io.BytesIO(_object()))
        dataset.Rows, dataset.Columns = shape
        dataset.PixelData = pixels.astype(np.uint16).tobytes()
        dataset.save_as(path)
    else:
        with contextlib.suppress(fsrcnn_np.FormatError):
            files.write(path, pixels)
    return path.exists()


@functools.cache
def _object() -> bytes:
    return encoded(phantom(shape=(256, 256)))


def emptied(path: Path) -> None:
    """A file of one pixel, so changed that it has no columns."""
    data, suffix = bytearray(path.read_bytes()), path.suffix
    if suffix == ".png":
        data[16:20] = bytes(4)
        data[29:33] = struct.pack(">I", crc32(data[12:29]))
    elif suffix in (".pgm", ".ppm"):
        data = bytearray(data[:3] + b"0 1\n255\n")
    elif suffix == ".bmp":
        data[18:22] = bytes(4)
    elif suffix == ".jpg":
        at = data.index(b"\xff\xc0")
        data[at + 7 : at + 9] = bytes(2)
    elif suffix in (".jp2", ".j2k"):
        at = data.index(b"\xff\x51")
        data[at + 6 : at + 10] = bytes(4)
    elif suffix == ".gif":
        data[6:8] = bytes(2)
        at = data.index(b"\x2c\0\0\0\0\1\0\1\0")
        data[at + 5 : at + 7] = bytes(2)
    elif suffix == ".pcx":
        data[4:6], data[8:10] = b"\1\0", b"\0\0"
    elif suffix == ".tga":
        data[12:14] = bytes(2)
    path.write_bytes(data)
    if suffix == ".tif":
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages[0].tags["ImageWidth"].overwrite(0)
    elif suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        dataset.Columns, dataset.PixelData = 0, b""
        dataset.save_as(path)
    elif suffix in (".npy", ".npz", ".mat", ".h5"):
        path.unlink()
        if suffix in (".npy", ".h5"):
            none = np.zeros((1, 0), np.uint8)
            np.save(path, none) if suffix == ".npy" else _hdf5(path, none)
        else:
            write(path, (1, 0), rgb=False)


def _hdf5(path: Path, pixels: np.ndarray) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["image"] = pixels


@contextlib.contextmanager
def counting() -> Iterator[list[int]]:
    """Whether anything is computed."""
    counts, before = list[int](), pipeline._upscale

    def counted(*given, **named):
        counts.append(1)
        return before(*given, **named)

    pipeline._upscale = counted
    try:
        yield counts
    finally:
        pipeline._upscale = before


def run(main, *words: object) -> tuple[int, str, str]:
    """Status, and what is said on both streams, by libraries in C on the second one too."""
    said, complained = io.StringIO(), io.StringIO()
    with tempfile.TemporaryFile() as stream:
        kept = os.dup(2)
        os.dup2(stream.fileno(), 2)
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
                status = main([str(word) for word in words])
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        if status > 128:  # stopped from outside
            sys.exit(status)
        stream.seek(0)
        return status, said.getvalue(), complained.getvalue() + stream.read().decode()


def refused(status: int, said: str, complained: str, counts: list[int]) -> str:
    """What is wrong with a refusal."""
    lines = complained.splitlines()
    if (status, len(lines), said) != (1, 1, "") or "report it" in complained or "Error" in complained:
        return f"status {status}: {said} {complained}"
    return "refused after it was computed" if counts else ""


def upscaled(given: Path, out: Path, *, empty: bool = False) -> Tried:
    """A file through `upscale`: right, or refused."""
    with counting() as counts:
        status, said, complained = run(cli.main, "upscale", given, "-o", out, "--weights", "x2-small")
    what = f"upscale {given.suffix} -o {out.suffix}"
    if status or empty:
        return Tried(what, status, refused(status, said, complained, counts) or "a file" * out.exists())
    picture, found = files.read(given), files.read(out).pixels
    expected = fsrcnn_np.upscale(picture.pixels, weights="x2-small", data_range=picture.data_range)
    if out.suffix == ".webp" and expected.ndim == 2:
        expected = np.stack([expected] * 3, -1)
    if found.shape != expected.shape or not (out.suffix in LOSSY or np.array_equal(found, expected)):
        return Tried(what, status, f"wrong pixels: {found.shape} in place of {expected.shape}")
    return Tried(what, status, complained)


def scored(given: Path, *, empty: bool = False) -> Tried:
    """A file through `piqe-np`."""
    status, said, complained = run(piqe_cli.main, given, "--csv")
    if status or empty:
        return Tried("piqe-np", status, refused(status, "", complained, []))
    picture = files.read(given)
    expected = f"{piqe(picture.pixels, data_range=picture.data_range).score:.4f}"
    return Tried("piqe-np", status, complained if expected in said else f"{said} is not {expected}")


def attack(folder: Path, suffix: str, others: tuple[str, ...], *, few: bool = False) -> Iterator[tuple[str, Tried]]:
    """Every shape of a format, and what became of it; or one pixel, the longest row and none, of one colour."""
    every = shapes(suffix)
    for rgb in [suffix == ".ppm"] if few else [False, True]:
        for height, width in [*([every[0], every[len(every) // 2]] if few else every), (1, 0)]:
            given = folder / f"{NAME}{suffix}"
            given.unlink(missing_ok=True)
            empty = width == 0
            if not write(given, (height, width or 1), rgb=rgb):
                continue
            if empty:
                if suffix == ".webp":  # counts from one
                    continue
                emptied(given)
            kind = f"{height}×{width}{'×3' * rgb}"
            if not few or width <= 1:
                yield kind, scored(given, empty=empty)
            for other in (suffix, *others):
                out = folder / f"out{other}"
                yield kind, upscaled(given, out, empty=empty)
                out.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suffixes", nargs="*", default=READ, metavar="SUFFIX", help="of the inputs; default: all")
    parser.add_argument("--convert", action="store_true", help="into every other format as well")
    given = parser.parse_args()
    begun, count, fallen, right = time.monotonic(), 0, 0, 0
    for suffix in given.suffixes:
        with tempfile.TemporaryDirectory() as place:
            others = tuple(one for one in WRITTEN if one != suffix and given.convert)
            for kind, tried in attack(Path(place), suffix, others):
                count, fallen = count + 1, fallen + bool(tried.wrong)
                right += tried.status == 0 and not tried.wrong
                if tried.wrong:
                    print(f"{kind} {tried.what}: {tried.wrong}", flush=True)
    print(f"{count} calls, {right} right, {count - right - fallen} refused in one line beforehand, {fallen} wrong, "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    return fallen > 0


if __name__ == "__main__":
    sys.exit(main())
