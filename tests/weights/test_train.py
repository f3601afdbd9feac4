"""The training recipe on pictures of nothing: determinism, resuming, the phases, what is exported."""

import argparse
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import fsrcnn_np

sys.path.insert(0, str(Path(__file__).parents[2] / "weights"))
import patches
import together

import train


@pytest.fixture
def options(tmp_path):
    rng = np.random.default_rng(5)
    for folder, count in (("train", 3), ("val", 1)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            coarse = rng.integers(0, 256, (12, 14, 3), np.uint8)
            Image.fromarray(coarse).resize((151, 130)).save(tmp_path / folder / f"{folder}{number}.png")
    return argparse.Namespace(
        train=tmp_path / "train", val=tmp_path / "val", checkpoints=tmp_path / "run", out=tmp_path / "model.h5",
        architecture=[6, 3, 2], epochs=3, seed=4, rate=1e-3, deconvolution_rate=1e-3, clip=0.1, threads=1,
        device="cpu", licence="CC0-1.0", start=None, also_binned=False, at_border=False,
        optimizer="adam", full_contrast=False, linearise=False,
        keep=False, border_every=2, best_by="loss", warm_up=0, scale=2, batch=6,
        schedule="cosine", initialise="he",
    )  # fmt: skip


@pytest.mark.parametrize(("scale", "padding", "more"), [(2, 4, 1), (3, 3, 0), (4, 3, 1)])
def test_phases_are_the_deconvolution(scale, padding, more):
    network = train.FSRCNN(6, 3, 1, torch.Generator().manual_seed(0), scale)
    features = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(1))
    expected = F.conv_transpose2d(features, network.deconvolution, stride=scale, padding=padding, output_padding=more)
    assert expected.shape == (2, 1, 5 * scale, 7 * scale)
    before, after = train.reach(scale)
    found = F.pixel_shuffle(F.conv2d(F.pad(features, (before, after) * 2), network.phases()), scale)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)
    network.phases().sum().backward()
    assert (network.deconvolution.grad == 1).all()  # 81 taps, each once: no fixed zero learns


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_valid_patches_see_what_the_whole_image_sees(scale):
    network = train.FSRCNN(6, 3, 2, torch.Generator().manual_seed(0), scale)
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(1))
    whole = network(image, border=True)
    halo = train.halo(2, scale)
    patch = network(image[..., 3 : 3 + 12 + 2 * halo, 5 : 5 + 12 + 2 * halo])
    rows, columns = scale * (3 + halo), scale * (5 + halo)
    part = whole[..., rows : rows + 12 * scale, columns : columns + 12 * scale]
    torch.testing.assert_close(patch, part, rtol=0, atol=1e-6)


def test_a_replicated_border_is_torchs():
    x = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    for radius in (1, 2):
        assert torch.equal(train.replicated(x, radius), F.pad(x, (radius,) * 4, mode="replicate"))


@pytest.mark.parametrize("scale", [2, 3])
def test_windows_are_turned_as_numpy_turns(options, scale):
    pictures = train.Pictures(options.train, "training", scale=scale)
    rows = torch.tensor([[index, 3, 7, symmetry] for index in (0, 2) for symmetry in range(8)])
    low, high = pictures.windows(rows, 10)
    for found, planes, factor in ((low, pictures.low, 1), (high, pictures.high, scale)):
        for window, (index, row, column, symmetry) in zip(found, rows.tolist(), strict=True):
            part = planes[index].numpy()[factor * row : factor * (row + 10), factor * column : factor * (column + 10)]
            part = np.rot90(part.T if symmetry & 4 else part, symmetry & 3)
            np.testing.assert_array_equal(window[0], part)


def test_the_schedule(options):
    options.epochs, options.warm_up = 4, 0.5
    rates = np.concatenate([train.factors(epoch, 10, options) for epoch in range(4)])
    cosine = 0.5 * (1 + np.cos(np.pi * np.arange(40) / 40))
    np.testing.assert_allclose(rates[:5], np.arange(1, 6) / 5 * cosine[:5])
    np.testing.assert_allclose(rates[5:], cosine[5:])


