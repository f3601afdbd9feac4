"""PyTorch: the common ports' state dicts, whatever they are called and wrapped in; nothing is unpickled."""

import argparse
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fsrcnn_np import load_weights
from fsrcnn_np.convert import ConventionWarning, save_weights
from fsrcnn_np.convert.torch import file as torch_file
from fsrcnn_np.convert.torch.module import FSRCNN
from fsrcnn_np.errors import FileError, MissingExtraError, WeightsError
from fsrcnn_np.network.reference import forward
from models import random_weights

SAID = {"border": "zero", "deconvolution_offset": 4, "value_range": (0, 1), "input_mean": 0}
D, S, M = 6, 3, 2


class Numbered(nn.Module):
    """first_part, mid_part, last_part: each PReLU after its convolution, in a Sequential."""

    def __init__(self, scale, slopes=None):
        super().__init__()
        self.first_part = nn.Sequential(nn.Conv2d(1, D, 5, padding=2), nn.PReLU(slopes or D))
        middle = [nn.Conv2d(D, S, 1), nn.PReLU(slopes or S)]
        for _ in range(M):
            middle += [nn.Conv2d(S, S, 3, padding=1), nn.PReLU(slopes or S)]
        self.mid_part = nn.Sequential(*middle, nn.Conv2d(S, D, 1), nn.PReLU(slopes or D))
        self.last_part = nn.ConvTranspose2d(D, 1, 9, scale, 4, scale - 1)

    def forward(self, x):
        return self.last_part(self.mid_part(self.first_part(x)))


class Named(nn.Module):
    """feature_extraction, shrink, map, expand, deconv."""

    def __init__(self, scale):
        super().__init__()
        other = Numbered(scale)
        self.feature_extraction = other.first_part
        middle = list(other.mid_part)
        self.shrink, self.map, self.expand = (nn.Sequential(*part) for part in (middle[:2], middle[2:-2], middle[-2:]))
        self.deconv = other.last_part

    def forward(self, x):
        return self.deconv(self.expand(self.map(self.shrink(self.feature_extraction(x)))))


class Apart(nn.Module):
    """All convolutions first, the PReLUs after them, under names of their own."""

    def __init__(self, scale):
        super().__init__()
        shapes = [(1, D, 5), (D, S, 1), *[(S, S, 3)] * M, (S, D, 1)]
        for i, (channels, out, size) in enumerate(shapes, 1):
            setattr(self, f"conv{i}", nn.Conv2d(channels, out, size, padding=size // 2))
        self.up = nn.ConvTranspose2d(D, 1, 9, scale, 4, scale - 1)
        for i, (_, out, _) in enumerate(shapes, 1):
            setattr(self, f"act{i}", nn.PReLU(out))

    def forward(self, x):
        for i in range(1, M + 4):
            x = getattr(self, f"act{i}")(getattr(self, f"conv{i}")(x))
        return self.up(x)


class Shuffled(nn.Module):
    """A pixel shuffle in place of the deconvolution."""

    def __init__(self, scale):
        super().__init__()
        other = Numbered(scale)
        self.body = nn.Sequential(*other.first_part, *other.mid_part)
        self.last = nn.Conv2d(D, scale**2, 3, padding=1, bias=False)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x):
        return self.shuffle(self.last(self.body(x)))


def filled(network, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            fan = max(parameter[0].numel(), 1)
            parameter.copy_(0.6 * torch.randn(parameter.shape, generator=generator) / fan**0.5)
    return network.eval()


def agrees(network, weights) -> None:
    picture = np.random.default_rng(1).random((9, 12))
    with torch.no_grad():
        expected = network(torch.from_numpy(picture[None, None]).float())[0, 0].numpy()
    found = forward(picture, weights, dtype=np.float64)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("port", [Numbered, Named, Apart])
@pytest.mark.parametrize("suffix", ["pth", "safetensors", "old.pth"])
def test_ports(tmp_path, port, scale, suffix):
    network = filled(port(scale))
    path = tmp_path / f"x{scale}.{suffix}"
    if suffix == "safetensors":  # sorted by name: the order of the layers is lost
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=suffix == "pth")
    agrees(network, load_weights(path, **SAID, scale=scale))


def test_slopes_of_one(tmp_path):
    network = filled(Numbered(2, slopes=1))
    torch.save(network.state_dict(), tmp_path / "x2.pth")
    weights = load_weights(tmp_path / "x2.pth", **SAID)
    assert {layer.slope.shape for layer in weights.convolutions} == {(1,)}
    agrees(network, weights)


def test_a_pixel_shuffle_says_its_scale(tmp_path):
    network = filled(Shuffled(2))
    torch.save(network.state_dict(), tmp_path / "model.pth")
    weights = load_weights(
        tmp_path / "model.pth", border="zero", value_range=(0, 1), input_mean=0, deconvolution_offset=4
    )
    assert weights.provenance["convention"]["scale"] == {"value": 2, "source": "shape of last", "assumed": False}
    agrees(network, weights)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"state_dict": s, "epoch": 7}, lambda s: {"epoch": 1, "checkpoint": {"params": s}},
        lambda s: {"model": s, "optimizer": {"state": {0: {"m": torch.ones(3)}}}},
        lambda s: OrderedDict((f"module.{k}", v) for k, v in s.items()),
        lambda s: {"state_dict": {f"module.net.{k}": v for k, v in s.items()}},
        lambda s: {k: nn.Parameter(v) for k, v in s.items()},
    ],
)  # fmt: skip
def test_wrappers_and_prefixes(tmp_path, wrap):
    network = filled(Named(2))
    torch.save(wrap(network.state_dict()), tmp_path / "x2.pth")
    agrees(network, load_weights(tmp_path / "x2.pth", **SAID))


