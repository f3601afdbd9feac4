"""A package's public names, loaded when they are first used: importing the package is quick, whatever lies behind them.

What is imported here is imported with every command before it hears anything, so: nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, which need not be imported for it: a command hears signals sooner
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def names_of(package: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package: `homes` says which names, separated by blanks, are in which of its modules."""
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def found(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import importlib
        import sys

        importlib.import_module("piqe_np.unbroken")  # from here on a fork waits for imports of ours
        value = getattr(importlib.import_module(f".{home_of[name]}", package), name)
        setattr(sys.modules[package], name, value)
        return value

    return found


def is_instance(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a class of another library, without importing that: who has one has imported it.

    While another thread is at importing it, the module is there without its names, and nothing is of its classes yet.
    """
    import sys

    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)
