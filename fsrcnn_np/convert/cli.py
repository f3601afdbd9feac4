"""`fsrcnn-np weights list | show FILE | convert IN OUT`: words in, words out."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.console import complain, say

from ..files import OutputExists

if TYPE_CHECKING:
    from ..network.weights import Weights


def add_commands(subparsers: Any) -> None:
    """Add `weights` to the commands of `fsrcnn-np`; `options.run` does what was asked for."""
    weights = subparsers.add_parser("weights", help="list the shipped models; look into and convert other people's")
    weights.set_defaults(run=run)
    commands = weights.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="the models that ship")
    listing.set_defaults(weights_command=_list)

    show = commands.add_parser("show", help="what a model file is: architecture, convention, provenance, probe")
    show.add_argument(
        "file", help="a shipped model's name, or a file: .h5, .mat, .pth, .pt, .safetensors, .onnx, .pb, .keras"
    )
    show.set_defaults(weights_command=_show)

    convert = commands.add_parser("convert", help="write a model in another format, which the output's suffix says")
    convert.add_argument("file", metavar="IN", help="a shipped model's name, or a file, as in `show`")
    convert.add_argument("output", metavar="OUT", type=Path, help=".h5, .onnx, .pth, .pt, .safetensors, .mat")
    convert.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    convert.add_argument("--dtype", choices=("float32", "float64"), help="round or widen the parameters")
    convert.add_argument(
        "--with-module", action="store_true", help="with a PyTorch format: fsrcnn_torch.py beside it, which loads it"
    )
    convert.set_defaults(weights_command=_convert)

    for command in (show, convert):
        _add_convention(command)
    for command in (listing, show, convert):
        command.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Do what was asked for."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = _warn
            options.weights_command(options)
    except OutputExists as kept:
        say(str(kept))
    return 0


def _add_convention(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the file does not say, or says otherwise")
    group.add_argument("--scale", type=int, choices=(2, 3, 4))
    group.add_argument("--border", choices=("zero", "replicate"), help="what every layer sees outside the image")
    offset = group.add_mutually_exclusive_group()
    offset.add_argument("--offset", type=int, metavar="N", help="deconvolution_offset: 4, or 3")
    offset.add_argument(
        "--align", action="store_true", help="of the FSRCNN authors' x3: put its output where the picture is (offset 3)"
    )
    group.add_argument("--value-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="black and white; 0 1, say")
    group.add_argument("--input-mean", type=float, metavar="MEAN", help="subtracted before the first layer")
    group.add_argument("--channel-order", choices=("rgb", "bgr"), help="what a model of three channels was trained on")
    group.add_argument("--licence", help="of the model, to be kept with it")


def _load(options: argparse.Namespace) -> Weights:
    from . import load_weights

    span = options.value_range
    weights = load_weights(
        options.file,
        scale=options.scale,
        border=options.border,
        deconvolution_offset=options.offset,
        value_range=None if span is None else (span[0], span[1]),
        input_mean=options.input_mean,
        licence=options.licence,
        channel_order=options.channel_order,
    )
    if options.align and weights.architecture.scale == 3:
        from .conventions import Asked, override

        return override(weights, Asked(deconvolution_offset=3))
    return weights


def _list(options: argparse.Namespace) -> None:
    from . import load_weights, shipped

    entries = []
    for name, path in shipped().items():
        weights = load_weights(path)
        entries.append(
            {
                "name": name,
                "architecture": str(weights.architecture),
                "epochs": weights.provenance.get("epochs"),
                "sha256": weights.sha256,
                "file": str(path),
            }
        )
    if options.json:
        _print_json(entries)
        return
    for entry in entries:
        epochs = f"{entry['epochs']} epochs" if entry["epochs"] else "epochs not stated"
        say(f"{entry['name']:10}  {entry['architecture']:20}  {epochs:18}  sha256 {entry['sha256']}")


def _show(options: argparse.Namespace) -> None:
    weights = _load(options)
    described = _described(weights)
    if options.json:
        _print_json(described)
    else:
        say(_text(described))
    if described["probe"]["warning"]:
        _warn(described["probe"]["warning"])


def _convert(options: argparse.Namespace) -> None:
    from . import MODULE, SUFFIXES, TORCH, save_weights

    weights = _load(options)
    if options.dtype:
        weights = weights.astype(options.dtype)
    save_weights(weights, options.output, overwrite=options.overwrite, with_module=options.with_module)
    if options.output.suffix.lower() == ".onnx" and weights.dtype.name == "float64":
        _warn(
            f"{options.output} is in double precision, which onnxruntime does not run; --dtype float32 writes the other"
        )
    described = _described(weights)
    if options.json:
        _print_json({"written": str(options.output), **described})
    else:
        say(_text(described))
        say(f"{options.output}: {SUFFIXES[options.output.suffix.lower()]}")
        if options.with_module and options.output.suffix.lower() in TORCH:
            say(f"{MODULE} beside it: from fsrcnn_torch import FSRCNN; FSRCNN.load({options.output.name!r})")
    if described["probe"]["warning"]:
        _warn(described["probe"]["warning"])


def _described(weights: Weights) -> dict[str, Any]:
    """Everything about a model but its parameters, and what the probe says."""
    from .probe import probe

    slopes = {len(layer.slope) for layer in weights.convolutions}
    kind = "one a layer" if slopes == {1} else "one a channel" if 1 not in slopes else "one a channel, or one a layer"
    found = probe(weights)
    a = weights.architecture
    return {
        "architecture": str(a),
        "channels": a.channels,
        "parameters": sum(array.size for array in weights.arrays().values()),
        "dtype": weights.dtype.name,
        "border": weights.border,
        "deconvolution_offset": weights.deconvolution_offset,
        "slopes": kind,
        "value_range": list(weights.value_range),
        "input_mean": weights.input_mean,
        "licence": weights.licence,
        "sha256": weights.sha256,
        "probe": {
            "psnr": {row.reduced_by: {"model": row.model, "bicubic": row.bicubic} for row in found.rows},
            "warning": found.warning,
        },
        "provenance": weights.provenance,
    }


def _text(described: Mapping[str, Any]) -> str:
    """The same, for people: the convention with its sources; long lists of the provenance are left to --json."""
    lines = [f"{name:21} {value}" for name, value in described.items() if name not in ("probe", "provenance")]
    for how, row in described["probe"]["psnr"].items():
        lines.append(f"{'probe, ' + how:21} {row['model']:.2f} dB; bicubic interpolation {row['bicubic']:.2f} dB")
    provenance = dict(described["provenance"])
    for name, fact in provenance.pop("convention", {}).items():
        assumed = "ASSUMED: " if fact["assumed"] else ""
        lines.append(f"{'  ' + name:21} {fact['value']}  [{assumed}{fact['source']}]")
    for name, value in provenance.items():
        if value not in ([], {}, "", None):
            lines += _lines(name, value)
    return "\n".join(lines)


def _lines(name: str, value: Any, indent: str = "") -> list[str]:
    if isinstance(value, Mapping):
        return [f"{indent}{name}", *(line for key, item in value.items() for line in _lines(key, item, indent + "  "))]
    if isinstance(value, list):
        texts = all(isinstance(item, str) for item in value)
        value = ", ".join(map(str, value)) if texts or len(value) <= 8 else f"{len(value)} entries; --json prints them"
    return [f"{indent + name:21} {value}"]


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    complain("fsrcnn-np", str(getattr(message, "for_commands", message)), 0)
