"""Train FSRCNN by the recipe of Honjo et al. 2022, section 2.2.

    python weights/train.py --train IMAGES --val IMAGES --out weights/fsrcnn_x2.h5 --checkpoints DIR

What the paper fixes: ImageNet photographs; the low-resolution input is the 2×2 pixel binning
(block mean) of the high-resolution one, not its bicubic reduction; FSRCNN(56, 12, 4) with PReLU
and a 9×9 deconvolution of stride 2; mean squared error; Adam; 100 epochs; the parameters of the
lowest validation loss are kept.

What it leaves open, and what is chosen here:

- luma 0.299 R + 0.587 G + 0.114 B in full range, [0, 1], not rounded;
- an epoch takes every training image once, in as many random patches as cover a quarter of its
  low-resolution pixels. A patch's target is 32×32 low-resolution pixels; its input carries the
  network's whole receptive field (8 pixels more on each side where m = 4), so no trained pixel
  sees an invented border. At inference the border is replicated, as the FSRCNN authors do;
- 6 patches a step (--batch), each flipped and turned at random; images smaller than 48 low-resolution
  pixels on a side are left out (and counted);
- He-normal convolutions, deconvolution from N(0, 0.001²), slopes 0.25, biases 0 (--initialise glorot: MATLAB's);
- Adam at --rate for the convolutions and --deconvolution-rate for the deconvolution (a quarter by
  default; its authors trained it at a tenth), cosine decay to zero over the run, gradient norm clipped at --clip;
  --optimizer soap takes Adam's steps in each layer's eigenbasis instead (soap.py), which the paper does not do.

Photographs leave open what becomes of sharper edges than theirs (the lettering of a mammogram): --full-contrast and
--linearise see to that.

With --device cuda a step is recorded once and replayed (steps.py), and together.py trains several models side by side.

A kill at any moment loses at most the epoch under way: every epoch ends with a checkpoint, written
beside and renamed, and each epoch's patches depend on the seed and its number alone, so a resumed
run ends with the parameters of an uninterrupted one.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import json
import math
import os
import platform
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else no two runs on a graphics card agree
import needs_torch  # noqa: F401, before it
import PIL
import torch
import torch.nn.functional as F
from checkpoint import model_of
from patches import TARGET, Pictures, epoch_patches
from PIL import features
from soap import Soap
from steps import Steps
from torch import nn
from tqdm import tqdm

from fsrcnn_np import save_weights

READING = threading.Lock()
PAPER = {  # what is not of the paper's recipe is off, and then not named in a run's own
    "at_border": False, "border_every": 2, "also_binned": False, "full_contrast": False, "linearise": False,
    "optimizer": "adam", "best_by": "loss", "warm_up": 0, "scale": 2,
    "schedule": "cosine", "initialise": "he",
}  # fmt: skip
ONE_SIGN = 1e-4  # of a unit's inputs may have the other sign
FORM = {False: torch.channels_last, True: torch.contiguous_format}  # what is faster, on a graphics card or off it


def offset(scale: int) -> int:
    """Of the deconvolution: the authors' 4 at ×2; 3 at ×3 and ×4, whose kernel then stands on its pixel's middle."""
    return 4 if scale == 2 else 3


def reach(scale: int) -> tuple[int, int]:
    """Low-resolution pixels before and after its own that an output pixel's 9×9 deconvolution takes features from."""
    return (8 - offset(scale)) // scale, (scale - 1 + offset(scale)) // scale


def halo(m: int, scale: int = 2) -> int:
    """Receptive radius in low-resolution pixels: 2 (5×5), 1 for each mapping layer, 2 (9×9 of stride 2) or 1."""
    return 2 + m + max(reach(scale))


