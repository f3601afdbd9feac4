"""Targets by name; each module is loaded when one of its targets is asked for."""

from __future__ import annotations

import importlib

from ..target import Target

_MODULES = {
    "images": ("png", "tiff", "jpeg", "jpeg2000", "pnm", "bmp", "webp", "gif", "pcx", "tga", "npy", "npz", "mat-image", "hdf5-image", "provenance"),
    "models": ("weights-hdf5", "matlab5", "matlab73", "onnx", "tensorflow", "keras", "keras-h5", "pytorch", "safetensors"),
    "dicom": ("dicom", "presentation-state"),
    "tables": ("data-ranges", "cohort", "ratings", "cases"),
    "settings": ("criteria", "pacs-settings"),
    "stores": ("study-store", "reader-log", "ledger"),
    "arrays": ("upscale", "piqe", "options"),
    "arguments": ("arguments", "piqe-arguments", "commands"),
    "services": ("reader-http", "reader-events", "associations", "dicomweb"),
}  # fmt: skip
#: What native libraries decode, or the network brings, gets more of the time than what Python reads.
_DANGEROUS = {"images": 2.0, "models": 2.0, "dicom": 2.0, "services": 1.5}
NAMES = tuple(name for names in _MODULES.values() for name in names)


def shares() -> dict[str, float]:
    """Each target's part of the time."""
    parts = {name: _DANGEROUS.get(module, 1.0) for module, names in _MODULES.items() for name in names}
    return {name: part / sum(parts.values()) for name, part in parts.items()}


def target_named(name: str) -> Target:
    """The target of this name."""
    module = next(module for module, names in _MODULES.items() if name in names)
    targets: dict[str, Target] = importlib.import_module(f".{module}", __package__).TARGETS
    return targets[name]