def test_an_epoch_takes_every_picture_once_and_a_quarter_of_its_pixels(options):
    pictures = train.Pictures(options.train, "training")
    side = train.TARGET + 2 * train.halo(2)
    rows = train.epoch_patches(pictures, side, 1, 0)
    for index, low in enumerate(pictures.low):
        mine = rows[rows[:, 0] == index]
        assert len(mine) * train.TARGET**2 >= low.numel() / 4
        assert (mine[:, 1] + side <= low.shape[0]).all()
        assert (mine[:, 2] + side <= low.shape[1]).all()
    assert not np.array_equal(rows, train.epoch_patches(pictures, side, 1, 1))
    x, y = patches.batch(pictures, side, torch.from_numpy(rows))
    margin = (side - train.TARGET) // 2
    inner = x[..., margin:-margin, margin:-margin]
    torch.testing.assert_close(F.avg_pool2d(y, 2), inner, rtol=0, atol=1e-6)  # the target's binning is the input


def test_half_size_pictures_come_beside(options):
    pictures = train.Pictures(options.train, "training", also_binned=True)
    count = len(pictures.names)
    assert len(pictures.low) == len(pictures.high) == len(pictures.share) == 2 * count
    for first, second in zip(pictures.low[:count], pictures.high[count:], strict=True):
        np.testing.assert_array_equal(second, first[: second.shape[0], : second.shape[1]])
    assert pictures.describe() == train.Pictures(options.train, "training").describe()


@pytest.mark.parametrize("optimizer", ["adam", "soap"])
def test_a_killed_run_ends_as_an_uninterrupted_one(options, tmp_path, monkeypatch, optimizer):
    options.optimizer = optimizer
    whole = train.train(options)
    options.checkpoints = tmp_path / "other"
    save, calls = train.save_beside_and_rename, []

    def save_once(value, path):
        save(value, path)
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(train, "save_beside_and_rename", save_once)
    with pytest.raises(KeyboardInterrupt):
        train.train(options)
    resumed = train.train(options)
    assert len(resumed["history"]) == 3
    for name, value in whole["network"].items():
        assert torch.equal(value, resumed["network"][name]), name
    assert [h["validation_loss"] for h in whole["history"]] == [h["validation_loss"] for h in resumed["history"]]
    options.seed = 5
    with pytest.raises(SystemExit, match="another run"):
        train.train(options)


@pytest.mark.parametrize("scale", [2, 3])
def test_what_is_exported(options, scale):
    options.scale = scale
    state = train.train(options)
    train.export(state, options)
    weights = fsrcnn_np.load_weights(options.out)
    assert str(weights.architecture) == f"FSRCNN(6,3,2) x{scale}"
    assert weights.border == "replicate"
    best = min(state["history"], key=lambda h: h["validation_loss"])
    assert weights.provenance["best_epoch"] == best["epoch"]
    assert len(weights.provenance["history"]) == weights.provenance["epochs"] == 3
    low = train.Pictures(options.val, "validation", scale=scale).low[0]
    network = train.FSRCNN(6, 3, 2, torch.Generator(), scale)
    network.load_state_dict(state["best"]["network"])
    with torch.no_grad():
        expected = network(low[None, None], border=True)[0, 0].numpy()
    np.testing.assert_allclose(fsrcnn_np.forward(low.numpy(), weights, engine="reference"), expected, rtol=0, atol=1e-5)


def test_a_run_goes_on_from_another_and_learns_the_border(options, tmp_path):
    first = train.train(options)
    options.start, options.checkpoints, options.at_border = [options.checkpoints], tmp_path / "second", True
    second = train.train(options)
    train.export(second, options)
    best = first["best"]["epoch"]
    told = fsrcnn_np.load_weights(options.out).provenance
    assert told["epochs"] == best + 3
    assert told["history"][:best] == first["history"][:best]
    assert [h["epoch"] for h in told["history"]] == list(range(1, best + 4))
    assert told["settings"]["at_border"]
    assert [run["epochs"] for run in told["settings_before"]] == [3]
    assert told["device"] == train.told_of(torch.device("cpu"))
    options.start, options.checkpoints = [options.checkpoints], tmp_path / "third"
    third = train.train(options)
    train.export(third, options)
    told = fsrcnn_np.load_weights(options.out).provenance
    until = best + second["best"]["epoch"]
    assert told["epochs"] == until + 3
    assert [h["epoch"] for h in told["history"]] == list(range(1, until + 4))
    assert told["history"][best]["validation_loss"] == second["history"][0]["validation_loss"]
    assert ["at_border" in run for run in told["settings_before"]] == [False, True]