def replicated(x: torch.Tensor, radius: int) -> torch.Tensor:
    """`F.pad` with "replicate", made of slices: its gradient is the same in every run, on a graphics card too."""
    top, bottom = (row.expand(-1, -1, radius, -1) for row in (x[:, :, :1], x[:, :, -1:]))
    x = torch.cat([top, x, bottom], 2)
    left, right = (column.expand(-1, -1, -1, radius) for column in (x[..., :1], x[..., -1:]))
    return torch.cat([left, x, right], 3)


def glorot(weight: torch.Tensor, fan: int, generator: torch.Generator) -> None:
    """Uniform within ±√(6/fan), fan being inputs and outputs together: the default of MATLAB's layers since R2019a."""
    bound = math.sqrt(6 / fan)
    weight.uniform_(-bound, bound, generator=generator)


class FSRCNN(nn.Module):
    """FSRCNN(d, s, m) at one scale, trained on patches that bring their own surroundings.

    `forward(x)` is the valid form: (n, 1, h + 2 halo, w + 2 halo) → (n, 1, scale h, scale w).
    `forward(x, border=True)` keeps the size, the border replicated: (n, 1, h, w) → (n, 1, scale h, scale w).
    """

    def __init__(self, d: int, s: int, m: int, generator: torch.Generator, scale: int = 2, initialise: str = "he"):
        super().__init__()
        shapes = [(d, 1, 5), (s, d, 1), *[(s, s, 3)] * m, (d, s, 1)]
        self.scale = scale
        self.convolutions = nn.ModuleList(nn.Conv2d(cin, cout, k) for cout, cin, k in shapes)
        self.slopes = nn.ParameterList(nn.Parameter(torch.full((cout,), 0.25)) for cout, _, _ in shapes)
        self.deconvolution = nn.Parameter(torch.empty(d, 1, 9, 9))
        self.deconvolution_bias = nn.Parameter(torch.zeros(1))
        with torch.no_grad():
            for convolution, (cout, cin, k) in zip(self.convolutions, shapes, strict=True):
                if initialise == "glorot":
                    glorot(convolution.weight, (cin + cout) * k * k, generator)
                else:
                    convolution.weight.normal_(0, math.sqrt(2 / (cin * k * k)), generator=generator)
                convolution.bias.zero_()
            if initialise == "glorot":
                glorot(self.deconvolution, (d + 1) * 81, generator)
            else:
                self.deconvolution.normal_(0, 0.001, generator=generator)
        before, after = reach(scale)
        where = torch.zeros(scale, before + 1 + after, 9)
        for phase in range(scale):
            for place, dx in enumerate(range(-before, after + 1)):
                if 0 <= (tap := phase + offset(scale) - scale * dx) <= 8:
                    where[phase, place, tap] = 1
        self.register_buffer("where", where.flatten(0, 1), persistent=False)

    def forward(self, x: torch.Tensor, border: bool = False) -> torch.Tensor:
        for convolution, slope in zip(self.convolutions, self.slopes, strict=True):
            if border and (radius := convolution.kernel_size[0] // 2):
                x = replicated(x, radius)
            x = F.prelu(convolution(x), slope)
        before, after = reach(self.scale)
        if border:  # one replicated feature row and column, nothing beyond: the authors' deconvolution
            x = F.pad(replicated(x, 1), (before - 1, after - 1) * 2)
        return F.pixel_shuffle(F.conv2d(x, self.phases()), self.scale) + self.deconvolution_bias

    def phases(self) -> torch.Tensor:
        """The 9×9 kernel as one kernel for each output phase of scale × scale; each of its 81 taps once, else zeros.

        out[s j + a] = Σ_dx x[j + dx] w[a + offset − s dx], so phase a has tap dx at k = a + offset − s dx, 0 ≤ k ≤ 8.
        """
        d, s = self.deconvolution.shape[0], self.scale
        taps = self.where @ self.deconvolution[:, 0] @ self.where.T
        side = self.where.shape[0] // s
        return taps.view(d, s, side, s, side).permute(1, 3, 0, 2, 4).reshape(s * s, d, side, side)


def alone(picture: torch.Tensor) -> torch.Tensor:
    """A picture as a batch of one."""
    return picture[None, None].contiguous(memory_format=FORM[picture.is_cuda])


@torch.no_grad()
def validation(network: FSRCNN, pictures: Pictures) -> tuple[float, float]:
    """Mean squared error over all pixels of all validation images, and mean PSNR per image in dB."""
    squared = []
    for low, high in zip(pictures.low, pictures.high, strict=True):
        squared.append((network(alone(low), border=True)[0, 0] - high).double().square().sum())
    errors, pixels = torch.stack(squared).cpu().numpy(), np.array([high.numel() for high in pictures.high])
    return float(errors.sum() / pixels.sum()), float(np.mean(-10 * np.log10(errors / pixels)))


def better(measure: str, one: dict, other: dict) -> bool:
    """Whether one epoch's validation is better: by the pooled loss, or by the mean of the pictures' PSNR."""
    if measure == "psnr":
        return one["validation_psnr"] > other["validation_psnr"]
    return one["validation_loss"] < other["validation_loss"]


def save_beside_and_rename(value: object, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(value, part)
    os.replace(part, path)


def commit() -> str:
    """The commit that this file is of, "+changes" where it differs; outside git what $FSRCNN_COMMIT says."""

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words, "--", __file__], cwd=Path(__file__).parent, capture_output=True, text=True
        )

    with contextlib.suppress(OSError):
        if found := git("log", "-1", "--format=%H").stdout.strip():
            return found + ("+changes" if git("diff", "--quiet", "HEAD").returncode else "")
    return os.environ.get("FSRCNN_COMMIT", "unknown")


