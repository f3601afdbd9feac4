"""A model of RGB on pictures: colours as they are, and a grey image never in silence."""

import h5py
import numpy as np
import pytest
from imageio.v3 import imread, imwrite

import fsrcnn_np
from fsrcnn_np import ImageError, forward, save_weights, upscale, upscale_batch, upscale_stream
from fsrcnn_np.cli import main
from fsrcnn_np.network.checkerboard import checkerboard
from models import random_weights

WEIGHTS = random_weights(np.random.default_rng(0), (4, 3, 2), 2, "replicate", dtype=np.float32, channels=3)


def image(shape=(14, 17, 3), dtype=np.uint8):
    return np.random.default_rng(1).integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
def test_colours_go_through_as_they_are(engine):
    exact = forward(image() / 255, WEIGHTS, dtype=np.float64) * 255
    found = upscale(image(), weights=WEIGHTS, engine=engine)
    assert found.shape == (28, 34, 3)
    assert np.abs(found - np.clip(exact, 0, 255)).max() <= 0.501
    out = np.empty((28, 34, 3), np.uint8, order="F")
    assert upscale(image(), weights=WEIGHTS, engine=engine, out=out) is out
    np.testing.assert_array_equal(out, found)


def test_a_grey_image_is_refused_with_the_way():
    for call in (upscale, lambda grey, weights: upscale_batch(grey[None], weights=weights)):
        with pytest.raises(
            ImageError, match=r"a grey image, and FSRCNN\(4,3,2\) x2 RGB takes three.*three equal planes"
        ):
            call(image((9, 9)), weights=WEIGHTS)
    with pytest.raises(ImageError, match="takes H×W×3, since"):
        forward(np.zeros((4, 4)), WEIGHTS)
    with pytest.raises(ImageError, match="takes one plane"):
        forward(np.zeros((4, 4, 3)), "x2")


def test_stream_batch_and_dask_have_the_same_bits(tmp_path):
    da = pytest.importorskip("dask.array")
    picture = image((60, 33, 3))
    whole = upscale(picture, weights=WEIGHTS)
    with h5py.File(tmp_path / "s.h5", "w") as file:
        low = file.create_dataset("low", data=picture)
        high = file.create_dataset("high", (120, 66, 3), np.uint8)
        upscale_stream(low, high, weights=WEIGHTS, rows=7)
        np.testing.assert_array_equal(high[()], whole)
    np.testing.assert_array_equal(upscale(da.from_array(picture, chunks=(24, 20, 3)), weights=WEIGHTS), whole)
    np.testing.assert_array_equal(upscale_batch(picture[None], axes="NHWC", weights=WEIGHTS)[0], whole)
    with pytest.raises(ImageError, match="grey image"):
        upscale(da.zeros((40, 40), np.uint8), weights=WEIGHTS)
    with pytest.raises(ImageError, match="grey image"):
        upscale_stream(picture[..., 0], np.zeros((120, 66), np.uint8), weights=WEIGHTS)
    with pytest.raises(ImageError, match="found shape 60×33×3"):
        upscale_stream(picture, np.zeros((120, 66, 3), np.uint8))


def test_the_command(tmp_path, capsys):
    save_weights(WEIGHTS, tmp_path / "rgb.h5")
    imwrite(tmp_path / "colour.png", image())
    imwrite(tmp_path / "grey.png", image((9, 9)))
    opaque = np.dstack([image(), np.full((14, 17), 255, np.uint8)])
    imwrite(tmp_path / "alpha.png", opaque)
    names = [str(tmp_path / f"{name}.png") for name in ("grey", "colour", "alpha")]
    assert main(["upscale", *names, "--weights", str(tmp_path / "rgb.h5"), "-o", str(tmp_path / "out")]) == 1
    assert "grey.png: found a grey image, and FSRCNN(4,3,2) x2 RGB takes three channels" in capsys.readouterr().err
    assert not (tmp_path / "out" / "grey.png").exists()
    for name in ("colour", "alpha"):
        np.testing.assert_array_equal(imread(tmp_path / "out" / f"{name}.png"), upscale(image(), weights=WEIGHTS))


def test_a_grey_model_still_takes_the_luma_of_colours():
    assert upscale(image(), weights="x2").shape == (28, 34, 3)


def test_the_checkerboard_of_a_model_of_rgb_is_that_of_its_luma():
    found = checkerboard(WEIGHTS)
    side = 2 * WEIGHTS.halo + 1
    middle = slice(2 * WEIGHTS.halo, 2 * WEIGHTS.halo + 2)
    flat = forward(np.full((side, side, 3), 0.5), WEIGHTS, dtype=np.float64)[middle, middle]
    np.testing.assert_allclose(found.phases[5], flat @ [0.299, 0.587, 0.114], rtol=0, atol=1e-12)


def test_architecture_says_its_channels():
    assert fsrcnn_np.Architecture(56, 12, 4, 2).channels == 1
    assert str(fsrcnn_np.Architecture(56, 12, 4, 2, 3)) == "FSRCNN(56,12,4) x2 RGB"
    with pytest.raises(fsrcnn_np.WeightsError, match=r"channels is 2; allowed are 1 \(grey\) and 3 \(RGB\)"):
        fsrcnn_np.Architecture(56, 12, 4, 2, 2)