def test_pictures_in_both_sets_are_refused(options):
    options.val = options.train
    with pytest.raises(SystemExit, match="both"):
        train.train(options)


def test_units_of_one_sign_become_linear_and_nothing_else_changes(options):
    pictures = train.Pictures(options.train, "training")
    network = train.FSRCNN(6, 3, 2, torch.Generator().manual_seed(1)).requires_grad_(False)
    for parameters in (*network.slopes, network.deconvolution):
        parameters.normal_(0.3, 0.1, generator=torch.Generator().manual_seed(2))
    network.convolutions[0].bias[:3] = torch.tensor([-50.0, 50.0, -50.0])
    network.slopes[0][:3] = torch.tensor([0.02, 0.4, -0.3])
    x = pictures.low[0][None, None]
    before = network(x, border=True)
    told = train.linearise(network, pictures)
    assert torch.equal(network.slopes[0][:3], torch.ones(3))
    assert told == sum(int((slope == 1).sum()) for slope in network.slopes) < 6 + 3 + 6 + 6
    torch.testing.assert_close(network(x, border=True), before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("measure", "key"), [("loss", "validation_loss"), ("psnr", "validation_psnr")])
def test_the_best_epoch(options, measure, key):
    options.best_by = measure
    state = train.train(options)
    values = [h[key] for h in state["history"]]
    assert state["best"]["epoch"] == 1 + values.index((min if measure == "loss" else max)(values))
    assert state["best"][key] == values[state["best"]["epoch"] - 1]


@pytest.mark.parametrize("target", [train.TARGET, train.TARGET + 16])
def test_full_contrast_patches_are_black_and_white_and_binned_again(options, target):
    pictures = train.Pictures(options.train, "training")
    rows = train.epoch_patches(pictures, train.TARGET + 16, seed=3, epoch=0)[:5]
    low, high = patches.batch(pictures, train.TARGET + 16, torch.from_numpy(rows), target=target, full_contrast=True)
    assert set(np.unique(high.numpy())) == {0.0, 1.0}
    margin = (train.TARGET + 16 - target) // 2
    inner = low[:, :, margin : margin + target, margin : margin + target]
    torch.testing.assert_close(F.avg_pool2d(high, 2), inner)


def test_a_run_with_full_contrast_goes_on_from_another(options, tmp_path):
    first = train.train(options)
    options.start, options.checkpoints = [options.checkpoints], tmp_path / "second"
    options.full_contrast = options.linearise = True
    second = train.train(options)
    assert second["recipe"]["linearise"]
    assert second["recipe"]["full_contrast"]
    assert second["recipe"]["start"]["recipe"] == first["recipe"]
    assert torch.equal(train.train(options)["network"]["deconvolution"], second["network"]["deconvolution"])


def test_a_run_begins_with_the_mean_of_epochs(options, tmp_path):
    options.keep = True
    first = train.train(options)
    kept = [options.checkpoints / f"epoch{n}.pt" for n in (2, 3)]
    network = train.FSRCNN(6, 3, 2, torch.Generator())
    told = train.start_from(kept, network, "cpu")
    assert told["mean_of_epochs"] == [2, 3]
    assert told["history"] == first["history"]
    two, three = (torch.load(path, weights_only=True)["network"]["deconvolution"] for path in kept)
    torch.testing.assert_close(network.deconvolution.data, (two + three) / 2)
    options.start, options.checkpoints = kept, tmp_path / "second"
    train.export(train.train(options), options)
    told = fsrcnn_np.load_weights(options.out).provenance
    assert told["epochs"] == 6
    assert told["mean_of_epochs"] == [2, 3]


