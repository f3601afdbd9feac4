"""`piqe_np.piqe`: what it gives, what it takes, what it refuses, and how much memory it needs."""

import dataclasses
import subprocess
import sys
import textwrap

import dask
import dask.array
import h5py
import numpy as np
import pytest
from images import CLASSES, picture, same_bits
from scipy import sparse

from piqe_np import ImageError, OptionError, PiqeError, PiqeResult, Scaling, piqe
from piqe_np.source import SLAB_BYTES


class Rows:
    """An array that can only be read by rows, and remembers how many were asked for."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype, self.most = array, array.shape, array.dtype, 0

    def __getitem__(self, rows: slice) -> np.ndarray:
        assert isinstance(rows, slice)
        found = self.array[rows]
        self.most = max(self.most, found.nbytes)
        return found


def test_result_has_named_fields():
    image = picture(50, 70)
    found = piqe(image)
    assert isinstance(found, PiqeResult)
    assert type(found.score) is float
    for mask in (found.activity_mask, found.noticeable_artifacts_mask, found.noise_mask):
        assert mask.dtype == bool
        assert mask.shape == (50, 70)
    active = found.activity_mask
    assert active.any()
    assert not active.all()
    assert not (found.noticeable_artifacts_mask & ~active).any()
    assert not (found.noise_mask & ~active).any()
    assert found.activity_mask is active  # expanded once
    assert active[16:32, 16:32].all() or not active[16:32, 16:32].any()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.score = 0


def test_score_follows_from_masks_and_variances():
    found = piqe(picture(64, 80))
    v = found.blocks.variance
    active, artifact, noise = (
        mask[::16, ::16] for mask in (found.activity_mask, found.noticeable_artifacts_mask, found.noise_mask)
    )
    assert np.array_equal(active, v > 0.1)
    distortion = (artifact * (1 - v) + noise * v)[active].sum()
    assert abs(found.score - 100 * (distortion + 1) / (active.sum() + 1)) < 1e-9
    assert found.block_shares == (active.mean(), artifact.mean(), noise.mean())


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 0, 255), ("uint16", 0, 65535), ("int16", -32768, 32767), ("float32", 0, 1), ("float64", 0, 1)],
)
def test_scaling_used_is_named(dtype, low, high):
    image = np.zeros((16, 16), dtype)
    assert piqe(image).scaling == Scaling(low, high, dtype)
    assert piqe(image, data_range=100).scaling == Scaling(0, 100, "data_range")
    assert str(piqe(image, data_range=100).scaling) == "0 to 100 (data_range)"


def test_floats_beyond_one_are_neither_clipped_nor_rescaled():
    image = picture(48, 48, "float64")
    assert image.min() < 0
    assert image.max() > 1
    assert piqe(image).score != piqe(image.clip(0, 1)).score
    whole = np.round(image * 255) / 255
    assert piqe(whole).score == pytest.approx(piqe(whole + 1).score, abs=1e-9)  # an offset of 255 levels
    with pytest.raises(ImageError, match="lie outside 0 to 1"):
        piqe(image, data_range=1)


@pytest.mark.parametrize("rgb", [False, True], ids=["grey", "rgb"])
@pytest.mark.parametrize("dtype", CLASSES)
def test_memory_layouts_give_the_same_bits(dtype, rgb):
    image = picture(70, 90, dtype, rgb)
    right = piqe(image)
    wide = np.zeros((140, 100, *image.shape[2:]), dtype)
    wide[::2, 5:95] = image
    frozen = image.copy()
    frozen.flags.writeable = False
    layouts = [
        image.view(np.memmap),
        np.asfortranarray(image),
        wide[::2, 5:95],
        image[::-1][::-1],
        frozen,
        image.astype(f">{image.dtype.str[1:]}"),
    ]
    if dtype.startswith("float"):
        layouts.append(image.tolist() if dtype == "float64" else image)
    for other in layouts:
        assert same_bits(piqe(other), right)


def test_input_is_left_alone():
    image = picture(33, 40, "int16", rgb=True)
    before = image.copy()
    for engine in ("llvm", "numba", "reference"):
        piqe(image, engine=engine)
        assert np.array_equal(image, before)


@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
@pytest.mark.parametrize("shape", [(3000, 4100), (1500, 1400, 3)])
def test_arrays_that_live_elsewhere_are_read_by_rows(tmp_path, shape, engine):
    image = np.tile(picture(300, 500, "uint16", len(shape) == 3), (10, 9, 1)[: len(shape)])[: shape[0], : shape[1]]
    image = np.ascontiguousarray(image)
    right = piqe(image)
    rows = Rows(image)
    assert same_bits(piqe(rows, engine=engine), right)
    assert rows.most <= SLAB_BYTES + 22 * image[0].nbytes
    with h5py.File(tmp_path / "image.h5", "w") as file:
        stored = file.create_dataset("image", data=image, chunks=(100, 256, 3)[: image.ndim], compression="lzf")
        assert same_bits(piqe(stored, engine=engine), right)
    np.save(tmp_path / "image.npy", image)
    for mode in ("r", "r+"):
        assert same_bits(piqe(np.load(tmp_path / "image.npy", mmap_mode=mode), engine=engine), right)
    assert same_bits(piqe(dask.array.from_array(image, chunks=(777, 1000, 3)[: image.ndim]), engine=engine), right)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_cohort_in_dask_workers(scheduler):
    images = [picture(200 + 16 * number, 170, "uint16") for number in range(4)]
    with dask.config.set({"multiprocessing.context": "spawn"}):
        found = dask.compute(*map(dask.delayed(piqe), images), scheduler=scheduler, num_workers=2)
    for result, image in zip(found, images, strict=True):
        assert same_bits(result, piqe(image))


def test_memory_does_not_grow_with_the_image(tmp_path):
    """Peak memory of scoring 8 and 200 million pixels from an HDF5 file, in fresh processes."""
    code = textwrap.dedent("""
        import resource, sys, h5py, numpy as np
        from piqe_np import piqe
        with h5py.File(sys.argv[1], "w") as file:
            image = file.create_dataset("image", (int(sys.argv[2]), 10_000), "uint16", chunks=(100, 1000), fillvalue=7)
            image[100:200, 100:300] = np.arange(20_000).reshape(100, 200)
            piqe(image, threads=2)
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """)
    peaks = []
    for rows in (800, 20_000):
        command = [sys.executable, "-c", code, str(tmp_path / "image.h5"), str(rows)]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] - peaks[0] < 80 * 1024  # KiB; the image has 400 MB


def array(dtype, *shape):
    return np.zeros(shape or (20, 20), dtype)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (array(bool), "astype"),
        (array(complex), "magnitude"),
        (array(object), "object"),
        (array("int32"), "int32"),
        (array("uint32"), "uint32"),
        (array("int64"), "int64"),
        (array("int8"), "int8"),
        (array("float16"), "float32"),
        (array("U3"), "str"),
        (array("u1", 0, 5), "empty"),
        (array("u1", 5, 0), "empty"),
        (array("u1", 5, 5, 0), "empty"),
        (array("u1", 5), "shape"),
        (array("u1", 5, 5, 1), "shape"),
        (array("u1", 5, 5, 2), "shape"),
        (array("u1", 5, 5, 4), "alpha"),
        (array("u1", 3, 5, 5), "channels last"),
        (array("u1", 2, 5, 5, 3), "one picture"),
        (np.float64(3), "shape"),
        (np.array([[0, np.nan]] * 9), "NaN"),
        (np.array([[0, np.inf]] * 9), "Inf"),
        (np.array([[0, -np.inf]] * 9, np.float32), "Inf"),
        (np.ma.masked_equal(array("u1"), 0), "filled"),
        (sparse.csr_matrix(array("u1")), "toarray"),
        (sparse.coo_array(array("u1")), "toarray"),
        (None, "object"),
        ("image.png", "file's name"),
        ([[1, 2], [3]], "list"),
        ([[1, 2], [3, 4]], "int64"),
        (Rows(array(bool)), "bool"),
        (Rows(np.full((20, 20), np.nan)), "NaN"),
    ],
)
@pytest.mark.parametrize("engine", [None, "reference"])
def test_refused_images(image, says, engine):
    with pytest.raises(ImageError, match=says) as refusal:
        piqe(image, engine=engine)
    assert isinstance(refusal.value, ValueError)
    assert isinstance(refusal.value, PiqeError)
    assert "\n" not in str(refusal.value)


def test_one_bad_pixel_anywhere_is_found(monkeypatch):
    monkeypatch.setattr("piqe_np.score.START", 1)
    for place in ((0, 0), (299, 399), (150, 7), (127, 200)):
        for value in (np.nan, np.inf, -np.inf):
            image = picture(300, 400, "float32")
            image[place] = value
            with pytest.raises(ImageError, match="NaN or Inf"):
                piqe(image, threads=3)
        image = picture(300, 400, "uint16") // 20
        image[place] = 5000
        with pytest.raises(ImageError, match="5000 lie outside 0 to 4095"):
            piqe(image, data_range=4095, threads=3)
    with pytest.raises(ImageError, match="-5"):
        piqe(np.full((9, 9), -5, np.int16), data_range=4095)


def test_a_closed_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "image.h5", "w") as file:
        stored = file.create_dataset("image", data=array("u1"))
    with pytest.raises(ImageError):
        piqe(stored)


class Broken(Rows):
    def __getitem__(self, rows: slice) -> np.ndarray:
        raise OSError("disk on fire")


class Short(Rows):
    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.array[rows][:-1]


class Other(Rows):
    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.array[rows].astype(np.uint16)


@pytest.mark.parametrize(("kind", "says"), [(Broken, "disk on fire"), (Short, "of shape"), (Other, "uint16")])
def test_array_likes_that_break_their_word(kind, says):
    with pytest.raises(ImageError, match=says):
        piqe(kind(array("u1")))


@pytest.mark.parametrize(
    "bad",
    [0, -1, np.nan, np.inf, "255", True, 1j, [255], 256, 1e300, (0, 256), (-1, 9), (9, 9), (9, 8), (0, 1, 2), (0, "1")],
)
def test_refused_data_ranges(bad):
    with pytest.raises(OptionError, match="data_range"):
        piqe(array("u1"), data_range=bad)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "1", True, 10**400, (0, np.nan), (-1e308, 1e308)])
def test_refused_data_ranges_of_floats(bad):
    with pytest.raises(OptionError, match="data_range"):
        piqe(array("f8"), data_range=bad)


@pytest.mark.parametrize("good", [255, 0.5, np.uint8(9), np.float32(200)])
def test_accepted_data_ranges(good):
    assert piqe(array("u1"), data_range=good).scaling.high == good
    assert piqe(array("u1"), data_range=(0, good)).scaling == (0, good, "data_range")


def test_values_beyond_black_and_white():
    with pytest.raises(ImageError, match="values from -5 to -5 lie outside -4 to 100"):
        piqe(np.full((9, 9), -5, np.int16), data_range=(-4, 100))


def test_refused_options():
    for engine in ("cuda", "", 3, ["numba"]):
        with pytest.raises(OptionError, match="'llvm' or 'numba' or 'reference'"):
            piqe(array("u1"), engine=engine)
    for threads in (0, -3, 2.5, "2", True):
        with pytest.raises(OptionError, match="threads"):
            piqe(array("u1"), threads=threads)
    with pytest.raises(TypeError):
        piqe(array("u1"), 255)


def test_threads_from_the_environment(monkeypatch):
    monkeypatch.setenv("PIQE_NP_THREADS", "0")
    with pytest.raises(OptionError, match="PIQE_NP_THREADS"):
        piqe(array("u1"))
    assert piqe(array("u1"), threads=1).score == 100


def test_pillow_images_are_scored_by_their_colours():
    """A palette image's indices are no grey: 88.96 instead of 86.84 was seen."""
    from PIL import Image

    rgb = picture(40, 50, "uint8", rgb=True)
    whole = Image.fromarray(rgb)
    assert piqe(whole).score == piqe(rgb).score
    palette = whole.quantize(16)
    assert palette.mode == "P"
    assert piqe(palette).score == piqe(np.asarray(palette.convert("RGB"))).score
    grey = Image.fromarray(picture(40, 50))
    assert piqe(grey).score == piqe(picture(40, 50)).score
    assert piqe(Image.fromarray(picture(40, 50, "uint16"))).score == piqe(picture(40, 50, "uint16")).score
    grey_palette = grey.convert("P")
    assert piqe(grey_palette).score == piqe(np.asarray(grey_palette.convert("L"))).score
    for mode in ("CMYK", "RGBA", "1", "LA"):
        with pytest.raises(ImageError, match=rf"mode {mode} is not taken as it is; pass image.convert\('(L|RGB)'\)"):
            piqe(whole.convert(mode))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((20, 30, 1), r"image\[..., 0\]"), ((1, 20, 30), r"image\[0\]"), ((3, 20, 30), "moveaxis"),
        ((20, 30, 4), r"image\[..., :3\] \(CMYK"), ((20, 30, 2), r"image\[..., 0\]"), ((2, 20, 30, 3), "one picture"),
    ],
)  # fmt: skip
def test_other_shapes_are_told_what_they_are(shape, told):
    with pytest.raises(ImageError, match=told):
        piqe(np.zeros(shape, np.uint8))


