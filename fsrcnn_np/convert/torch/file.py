"""PyTorch state dicts (`.pth`, `.pt`) and safetensors ↔ `Weights`.

A state dict has tensors by name, and says neither scale nor padding. Ports name their layers differently, so layers are
told by shape and order; the order is that of the file where it is one of a network, else that of the names.
"""

from __future__ import annotations

import argparse
import io
import json
import pickle
import pickletools
import re
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingExtraError, WeightsError
from ...files.archives import named_twice
from ...network.weights import Weights
from ..conventions import MOST_BYTES, Fact, Found, first_line, shortened, some
from ..header import KEY, header_text, parse
from .checkpoint_scale import scale_fact
from .state_dict import match

_EXTRA = "needs PyTorch and safetensors: pip install 'fsrcnn-np[torch]'"
_PORTS = "as PyTorch ports have it"
#: Where `module.FSRCNN.load` finds what to build.
MODULE_KEY = "fsrcnn_np_module"


def found(path: Path) -> Found:
    """Read a checkpoint or a state dict.

    Raises
    ------
    MissingExtraError
        PyTorch is not installed.
    WeightsError
        No tensors, objects other than tensors, or no FSRCNN.
    """
    notes: list[str] = []
    stated: Fact | None = None
    if path.suffix.lower() == ".safetensors":
        tensors, header = _safetensors(path)
        form = "a safetensors file"
    else:
        state = _loaded(path)
        tensors, notes = _state_dict(state)
        described = getattr(state, "_metadata", None)
        header = described.get(KEY) if isinstance(described, Mapping) else None
        stated = scale_fact(state, path)
        form = "a PyTorch state dict"
    layers, last, scale = match({name: _array(name, tensor) for name, tensor in tensors.items()})
    if isinstance(header, str):
        return Found(f"{form} of fsrcnn-np", layers, last, header=parse(header))
    facts = {
        "border": Fact("zero", f"padding=k//2, {_PORTS}", assumed=True),
        "deconvolution_offset": Fact(4, f"padding=4, output_padding=scale−1, {_PORTS}", assumed=True),
    }
    if stated:
        facts["scale"] = stated
    if scale:
        facts["scale"] = Fact(scale[0], f"shape of {last.name}")
        facts["deconvolution_offset"] = Fact(scale[1], f"pixel shuffle after {last.name}, padding=k//2", assumed=True)
    return Found(form, layers, last, facts, tuple(notes))