def test_two_state_dicts_are_not_mixed(tmp_path):
    first, second = filled(Named(2), 1), filled(Named(2), 2)
    torch.save({"params": first.state_dict(), "params_ema": second.state_dict()}, tmp_path / "x2.pth")
    weights = load_weights(tmp_path / "x2.pth", **SAID)
    agrees(first, weights)
    assert weights.provenance["notes"] == ["taken: the state dict 'params'; there are also 'params_ema'"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(tmp_path, dtype):
    network = filled(Named(2)).to(dtype)
    torch.save(network.state_dict(), tmp_path / "x2.pth")
    weights = load_weights(tmp_path / "x2.pth", **SAID)
    assert weights.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    agrees(network.float(), weights)


def test_what_a_state_dict_does_not_say(tmp_path):
    torch.save(filled(Named(2)).state_dict(), tmp_path / "x2.pth")
    with pytest.warns(
        ConventionWarning, match=r"border = zero \(padding=k//2, as PyTorch ports have it\); deconvolution_off"
    ):
        load_weights(tmp_path / "x2.pth")
    (tmp_path / "x2.pth").rename(tmp_path / "model.pth")
    with pytest.raises(WeightsError, match="scale cannot be told"):
        load_weights(tmp_path / "model.pth", **SAID)


def without(state: dict, *names: str) -> dict:
    return {key: value for key, value in state.items() if not key.startswith(names)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "map.1.weight"), "5 convolutions before the deconvolution and 4 PReLUs were found"),
        (lambda s: without(s, "shrink"), "shrinking"),
        (lambda s: without(s, "deconv"), "expanding|deconvolution"),
        (lambda s: s | {"norm.weight": torch.ones(3)}, "5 convolutions .* and 6 PReLUs"),
        (lambda s: s | {"deconv.weight": torch.ones(D, 3, 9, 9)}, "RGB"),
        (lambda s: s | {"deconv.weight": torch.ones(D, 1, 8, 8)}, r"\(6, 1, 8, 8\); \(6, 1, 9, 9\) is expected"),
        (lambda s: s | {"map.0.bias": torch.ones(S + 1)}, r"mapping_1 \(in the file: map\.0\) has bias of shape"),
        (lambda s: s | {"map.0.weight": torch.ones(S, S, 3, 3, dtype=torch.int8)}, r"map\.0\.weight is torch\.int8"),
        (lambda s: {"state_dict": "none"}, "no state dict with a convolution was found, but keys state_dict"),
        (lambda s: [1, 2], "but list"),
        (lambda s: s | {"map.0.weight": torch.zeros(1).expand(1 << 14, 1 << 14, 3, 3)}, "declares .* stores less"),
    ],
)  # fmt: skip
def test_a_wrong_state_dict_is_named(tmp_path, change, message):
    torch.save(change(dict(filled(Named(2)).state_dict())), tmp_path / "x2.pth")
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / "x2.pth", **SAID)


