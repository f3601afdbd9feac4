"""How FSRCNN runs: engines with the reference's functions and the reference's answer, and the door that picks one.

    "llvm"        vector kernels as LLVM text, compiled while Python runs; the fastest, and what `None` takes
    "numba"       the same layers in two hundred lines of Numba, streamed through strips as in "llvm"
    "reference"   `fsrcnn_np.network.reference`: plain NumPy, which defines the answer; the only one with float64

All have `forward`, `upscale_plane` and `rows_needed`; what they are given has been checked. docs/engine.md tells how
the fast ones work, and what each step brought.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from piqe_np.compiled import check_compiled_code_runs
from piqe_np.unbroken import once

from ..errors import OptionError
from ..network.weights import Weights

ENGINES = {
    "llvm": "fsrcnn_np.engine.llvm",
    "numba": "fsrcnn_np.engine.numba",
    "reference": "fsrcnn_np.network.reference",
}
DEFAULT = "llvm"


def engine_named(name: str | None) -> ModuleType:
    """The module of an engine; nothing of it is loaded before it is asked for.

    Raises
    ------
    OptionError
        There is no such engine; or it needs what this system does not give: memory for machine code, the processor
        that $FSRCNN_NP_TARGET names.
    """
    if name is None:
        name = DEFAULT
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(f"engine is {name!r}; allowed are None, {', '.join(map(repr, ENGINES))}")
    if name != "reference":
        check_compiled_code_runs(name, OptionError)
    if name == "numba":
        from numba import config

        if config.DISABLE_JIT:
            raise OptionError("engine 'numba' is compiled, and NUMBA_DISABLE_JIT forbids that; take another engine")
    module = _module(name)
    if name == "llvm":
        module.host()  # $FSRCNN_NP_TARGET is found wrong here, not at every image
    return module


def prepare(name: str | None, weights: Weights) -> None:
    """Compile what the first image with a model would wait for, where an engine can do that before there is one."""
    if prepared := getattr(engine_named(name), "prepare", None):
        prepared(weights)


@once(most=len(ENGINES))
def _module(name: str) -> ModuleType:
    return import_module(ENGINES[name])
