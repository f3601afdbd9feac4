"""Models of RGB: three channels in and out, in every format; red and blue are told apart by evidence or the caller."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from imageio.v3 import imwrite
from test_tensorflow import frozen, written
from torch import nn

from fsrcnn_np import ConventionWarning, WeightsError, forward, load_weights, save_weights
from fsrcnn_np.cli import main
from models import random_weights

SAID = {"border": "zero", "deconvolution_offset": 4, "value_range": (0, 1), "input_mean": 0}


def model(scale=2, border="zero", **given):
    rng = np.random.default_rng(scale)
    return random_weights(rng, (6, 3, 2), scale, border, dtype=np.float32, channels=3, **given)


def picture(shape=(9, 11, 3)):
    return np.random.default_rng(1).random(shape).astype(np.float32)


class Port(nn.Module):
    """As public ports are, with either end."""

    def __init__(self, scale=2, *, shuffle=False):
        super().__init__()
        layers = []
        for channels, out, size in ((3, 6, 5), (6, 3, 1), (3, 3, 3), (3, 6, 1)):
            layers += [nn.Conv2d(channels, out, size, padding=size // 2), nn.PReLU(out)]
        self.body = nn.Sequential(*layers)
        if shuffle:
            self.up = nn.Sequential(nn.Conv2d(6, 3 * scale**2, 3, padding=1, bias=False), nn.PixelShuffle(scale))
        else:
            self.up = nn.ConvTranspose2d(6, 3, 9, scale, 4, scale - 1)

    def forward(self, x):
        return self.up(self.body(x))


def output(port, image):
    with torch.no_grad():
        return np.moveaxis(port(torch.tensor(np.moveaxis(image, -1, 0)[None]))[0].numpy(), 0, -1)


@pytest.mark.parametrize("suffix", [".h5", ".onnx", ".mat", ".pth", ".safetensors"])
@pytest.mark.parametrize("border", ["zero", "replicate"])
def test_bit_for_bit(tmp_path, suffix, border):
    weights = model(3, border, offset=3, mean=0.5)
    save_weights(weights, tmp_path / f"m{suffix}", with_module=True)
    assert load_weights(tmp_path / f"m{suffix}") == weights


def test_the_module_beside_a_file_gives_our_output(tmp_path):
    from fsrcnn_np.convert.torch.module import FSRCNN

    weights = model(2, "replicate")
    save_weights(weights, tmp_path / "m.pth", with_module=True)
    found = output(FSRCNN.load(tmp_path / "m.pth"), picture())
    np.testing.assert_allclose(found, forward(picture(), weights), rtol=0, atol=1e-5)


def test_a_grey_file_is_what_releases_without_colour_read(tmp_path):
    import h5py

    save_weights(random_weights(np.random.default_rng(0), (3, 2, 1), 2, "zero"), tmp_path / "m.h5")
    save_weights(model(), tmp_path / "rgb.h5")
    with h5py.File(tmp_path / "m.h5") as grey, h5py.File(tmp_path / "rgb.h5") as rgb:
        assert grey.attrs["schema"] == 1
        assert "channels" not in grey.attrs
        assert rgb.attrs["schema"] == 2
        assert rgb.attrs["channels"] == 3


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_pytorch_port(tmp_path, scale, shuffle):
    port = Port(scale, shuffle=shuffle)
    torch.save(port.state_dict(), tmp_path / f"x{scale}.pth")
    said = {name: value for name, value in SAID.items() if not (shuffle and name == "deconvolution_offset")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConventionWarning)  # the offset of a shuffle
        weights = load_weights(tmp_path / f"x{scale}.pth", **said, channel_order="rgb")
    np.testing.assert_allclose(forward(picture(), weights), output(port, picture()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("opset", [9, 17])
def test_an_exported_onnx_model(tmp_path, shuffle, opset):
    port = Port(shuffle=shuffle).eval()
    example = torch.zeros(1, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older exporter
        torch.onnx.export(port, example, tmp_path / "x2.onnx", opset_version=opset, dynamo=False)
    weights = load_weights(tmp_path / "x2.onnx", value_range=(0, 1), channel_order="rgb")
    np.testing.assert_allclose(forward(picture(), weights), output(port, picture()), rtol=0, atol=1e-5)


def test_what_is_written_runs_in_onnxruntime(tmp_path):
    weights = model(2, "replicate", mean=0.25)
    save_weights(weights, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    (high,) = session.run(None, {"low": np.moveaxis(picture(), -1, 0)[None]})
    np.testing.assert_allclose(forward(picture(), weights), np.moveaxis(high[0], 0, -1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("end", ["DepthToSpace", "Conv2DBackpropInput"])
def test_a_frozen_tensorflow_graph(tmp_path, end):
    """Of DepthToSpace the channels of a phase lie side by side there."""
    weights = model()
    weights = random_weights(
        np.random.default_rng(0), (6, 3, 2), 2, "zero", dtype=np.float32, channels=3, offset=3 if end[0] == "C" else 4
    )
    path = written(tmp_path / "m.pb", frozen(weights, end=end))
    assert load_weights(path, value_range=(0, 1), channel_order="rgb").sha256 == weights.sha256


def test_the_channel_order_is_never_assumed_in_silence(tmp_path):
    port = Port()
    torch.save(port.state_dict(), tmp_path / "x2.pth")
    with pytest.warns(
        ConventionWarning, match=r"channel_order = rgb \(as most ports have it\)\. Say channel_order=… to"
    ):
        rgb = load_weights(tmp_path / "x2.pth", **SAID)
    bgr = load_weights(tmp_path / "x2.pth", **SAID, channel_order="bgr")
    assert bgr != rgb
    assert bgr.provenance["convention"]["channel_order"]["value"] == "bgr"
    # Fed with BGR, the port's own way, it gives what our model makes of RGB.
    expected = output(port, np.ascontiguousarray(picture()[..., ::-1]))[..., ::-1]
    np.testing.assert_allclose(forward(picture(), bgr), expected, rtol=0, atol=1e-5)
    save_weights(bgr, tmp_path / "own.h5")
    assert load_weights(tmp_path / "own.h5") == bgr
    assert load_weights(tmp_path / "own.h5", channel_order="bgr") == rgb
    torch.save(port.state_dict(), tmp_path / "fsrcnn_bgr_x2.pth")
    assert load_weights(tmp_path / "fsrcnn_bgr_x2.pth", **SAID) == bgr


def test_onnx_says_the_order(tmp_path):
    save_weights(model(), tmp_path / "m.onnx")
    kept = onnx.load(tmp_path / "m.onnx")
    del kept.metadata_props[:]
    onnx.helper.set_model_props(kept, {"Image.BitmapPixelFormat": "Bgr8"})
    onnx.save(kept, tmp_path / "bgr.onnx")
    assert load_weights(tmp_path / "bgr.onnx", value_range=(0, 1)) == model().with_channels_reversed()


def test_what_cannot_be(tmp_path):
    grey = random_weights(np.random.default_rng(0), (3, 2, 1), 2, "zero")
    save_weights(grey, tmp_path / "grey.h5")
    with pytest.raises(WeightsError, match="the model has one channel; leave --channel-order out"):
        load_weights(tmp_path / "grey.h5", channel_order="rgb")
    with pytest.raises(WeightsError, match="channel_order is 'gbr'; allowed are 'rgb' and 'bgr'"):
        load_weights(tmp_path / "grey.h5", channel_order="gbr")
    state = Port().state_dict() | {"up.weight": torch.ones(6, 1, 9, 9), "up.bias": torch.ones(1)}
    torch.save(state, tmp_path / "x2.pth")
    with pytest.raises(WeightsError, match="3 channels go in and 1 come out; a model is of grey"):
        load_weights(tmp_path / "x2.pth")


def test_the_command_speaks_of_its_options(tmp_path, capsys):
    torch.save(Port().state_dict(), tmp_path / "x2.pth")
    assert main(["weights", "convert", str(tmp_path / "x2.pth"), str(tmp_path / "m.h5"), "--border", "zero"]) == 0
    shown = capsys.readouterr()
    assert "Say --offset …, --value-range …, --input-mean …, --channel-order … to settle it" in shown.err
    assert "x2 RGB" in shown.out
    assert "channel_order" in shown.out
    assert main(["weights", "show", str(tmp_path / "m.h5")]) == 0


def test_so_do_commands_that_only_use_the_model(tmp_path, capsys):
    torch.save(Port().state_dict(), tmp_path / "x2.pth")
    imwrite(tmp_path / "in.png", np.zeros((9, 9, 3), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        given = ["--weights", str(tmp_path / "x2.pth"), "-o", str(tmp_path / "out")]
        assert main(["upscale", str(tmp_path / "in.png"), *given]) == 0
    assert "--channel-order … to settle it, in fsrcnn-np weights convert IN OUT.h5" in capsys.readouterr().err