def test_the_order_of_slopes_is_not_guessed(tmp_path):
    """Sorted by name, `act_expand` comes before `act_feature`: with one slope a layer nothing tells them apart."""
    network = filled(Numbered(2, slopes=1))
    state = {}
    for name, (convolution, prelu) in zip(
        ("feature", "shrink", "map1", "map2", "expand"),
        zip(*[iter([*network.first_part, *network.mid_part])] * 2, strict=True),
        strict=True,
    ):
        state |= {f"conv_{name}.weight": convolution.weight, f"conv_{name}.bias": convolution.bias}
        state[f"act_{name}.weight"] = prelu.weight
    state |= {"up.weight": network.last_part.weight, "up.bias": network.last_part.bias}
    save_file({key: value.detach() for key, value in state.items()}, tmp_path / "x2.safetensors")
    with pytest.raises(WeightsError, match="which PReLU follows which convolution cannot be told"):
        load_weights(tmp_path / "x2.safetensors", **SAID)


class Opened:
    """Unpickling it would create the file: it must not."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("form", ["zip", "old", "plain"])
def test_nothing_is_unpickled(tmp_path, form):
    trap, path = tmp_path / "trap", tmp_path / "x2.pth"
    state = {"state_dict": filled(Named(2)).state_dict(), "extra": Opened(trap)}
    if form == "plain":
        path.write_bytes(pickle.dumps(state["extra"]))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(WeightsError, match=r"none is unpickled|nothing is unpickled|no readable PyTorch file"):
        load_weights(path, **SAID)
    assert not trap.exists()


def test_a_whole_module_is_refused_with_what_to_do(tmp_path):
    torch.save(filled(Named(2)), tmp_path / "x2.pth")
    with pytest.raises(WeightsError, match=r"none is unpickled.*torch\.save\(model\.state_dict\(\), 'x2\.pth'\)"):
        load_weights(tmp_path / "x2.pth", **SAID)


def test_damaged_files(tmp_path):
    path = tmp_path / "x2.pth"
    torch.save(filled(Named(2)).state_dict(), path)
    whole = path.read_bytes()
    for part in (0.2, 0.7, 0.99):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(WeightsError, match="damaged"):
            load_weights(path, **SAID)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(WeightsError, match="a zip archive that PyTorch did not write"):
        load_weights(path, **SAID)
    path.with_suffix(".safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(WeightsError, match="no readable safetensors file"):
        load_weights(path.with_suffix(".safetensors"), **SAID)


def test_declared_sizes_are_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_file, "MOST_BYTES", 4 << 20)
    path = tmp_path / "x2.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x2/data.pkl", pickle.dumps({}))
        with archive.open("x2/data/0", "w", force_zip64=True) as entry:
            entry.write(bytes(5 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(WeightsError, match=r"the file declares 52.* bytes: far more than an FSRCNN"):
        load_weights(path, **SAID)
    torch.save({"w": torch.zeros(7, 1, 5, 5)}, path, _use_new_zipfile_serialization=False)
    raw = path.read_bytes()
    count = b"K\xaf"  # BININT1 175, the storage's number of values
    assert count in raw
    path.write_bytes(raw.replace(count, b"J" + struct.pack("<i", (1 << 31) - 1)))
    with pytest.raises(WeightsError, match=r"the file declares 171798.* bytes"):
        load_weights(path, **SAID)


def test_a_replicate_border_goes_with_its_module_only(tmp_path):
    weights = random_weights(np.random.default_rng(2), (6, 3, 2), 2, "replicate", dtype=np.float32)
    for suffix in (".pth", ".pt", ".safetensors"):
        path = tmp_path / f"out{suffix}"
        with pytest.raises(WeightsError, match=r"has a replicate border.*a port, which pads with zeros"):
            save_weights(weights, path)
        assert list(tmp_path.iterdir()) == []
    save_weights(weights, tmp_path / "out.pth", with_module=True)
    assert {p.name for p in tmp_path.iterdir()} == {"out.pth", "fsrcnn_torch.py"}
    np.save(tmp_path / "in.npy", np.random.default_rng(3).random((1, 1, 7, 8)).astype(np.float32))
    script = (
        "import numpy as np, torch; from fsrcnn_torch import FSRCNN; n = FSRCNN.load('out.pth'); "
        "np.save('out.npy', n(torch.from_numpy(np.load('in.npy'))).detach().numpy())"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=300)
    expected = forward(np.load(tmp_path / "in.npy")[0, 0], weights, dtype=np.float64)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy")[0, 0], expected, rtol=0, atol=2e-6)


def test_the_module_is_not_overwritten(tmp_path):
    weights = random_weights(np.random.default_rng(2), (6, 3, 2), 2, "zero", dtype=np.float32)
    (tmp_path / "fsrcnn_torch.py").write_text("mine")
    with pytest.raises(FileError, match=r"fsrcnn_torch\.py: exists, made otherwise: line 1 'mine'"):
        save_weights(weights, tmp_path / "out.pth", with_module=True)
    assert (tmp_path / "fsrcnn_torch.py").read_text() == "mine"
    assert not (tmp_path / "out.pth").exists()


@pytest.mark.parametrize("slopes", [False, True])
def test_what_is_written_loads_into_a_port(tmp_path, slopes):
    weights = random_weights(np.random.default_rng(4), (D, S, M), 3, "zero", dtype=np.float32, shared_slope=slopes)
    save_weights(weights, tmp_path / "x3.pth")
    network = Named(3)
    if slopes:
        for module in [m for m in network.modules() if isinstance(m, nn.PReLU)]:
            module.weight = nn.Parameter(torch.zeros(1))
    network.load_state_dict(torch.load(tmp_path / "x3.pth", weights_only=True))
    agrees(network, weights)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("scale", "border", "offset", "mean"),
    [
        (2, "zero", 4, 0.0),
        (2, "replicate", 4, 0.3),
        (3, "replicate", 3, 0.0),
        (4, "zero", 6, 0.0),
        (4, "replicate", 2, 0.5),
    ],
)
def test_our_module_gives_our_output(tmp_path, suffix, scale, border, offset, mean):
    weights = random_weights(
        np.random.default_rng(scale), (6, 3, 2), scale, border, dtype=np.float32, offset=offset, mean=mean
    )
    save_weights(weights, tmp_path / f"out{suffix}", with_module=True)
    agrees(FSRCNN.load(tmp_path / f"out{suffix}"), weights)


def test_without_torch(tmp_path, uninstalled):
    path = tmp_path / "x2.pth"
    torch.save(filled(Named(2)).state_dict(), path)
    uninstalled("torch", "safetensors")
    for name in ("x2.pth", "x2.safetensors"):
        (tmp_path / name).touch()
        with pytest.raises(MissingExtraError, match=r"pip install 'fsrcnn-np\[torch\]'"):
            load_weights(tmp_path / name)


@pytest.mark.parametrize("form", [False, True])
def test_an_optimisers_state_keyed_by_addresses(tmp_path, form):
    """As old checkpoints have it: integers of 10¹⁴ that are no sizes."""
    weights = random_weights(np.random.default_rng(0), (6, 3, 2), 2, "zero", dtype=np.float32)
    save_weights(weights, tmp_path / "plain.pth")
    state = torch.load(tmp_path / "plain.pth", weights_only=True)
    optimiser = {"state": {140_234_000_000_000 + i: {"step": i} for i in range(30)}}
    torch.save({"model": state, "optimizer": optimiser}, tmp_path / "x2.pth", _use_new_zipfile_serialization=form)
    found = load_weights(tmp_path / "x2.pth", border="zero", deconvolution_offset=4, value_range=(0, 1), input_mean=0)
    assert found.sha256 == weights.sha256


class Whole(torch.nn.Module):
    pass


def test_a_pickled_module_is_named_and_nothing_else_is_quoted(tmp_path):
    torch.save(Whole(), tmp_path / "x2.pth")
    with pytest.raises(WeightsError, match=r"of the class [\w.]*Whole, and none is unpickled") as caught:
        load_weights(tmp_path / "x2.pth")
    assert "\x1b" not in str(caught.value)
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x2.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        ("model.ckpt.index", b"\x00\x00", "a checkpoint of TensorFlow.*tf2onnx"),
    ],
)
def test_what_it_is_instead(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("archive/serialized_exported_program.json", r"torch\.export"),
    ],
)
def test_other_archives_are_named(tmp_path, name, message):
    with zipfile.ZipFile(tmp_path / "x2.zip", "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / "x2.zip")


@pytest.mark.parametrize(
    ("beside", "where"),
    [
        ({"args": argparse.Namespace(scale=3, lr=0.1)}, "args.scale"),
        ({"config": {"model": {"Upscale_Factor": "x3"}}, "scaler": {"scale": 2.0}}, "config.model.Upscale_Factor"),
        ({"opt": {"scale": [3], "lr": 2}, "optimizer": {"state": {0: {"scale": 4}}}}, "opt.scale"),
        ({"scale_factor": 3.0}, "scale_factor"),
    ],
)
def test_the_settings_of_a_checkpoint_state_the_scale(tmp_path, beside, where):
    network = filled(Named(3))
    torch.save({"model": network.state_dict(), **beside}, tmp_path / "model.pth")
    weights = load_weights(tmp_path / "model.pth", **SAID)
    agrees(network, weights)
    source = f"{where} in the checkpoint"
    assert weights.provenance["convention"]["scale"] == {"value": 3, "source": source, "assumed": False}


@pytest.mark.parametrize(
    "beside", [{"args": {"scale": 65536.0}}, {"a": {"scale": 2}, "b": {"scale": 3}}, {"scale": True}]
)
def test_settings_that_state_no_one_scale(tmp_path, beside):
    torch.save({"model": filled(Named(2)).state_dict(), **beside}, tmp_path / "model.pth")
    with pytest.raises(WeightsError, match="scale cannot be told: neither the file nor its name says it"):
        load_weights(tmp_path / "model.pth", **SAID)


def test_settings_against_the_name(tmp_path):
    torch.save({"model": filled(Named(2)).state_dict(), "args": {"scale": 2}}, tmp_path / "x4.pth")
    message = r"args\.scale in the checkpoint is 2, and the file's name says 4; say scale="
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / "x4.pth", **SAID)
    assert load_weights(tmp_path / "x4.pth", **SAID, scale=4).architecture.scale == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x2.pth", {"conv": np.ones(2), "StructuredToParameterName@@": {}}, r"PaddlePaddle.*paddle\.onnx\.export"),
        ("x2.pdiparams", None, "PaddlePaddle"),
        ("x2.pkl", {"conv": np.ones(2)}, "a plain pickle, which PyTorch did not write"),
    ],
)
def test_other_programs_pickles_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / name)


def test_many_layers_are_named_in_short(tmp_path):
    state = {f"backbone.layer.{'deep.' * 40}{i}.weight": torch.ones(3, 3, 3, 3) for i in range(300)}
    torch.save(state, tmp_path / "x2.pth")
    with pytest.raises(WeightsError, match="and 279 more") as caught:
        load_weights(tmp_path / "x2.pth", **SAID)
    assert len(str(caught.value)) < 2000
