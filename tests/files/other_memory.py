"""Every format, written in many new processes whose memory is never alike: one content each.

    python tests/files/other_memory.py --processes 30

Between files blocks of random sizes are held, and glibc fills what it gives out with another byte in each process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "pacs"), str(Path(__file__).parents[2])]

SUFFIXES = ("png", "tif", "jp2", "jpg", "webp", "bmp", "gif", "tga", "pcx", "pnm", "npy", "h5")
TIFF = (1, 5, 8, 32773, 34925, 50000)
HDF5 = ({"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"compression": "lzf"})


def digests(folder: Path) -> dict[str, str]:
    """What this process writes: a digest a file."""
    import h5py
    import numpy as np
    import tifffile

    from fsrcnn_np import FormatError, files, upscale_file
    from fsrcnn_np.files.dicom import TRANSFER_SYNTAXES
    from pacs_peers import mammogram, save

    chance, held, found = random.Random(), [], {}
    rng, row = np.random.default_rng(5), np.arange(700)
    deep = 2000 + 1500 * np.sin(np.add.outer(row, row[:500]) / 90) + rng.normal(0, 3, (700, 500))
    deep = np.where(row[:500] < 200, 0, deep).clip(0, 4095).astype(np.uint16)
    grey = (deep >> 4).astype(np.uint8)
    pictures = {"16 bits": deep, "8 bits": grey, "RGB": np.stack([grey, grey[::-1], 255 - grey], -1)}

    def put(name: str, file: str, pixels: np.ndarray, like: files.Picture | None = None) -> None:
        held.append(bytearray(chance.randrange(1, 400_000)))
        try:
            files.write(folder / file, pixels, like=like, overwrite=True)
        except FormatError:  # a format that does not hold these
            return
        whole = (folder / file).read_bytes()
        # h5py's LZF packs by a table that it never clears: the values alone are the same.
        found[name] = hashlib.sha256(files.read(folder / file).pixels if "lzf" in name else whole).hexdigest()

    for kind, pixels in pictures.items():
        for suffix in SUFFIXES:
            put(f"{suffix}, {kind}", f"a.{suffix}", pixels)
        for code in TIFF:
            tifffile.imwrite(folder / "in.tif", pixels, compression=code, photometric=None)
            put(f"TIFF {code}, {kind}", "b.tif", pixels, files.read(folder / "in.tif"))
        for options in HDF5:
            with h5py.File(folder / "in.h5", "w") as file:
                file.create_dataset("image", data=pixels, **options)
            put(f"HDF5 {options}, {kind}", "b.h5", pixels, files.read(folder / "in.h5"))
    save(mammogram(1, shape=(200, 180)), folder / "in.dcm")
    for syntax in TRANSFER_SYNTAXES:
        held.append(bytearray(chance.randrange(1, 400_000)))
        done = folder / f"{syntax}.dcm"
        upscale_file(folder / "in.dcm", done, weights="x2-small", transfer_syntax=syntax)
        found[f"DICOM {syntax}"] = hashlib.sha256(done.read_bytes()).hexdigest()
    return found


def main() -> int:
    """Prints what had several contents, and how often each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=30)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(digests(Path(folder))))
        return 0
    contents: dict[str, Counter[str]] = {}
    for number in range(options.processes):
        environment = os.environ | {"MALLOC_PERTURB_": str(1 + number % 255)}
        done = subprocess.run(
            [sys.executable, __file__, "--once"], env=environment, capture_output=True, text=True, check=True
        )
        for name, digest in json.loads(done.stdout).items():
            contents.setdefault(name, Counter())[digest] += 1
    several = {name: sorted(count.values()) for name, count in contents.items() if len(count) > 1}
    print(f"{len(contents)} kinds of file, {options.processes} processes; several contents: {several or 'none'}")
    return 1 if several else 0


if __name__ == "__main__":
    sys.exit(main())
