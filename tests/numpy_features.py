"""NumPy's features above its baseline that this processor has, in the installed NumPy's spelling; run, it prints them.

What `NPY_DISABLE_CPU_FEATURES` takes to make NumPy compute as on a lesser processor.
"""

from importlib import import_module

import numpy as np


def dispatched() -> list[str]:
    """The names that can be switched off here."""
    core = "numpy._core" if int(np.__version__.split(".")[0]) > 1 else "numpy.core"
    module = import_module(f"{core}._multiarray_umath")
    return [name for name in module.__cpu_dispatch__ if module.__cpu_features__.get(name)]


if __name__ == "__main__":
    print(*dispatched())
