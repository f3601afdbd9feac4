"""Makers of small files that the tests have, for seeds: they lie in the checkout beside this room."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

_TESTS = Path(__file__).parents[1] / "tests"


def of_tests(name: str, folder: str = "") -> ModuleType:
    """A module of the tests' own."""
    for place in (str(_TESTS), str(_TESTS / folder)):
        if place not in sys.path:
            sys.path.append(place)
    return importlib.import_module(name)