@torch.no_grad()
def linearise(network: FSRCNN, pictures: Pictures, every: int = 1) -> int:
    """Make linear, with slope 1, each unit whose input has one sign in every Nth picture; the number of these units.

    Nothing changes on the pictures. But where such a unit has a slope of 1/30, say, an edge sharper than any of theirs
    meets a 30 times larger gain on the other side of zero, and several such layers end in values of hundreds.
    """
    positive = [torch.zeros_like(slope) for slope in network.slopes]
    for low in tqdm(pictures.low[::every], "units of one sign", disable=None):
        x = alone(low)
        for layer, (convolution, slope) in enumerate(zip(network.convolutions, network.slopes, strict=True)):
            x = convolution(F.pad(x, (convolution.kernel_size[0] // 2,) * 4, mode="replicate"))
            positive[layer] += (x > 0).double().mean((0, 2, 3)) / len(pictures.low[::every])
            x = F.prelu(x, slope)
    for convolution, slope, share in zip(network.convolutions, network.slopes, positive, strict=True):
        never = share < ONE_SIGN
        gain = torch.where(never, slope, 1.0)
        convolution.weight.mul_(gain.view(-1, 1, 1, 1))
        convolution.bias.mul_(gain)
        slope[never | (share > 1 - ONE_SIGN)] = 1
    return sum(int(((share < ONE_SIGN) | (share > 1 - ONE_SIGN)).sum()) for share in positive)


def start_from(places: list[Path], network: FSRCNN, device: torch.device) -> dict[str, Any]:
    """Take over the best parameters of an earlier run, or the mean of several of its epochs; say which these were."""
    files = [place / "last.pt" if place.is_dir() else place for place in places]
    states = [torch.load(file, weights_only=True, map_location=device) for file in files]
    earlier = max(states, key=lambda state: state["epoch"])
    if len(states) == 1:
        found, epochs = earlier["best"]["network"], earlier["best"]["epoch"]
        told = {"recipe": earlier["recipe"], "best_epoch": epochs}
    else:
        found = {k: sum(state["network"][k] for state in states) / len(states) for k in earlier["network"]}
        epochs = earlier["epoch"]
        told = {"recipe": earlier["recipe"], "mean_of_epochs": sorted(state["epoch"] for state in states)}
    network.load_state_dict(found)
    return told | {"device": earlier.get("device"), "commit": earlier["commit"], "history": earlier["history"][:epochs]}


def optimizer_of(network: FSRCNN, options: argparse.Namespace) -> torch.optim.Optimizer:
    """Groups with their own "rate", which the schedule scales: for Adam two, for SOAP one a layer."""
    deconvolution = [network.deconvolution, network.deconvolution_bias]
    layers = [[c.weight, c.bias, slope] for c, slope in zip(network.convolutions, network.slopes, strict=True)]
    device = network.deconvolution.device

    def group(parameters: list[nn.Parameter], rate: float) -> dict[str, Any]:
        return {"params": parameters, "rate": rate, "lr": torch.zeros((), device=device)}

    if options.optimizer == "soap":
        groups = [group(layer, options.rate) for layer in layers]
        return Soap(groups + [group([p], options.deconvolution_rate) for p in deconvolution])
    others = [p for name, p in network.named_parameters() if not name.startswith("deconvolution")]
    groups = [group(others, options.rate), group(deconvolution, options.deconvolution_rate)]
    return torch.optim.Adam(groups, fused=True, capturable=device.type == "cuda")


def factors(epoch: int, steps: int, options: argparse.Namespace) -> np.ndarray:
    """On every rate, at each step of an epoch: a straight rise over --warm-up epochs, a cosine to zero over the run.

    With --schedule constant no cosine: 1, as MATLAB's `trainingOptions` by default.
    """
    gone = epoch + np.arange(steps) / steps
    rise = np.minimum((gone + 1 / steps) / options.warm_up, 1) if options.warm_up else 1
    if options.schedule == "constant":
        return rise * np.ones(steps)
    return rise * 0.5 * (1 + np.cos(np.pi * gone / options.epochs))


@functools.cache
def _pictures(*arguments: Any, **more: Any) -> Pictures:
    return Pictures(*arguments, **more)


def pictures_of(folder: Path, what: str, options: argparse.Namespace, also_binned: bool = False) -> Pictures:
    """Pictures are read once, where several runs take the same."""
    with READING:
        return _pictures(folder, what, also_binned, scale=options.scale, device=options.device)


def train(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads it
    stream = torch.cuda.stream(torch.cuda.Stream()) if options.device.startswith("cuda") else contextlib.nullcontext()
    with stream:
        return _train(options, torch.device(options.device))


def _train(options: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    d, s, m = options.architecture
    side = TARGET + 2 * halo(m, options.scale)
    network = FSRCNN(d, s, m, torch.Generator().manual_seed(options.seed), options.scale, options.initialise)
    network.to(device, memory_format=FORM[device.type == "cuda"])
    optimizer = optimizer_of(network, options)
    recipe = {
        key: getattr(options, key)
        for key in ("architecture", "epochs", "seed", "rate", "deconvolution_rate", "clip", "batch")
    } | {"target": TARGET}
    recipe |= {key: value for key, usual in PAPER.items() if (value := getattr(options, key)) != usual}
    if options.start:
        recipe["start"] = start_from(options.start, network, device)

    options.checkpoints.mkdir(parents=True, exist_ok=True)
    path = options.checkpoints / "last.pt"
    state: dict[str, Any] = {"recipe": recipe, "commit": commit()}
    state |= {"software": software(), "device": told_of(device), "epoch": 0, "history": [], "best": None}
    if path.exists():
        state = torch.load(path, weights_only=True, map_location=device)
        if state["recipe"] != recipe:
            raise SystemExit(
                f"{path} is of another run: {state['recipe']}, asked for {recipe}; name another --checkpoints"
            )
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        print(f"resuming after epoch {state['epoch']}", flush=True)

    training = pictures_of(options.train, "training", options, options.also_binned)
    validating = pictures_of(options.val, "validation", options)
    if overlap := set(training.names) & set(validating.names):
        raise SystemExit(f"{len(overlap)} pictures are in both --train and --val, e.g. {min(overlap)}")
    state |= {"training": training.describe(), "validation": validating.describe()}
    if options.linearise and not state["epoch"]:
        print(f"{linearise(network, training, options.linearise)} units have one sign and are linear now", flush=True)

    if not options.epochs:
        loss, psnr = validation(network, validating)
        copy = {k: v.detach().clone() for k, v in network.state_dict().items()}
        state["best"] = {"epoch": 0, "validation_loss": loss, "validation_psnr": psnr, "network": copy}
    stepping = Steps(network, optimizer, training, side, options)
    for epoch in range(state["epoch"], options.epochs):
        patches = epoch_patches(training, side, options.seed, epoch)
        steps = math.ceil(len(patches) / options.batch)
        started = time.monotonic()
        stepping.begin(patches, factors(epoch, steps, options))
        for step in tqdm(range(steps), f"epoch {epoch + 1}/{options.epochs}", disable=None, leave=False):
            stepping.take(step)
            if options.optimizer == "soap":
                optimizer.turn_when_due(epoch * steps + step + 1)
        total = stepping.total.item()
        seconds = time.monotonic() - started
        loss, psnr = validation(network, validating)
        state["history"].append(
            {
                "epoch": epoch + 1,
                "training_loss": total / steps,
                "validation_loss": loss,
                "validation_psnr": psnr,
                "low_resolution_pixels": len(patches) * TARGET**2,
                "seconds": seconds,
            }
        )
        copy = {k: v.detach().clone() for k, v in network.state_dict().items()}
        if all(better(options.best_by, state["history"][-1], h) for h in state["history"][:-1]):
            state["best"] = {"epoch": epoch + 1, "validation_loss": loss, "validation_psnr": psnr, "network": copy}
        state |= {"epoch": epoch + 1, "network": copy, "optimizer": optimizer.state_dict()}
        save_beside_and_rename(state, path)
        if options.keep:
            save_beside_and_rename(state, options.checkpoints / f"epoch{epoch + 1}.pt")
        (options.checkpoints / "history.json").write_text(json.dumps(state["history"], indent=1))
        print(
            f"{options.checkpoints.name}, epoch {epoch + 1}: training {total / steps:.4e}, "
            f"validation {loss:.4e} ({psnr:.3f} dB), best epoch {state['best']['epoch']}, {seconds:.0f} s",
            flush=True,
        )
    return state


def software() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "pillow": f"{PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo')}",
    }


def told_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} CPU"


def runs_before(recipe: dict[str, Any]) -> list[dict[str, Any]]:
    """What `start_from` told of the runs that this one goes on from, the first of them first."""
    start = recipe.get("start")
    return [*runs_before(start["recipe"]), start] if start else []


def without_start(recipe: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key != "start"}


def export(state: dict[str, Any], options: argparse.Namespace) -> None:
    """The best parameters, with all that is known about them, as the library's HDF5."""
    earlier = runs_before(state["recipe"])
    parts = [*(start["history"] for start in earlier), state["history"]]
    history = [h | {"epoch": number} for number, h in enumerate((h for part in parts for h in part), 1)]
    before = len(history) - len(state["history"])
    devices = [*(start.get("device") for start in earlier), state.get("device")]
    scale = state["recipe"].get("scale", PAPER["scale"])
    provenance = {
        "model": "FSRCNN({},{},{})".format(*state["recipe"]["architecture"]) + f" x{scale}",
        "recipe": "Honjo et al., Eur J Radiol 154 (2022) 110433, section 2.2; weights/train.py",
        "epochs": state["epoch"] + before,
        "best_epoch": state["best"]["epoch"] + before,
        "validation_loss": state["best"]["validation_loss"],
        "validation_psnr": state["best"]["validation_psnr"],
        "settings": without_start(state["recipe"]),
        "settings_before": [without_start(start["recipe"]) | {"commit": start.get("commit")} for start in earlier]
        or None,
        "mean_of_epochs": earlier[-1].get("mean_of_epochs") if earlier else None,
        "training_data": state["training"] | {"what": "ImageNet sample photographs; trained on, not redistributed"},
        "validation_data": state["validation"],
        "low_resolution_pixels": sum(h["low_resolution_pixels"] for h in history),
        "seconds": round(sum(h["seconds"] for h in history)),
        "history": history,
        "commit": state["commit"],
        "device": ", ".join(dict.fromkeys(d for d in devices if d)),
        "software": state.get("software", software()),
        "date": datetime.date.today().isoformat(),
        "not_for": "diagnosis; it amplifies noise, and it was trained on photographs",
    }
    model = model_of(
        state["best"]["network"],
        scale=scale,
        deconvolution_offset=offset(scale),
        licence=options.licence,
        provenance=provenance,
    )
    save_weights(model, options.out, overwrite=True)
    print(f"{options.out}: best epoch {state['best']['epoch']} of {state['epoch']}")


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="folder of training photographs")
    parser.add_argument("--val", type=Path, required=True, help="folder of validation photographs")
    parser.add_argument("--out", type=Path, help="the HDF5 file to write at the end")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder; a rerun resumes from it")
    parser.add_argument(
        "--architecture", type=lambda t: [int(v) for v in t.split(",")], default=[56, 12, 4], metavar="D,S,M"
    )
    parser.add_argument("--epochs", type=int, default=100, help="0: only what --start and --linearise make")
    parser.add_argument(
        "--start", type=Path, nargs="+", metavar="RUN",
        help="begin with the best parameters of that run's folder, or the mean of several of its epochN.pt",
    )  # fmt: skip
    parser.add_argument(
        "--best-by", choices=("loss", "psnr"), default="loss", help="validation: of all pixels, or the pictures' mean"
    )
    parser.add_argument("--keep", action="store_true", help="keep the checkpoint of every epoch as epochN.pt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-border", action="store_true", help="some steps: patches with the image's border")
    parser.add_argument("--border-every", type=int, default=2, metavar="N", help="every Nth step (--at-border)")
    parser.add_argument("--also-binned", action="store_true", help="take each photograph at half its size, too")
    parser.add_argument(
        "--full-contrast", action="store_true", help="every fourth step: patches made black and white, like lettering"
    )
    parser.add_argument(
        "--linearise", type=int, nargs="?", const=1, default=0, metavar="N",
        help="at the start: units of one sign in every Nth picture (1 when left out) become linear",
    )  # fmt: skip
    parser.add_argument("--optimizer", choices=("adam", "soap"), default="adam", help="the paper's, or weights/soap.py")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--warm-up", type=float, default=0, metavar="N", help="epochs in which the rate rises from 0")
    parser.add_argument("--scale", type=int, choices=(2, 3, 4), default=2, help="binning of as many rows and columns")
    parser.add_argument("--batch", type=int, default=6, help="patches a step")
    parser.add_argument("--deconvolution-rate", type=float, default=1e-3)
    parser.add_argument("--clip", type=float, default=0.05, help="largest gradient norm; 0: none is too large")
    parser.add_argument("--schedule", choices=("cosine", "constant"), default="cosine", help="of the rate over the run")
    parser.add_argument("--initialise", choices=("he", "glorot"), default="he", help="glorot: MATLAB's default")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--licence", default="BSD-3-Clause")
    parser.add_argument("--export-now", action="store_true", help="train no more: write the best of the checkpoint")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    if options.export_now:
        state = torch.load(options.checkpoints / "last.pt", weights_only=True, map_location="cpu")
    else:
        state = train(options)
    if options.out:
        export(state, options)


if __name__ == "__main__":
    run(parsed())