def test_lists():
    image = picture(20, 30, "float64")
    assert piqe(image.tolist()).score == piqe(image).score
    with pytest.raises(ImageError, match=r"a list of whole numbers \(int64\) has no class of MATLAB's; give it one"):
        piqe(picture(20, 30).tolist())


def test_floats_that_may_be_meant_otherwise_are_remarked():
    image = picture(40, 50).astype(np.float64)
    (remark,) = piqe(image / 100).remarks
    assert "its values end at 2.55, and floats are taken as 0..1" in remark
    assert piqe(image, data_range=255).remarks == ()
    assert piqe(image / 255).remarks == ()
    assert piqe(image - 100).remarks[0].startswith("its levels reach 3.95")
    assert piqe(picture(40, 50)).remarks == ()


def test_levels_beyond_the_promise_are_remarked():
    rng = np.random.default_rng(0)
    inside, beyond = (level / 255 - 2.5 + rng.normal(0, 0.01, (64, 64)) for level in (980, 1100))
    assert piqe(inside).remarks == ()
    assert "beyond 1000 another order of additions" in piqe(beyond - 10).remarks[0]
    assert piqe(beyond, data_range=(beyond.min(), beyond.max())).remarks == ()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_range_in_a_narrow_type_is_compared_in_float64(kind):
    image = (np.random.default_rng(0).random((40, 50)) * 200).astype(kind)
    white = np.float32(image.max()) + np.float32(1)
    assert piqe(image, data_range=white).score == piqe(image, data_range=float(white)).score
    assert piqe(image, data_range=np.float16(60000)).scaling.high == 60000


@pytest.mark.parametrize(
    "data_range", [10**400, (0, 10**400), -(10**400), 10**5000, np.float16("inf")], ids=lambda _: ""
)
def test_a_range_that_no_float_holds_is_refused_in_one_short_line(data_range):
    with pytest.raises(OptionError, match="cannot be the value of white") as caught:
        piqe(np.zeros((20, 20)), data_range=data_range)
    assert len(str(caught.value)) < 300