def encoded(weights: Weights, *, safetensors: bool = False, with_module: bool = False) -> bytes:
    """A state dict with the names of the Lornatang port, and the convention in its metadata.

    Raises
    ------
    MissingExtraError
        PyTorch is not installed.
    WeightsError
        A port that pads with zeros would load the file and give another picture, and `with_module` is not set.
    """
    try:
        import torch
        from safetensors.torch import save
    except ImportError:
        raise MissingExtraError(f"writing a PyTorch file {_EXTRA}") from None
    a = weights.architecture
    plain = weights.border == "zero" and weights.deconvolution_offset == 4 and weights.input_mean == 0
    if not plain and not with_module:
        raise WeightsError(
            f"the model has a {weights.border} border, deconvolution_offset {weights.deconvolution_offset} and "
            f"input_mean {weights.input_mean:g}, and a state dict does not say so: a port, which pads with zeros, "
            "would give another picture. Write it with our module beside it (with_module=True, --with-module), or as "
            "ONNX"
        )
    mapping = ((f"map.{2 * i}", f"map.{2 * i + 1}") for i in range(a.m))
    ends = {name: (f"{name}.0", f"{name}.1") for name in ("feature_extraction", "shrink", "expand")}
    names = (ends["feature_extraction"], ends["shrink"], *mapping, ends["expand"])
    state: OrderedDict[str, Any] = OrderedDict()
    for (convolution, prelu), (weight, bias, slope) in zip(names, weights.convolutions, strict=True):
        state[f"{convolution}.weight"] = torch.tensor(weight)
        state[f"{convolution}.bias"] = torch.tensor(bias)
        state[f"{prelu}.weight"] = torch.tensor(slope)
    state["deconv.weight"], state["deconv.bias"] = map(torch.tensor, weights.deconvolution)
    described: dict[str, Any] = {
        "d": a.d, "s": a.s, "m": a.m, "scale": a.scale, "border": weights.border,
        "deconvolution_offset": weights.deconvolution_offset, "input_mean": weights.input_mean,
        "slopes": [len(layer.slope) for layer in weights.convolutions],
    }  # fmt: skip
    if a.channels != 1:  # a module written by a release that knew grey only has no such parameter
        described["channels"] = a.channels
    header = header_text(weights)
    if safetensors:
        metadata = {"format": "pt", KEY: header, MODULE_KEY: json.dumps(described)}
        return _ordered(bytes(save(dict(state), metadata=metadata)))
    state._metadata = {KEY: header, MODULE_KEY: described}  # type: ignore[attr-defined]
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its header in one order: its library draws that of the metadata anew each time.

    Eight bytes say how long the header is, JSON that ends with spaces; offsets in it count from its end.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def _loaded(path: Path) -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError(f"{path} {_EXTRA}") from None
    _check_sizes(path)
    try:
        # A Namespace, the settings of a script's command line, has attributes and does nothing.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]{1,100})", str(error))
        what = f"of the class {named[1]}" if named else "other than tensors"
        raise WeightsError(
            f"the file holds Python objects {what}, and none is unpickled; where you trust it, load it with the "
            "program that wrote it and save its weights alone: torch.save(model.state_dict(), 'x2.pth')"
        ) from None
    except Exception as error:  # a damaged archive ends in errors of any kind
        raise WeightsError(f"no readable PyTorch file, or a damaged one ({first_line(error)}); copy it again") from None


