"""What does not fit into memory goes through it by bands of rows; many small files leave nothing behind in it."""

import subprocess
import sys
from pathlib import Path

import h5py
import imageio.v3 as iio
import numpy as np
import pytest

from fsrcnn_np import FileError, ImageError, pipeline, provenance, read, upscale, upscale_file

ROOT = Path(__file__).parents[2]
FILTERS = {
    "contiguous": {},
    "gzip": {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True, "chunks": (50, 33)},
    "lzf": {"compression": "lzf"},
}


def dataset(path, image, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("scan", data=image, **options).attrs["who"] = "nobody"


@pytest.fixture(params=[True, False], ids=["by bands", "whole"])
def by_bands(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(pipeline, "LARGE", 1000)
        monkeypatch.setattr("fsrcnn_np.stream.BAND_PIXELS", 7000)
    return request.param


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "u1", "<i2", "<f4", ">f8"])
@pytest.mark.parametrize("kind", FILTERS)
def test_the_same_either_way(kind, dtype, by_bands, tmp_path):
    image = np.random.default_rng(0).integers(0, 100, (203, 91)).astype(dtype)
    if image.dtype.kind == "f":
        image /= 100
    dataset(tmp_path / "a.h5", image, **FILTERS[kind])
    done = upscale_file(tmp_path / "a.h5", tmp_path / "out" / "a.h5", weights="x2-small")
    assert done.shape == (406, 182)
    with h5py.File(tmp_path / "out" / "a.h5") as file:
        found = file["scan"]
        assert found.dtype == dtype
        assert found.attrs["who"] == "nobody"
        options = FILTERS[kind]
        assert (found.compression, found.shuffle, found.fletcher32) == (
            options.get("compression"), options.get("shuffle", False), options.get("fletcher32", False),
        )  # fmt: skip
        assert (found.chunks is None) == (kind == "contiguous")
        native = image.astype(image.dtype.newbyteorder("="))
        np.testing.assert_array_equal(found[()], upscale(native, weights="x2-small"))
    assert provenance(tmp_path / "out" / "a.h5").source_sha256 == done.provenance.source_sha256
    assert read(tmp_path / "out" / "a.h5").details["dataset"] == "/scan"


def test_what_is_wrong_leaves_no_file(by_bands, tmp_path):
    image = np.zeros((300, 90), np.uint16)
    image[299, 0] = 5000
    dataset(tmp_path / "a.h5", image)
    with pytest.raises(ImageError, match=r"^.*a\.h5.*5000"):
        upscale_file(tmp_path / "a.h5", tmp_path / "out" / "a.h5", data_range=4095)
    assert not list((tmp_path / "out").glob("*")) or not (tmp_path / "out").exists()
    done = upscale_file(tmp_path / "a.h5", tmp_path / "out" / "a.h5")
    assert "its values end at 5000" in done.remarks[0]


@pytest.mark.parametrize("how", ["written", "cut", "replaced", "gone"])
def test_a_file_that_changes_between_two_bands(how, monkeypatch, tmp_path):
    """One line, as of all that is read whole; nothing of it is left, and an output that was there stays."""
    monkeypatch.setattr(pipeline, "LARGE", 1000)
    monkeypatch.setattr("fsrcnn_np.stream.BAND_PIXELS", 7000)
    source, out = tmp_path / "a.h5", tmp_path / "out" / "a.h5"
    dataset(source, np.random.default_rng(0).integers(0, 100, (403, 91), np.uint16))
    upscale_file(source, out)
    before = out.read_bytes()
    real, reads = h5py.Dataset.__getitem__, []

    def changed(self, key):
        found = real(self, key)
        reads.append(key)
        if len(reads) == 3:  # of all bands twice: for the extremes, and to be super-resolved
            if how == "gone":
                source.unlink()
            elif how == "replaced":
                dataset(tmp_path / "b.h5", np.zeros((403, 91), np.uint16))
                (tmp_path / "b.h5").replace(source)
            else:
                with open(source, "r+b") as file:
                    file.truncate(2000) if how == "cut" else file.write(file.read(1))
        return found

    monkeypatch.setattr(h5py.Dataset, "__getitem__", changed)
    with pytest.raises(FileError, match=r"^[^:]*a\.h5: changed while it was read; run it again when nobody writes it"):
        upscale_file(source, out, overwrite=True)
    assert len(reads) in (3, 4)
    assert [path.name for path in out.parent.iterdir()] == ["a.h5"]
    assert out.read_bytes() == before


@pytest.mark.parametrize("other", ["a.npy", "a.tif"])
def test_another_format_takes_it_whole(other, by_bands, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (70, 60), np.uint8)
    dataset(tmp_path / "a.h5", image)
    upscale_file(tmp_path / "a.h5", tmp_path / other)
    np.testing.assert_array_equal(read(tmp_path / other).pixels, upscale(image))


GROWTH = """
import importlib, resource, sys
from pathlib import Path
main = importlib.import_module(sys.argv[1]).main
for number in range(3):
    assert main([word.replace("NUMBER", str(number)) for word in sys.argv[2:]]) == 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    print("resident", pages * resource.getpagesize() / 2**20)
"""


@pytest.mark.parametrize("command", ["fsrcnn_np.cli", "fsrcnn_np.piqe_cli"])
def test_memory_of_many_small_files(command, tmp_path):
    """The third run over the same 40 files has no more than the second. The whole: python -m benchmarks.night."""
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        iio.imwrite(tmp_path / "in" / f"{number}.png", rng.integers(0, 65536, rng.integers(1, 17, 2), np.uint16))
    words = (
        ["upscale", tmp_path / "in", "-o", tmp_path / "outNUMBER"] if command == "fsrcnn_np.cli" else [tmp_path / "in"]
    )
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, command, *map(str, words)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    resident = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("resident")]
    assert resident[2] < resident[1] + 4
