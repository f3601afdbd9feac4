"""Every format that is written gives back the same model, bit for bit; our own HDF5 believes nothing."""

import json
import shutil

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsrcnn_np import load_weights
from fsrcnn_np.convert import SUFFIXES, TORCH, save_weights, shipped
from fsrcnn_np.errors import FileError, NotThereError, OptionError, WeightsError
from fsrcnn_np.files import OutputExists
from models import random_weights


def model(seed=0, **options):
    options = {"dsm": (5, 3, 2), "scale": 2, "border": "replicate", "dtype": np.float32, **options}
    return random_weights(np.random.default_rng(seed), **options)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(
    dsm=st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 12)), scale=st.sampled_from([2, 3, 4]),
    border=st.sampled_from(["zero", "replicate"]), offset=st.integers(2, 6), shared=st.booleans(),
    mean=st.sampled_from([0.0, 0.1]), dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_bit_for_bit(tmp_path_factory, suffix, dsm, scale, border, offset, shared, mean, dtype):
    weights = model(
        dsm=dsm, scale=scale, border=border, offset=offset, shared_slope=shared, mean=mean, dtype=dtype,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("model") / f"m{suffix}"
    save_weights(weights, path, with_module=True)
    again = load_weights(path)
    assert again.sha256 == weights.sha256  # architecture, convention and every bit of the parameters
    assert (again.provenance, again.licence) == (weights.provenance, weights.licence)
    for name, array in weights.arrays().items():
        assert again.arrays()[name].dtype == array.dtype
        assert again.arrays()[name].tobytes() == array.tobytes()


def test_through_all_formats_in_turn(tmp_path):
    weights = first = model(border="zero")
    for suffix in SUFFIXES:
        save_weights(weights, tmp_path / f"m{suffix}")
        weights = load_weights(tmp_path / f"m{suffix}")
    assert weights.sha256 == first.sha256
    assert weights.provenance == first.provenance


@pytest.mark.shared
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_authors_model(shared, tmp_path, suffix):
    weights = load_weights(shared / "fsrcnn_authors" / "x2.mat")
    save_weights(weights, tmp_path / f"m{suffix}", with_module=True)
    again = load_weights(tmp_path / f"m{suffix}")
    assert again.sha256 == weights.sha256
    assert again.provenance == weights.provenance


def test_shipped_models_load_and_say_what_they_are():
    models = shipped()
    assert next(iter(models)) == "x2"
    for name, path in models.items():
        weights = load_weights(name)
        assert weights.sha256 == load_weights(path).sha256
        assert weights.provenance["epochs"] > 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_exists_is_kept(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(b"mine")
    with pytest.raises(FileError, match=r"exists, made otherwise: .*; --overwrite \(overwrite=True\)"):
        save_weights(model(border="zero"), path)
    assert path.read_bytes() == b"mine"
    save_weights(model(border="zero"), path, overwrite=True)
    assert load_weights(path).architecture.d == 5
    with pytest.raises(OutputExists, match="is kept"):
        save_weights(model(border="zero"), path)  # the same bytes, whenever
    with pytest.raises(FileError, match=r"exists, made otherwise: model .* \(.*\) → .* \(.*\), "):
        save_weights(model(1, border="zero"), path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_no_part_of_a_file_is_left(tmp_path):
    (tmp_path / "file").touch()
    for suffix in SUFFIXES:
        with pytest.raises(FileError, match="cannot be written"):
            save_weights(model(border="zero"), tmp_path / "file" / f"m{suffix}")
    with pytest.raises(OptionError, match=r"the suffix '\.bin' says no format; allowed are \.h5"):
        save_weights(model(), tmp_path / "m.bin")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_header_that_no_longer_fits(tmp_path):
    """Parameters changed by someone else keep the convention, and are no longer called ours."""
    import torch

    weights = model(border="zero")
    save_weights(weights, tmp_path / "x2.pth")
    state = torch.load(tmp_path / "x2.pth", weights_only=True)
    state["deconv.bias"] += 1
    torch.save(state, tmp_path / "x2.pth")
    again = load_weights(tmp_path / "x2.pth")
    assert again.border == "zero"
    assert "changed since" in again.provenance["notes"][0]
    assert again.provenance["written_as"] == weights.provenance


def test_asking_for_another_convention(tmp_path):
    path = tmp_path / "m.h5"
    save_weights(model(scale=3), path)
    assert load_weights(path, border="replicate").sha256 == load_weights(path).sha256
    weights = load_weights(
        path, border="zero", deconvolution_offset=3, value_range=(0, 255), input_mean=1.5, licence="X"
    )
    assert (weights.border, weights.deconvolution_offset, weights.value_range) == ("zero", 3, (0, 255))
    assert (weights.input_mean, weights.licence) == (1.5, "X")
    assert weights.provenance["convention"]["border"]["source"] == "asked for; the file says replicate"
    assert weights.provenance["model"] == "random"
    with pytest.raises(WeightsError, match="scale=2 was asked for, but the file says 3"):
        load_weights(path, scale=2)
    with pytest.raises(WeightsError, match="border is 'mirror'"):
        load_weights(path, border="mirror")


# Our HDF5 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ours(tmp_path):
    path = tmp_path / "m.h5"
    save_weights(model(), path)
    return path


def replace_dataset(file, name, data):
    del file[name]
    file[name] = data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.attrs.__delitem__("format"), "no attribute format"),
        (lambda f: f.attrs.__setitem__("schema", 3), "schema 3.0 was found; this version reads schemas 1 and 2"),
        (lambda f: f.attrs.__setitem__("d", 6), r"feature_extraction/weight has shape \(5, 1, 5, 5\); \(6, 1, 5, 5\)"),
        (lambda f: f.attrs.__setitem__("d", 10**9), "d is 1000000000; allowed is a whole number from 1 to 1024"),
        (lambda f: f.attrs.update(d=1024, s=1024, m=64), "far more than any FSRCNN"),
        (lambda f: f.attrs.__setitem__("border", 3), "attribute border is missing or is no text"),
        (lambda f: f.attrs.__setitem__("border", "mirror"), "border is 'mirror'"),
        (lambda f: f.attrs.__setitem__("input_mean", 0.5), "sha256 is .*damaged or edited"),
        (lambda f: f.attrs.__setitem__("value_range", [0.0]), "attribute value_range is missing or is not 2 numbers"),
        (lambda f: f.__delitem__("mapping_2"), "mapping_2/weight is missing"),
        (lambda f: f.__delitem__("shrinking/slope"), "shrinking/slope is missing"),
        (lambda f: f.create_dataset("mapping_3/weight", data=[1.0]), "unknown layer 'mapping_3/weight' was found"),
        (lambda f: replace_dataset(f, "expanding/bias", np.ones(4, "f4")), r"expanding/bias has shape \(4,\); \(5,\)"),
        (lambda f: replace_dataset(f, "expanding/bias", np.ones(5, "i4")), "expanding/bias is int32; allowed are"),
        (lambda f: replace_dataset(f, "expanding/bias", np.full(5, np.nan, "f4")), "bias has 5 values that are NaN"),
        (lambda f: replace_dataset(f, "expanding/bias", h5py.ExternalLink("other.h5", "x")), "is missing|readable"),
        (lambda f: replace_dataset(f, "expanding/bias", h5py.SoftLink("/expanding/bias")), "is missing|readable"),
        (lambda f: replace_dataset(f, "provenance", np.frombuffer(b"{", np.uint8)), "provenance is no JSON"),
        (lambda f: replace_dataset(f, "provenance", np.frombuffer(b"[1]", np.uint8)), "provenance is a JSON list"),
        (lambda f: replace_dataset(f, "deconvolution/weight", np.ones((5, 1, 9, 9), "f4")), "sha256"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named(ours, change, message):
    with h5py.File(ours, "r+") as file:
        change(file)
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(ours)
    assert str(ours) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_raw_values_of_another_file_are_not_read(ours, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(20))
    with h5py.File(ours, "r+") as file:
        del file["expanding/bias"]
        file.create_dataset("expanding/bias", (5,), "f4", external=[(str(tmp_path / "secret"), 0, 20)])
    with pytest.raises(WeightsError, match="expanding/bias is missing"):
        load_weights(ours)


@pytest.mark.parametrize("part", [0.02, 0.2, 0.5, 0.8, 0.99])
def test_truncated(ours, part):
    whole = ours.read_bytes()
    ours.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(WeightsError, match="no readable HDF5 file, or a damaged one"):
        load_weights(ours)


def test_no_file_no_format(tmp_path):
    with pytest.raises(
        NotThereError, match="there is no such file; give a weights file, or a shipped model's name: x2"
    ):
        load_weights(tmp_path / "none.h5")
    with pytest.raises(FileError, match="is a folder"):
        load_weights(tmp_path)
    for content in (b"", b"text", b"\x93NUMPY", b"GIF89a" + bytes(200)):
        path = tmp_path / "x2.bin"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="which is no format that is read"):
            load_weights(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_letters_of_a_suffix_may_be_large(tmp_path, suffix):
    """As of pictures: PACS and Windows write MODEL.H5."""
    small, large = tmp_path / f"a{suffix}", tmp_path / f"A{suffix.upper()}"
    for path in (small, large):
        save_weights(model(), path, with_module=suffix in TORCH, overwrite=True)
    assert large.read_bytes() == small.read_bytes()
    assert load_weights(large) == model()


def test_the_suffix_does_not_matter_for_reading(ours, tmp_path):
    shutil.copy(ours, tmp_path / "x2.mat")
    assert load_weights(tmp_path / "x2.mat").sha256 == load_weights(ours).sha256


def test_a_header_of_another_kind(tmp_path):
    from scipy.io import loadmat, savemat

    save_weights(model(), tmp_path / "m.mat")
    struct = loadmat(tmp_path / "m.mat")["fsrcnn"]
    header = json.loads(str(struct["header"].item()[0]))
    for change, message in [
        ({"schema": 9}, "schema 9 was found"), ({"border": 4}, "the header's border is 4"),
        ({"value_range": [1]}, "value_range is"), ({"format": "x"}, "says no format"),
        ({"border": "odd"}, "border is 'odd'"),
    ]:  # fmt: skip
        struct["header"][0, 0] = np.array([json.dumps(header | change)])
        savemat(tmp_path / "changed.mat", {"fsrcnn": struct})
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / "changed.mat")


def test_texts_of_both_kinds(ours):
    """Written with a fixed length, and read as h5py's default kind too, which earlier files have."""
    with h5py.File(ours, "r+") as file:
        assert file.attrs["format"] == b"fsrcnn-np weights"
        for name in ("format", "border", "licence", "sha256"):
            file.attrs[name] = file.attrs[name].decode()
    assert load_weights(ours).sha256 == model().sha256


@pytest.mark.parametrize("licence", ["", "Crème brûlée 4.0"])
def test_any_licence(tmp_path, licence):
    from dataclasses import replace

    for suffix in SUFFIXES:
        save_weights(replace(model(border="zero"), licence=licence), tmp_path / f"m{suffix}")
        assert load_weights(tmp_path / f"m{suffix}").licence == licence