def test_runs_side_by_side_end_as_alone(options, tmp_path, monkeypatch, capsys):
    place = f"--train {options.train} --val {options.val} --architecture 6,3,2 --epochs 2 --threads 1"
    lines = [f"{place} --checkpoints {tmp_path / str(seed)} --seed {seed}" for seed in (1, 2)]
    lines.insert(0, f"{place} --checkpoints {tmp_path / 'after'} --start {tmp_path / '2'}")
    (tmp_path / "runs").write_text("# two seeds\n" + "\n".join(lines))
    monkeypatch.setattr(sys, "argv", ["together.py", str(tmp_path / "runs")])
    together.main()
    alone = train.train(train.parsed(shlex.split(lines[2].replace(str(tmp_path / "2"), str(tmp_path / "alone")))))
    beside = torch.load(tmp_path / "2" / "last.pt", weights_only=True)
    assert all(torch.equal(value, alone["network"][name]) for name, value in beside["network"].items())
    after = torch.load(tmp_path / "after" / "last.pt", weights_only=True)
    assert after["recipe"]["start"]["best_epoch"] == beside["best"]["epoch"]
    other = place.replace(str(options.val), str(options.train))  # both folders the same: refused, the other run goes on
    (tmp_path / "runs").write_text(f"{other} --checkpoints {tmp_path / '3'}\n{place} --checkpoints {tmp_path / '4'}")
    with pytest.raises(SystemExit, match="both"):
        together.main()
    assert (tmp_path / "4" / "last.pt").exists()


def test_no_epoch_only_what_the_start_gives(options, tmp_path):
    first = train.train(options)
    options.start, options.checkpoints, options.epochs, options.linearise = (
        [options.checkpoints],
        tmp_path / "b",
        0,
        True,
    )
    train.export(train.train(options), options)
    told = fsrcnn_np.load_weights(options.out).provenance
    assert told["epochs"] == told["best_epoch"] == first["best"]["epoch"]
    assert told["validation_loss"] == pytest.approx(first["best"]["validation_loss"], rel=1e-5)


def test_glorot_is_matlab_s():
    """Uniform, bounds √(6/(inputs + outputs)), k² taps each; biases 0, slopes 0.25 as before."""
    network = train.FSRCNN(56, 12, 4, torch.Generator().manual_seed(0), initialise="glorot")
    fans = [(1 + 56) * 25, 56 + 12, *[24 * 9] * 4, 12 + 56]
    weights = [c.weight for c in network.convolutions] + [network.deconvolution]
    for weight, fan in zip(weights, [*fans, 57 * 81], strict=True):
        bound = (6 / fan) ** 0.5
        assert 0.95 * bound < weight.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
        assert abs(weight.mean().item()) < 0.15 * bound
    assert all((c.bias == 0).all() for c in network.convolutions)
    assert all((slope == 0.25).all() for slope in network.slopes)


def test_a_constant_rate_stays(options):
    options.schedule = "constant"
    assert (train.factors(0, 5, options) == 1).all()
    assert (train.factors(2, 5, options) == 1).all()
    options.warm_up = 1
    np.testing.assert_allclose(train.factors(0, 4, options), [0.25, 0.5, 0.75, 1])
    options.schedule, options.warm_up = "cosine", 0
    assert train.factors(2, 5, options)[-1] < 0.2


def test_matlab_s_defaults_train_and_are_told(options):
    """Constant rate, Glorot, no clipping: the loss falls, and the file says how it was made."""
    options.schedule, options.initialise, options.clip = "constant", "glorot", 0
    state = train.train(options)
    losses = [h["training_loss"] for h in state["history"]]
    assert losses[-1] < losses[0]
    assert state["best"]["epoch"] == 1 + int(np.argmin([h["validation_loss"] for h in state["history"]]))
    train.export(state, options)
    settings = fsrcnn_np.load_weights(options.out).provenance["settings"]
    assert (settings["schedule"], settings["initialise"], settings["clip"]) == ("constant", "glorot", 0)


def test_no_clipping_leaves_the_gradient(options, monkeypatch):
    called = []
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: called.append(1))
    options.clip, options.epochs = 0, 1
    train.train(options)
    assert not called
    options.clip, options.checkpoints = 0.1, options.checkpoints.with_name("other")
    train.train(options)
    assert called
