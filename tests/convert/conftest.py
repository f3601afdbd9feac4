"""Lets the tests of this folder import mat73_writer; takes optional packages away."""

import builtins
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def uninstalled(monkeypatch) -> Callable[..., None]:
    """`uninstalled("torch", "onnx")`: importing them fails from now on."""
    real = builtins.__import__

    def take(*packages: str) -> None:
        def absent(name, *rest, **more):
            if name.split(".")[0] in packages:
                raise ImportError(name)
            return real(name, *rest, **more)

        monkeypatch.setattr(builtins, "__import__", absent)

    return take