def _check_sizes(path: Path) -> None:
    """Refuse what would decompress to, or allocate, more than any FSRCNN: PyTorch believes the sizes in the file."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise WeightsError(f"{size} bytes are no FSRCNN; at most {MOST_BYTES} are read")
    try:
        size = _declared_in_zip(path) if zipfile.is_zipfile(path) else _declared_in_pickles(path)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file ends in errors of any kind
        raise WeightsError(f"no readable PyTorch file, or a damaged one ({first_line(error)}); copy it again") from None
    if size > MOST_BYTES:
        raise WeightsError(f"the file declares {size} bytes: far more than an FSRCNN (at most {MOST_BYTES} are read)")


def _declared_in_zip(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if twice := named_twice(names):
        raise WeightsError(f"the PyTorch file has two members {shortened(twice)}; save it again")
    if any(name.endswith(("serialized_exported_program.json", "models/model.json")) for name in names):
        raise WeightsError(
            "a program of torch.export; save its weights alone: "
            "torch.save(torch.export.load('x2.pt2').state_dict, 'x2.pth'), or export the model as ONNX"
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise WeightsError("a zip archive that PyTorch did not write; a state dict saved by torch.save is expected")
    if any(name.endswith("constants.pkl") for name in names):
        raise WeightsError("a TorchScript archive; save its weights alone: torch.save(module.state_dict(), 'x2.pth')")
    return sum(entry.file_size for entry in entries)


PADDLE = (
    "a file of PaddlePaddle, which is not read; make an ONNX model of it (paddle.onnx.export), or save its arrays by "
    "name: safetensors.numpy.save_file({k: v.numpy() for k, v in model.state_dict().items()}, 'x2.safetensors')"
)
#: What the first pickle of a file before PyTorch 1.6 holds.
_MAGIC = 0x1950A86A20F9469CFC6C
#: Operations that put a whole number down.
_WHOLE = ("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1")


def _declared_in_pickles(path: Path) -> int:
    """Of a file before PyTorch 1.6: pickles (number, version, system, objects, keys), then the values.

    A storage is ('storage', class, key, place, size, None) and then BINPERSID, and the sum of these sizes bounds the
    number of values that are allocated. Where one is put together in another way, every integer of the pickle counts.
    (An optimiser's state may have keys that are addresses in memory: integers of 10¹⁴.)
    """
    with path.open("rb") as file:
        first = [(op.name, value) for op, value, _ in pickletools.genops(file)]
        if not any(value == _MAGIC for _, value in first):
            raise WeightsError(_what_it_is([value for _, value in first if isinstance(value, str)]))
        for _ in range(2):
            _skip_pickle(file)
        operations = [(op.name, value) for op, value, _ in pickletools.genops(file)]
    storages, put = [], ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE")
    steps = [operation for operation in operations if operation[0] not in put]
    for place, (name, _) in enumerate(steps):
        if name.endswith("PERSID"):
            before = steps[max(place - 3, 0) : place]
            size = before[0][1] if [op for op, _ in before[1:]] == ["NONE", "TUPLE"] else None
            if not isinstance(size, int) or before[0][0] not in _WHOLE:
                return 8 * sum(abs(value) for _, value in steps if isinstance(value, int))
            storages.append(abs(size))
    return 8 * sum(storages)


def _what_it_is(texts: list[str]) -> str:
    """What a pickle is that PyTorch did not write, by the texts in it, and the way to a file that is read."""
    if any(text == "StructuredToParameterName@@" or text.startswith("paddle") for text in texts):
        return PADDLE
    return (
        "a plain pickle, which PyTorch did not write, and nothing is unpickled. Where you trust it, load it and save "
        "its arrays by name, in the order of the layers: "
        "torch.save({name: torch.from_numpy(array) …}, 'x2.pth')"
    )


def _skip_pickle(file: Any) -> None:
    """Step over one pickle without running it."""
    for _ in pickletools.genops(file):
        pass


def _safetensors(path: Path) -> tuple[dict[str, Any], str | None]:
    try:
        from safetensors import safe_open
    except ImportError:
        raise MissingExtraError(f"{path} {_EXTRA}") from None
    if path.stat().st_size > MOST_BYTES:
        raise WeightsError(f"{path.stat().st_size} bytes are no FSRCNN; at most {MOST_BYTES} are read")
    try:
        with safe_open(path, "pt") as file:
            described = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, described.get(KEY)  # noqa: SIM118
    except Exception as error:
        raise WeightsError(f"no readable safetensors file ({first_line(error)}); copy it again") from None


def _state_dict(state: Any) -> tuple[dict[str, Any], list[str]]:
    """The mapping of names to tensors in a checkpoint, whatever it is wrapped in."""
    candidates = list(_tensor_dicts(state, ""))
    if not candidates:
        what = f"keys {some(list(map(str, state)))}" if isinstance(state, Mapping) else type(state).__name__
        raise WeightsError(f"no state dict with a convolution was found, but {what}; save model.state_dict()")
    where, tensors = candidates[0]
    notes = []
    if len(candidates) > 1:
        others = some([repr(name) for name, _ in candidates[1:]])
        notes = [f"taken: the state dict {where!r}; there are also {others}"]
    return tensors, notes


def _tensor_dicts(state: Any, where: str, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(state, Mapping) or depth > 3:
        return
    tensors = {name: value for name, value in state.items() if isinstance(name, str) and hasattr(value, "numpy")}
    if any(tensor.ndim == 4 for tensor in tensors.values()):
        yield where, tensors
    for name, value in state.items():
        if isinstance(name, str):
            yield from _tensor_dicts(value, f"{where}.{name}".strip("."), depth + 1)


def _array(name: str, tensor: Any) -> np.ndarray:
    """A tensor's values; one that claims more values than are stored is refused before it is unrolled."""
    import torch

    if tensor.is_sparse or tensor.is_quantized or not tensor.is_floating_point():
        raise WeightsError(f"{name} is {tensor.dtype}, sparse or quantised; allowed are floats of 16, 32 and 64 bits")
    if tensor.numel() * tensor.element_size() > max(tensor.untyped_storage().nbytes(), 1):
        raise WeightsError(f"{name} declares shape {tuple(tensor.shape)} and stores less; the file is damaged")
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.to(torch.float32)  # float16 and bfloat16: exact
    array: np.ndarray = tensor.detach().numpy()
    return array
